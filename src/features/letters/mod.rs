//! Letters: what this server writes to people by e-mail, and the job that sends it.
//!
//! Invariants: a letter is enqueued in the transaction of its cause and sent after the commit; on its way it is sealed, because it holds
//! secrets; each letter says why it came and what happens when it is ignored.

mod jobs;
mod model;
mod rules;

pub use jobs::{can_send, enqueue_in, run, seal, spare};
pub use model::{Letter, Sealed};
