//! The integration tests, in one binary.

mod caldav;
mod caldav_faults;
mod ics_feed;
mod support;
