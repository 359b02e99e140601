//! Plans: which task is worked on when. From a person's calendar and tasks to a proposal, from a proposal to events on the calendar, and
//! back.
//!
//! ```text
//! read/load ──► question ──► engine ──► words ──► a proposal ──► write/apply ──► events ──► jobs/replan: still right?
//! ```
//!
//! Invariants: a plan belongs to one person and only they change it; what is applied is on the calendar as a whole or not at all, and can
//! be taken back exactly; the engine never runs inside a transaction nor on a thread that serves requests.

pub mod engine;
mod fit;
mod jobs;
mod model;
mod question;
mod read;
mod rules;
mod solve;
mod watch;
mod window;
mod wishes;
mod words;
mod write;

pub use jobs::{generate as run_generate, replan as run_replan, start_due};
pub use model::{Applied, Diff, NewSchedule, Progress, ScheduleFilter, Stats};
pub use read::{active, find, get, get_many, get_slots, page, slots_of, slots_of_tasks, unscheduled_of};
pub use rules::{diff_of, reasons_of, relaxations_of, stats_of};
pub use watch::Watch;
pub use words::{PlacementCode, RelaxationCode, StoredReason, StoredRelaxation};
pub use write::{apply, cancel, discard, generate, move_slot, regenerate, revert, set_lock};
