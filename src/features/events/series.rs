//! How long a series can last at most, without expanding it: enough to leave series out of a window that they end before. Pure.
//!
//! Promises: never too early. `None` means endless, or a rule whose end only an expansion finds.

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

use crate::kernel::zones;

/// The last instant at which an occurrence of the rule can start.
pub(super) fn latest_start(rule: &str, start: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let parts: Vec<(&str, &str)> = rule.split(';').filter_map(|part| part.split_once('=')).collect();
    let part = |name: &str| {
        parts
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    };
    if let Some(until) = part("UNTIL") {
        return Some(last_instant(until, zone)?.max(start));
    }
    let count: i64 = part("COUNT")?.parse().ok()?;
    let interval: i64 = part("INTERVAL").map_or(Some(1), |text| text.parse().ok())?;
    let periods = count.checked_mul(interval)?;
    let first = zone.to_datetime(start).date();
    let seconds = period_seconds(part("FREQ")?, &parts, first)?;
    // One period more: the first one may have begun before the start, and clocks change.
    let length = seconds
        .checked_mul(periods.checked_add(1)?)?
        .checked_add(86_400)?;
    start.checked_add(SignedDuration::from_secs(length)).ok()
}

/// Seconds within which every rule of this kind starts at least once; `None` for rules that can skip whole periods.
fn period_seconds(frequency: &str, parts: &[(&str, &str)], first: Date) -> Option<i64> {
    let limits = |name: &&str| name.starts_with("BY") && !matches!(*name, "BYHOUR" | "BYMINUTE" | "BYSECOND");
    let limits: Vec<&str> = parts.iter().map(|(name, _)| *name).filter(limits).collect();
    let is_often = |name: &str, value: &str| match name {
        // Every month has these days.
        "BYMONTHDAY" => value
            .split(',')
            .all(|day| day.parse().is_ok_and(|day: i32| (1..=28).contains(&day.abs()))),
        "BYDAY" => value
            .split(',')
            .all(|day| nth(day).is_some_and(|nth: i32| nth.abs() <= 4)),
        "BYMONTH" => true,
        _ => false,
    };
    let all_often = || {
        parts
            .iter()
            .filter(|(name, _)| limits.contains(name))
            .all(|(name, value)| is_often(name, value))
    };
    let by_clock = parts
        .iter()
        .any(|(name, _)| matches!(*name, "BYHOUR" | "BYMINUTE" | "BYSECOND"));
    match (frequency, &limits[..]) {
        ("SECONDLY", []) if !by_clock => Some(1),
        ("MINUTELY", []) if !by_clock => Some(60),
        ("HOURLY", []) if !by_clock => Some(3_600),
        ("DAILY", []) => Some(86_400),
        ("WEEKLY", [] | ["BYDAY"]) => Some(7 * 86_400),
        ("MONTHLY", []) if first.day() <= 28 => Some(31 * 86_400),
        ("MONTHLY", ["BYMONTHDAY" | "BYDAY"]) if all_often() => Some(31 * 86_400),
        ("YEARLY", []) if first.day() <= 28 => Some(366 * 86_400),
        ("YEARLY", [one, other])
            if all_often() && (*one == "BYMONTH" || *other == "BYMONTH") && one != other =>
        {
            Some(366 * 86_400)
        }
        _ => None,
    }
}

/// The number in front of a weekday; 0 when there is none.
fn nth(day: &str) -> Option<i32> {
    let number = day.get(..day.len().checked_sub(2)?)?;
    if number.is_empty() {
        Some(0)
    } else {
        number.parse().ok()
    }
}

/// The last instant that UNTIL includes.
fn last_instant(until: &str, zone: &TimeZone) -> Option<Timestamp> {
    if until.ends_with('Z') {
        return Timestamp::strptime("%Y%m%dT%H%M%S%z", until.replace('Z', "+0000")).ok();
    }
    // A day, or a wall time, which counts as its day: never too early.
    let day = Date::strptime("%Y%m%d", until.get(..8)?).ok()?;
    let next = day
        .checked_add(1.day())
        .ok()?
        .to_datetime(jiff::civil::Time::midnight());
    Some(zones::to_utc(next, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_never_too_early() {
        let zone = zones::zone("Europe/Berlin").unwrap();
        let start: Timestamp = "2026-01-05T08:00:00Z".parse().unwrap();
        // The rule, and its real last start.
        let cases = [
            ("FREQ=DAILY;COUNT=10", "2026-01-14T08:00:00Z"),
            ("FREQ=DAILY;INTERVAL=3;COUNT=10", "2026-02-01T08:00:00Z"),
            ("FREQ=WEEKLY;COUNT=4;BYDAY=MO", "2026-01-26T08:00:00Z"),
            ("FREQ=WEEKLY;COUNT=30", "2026-07-27T07:00:00Z"),
            ("FREQ=MONTHLY;COUNT=12", "2026-12-05T08:00:00Z"),
            ("FREQ=MONTHLY;COUNT=12;BYDAY=-1FR", "2026-12-25T08:00:00Z"),
            ("FREQ=YEARLY;COUNT=3", "2028-01-05T08:00:00Z"),
            (
                "FREQ=YEARLY;COUNT=3;BYMONTH=12;BYMONTHDAY=24",
                "2028-12-24T08:00:00Z",
            ),
            ("FREQ=DAILY;UNTIL=20260110T080000Z", "2026-01-10T08:00:00Z"),
            ("FREQ=DAILY;UNTIL=20260110", "2026-01-10T08:00:00Z"),
            ("FREQ=DAILY;UNTIL=20250101", "2026-01-05T08:00:00Z"),
        ];
        for (rule, last) in cases {
            let last: Timestamp = last.parse().unwrap();
            let bound = latest_start(rule, start, &zone).unwrap();
            assert!(bound >= last, "{rule}: {bound}");
            let slack = bound.duration_since(last).as_hours();
            assert!(slack <= 24 * 800, "{rule}: {slack} hours too late");
        }
        for rule in [
            "FREQ=DAILY",
            "FREQ=MONTHLY;COUNT=5;BYMONTHDAY=31",
            "FREQ=DAILY;COUNT=5;BYMONTH=1",
            "FREQ=YEARLY;COUNT=5;BYWEEKNO=53",
            "FREQ=MONTHLY;COUNT=5;BYDAY=5MO",
            "FREQ=HOURLY;COUNT=5;BYHOUR=9",
            "FREQ=DAILY;COUNT=9223372036854775807",
            "COUNT=é;FREQ=DAILY",
        ] {
            assert_eq!(latest_start(rule, start, &zone), None, "{rule}");
        }
        let leap: Timestamp = "2024-02-29T08:00:00Z".parse().unwrap();
        assert_eq!(latest_start("FREQ=YEARLY;COUNT=5", leap, &zone), None);
    }
}
