//! The audit log: who did what in a workspace. Every write adds to it through its transaction; this room reads and checks it.
//!
//! Invariants: entries are numbered without gaps and chained by hash; nobody changes or deletes one; only admins read it.

mod read;
mod verify;

pub use read::{AuditFilter, get_many, page};
pub use verify::{Verified, verify};
