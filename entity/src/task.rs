//! Table `tasks`: things to do, with what the planner needs to place them.

use sea_orm::entity::prelude::*;

use crate::enums::{EnergyLevel, TaskPriority, TaskStatus};
use crate::ids::{TaskId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tasks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TaskId,
    pub workspace_id: WorkspaceId,
    pub version: i32,
    pub title: String,
    pub description: Option<String>,
    pub status: TaskStatus,
    pub priority: TaskPriority,
    pub energy: EnergyLevel,
    pub duration_minutes: i32,
    pub completed_minutes: i32,
    /// Null keeps the task in one piece.
    pub min_chunk_minutes: Option<i32>,
    pub max_chunk_minutes: Option<i32>,
    pub start_after: Option<DateTimeUtc>,
    pub due_at: Option<DateTimeUtc>,
    pub is_hard_deadline: bool,
    pub is_auto_scheduled: bool,
    /// Array of weekly hours in which it may be planned; null for those of its person.
    pub working_hours: Option<Json>,
    /// Array of texts in the user's order; `task_label` is its index.
    pub labels: Json,
    pub assignee_id: Option<UserId>,
    pub created_by: Option<UserId>,
    pub parent_id: Option<TaskId>,
    /// Order among the sub-tasks of the parent.
    pub position: i32,
    pub recurrence_rule: Option<String>,
    /// First task of a repeated one; no foreign key, it may be gone.
    pub series_id: Option<TaskId>,
    pub completed_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
