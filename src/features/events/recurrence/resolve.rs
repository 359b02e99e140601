//! From wall time to instants, many in a row: the offset found for one wall time is used until the clocks change next.
//!
//! Promises: a wall time inside a gap moves forward by the gap and says so; one that happens twice means its first occurrence.

use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::civil;
use crate::kernel::zones;

/// More than any gap or overlap that ever was: the largest is a whole day.
const LONGEST_CHANGE: i64 = 26 * 3_600;
/// Looking for the next change of clocks costs more than resolving this many wall times.
const WORTH_LOOKING: u32 = 6;

/// A wall time as an instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolved {
    /// Seconds since 1970 in UTC.
    pub(super) at: i64,
    /// Whether the wall time does not exist.
    pub(super) is_shifted: bool,
}

/// Resolves wall times of one zone, fastest in ascending order.
pub(super) struct Resolver<'a> {
    zone: &'a TimeZone,
    from: i64,
    to: i64,
    offset: i64,
    misses: u32,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(zone: &'a TimeZone) -> Self {
        let mut resolver = Self {
            zone,
            from: 0,
            to: 0,
            offset: 0,
            misses: 0,
        };
        if let Ok(offset) = zone.to_fixed_offset() {
            (resolver.from, resolver.to, resolver.offset) = (i64::MIN, i64::MAX, offset.seconds().into());
        }
        resolver
    }

    pub(super) fn resolve(&mut self, local: i64) -> Resolved {
        if self.from <= local && local < self.to {
            return Resolved {
                at: local - self.offset,
                is_shifted: false,
            };
        }
        // Other series in the same zone may have asked for neighbouring times.
        if let Some(offset) = zones::plain_offset(local, self.zone) {
            return Resolved {
                at: local - offset,
                is_shifted: false,
            };
        }
        let ambiguous = self.zone.to_ambiguous_timestamp(civil::datetime(local, 0));
        let (before, is_shifted) = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                self.misses += 1;
                if self.misses > WORTH_LOOKING {
                    self.remember(local, seconds(offset));
                }
                (offset, false)
            }
            AmbiguousOffset::Gap { before, .. } => (before, true),
            AmbiguousOffset::Fold { before, .. } => (before, false),
        };
        Resolved {
            at: local - seconds(before),
            is_shifted,
        }
    }

    /// The offset holds from this wall time until the next change, or until the wall times that the change repeats.
    fn remember(&mut self, local: i64, offset: i64) {
        (self.from, self.offset, self.misses) = (local, offset, 0);
        let at = timestamp(local - offset, 0);
        self.to = match self.zone.following(at).next() {
            Some(change) => change.timestamp().as_second() + offset.min(seconds(change.offset())),
            None => i64::MAX,
        };
    }
}

/// Wall times that can lie between two instants: none outside of the answer do.
pub(super) fn wall_times(zone: &TimeZone, from: i64, to: i64) -> (i64, i64) {
    // A window is asked of many series in the same zone.
    let offset = |at: i64| {
        zones::plain_offset_at(at, zone).unwrap_or_else(|| seconds(zone.to_offset(timestamp(at, 0))))
    };
    let around = |at: i64| (offset(at), offset(at.saturating_sub(LONGEST_CHANGE)));
    let ((from_now, from_past), (to_now, to_past)) = (around(from), around(to));
    (
        from.saturating_add(from_now.min(from_past)),
        to.saturating_add(to_now.max(to_past)),
    )
}

/// An instant; what cannot be said saturates.
pub(super) fn timestamp(at: i64, nanoseconds: i32) -> Timestamp {
    let outside = if at < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::new(at, nanoseconds).unwrap_or(outside)
}

fn seconds(offset: Offset) -> i64 {
    offset.seconds().into()
}
