//! Changing events.

use async_graphql::{Context, ID, Object, Result};
use entity::ids::{CalendarEventId, CalendarId};
use entity::{calendar, calendar_event};

use super::input::{CreateCalendarEventInput, RecurrenceScope, UpdateCalendarEventInput};
use super::object::CalendarEvent;
use crate::access::{Access, Ctx};
use crate::features::events::{self, Move, Touched};
use crate::graphql::enums::AttendeeResponse;
use crate::graphql::ids::{global, object_reference, reference, target};
use crate::graphql::scalars::DateTime;
use crate::graphql::straight::{command, commands, shaped_payload};
use crate::kernel;

shaped_payload!(
    CreateCalendarEventPayload,
    "createCalendarEvent",
    /// The calendar event after the change. Null when the mutation failed.
    one calendar_event: Option<CalendarEvent>
);
shaped_payload!(
    RespondToCalendarEventPayload,
    "respondToCalendarEvent",
    /// The calendar event after the change. Null when the mutation failed.
    one calendar_event: Option<CalendarEvent>
);
shaped_payload!(
    UpdateCalendarEventPayload,
    "updateCalendarEvent",
    /// The calendar event after the change; of a split series the new one. Null when the mutation failed.
    one calendar_event: Option<CalendarEvent>,
    /// All events that were created or changed: of a split series the earlier half and the new one. Empty when the mutation failed.
    all affected_calendar_events: Vec<CalendarEvent>
);
shaped_payload!(
    MoveCalendarEventPayload,
    "moveCalendarEvent",
    /// The calendar event after the change; of a split series the new one. Null when the mutation failed.
    one calendar_event: Option<CalendarEvent>,
    /// All events that were created or changed: of a split series the earlier half and the new one. Empty when the mutation failed.
    all affected_calendar_events: Vec<CalendarEvent>
);
shaped_payload!(
    DeleteCalendarEventPayload,
    "deleteCalendarEvent",
    /// The series after some of its occurrences were deleted. Null when the whole event was deleted or the mutation failed.
    one calendar_event: Option<CalendarEvent>,
    /// ID of the deleted object, to evict caches. Null when a part of the series is left or the mutation failed.
    value deleted_calendar_event_id: Option<ID>
);

/// The event that was asked for, and all that a change has touched.
fn touched(all: Touched) -> (CalendarEvent, Vec<CalendarEvent>) {
    let affected = all.affected.into_iter().map(CalendarEvent::from);
    (all.event.into(), affected.collect())
}

/// Enters the workspace of an event that a mutation acts on.
async fn enter(access: &Access, id: &ID) -> kernel::Result<(Ctx, CalendarEventId)> {
    access.caller().require_user()?;
    let id = target(id)?;
    Ok((access.ctx_of::<calendar_event::Entity>(id).await?, id))
}

commands! {
    CreateCalendarEvent(input "input": CreateCalendarEventInput) -> CreateCalendarEventPayload, |access| {
        access.caller().require_user()?;
        let path = "input.calendarId";
        let id: CalendarId = reference(&input.calendar_id, path)?;
        let entered = object_reference::<CalendarId, _>(access.ctx_of::<calendar::Entity>(id).await, path)?;
        let created = Box::pin(events::create(&entered, id, input.into_model())).await;
        created.map(CalendarEvent::from).map(CreateCalendarEventPayload::of)
    };
    UpdateCalendarEvent(
        id "id": ID,
        scope "scope": RecurrenceScope = RecurrenceScope::All,
        occurrence_start "occurrenceStart": Option<DateTime>,
        input "input": UpdateCalendarEventInput
    ) -> UpdateCalendarEventPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        let (occurrences, patch) = (scope.of(occurrence_start), input.into_model()?);
        let all = Box::pin(events::update(&entered, id, occurrences, patch)).await?;
        let (event, affected) = touched(all);
        Ok(UpdateCalendarEventPayload::of(event, affected))
    };
    MoveCalendarEvent(
        id "id": ID,
        scope "scope": RecurrenceScope = RecurrenceScope::All,
        occurrence_start "occurrenceStart": Option<DateTime>,
        start "start": DateTime,
        end "end": Option<DateTime>
    ) -> MoveCalendarEventPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        let to = Move {
            start: start.0,
            end: end.map(|at| at.0),
        };
        let all = Box::pin(events::move_to(&entered, id, scope.of(occurrence_start), to)).await?;
        let (event, affected) = touched(all);
        Ok(MoveCalendarEventPayload::of(event, affected))
    };
    DeleteCalendarEvent(
        id "id": ID,
        scope "scope": RecurrenceScope = RecurrenceScope::All,
        occurrence_start "occurrenceStart": Option<DateTime>
    ) -> DeleteCalendarEventPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        let left = Box::pin(events::delete(&entered, id, scope.of(occurrence_start))).await?;
        let deleted = left.is_none().then(|| global(id));
        Ok(DeleteCalendarEventPayload::of(left.map(CalendarEvent::from), deleted))
    };
    RespondToCalendarEvent(id "id": ID, response "response": AttendeeResponse, comment "comment": Option<String>)
        -> RespondToCalendarEventPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        let answered = events::respond(&entered, id, response.into(), comment).await;
        answered.map(CalendarEvent::from).map(RespondToCalendarEventPayload::of)
    };
}

#[derive(Default)]
pub struct EventMutation;

#[Object]
impl EventMutation {
    /// Creates an event or a recurring series.
    async fn create_calendar_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: CreateCalendarEventInput,
    ) -> Result<CreateCalendarEventPayload> {
        command::<CreateCalendarEvent>(ctx, (input,)).await
    }

    /// Changes an event. For a series, `scope` says which occurrences. `THIS_AND_FOLLOWING` returns the new series.
    async fn update_calendar_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(
            desc = "Which occurrences of a series.",
            default_with = "RecurrenceScope::All"
        )]
        scope: RecurrenceScope,
        #[graphql(desc = "`originalStart` of the occurrence. Required unless `scope` is `ALL`.")]
        occurrence_start: Option<DateTime>,
        #[graphql(desc = "Values to use.")] input: UpdateCalendarEventInput,
    ) -> Result<UpdateCalendarEventPayload> {
        command::<UpdateCalendarEvent>(ctx, (id, scope, occurrence_start, input)).await
    }

    /// Moves an event or occurrence without changing its length unless `end` is given. For drag and drop.
    async fn move_calendar_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(
            desc = "Which occurrences of a series.",
            default_with = "RecurrenceScope::All"
        )]
        scope: RecurrenceScope,
        #[graphql(desc = "`originalStart` of the occurrence. Required unless `scope` is `ALL`.")]
        occurrence_start: Option<DateTime>,
        #[graphql(desc = "New first instant.")] start: DateTime,
        #[graphql(desc = "New instant just after. Keeps the length when omitted.")] end: Option<DateTime>,
    ) -> Result<MoveCalendarEventPayload> {
        command::<MoveCalendarEvent>(ctx, (id, scope, occurrence_start, start, end)).await
    }

    /// Deletes an event or some occurrences of a series.
    async fn delete_calendar_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(
            desc = "Which occurrences of a series.",
            default_with = "RecurrenceScope::All"
        )]
        scope: RecurrenceScope,
        #[graphql(desc = "`originalStart` of the occurrence. Required unless `scope` is `ALL`.")]
        occurrence_start: Option<DateTime>,
    ) -> Result<DeleteCalendarEventPayload> {
        command::<DeleteCalendarEvent>(ctx, (id, scope, occurrence_start)).await
    }

    /// Answers an invitation for the viewer, who must be among the guests.
    async fn respond_to_calendar_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Answer.")] response: AttendeeResponse,
        #[graphql(desc = "Message to the organizer.")] comment: Option<String>,
    ) -> Result<RespondToCalendarEventPayload> {
        command::<RespondToCalendarEvent>(ctx, (id, response, comment)).await
    }
}
