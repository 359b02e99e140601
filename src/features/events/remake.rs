//! What an edit makes of a series: its rule, its end, and the exceptions that stay with their occurrences. Pure.
//!
//! Promises: exceptions are anchored to the occurrences they were made for, wherever these move; those whose occurrences are gone are
//! named. Must not know: the database.

use std::collections::HashSet;

use entity::{calendar_event, event_override};
use jiff::SignedDuration;
use jiff::civil::{DateTime, Time};

use super::model::{NewRecurrence, When};
use super::occurrence::reach;
use super::placed::{read_times, time_patch};
use super::recurrence::{Answer, Budget, Moment, Place, Rule, Start};
use super::stored::{Length, Stored, add, texts};
use super::{repeats, times};
use crate::kernel::patch::Patch;
use crate::kernel::text::Checks;
use crate::kernel::time::Instant;
use crate::kernel::{UserErrorCode, zones};
use chrono::Datelike as _;

/// Most additional and most removed starts that a client may send.
const MOST_LISTED: usize = 1_000;

/// The end of the last occurrence, or later; `None` when there may be no last one.
pub(super) fn series_end(row: &calendar_event::Model) -> Option<Instant> {
    let stored = Stored::of(row);
    let last = match stored.series().last(Budget::default()) {
        Answer::Found(last) => zones::to_chrono(last.start).max(row.start_utc),
        Answer::None => row.start_utc,
        Answer::Endless | Answer::Unknown => return None,
    };
    // An hour or two more, as wall times keep their length when clocks change; the looking back has a day more.
    let end = add(last, reach(row, &stored, &[]) - chrono::Duration::hours(24));
    times::YEARS.contains(&end.year()).then_some(end)
}

/// The same for a series with exceptions: one that holds for later occurrences may move the last of them.
pub(super) fn series_end_with(
    row: &calendar_event::Model,
    changes: &[event_override::Model],
) -> Option<Instant> {
    let lasting = changes.iter().filter(|change| holds_for_later_ones(change));
    let shifts = lasting.filter_map(|change| Some(change.end_utc? - change.original_start_utc));
    let longest = shifts.max().unwrap_or_default().max(chrono::Duration::zero());
    let end = add(series_end(row)?, longest);
    times::YEARS.contains(&end.year()).then_some(end)
}

/// Whether an exception holds for all later occurrences too.
pub(super) fn holds_for_later_ones(change: &event_override::Model) -> bool {
    change.patch["thisAndFuture"] == true
}

/// Makes a row the series that somebody asks for. Lists that are not sent stay.
pub(super) fn make_series(row: &mut calendar_event::Model, new: &NewRecurrence, checks: &mut Checks) {
    let path = "input.recurrence.rule";
    let stored = Stored::of(row);
    let rule = match Rule::parse(&new.rule).and_then(|rule| {
        rule.check_new(stored.start, &stored.zone)?;
        Ok(rule)
    }) {
        Ok(rule) => rule,
        Err(error) => return checks.fail(UserErrorCode::InvalidRecurrence, path, error.to_string()),
    };
    let mut is_fine = true;
    for (list, name) in [
        (&new.additional, "additionalStarts"),
        (&new.excluded, "excludedStarts"),
    ] {
        let list = list.as_deref().unwrap_or_default();
        let field = format!("input.recurrence.{name}");
        let is_short = list.len() <= MOST_LISTED;
        let message = format!("At most {MOST_LISTED} starts can be listed.");
        checks.require(is_short, UserErrorCode::TooLong, &field, message);
        let is_known = list.iter().all(|at| times::YEARS.contains(&at.year()));
        let message = format!(
            "Use years between {} and {}.",
            times::YEARS.start(),
            times::YEARS.end()
        );
        checks.require(is_known, UserErrorCode::OutOfRange, &field, message);
        is_fine &= is_short && is_known;
    }
    if !is_fine {
        return;
    }
    row.rrule = Some(rule.ending_as(stored.start, &stored.zone).to_string());
    row.is_recurring = true;
    let written = |list: &[Instant]| -> serde_json::Value {
        let mut seen = HashSet::new();
        let texts = list.iter().map(|at| text_of(*at, &stored));
        texts.filter(|text| seen.insert(text.clone())).collect()
    };
    if let Some(list) = &new.additional {
        row.rdates = written(list);
    }
    if let Some(list) = &new.excluded {
        row.exdates = written(list);
    }
    if Stored::of(row).series().first(Budget::default()) == Answer::None {
        let message = "No occurrence is left: all starts are removed.";
        return checks.fail(UserErrorCode::InvalidRecurrence, path, message);
    }
    row.series_end_utc = series_end(row);
}

/// Makes a row an event that takes place once.
fn make_single(row: &mut calendar_event::Model) {
    row.rrule = None;
    (row.rdates, row.exdates) = (serde_json::json!([]), serde_json::json!([]));
    row.series_end_utc = None;
    row.is_recurring = false;
}

/// An instant as the start of an occurrence, in the terms of a series.
pub(super) fn text_of(at: Instant, stored: &Stored) -> String {
    let utc = zones::from_chrono(at);
    let local = zones::local_of(utc, &stored.zone);
    match stored.start {
        Start::Day(_) => local.date().to_string(),
        Start::Floating(_) => local.to_string(),
        Start::Zoned(_) => repeats::text(local, utc, &stored.zone),
    }
}

/// What an edit makes of a series.
pub(super) struct Remade {
    /// The series, or the single event that it became.
    pub(super) row: calendar_event::Model,
    /// Its exceptions, with the keys they have now.
    pub(super) changes: Vec<event_override::Model>,
}

/// Changes when a series takes place and how it repeats. `row` is `before` with everything else already changed; `occurrence` is the one
/// that `when` is said of, the first when `None`.
pub(super) fn remake(
    before: &calendar_event::Model,
    mut row: calendar_event::Model,
    when: Option<When>,
    occurrence: Option<DateTime>,
    recurrence: &Patch<NewRecurrence>,
    changes: Vec<event_override::Model>,
    checks: &mut Checks,
) -> Remade {
    let old = Stored::of(before);
    let is_replaced = !recurrence.is_keep();
    if let Some(when) = when {
        times::store(&mut row, when);
        if let Some(local) = occurrence {
            carry_back(&mut row, local, &old);
        }
    }
    if let Patch::Clear = recurrence {
        make_single(&mut row);
        return Remade {
            row,
            changes: Vec::new(),
        };
    }
    let new = Stored::of(&row);
    let by = new.start.local().duration_since(old.start.local());
    let is_moved = by != SignedDuration::ZERO
        || std::mem::discriminant(&old.start) != std::mem::discriminant(&new.start)
        || before.time_zone != row.time_zone;
    if is_moved && before.is_recurring {
        row.rdates = texts(&before.rdates)
            .map(|text| moved_text(text, &old, &new, by))
            .collect();
        row.exdates = texts(&before.exdates)
            .map(|text| moved_text(text, &old, &new, by))
            .collect();
        if !is_replaced {
            move_rule(&mut row, &old, &new, checks);
        }
    }
    if let Patch::Set(wanted) = recurrence {
        make_series(&mut row, wanted, checks);
    }
    let series = Stored::of(&row).series();
    let mut taken = HashSet::new();
    let kept = changes.into_iter().filter_map(|mut change| {
        if is_moved {
            let local = original_local(&change, &old).checked_add(by).ok()?;
            (change.original_start, change.original_start_utc) = anchored(local, &new);
            if holds_for_later_ones(&change) {
                carry(&mut change, &row, by);
            }
        }
        let at = zones::from_chrono(change.original_start_utc);
        let is_there = !is_replaced || series.is_occurrence(at, Budget::default());
        (is_there && taken.insert(change.original_start_utc)).then_some(change)
    });
    let changes: Vec<event_override::Model> = kept.collect();
    if row.is_recurring {
        row.series_end_utc = series_end_with(&row, &changes);
    }
    Remade { row, changes }
}

/// What holds for later occurrences says how far from their original starts these are, so it moves with its series.
fn carry(change: &mut event_override::Model, row: &calendar_event::Model, by: SignedDuration) {
    let (Some(start), Some(end)) = (change.start_utc, change.end_utc) else {
        return;
    };
    let mut placed = row.clone();
    read_times(&mut placed, start, end, &change.patch);
    let terms = Stored::of(&placed);
    let Ok(moved) = terms.start.local().checked_add(by) else {
        return;
    };
    let length = Length::of(&placed, &terms);
    set_start(&mut placed, moved, &terms, &length, end - start);
    (change.start_utc, change.end_utc) = (Some(placed.start_utc), Some(placed.end_utc));
    if let Some(patch) = change.patch.as_object_mut() {
        patch.insert("time".to_owned(), time_patch(&placed));
    }
}

/// The times were said of a later occurrence: the first one moves as far.
fn carry_back(row: &mut calendar_event::Model, occurrence: DateTime, old: &Stored) {
    let said = Stored::of(row);
    let by = said.start.local().duration_since(occurrence);
    let start = old.start.local().checked_add(by).unwrap_or(said.start.local());
    let length = Length::of(row, &said);
    let exactly = row.end_utc - row.start_utc;
    set_start(row, start, &said, &length, exactly);
}

/// Writes a start and the end that follows from it.
pub(super) fn set_start(
    row: &mut calendar_event::Model,
    start: DateTime,
    terms: &Stored,
    length: &Length,
    exactly: chrono::Duration,
) {
    let start = match terms.start {
        Start::Day(_) => start.date().to_datetime(Time::midnight()),
        _ => start,
    };
    let utc = zones::to_utc(start, &terms.zone);
    let end = length.end(utc, start, &terms.zone, exactly);
    times::write(row, start, utc, end, terms);
}

/// The rule says of the new start what it said of the old one; where that is not clear somebody has to say it.
fn move_rule(row: &mut calendar_event::Model, old: &Stored, new: &Stored, checks: &mut Checks) {
    let Some(rule) = &old.rule else { return };
    let is_day = |stored: &Stored| matches!(stored.start, Start::Day(_));
    let place = |stored: &Stored| (stored.start.local(), is_day(stored));
    let ((from, from_day), (to, to_day)) = (place(old), place(new));
    let from = Place {
        local: from,
        zone: &old.zone,
        is_day: from_day,
    };
    let to = Place {
        local: to,
        zone: &new.zone,
        is_day: to_day,
    };
    let moved = rule
        .moved(from, to)
        .map(|rule| rule.ending_as(new.start, &new.zone));
    let was_given = old
        .rule_alone()
        .is_occurrence(zones::to_utc(from.local, &old.zone), Budget::default());
    row.rrule = moved.as_ref().map(ToString::to_string);
    let is_given = Stored::of(row)
        .rule_alone()
        .is_occurrence(zones::to_utc(to.local, &new.zone), Budget::default());
    if moved.is_none() || was_given && !is_given {
        let message =
            "The rule does not say how the series repeats from there. Send `recurrence` with the new times.";
        checks.fail(UserErrorCode::InvalidRecurrence, "input.recurrence", message);
    }
}

/// The wall time of a moment in the terms of its series.
pub(super) fn local_of(moment: Moment, stored: &Stored) -> DateTime {
    match moment {
        Moment::Day(day) => match stored.start {
            Start::Day(_) => day.to_datetime(Time::midnight()),
            _ => day.to_datetime(stored.start.local().time()),
        },
        Moment::Local(local) => local,
        Moment::Instant(at) => zones::local_of(at, &stored.zone),
    }
}

/// The wall time of an occurrence that only its exception tells of.
pub(super) fn original_local_of(change: &event_override::Model, row: &calendar_event::Model) -> DateTime {
    original_local(change, &Stored::of(row))
}

/// The original start of an occurrence that is written in the terms of its series.
pub(super) fn instant_of(text: &str, row: &calendar_event::Model) -> Option<Instant> {
    let moment: Moment = text.parse().ok()?;
    let stored = Stored::of(row);
    Some(zones::to_chrono(match moment {
        Moment::Instant(at) => at,
        Moment::Day(_) | Moment::Local(_) => zones::to_utc(local_of(moment, &stored), &stored.zone),
    }))
}

/// An original start that moves with its series, as exceptions do.
pub(super) fn moved_start(
    text: &str,
    before: &calendar_event::Model,
    after: &calendar_event::Model,
) -> String {
    let (old, new) = (Stored::of(before), Stored::of(after));
    let by = new.start.local().duration_since(old.start.local());
    moved_text(text, &old, &new, by)
}

/// An occurrence, known by its wall time, where it is after its series moved: its original start and wall time.
pub(super) fn moved_occurrence(
    local: DateTime,
    before: &calendar_event::Model,
    after: &calendar_event::Model,
) -> (Instant, DateTime) {
    let (old, new) = (Stored::of(before), Stored::of(after));
    let by = new.start.local().duration_since(old.start.local());
    let moved = local.checked_add(by).unwrap_or(local);
    (anchored(moved, &new).1, moved)
}

/// The original start of an occurrence as text, in the terms of its series.
pub(super) fn identity_text(row: &calendar_event::Model, at: Instant, local: DateTime) -> String {
    let stored = Stored::of(row);
    match stored.start {
        Start::Day(_) => local.date().to_string(),
        Start::Floating(_) => local.to_string(),
        Start::Zoned(_) => repeats::text(local, zones::from_chrono(at), &stored.zone),
    }
}

fn original_local(change: &event_override::Model, stored: &Stored) -> DateTime {
    match change.original_start.parse() {
        Ok(moment) => local_of(moment, stored),
        Err(_) => zones::local_of(zones::from_chrono(change.original_start_utc), &stored.zone),
    }
}

/// A wall time as the identity of an occurrence.
fn anchored(local: DateTime, stored: &Stored) -> (String, Instant) {
    let local = match stored.start {
        Start::Day(_) => local.date().to_datetime(Time::midnight()),
        _ => local,
    };
    let utc = zones::to_utc(local, &stored.zone);
    let text = match stored.start {
        Start::Day(_) => local.date().to_string(),
        _ => local.to_string(),
    };
    (text, zones::to_chrono(utc))
}

/// A stored start that moves with its series; the length of a period stays behind it.
fn moved_text(text: &str, old: &Stored, new: &Stored, by: SignedDuration) -> String {
    let (start, length) = text.split_once('/').unwrap_or((text, ""));
    let Ok(moment) = start.parse::<Moment>() else {
        return text.to_owned();
    };
    let is_day = matches!(moment, Moment::Day(_));
    let Ok(local) = local_of(moment, old).checked_add(by) else {
        return text.to_owned();
    };
    let start = if is_day {
        local.date().to_string()
    } else {
        anchored(local, new).0
    };
    if length.is_empty() {
        start
    } else {
        format!("{start}/{length}")
    }
}

/// Removes one start from a series.
pub(super) fn exclude(row: &mut calendar_event::Model, at: Instant, changes: &[event_override::Model]) {
    let stored = Stored::of(row);
    let text = text_of(at, &stored);
    let mut list: Vec<String> = texts(&row.exdates).map(str::to_owned).collect();
    if !list.contains(&text) {
        list.push(text);
    }
    row.exdates = list.into_iter().collect();
    row.series_end_utc = series_end_with(row, changes);
}

/// The wall time of the occurrence with this original start; `None` when the series has none there.
pub(super) fn find(row: &calendar_event::Model, at: Instant) -> Option<DateTime> {
    let stored = Stored::of(row);
    let utc = zones::from_chrono(at);
    let found = stored.series().take(utc, 1, Budget::default());
    let found = found.occurrences.first().filter(|found| found.start == utc)?;
    Some(found.local)
}

/// The original start of the occurrence with this wall time.
pub(super) fn start_of_occurrence(row: &calendar_event::Model, local: DateTime) -> Instant {
    anchored(local, &Stored::of(row)).1
}

/// Whether the series has an occurrence before this one.
pub(super) fn is_first(row: &calendar_event::Model, at: Instant) -> bool {
    let stored = Stored::of(row);
    let first = stored.series().first(Budget::default()).found();
    first.is_some_and(|first| zones::to_chrono(first.start) >= at)
}

/// Whether anything of the series is left.
pub(super) fn is_empty(row: &calendar_event::Model) -> bool {
    Stored::of(row).series().first(Budget::default()) == Answer::None
}
