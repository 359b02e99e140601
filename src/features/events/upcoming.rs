//! The next occurrence of a stored event for one person: of a series with its exceptions, of days and floating times in the person's zone.
//! Pure. Promises: never an occurrence that is cancelled or was moved away; work is bounded whatever the rule.

use std::collections::BTreeMap;

use entity::enums::{EventKind, EventStatus};
use entity::{calendar_event, event_override};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::recurrence::{Addition, Budget, Moment, Occurrence, Parts, Rule, Series, Start};
use crate::kernel::time::Instant;
use crate::kernel::zones;

/// Starts looked at in one go.
const STRIDE: usize = 64;
/// Goes: a series of which so many starts in a row were moved or cancelled reminds nobody of the ones behind.
const STRIDES: usize = 16;

/// An occurrence that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Upcoming {
    /// When it starts.
    pub(super) start: Instant,
    /// When the series has it start.
    pub(super) original: Instant,
}

/// The first occurrence that starts at `earliest` or later, seen from `zone`.
pub(super) fn next(
    row: &calendar_event::Model,
    exceptions: &[event_override::Model],
    zone: &TimeZone,
    earliest: Instant,
) -> Option<Upcoming> {
    if row.status == EventStatus::Cancelled {
        return None;
    }
    let start = first_start(row, zone)?;
    if !row.is_recurring {
        let at = zones::to_chrono(zones::to_utc(start.local(), &zone_of(row, zone)));
        // What was stored is exact where wall time is not.
        let at = if row.kind == EventKind::Timed {
            row.start_utc
        } else {
            at
        };
        return (at >= earliest).then_some(Upcoming {
            start: at,
            original: at,
        });
    }
    let regular = regular(row, exceptions, start, zone, earliest);
    let moved = exceptions
        .iter()
        .filter(|exception| !is_cancelled(exception))
        .filter_map(|exception| {
            Some(Upcoming {
                start: exception.start_utc?,
                original: exception.original_start_utc,
            })
        })
        .filter(|moved| moved.start >= earliest)
        .min_by_key(|moved| (moved.start, moved.original));
    regular
        .into_iter()
        .chain(moved)
        .min_by_key(|one| (one.start, one.original))
}

/// The first occurrence that is where the rule has it.
fn regular(
    row: &calendar_event::Model,
    exceptions: &[event_override::Model],
    start: Start,
    zone: &TimeZone,
    earliest: Instant,
) -> Option<Upcoming> {
    let zone = zone_of(row, zone);
    let rule = match row.rrule.as_deref().map(Rule::read) {
        None => None,
        Some(Ok((rule, _))) => Some(rule),
        // Kept as it came, and never expanded.
        Some(Err(_)) => return None,
    };
    let additions: Vec<Addition> = texts(&row.rdates).filter_map(|text| text.parse().ok()).collect();
    let exclusions: Vec<Moment> = texts(&row.exdates).filter_map(|text| text.parse().ok()).collect();
    let series = Series::new(&Parts {
        rule: rule.as_ref(),
        additions: &additions,
        exclusions: &exclusions,
        ..Parts::new(start, &zone)
    });
    let known: BTreeMap<Instant, &event_override::Model> = exceptions
        .iter()
        .map(|exception| (exception.original_start_utc, exception))
        .collect();
    let is_zoned = row.kind == EventKind::Timed;
    let exception_of = |occurrence: &Occurrence| {
        if is_zoned {
            return known.get(&zones::to_chrono(occurrence.start)).copied();
        }
        // Days and floating times are told apart by what is written.
        exceptions
            .iter()
            .find(|exception| match exception.original_start.parse::<Moment>() {
                Ok(Moment::Day(day)) => day == occurrence.local.date(),
                Ok(Moment::Local(local)) => local == occurrence.local,
                _ => false,
            })
    };
    let mut from = zones::from_chrono(earliest);
    for _ in 0..STRIDES {
        let found = series.take(from, STRIDE, Budget::default()).occurrences;
        let last = found.last()?.start;
        let stays = |occurrence: &&Occurrence| {
            exception_of(occurrence)
                .is_none_or(|exception| !is_cancelled(exception) && exception.start_utc.is_none())
        };
        if let Some(occurrence) = found.iter().find(stays) {
            let start = zones::to_chrono(occurrence.start);
            return Some(Upcoming {
                start,
                original: start,
            });
        }
        from = last.checked_add(jiff::SignedDuration::from_secs(1)).ok()?;
    }
    None
}

/// The start that the row has, as the series begins with it.
fn first_start(row: &calendar_event::Model, viewer: &TimeZone) -> Option<Start> {
    Some(match row.kind {
        EventKind::AllDay => Start::Day(zones::date_from_chrono(row.start_date?)),
        EventKind::Floating => Start::Floating(zones::local_from_chrono(row.start_local?)),
        EventKind::Timed => {
            let is_own = row.start_zone.as_deref() == Some(row.time_zone.as_str());
            let local = match row.start_local.filter(|_| is_own) {
                Some(local) => zones::local_from_chrono(local),
                None => zones::local_of(instant(row), &zone_of(row, viewer)),
            };
            Start::Zoned(local)
        }
    })
}

fn instant(row: &calendar_event::Model) -> Timestamp {
    zones::from_chrono(row.start_utc)
}

/// The zone that gives the event its instants.
fn zone_of(row: &calendar_event::Model, viewer: &TimeZone) -> TimeZone {
    match row.kind {
        EventKind::Timed => zones::stored(&row.time_zone).unwrap_or(TimeZone::UTC),
        EventKind::AllDay | EventKind::Floating => viewer.clone(),
    }
}

fn is_cancelled(exception: &event_override::Model) -> bool {
    exception.cancelled || exception.patch["status"] == "cancelled"
}

fn texts(list: &serde_json::Value) -> impl Iterator<Item = &str> {
    let all = list.as_array().into_iter().flatten();
    all.filter_map(serde_json::Value::as_str)
}

#[cfg(test)]
mod tests;
