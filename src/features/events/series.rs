//! When the last occurrence of a series starts: enough to leave series out of a window that they end before. Pure.
//!
//! Promises: never too early. `None` means endless, or a rule whose end is too far to be looked for.

use jiff::{Timestamp, tz::TimeZone};

use super::recurrence::{Answer, Budget, Parts, Rule, Series, Start};
use crate::kernel::zones;

/// The last instant at which an occurrence of the rule starts; the first start when the rule gives none.
pub(super) fn latest_start(rule: &str, start: Start, zone: &TimeZone) -> Option<Timestamp> {
    let (rule, _) = Rule::read(rule).ok()?;
    let series = Series::new(&Parts {
        rule: Some(&rule),
        ..Parts::new(start, zone)
    });
    let first = zones::to_utc(start.local(), zone);
    match series.last(Budget::default()) {
        Answer::Found(last) => Some(last.start.max(first)),
        Answer::None => Some(first),
        Answer::Endless | Answer::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_last_start_is_found() {
        let zone = zones::zone("Europe/Berlin").unwrap();
        let start = Start::Zoned(date(2026, 1, 5).at(9, 0, 0, 0));
        for (rule, last) in [
            ("FREQ=DAILY;COUNT=10", "2026-01-14T08:00:00Z"),
            ("FREQ=WEEKLY;COUNT=30", "2026-07-27T07:00:00Z"),
            ("FREQ=MONTHLY;COUNT=12;BYDAY=-1FR", "2026-12-25T08:00:00Z"),
            ("FREQ=MONTHLY;COUNT=5;BYMONTHDAY=31", "2026-08-31T07:00:00Z"),
            ("FREQ=YEARLY;COUNT=2;BYWEEKNO=53;BYDAY=MO", "2032-12-27T08:00:00Z"),
            ("FREQ=DAILY;UNTIL=20260110T080000Z", "2026-01-10T08:00:00Z"),
            ("FREQ=DAILY;UNTIL=20260110", "2026-01-10T08:00:00Z"),
            // The start itself stays.
            ("FREQ=DAILY;UNTIL=20250101", "2026-01-05T08:00:00Z"),
            ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "2026-01-05T08:00:00Z"),
        ] {
            let last: Timestamp = last.parse().unwrap();
            assert_eq!(latest_start(rule, start, &zone), Some(last), "{rule}");
        }
        for rule in [
            "FREQ=DAILY",
            "FREQ=SECONDLY;BYDAY=MO;COUNT=4000000000",
            "COUNT=é;FREQ=DAILY",
        ] {
            assert_eq!(latest_start(rule, start, &zone), None, "{rule}");
        }
    }

    #[test]
    fn the_end_of_a_series_of_days_is_the_day_that_is_written() {
        let zone = zones::zone("America/New_York").unwrap();
        let start = Start::Day(date(2026, 1, 5));
        let last = latest_start("FREQ=DAILY;UNTIL=20260110T000000Z", start, &zone);
        assert_eq!(last, Some("2026-01-10T05:00:00Z".parse().unwrap()));
    }
}
