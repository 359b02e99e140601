//! What reading an iCalendar text yields.
//!
//! Plain data in the words of Meridian; nothing here belongs to the parser behind it. Must not know: databases,
//! providers, or how a series is expanded.

use jiff::{SignedDuration, Timestamp, civil};

use super::zone_ref::ZoneRef;

/// A whole feed, or the one object of a CalDAV resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedFeed {
    /// Name the calendar gives itself (`X-WR-CALNAME` or `NAME`).
    pub name: Option<String>,
    /// Description the calendar gives itself (`X-WR-CALDESC` or `DESCRIPTION`).
    pub description: Option<String>,
    /// Colour the calendar gives itself, as `#rrggbb`.
    pub color: Option<String>,
    /// IANA name of the zone the calendar gives itself (`X-WR-TIMEZONE`).
    pub time_zone: Option<String>,
    /// Scheduling method in capitals (`PUBLISH`, `REQUEST`, `CANCEL` …).
    pub method: Option<String>,
    /// How often the publisher wants to be asked, in minutes.
    pub refresh_minutes: Option<u32>,
    /// Events grouped by UID, in the order in which the UIDs first appear.
    pub objects: Vec<ParsedObject>,
    /// What was wrong beyond single objects, and components that had to be left out.
    pub problems: Vec<Problem>,
    /// UIDs that are present but had an unreadable component. A sync must not take their absence for a deletion.
    pub unreadable: Vec<String>,
    /// To-dos, journals, free/busy blocks and other components that are no events.
    pub ignored: u32,
    /// False when the text ends before its calendar does: a sync must not take anything for deleted.
    pub is_complete: bool,
}

/// All components that share one UID: the master of a series (or a single event) and its overrides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedObject {
    /// The UID, or one derived from the content when the text has none.
    pub uid: String,
    /// Missing when only occurrences are shared with the reader (orphan overrides).
    pub master: Option<ParsedEvent>,
    /// Changed or cancelled occurrences, in the order of their original starts.
    pub overrides: Vec<ParsedOverride>,
    /// What was wrong inside this object and what was done about it.
    pub warnings: Vec<Problem>,
    /// An iCalendar text that holds the original components unchanged, unknown properties included.
    pub text: String,
    /// SHA-256 of the canonical form: the order of properties, folding, letter case of names and DTSTAMP do not count.
    pub hash: [u8; 32],
}

/// One VEVENT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedEvent {
    /// When it takes place (for a series: the first occurrence).
    pub time: EventTime,
    /// Title.
    pub summary: Option<String>,
    /// Plain text.
    pub description: Option<String>,
    /// Place or address.
    pub location: Option<String>,
    /// Page of the event; http or https.
    pub url: Option<String>,
    /// Link to join the meeting; http or https.
    pub conference_url: Option<String>,
    /// Confirmed unless the text says otherwise.
    pub status: EventStatus,
    /// Whether it blocks time.
    pub transparency: Transparency,
    /// Who may see the details.
    pub visibility: Visibility,
    /// Checked recurrence rule without the `RRULE:` prefix, in capitals.
    pub rrule: Option<String>,
    /// Additional occurrences.
    pub rdates: Vec<ExtraDate>,
    /// Occurrences that do not take place. A date excludes the occurrence of that day.
    pub exdates: Vec<Moment>,
    /// Revision number of the organiser.
    pub sequence: i32,
    /// Who invites.
    pub organizer: Option<Person>,
    /// Who is invited.
    pub attendees: Vec<ParsedAttendee>,
    /// Category names.
    pub categories: Vec<String>,
    /// Colour as `#rrggbb`.
    pub color: Option<String>,
    /// Reminders, earliest first.
    pub alarms: Vec<ParsedAlarm>,
    /// When the event was created.
    pub created: Option<Timestamp>,
    /// When the event last changed.
    pub last_modified: Option<Timestamp>,
}

/// A changed occurrence of a series, or (with `this_and_future`) the rest of the series from there on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedOverride {
    /// Original start. In the master's zone when the object has a master.
    pub recurrence_id: Moment,
    /// The change holds from this occurrence on.
    pub this_and_future: bool,
    /// The occurrence does not take place.
    pub cancelled: bool,
    /// The occurrence as it is now.
    pub event: ParsedEvent,
}

/// When an event takes place. Ends are exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventTime {
    /// Wall times in zones; start and end may be in different zones.
    Timed {
        /// First instant.
        start: ZonedTime,
        /// Instant just after the event.
        end: ZonedTime,
    },
    /// Whole days in whatever zone the viewer is.
    AllDay {
        /// First day.
        start: civil::Date,
        /// Day after the last day.
        end: civil::Date,
    },
    /// The same wall time in every zone.
    Floating {
        /// First wall time.
        start: civil::DateTime,
        /// Wall time just after the event.
        end: civil::DateTime,
    },
}

/// A wall time in a zone, with the instant it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZonedTime {
    /// The wall time as written, even when daylight saving skips it.
    pub local: civil::DateTime,
    /// The zone it was written in.
    pub zone: ZoneRef,
    /// The instant: a gap shifts forward, an overlap means the first occurrence.
    pub utc: Timestamp,
}

/// A point of the calendar as RECURRENCE-ID, EXDATE and RDATE give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A day.
    Date(civil::Date),
    /// A wall time without zone.
    Floating(civil::DateTime),
    /// A wall time in a zone.
    Zoned(ZonedTime),
}

/// One RDATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraDate {
    /// Start of the additional occurrence.
    pub start: Moment,
    /// Its own length when given as a period; otherwise it lasts as long as the master.
    pub duration: Option<SignedDuration>,
}

/// Whether an event takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventStatus {
    /// Takes place.
    Confirmed,
    /// Planned but not certain.
    Tentative,
    /// Does not take place.
    Cancelled,
}

/// Whether an event blocks time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transparency {
    /// The time is busy.
    Busy,
    /// The time stays free.
    Free,
}

/// Who may see the details of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// The text does not say: as the calendar's default.
    Default,
    /// Everybody who may see the calendar.
    Public,
    /// Only owner and guests.
    Private,
}

/// Organiser of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Address in lower case; missing when the text gives another kind of address.
    pub email: Option<String>,
    /// Display name.
    pub name: Option<String>,
}

/// A guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedAttendee {
    /// Who.
    pub person: Person,
    /// In what function.
    pub role: AttendeeRole,
    /// What the guest answered.
    pub response: AttendeeResponse,
    /// What is behind the address.
    pub kind: AttendeeKind,
    /// Whether the organiser asks for an answer.
    pub rsvp: bool,
}

/// Function of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttendeeRole {
    /// Leads the meeting.
    Chair,
    /// Has to come.
    Required,
    /// May come.
    Optional,
    /// Is only informed.
    Informed,
}

/// Answer of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttendeeResponse {
    /// No answer yet (also: handed on to somebody else who has not answered).
    NeedsAction,
    /// Takes part.
    Accepted,
    /// Does not take part.
    Declined,
    /// Perhaps takes part.
    Tentative,
}

/// What is behind a guest's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttendeeKind {
    /// One person.
    Individual,
    /// A mailing list.
    Group,
    /// A thing that can be booked.
    Resource,
    /// A room.
    Room,
}

/// A reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParsedAlarm {
    /// Minutes before the start; negative when it fires after the start (9:00 on an all-day event is −540).
    pub minutes_before: i32,
    /// By mail instead of on screen.
    pub by_email: bool,
}

/// Something wrong in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line of the input, counted from 1.
    pub line: Option<u32>,
    /// Object it is about.
    pub uid: Option<String>,
    /// One sentence for the owner of the calendar: what is wrong and what was done.
    pub message: String,
}
