//! The audit log: who did what in a workspace. Every write adds to it through its transaction; this room reads and checks it,
//! and cuts off its beginning when the operator does not want to keep it.
//!
//! Invariants: entries are numbered without gaps and chained by hash; nobody changes one, and none goes that is not behind a recorded cut;
//! only admins read it.

mod read;
mod write;

pub use read::{AuditFilter, Verified, get_many, page, verify, workspaces};
pub use write::prune;
