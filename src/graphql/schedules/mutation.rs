//! The commands on schedules and their payloads.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use entity::ids::{JobId, ScheduleId, ScheduleSlotId};
use entity::{schedule, schedule_slot};

use super::input::GenerateScheduleInput;
use super::{Schedule, ScheduleSlot};
use crate::access::{Access, Ctx};
use crate::features::events::Event;
use crate::features::scheduling::{self, Applied};
use crate::graphql::access;
use crate::graphql::errors::{UserError, outcome};
use crate::graphql::events::CalendarEvent;
use crate::graphql::ids::{reference, references, target, workspace_reference};
use crate::graphql::jobs::{Job, job_of};
use crate::graphql::paging::payload;
use crate::graphql::scalars::DateTime;
use crate::graphql::straight::{command, commands, shaped_payload};
use crate::kernel;

payload!(
    CancelScheduleGenerationPayload,
    "cancelScheduleGeneration",
    /// The schedule after the change. Null when the mutation failed.
    schedule: Schedule
);
payload!(
    DiscardSchedulePayload,
    "discardSchedule",
    /// The schedule after the change. Null when the mutation failed.
    schedule: Schedule
);
payload!(
    RevertSchedulePayload,
    "revertSchedule",
    /// The schedule after the change. Null when the mutation failed.
    schedule: Schedule
);
shaped_payload!(
    MoveScheduleSlotPayload,
    "moveScheduleSlot",
    /// The slot after the change. Null when the mutation failed.
    one slot: Option<ScheduleSlot>
);
shaped_payload!(
    SetScheduleSlotLockPayload,
    "setScheduleSlotLock",
    /// The slot after the change. Null when the mutation failed.
    one slot: Option<ScheduleSlot>
);

/// Result of `generateSchedule`.
#[derive(SimpleObject)]
pub struct GenerateSchedulePayload {
    /// The schedule after the change. Null when the mutation failed.
    schedule: Option<Schedule>,
    /// Background job that does the work. Null when the mutation failed.
    job: Option<Job>,
    /// Expected failures. Empty on success.
    user_errors: Vec<UserError>,
}

/// Result of `regenerateSchedule`.
#[derive(SimpleObject)]
pub struct RegenerateSchedulePayload {
    /// The schedule after the change. Null when the mutation failed.
    schedule: Option<Schedule>,
    /// Background job that does the work. Null when the mutation failed.
    job: Option<Job>,
    /// Expected failures. Empty on success.
    user_errors: Vec<UserError>,
}

/// Result of `applySchedule`.
#[derive(SimpleObject)]
pub struct ApplySchedulePayload {
    /// The schedule after the change. Null when the mutation failed.
    schedule: Option<Schedule>,
    /// Events that were created. Null when the mutation failed.
    calendar_events: Option<Vec<CalendarEvent>>,
    /// Expected failures. Empty on success.
    user_errors: Vec<UserError>,
}

type Requested = kernel::Result<(schedule::Model, JobId)>;
type Parts = (Option<Schedule>, Option<Job>, Vec<UserError>);

async fn requested(ctx: &Context<'_>, result: Requested) -> Result<Parts> {
    let (value, errors) = outcome(result)?;
    let Some((row, job)) = value else {
        return Ok((None, None, errors));
    };
    let job = job_of(ctx, Some(job)).await.transpose()?;
    Ok((Some(Schedule::from(row)), job, errors))
}

/// Enters the workspace of a schedule that a mutation acts on.
async fn enter(ctx: &Context<'_>, id: &ID) -> kernel::Result<(Ctx, ScheduleId)> {
    access(ctx).caller().require_user()?;
    let id = target(id)?;
    Ok((access(ctx).ctx_of::<schedule::Entity>(id).await?, id))
}

/// Enters the workspace of a slot that a mutation acts on.
async fn enter_slot(access: &Access, id: &ID) -> kernel::Result<(Ctx, ScheduleSlotId)> {
    access.caller().require_user()?;
    let id = target(id)?;
    Ok((access.ctx_of::<schedule_slot::Entity>(id).await?, id))
}

commands! {
    MoveScheduleSlot(id "id": ID, start "start": DateTime, end "end": Option<DateTime>)
        -> MoveScheduleSlotPayload, |access| {
        let (entered, id) = enter_slot(access, &id).await?;
        let moved = scheduling::move_slot(&entered, id, start.0, end.map(|end| end.0)).await;
        moved.map(ScheduleSlot::from).map(MoveScheduleSlotPayload::of)
    };
    SetScheduleSlotLock(id "id": ID, is_locked "isLocked": bool) -> SetScheduleSlotLockPayload, |access| {
        let (entered, id) = enter_slot(access, &id).await?;
        let slot = scheduling::set_lock(&entered, id, is_locked).await;
        slot.map(ScheduleSlot::from).map(SetScheduleSlotLockPayload::of)
    };
}

#[derive(Default)]
pub struct ScheduleMutation;

#[Object]
impl ScheduleMutation {
    /// Starts generating a schedule in the background. Watch it with `scheduleProgress`.
    async fn generate_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: GenerateScheduleInput,
    ) -> Result<GenerateSchedulePayload> {
        let result = async {
            access(ctx).caller().require_user()?;
            let path = "input.workspaceId";
            let workspace = reference(&input.workspace_id, path)?;
            let entered = workspace_reference(access(ctx).ctx(workspace).await, path)?;
            scheduling::generate(&entered, input.into_model()?).await
        };
        let (schedule, job, user_errors) = requested(ctx, result.await).await?;
        Ok(GenerateSchedulePayload {
            schedule,
            job,
            user_errors,
        })
    }

    /// Generates a proposal again, keeping locked slots.
    async fn regenerate_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "What to do better, in plain language.")] feedback: Option<String>,
    ) -> Result<RegenerateSchedulePayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            scheduling::regenerate(&entered, id, feedback).await
        };
        let (schedule, job, user_errors) = requested(ctx, result.await).await?;
        Ok(RegenerateSchedulePayload {
            schedule,
            job,
            user_errors,
        })
    }

    /// Stops a running generation.
    async fn cancel_schedule_generation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<CancelScheduleGenerationPayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            scheduling::cancel(&entered, id).await
        };
        CancelScheduleGenerationPayload::new(result.await, Schedule::from)
    }

    /// Puts a proposal on the calendar. With `slotIds` only those slots. Replaces the applied schedule of the same days.
    async fn apply_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Only these slots.")] slot_ids: Option<Vec<ID>>,
        #[graphql(desc = "Calendar for the events. The default calendar when omitted.")] calendar_id: Option<
            ID,
        >,
    ) -> Result<ApplySchedulePayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            let slots = slot_ids.map(|ids| references(&ids, "slotIds")).transpose()?;
            let calendar = calendar_id.map(|id| reference(&id, "calendarId")).transpose()?;
            scheduling::apply(&entered, id, slots, calendar).await
        };
        let (value, user_errors) = outcome(result.await)?;
        let (schedule, calendar_events) = value
            .map(|applied: Applied| {
                let event = |row| {
                    CalendarEvent::from(Event {
                        row,
                        is_masked: false,
                    })
                };
                let events: Vec<CalendarEvent> = applied.events.into_iter().map(event).collect();
                (Schedule::from(applied.schedule), events)
            })
            .unzip();
        Ok(ApplySchedulePayload {
            schedule,
            calendar_events,
            user_errors,
        })
    }

    /// Rejects a proposal.
    async fn discard_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<DiscardSchedulePayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            scheduling::discard(&entered, id).await
        };
        DiscardSchedulePayload::new(result.await, Schedule::from)
    }

    /// Takes an applied schedule off the calendar.
    async fn revert_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<RevertSchedulePayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            scheduling::revert(&entered, id).await
        };
        RevertSchedulePayload::new(result.await, Schedule::from)
    }

    /// Moves a slot of a proposal and locks it.
    async fn move_schedule_slot(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "New first instant.")] start: DateTime,
        #[graphql(desc = "New instant just after. Keeps the length when omitted.")] end: Option<DateTime>,
    ) -> Result<MoveScheduleSlotPayload> {
        command::<MoveScheduleSlot>(ctx, (id, start, end)).await
    }

    /// Locks or unlocks a slot against regeneration.
    async fn set_schedule_slot_lock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Whether the slot stays in place.")] is_locked: bool,
    ) -> Result<SetScheduleSlotLockPayload> {
        command::<SetScheduleSlotLock>(ctx, (id, is_locked)).await
    }
}
