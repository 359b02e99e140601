//! What callers hand to the room of notifications.

use entity::enums::NotificationType;
use entity::ids::{UserId, WorkspaceId};
use uuid::Uuid;

use crate::kernel::changes::ObjectType;

/// A message to a person.
#[derive(Clone, Debug)]
pub struct NewNotification {
    /// Who reads it.
    pub user_id: UserId,
    /// Workspace it is about; `None` for account messages.
    pub workspace_id: Option<WorkspaceId>,
    /// Kind.
    pub r#type: NotificationType,
    /// One line; cut when it is too long.
    pub title: String,
    /// More text; cut when it is too long.
    pub body: Option<String>,
    /// Object it is about, in the same workspace.
    pub subject: Option<(ObjectType, Uuid)>,
    /// Names the cause: a second notification of the same person with the same key is not stored.
    pub dedup_key: Option<String>,
}

/// Which notifications to list; all conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct NotificationFilter {
    /// Unread (`true`) or read (`false`) ones.
    pub is_unread: Option<bool>,
    /// Any of these kinds.
    pub types: Option<Vec<NotificationType>>,
    /// About this workspace.
    pub workspace_id: Option<WorkspaceId>,
}
