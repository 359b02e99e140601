//! Table `change_log`: what changed in a workspace, in commit order.
//!
//! Append-only until retention removes old rows; subscriptions resume from `seq`. A row is never updated.

use sea_orm::entity::prelude::*;

use crate::enums::ChangeAction;
use crate::ids::{CalendarId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "change_log")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: WorkspaceId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub action: ChangeAction,
    /// GraphQL type, for example `Task`.
    pub object_type: String,
    pub object_id: Uuid,
    /// Lets a subscriber filter events without reading them; no foreign key, it may be gone.
    pub calendar_id: Option<CalendarId>,
    /// No foreign key: the log outlives the person.
    pub actor_id: Option<UserId>,
    pub created_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
