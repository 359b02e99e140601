//! Slots of a schedule with their reasons, and tasks that found no place.

use std::sync::Arc;

use async_graphql::{Context, Description, Enum, ID, Object, Result, SimpleObject};
use entity::{schedule_slot, unscheduled_task};

use super::Schedule;
use crate::features::scheduling::{self, StoredReason, StoredRelaxation};
use crate::graphql::enums::{ScheduleSlotKind, UnscheduledReason};
use crate::graphql::errors::expose;
use crate::graphql::events::CalendarEvent;
use crate::graphql::ids::global;
use crate::graphql::loader;
use crate::graphql::loaders::{EventKey, ScheduleKey, TaskKey};
use crate::graphql::scalars::DateTime;
use crate::graphql::shape::object;
use crate::graphql::tasks::Task;
use crate::kernel::Error;

/// A planned block of time.
#[derive(Clone, Description)]
pub struct ScheduleSlot(pub Arc<schedule_slot::Model>);

impl From<schedule_slot::Model> for ScheduleSlot {
    fn from(row: schedule_slot::Model) -> Self {
        Self(Arc::new(row))
    }
}

impl ScheduleSlot {
    /// For the `Node` interface.
    pub async fn id(&self, _: &Context<'_>) -> Result<ID> {
        Ok(global(self.0.id))
    }
}

object! {
    ScheduleSlot "ScheduleSlot", schedule_slot::Column;

    /// Globally unique ID.
    value id [Id] -> ID { |slot| global(slot.0.id) }
    /// Schedule of the slot.
    plain schedule [] -> Result<Schedule> {
        |slot, ctx| {
            let key = ScheduleKey(slot.0.workspace_id, slot.0.schedule_id);
            let row = loader(ctx).load_one(key).await?;
            row.map(Schedule).ok_or_else(|| expose(Error::not_found()))
        }
    }
    /// First instant.
    value start [StartUtc] -> DateTime { |slot| DateTime(slot.0.start_utc) }
    /// Instant just after the slot.
    value end [EndUtc] -> DateTime { |slot| DateTime(slot.0.end_utc) }
    /// Kind of slot.
    value kind [Kind] -> ScheduleSlotKind { |slot| slot.0.kind.into() }
    /// Task to work on. Null for breaks and buffers.
    one task [WorkspaceId TaskId] -> Option<Result<Task>> {
        |slot| TaskKey(slot.0.workspace_id, slot.0.task_id?) => Task
    }
    /// Event on the calendar. Null until applied.
    one calendar_event [WorkspaceId CalendarEventId] -> Option<Result<CalendarEvent>> {
        |slot| EventKey(slot.0.workspace_id, slot.0.calendar_event_id?) => CalendarEvent
    }
    /// Whether regeneration must keep this slot.
    value is_locked [IsLocked] -> bool { |slot| slot.0.is_locked }
    /// Start of the same piece of work in the applied schedule. Null when it was not planned there.
    value previous_start [PreviousStartUtc] -> Option<DateTime> { |slot| slot.0.previous_start_utc.map(DateTime) }
    /// Why it is here, most important first.
    plain reasons [] -> Vec<PlacementReason> {
        |slot, _ctx| {
            let reasons = scheduling::reasons_of(&slot.0);
            reasons.into_iter().map(PlacementReason::from).collect()
        }
    }
}

/// Why a slot is where it is.
#[derive(SimpleObject)]
pub struct PlacementReason {
    /// Kind of reason.
    code: PlacementReasonCode,
    /// Sentence for the user.
    message: String,
}

impl From<StoredReason> for PlacementReason {
    fn from(reason: StoredReason) -> Self {
        Self {
            code: reason.code.into(),
            message: reason.message,
        }
    }
}

/// Kind of reason for a placement.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "scheduling::PlacementCode")]
pub enum PlacementReasonCode {
    /// Needed here to meet the deadline.
    Deadline,
    /// More important than what else could stand here.
    Priority,
    /// In the hours that suit the energy the task needs.
    Energy,
    /// As soon as what it depends on is finished.
    Dependency,
    /// Stays where it was before.
    Stability,
    /// Fixed by the user.
    Locked,
    /// Keeps a long stretch of time free elsewhere.
    Focus,
    /// The only time that is free.
    OnlyGap,
}

/// A task the planner could not place.
#[derive(Clone, Description)]
pub struct UnscheduledTask(pub Arc<unscheduled_task::Model>);

#[Object(use_type_description)]
impl UnscheduledTask {
    /// The task.
    async fn task(&self, ctx: &Context<'_>) -> Result<Task> {
        let key = TaskKey(self.0.workspace_id, self.0.task_id);
        let row = loader(ctx).load_one(key).await?;
        row.map(Task).ok_or_else(|| expose(Error::not_found()))
    }

    /// Why it did not fit.
    async fn reason(&self) -> UnscheduledReason {
        self.0.reason.into()
    }

    /// Minutes that could not be placed.
    async fn missing_minutes(&self) -> i32 {
        self.0.missing_minutes
    }

    /// Sentence for the user.
    async fn message(&self) -> &str {
        &self.0.message
    }

    /// Cheapest changes that would make it fit, best first, at most 3.
    async fn relaxations(&self) -> Vec<Relaxation> {
        let relaxations = scheduling::relaxations_of(&self.0);
        relaxations.into_iter().map(Relaxation::from).collect()
    }
}

/// A change that would make room for a task that did not fit.
#[derive(SimpleObject)]
pub struct Relaxation {
    /// Kind of change.
    code: RelaxationCode,
    /// Sentence for the user.
    message: String,
    /// Minutes that it would make room for.
    gained_minutes: i32,
}

impl From<StoredRelaxation> for Relaxation {
    fn from(one: StoredRelaxation) -> Self {
        Self {
            code: one.code.into(),
            message: one.message,
            gained_minutes: one.gained_minutes,
        }
    }
}

/// Kind of change that makes room.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "scheduling::RelaxationCode")]
pub enum RelaxationCode {
    /// Move the deadline.
    ExtendDeadline,
    /// Work outside the working hours, or more on one day.
    ExtendWorkingHours,
    /// Allow smaller pieces.
    SmallerChunks,
    /// Move or drop a less important task.
    MoveOtherTask,
    /// Move or decline an event.
    MoveEvent,
    /// Finish or drop a dependency.
    DropDependency,
}
