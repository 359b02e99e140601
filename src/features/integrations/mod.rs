//! Connected calendar services: what is connected, whose credentials it uses, and pulling their calendars.
//!
//! Invariants: credentials leave the database only sealed; a calendar of a service is a mirror that only its sync changes (this version
//! pulls and never pushes, so mirrors are read-only here whatever the provider allows); each calendar is synced by one run at a time; what
//! a provider deletes in bulk waits for a person.
//!
//! Providers are called by jobs, outside transactions. The one exception is connecting: the service is asked for its calendars before the
//! transaction begins, within a deadline, so that a wrong address or password is refused where it was typed.

mod credentials;
mod jobs;
mod model;
pub mod providers;
mod read;
mod rules;
mod watch;
mod write;

pub use jobs::{start_due, sync};
pub use model::{IntegrationPatch, Queued, Service, StoredProblem};
pub use read::state::{Staleness, staleness};
pub use read::{calendars_of, get, get_many, get_runs, list, newest_run, problems_of, recent_runs};
pub use watch::Watch;
pub use write::{confirm, connect, disconnect, reseal, sync_now, update};
