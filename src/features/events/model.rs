//! What callers hand to the room of events, and what they get.

use chrono::NaiveDate;
use entity::calendar_event;
use entity::enums::{EventStatus, EventTransparency, EventVisibility, NotificationChannel};
use entity::ids::CalendarId;

use crate::kernel::patch::Patch;
use crate::kernel::time::{Instant, Span};

/// An event as one viewer may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The row. Of a masked event only what a busy block needs is left.
    pub row: calendar_event::Model,
    /// Whether this is a private event of somebody else: a busy block without guests and details.
    pub is_masked: bool,
}

/// When an event takes place. Ends are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// From one instant to another.
    Timed {
        /// First instant.
        start: Instant,
        /// Instant just after.
        end: Instant,
    },
    /// Whole days, wherever one is.
    AllDay {
        /// First day.
        start: NaiveDate,
        /// Day after the last one.
        end: NaiveDate,
    },
}

/// A guest to invite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGuest {
    /// Address in lower case.
    pub email: String,
    /// Name.
    pub name: Option<String>,
    /// Whether the guest may be left out.
    pub is_optional: bool,
}

/// A reminder of the viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NewReminder {
    /// How long before the start.
    pub minutes_before: i32,
    /// How to remind.
    pub channel: NotificationChannel,
}

/// How an event repeats, as somebody asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecurrence {
    /// Rule of RFC 5545.
    pub rule: String,
    /// Starts beside the rule; `None` keeps those that are there.
    pub additional: Option<Vec<Instant>>,
    /// Starts that do not take place; `None` keeps those that are there.
    pub excluded: Option<Vec<Instant>>,
}

/// What a change has done.
#[derive(Clone, Debug)]
pub struct Touched {
    /// The event that was asked for; of a split series the new one.
    pub event: Event,
    /// All events that were created or changed, that one too.
    pub affected: Vec<Event>,
}

impl Touched {
    /// One event changed.
    pub(super) fn one(event: Event) -> Self {
        Self {
            affected: vec![event.clone()],
            event,
        }
    }
}

/// An event to create.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Title.
    pub title: String,
    /// When it takes place.
    pub when: When,
    /// Zone of its wall times; the calendar's when `None`.
    pub time_zone: Option<String>,
    /// Makes it a series.
    pub recurrence: Option<NewRecurrence>,
    /// Description in Markdown.
    pub description: Option<String>,
    /// Place or address.
    pub location: Option<String>,
    /// Link to join the meeting.
    pub conference_url: Option<String>,
    /// Whether it is confirmed.
    pub status: EventStatus,
    /// Whether it blocks time.
    pub transparency: EventTransparency,
    /// Who may see the details.
    pub visibility: EventVisibility,
    /// Guests. With guests the creator becomes the organizer.
    pub guests: Vec<NewGuest>,
    /// Reminders of the creator; the usual ones when `None`.
    pub reminders: Option<Vec<NewReminder>>,
    /// Overrides the calendar's colour.
    pub color: Option<String>,
}

/// Changes to an event.
#[derive(Clone, Debug, Default)]
pub struct EventPatch {
    /// Moves the event to another calendar.
    pub calendar_id: Option<CalendarId>,
    /// Title.
    pub title: Option<String>,
    /// When it takes place.
    pub when: Option<When>,
    /// Zone of its wall times.
    pub time_zone: Option<String>,
    /// How it repeats; cleared it takes place once.
    pub recurrence: Patch<NewRecurrence>,
    /// Description in Markdown.
    pub description: Patch<String>,
    /// Place or address.
    pub location: Patch<String>,
    /// Link to join the meeting.
    pub conference_url: Patch<String>,
    /// Whether it is confirmed.
    pub status: Option<EventStatus>,
    /// Whether it blocks time.
    pub transparency: Option<EventTransparency>,
    /// Who may see the details.
    pub visibility: Option<EventVisibility>,
    /// Replaces all guests; the answers of those who stay are kept.
    pub guests: Option<Vec<NewGuest>>,
    /// Replaces all reminders of the viewer.
    pub reminders: Option<Vec<NewReminder>>,
    /// Overrides the calendar's colour.
    pub color: Patch<String>,
    /// Fail when the event has another version.
    pub expected_version: Option<i32>,
}

impl EventPatch {
    /// Whether the event itself changes, not only the viewer's reminders.
    pub fn touches_event(&self) -> bool {
        let Self {
            calendar_id,
            title,
            when,
            time_zone,
            recurrence,
            description,
            location,
            conference_url,
            status,
            transparency,
            visibility,
            guests,
            reminders: _,
            color,
            expected_version: _,
        } = self;
        let cleared = [description, location, conference_url, color];
        calendar_id.is_some()
            || title.is_some()
            || when.is_some()
            || time_zone.is_some()
            || !recurrence.is_keep()
            || cleared.iter().any(|patch| !patch.is_keep())
            || status.is_some()
            || transparency.is_some()
            || visibility.is_some()
            || guests.is_some()
    }
}

/// Which occurrences of a series a change is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrences {
    /// Only the one with this original start.
    This(Option<Instant>),
    /// The one with this original start and all later ones.
    ThisAndFollowing(Option<Instant>),
    /// The whole series, or the event when it is none. New times are said of the occurrence with this original start, or of the first.
    All(Option<Instant>),
}

/// Where an event is moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// New first instant. For an event of whole days: any instant of the new first day, where the viewer is.
    pub start: Instant,
    /// New instant just after; keeps the length when `None`.
    pub end: Option<Instant>,
}

/// Conditions of a list; all given ones must hold.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// In any of these calendars.
    pub calendar_ids: Option<Vec<CalendarId>>,
    /// With an occurrence in this range.
    pub range: Option<Span>,
    /// Any of these states.
    pub statuses: Option<Vec<EventStatus>>,
    /// A series or not.
    pub is_recurring: Option<bool>,
    /// With this guest or organizer.
    pub attendee_email: Option<String>,
    /// Words in title, description or location.
    pub search: Option<String>,
}

/// Order of a list.
#[derive(Clone, Copy, Debug)]
pub struct EventOrder {
    /// Field to sort by.
    pub field: EventOrderField,
    /// Largest first.
    pub descending: bool,
}

impl EventOrder {
    /// What cursors of this order are marked with.
    pub(super) fn name(self) -> String {
        let sign = if self.descending { '-' } else { '+' };
        format!("{sign}{:?}", self.field)
    }
}

/// Fields to sort events by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventOrderField {
    /// First instant.
    Start,
    /// Time of the last change.
    UpdatedAt,
    /// Title.
    Title,
}
