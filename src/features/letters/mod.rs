//! Letters: what this server writes to people by e-mail, and the job that sends it.
//!
//! Invariants: a letter is enqueued in the transaction of its cause and sent after the commit; on its way it is sealed, because it holds
//! secrets; each letter says why it came and what happens when it is ignored; a letter whose key was sent before is not sent again.

mod jobs;
mod model;
mod preview;
mod rules;

pub use jobs::{
    can_send, enqueue_in, enqueue_once_in, jobs_about, prune, run, seal, seal_post, spare, spare_here,
};
pub use model::{Calendar, Item, Letter, Method, Post, Sealed};
pub use preview::{Preview, previews};
