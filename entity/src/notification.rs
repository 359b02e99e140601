//! Table `notifications`: messages to a person.
//!
//! Belongs to its user, also when it is about a workspace.

use sea_orm::entity::prelude::*;

use crate::enums::NotificationType;
use crate::ids::{NotificationId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notifications")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NotificationId,
    pub user_id: UserId,
    /// Null for account messages.
    pub workspace_id: Option<WorkspaceId>,
    pub r#type: NotificationType,
    pub title: String,
    pub body: Option<String>,
    /// GraphQL type of the object it is about.
    pub subject_type: Option<String>,
    pub subject_id: Option<Uuid>,
    pub read_at: Option<DateTimeUtc>,
    /// Who caused it, when it was somebody else: the texts may have their name. It goes with them, without a foreign key.
    pub actor_id: Option<UserId>,
    /// Makes a repeated delivery one notification.
    pub dedup_key: Option<String>,
    /// When it goes out by mail; null when it does not, or went.
    pub mail_due_at: Option<DateTimeUtc>,
    /// When its letter was written.
    pub mailed_at: Option<DateTimeUtc>,
    /// Set for one that its person wants by mail only: it is in no list.
    pub mail_only_since: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
