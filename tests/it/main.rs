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

mod abandoned_plans;
mod abuse;
mod answers;
mod apply_together;
mod architecture;
mod audit;
mod auto_apply;
mod backup;
mod bad_events;
mod bad_plans;
mod bad_values;
mod budgets;
mod busy_elsewhere;
mod busy_times;
mod caldav;
mod caldav_faults;
mod calendar_feeds;
mod calendars;
mod changed_occurrences;
mod changes;
mod contract;
mod cursors;
mod daylight;
mod deaths;
mod doctor;
mod documents;
mod email_links;
mod event_ranges;
mod event_windows;
mod events;
mod explain;
mod fanout;
mod faults;
mod focus;
mod google;
mod guest_letters;
mod http;
mod http_limits;
mod ical;
mod ics_feed;
mod idempotency;
mod infrastructure;
mod integrations;
mod invitations;
mod jobs;
mod jobs_api;
mod kept_plans;
mod language_model;
mod letters;
mod mail;
mod metrics;
mod notifications;
mod operators;
mod people;
mod persisted;
mod presence;
mod privacy;
mod quick_add;
mod reconnect;
mod recurrence;
mod recurring_events;
mod reminders;
mod replanning;
mod reports;
mod retention;
mod schedule_changes;
mod schedule_stories;
mod schedule_wishes;
mod schedules;
mod schema;
mod search;
mod series_words;
mod sessions;
mod setup;
mod sign_in;
mod sign_up;
mod single_guests;
mod split_series;
mod stored_events;
mod sync;
mod sync_repeats;
mod task_circles;
mod task_series;
mod task_time;
mod tasks;
mod tenancy;
mod tokens;
#[cfg(feature = "otel")]
mod traces;
mod transfers;
mod troubleshooting;
mod twins;
mod upkeep;
mod websocket;
mod websocket_protocol;
mod websocket_rules;
mod withdrawals;
mod workspaces;
mod writes;
mod zone_rules;
