//! Stretches of time in which the clocks of a zone do not change. To find out what clocks show takes a search through the history of their
//! zone each time, and times that are asked for one after the other are nearly always in one stretch. Promises: says what the zone says, or
//! nothing; bounded memory. Knows nothing of what the times are for.

use std::cell::RefCell;

use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// Stretches that a thread remembers: those of the few zones that one calendar has.
const MOST: usize = 8;
/// To find the ends of a stretch takes as long as finding this many offsets. Where times are far from each other it would be in vain.
const WORTH_LOOKING: u32 = 4;

/// A stretch without the wall times that the changes at its ends leave out or repeat.
struct Stretch {
    /// Held, so that the name of no other zone can come to be where the name of this one is.
    zone: TimeZone,
    /// Wall times in seconds since 1970: the first one, and the one behind the last.
    from: i64,
    to: i64,
    /// Seconds that clocks are ahead of UTC.
    offset: i64,
}

impl Stretch {
    /// The stretch around a wall time, unless that is left out, repeated or out of reach.
    fn around(local: i64, zone: &TimeZone) -> Option<Self> {
        let written = TimeZone::UTC.to_datetime(Timestamp::from_second(local).ok()?);
        let AmbiguousOffset::Unambiguous { offset } = zone.to_ambiguous_timestamp(written).offset() else {
            return None;
        };
        let offset = seconds(offset);
        let at = Timestamp::from_second(local - offset).ok()?;
        // A change at this very instant is the one before.
        let behind = at.checked_add(SignedDuration::from_secs(1)).ok()?;
        let from = match zone.preceding(behind).next() {
            None => i64::MIN,
            Some(change) => {
                let before = change
                    .timestamp()
                    .checked_sub(SignedDuration::from_secs(1))
                    .ok()?;
                let before = seconds(zone.to_offset(before));
                change.timestamp().as_second() + offset.max(before)
            }
        };
        let to = match zone.following(at).next() {
            None => i64::MAX,
            Some(change) => change.timestamp().as_second() + offset.min(seconds(change.offset())),
        };
        (from..to).contains(&local).then(|| Self {
            zone: zone.clone(),
            from,
            to,
            offset,
        })
    }

    /// Whether this is a stretch of the zone with this name. Names are told apart by where they are: that is one for each zone that is
    /// loaded, and to compare the zones themselves takes longer than the search that is saved here.
    fn is_of(&self, name: &str) -> bool {
        self.zone.iana_name().is_some_and(|own| std::ptr::eq(own, name))
    }
}

struct Known {
    stretches: Vec<Stretch>,
    /// The oldest one, which goes next.
    next: usize,
    misses: u32,
}

thread_local! {
    static KNOWN: RefCell<Known> = const {
        RefCell::new(Known {
            stretches: Vec::new(),
            next: 0,
            misses: 0,
        })
    };
}

/// How many seconds clocks are ahead of UTC when they show this wall time, in seconds since 1970. `None` where it takes a closer look: the
/// wall time may not exist, or twice, or nobody asked for one near it lately.
pub fn plain_offset(local: i64, zone: &TimeZone) -> Option<i64> {
    let name = zone.iana_name()?;
    KNOWN.with_borrow_mut(|known| {
        let mut stretches = known.stretches.iter();
        let found = stretches.find(|one| (one.from..one.to).contains(&local) && one.is_of(name));
        if let Some(found) = found {
            return Some(found.offset);
        }
        known.misses += 1;
        if known.misses < WORTH_LOOKING {
            return None;
        }
        known.misses = 0;
        let found = Stretch::around(local, zone)?;
        let offset = found.offset;
        if known.stretches.len() < MOST {
            known.stretches.push(found);
        } else {
            known.stretches[known.next] = found;
            known.next = (known.next + 1) % MOST;
        }
        Some(offset)
    })
}

/// How many seconds clocks are ahead of UTC at an instant, in seconds since 1970; `None` where nothing is remembered about it. Nothing is
/// looked up for it: whoever asks for wall times soon does.
pub fn plain_offset_at(at: i64, zone: &TimeZone) -> Option<i64> {
    let name = zone.iana_name()?;
    KNOWN.with_borrow(|known| {
        // The wall times of a stretch are shown once each, so an instant whose clocks would show one of them is in it.
        let is_around =
            |one: &&Stretch| (one.from..one.to).contains(&at.saturating_add(one.offset)) && one.is_of(name);
        known.stretches.iter().find(is_around).map(|one| one.offset)
    })
}

fn seconds(offset: Offset) -> i64 {
    offset.seconds().into()
}

#[cfg(test)]
mod tests {
    use super::super::{names, to_utc, zone};
    use super::*;

    /// Around every change of clocks, and far from all, in an order in which stretches are found and forgotten.
    #[test]
    fn what_is_remembered_is_what_the_zone_says() {
        let from: Timestamp = "1900-01-01T00:00:00Z".parse().expect("instant");
        let until: Timestamp = "2045-01-01T00:00:00Z".parse().expect("instant");
        let (mut found, mut found_at) = (0, 0);
        // Many zones have several names.
        for zone in names().step_by(3).filter_map(|name| zone(&name)) {
            let changes = zone.following(from).take_while(|next| next.timestamp() < until);
            let mut instants: Vec<i64> = changes.map(|change| change.timestamp().as_second()).collect();
            instants.extend([from.as_second(), until.as_second()]);
            for instant in instants {
                // In wall time, which is up to half a day from the instant.
                let change = instant + seconds(zone.to_offset(timestamp(instant)));
                for near in [0, 1, 1_800, 3_599, 3_600, 90_000] {
                    for local in [change - near, change + near] {
                        let written = TimeZone::UTC.to_datetime(timestamp(local));
                        let said = zone.to_timestamp(written).expect("instant");
                        if let Some(offset) = plain_offset(local, &zone) {
                            found += 1;
                            assert_eq!(
                                local - offset,
                                said.as_second(),
                                "{written} {:?}",
                                zone.iana_name()
                            );
                        }
                        assert_eq!(to_utc(written, &zone), said, "{written} {:?}", zone.iana_name());
                        // The same number as an instant.
                        if let Some(offset) = plain_offset_at(local, &zone) {
                            found_at += 1;
                            let said = seconds(zone.to_offset(timestamp(local)));
                            assert_eq!(offset, said, "{local} {:?}", zone.iana_name());
                        }
                    }
                }
            }
        }
        assert!(found > 10_000, "{found} wall times");
        assert!(found_at > 1_000, "{found_at} instants");
    }

    fn timestamp(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("instant")
    }

    #[test]
    fn zones_are_not_mistaken_for_each_other() {
        let zones = [
            "Europe/Berlin",
            "America/New_York",
            "UTC",
            "Asia/Kolkata",
            "Europe/London",
        ];
        let zones = zones.map(|name| zone(name).expect("zone"));
        // 2 March 2026, 12:00.
        let local = 1_772_452_800;
        for _ in 0..3 * WORTH_LOOKING {
            for (zone, hours) in zones.iter().zip([2, -10, 0, 11, 0]) {
                let half_hours = plain_offset(local, zone).map(|offset| offset / 1_800);
                assert!(
                    half_hours.is_none_or(|known| known == hours),
                    "{half_hours:?} {hours}"
                );
            }
        }
        assert_eq!(plain_offset(local, &zones[0]), Some(3_600));
        // Without a name nobody knows which zone it is.
        assert_eq!(plain_offset(local, &TimeZone::fixed(Offset::constant(1))), None);
    }
}
