//! The next occurrence of a stored event for one person: of a series with its exceptions, of days and floating times in the person's zone.
//! Pure. Promises: what is reminded of is what the person sees in the calendar, found by the same code; work is bounded whatever the rule.

use std::sync::Arc;

use chrono::{Datelike as _, Duration};
use entity::{calendar_event, event_override};
use jiff::tz::TimeZone;

use super::model::Event;
use super::occurrence::{Change, Occurrence, View, occurrences};
use super::recurrence::Budget;
use super::stored::add;
use super::times::YEARS;
use crate::kernel::time::{Instant, Span};

/// The first window that is looked at: most series that go on have an occurrence in it.
const FIRST_WINDOW: Duration = Duration::days(8);
/// How much longer each window is than the one before.
const GROWTH: i32 = 4;
/// Days and floating times lie up to this far from the instants that are stored for them: the zones furthest apart.
const FURTHEST_ZONES: Duration = Duration::hours(27);

/// An occurrence that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Upcoming {
    /// When it starts.
    pub(super) start: Instant,
    /// Its original start, which identifies it within its series whoever looks.
    pub(super) original: Instant,
}

/// The first occurrence that starts at `earliest` or later, seen from `zone`.
pub(super) fn next(
    row: &calendar_event::Model,
    exceptions: &[event_override::Model],
    zone: &TimeZone,
    earliest: Instant,
) -> Option<Upcoming> {
    let event = Arc::new(Event {
        row: row.clone(),
        is_masked: false,
    });
    let found = next_of(&event, exceptions, zone, earliest)?;
    Some(Upcoming {
        start: found.start,
        original: found.original_start,
    })
}

/// The same, with all that is to be said of it.
pub(super) fn next_of(
    event: &Arc<Event>,
    exceptions: &[event_override::Model],
    zone: &TimeZone,
    earliest: Instant,
) -> Option<Occurrence> {
    let row = &event.row;
    let end = match row.is_recurring {
        true => end_of(row, exceptions),
        false => Some(add(row.end_utc, FURTHEST_ZONES)),
    };
    let (mut from, mut length) = (earliest, FIRST_WINDOW);
    while YEARS.contains(&from.year()) && end.is_none_or(|end| from <= end) {
        let window = Span {
            start: from,
            end: add(from, length),
        };
        let view = View {
            window,
            zone,
            budget: Budget::default(),
        };
        let changes = exceptions.iter().cloned().map(Change).collect();
        let (found, truncated) = occurrences(event, changes, view);
        // One that is under way in the window has begun already.
        let next = found
            .into_iter()
            .filter(|one| one.start >= earliest)
            .min_by_key(|one| (one.start, one.original_start));
        if next.is_some() || truncated {
            return next;
        }
        (from, length) = (window.end, length * GROWTH);
    }
    None
}

/// When the last occurrence is over, or later; `None` when there may be no last one.
fn end_of(row: &calendar_event::Model, exceptions: &[event_override::Model]) -> Option<Instant> {
    let series_end = row.series_end_utc?;
    // An exception may lie behind all others, and one that holds for later ones moves them as far as it was moved.
    let known = exceptions
        .iter()
        .flat_map(|one| [Some(one.original_start_utc), one.end_utc]);
    let last = known.flatten().chain([series_end]).max()?;
    let shifts = exceptions
        .iter()
        .filter_map(|one| Some((one.end_utc? - one.original_start_utc).abs()));
    let shift = shifts.max().unwrap_or_default() + (row.end_utc - row.start_utc);
    Some(add(last, shift + FURTHEST_ZONES * 2))
}

#[cfg(test)]
mod tests;
