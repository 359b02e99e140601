//! Times of tasks in words, for notifications. Pure.

use jiff::tz::TimeZone;

use crate::kernel::time::Instant;
use crate::kernel::zones;

/// When something is due, where its person is.
pub(super) fn due(at: Instant, zone: &TimeZone) -> String {
    let local = zones::local_of(zones::from_chrono(at), zone);
    format!("Due on {}.", local.strftime("%A, %-d %B %Y at %H:%M"))
}
