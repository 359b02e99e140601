//! Times in words, for notifications and letters. Pure.

use chrono::TimeDelta;
use entity::calendar_event;
use entity::enums::EventKind;
use jiff::tz::TimeZone;

use crate::kernel::time::Instant;
use crate::kernel::zones;

const DAY: &str = "%A, %-d %B %Y";

/// How long until something starts.
pub(super) fn until(wait: TimeDelta) -> String {
    // To the nearest minute: a job starts a moment late.
    let minutes = (wait.num_seconds() + 30).div_euclid(60);
    let count = |n: i64, unit: &str| format!("in {n} {unit}{}", if n == 1 { "" } else { "s" });
    match minutes {
        ..=0 => "now".to_owned(),
        n if n % 1_440 == 0 => count(n / 1_440, "day"),
        n if n % 60 == 0 => count(n / 60, "hour"),
        n => count(n, "minute"),
    }
}

/// When an occurrence that starts at `start` takes place, in the reader's zone.
pub(super) fn when(row: &calendar_event::Model, start: Instant, zone: &TimeZone, zone_name: &str) -> String {
    let local = |at: Instant| zones::local_of(zones::from_chrono(at), zone);
    let (first, length) = (local(start), row.end_utc - row.start_utc);
    let day = |at: jiff::civil::DateTime| at.strftime(DAY).to_string();
    if row.kind == EventKind::AllDay {
        let days = match (row.start_date, row.end_date) {
            (Some(start), Some(end)) => (end - start).num_days().max(1),
            _ => 1,
        };
        let last = first
            .checked_add(jiff::Span::new().days(days - 1))
            .unwrap_or(first);
        return if days == 1 {
            day(first)
        } else {
            format!("{} to {}", day(first), day(last))
        };
    }
    let last = local(start + length);
    let time = |at: jiff::civil::DateTime| at.strftime("%H:%M").to_string();
    if first.date() == last.date() {
        let end = if length.is_zero() {
            String::new()
        } else {
            format!(" to {}", time(last))
        };
        return format!("{}, {}{end} ({zone_name})", day(first), time(first));
    }
    format!(
        "{}, {} to {}, {} ({zone_name})",
        day(first),
        time(first),
        day(last),
        time(last)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_said_in_the_largest_unit_that_fits() {
        for (seconds, words) in [
            (-5, "now"),
            (20, "now"),
            (59, "in 1 minute"),
            (600, "in 10 minutes"),
            (598, "in 10 minutes"),
            (3_600, "in 1 hour"),
            (5_400, "in 90 minutes"),
            (172_800, "in 2 days"),
        ] {
            assert_eq!(until(TimeDelta::seconds(seconds)), words);
        }
    }
}
