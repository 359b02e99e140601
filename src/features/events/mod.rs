//! Events: single ones and series, with their guests and reminders.
//!
//! Invariants: an event ends after it starts, except imported ones without length; wall time and zone are the truth for timed events and
//! dates for those of whole days, instants are derived from them; `version` grows with each change and reminders carry it, `sequence` with
//! each change of times or state; details of private events leave the room only for their owner, creator and guests.

mod halves;
pub mod ical;
mod invite;
mod jobs;
mod model;
mod occurrence;
mod offline;
mod outgoing;
mod own_guests;
mod placed;
mod preview;
mod read;
pub mod recurrence;
mod remake;
mod reminded;
mod remote;
mod repeats;
mod rules;
mod series;
mod stored;
mod times;
mod upcoming;
mod words;
mod write;

pub use jobs::{Renewed, plan_reminders, remind, renew_times, tell_guests};
pub use model::{
    Event, EventFilter, EventOrder, EventOrderField, EventPatch, Move, NewEvent, NewGuest, NewRecurrence,
    NewReminder, Occurrences, Touched, When,
};
pub use occurrence::Occurrence;
pub use offline::{FileObject, file_starts};
pub use own_guests::{guests_at, has_own_guests};
pub use preview::{Preview, preview};
pub use read::{
    Among, Audience, Busy, CalendarText, Expanded, Subject, TextObject, TextPage, busy, calendar_text, find,
    get, get_many, in_window, in_window_in_part, own_members_of, page, people_of, reminders_of, text_page,
};
pub use reminded::{reminders_at, reminders_of_all};
pub use repeats::{Recurrence, recurrence};
pub use rules::{guests, organizer, response_of, zone_name};
pub use write::{
    Attached, Planned, RemoteObject, Stored, Twin, Unstored, create, create_planned_in, delete,
    delete_planned_in, import_in, leave_out, move_to, remove_objects, respond, restore_planned_in,
    store_parsed, twins_wait, update,
};
