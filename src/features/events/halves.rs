//! A series in two, for changes of an occurrence and all that follow. Pure.
//!
//! Promises: together the halves have the occurrences that the series had, each at its time: none comes back that COUNT or UNTIL had ended,
//! and the later half goes on in the rhythm of the whole, whichever occurrence it is cut at.

use entity::{calendar_event, event_override};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::own_guests::{self, OwnGuest};
use super::recurrence::{Budget, End, Moment, Occurrence, Rule, Skip, Start};
use super::remake::{self, local_of, series_end, set_start, text_of};
use super::stored::{Length, Stored, texts};
use super::{placed, times};
use crate::kernel::patch::Patch;
use crate::kernel::text::Checks;
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result, UserErrorCode, zones};

/// Counting what a rule has given so far: as many as a new series may count.
const COUNTING: Budget = Budget {
    steps: 2_000_000,
    starts: 100_001,
};
/// How many occurrences back the later half may begin: leap years are at most eight apart.
const MOST_BACK: usize = 16;

/// A series in two: what takes place before an occurrence, and what follows.
pub(super) struct Halves {
    /// The series as it ends now.
    pub(super) earlier: calendar_event::Model,
    /// The new series, which begins with the occurrence. Its ids are still those of the old one.
    pub(super) later: calendar_event::Model,
}

/// Cuts a series before the occurrence that starts, originally, at `at`.
pub(super) fn cut(row: &calendar_event::Model, at: Instant, local: DateTime) -> Result<Halves> {
    let stored = Stored::of(row);
    let (mut earlier, mut later) = (row.clone(), row.clone());
    let utc = zones::from_chrono(at);
    let is_before = |text: &str| {
        let start = text.split('/').next().unwrap_or(text);
        start
            .parse::<Moment>()
            .is_ok_and(|moment| zones::to_utc(local_of(moment, &stored), &stored.zone) < utc)
    };
    let part = |list: &serde_json::Value| -> (Vec<String>, Vec<String>) {
        texts(list).map(str::to_owned).partition(|text| is_before(text))
    };
    let (own_additions, mut additions) = part(&row.rdates);
    let (own_exclusions, mut exclusions) = part(&row.exdates);
    (earlier.rdates, earlier.exdates) = (own_additions.into(), own_exclusions.into());
    if !stored.series().is_occurrence(utc, Budget::default()) {
        // Only its exception tells of it; the later half has it for good.
        additions.push(text_of(at, &stored));
    }
    let mut first = local;
    later.rrule = None;
    if let Some(rule) = &stored.rule
        && let Some(rest) = rest(rule, &stored, utc)?
    {
        let last = match stored.start {
            Start::Day(_) => Moment::Day(local.date().yesterday().unwrap_or(local.date())),
            Start::Floating(_) => Moment::Local(second_before(local)),
            Start::Zoned(_) => Moment::Instant(utc - SignedDuration::from_secs(1)),
        };
        earlier.rrule = Some(rule.clone().ending(End::Until(last)).to_string());
        later.rrule = Some(rest.rule.to_string());
        first = rest.first;
        exclusions.extend(
            rest.again
                .iter()
                .map(|one| text_of(zones::to_chrono(one.start), &stored)),
        );
    }
    (later.rdates, later.exdates) = (additions.into(), exclusions.into());
    let exactly = row.end_utc - row.start_utc;
    set_start(&mut later, first, &stored, &Length::of(row, &stored), exactly);
    later.is_recurring = later.rrule.is_some() || texts(&later.rdates).next().is_some();
    earlier.series_end_utc = series_end(&earlier);
    later.series_end_utc = if later.is_recurring {
        series_end(&later)
    } else {
        None
    };
    Ok(Halves { earlier, later })
}

/// What a rule still gives from some instant on.
struct Rest {
    rule: Rule,
    /// Wall time of the start from which the rule says the same as before.
    first: DateTime,
    /// Starts that this begins with although they belong to the earlier half.
    again: Vec<Occurrence>,
}

/// The rest of a rule; `None` when it has ended by then, and what follows are additional starts.
fn rest(rule: &Rule, stored: &Stored, from: Timestamp) -> Result<Option<Rest>> {
    let alone = stored.rule_alone();
    let found = alone.take(from, 1, COUNTING);
    let Some(next) = found.occurrences.first() else {
        return if found.truncated {
            Err(too_long())
        } else {
            Ok(None)
        };
    };
    // Weekday, hour and interval of a rule come from its start, so the rest has to begin with one of the rule itself. An additional start
    // is none, and a day that stands in for one that its month does not have would be taken for what the rule means.
    let says_the_same =
        |one: &Occurrence| rule.skip() == Skip::Omit || one.local.day() == stored.start.local().day();
    let mut again = Vec::new();
    let mut first = next.local;
    if next.start != from || !says_the_same(next) {
        let mut before = from;
        while let Some(one) = alone.previous_before(before, COUNTING).found()
            && again.len() < MOST_BACK
        {
            before = one.start;
            again.push(one);
            if says_the_same(&one) {
                break;
            }
        }
        match again.last().copied().filter(says_the_same) {
            Some(one) => first = one.local,
            None => again.clear(),
        }
    }
    let mut rule = rule.clone();
    if let End::Count(count) = rule.end() {
        // Those that it begins with again count again.
        let given = alone.counted_before(first, COUNTING);
        let left = given.and_then(|given| count.checked_sub(u32::try_from(given).ok()?));
        rule = rule.ending(End::Count(left.ok_or_else(too_long)?));
    }
    Ok(Some(Rest { rule, first, again }))
}

/// The later half after what was said of an occurrence before it, or of its first one, for all later ones.
pub(super) struct Folded {
    /// The half, which says it itself now.
    pub(super) row: calendar_event::Model,
    /// Original start of the occurrence that it was cut at.
    pub(super) at: Instant,
    /// Its wall time.
    pub(super) local: DateTime,
    /// Its exceptions.
    pub(super) changes: Vec<event_override::Model>,
    /// Its guests, where these are others than those of the whole series.
    pub(super) guests: Option<Vec<OwnGuest>>,
}

/// Makes what holds for all later occurrences part of a later half, or they would jump back: the exception that said it stays with the earlier
/// one. `changes` are those of the whole series.
pub(super) fn fold(
    base: calendar_event::Model,
    at: Instant,
    local: DateTime,
    changes: Vec<event_override::Model>,
) -> Folded {
    let lasting = changes
        .iter()
        .filter(|change| remake::holds_for_later_ones(change) && !change.cancelled);
    let lasting = lasting.filter(|change| change.original_start_utc <= at);
    let lasting = lasting.max_by_key(|change| change.original_start_utc).cloned();
    let mut later: Vec<event_override::Model> = changes
        .into_iter()
        .filter(|change| change.original_start_utc >= at)
        .collect();
    let Some(lasting) = lasting else {
        return Folded {
            row: base,
            at,
            local,
            changes: later,
            guests: None,
        };
    };
    later.retain(|change| change.id != lasting.id);
    let guests = own_guests::of(&lasting);
    let mut row = base.clone();
    placed::read_fields(&mut row, &lasting.patch);
    let shown = placed::shifted_by(&base, &lasting, local);
    let when = times::of(&shown);
    if when == times::of(&placed::at_occurrence(&base, local)) {
        return Folded {
            row,
            at,
            local,
            changes: later,
            guests,
        };
    }
    let mut checks = Checks::default();
    let (when, keep) = (Some(when), Patch::Keep);
    let moved = remake::remake(
        &base,
        row.clone(),
        when,
        Some(local),
        &keep,
        later.clone(),
        &mut checks,
    );
    if checks.count() > 0 {
        // The rule cannot follow there; what can be said without it is said.
        later.extend((lasting.original_start_utc == at).then_some(lasting));
        return Folded {
            row,
            at,
            local,
            changes: later,
            guests,
        };
    }
    let local = Stored::of(&shown).start.local();
    Folded {
        at: remake::start_of_occurrence(&moved.row, local),
        row: moved.row,
        local,
        changes: moved.changes,
        guests,
    }
}

fn second_before(local: DateTime) -> DateTime {
    local.checked_sub(SignedDuration::from_secs(1)).unwrap_or(local)
}

fn too_long() -> Error {
    let message = "This series is too long to be split. Change the whole series.";
    Error::user(UserErrorCode::InvalidState, "scope", message)
}

#[cfg(test)]
mod tests;
