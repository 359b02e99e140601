//! Table `schedule_slots`: planned blocks of time.

use sea_orm::entity::prelude::*;

use crate::enums::ScheduleSlotKind;
use crate::ids::{CalendarEventId, ScheduleId, ScheduleSlotId, TaskId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule_slots")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ScheduleSlotId,
    pub workspace_id: WorkspaceId,
    pub schedule_id: ScheduleId,
    pub start_utc: DateTimeUtc,
    pub end_utc: DateTimeUtc,
    pub kind: ScheduleSlotKind,
    /// Null for breaks and buffers.
    pub task_id: Option<TaskId>,
    /// Null until applied.
    pub calendar_event_id: Option<CalendarEventId>,
    pub is_locked: bool,
    pub previous_start_utc: Option<DateTimeUtc>,
    /// When its time was counted as work on the task.
    pub credited_at: Option<DateTimeUtc>,
    /// Array of `{code, message}`, most important first.
    pub reasons: Json,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
