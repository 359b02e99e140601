//! What clients say about events.

use async_graphql::{Enum, ID, InputObject, MaybeUndefined, OneofObject};

use crate::features::events::{
    EventPatch, NewEvent, NewGuest, NewRecurrence, NewReminder, Occurrences, When,
};
use crate::graphql::enums::{EventStatus, EventTransparency, EventVisibility, NotificationChannel};
use crate::graphql::ids::reference;
use crate::graphql::scalars::{DateTime, EmailAddress, HexColor, LocalDate, RRule, TimeZone, Url};
use crate::graphql::{patch, set};
use crate::kernel;

/// When an event takes place: timed or all-day.
#[derive(OneofObject)]
pub enum EventTimeInput {
    /// A timed event.
    Timed(TimedEventInput),
    /// An event of whole days.
    AllDay(AllDayEventInput),
}

/// Time of a timed event.
#[derive(InputObject)]
pub struct TimedEventInput {
    /// First instant.
    start: DateTime,
    /// Instant just after the event.
    end: DateTime,
}

/// Days of an all-day event.
#[derive(InputObject)]
pub struct AllDayEventInput {
    /// First day.
    start_date: LocalDate,
    /// Day after the last day.
    end_date: LocalDate,
}

impl From<EventTimeInput> for When {
    fn from(input: EventTimeInput) -> Self {
        match input {
            EventTimeInput::Timed(time) => Self::Timed {
                start: time.start.0,
                end: time.end.0,
            },
            EventTimeInput::AllDay(days) => Self::AllDay {
                start: days.start_date.0,
                end: days.end_date.0,
            },
        }
    }
}

/// Recurrence of a series.
#[derive(InputObject)]
pub struct RecurrenceInput {
    /// Rule. New series repeat daily or less often; hourly ones need `COUNT` or `UNTIL`.
    rule: RRule,
    /// Additional starts (RDATE). Those of the series stay when omitted.
    additional_starts: Option<Vec<DateTime>>,
    /// Removed starts (EXDATE). Those of the series stay when omitted.
    excluded_starts: Option<Vec<DateTime>>,
}

impl From<RecurrenceInput> for NewRecurrence {
    fn from(input: RecurrenceInput) -> Self {
        let starts = |list: Option<Vec<DateTime>>| list.map(|list| list.into_iter().map(|at| at.0).collect());
        Self {
            rule: input.rule.0,
            additional: starts(input.additional_starts),
            excluded: starts(input.excluded_starts),
        }
    }
}

/// A guest to invite.
#[derive(InputObject)]
pub struct EventAttendeeInput {
    /// E-mail address.
    email: EmailAddress,
    /// Name.
    name: Option<String>,
    /// Whether the guest may be left out.
    #[graphql(default = false)]
    is_optional: bool,
}

impl From<EventAttendeeInput> for NewGuest {
    fn from(input: EventAttendeeInput) -> Self {
        Self {
            email: input.email.0,
            name: input.name,
            is_optional: input.is_optional,
        }
    }
}

/// A reminder.
#[derive(InputObject)]
pub struct EventReminderInput {
    /// How long before the start, 0 to 40320.
    minutes_before: i32,
    /// How to remind.
    #[graphql(default_with = "NotificationChannel::InApp")]
    channel: NotificationChannel,
}

impl From<EventReminderInput> for NewReminder {
    fn from(input: EventReminderInput) -> Self {
        Self {
            minutes_before: input.minutes_before,
            channel: input.channel.into(),
        }
    }
}

/// A new event.
#[derive(InputObject)]
pub struct CreateCalendarEventInput {
    /// Calendar of the event.
    pub calendar_id: ID,
    /// Title.
    title: String,
    /// When it takes place.
    time: EventTimeInput,
    /// Time zone of the event's wall times and of its recurrence. The calendar's when omitted.
    time_zone: Option<TimeZone>,
    /// Makes it a series. Its first occurrence is the first start that the rule gives, `time` or later.
    recurrence: Option<RecurrenceInput>,
    /// Description in Markdown.
    description: Option<String>,
    /// Place or address.
    location: Option<String>,
    /// Link to join the meeting.
    conference_url: Option<Url>,
    /// Whether it is confirmed.
    #[graphql(default_with = "EventStatus::Confirmed")]
    status: EventStatus,
    /// Whether it blocks time.
    #[graphql(default_with = "EventTransparency::Busy")]
    transparency: EventTransparency,
    /// Who may see the details.
    #[graphql(default_with = "EventVisibility::Default")]
    visibility: EventVisibility,
    /// Guests, at most 200.
    attendees: Option<Vec<EventAttendeeInput>>,
    /// Reminders of the viewer, at most 10. One 10 minutes before a timed event when omitted.
    reminders: Option<Vec<EventReminderInput>>,
    /// Overrides the calendar's colour.
    color: Option<HexColor>,
}

impl CreateCalendarEventInput {
    pub(super) fn into_model(self) -> NewEvent {
        NewEvent {
            title: self.title,
            when: self.time.into(),
            time_zone: self.time_zone.map(|zone| zone.0),
            recurrence: self.recurrence.map(Into::into),
            description: self.description,
            location: self.location,
            conference_url: self.conference_url.map(|url| url.0),
            status: self.status.into(),
            transparency: self.transparency.into(),
            visibility: self.visibility.into(),
            guests: all(self.attendees.unwrap_or_default()),
            reminders: self.reminders.map(all),
            color: self.color.map(|color| color.0),
        }
    }
}

/// Changes to an event. Omitted fields stay as they are; null clears optional fields.
#[derive(InputObject)]
pub struct UpdateCalendarEventInput {
    /// Moves the event to another calendar. Only with scope `ALL`.
    calendar_id: MaybeUndefined<ID>,
    /// Title.
    title: MaybeUndefined<String>,
    /// When it takes place: the occurrence given by `occurrenceStart`, or the first one.
    time: MaybeUndefined<EventTimeInput>,
    /// Time zone of the event's wall times and of its recurrence.
    time_zone: MaybeUndefined<TimeZone>,
    /// Replaces the recurrence; null makes it a single event. Not with scope `THIS`.
    recurrence: MaybeUndefined<RecurrenceInput>,
    /// Description in Markdown.
    description: MaybeUndefined<String>,
    /// Place or address.
    location: MaybeUndefined<String>,
    /// Link to join the meeting.
    conference_url: MaybeUndefined<Url>,
    /// Whether it is confirmed.
    status: MaybeUndefined<EventStatus>,
    /// Whether it blocks time.
    transparency: MaybeUndefined<EventTransparency>,
    /// Who may see the details.
    visibility: MaybeUndefined<EventVisibility>,
    /// Replaces all guests. The answers of those who stay are kept.
    attendees: MaybeUndefined<Vec<EventAttendeeInput>>,
    /// Replaces all reminders of the viewer.
    reminders: MaybeUndefined<Vec<EventReminderInput>>,
    /// Overrides the calendar's colour.
    color: MaybeUndefined<HexColor>,
    /// Fail with `VERSION_CONFLICT` when the event has another version.
    expected_version: Option<i32>,
}

impl UpdateCalendarEventInput {
    pub(super) fn into_model(self) -> kernel::Result<EventPatch> {
        let calendar_id = set(self.calendar_id, "input.calendarId")?;
        let calendar_id = calendar_id.map(|id| reference(&id, "input.calendarId"));
        Ok(EventPatch {
            calendar_id: calendar_id.transpose()?,
            title: set(self.title, "input.title")?,
            when: set(self.time, "input.time")?.map(Into::into),
            time_zone: set(self.time_zone, "input.timeZone")?.map(|zone| zone.0),
            recurrence: patch(self.recurrence.map_value(Into::into)),
            description: patch(self.description),
            location: patch(self.location),
            conference_url: patch(self.conference_url.map_value(|url| url.0)),
            status: set(self.status, "input.status")?.map(Into::into),
            transparency: set(self.transparency, "input.transparency")?.map(Into::into),
            visibility: set(self.visibility, "input.visibility")?.map(Into::into),
            guests: list(self.attendees),
            reminders: list(self.reminders),
            color: patch(self.color.map_value(|color| color.0)),
            expected_version: self.expected_version,
        })
    }
}

/// Null is the empty list.
fn list<T, U: From<T>>(value: MaybeUndefined<Vec<T>>) -> Option<Vec<U>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(Vec::new()),
        MaybeUndefined::Value(items) => Some(all(items)),
    }
}

fn all<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}

/// Which occurrences of a series a change is for.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecurrenceScope {
    /// Only the occurrence given by `occurrenceStart`.
    This,
    /// The occurrence given by `occurrenceStart` and all later ones. Splits the series.
    ThisAndFollowing,
    /// The whole series.
    All,
}

impl RecurrenceScope {
    pub(super) fn of(self, occurrence_start: Option<DateTime>) -> Occurrences {
        let start = occurrence_start.map(|at| at.0);
        match self {
            Self::This => Occurrences::This(start),
            Self::ThisAndFollowing => Occurrences::ThisAndFollowing(start),
            Self::All => Occurrences::All(start),
        }
    }
}
