//! When a task that repeats comes again. Pure.
//!
//! Promises: wall times stay what they are in the person's zone, also across changes of clocks; what was missed meanwhile does not pile
//! up: the next task is the first one after the old date and after the moment of completion; counted rules count what was skipped.

use entity::task;
use jiff::SignedDuration;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use crate::features::events::recurrence::{Budget, End, Occurrence, Parts, Rule, Series, Start};
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result, UserErrorCode, zones};

/// The next task of a series, as far as it differs from the one that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) rule: String,
    pub(super) start_after: Option<Instant>,
    pub(super) due_at: Option<Instant>,
    /// How much later it is, in wall time: sub-tasks move with it.
    pub(super) later: SignedDuration,
}

/// What the rule of a task counts from: its deadline, else its start, else the moment.
fn anchor(row: &task::Model, now: Instant) -> Instant {
    row.due_at.or(row.start_after).unwrap_or(now)
}

fn local(at: Instant, zone: &TimeZone) -> DateTime {
    zones::local_of(zones::from_chrono(at), zone)
}

fn instant(local: DateTime, zone: &TimeZone) -> Instant {
    zones::to_chrono(zones::to_utc(local, zone))
}

/// The rule in its canonical form, checked against the task's own dates.
pub(super) fn check(text: &str, row: &task::Model, zone: &TimeZone, now: Instant) -> Result<String> {
    let start = Start::Zoned(local(anchor(row, now), zone));
    let checked = Rule::parse(text).and_then(|rule| rule.check_new(start, zone).map(|()| rule));
    checked.map(|rule| rule.to_string()).map_err(|error| {
        Error::user(
            UserErrorCode::InvalidRecurrence,
            "input.recurrenceRule",
            error.to_string(),
        )
    })
}

/// What comes after a task that is done at `now`; `None` when nothing does.
pub(super) fn next(row: &task::Model, zone: &TimeZone, now: Instant) -> Option<Next> {
    // Rules that older versions stored are read as they are.
    let (rule, _) = Rule::read(row.recurrence_rule.as_deref()?).ok()?;
    let from = anchor(row, now);
    let old = local(from, zone);
    let (found, rule) = following(rule, old, zone, from.max(now))?;
    let (start_after, due_at) = match (row.start_after, row.due_at) {
        (Some(start), Some(_)) => {
            // The task appears as long before its deadline as the last one did.
            let lead = old.duration_since(local(start, zone));
            let start = found.local.checked_sub(lead).ok()?;
            (Some(instant(start, zone)), Some(zones::to_chrono(found.start)))
        }
        (None, Some(_)) => (None, Some(zones::to_chrono(found.start))),
        (Some(_), None) => (Some(zones::to_chrono(found.start)), None),
        (None, None) => {
            let day = found.local.date().to_datetime(Time::midnight());
            (Some(instant(day, zone)), None)
        }
    };
    Some(Next {
        rule: rule.to_string(),
        start_after,
        due_at,
        later: found.local.duration_since(old),
    })
}

/// The first start after an instant, and the rule that is left from there on.
fn following(rule: Rule, start: DateTime, zone: &TimeZone, after: Instant) -> Option<(Occurrence, Rule)> {
    let after = zones::from_chrono(after);
    let series = Series::new(&Parts {
        rule: Some(&rule),
        ..Parts::new(Start::Zoned(start), zone)
    });
    let End::Count(count) = rule.end() else {
        return Some((series.next_after(after, Budget::default()).found()?, rule));
    };
    let most = usize::try_from(count).ok()?;
    let all = series.take(zones::to_utc(start, zone), most, Budget::default());
    let index = all.occurrences.iter().position(|found| found.start > after)?;
    let left = count - u32::try_from(index).ok()?;
    Some((all.occurrences[index], rule.ending(End::Count(left))))
}

/// An instant moved in wall time.
pub(super) fn moved(at: Instant, later: SignedDuration, zone: &TimeZone) -> Option<Instant> {
    Some(instant(local(at, zone).checked_add(later).ok()?, zone))
}

#[cfg(test)]
mod tests;
