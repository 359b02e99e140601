//! The event as an object, with its guests, reminders and recurrence.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, Object, Result};
use entity::{attendee, calendar_event, reminder};

use super::occurrence::EventOccurrence;
use crate::features::events::{self, Event};
use crate::features::people;
use crate::graphql::calendars::Calendar;
use crate::graphql::enums::{
    AttendeeResponse, EventStatus, EventTransparency, EventVisibility, NotificationChannel,
};
use crate::graphql::errors::expose;
use crate::graphql::ids::{global, target};
use crate::graphql::loaders::{
    CalendarKey, EventPeopleKey, EventRemindersKey, OccurrencesKey, TaskKey, UserKey,
};
use crate::graphql::people::User;
use crate::graphql::ranges::DateTimeRangeInput;
use crate::graphql::scalars::{DateTime, EmailAddress, HexColor, LocalDate, RRule, TimeZone, Url};
use crate::graphql::shape::object;
use crate::graphql::tasks::Task;
use crate::graphql::{access, loader, straight};

/// A stored event: a single event or the master of a recurring series. Of a private event of somebody else only the time is shown.
#[derive(Description, Clone)]
pub struct CalendarEvent(pub Arc<Event>);

impl CalendarEvent {
    fn row(&self) -> &calendar_event::Model {
        &self.0.row
    }
}

impl From<Event> for CalendarEvent {
    fn from(event: Event) -> Self {
        Self(Arc::new(event))
    }
}

impl CalendarEvent {
    /// For the `Node` interface.
    pub async fn id(&self, _: &Context<'_>) -> Result<ID> {
        Ok(global(self.row().id))
    }
}

object! {
    CalendarEvent "CalendarEvent", calendar_event::Column;

    /// Globally unique ID.
    value id [Id] -> ID { |event| global(event.row().id) }
    /// Increases with each change. Send it back as `expectedVersion` to detect concurrent edits.
    value version [Version] -> i32 { |event| event.row().version }
    /// Calendar of the event.
    must calendar [WorkspaceId CalendarId] -> Result<Calendar> {
        |event| CalendarKey(event.row().workspace_id, event.row().calendar_id) => Calendar
    }
    /// Title. `Busy` for a private event of somebody else.
    value title [Title] -> &str { |event| &event.row().title }
    /// Description in Markdown.
    value description [Description] -> Option<&str> { |event| event.row().description.as_deref() }
    /// Place or address.
    value location [Location] -> Option<&str> { |event| event.row().location.as_deref() }
    /// Link to join the meeting.
    value conference_url [ConferenceUrl] -> Option<Url> { |event| event.row().conference_url.clone().map(Url) }
    /// First instant. For all-day events: midnight of the first day in `timeZone`.
    value start [StartUtc] -> DateTime { |event| DateTime(event.row().start_utc) }
    /// Instant just after the event.
    value end [EndUtc] -> DateTime { |event| DateTime(event.row().end_utc) }
    /// Whether the event covers whole days. Use `startDate` and `endDate` then.
    value is_all_day [Kind] -> bool { |event| event.row().kind == entity::enums::EventKind::AllDay }
    /// First day of an all-day event. Null for timed events.
    value start_date [StartDate] -> Option<LocalDate> { |event| event.row().start_date.map(LocalDate) }
    /// Day after the last day of an all-day event. Null for timed events.
    value end_date [EndDate] -> Option<LocalDate> { |event| event.row().end_date.map(LocalDate) }
    /// Time zone in which the recurrence is expanded.
    value time_zone [TimeZone StartUtc] -> TimeZone { |event| TimeZone(events::zone_name(event.row())) }
    /// Whether the event is confirmed.
    value status [Status] -> EventStatus { |event| event.row().status.into() }
    /// Whether the event blocks time.
    value transparency [Transparency] -> EventTransparency { |event| event.row().transparency.into() }
    /// Who may see the details.
    value visibility [Visibility] -> EventVisibility { |event| event.row().visibility.into() }
    /// Recurrence of a series. Null for single events.
    inside recurrence [Rrule Rdates Exdates IsRecurring Kind StartUtc StartLocal StartZone StartDate TimeZone] -> Option<Recurrence> {
        |event| events::recurrence(event.row()).map(Recurrence::from)
    }
    /// Occurrences of the series that overlap a range. A single event yields itself. The range may span at most 366 days.
    plain occurrences(range: DateTimeRangeInput = "Range to expand.") [] -> Result<Vec<EventOccurrence>> {
        |event, ctx| {
            let window = range.short_span("range").map_err(expose)?;
            let key = OccurrencesKey(event.row().workspace_id, (event.row().id, window));
            let found = loader(ctx).load_one(key).await?;
            let found = found.unwrap_or_default().into_iter();
            Ok(found.map(|one| EventOccurrence(Arc::unwrap_or_clone(one))).collect())
        }
    }
    /// Organizer. Null for events without guests.
    part organizer [WorkspaceId Id] -> Option<Result<EventAttendee>> {
        |event| EventPeopleKey(event.row().workspace_id, event.row().id) => |people| {
            people.and_then(|people| events::organizer(people)).cloned().map(EventAttendee)
        }
    }
    /// Guests.
    parts attendees [WorkspaceId Id] -> Result<Vec<EventAttendee>> {
        |event| EventPeopleKey(event.row().workspace_id, event.row().id) => |people| {
            people.map(|people| events::guests(people).cloned().map(EventAttendee).collect()).unwrap_or_default()
        }
    }
    /// Answer of the viewer. Null when the viewer is not invited.
    maybe viewer_response [WorkspaceId Id] -> Option<Result<AttendeeResponse>> {
        |event, scene| EventPeopleKey(event.row().workspace_id, event.row().id) => |people| {
            let viewer = scene.access.caller().user_id();
            let response = people.and_then(|people| events::response_of(people, viewer));
            response.map(AttendeeResponse::from)
        }
    }
    /// Reminders of the viewer.
    parts reminders [WorkspaceId Id] -> Result<Vec<EventReminder>> {
        |event| EventRemindersKey(event.row().workspace_id, event.row().id) => |rows| {
            rows.map(|rows| events::reminders_of_all(rows).map(EventReminder::from).collect()).unwrap_or_default()
        }
    }
    /// Task this event was scheduled for. Null for ordinary events.
    one task [WorkspaceId TaskId] -> Option<Result<Task>> {
        |event| TaskKey(event.row().workspace_id, event.row().task_id?) => Task
    }
    /// Overrides the calendar's colour.
    value color [Color] -> Option<HexColor> { |event| event.row().color.clone().map(HexColor) }
    /// Page of the event at its provider.
    value external_url [ExternalUrl] -> Option<Url> { |event| event.row().external_url.clone().map(Url) }
    /// When the event was created.
    value created_at [CreatedAt] -> DateTime { |event| DateTime(event.row().created_at) }
    /// When the event last changed.
    value updated_at [UpdatedAt] -> DateTime { |event| DateTime(event.row().updated_at) }
}

/// Recurrence of an event series.
#[derive(Description, Clone)]
pub struct Recurrence(Arc<events::Recurrence>);

object! {
    Recurrence "Recurrence", ();

    /// Rule of the series.
    value rule [] -> RRule { |series| RRule(series.0.rule.clone()) }
    /// Rule in words of the viewer's `locale`, in English where that language has none; the rule itself when it has no simple words.
    plain summary [] -> Result<String> {
        |series, ctx| {
            let viewer = access(ctx).caller().require_user().map_err(expose)?;
            let preferences = people::look_at_preferences(access(ctx).platform(), viewer).await;
            Ok(series.0.summary(&preferences.map_err(expose)?.locale))
        }
    }
    /// Additional starts (RDATE).
    value additional_starts [] -> Vec<DateTime> { |series| series.0.additional.iter().copied().map(DateTime).collect() }
    /// Removed starts (EXDATE).
    value excluded_starts [] -> Vec<DateTime> { |series| series.0.excluded.iter().copied().map(DateTime).collect() }
    /// Start of the last occurrence. Null when the series never ends.
    value last_start [] -> Option<DateTime> { |series| series.0.last_start.map(DateTime) }
}

impl From<events::Recurrence> for Recurrence {
    fn from(recurrence: events::Recurrence) -> Self {
        Self(Arc::new(recurrence))
    }
}

/// A guest or organizer of an event.
#[derive(Description, Clone)]
pub struct EventAttendee(pub(super) attendee::Model);

object! {
    EventAttendee "EventAttendee", attendee::Column;

    /// E-mail address.
    value email [] -> EmailAddress { |guest| EmailAddress(guest.0.email.clone()) }
    /// Name.
    value name [] -> Option<&str> { |guest| guest.0.name.as_deref() }
    /// User with this address in the workspace. Null for external guests.
    one user [] -> Option<Result<User>> { |guest| UserKey(guest.0.user_id?) => User }
    /// Answer of the guest.
    value response [] -> AttendeeResponse { |guest| guest.0.response.into() }
    /// Whether the guest may be left out.
    value is_optional [] -> bool { |guest| guest.0.is_optional }
}

/// A reminder before an event.
#[derive(Description, Clone)]
pub struct EventReminder {
    minutes_before: i32,
    channel: NotificationChannel,
}

object! {
    EventReminder "EventReminder", ();

    /// How long before the start.
    value minutes_before [] -> i32 { |reminder| reminder.minutes_before }
    /// How to remind.
    value channel [] -> NotificationChannel { |reminder| reminder.channel }
}

impl From<&reminder::Model> for EventReminder {
    fn from(row: &reminder::Model) -> Self {
        Self {
            minutes_before: row.minutes_before,
            channel: row.channel.into(),
        }
    }
}

#[derive(Default)]
pub struct EventQuery;

#[Object]
impl EventQuery {
    /// An event or event series by ID.
    async fn calendar_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the event.")] id: ID,
    ) -> Option<Result<CalendarEvent>> {
        straight::object(ctx, &id, |access, id, columns| {
            Box::pin(async move {
                events::find(access, target(id)?, columns)
                    .await
                    .map(CalendarEvent::from)
            })
        })
        .await
    }
}
