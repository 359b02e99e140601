//! Lengths: `2h`, `1h30`, `90 min`, `half an hour`, `for 3 days`, `in 30 min blocks`.

use super::day::unit_at;
use super::time::is_short;
use super::{Claimed, Meaning, Sight};
use crate::features::language::words::{Unit, Word};

/// Longest piece of work, in minutes: ten days.
const LONGEST: u32 = 14_400;

fn capped(minutes: u32) -> Option<i32> {
    i32::try_from(minutes)
        .ok()
        .filter(|_| (1..=LONGEST).contains(&minutes))
}

/// Minutes that stand at a place.
pub(super) fn minutes(sight: &Sight<'_>, at: usize) -> Option<(usize, i32)> {
    half_hour(sight, at).or_else(|| measured(sight, at))
}

/// `half an hour`, `half hour`.
fn half_hour(sight: &Sight<'_>, at: usize) -> Option<(usize, i32)> {
    if !sight.is(at, Word::Half) {
        return None;
    }
    if sight.at(at)?.lower == "полчаса" {
        return Some((at + 1, 30));
    }
    let next = sight.skip(at + 1, Word::A);
    sight.is(next, Word::Unit(Unit::Hour)).then_some((next + 1, 30))
}

/// A number with its unit, and perhaps a smaller unit behind it.
fn measured(sight: &Sight<'_>, at: usize) -> Option<(usize, i32)> {
    let number = sight.number(at)?;
    // `1.5h`, `1,5 h`
    let has_fraction = sight.is_joined(at + 1)
        && (sight.is_mark(at + 1, '.') || sight.is_mark(at + 1, ','))
        && sight.is_joined(at + 2)
        && sight
            .at(at + 2)
            .is_some_and(|token| token.digits().is_some() && token.text.len() <= 2);
    let tenths = if has_fraction {
        let token = sight.at(at + 2)?;
        let digits = token.digits()?;
        if token.text.len() == 1 {
            digits * 10
        } else {
            digits
        }
    } else {
        0
    };
    let next = if has_fraction { at + 3 } else { at + 1 };
    // `30-minute`
    let next =
        next + usize::from(sight.is_mark(next, '-') && sight.is_joined(next) && sight.is_joined(next + 1));
    let unit = unit_at(sight, next).filter(|unit| is_short(*unit))?;
    // A lone `m` means minutes only when it touches its number.
    if sight.at(next)?.text.chars().count() == 1 && !sight.is_joined(next) && unit == Unit::Minute {
        return None;
    }
    let to = next + 1;
    if unit == Unit::Minute {
        return Some((to, capped(number)?));
    }
    let base = number.checked_mul(60)?.checked_add(tenths * 60 / 100)?;
    // `1h30`, `1h30m`, `1 h 30 min`, `an hour and a half`
    if sight.is(to, Word::And) && sight.is(to + 1, Word::A) && sight.is(to + 2, Word::Half) {
        return Some((to + 3, capped(base + 30)?));
    }
    if let Some(more) = sight
        .at(to)
        .and_then(|token| token.digits())
        .filter(|more| *more < 60)
    {
        let is_minute = unit_at(sight, to + 1) == Some(Unit::Minute);
        if is_minute {
            return Some((to + 2, capped(base + more)?));
        }
        if sight.is_joined(to) && sight.at(to)?.text.len() == 2 {
            return Some((to + 1, capped(base + more)?));
        }
    }
    Some((to, capped(base)?))
}

/// How long it takes.
pub(super) fn find(sight: &Sight<'_>, at: usize) -> Claimed {
    let is_led = sight.is(at, Word::For) || sight.is(at, Word::Takes);
    let mut start = at + usize::from(is_led);
    if is_led {
        start = sight.skip(start, Word::Takes);
    }
    let (to, minutes) = minutes(sight, start)?;
    let is_in_digits = sight.at(start)?.digits().is_some();
    // `Spend an hour on it`: without a leading word a length in words is part of the title.
    (is_led || is_in_digits).then_some((to, 5, Meaning::Minutes(minutes)))
}

/// `for 3 days`.
pub(super) fn span(sight: &Sight<'_>, at: usize) -> Claimed {
    if !sight.is(at, Word::For) {
        return None;
    }
    let number = sight.number(at + 1)?;
    let days = match unit_at(sight, at + 2)? {
        Unit::Day => number,
        Unit::Week => number.checked_mul(7)?,
        Unit::Month => number.checked_mul(30)?,
        _ => return None,
    };
    let days = i32::try_from(days).ok().filter(|days| (1..=366).contains(days))?;
    Some((at + 3, 4, Meaning::Span(days)))
}

/// `in 30 min blocks`, `split into 25-minute sessions`, `split`.
pub(super) fn chunk(sight: &Sight<'_>, at: usize) -> Claimed {
    let mut start = at;
    let is_split = sight.is(start, Word::Split);
    start += usize::from(is_split);
    let is_into = sight.is(start, Word::In) || sight.at(start).is_some_and(|token| token.lower == "into");
    start += usize::from(is_into);
    let (to, minutes) = minutes(sight, start)?;
    // `30-min-blocks`
    let to = to + usize::from(sight.is_mark(to, '-') && sight.is_joined(to));
    if !sight.is(to, Word::Block) {
        return None;
    }
    (5..=480)
        .contains(&minutes)
        .then_some((to + 1, 8, Meaning::Chunk(Some(minutes))))
}
