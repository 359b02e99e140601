//! Table `focus_sessions`: periods of concentrated work.
//!
//! At most one session of a person runs or is paused.

use sea_orm::entity::prelude::*;

use crate::enums::FocusSessionStatus;
use crate::ids::{FocusSessionId, TaskId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "focus_sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FocusSessionId,
    pub workspace_id: WorkspaceId,
    pub user_id: UserId,
    pub task_id: Option<TaskId>,
    pub status: FocusSessionStatus,
    pub planned_minutes: i32,
    /// Without pauses, up to `running_since`.
    pub focused_seconds: i32,
    /// Null while paused and after the end.
    pub running_since: Option<DateTimeUtc>,
    pub interruption_count: i32,
    pub started_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
    pub notes: Option<String>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
