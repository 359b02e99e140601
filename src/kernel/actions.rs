//! Who may do what: one table of role × action × resource. Every permission question is answered here.

use entity::enums::WorkspaceRole;

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Read it.
    View,
    /// Create, change or delete it.
    Edit,
    /// Change who belongs to it, or how it is connected and configured.
    Manage,
    /// Delete the workspace itself.
    Destroy,
}

/// What it is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Tasks and their dependencies.
    Task,
    /// Calendars.
    Calendar,
    /// How a member sees calendars and is reminded of events.
    CalendarSetting,
    /// Calendar events.
    CalendarEvent,
    /// Connected calendar services.
    Integration,
    /// Memberships and invitations.
    Member,
    /// The workspace and its settings.
    Workspace,
    /// The audit log.
    AuditLog,
    /// Background jobs of the workspace.
    Job,
}

/// Least role that may do it; `None` when nobody may.
pub const fn least_role(action: Action, resource: Resource) -> Option<WorkspaceRole> {
    use Action::{Destroy, Edit, Manage, View};
    use WorkspaceRole::{Admin, Member, Owner, Viewer};
    Some(match (action, resource) {
        (View, Resource::AuditLog) => Admin,
        (View, _) => Viewer,
        (Edit, Resource::CalendarSetting) => Viewer,
        (Edit, Resource::Task | Resource::Calendar | Resource::CalendarEvent | Resource::Job) => Member,
        (Edit | Manage, Resource::Integration | Resource::Member | Resource::Workspace) => Admin,
        (Manage, Resource::Calendar) => Member,
        (Destroy, Resource::Workspace) => Owner,
        _ => return None,
    })
}

/// Whether a member with this role may do it.
pub fn allows(role: WorkspaceRole, action: Action, resource: Resource) -> bool {
    least_role(action, resource).is_some_and(|least| power(role) >= power(least))
}

const fn power(role: WorkspaceRole) -> u8 {
    match role {
        WorkspaceRole::Viewer => 0,
        WorkspaceRole::Member => 1,
        WorkspaceRole::Admin => 2,
        WorkspaceRole::Owner => 3,
    }
}

/// What an API token may do at most; each scope includes the ones before it.
pub const fn scope_covers(scope: entity::enums::ApiTokenScope, action: Action, resource: Resource) -> bool {
    use entity::enums::ApiTokenScope::{Admin, Read, Write};
    match (scope, action, resource) {
        (Admin, ..) => true,
        (_, Action::View, _) => true,
        (Write, Action::Edit, Resource::Integration | Resource::Member | Resource::Workspace) => false,
        (Write, Action::Edit, _) | (Write, Action::Manage, Resource::Calendar) => true,
        (Write | Read, ..) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use WorkspaceRole::{Admin, Member, Owner, Viewer};

    const ACTIONS: [Action; 4] = [Action::View, Action::Edit, Action::Manage, Action::Destroy];
    const RESOURCES: [Resource; 9] = [
        Resource::Task,
        Resource::Calendar,
        Resource::CalendarSetting,
        Resource::CalendarEvent,
        Resource::Integration,
        Resource::Member,
        Resource::Workspace,
        Resource::AuditLog,
        Resource::Job,
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
}
