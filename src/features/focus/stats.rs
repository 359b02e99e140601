//! From the sums that the database made to the totals of a period. Pure.
//!
//! Promises: a day is a day of the person's zone, also where clocks change; every day of the period has its entry.

use chrono::NaiveDate;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::model::{Day, Stats};
use crate::kernel::time::Instant;
use crate::kernel::zones;

/// Sums of the sessions that started on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) seconds: i64,
    pub(super) sessions: i64,
    pub(super) completed: i64,
    pub(super) abandoned: i64,
}

/// First instant of a day and of the next.
pub(super) fn bounds(day: NaiveDate, zone: &TimeZone) -> (Instant, Instant) {
    let midnight = |day: NaiveDate| {
        let local = zones::date_from_chrono(day).to_datetime(Time::midnight());
        zones::to_chrono(zones::to_utc(local, zone))
    };
    (midnight(day), midnight(day.succ_opt().unwrap_or(day)))
}

/// The day of an instant.
pub(super) fn day_of(at: Instant, zone: &TimeZone) -> NaiveDate {
    zones::date_to_chrono(zones::local_of(zones::from_chrono(at), zone).date())
}

/// Adds up the days of a period. The streak is counted elsewhere: it may have begun earlier.
pub(super) fn add_up(days: &[(NaiveDate, Sums)]) -> Stats {
    let small = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    let entries: Vec<Day> = days
        .iter()
        .map(|(date, sums)| Day {
            date: *date,
            minutes: small(sums.seconds / 60),
            sessions: small(sums.sessions),
        })
        .collect();
    Stats {
        total_minutes: small(entries.iter().map(|day| i64::from(day.minutes)).sum()),
        completed_sessions: small(days.iter().map(|(_, sums)| sums.completed).sum()),
        abandoned_sessions: small(days.iter().map(|(_, sums)| sums.abandoned).sum()),
        streak_days: 0,
        days: entries,
    }
}

/// Days in a row with a completed session at the end of these days, and whether the first of them still belongs to it. A last day that is
/// not over (`today`) does not break a streak by having none yet.
pub(super) fn streak(days: &[(NaiveDate, Sums)], today: NaiveDate) -> (i32, bool) {
    let skipped = usize::from(
        days.last()
            .is_some_and(|(date, sums)| *date >= today && sums.completed == 0),
    );
    let rest = &days[..days.len() - skipped];
    let kept = rest
        .iter()
        .rev()
        .take_while(|(_, sums)| sums.completed > 0)
        .count();
    (i32::try_from(kept).unwrap_or(i32::MAX), kept == rest.len())
}

#[cfg(test)]
mod tests;
