//! The audit log: who did what in a workspace. Every write adds to it through its transaction; this room reads and checks it,
//! and cuts off its beginning when the operator does not want to keep it.
//!
//! Invariants: entries are numbered without gaps and chained by hash; nobody changes one, and none goes that is not behind a recorded cut;
//! only admins read it.
//!
//! What has no workspace is in the log of its person's own workspace: sessions, accounts, tokens, the profile, settings, and what an operator
//! does to queues and to jobs of the installation. Not recorded, on purpose:
//!
//! - marks: what somebody has read (`markNotification…`, `deleteNotification`) and where they look (`updatePresence`) is no change that
//!   anybody would have to answer for, and is only theirs;
//! - letters that only ask, such as `requestEmailVerification`: what counts is what their link does;
//! - commands that change nothing, because things were so already;
//! - the end of a workspace (`deleteWorkspace`, and with their own one `deleteViewer`): its log goes with it, and the log of the process
//!   has a line. Leaving the teams is in the logs of these.

mod read;
mod write;

pub use read::{AuditFilter, Verified, get_many, page, verify, workspaces};
pub use write::prune;
