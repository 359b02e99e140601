//! Calendars: local ones and mirrors of external ones, and how each member sees them.
//!
//! Invariants: of the calendars of one owner (or of the workspace itself) at most one is the default; the default one is
//! not deleted; a mirror that is no longer mirrored has no events and is not shown.

mod model;
mod read;
mod rules;
mod write;

pub use model::{CalendarPatch, NewCalendar};
pub use read::{
    default_of_viewer, feed_url, get, get_many, hidden, last_change, last_syncs, list, look_at, of_feed,
};
pub use rules::{accepts_events, is_own, is_shown};
pub use write::{create, delete, publish_feed, reseal_feeds, unpublish_feed, update};
