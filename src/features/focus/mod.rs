//! Focus sessions: periods in which somebody works on one thing, with their pauses and interruptions, and what they add up to.
//!
//! Invariants: a person has at most one session that has not ended, in whichever workspace (an index enforces it); the time of a session
//! is what was counted up to `running_since` and what has passed since; a session is seen and changed by its person only; its minutes reach
//! its task once, when it ends.

mod model;
mod read;
mod rules;
mod stats;
mod write;

pub use model::{Day, NewFocusSession, Stats};
pub use read::{active, get_many, page, stats};
pub use rules::focused_minutes;
pub use write::{end, interrupt, pause, resume, start};
