//! EXRULE, a rule that says what does not take place: what it excludes becomes single dates, or is left out of the rule of the series.
//!
//! RFC 5545 has it no more, but old files do, and calendars that read them hand it on. Promises: looks at a bounded number of occurrences
//! and gives a bounded number of dates, whatever the rule; where they do not reach to the end of the series and no single rule says what is
//! left, a note says how far they do.

use std::collections::HashSet;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{
    component::Component,
    model::{EventTime, ExtraDate, Moment},
    moment,
    notes::Notes,
    rule,
    zone_book::ZoneBook,
};
use crate::features::events::recurrence::{
    Addition, Answer, Budget, Expansion, Moment as Written, Parts, Rule, Series, Start,
};

/// More dates than this do not become of the rules of one event: the weekends of nearly five years.
const MOST_DATES: usize = 500;
/// One object of a file must not hold up the others.
const BUDGET: Budget = Budget {
    steps: 20_000,
    starts: 20_000,
};

/// What the EXRULEs of an event make of its series.
#[derive(Debug, Default)]
pub(super) struct Excluded {
    /// Starts that do not take place.
    pub(super) dates: Vec<Moment>,
    /// The rule of the series, where it had to become another one.
    pub(super) rule: Option<String>,
}

/// What the EXRULEs of an event exclude; `rule` is its own rule, which was checked.
pub(super) fn read(
    component: &Component<'_>,
    (time, rule, extras): (&EventTime, Option<&str>, &[ExtraDate]),
    book: &ZoneBook<'_, '_>,
    notes: &mut Notes,
) -> Excluded {
    let mut rules = Vec::new();
    for line in component.all("EXRULE") {
        if !book.may_exclude() {
            notes.add(
                line.number,
                "There are too many rules that exclude occurrences (EXRULE); the others were ignored.",
            );
            break;
        }
        match parse(line.value().unwrap_or_default()) {
            Ok(rule) => rules.push((line.number, rule)),
            Err(reason) => notes.add(
                line.number,
                &format!("{reason} This rule that excludes occurrences (EXRULE) was ignored."),
            ),
        }
    }
    let mut all = Excluded::default();
    if rules.is_empty() {
        return all;
    }
    let (start, zone) = terms(time);
    let mut own = rule.and_then(|text| Rule::read(text).ok()).map(|(rule, _)| rule);
    let additions: Vec<Addition> = extras.iter().map(addition).collect();
    let expanded = |rule: Option<&Rule>| {
        let series = Series::new(&Parts {
            rule,
            additions: &additions,
            ..Parts::new(start, &zone)
        });
        series.expand(Timestamp::MIN..Timestamp::MAX, BUDGET)
    };
    let mut starts = expanded(own.as_ref());
    for (line, rule) in &rules {
        let excluding = Series::new(&Parts {
            rule: Some(rule),
            ..Parts::new(start, &zone)
        });
        let most = MOST_DATES.saturating_sub(all.dates.len());
        let (mut found, mut reach) = excluded(&starts, &excluding, most);
        let weekday = start.local().date().weekday();
        let left = own.as_ref().filter(|_| reach.is_some());
        if let Some(left) = left.and_then(|own| own.without(rule, weekday)) {
            // What is not of the rule is excluded as before. So is the first start, which others take for an occurrence in any case.
            (found, reach) = excluded(&expanded(None), &excluding, most);
            starts = expanded(Some(&left));
            all.rule = Some(left.to_string());
            own = Some(left);
        }
        all.dates
            .extend(found.into_iter().map(|local| written(local, time)));
        if let Some(reach) = reach {
            notes.add(
                *line,
                &format!(
                    "What is excluded by a rule (EXRULE) was read up to {} only; what it excludes later takes place here.",
                    reach.date()
                ),
            );
        }
    }
    all
}

fn parse(text: &str) -> Result<Rule, String> {
    let checked = rule::check(text)?;
    let read = Rule::read(&checked.text);
    read.map(|(rule, _)| rule).map_err(|error| error.to_string())
}

/// The starts that a series excludes, at most so many, and until when they are known where that is not to the end.
fn excluded(starts: &Expansion, excluding: &Series, most: usize) -> (Vec<DateTime>, Option<DateTime>) {
    let Some(last) = starts.occurrences.last() else {
        return (Vec::new(), None);
    };
    let end = last.start.checked_add(SignedDuration::from_secs(1));
    let theirs = excluding.expand(Timestamp::MIN..end.unwrap_or(Timestamp::MAX), BUDGET);
    let instants: HashSet<Timestamp> = theirs.occurrences.iter().map(|one| one.start).collect();
    let mut found = starts
        .occurrences
        .iter()
        .filter(|one| instants.contains(&one.start));
    let dates: Vec<DateTime> = found.by_ref().take(most).map(|one| one.local).collect();
    // What comes after all that was looked at may be excluded as well, unless the rule has ended by then.
    let is_open = starts.truncated
        && match excluding.last(BUDGET) {
            Answer::Found(ending) => ending.start > last.start,
            Answer::None => false,
            Answer::Endless | Answer::Unknown => true,
        };
    let reach = match found.next() {
        Some(left_out) => Some(left_out.local),
        None if theirs.truncated => Some(theirs.occurrences.last().map_or(last.local, |one| one.local)),
        None => is_open.then_some(last.local),
    };
    (dates, reach)
}

/// The first start and the zone in which the engine looks: what has no zone is taken as it is written.
fn terms(time: &EventTime) -> (Start, TimeZone) {
    match time {
        EventTime::AllDay { start, .. } => (Start::Day(*start), TimeZone::UTC),
        EventTime::Floating { start, .. } => (Start::Floating(*start), TimeZone::UTC),
        EventTime::Timed { start, .. } => (Start::Zoned(start.local), start.zone.time_zone()),
    }
}

fn addition(extra: &ExtraDate) -> Addition {
    Addition::from(match &extra.start {
        Moment::Date(day) => Written::Day(*day),
        Moment::Floating(local) => Written::Local(*local),
        Moment::Zoned(time) => Written::Instant(time.utc),
    })
}

/// A start in the terms of its event.
fn written(local: DateTime, time: &EventTime) -> Moment {
    match time {
        EventTime::AllDay { .. } => Moment::Date(local.date()),
        EventTime::Floating { .. } => Moment::Floating(local),
        EventTime::Timed { start, .. } => Moment::Zoned(moment::zoned(local, start)),
    }
}
