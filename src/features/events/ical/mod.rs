//! Reading and writing iCalendar (RFC 5545, with 6868, 7529, 7986 and the habits of Google, Apple, Microsoft and Mozilla).
//!
//! `read` takes the text of one CalDAV object or of a whole feed and yields plain data: objects grouped by UID, times
//! with their zones resolved, checked rules, and a list of what was wrong. Promises: it never panics, it needs time
//! linear in the length of the text, one broken component costs only itself, a time with a zone never becomes
//! floating, and the original text of every object is kept for the way back. The iCalendar crate behind it stays
//! inside this module. Must not know: databases, HTTP, providers, the expansion of series.
//!
//! The way back is `write`.
//!
//! Reading order: `bytes` → `line` → `component` → `read` (groups by UID) → `object` (masters and overrides) →
//! `event` → the small readers (`span`, `moment`, `rule`, `people`, `alarm`, `link`, `words`, `value`). Zones:
//! `zone_book` asks `zone_name`, then `zone_rules` and `zone_match`.

mod alarm;
mod allowance;
mod bytes;
mod canonical;
mod component;
mod event;
mod exrule;
mod line;
mod link;
mod model;
mod moment;
mod not_calendar;
mod notes;
mod object;
mod people;
mod property;
mod read;
mod rule;
mod span;
#[cfg(test)]
mod tests;
mod todo;
mod value;
mod words;
mod write;
mod zone_book;
mod zone_match;
mod zone_name;
mod zone_ref;
mod zone_rules;

pub use bytes::{Decoded, decode};
pub use model::{
    AttendeeKind, AttendeeResponse, AttendeeRole, EventStatus, EventTime, ExtraDate, Moment, ParsedAlarm,
    ParsedAttendee, ParsedEvent, ParsedFeed, ParsedObject, ParsedOverride, Person, Problem, Transparency,
    Visibility, ZonedTime,
};
pub use not_calendar::NotCalendar;
pub use read::read;
pub use todo::{Todo, TodoStatus, read_todos};
pub use write::{Outgoing, Writer};
pub use zone_ref::ZoneRef;
