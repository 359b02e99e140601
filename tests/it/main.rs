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

mod abuse;
mod architecture;
mod audit;
mod backup;
mod bad_values;
mod budgets;
mod caldav;
mod caldav_faults;
mod calendar_feeds;
mod calendars;
mod changes;
mod contract;
mod documents;
mod email_links;
mod event_windows;
mod events;
mod fanout;
mod faults;
mod focus;
mod http;
mod http_limits;
mod ical;
mod ics_feed;
mod idempotency;
mod integrations;
mod invitations;
mod jobs;
mod jobs_api;
mod mail;
mod metrics;
mod notifications;
mod people;
mod persisted;
mod presence;
mod privacy;
mod quick_add;
mod reconnect;
mod recurrence;
mod recurring_events;
mod reminders;
mod reports;
mod schedule_stories;
mod schedules;
mod schema;
mod search;
mod sessions;
mod sign_in;
mod stored_events;
mod sync;
mod sync_repeats;
mod task_series;
mod tasks;
mod tenancy;
mod twins;
mod upkeep;
mod websocket;
mod websocket_protocol;
mod workspaces;
