//! Table `schedules`: plans: proposals until they are applied.

use sea_orm::entity::prelude::*;

use crate::enums::{PlannerEngine, SchedulePhase, ScheduleStatus};
use crate::ids::{CalendarId, JobId, ScheduleId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedules")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ScheduleId,
    pub workspace_id: WorkspaceId,
    pub user_id: UserId,
    pub status: ScheduleStatus,
    pub start_date: Date,
    /// Included.
    pub end_date: Date,
    pub engine: PlannerEngine,
    pub instructions: Option<String>,
    pub feedback: Option<String>,
    /// What was understood of instructions and feedback; null until a job has read them.
    pub wishes: Option<Json>,
    pub auto_apply: bool,
    /// Only these tasks; null for all open ones.
    pub task_ids: Option<Json>,
    /// Applied schedule it was compared with.
    pub base_schedule_id: Option<ScheduleId>,
    /// Where it was applied.
    pub calendar_id: Option<CalendarId>,
    /// No foreign key: jobs are pruned earlier.
    pub job_id: Option<JobId>,
    pub score: Option<i32>,
    pub explanation: Option<String>,
    pub stats: Option<Json>,
    /// Ids of added, moved and removed slots, and how many stay.
    pub diff: Option<Json>,
    pub error: Option<String>,
    pub phase: SchedulePhase,
    pub percent: i32,
    pub progress_message: Option<String>,
    pub placed_task_count: i32,
    pub total_task_count: i32,
    pub generated_at: Option<DateTimeUtc>,
    pub applied_at: Option<DateTimeUtc>,
    /// What applying it changed, to take it back. Never shown.
    pub undo: Option<Json>,
    /// Position of the change log up to which an applied plan was compared with the calendar.
    pub seen_seq: Option<i64>,
    /// When that was.
    pub seen_at: Option<DateTimeUtc>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
