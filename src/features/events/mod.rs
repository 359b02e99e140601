//! Events and series. So far: reading the calendars of others ([`ical`]).

pub mod ical;
