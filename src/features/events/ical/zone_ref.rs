//! The zone a wall time was written in, as plain data that can be compared and stored.
//!
//! Promises: `time_zone` always yields the zone that was meant, also for zones without an IANA name.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::kernel::zones;

/// A zone of the tz database, or one that the calendar defines itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneRef {
    /// Name in its proper spelling.
    Iana(Arc<str>),
    /// A VTIMEZONE that equals no zone of the database.
    Custom {
        /// Name the calendar uses for it.
        tzid: Arc<str>,
        /// Its present rules as a POSIX TZ string.
        posix: Arc<str>,
    },
}

impl ZoneRef {
    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self::Iana("UTC".into())
    }

    /// What is stored with the event; `kernel::zones::stored` reads it back.
    #[must_use]
    pub fn stored_name(&self) -> &str {
        match self {
            Self::Iana(name) => name,
            Self::Custom { posix, .. } => posix,
        }
    }

    /// The rules of the zone.
    #[must_use]
    pub fn time_zone(&self) -> TimeZone {
        zones::stored(self.stored_name()).unwrap_or(TimeZone::UTC)
    }
}
