//! What actions does with good and bad input.

use super::*;
use WorkspaceRole::{Admin, Member, Owner, Viewer};

const ACTIONS: [Action; 4] = [Action::View, Action::Edit, Action::Manage, Action::Destroy];
const RESOURCES: [Resource; 10] = [
    Resource::Task,
    Resource::Calendar,
    Resource::CalendarSetting,
    Resource::CalendarEvent,
    Resource::Integration,
    Resource::Member,
    Resource::Workspace,
    Resource::AuditLog,
    Resource::Job,
    Resource::FocusSession,
];

#[test]
fn more_power_never_means_fewer_rights() {
    for action in ACTIONS {
        for resource in RESOURCES {
            let rights = [Viewer, Member, Admin, Owner].map(|role| allows(role, action, resource));
            assert!(rights.is_sorted(), "{action:?} {resource:?}: {rights:?}");
        }
    }
}

#[test]
fn the_table_says_what_the_contract_says() {
    assert!(allows(Viewer, Action::View, Resource::Task));
    assert!(!allows(Viewer, Action::Edit, Resource::Task));
    assert!(allows(Member, Action::Edit, Resource::CalendarEvent));
    assert!(!allows(Member, Action::Manage, Resource::Integration));
    assert!(allows(Admin, Action::Manage, Resource::Integration));
    assert!(!allows(Member, Action::View, Resource::AuditLog));
    assert!(!allows(Admin, Action::Destroy, Resource::Workspace));
    assert!(allows(Owner, Action::Destroy, Resource::Workspace));
    assert!(
        !allows(Owner, Action::Edit, Resource::AuditLog),
        "the audit log is append-only for everybody"
    );
}
