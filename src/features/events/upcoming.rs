//! The next occurrence of a stored event for one person: of a series with its exceptions, of days and floating times in the person's zone.
//! Pure. Promises: what is reminded of is what the person sees in the calendar, found by the same code; work is bounded whatever the rule.

use std::sync::Arc;

use chrono::{Datelike as _, Duration};
use entity::{calendar_event, event_override};
use jiff::tz::TimeZone;

use super::model::Event;
use super::occurrence::{Change, Occurrence, View, occurrences};
use super::recurrence::Budget;
use super::reminded::{Said, said_of, until};
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

/// Which occurrences are looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sought<'a> {
    /// Those that start at this instant or later,
    pub(super) earliest: Instant,
    /// and whose reminders are these,
    pub(super) said: Said,
    /// of all that their person said of the series beside what is always so.
    pub(super) sayings: &'a [Said],
}

impl From<Instant> for Sought<'_> {
    fn from(earliest: Instant) -> Self {
        Self {
            earliest,
            said: Said::Always,
            sayings: &[],
        }
    }
}

/// The first occurrence among those that are sought, seen from `zone`.
pub(super) fn next<'a>(
    row: &calendar_event::Model,
    exceptions: &[event_override::Model],
    zone: &TimeZone,
    sought: impl Into<Sought<'a>>,
) -> Option<Upcoming> {
    let event = Arc::new(Event {
        row: row.clone(),
        is_masked: false,
    });
    let found = next_of(&event, exceptions, zone, sought.into())?;
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
    sought: Sought<'_>,
) -> Option<Occurrence> {
    let row = &event.row;
    let Reach {
        mut from,
        mut length,
        end,
    } = match row.is_recurring {
        true => reach(row, exceptions, sought),
        false => Reach {
            from: sought.earliest,
            length: FIRST_WINDOW,
            end: Some(add(row.end_utc, FURTHEST_ZONES)),
        },
    };
    let is_sought = |one: &Occurrence| {
        one.start >= sought.earliest
            && (!row.is_recurring || said_of(one.original_start, sought.sayings) == sought.said)
    };
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
            .filter(is_sought)
            .min_by_key(|one| (one.start, one.original_start));
        if next.is_some() || truncated {
            return next;
        }
        (from, length) = (window.end, length * GROWTH);
    }
    None
}

/// Where the occurrences of a series are that somebody seeks.
struct Reach {
    /// Begin of the first window.
    from: Instant,
    /// Its length.
    length: Duration,
    /// The last instant at which a window may begin; `None` when the series may have no end.
    end: Option<Instant>,
}

fn reach(row: &calendar_event::Model, exceptions: &[event_override::Model], sought: Sought<'_>) -> Reach {
    // How far from its original start an occurrence may take place.
    let shifts = exceptions
        .iter()
        .filter_map(|one| Some((one.start_utc? - one.original_start_utc).abs()));
    let far = shifts.max().unwrap_or_default() + FURTHEST_ZONES;
    let before = |at: Instant| at.checked_sub_signed(far).unwrap_or(at);
    let end = end_of(row, exceptions);
    let last = until(sought.said, sought.sayings).map(|at| add(at, far));
    let end = match (end, last) {
        (Some(end), Some(last)) => Some(Ord::min(end, last)),
        (end, last) => end.or(last),
    };
    match sought.said {
        Said::Always => Reach {
            from: sought.earliest,
            length: FIRST_WINDOW,
            end,
        },
        Said::From(at) => Reach {
            from: Ord::max(sought.earliest, before(at)),
            length: FIRST_WINDOW,
            end,
        },
        Said::Of(at) => {
            // One place: where the occurrence was moved to, or around its original start.
            let own = exceptions.iter().find(|one| one.original_start_utc == at);
            let (place, far) = match own.and_then(|own| own.start_utc) {
                Some(moved) => (moved, FURTHEST_ZONES),
                None => (at, far),
            };
            let from = place.checked_sub_signed(far).unwrap_or(place);
            Reach {
                from,
                length: far * 2,
                end: Some(from),
            }
        }
    }
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
