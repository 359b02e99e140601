//! The integration tests: one binary, one file for each feature, run on both backends.
//!
//! `MERIDIAN_TEST_BACKEND` is `embedded` (default: SQLite, everything in process) or `production` (PostgreSQL and Redis at
//! `MERIDIAN_TEST_PG_ADMIN_URL` and `MERIDIAN_TEST_REDIS_URL`). `tests/run` starts what is needed and runs both.

#![recursion_limit = "256"]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests stop at the first surprise and set up what they test"
)]

mod support;

mod architecture;
mod audit;
mod caldav;
mod caldav_faults;
mod calendars;
mod changes;
mod contract;
mod documents;
mod events;
mod http;
mod http_limits;
mod ical;
mod ics_feed;
mod integrations;
mod jobs;
mod jobs_api;
mod notifications;
mod people;
mod recurrence;
mod schema;
mod stored_events;
mod sync;
mod tasks;
mod upkeep;
mod websocket;
mod workspaces;
