//! Events: the object, lists, inputs, mutations and the live stream, one file each.

mod input;
mod list;
mod live;
mod mutation;
mod object;
mod occurrence;
mod occurrence_id;

pub use list::WorkspaceEvents;
pub use live::EventSubscription;
pub use mutation::EventMutation;
pub use object::{CalendarEvent, EventQuery};
pub use occurrence::{PreviewQuery, WorkspaceOccurrences};
