//! Notifications: messages to a person about what happened while they looked elsewhere.
//!
//! Invariants: a notification belongs to its person, also when it is about a workspace; the same cause makes at most one (`dedup_key`); a
//! type that its person switched off in the application is not stored; new ones are announced only after the commit.

mod model;
mod read;
mod write;

pub use model::{NewNotification, NotificationFilter};
pub use read::{Inbox, find_many, page, unread_count};
pub use write::{delete, mark_all_read, mark_read, mark_unread, notify_in};
