//! Times of day: `3pm`, `15:30`, `at 7`, `half past 3`, `9-17`, `in the morning`.

use super::day::{is_day_word, month_at, part_at, unit_at};
use super::{Claimed, Meaning, Role, Sight};
use crate::features::language::words::{Part, Unit, Word};

/// A time as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::features::language) struct Clock {
    pub(in crate::features::language) hour: i8,
    pub(in crate::features::language) minute: i8,
    /// Whether it may be of either half of the day.
    pub(in crate::features::language) is_open: bool,
}

impl Clock {
    /// Minutes from midnight.
    pub(in crate::features::language) fn minutes(self) -> i32 {
        i32::from(self.hour) * 60 + i32::from(self.minute)
    }

    /// The same time in the other half of the day.
    pub(in crate::features::language) fn flipped(self) -> Self {
        let hour = if self.hour >= 12 {
            self.hour - 12
        } else {
            self.hour + 12
        };
        Self { hour, ..self }
    }

    /// In the half of the day in which people are up.
    pub(in crate::features::language) fn likely(self, is_late: bool) -> Self {
        let earliest = if is_late { 5 } else { 7 };
        let is_night = self.hour < earliest;
        let is_evening = is_late && (5..=11).contains(&self.hour);
        if self.is_open && (is_night || is_evening) && self.hour < 12 {
            return self.flipped();
        }
        self
    }
}

fn clock(hour: u32, minute: u32, is_open: bool) -> Option<Clock> {
    if hour > 24 || minute > 59 || (hour == 24 && minute > 0) {
        return None;
    }
    Some(Clock {
        hour: i8::try_from(hour % 24).ok()?,
        minute: i8::try_from(minute).ok()?,
        is_open: is_open && (1..=12).contains(&hour),
    })
}

/// What stands behind the number of an hour.
enum Half {
    Am,
    Pm,
    Either,
    Whole,
}

/// `am`, `p.m.`, `o'clock`, `Uhr` at a place.
fn half(sight: &Sight<'_>, at: usize) -> Option<(usize, Half)> {
    if sight.is(at, Word::Am) {
        return Some((at + 1, Half::Am));
    }
    if sight.is(at, Word::Pm) {
        return Some((at + 1, Half::Pm));
    }
    if sight.is(at, Word::Oclock) {
        return Some((at + 1, Half::Either));
    }
    if sight.is(at, Word::Hour24) {
        return Some((at + 1, Half::Whole));
    }
    // `p.m.`
    let letter = sight.at(at)?.lower.as_str();
    let dots = sight.is_mark(at + 1, '.') && sight.is_joined(at + 1) && sight.is_joined(at + 2);
    if dots && sight.at(at + 2).is_some_and(|token| token.lower == "m") {
        let to = at + 3 + usize::from(sight.is_mark(at + 3, '.') && sight.is_joined(at + 3));
        return match letter {
            "a" => Some((to, Half::Am)),
            "p" => Some((to, Half::Pm)),
            _ => None,
        };
    }
    // `3p`
    match letter {
        "a" if sight.is_joined(at) => Some((at + 1, Half::Am)),
        "p" if sight.is_joined(at) => Some((at + 1, Half::Pm)),
        _ => None,
    }
}

/// A time that says by itself that it is one; with `is_bare` also a number alone.
fn core(sight: &Sight<'_>, at: usize, is_bare: bool) -> Option<(usize, Clock)> {
    if let Some(found) = in_words(sight, at) {
        return Some(found);
    }
    let hour = sight.at(at)?.digits().filter(|hour| *hour <= 24)?;
    let two_digits = |index: usize| {
        let token = sight
            .at(index)
            .filter(|token| !token.is_spaced && token.text.len() == 2)?;
        token.digits().filter(|minute| *minute < 60)
    };
    let colon = sight.is_mark(at + 1, ':') && sight.is_joined(at + 1);
    let dot = sight.is_mark(at + 1, '.') && sight.is_joined(at + 1);
    let minute = if colon || dot { two_digits(at + 2) } else { None };
    let next = if minute.is_some() { at + 3 } else { at + 1 };
    let is_fraction = dot && minute.is_some();
    let (to, read) = match half(sight, next) {
        Some((to, Half::Am)) if (1..=12).contains(&hour) => {
            (to, clock(hour % 12, minute.unwrap_or(0), false)?)
        }
        Some((to, Half::Pm)) if (1..=12).contains(&hour) => {
            (to, clock(hour % 12 + 12, minute.unwrap_or(0), false)?)
        }
        Some((to, Half::Either)) => (to, clock(hour, minute.unwrap_or(0), true)?),
        Some((to, Half::Whole)) => {
            // `15 Uhr 30`
            let after = sight
                .at(to)
                .filter(|token| token.text.len() == 2)
                .and_then(|token| token.digits());
            match after.filter(|minute| *minute < 60 && sight.at(to).is_some_and(|token| token.is_spaced)) {
                Some(minute) => (to + 1, clock(hour, minute, false)?),
                None => (to, clock(hour, minute.unwrap_or(0), false)?),
            }
        }
        // Hours with a leading zero and those behind noon are of 24.
        None if minute.is_some() && !is_fraction => {
            let is_open = (1..=12).contains(&hour) && sight.at(at).is_some_and(|token| token.text.len() == 1);
            (next, clock(hour, minute.unwrap_or(0), is_open && hour < 7)?)
        }
        None if is_bare => {
            let is_open = sight.at(at).is_some_and(|token| !token.text.starts_with('0'));
            let is_more = sight.is_joined(next)
                && !sight.at(next).is_some_and(|token| {
                    token.is_dash() || matches!(token.text, "," | "." | "!" | "?" | ")" | ";")
                });
            let is_counted = unit_at(sight, next).is_some() || month_at(sight, next).is_some();
            if is_more || is_counted || is_fraction {
                return None;
            }
            (next, clock(hour, 0, is_open)?)
        }
        _ => return None,
    };
    Some(in_part(sight, to, read))
}

/// `3 in the afternoon`, `8 this evening`: the words decide the half of the day.
fn in_part(sight: &Sight<'_>, to: usize, read: Clock) -> (usize, Clock) {
    let start = if sight.is(to, Word::In) || sight.is(to, Word::This) || sight.is(to, Word::At) {
        sight.skip(to + 1, Word::The)
    } else {
        to
    };
    let Some(part) = part_at(sight, start).filter(|_| read.hour <= 12) else {
        return (to, read);
    };
    let hour = match part {
        Part::Morning => read.hour % 12,
        Part::Afternoon | Part::Evening => read.hour % 12 + 12,
        Part::Night if read.hour >= 6 && read.hour < 12 => read.hour + 12,
        Part::Night => read.hour % 12,
        Part::Noon | Part::Midnight => return (to, read),
    };
    let read = Clock {
        hour,
        is_open: false,
        ..read
    };
    (start + 1, read)
}

/// `noon`, `half past 3`, `quarter to 4`.
fn in_words(sight: &Sight<'_>, at: usize) -> Option<(usize, Clock)> {
    match part_at(sight, at) {
        Some(Part::Noon) => return Some((at + 1, clock(12, 0, false)?)),
        Some(Part::Midnight) => return Some((at + 1, clock(0, 0, false)?)),
        _ => {}
    }
    let shift = if sight.is(at, Word::Half) {
        30
    } else if sight.is(at, Word::Quarter) {
        15
    } else {
        return None;
    };
    let is_past = sight.is(at + 1, Word::Past);
    let is_before = shift == 15 && sight.is(at + 1, Word::To);
    if !is_past && !is_before {
        return None;
    }
    let hour = sight.number(at + 2).filter(|hour| (1..=12).contains(hour))?;
    let read = if is_past {
        clock(hour, shift, true)?
    } else {
        clock(if hour == 1 { 12 } else { hour - 1 }, 60 - shift, true)?
    };
    match half(sight, at + 3) {
        Some((to, Half::Am)) => Some((
            to,
            clock(
                u32::try_from(read.hour % 12).ok()?,
                u32::try_from(read.minute).ok()?,
                false,
            )?,
        )),
        Some((to, Half::Pm)) => Some((
            to,
            clock(
                u32::try_from(read.hour % 12 + 12).ok()?,
                u32::try_from(read.minute).ok()?,
                false,
            )?,
        )),
        _ => Some(in_part(sight, at + 3, read)),
    }
}

/// A time, with what the words before it say.
pub(super) fn find(sight: &Sight<'_>, at: usize) -> Claimed {
    if sight.is(at, Word::Tonight) {
        return Some((at + 1, 5, Meaning::Part(Part::Night)));
    }
    let (role, start) = sight.role(at);
    let is_at = sight.is(start, Word::At);
    let start = start + usize::from(is_at);
    let is_bare = is_at || (matches!(role, Role::From | Role::By | Role::Hard) && !is_amount(sight, start));
    let (to, read) = core(sight, start, is_bare)?;
    Some((to, 5, Meaning::Time(role, read)))
}

/// A number that counts something: `from 3 people`.
fn is_amount(sight: &Sight<'_>, at: usize) -> bool {
    sight.at(at + 1).is_some_and(|next| {
        next.kind == crate::features::language::token::Kind::Word && next.words.is_empty()
    })
}

/// `3-4pm`, `from 9 to 17`, `between 2 and 3:30pm`, `tuesday 11-12`.
pub(super) fn range(sight: &Sight<'_>, at: usize) -> Claimed {
    // Only behind a day, because `chapters 5-8 friday` are no hours.
    let follows_day = |end: usize| at > 0 && is_day_word(sight, at - 1) && !is_amount(sight, end - 1);
    range_if(sight, at, follows_day)
}

/// `lunch 12-1`, `12-1 free`: hours for what stands beside them.
pub(super) fn bare_range(sight: &Sight<'_>, at: usize) -> Claimed {
    let tells = |index: usize| {
        [Word::Free, Word::Work, Word::Meeting]
            .iter()
            .any(|word| sight.is(index, *word))
    };
    range_if(sight, at, |end| {
        sight.is(end, Word::Free) || (at > 0 && tells(at - 1) && !is_amount(sight, end - 1))
    })
}

/// A range of hours; one of two bare numbers only if what ends there is known to be hours.
fn range_if(sight: &Sight<'_>, at: usize, is_hours: impl Fn(usize) -> bool) -> Claimed {
    let is_between = sight.is(at, Word::Between);
    let is_led = is_between || sight.is(at, Word::From) || sight.is(at, Word::At);
    let start = at + usize::from(is_led);
    let (middle, first) = core(sight, start, true)?;
    let is_joint = if is_between {
        sight.is(middle, Word::And)
    } else {
        sight.at(middle).is_some_and(|token| token.is_dash())
            || sight.is(middle, Word::To)
            || sight.is(middle, Word::Until)
    };
    if !is_joint {
        return None;
    }
    let (to, second) = core(sight, middle + 1, true)?;
    let is_bare = |from: usize, to: usize| to == from + 1 && part_at(sight, from).is_none();
    let says_time = !is_bare(start, middle) || !is_bare(middle + 1, to);
    if !is_led && !says_time && !is_hours(to) {
        return None;
    }
    // `2026-12-01` and `5-8 dec` are dates.
    if month_at(sight, to).is_some()
        || (sight.is_joined(to) && sight.at(to).is_some_and(|token| token.is_dash()))
    {
        return None;
    }
    let (first, second) = settle(first, second);
    Some((to, 12, Meaning::Times(first, second)))
}

/// The halves of the day of both ends of a range: each tells about the other.
fn settle(first: Clock, second: Clock) -> (Clock, Clock) {
    let closed = |clock: Clock| Clock {
        is_open: false,
        ..clock
    };
    match (first.is_open, second.is_open) {
        // `11-1pm` begins before noon, `3-4pm` after it.
        (true, false) => {
            let options = [first, first.flipped()].map(closed);
            let fits = |option: &Clock| option.minutes() < second.minutes();
            let best = options
                .iter()
                .copied()
                .filter(fits)
                .max_by_key(|option| option.minutes());
            (best.unwrap_or(closed(first)), second)
        }
        (_, true) => {
            let begin = first.likely(false);
            let options = [second, second.flipped()].map(closed);
            let fits = |option: &Clock| option.minutes() > begin.minutes();
            let best = options
                .iter()
                .copied()
                .filter(fits)
                .min_by_key(|option| option.minutes());
            (
                Clock {
                    is_open: first.is_open,
                    ..begin
                },
                best.unwrap_or(closed(second)),
            )
        }
        (false, false) => (first, second),
    }
}

/// `in the morning`, `tomorrow evening`, `this afternoon`, `at night`.
pub(super) fn part(sight: &Sight<'_>, at: usize) -> Claimed {
    let lead = if sight.is(at, Word::In)
        || sight.is(at, Word::This)
        || sight.is(at, Word::At)
        || sight.is(at, Word::On)
    {
        sight.skip(at + 1, Word::The)
    } else {
        at
    };
    let part = part_at(sight, lead)?;
    let follows_day = at > 0 && is_day_word(sight, at - 1);
    if lead == at && !follows_day && !matches!(part, Part::Noon | Part::Midnight) {
        return None;
    }
    if matches!(part, Part::Noon | Part::Midnight) && lead == at {
        return None;
    }
    let this = sight.is(at, Word::This);
    Some((lead + 1, if this { 4 } else { 3 }, Meaning::Part(part)))
}

/// Whether a unit at this place measures a time of day.
pub(super) fn is_short(unit: Unit) -> bool {
    matches!(unit, Unit::Minute | Unit::Hour)
}
