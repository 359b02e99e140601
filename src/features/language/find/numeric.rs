//! Dates in digits: `2026-12-01`, `1.12.`, `01.12.2026`, `12/1`.

use jiff::civil::Date;

use super::Sight;
use super::day::coming;
use crate::features::language::token::Kind;

/// A date in digits: the place behind it, the date, and another that it might be.
pub(super) fn date(sight: &Sight<'_>, at: usize) -> Option<(usize, Date, Option<Date>)> {
    let first = sight.at(at)?.digits()?;
    let Kind::Mark(mark @ ('-' | '.' | '/')) = sight.at(at + 1).filter(|token| !token.is_spaced)?.kind else {
        return None;
    };
    let second = joined(sight, at + 2)?;
    let third = (sight.is_mark(at + 3, mark) && sight.is_joined(at + 3))
        .then(|| joined(sight, at + 4))
        .flatten();
    match (mark, third) {
        ('-', Some(day)) if first >= 1000 => Some((at + 5, new(first, second, day)?, None)),
        ('.', Some(year)) => Some((at + 5, new(full(year), second, first)?, None)),
        // A dot at the end tells a date from a number with a fraction.
        ('.', None) if sight.is_mark(at + 3, '.') && sight.is_joined(at + 3) => {
            Some((at + 4, coming(sight.now.date(), second, first)?, None))
        }
        ('/', year) => {
            let make = |month: u32, day: u32| match year {
                Some(year) => new(full(year), month, day),
                None => coming(sight.now.date(), month, day),
            };
            let to = if year.is_some() { at + 5 } else { at + 3 };
            let (day_first, month_first) = (make(second, first), make(first, second));
            let (likely, other) = if sight.lexicon.is_day_first {
                (day_first, month_first)
            } else {
                (month_first, day_first)
            };
            let date = likely.or(other)?;
            Some((to, date, other.filter(|other| *other != date)))
        }
        _ => None,
    }
}

fn joined(sight: &Sight<'_>, at: usize) -> Option<u32> {
    sight.at(at).filter(|token| !token.is_spaced)?.digits()
}

/// Years of two digits are those of this century.
pub(super) fn full(year: u32) -> u32 {
    if year < 100 { 2000 + year } else { year }
}

/// A date within the years that a calendar can hold.
pub(super) fn new(year: u32, month: u32, day: u32) -> Option<Date> {
    if !(1900..=2200).contains(&year) {
        return None;
    }
    Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()
}
