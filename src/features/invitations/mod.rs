//! Invitations: how people come into a team workspace.
//!
//! Invariants: at most one open invitation for each address and workspace; its token is only in the letter; it gives no more than whoever
//! invites may still give when it is accepted; it ends by being accepted, declined, revoked, or by time.

mod read;
mod rules;
mod write;

pub use read::{get_many, of_viewer, open, workspaces_of};
pub use write::{accept, decline, invite, revoke};
