//! Whatever a series is cut at, its halves have what it had.

use entity::ids::{CalendarEventId, CalendarId};
use serde_json::json;

use super::*;
use crate::features::events::model::When;
use crate::features::events::{stored, times};

/// Half an hour in Berlin, from a wall time in winter on.
fn series(start: &str, rule: &str, additions: &[&str]) -> calendar_event::Model {
    let nil = uuid::Uuid::nil();
    let mut row = stored::blank(CalendarEventId(nil), CalendarId(nil), Instant::UNIX_EPOCH);
    row.time_zone = "Europe/Berlin".into();
    let start: Instant = format!("{start}+01:00").parse().unwrap();
    let end = start + chrono::Duration::minutes(30);
    times::store(&mut row, When::Timed { start, end });
    row.rrule = Some(rule.into());
    row.rdates = json!(additions);
    row.is_recurring = true;
    row
}

fn occurrences(row: &calendar_event::Model) -> Vec<Occurrence> {
    let window = "2020-01-01T00:00:00Z".parse().unwrap().."2032-01-01T00:00:00Z".parse().unwrap();
    let found = Stored::of(row).series().expand(window, Budget::default());
    found.occurrences
}

fn starts(row: &calendar_event::Model) -> Vec<Timestamp> {
    occurrences(row).iter().map(|one| one.start).collect()
}

#[test]
fn halves_have_what_the_whole_had() {
    let evening = "2026-03-11T18:00:00";
    let none: &[&str] = &[];
    for (start, rule, additions) in [
        // Ended before the additional start, which is alone then.
        (
            "2026-03-02T09:00:00",
            "FREQ=WEEKLY;COUNT=3",
            &["2026-06-10T12:00:00"][..],
        ),
        (
            "2026-03-02T09:00:00",
            "FREQ=WEEKLY;UNTIL=20260320T230000Z",
            &["2026-06-10T12:00:00"][..],
        ),
        // Between two of the rule, in a week that it leaves out.
        (
            "2026-03-02T09:00:00",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=6",
            &[evening][..],
        ),
        (
            "2026-03-02T09:00:00",
            "FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20260401T070000Z",
            &[evening][..],
        ),
        (
            "2026-03-02T09:00:00",
            "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1;COUNT=5",
            &[evening][..],
        ),
        (
            "2026-03-02T09:00:00",
            "FREQ=DAILY;COUNT=12",
            &[evening, "2026-03-12T18:00:00"][..],
        ),
        // Clocks go forward in between: two that COUNT counts become one.
        ("2026-03-28T22:00:00", "FREQ=HOURLY;COUNT=12", none),
        ("2026-03-27T02:30:00", "FREQ=DAILY;BYHOUR=2,3;COUNT=9", none),
        (
            "2026-01-31T09:00:00",
            "FREQ=MONTHLY;RSCALE=GREGORIAN;COUNT=9;SKIP=BACKWARD",
            none,
        ),
        (
            "2026-01-31T09:00:00",
            "FREQ=MONTHLY;RSCALE=GREGORIAN;UNTIL=20270101;SKIP=FORWARD",
            &[evening][..],
        ),
        (
            "2025-12-31T09:00:00",
            "FREQ=MONTHLY;RSCALE=GREGORIAN;INTERVAL=2;SKIP=FORWARD",
            none,
        ),
        (
            "2024-02-29T09:00:00",
            "FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=BACKWARD",
            none,
        ),
        (
            "2024-02-29T09:00:00",
            "FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=FORWARD",
            none,
        ),
    ] {
        let row = series(start, rule, additions);
        let all = occurrences(&row);
        assert!(all.len() > 3, "{rule}");
        let is_of_rule = |one: &Occurrence| additions.iter().all(|text| *text != one.local.to_string());
        for (index, one) in all.iter().enumerate().skip(1).take(30) {
            let halves = cut(&row, zones::to_chrono(one.start), one.local).unwrap();
            let whole: Vec<Timestamp> = all.iter().map(|one| one.start).collect();
            assert_eq!(starts(&halves.earlier), whole[..index], "{rule} before {one:?}");
            assert_eq!(starts(&halves.later), whole[index..], "{rule} from {one:?}");
            if is_of_rule(one) && Stored::of(&row).rule.unwrap().skip() == Skip::Omit {
                assert_eq!(zones::from_chrono(halves.later.start_utc), one.start, "{rule}");
            }
        }
    }
}

#[test]
fn what_only_an_exception_tells_of_stays_with_the_later_half() {
    let row = series("2026-03-02T09:00:00", "FREQ=WEEKLY;COUNT=2", &[]);
    let at: Instant = "2026-05-01T10:00:00Z".parse().unwrap();
    let local = "2026-05-01T12:00:00".parse().unwrap();
    let halves = cut(&row, at, local).unwrap();
    assert_eq!(halves.earlier.rrule, row.rrule);
    assert_eq!(starts(&halves.earlier).len(), 2);
    assert_eq!(starts(&halves.later), [zones::from_chrono(at)]);
    assert_eq!(halves.later.rrule, None);
}
