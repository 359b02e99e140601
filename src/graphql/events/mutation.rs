//! Changing events.

use std::convert::identity;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use entity::ids::{CalendarEventId, CalendarId};
use entity::{calendar, calendar_event};

use super::input::{CreateCalendarEventInput, RecurrenceScope, UpdateCalendarEventInput};
use super::object::CalendarEvent;
use crate::access::{Access, Ctx};
use crate::features::events::{self, Move, Touched};
use crate::graphql::access;
use crate::graphql::enums::AttendeeResponse;
use crate::graphql::errors::{UserError, outcome};
use crate::graphql::ids::{global, object_reference, reference, target};
use crate::graphql::paging::payload;
use crate::graphql::scalars::DateTime;
use crate::graphql::straight::{command, commands};
use crate::kernel;

payload!(
    CreateCalendarEventPayload,
    "createCalendarEvent",
    /// The calendar event after the change. Null when the mutation failed.
    calendar_event: CalendarEvent
);
payload!(
    RespondToCalendarEventPayload,
    "respondToCalendarEvent",
    /// The calendar event after the change. Null when the mutation failed.
    calendar_event: CalendarEvent
);

/// Writes the payload of a change that may touch more than one event.
macro_rules! touching {
    ($name:ident, $mutation:literal) => {
        #[doc = concat!("Result of `", $mutation, "`.")]
        #[derive(SimpleObject)]
        pub struct $name {
            /// The calendar event after the change; of a split series the new one. Null when the mutation failed.
            calendar_event: Option<CalendarEvent>,
            /// All events that were created or changed: of a split series the earlier half and the new one. Empty when the mutation failed.
            affected_calendar_events: Vec<CalendarEvent>,
            /// Expected failures. Empty on success.
            user_errors: Vec<UserError>,
        }

        impl $name {
            fn new(result: kernel::Result<Touched>) -> Result<Self> {
                let (touched, user_errors) = outcome(result)?;
                let (event, affected) = match touched {
                    Some(touched) => (Some(touched.event.into()), touched.affected),
                    None => (None, Vec::new()),
                };
                Ok(Self {
                    calendar_event: event,
                    affected_calendar_events: affected.into_iter().map(CalendarEvent::from).collect(),
                    user_errors,
                })
            }
        }
    };
}

touching!(UpdateCalendarEventPayload, "updateCalendarEvent");
touching!(MoveCalendarEventPayload, "moveCalendarEvent");

/// Result of `deleteCalendarEvent`.
#[derive(SimpleObject)]
pub struct DeleteCalendarEventPayload {
    /// The series after some of its occurrences were deleted. Null when the whole event was deleted or the mutation failed.
    calendar_event: Option<CalendarEvent>,
    /// ID of the deleted object, to evict caches. Null when a part of the series is left or the mutation failed.
    deleted_calendar_event_id: Option<ID>,
    /// Expected failures. Empty on success.
    user_errors: Vec<UserError>,
}

/// Enters the workspace of an event that a mutation acts on.
async fn enter(access: &Access, id: &ID) -> kernel::Result<(Ctx, CalendarEventId)> {
    access.caller().require_user()?;
    let id = target(id)?;
    Ok((access.ctx_of::<calendar_event::Entity>(id).await?, id))
}

commands! {
    CreateCalendarEvent(input "input": CreateCalendarEventInput)
        -> CreateCalendarEventPayload "calendarEvent": CalendarEvent, |access| {
        access.caller().require_user()?;
        let path = "input.calendarId";
        let id: CalendarId = reference(&input.calendar_id, path)?;
        let entered = object_reference::<CalendarId, _>(access.ctx_of::<calendar::Entity>(id).await, path)?;
        let created = Box::pin(events::create(&entered, id, input.into_model())).await;
        created.map(CalendarEvent::from)
    };
    RespondToCalendarEvent(id "id": ID, response "response": AttendeeResponse, comment "comment": Option<String>)
        -> RespondToCalendarEventPayload "calendarEvent": CalendarEvent, |access| {
        let (entered, id) = enter(access, &id).await?;
        events::respond(&entered, id, response.into(), comment).await.map(CalendarEvent::from)
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
        CreateCalendarEventPayload::new(command::<CreateCalendarEvent>(ctx, (input,)).await, identity)
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
        let result = async {
            let (entered, id) = enter(access(ctx), &id).await?;
            Box::pin(events::update(
                &entered,
                id,
                scope.of(occurrence_start),
                input.into_model()?,
            ))
            .await
        };
        UpdateCalendarEventPayload::new(result.await)
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
        let result = async {
            let (entered, id) = enter(access(ctx), &id).await?;
            let to = Move {
                start: start.0,
                end: end.map(|at| at.0),
            };
            Box::pin(events::move_to(&entered, id, scope.of(occurrence_start), to)).await
        };
        MoveCalendarEventPayload::new(result.await)
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
        let result = async {
            let (entered, id) = enter(access(ctx), &id).await?;
            let left = Box::pin(events::delete(&entered, id, scope.of(occurrence_start))).await?;
            Ok((left, id))
        };
        let (outcome, user_errors) = outcome(result.await)?;
        let (left, deleted) = match outcome {
            Some((Some(left), _)) => (Some(left.into()), None),
            Some((None, id)) => (None, Some(global(id))),
            None => (None, None),
        };
        Ok(DeleteCalendarEventPayload {
            calendar_event: left,
            deleted_calendar_event_id: deleted,
            user_errors,
        })
    }

    /// Answers an invitation for the viewer, who must be among the guests.
    async fn respond_to_calendar_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Answer.")] response: AttendeeResponse,
        #[graphql(desc = "Message to the organizer.")] comment: Option<String>,
    ) -> Result<RespondToCalendarEventPayload> {
        let given = (id, response, comment);
        RespondToCalendarEventPayload::new(command::<RespondToCalendarEvent>(ctx, given).await, identity)
    }
}
