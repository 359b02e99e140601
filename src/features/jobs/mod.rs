//! Background jobs as people see them: members those of their workspaces, administrators of the installation all of them. What a job does
//! and how it runs is not decided here.

mod feed;
mod model;
mod read;
mod watch;
mod write;

pub use feed::Feed;
pub use model::JobFilter;
pub use read::{ended_lately, get, get_many, page, queues};
pub use watch::Watch;
pub use write::{cancel, discard, requeue, requeue_dead, set_paused};
