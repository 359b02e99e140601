//! From what was said about time to what is stored: wall time and zone as the truth, instants derived from them.
//!
//! Promises: the instants that were asked for are the ones that are stored; a wall time that daylight saving skips moves
//! forward by the gap, one that happens twice means its first occurrence. Pure.

use chrono::{Datelike as _, NaiveDate, NaiveDateTime};
use entity::calendar_event;
use entity::enums::EventKind;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use super::model::{Move, When};
use super::recurrence::Start;
use super::stored::Stored;
use crate::kernel::text::Checks;
use crate::kernel::time::{Instant, truncate};
use crate::kernel::{UserErrorCode, zones};

/// Years in which events can lie: what every zone can express on both sides.
pub(super) const YEARS: std::ops::RangeInclusive<i32> = 1..=9_998;

/// Checks that the end follows the start. `path` is that of the field which says when.
pub(super) fn check(checks: &mut Checks, when: When, path: &str) {
    let (field, years, is_ordered) = match when {
        When::Timed { start, end } => ("timed", [start.year(), end.year()], start < end),
        When::AllDay { start, end } => ("allDay", [start.year(), end.year()], start < end),
    };
    let (start, end) = match when {
        When::Timed { .. } => ("start", "end"),
        When::AllDay { .. } => ("startDate", "endDate"),
    };
    for (year, name) in years.into_iter().zip([start, end]) {
        let message = format!("Use a year between {} and {}.", YEARS.start(), YEARS.end());
        checks.require(
            YEARS.contains(&year),
            UserErrorCode::OutOfRange,
            &format!("{path}.{field}.{name}"),
            message,
        );
    }
    let message = match when {
        When::Timed { .. } => "The end must be after the start.",
        When::AllDay { .. } => "`endDate` is the day after the last one and must be after `startDate`.",
    };
    checks.require(
        is_ordered,
        UserErrorCode::InvalidTimeRange,
        &format!("{path}.{field}.{end}"),
        message,
    );
}

/// Checks the times after a move, whose arguments are `start` and `end`.
pub(super) fn check_move(checks: &mut Checks, when: When) {
    let (years, is_ordered) = match when {
        When::Timed { start, end } => ([start.year(), end.year()], start < end),
        When::AllDay { start, end } => ([start.year(), end.year()], start < end),
    };
    for (year, name) in years.into_iter().zip(["start", "end"]) {
        let message = format!("Use a year between {} and {}.", YEARS.start(), YEARS.end());
        checks.require(YEARS.contains(&year), UserErrorCode::OutOfRange, name, message);
    }
    checks.require(
        is_ordered,
        UserErrorCode::InvalidTimeRange,
        "end",
        "The end must be after the start.",
    );
}

/// What the event says about when it takes place now.
pub(super) fn of(row: &calendar_event::Model) -> When {
    match (row.kind, row.start_date, row.end_date) {
        (EventKind::AllDay, Some(start), Some(end)) => When::AllDay { start, end },
        _ => When::Timed {
            start: row.start_utc,
            end: row.end_utc,
        },
    }
}

/// Writes times into a row, in the zone that the row names.
pub(super) fn store(row: &mut calendar_event::Model, when: When) {
    let zone = zones::stored(&row.time_zone).unwrap_or(TimeZone::UTC);
    match when {
        When::Timed { start, end } => {
            (row.start_date, row.end_date) = (None, None);
            (row.start_utc, row.end_utc) = (truncate(start), truncate(end));
            if row.kind == EventKind::Floating {
                // It stays what it is: the same wall time wherever one is.
                let local = |at| zones::local_to_chrono(zones::local_of(zones::from_chrono(at), &zone));
                (row.start_local, row.end_local) = (Some(local(row.start_utc)), Some(local(row.end_utc)));
            } else {
                store_ends(row, &zone);
            }
        }
        When::AllDay { start, end } => {
            row.kind = EventKind::AllDay;
            (row.start_local, row.start_zone, row.end_local, row.end_zone) = (None, None, None, None);
            (row.start_date, row.end_date) = (Some(start), Some(end));
            (row.start_utc, row.end_utc) = (midnight(start, &zone), midnight(end, &zone));
        }
    }
    row.tzdata_version = Some(zones::tzdata_version().to_owned());
}

/// Writes both ends of a timed event; one that ends in another zone than it starts in goes on doing so.
fn store_ends(row: &mut calendar_event::Model, zone: &TimeZone) {
    let end = row.end_zone.take().filter(|name| {
        let is_other = row.start_zone.as_ref() != Some(name) && *name != row.time_zone;
        row.kind == EventKind::Timed && is_other && name != "UTC"
    });
    let other = end.and_then(|name| Some((zones::stored(&name)?, name)));
    let (end_zone, end_name) = other.unwrap_or_else(|| (zone.clone(), row.time_zone.clone()));
    let (start_local, start_zone) = wall(row.start_utc, zone, &row.time_zone);
    let (end_local, end_zone) = wall(row.end_utc, &end_zone, &end_name);
    row.kind = EventKind::Timed;
    (row.start_local, row.start_zone) = (Some(start_local), Some(start_zone));
    (row.end_local, row.end_zone) = (Some(end_local), Some(end_zone));
}

/// Writes a start in the terms of its event, also one that a change of clocks leaves out, and the instants of both ends.
pub(super) fn write(
    row: &mut calendar_event::Model,
    start: civil::DateTime,
    utc: Timestamp,
    end: Timestamp,
    terms: &Stored,
) {
    match terms.start {
        Start::Day(_) => {
            let last = zones::local_of(end, &terms.zone).date();
            let (first, last) = (zones::date_to_chrono(start.date()), zones::date_to_chrono(last));
            let next = first.succ_opt().unwrap_or(first);
            store(
                row,
                When::AllDay {
                    start: first,
                    end: last.max(next),
                },
            );
        }
        Start::Floating(_) | Start::Zoned(_) => {
            let (from, to) = (zones::to_chrono(utc), zones::to_chrono(end));
            store(row, When::Timed { start: from, end: to });
            let is_own = row.kind == EventKind::Floating || row.start_zone.as_ref() == Some(&row.time_zone);
            if is_own {
                row.start_local = Some(zones::local_to_chrono(start));
            }
        }
    }
}

/// The wall time of an instant and the zone it is in. Where clocks go back the second pass of an hour cannot be said in wall
/// time, so such an instant is kept in UTC.
fn wall(at: Instant, zone: &TimeZone, name: &str) -> (NaiveDateTime, String) {
    let instant = zones::from_chrono(at);
    let local = zones::local_of(instant, zone);
    if zones::to_utc(local, zone) == instant {
        return (zones::local_to_chrono(local), name.to_owned());
    }
    (at.naive_utc(), "UTC".to_owned())
}

/// The first instant of a day.
pub(super) fn midnight(day: NaiveDate, zone: &TimeZone) -> Instant {
    let start = zones::date_from_chrono(day).to_datetime(jiff::civil::Time::midnight());
    zones::to_chrono(zones::to_utc(start, zone))
}

/// Times after a move by drag and drop.
pub(super) fn moved(row: &calendar_event::Model, to: Move) -> When {
    let zone = zones::stored(&row.time_zone).unwrap_or(TimeZone::UTC);
    let day = |at: Instant| zones::date_to_chrono(zones::local_of(zones::from_chrono(at), &zone).date());
    match of(row) {
        When::Timed { start, end } => When::Timed {
            start: to.start,
            end: to
                .end
                .or_else(|| to.start.checked_add_signed(end - start))
                .unwrap_or(to.start),
        },
        When::AllDay { start, end } => {
            let first = day(to.start);
            let kept = first.checked_add_signed(end - start).unwrap_or(first);
            When::AllDay {
                start: first,
                end: to.end.map_or(kept, day),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn zone(name: &str) -> TimeZone {
        zones::zone(name).unwrap()
    }

    #[test]
    fn the_second_pass_of_an_hour_keeps_its_instant() {
        let berlin = zone("Europe/Berlin");
        let first = wall(at("2026-10-25T00:30:00Z"), &berlin, "Europe/Berlin");
        assert_eq!(first.1, "Europe/Berlin");
        let second = wall(at("2026-10-25T01:30:00Z"), &berlin, "Europe/Berlin");
        assert_eq!(second, (at("2026-10-25T01:30:00Z").naive_utc(), "UTC".to_owned()));
    }

    #[test]
    fn days_begin_at_the_first_instant_they_have() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let cases = [
            ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00Z"),
            ("2026-03-30", "Europe/Berlin", "2026-03-29T22:00:00Z"),
            // Clocks went from 24:00 to 01:00: there was no midnight.
            ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00Z"),
            // Midnight came twice.
            ("2026-11-01", "America/Havana", "2026-11-01T04:00:00Z"),
            // A day that Samoa skipped begins, and ends, with the next one.
            ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00Z"),
            ("2011-12-31", "Pacific/Apia", "2011-12-30T10:00:00Z"),
        ];
        for (date, name, expected) in cases {
            assert_eq!(midnight(day(date), &zone(name)), at(expected), "{date} {name}");
        }
    }
}
