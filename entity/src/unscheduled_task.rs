//! Table `unscheduled_tasks`: tasks a plan could not place.

use sea_orm::entity::prelude::*;

use crate::enums::UnscheduledReason;
use crate::ids::{ScheduleId, TaskId, UnscheduledTaskId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unscheduled_tasks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UnscheduledTaskId,
    pub workspace_id: WorkspaceId,
    pub schedule_id: ScheduleId,
    pub task_id: TaskId,
    pub reason: UnscheduledReason,
    pub missing_minutes: i32,
    pub message: String,
    /// Array of `{code, message, gainedMinutes}`, cheapest first.
    pub relaxations: Json,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
