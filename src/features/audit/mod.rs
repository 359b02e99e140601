//! The audit log: who did what in a workspace. Every write adds to it through its transaction; this room reads and checks it.
//!
//! Invariants: entries are numbered without gaps and chained by hash; nobody changes or deletes one; only admins read it.

mod read;

pub use read::{AuditFilter, Verified, get_many, page, verify, workspaces};
