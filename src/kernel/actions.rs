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
    /// One's own focus sessions.
    FocusSession,
}

/// Least role that may do it; `None` when nobody may.
pub const fn least_role(action: Action, resource: Resource) -> Option<WorkspaceRole> {
    use Action::{Destroy, Edit, Manage, View};
    use WorkspaceRole::{Admin, Member, Owner, Viewer};
    Some(match (action, resource) {
        (View, Resource::AuditLog) => Admin,
        (View, _) => Viewer,
        (Edit, Resource::CalendarSetting | Resource::FocusSession) => Viewer,
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
mod tests;
