//! What callers hand to the room of plans, and what is stored beside a plan.

use chrono::NaiveDate;
use entity::enums::{PlannerEngine, SchedulePhase, ScheduleStatus};
use entity::ids::{CalendarEventId, ScheduleId, ScheduleSlotId, TaskId, UserId};
use entity::{calendar_event, schedule};
use serde::{Deserialize, Serialize};

use super::words::StoredReason;
use crate::features::events::Attached;
use crate::kernel::time::{Instant, Span};

/// A plan to make.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    /// First day.
    pub start_date: NaiveDate,
    /// Last day, included.
    pub end_date: NaiveDate,
    /// Only these tasks.
    pub task_ids: Option<Vec<TaskId>>,
    /// Wishes in plain language.
    pub instructions: Option<String>,
    /// What makes it.
    pub engine: Option<PlannerEngine>,
    /// Apply without review when all tasks fit.
    pub auto_apply: bool,
}

/// Which plans to list; all conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct ScheduleFilter {
    /// Any of these states.
    pub statuses: Option<Vec<ScheduleStatus>>,
    /// Of this person.
    pub user_id: Option<UserId>,
    /// Which touch this day.
    pub date: Option<NaiveDate>,
}

/// A plan that was put on a calendar.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The plan.
    pub schedule: schedule::Model,
    /// Events that were made for it.
    pub events: Vec<calendar_event::Model>,
}

/// How a plan differs from the ones in force, by the ids of slots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// Slots that are new.
    pub added: Vec<ScheduleSlotId>,
    /// Slots at another time than before.
    pub moved: Vec<ScheduleSlotId>,
    /// Slots of plans in force that would disappear.
    pub removed: Vec<ScheduleSlotId>,
    /// Slots that stay.
    pub unchanged: i32,
}

/// Figures of a run of the planner.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Value of the objective; lower is better.
    pub objective: f64,
    /// Until the first complete plan.
    pub first_plan_ms: i32,
    /// In all.
    pub total_ms: i32,
    /// Work placed.
    pub placed_minutes: i32,
    /// Slots that moved.
    pub move_count: i32,
    /// Reproduces the plan.
    pub seed: u64,
}

/// How far a generation is, as it travels to those who watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The step.
    pub phase: SchedulePhase,
    /// From 0 to 100.
    pub percent: i32,
    /// Short text.
    pub message: Option<String>,
    /// Tasks that have a place.
    pub placed: i32,
    /// Tasks to place.
    pub total: i32,
}

impl From<&schedule::Model> for Progress {
    fn from(row: &schedule::Model) -> Self {
        Self {
            phase: row.phase,
            percent: row.percent,
            message: row.progress_message.clone(),
            placed: row.placed_task_count,
            total: row.total_task_count,
        }
    }
}

/// A slot before it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its id.
    pub id: ScheduleSlotId,
    /// The task.
    pub task_id: TaskId,
    /// When.
    pub span: Span,
    /// Whether it stays when the plan is made again.
    pub is_locked: bool,
    /// Why it is there.
    pub reasons: Vec<StoredReason>,
    /// Where the same work was before.
    pub previous: Option<Instant>,
}

/// What applying a plan changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Undo {
    /// Slots that handed their events to slots of this plan.
    pub taken: Vec<Taken>,
    /// Slots whose events went, with the events as they were.
    pub removed: Vec<Removed>,
    /// Plans that were in force until then.
    pub superseded: Vec<ScheduleId>,
}

/// An event that changed hands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// Slot that had it.
    pub from: ScheduleSlotId,
    /// Slot that has it.
    pub to: ScheduleSlotId,
    /// The event.
    pub event: CalendarEventId,
}

/// An event that went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Removed {
    /// Slot that had it.
    pub slot: ScheduleSlotId,
    /// The event as it was.
    pub event: Box<calendar_event::Model>,
    /// Its guests, reminders and changed occurrences; plans that older versions applied have none.
    #[serde(default)]
    pub attached: Attached,
}
