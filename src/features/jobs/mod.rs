//! Background jobs as people see them: members those of their workspaces, administrators of the installation all of them. What a job does
//! and how it runs is not decided here.

mod model;
mod read;
mod watch;

pub use model::JobFilter;
pub use read::{get, get_many, page};
pub use watch::Watch;
