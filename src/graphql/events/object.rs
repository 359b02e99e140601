//! The event as an object, with its guests, reminders and recurrence.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, Object, Result, SimpleObject};
use entity::ids::{CalendarEventId, WorkspaceId};
use entity::{attendee, calendar_event, reminder};

use crate::access::Access;
use crate::features::events::{self, Event};
use crate::graphql::calendars::Calendar;
use crate::graphql::enums::{
    AttendeeResponse, EventStatus, EventTransparency, EventVisibility, NotificationChannel,
};
use crate::graphql::errors::{expose, lookup};
use crate::graphql::ids::{global, target};
use crate::graphql::loaders::{CalendarKey, EventPeopleKey, EventRemindersKey, TaskKey};
use crate::graphql::people::{User, user_of};
use crate::graphql::scalars::{DateTime, EmailAddress, HexColor, LocalDate, RRule, TimeZone, Url};
use crate::graphql::tasks::Task;
use crate::graphql::{access, loader};
use crate::kernel::{self, Error};

/// A stored event: a single event or the master of a recurring series. Of a private event of somebody else only the time is shown.
#[derive(Description, Clone)]
pub struct CalendarEvent(pub Arc<Event>);

impl CalendarEvent {
    /// Finds an event in whichever workspace of the caller it is.
    pub async fn load(access: &Access, id: CalendarEventId) -> kernel::Result<Self> {
        let ctx = access.ctx_of::<calendar_event::Entity>(id).await?;
        events::get(&ctx, id).await.map(Self::from)
    }

    fn row(&self) -> &calendar_event::Model {
        &self.0.row
    }

    fn key(&self) -> (WorkspaceId, CalendarEventId) {
        (self.row().workspace_id, self.row().id)
    }

    async fn people(&self, ctx: &Context<'_>) -> Result<Arc<Vec<attendee::Model>>> {
        let (workspace, id) = self.key();
        Ok(loader(ctx)
            .load_one(EventPeopleKey(workspace, id))
            .await?
            .unwrap_or_default())
    }
}

impl From<Event> for CalendarEvent {
    fn from(event: Event) -> Self {
        Self(Arc::new(event))
    }
}

#[Object(use_type_description)]
impl CalendarEvent {
    /// Globally unique ID.
    pub async fn id(&self) -> ID {
        global(self.row().id)
    }

    /// Increases with each change. Send it back as `expectedVersion` to detect concurrent edits.
    async fn version(&self) -> i32 {
        self.row().version
    }

    /// Calendar of the event.
    async fn calendar(&self, ctx: &Context<'_>) -> Result<Calendar> {
        let key = CalendarKey(self.row().workspace_id, self.row().calendar_id);
        let row = loader(ctx).load_one(key).await?;
        row.map(Calendar).ok_or_else(|| expose(Error::not_found()))
    }

    /// Title. `Busy` for a private event of somebody else.
    async fn title(&self) -> &str {
        &self.row().title
    }

    /// Description in Markdown.
    async fn description(&self) -> Option<&str> {
        self.row().description.as_deref()
    }

    /// Place or address.
    async fn location(&self) -> Option<&str> {
        self.row().location.as_deref()
    }

    /// Link to join the meeting.
    async fn conference_url(&self) -> Option<Url> {
        self.row().conference_url.clone().map(Url)
    }

    /// First instant. For all-day events: midnight of the first day in `timeZone`.
    async fn start(&self) -> DateTime {
        DateTime(self.row().start_utc)
    }

    /// Instant just after the event.
    async fn end(&self) -> DateTime {
        DateTime(self.row().end_utc)
    }

    /// Whether the event covers whole days. Use `startDate` and `endDate` then.
    async fn is_all_day(&self) -> bool {
        self.row().kind == entity::enums::EventKind::AllDay
    }

    /// First day of an all-day event. Null for timed events.
    async fn start_date(&self) -> Option<LocalDate> {
        self.row().start_date.map(LocalDate)
    }

    /// Day after the last day of an all-day event. Null for timed events.
    async fn end_date(&self) -> Option<LocalDate> {
        self.row().end_date.map(LocalDate)
    }

    /// Time zone in which the recurrence is expanded.
    async fn time_zone(&self) -> TimeZone {
        TimeZone(events::zone_name(self.row()))
    }

    /// Whether the event is confirmed.
    async fn status(&self) -> EventStatus {
        self.row().status.into()
    }

    /// Whether the event blocks time.
    async fn transparency(&self) -> EventTransparency {
        self.row().transparency.into()
    }

    /// Who may see the details.
    async fn visibility(&self) -> EventVisibility {
        self.row().visibility.into()
    }

    /// Recurrence of a series. Null for single events.
    async fn recurrence(&self) -> Option<Recurrence> {
        events::recurrence(self.row()).map(Recurrence::from)
    }

    /// Organizer. Null for events without guests.
    async fn organizer(&self, ctx: &Context<'_>) -> Option<Result<EventAttendee>> {
        let people = match self.people(ctx).await {
            Ok(people) => people,
            Err(error) => return Some(Err(error)),
        };
        events::organizer(&people).cloned().map(EventAttendee).map(Ok)
    }

    /// Guests.
    async fn attendees(&self, ctx: &Context<'_>) -> Result<Vec<EventAttendee>> {
        let people = self.people(ctx).await?;
        Ok(events::guests(&people).cloned().map(EventAttendee).collect())
    }

    /// Answer of the viewer. Null when the viewer is not invited.
    async fn viewer_response(&self, ctx: &Context<'_>) -> Option<Result<AttendeeResponse>> {
        let viewer = access(ctx).caller().user_id();
        match self.people(ctx).await {
            Ok(people) => events::response_of(&people, viewer).map(|response| Ok(response.into())),
            Err(error) => Some(Err(error)),
        }
    }

    /// Reminders of the viewer.
    async fn reminders(&self, ctx: &Context<'_>) -> Result<Vec<EventReminder>> {
        let (workspace, id) = self.key();
        let rows = loader(ctx)
            .load_one(EventRemindersKey(workspace, id))
            .await?
            .unwrap_or_default();
        Ok(rows.iter().map(EventReminder::from).collect())
    }

    /// Task this event was scheduled for. Null for ordinary events.
    async fn task(&self, ctx: &Context<'_>) -> Option<Result<Task>> {
        let key = TaskKey(self.row().workspace_id, self.row().task_id?);
        loader(ctx)
            .load_one(key)
            .await
            .map(|row| row.map(Task))
            .transpose()
    }

    /// Overrides the calendar's colour.
    async fn color(&self) -> Option<HexColor> {
        self.row().color.clone().map(HexColor)
    }

    /// Page of the event at its provider.
    async fn external_url(&self) -> Option<Url> {
        self.row().external_url.clone().map(Url)
    }

    /// When the event was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.row().created_at)
    }

    /// When the event last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.row().updated_at)
    }
}

/// Recurrence of an event series.
#[derive(SimpleObject)]
pub struct Recurrence {
    /// Rule of the series.
    rule: RRule,
    /// Rule in words, for example `Every week on Monday`; the rule itself when it has no simple words.
    summary: String,
    /// Additional starts (RDATE).
    additional_starts: Vec<DateTime>,
    /// Removed starts (EXDATE).
    excluded_starts: Vec<DateTime>,
}

impl From<events::Recurrence> for Recurrence {
    fn from(recurrence: events::Recurrence) -> Self {
        Self {
            rule: RRule(recurrence.rule),
            summary: recurrence.summary,
            additional_starts: recurrence.additional.into_iter().map(DateTime).collect(),
            excluded_starts: recurrence.excluded.into_iter().map(DateTime).collect(),
        }
    }
}

/// A guest or organizer of an event.
#[derive(Description)]
pub struct EventAttendee(attendee::Model);

#[Object(use_type_description)]
impl EventAttendee {
    /// E-mail address.
    async fn email(&self) -> EmailAddress {
        EmailAddress(self.0.email.clone())
    }

    /// Name.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// User with this address in the workspace. Null for external guests.
    async fn user(&self, ctx: &Context<'_>) -> Option<Result<User>> {
        user_of(ctx, self.0.user_id).await
    }

    /// Answer of the guest.
    async fn response(&self) -> AttendeeResponse {
        self.0.response.into()
    }

    /// Whether the guest may be left out.
    async fn is_optional(&self) -> bool {
        self.0.is_optional
    }
}

/// A reminder before an event.
#[derive(SimpleObject)]
pub struct EventReminder {
    /// How long before the start.
    minutes_before: i32,
    /// How to remind.
    channel: NotificationChannel,
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
        lookup(async { CalendarEvent::load(access(ctx), target(&id)?).await }.await)
    }
}
