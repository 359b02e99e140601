//! Calendars that live elsewhere: connecting to them and pulling what changed.

pub mod providers;
