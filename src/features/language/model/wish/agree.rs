//! Whether what a model made of a clause agrees with what the rules find in it.

use jiff::civil::{Date, Time};

use crate::features::language::build::hours_of;
use crate::features::language::find::Clock;
use crate::features::language::wishes::{
    Clause, Hours, Scope, free_hours, in_either_half, is_negated, is_start, is_stop, lexicon,
};
use crate::features::language::{Scene, Wish};

/// Whether days, times and lengths of the clause are those of the wish, and the clause does not deny it. A clause that the rules cannot take
/// apart says several things at once: then nothing can be checked, and no wish is believed.
pub(super) fn agrees(wish: &Wish, clause: &str, scene: &Scene) -> bool {
    let Some(said) = Clause::read(clause, lexicon(scene), scene.local()) else {
        return false;
    };
    days_agree(wish, &said)
        && hours_agree(wish, &said)
        && lengths_agree(wish, &said)
        && !is_denied(wish, &said)
}

fn days_agree(wish: &Wish, said: &Clause<'_>) -> bool {
    let covers = |day: Date| match &said.scope {
        Scope::Dates(dates) => dates.iter().any(|(first, behind)| *first <= day && day < *behind),
        Scope::Always | Scope::Each(_) => false,
    };
    match (&said.scope, wish) {
        (Scope::Always, _) => true,
        (Scope::Each(days), Wish::KeepFreeEach(wished, ..)) => days == wished,
        (Scope::Each(_), Wish::KeepFree(..) | Wish::OnDay(..) | Wish::First(_)) => false,
        // Every day is what the others are about anyhow.
        (Scope::Each(days), _) => days.is_empty(),
        (Scope::Dates(_), Wish::KeepFree(start, end)) => {
            // An end at midnight is that of the day before.
            let last = if end.time() == Time::midnight() {
                end.date().yesterday()
            } else {
                Ok(end.date())
            };
            covers(start.date()) && last.is_ok_and(covers)
        }
        (Scope::Dates(_), Wish::OnDay(_, day)) => covers(*day),
        // One day is named, and these are about all days.
        (Scope::Dates(_), _) => false,
    }
}

fn hours_agree(wish: &Wish, said: &Clause<'_>) -> bool {
    let ends: Vec<Time> = match wish {
        Wish::KeepFree(start, end) => vec![start.time(), end.time()],
        Wish::KeepFreeEach(_, start, end) | Wish::Energy(_, start, end) => vec![*start, *end],
        Wish::NotBefore(time) | Wish::NotAfter(time) => vec![*time],
        // No time of the clause can be in these.
        Wish::Breaks(_) | Wish::DailyLimit(_) | Wish::OnDay(..) | Wish::First(_) => {
            return said.hours == Hours::Any;
        }
    };
    let has = |clock: Clock| in_either_half(clock).any(|time| ends.contains(&time));
    match said.hours {
        Hours::Any => true,
        Hours::Between(first, last) => match wish {
            // One end of the hours of work is one wish, the other end another.
            Wish::NotBefore(_) | Wish::NotAfter(_) => has(first) || has(last),
            _ => has(first) && has(last),
        },
        Hours::Part(part) => {
            let (start, end) = hours_of(part);
            let start = start.min(free_hours(part).0);
            // Midnight ends the day; the whole day is no part of it.
            let is_inside = |time: &Time| (start..=end).contains(time);
            ends.iter().any(is_inside) && !(ends.len() == 2 && ends[0] == ends[1])
        }
        Hours::At(clock)
        | Hours::Before(clock)
        | Hours::After(clock)
        | Hours::NotBefore(clock)
        | Hours::NotAfter(clock) => has(clock),
    }
}

fn lengths_agree(wish: &Wish, said: &Clause<'_>) -> bool {
    let Some(minutes) = said.minutes else { return true };
    match wish {
        Wish::Breaks(wished) | Wish::DailyLimit(wished) => *wished == minutes,
        // The length says something that is not in the wish.
        _ => false,
    }
}

/// Whether the clause says the opposite. Models overlook a `no` more easily than a number.
fn is_denied(wish: &Wish, said: &Clause<'_>) -> bool {
    let inner = matches!(said.hours, Hours::NotBefore(_) | Hours::NotAfter(_));
    let is_negated = is_negated(&said.words);
    let (starts, stops) = (is_start(&said.words), is_stop(&said.words));
    match (wish, said.hours) {
        (Wish::Energy(level, ..), _) if said.energy.is_some_and(|found| found != *level) => true,
        (Wish::Energy(..) | Wish::OnDay(..) | Wish::First(_), _) => is_negated || inner || stops,
        (Wish::Breaks(minutes), _) => *minutes > 0 && is_negated,
        (Wish::NotAfter(_), Hours::Before(_)) | (Wish::NotBefore(_), Hours::After(_)) => is_negated,
        // `don't stop before 6` forbids no work.
        (Wish::NotBefore(_), Hours::Before(_)) => is_negated && stops,
        (Wish::NotAfter(_), Hours::After(_)) => is_negated && starts,
        (Wish::NotAfter(_), Hours::NotBefore(_)) | (Wish::NotBefore(_), Hours::NotAfter(_)) => true,
        _ => false,
    }
}
