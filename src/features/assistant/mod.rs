//! The assistant: what people type becomes a task or an event, through the same commands as everything else.
//!
//! Invariants: whatever was understood passes the checks of the rooms it is stored by; a phrase makes one thing, in one transaction;
//! people can read how they were understood. A language model, where one is configured, only proposes what the rules then check; nothing
//! needs it.

mod rules;
mod write;

pub use write::{Added, Made, QuickAdd, quick_add};
