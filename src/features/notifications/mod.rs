//! Notifications: messages to a person about what happened while they looked elsewhere.
//!
//! Invariants: a notification belongs to its person, also when it is about a workspace; the same cause makes at most one (`dedup_key`); a
//! type that its person switched off is not stored, and one that they want by mail only is in no list; new ones are announced only after
//! the commit; each becomes at most one letter.

mod jobs;
mod model;
mod read;
mod rules;
mod write;

pub use jobs::mail;

pub use model::{NewNotification, NotificationFilter};
pub use read::{Inbox, find_many, page, unread_count};
pub use rules::unsubscribe;
pub use write::{delete, mark_all_read, mark_read, mark_unread, notify_in, notify_over_in};
