//! Days: `tomorrow`, `next friday`, `dec 5`, `the 21st`, `end of month`, `in two weeks`; ranges of days and moments from now.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

use super::{Claimed, Meaning, Role, Sight, numeric};
use crate::features::language::words::{Part, Unit, Word};

/// A day, with what the words before it say.
pub(super) fn find(sight: &Sight<'_>, at: usize) -> Claimed {
    let (role, start) = sight.role(at);
    let start = if role == Role::Plain {
        lead(sight, at)
    } else {
        lead(sight, start)
    };
    let (to, date, other) = core(sight, start, role)?;
    Some((to, 5, Meaning::Day(role, date, other)))
}

/// Words that lead to a day and mean nothing more.
fn lead(sight: &Sight<'_>, at: usize) -> usize {
    let mut next = at;
    if sight.is(next, Word::On) || sight.is(next, Word::For) {
        next += 1;
    }
    sight.skip(next, Word::The)
}

type Day = Option<(usize, Date, Option<Date>)>;

fn core(sight: &Sight<'_>, at: usize, role: Role) -> Day {
    shift(sight, at)
        .or_else(|| next_week_day(sight, at))
        .or_else(|| weekday(sight, at))
        .or_else(|| numeric::date(sight, at))
        .or_else(|| month_day(sight, at))
        .or_else(|| end_of(sight, at))
        .or_else(|| week_or_month(sight, at, role))
        .or_else(|| day_of_month(sight, at))
        .or_else(|| later(sight, at))
}

fn only(to: usize, date: Date) -> Day {
    Some((to, date, None))
}

/// `today`, `tomorrow`, `day after tomorrow`.
fn shift(sight: &Sight<'_>, at: usize) -> Day {
    let today = sight.now.date();
    let of = |index: usize| {
        sight.pick(index, |word| match word {
            Word::Shift(days) => Some(*days),
            _ => None,
        })
    };
    if let Some(days) = of(at) {
        return only(at + 1, today.checked_add(i64::from(days).days()).ok()?);
    }
    if sight.is(at, Word::Unit(Unit::Day)) && sight.is(at + 1, Word::After) {
        let days = of(at + 2)?;
        return only(at + 3, today.checked_add((i64::from(days) + 1).days()).ok()?);
    }
    None
}

pub(super) fn weekday_at(sight: &Sight<'_>, at: usize) -> Option<Weekday> {
    sight.pick(at, |word| match word {
        Word::Weekday(day) => Some(*day),
        _ => None,
    })
}

/// The next such day after today.
fn after(today: Date, day: Weekday) -> Option<Date> {
    today.nth_weekday(1, day).ok()
}

fn monday_of_next_week(today: Date) -> Option<Date> {
    after(today, Weekday::Monday)
}

/// `friday`, `this friday`, `next friday` (of the next week), `friday next week`.
fn weekday(sight: &Sight<'_>, at: usize) -> Day {
    let today = sight.now.date();
    let (is_next, is_this) = (sight.is(at, Word::Next), sight.is(at, Word::This));
    let start = at + usize::from(is_next || is_this);
    let day = weekday_at(sight, start)?;
    // `the sun` is a star.
    if at > 0 && start == at && sight.is(at - 1, Word::The) {
        return None;
    }
    let dot = usize::from(
        sight.at(start).is_some_and(|token| token.text.len() <= 3)
            && sight.is_mark(start + 1, '.')
            && sight.is_joined(start + 1),
    );
    let to = start + 1 + dot;
    let of_week = |monday: Date| {
        let days = i64::from(day.to_monday_zero_offset());
        monday.checked_add(days.days()).ok()
    };
    if sight.is(to, Word::Next) && sight.is(to + 1, Word::Unit(Unit::Week)) {
        return only(to + 2, of_week(monday_of_next_week(today)?)?);
    }
    if is_next {
        return only(to, of_week(monday_of_next_week(today)?)?);
    }
    if today.weekday() == day {
        if is_this {
            return only(to, today);
        }
        // A week from now, although today might be meant.
        return Some((to, after(today, day)?, Some(today)));
    }
    only(to, after(today, day)?)
}

/// `next week friday`.
fn next_week_day(sight: &Sight<'_>, at: usize) -> Day {
    if !(sight.is(at, Word::Next) && sight.is(at + 1, Word::Unit(Unit::Week))) {
        return None;
    }
    let start = sight.skip(at + 2, Word::On);
    let day = weekday_at(sight, start)?;
    let monday = monday_of_next_week(sight.now.date())?;
    let days = i64::from(day.to_monday_zero_offset());
    only(start + 1, monday.checked_add(days.days()).ok()?)
}

pub(super) fn month_at(sight: &Sight<'_>, at: usize) -> Option<i8> {
    sight.pick(at, |word| match word {
        Word::Month(month) => Some(*month),
        _ => None,
    })
}

/// The day of a month in digits, with what may follow: `5`, `5th`, `5.`.
pub(super) fn day_number(sight: &Sight<'_>, at: usize) -> Option<(usize, u32)> {
    let day = sight.at(at)?.digits().filter(|day| (1..=31).contains(day))?;
    let next = at + 1;
    let has_suffix = sight.is_joined(next) && (sight.is(next, Word::Suffix) || sight.is_mark(next, '.'));
    let is_clock = sight.is_joined(next)
        && !has_suffix
        && !sight.is_mark(next, ',')
        && !sight.at(next).is_some_and(|token| token.is_dash());
    (!is_clock).then_some((next + usize::from(has_suffix), day))
}

/// `dec 5`, `5 dec`, `5th of december`, `december 5th, 2026`.
fn month_day(sight: &Sight<'_>, at: usize) -> Day {
    let (to, month, day) = if let Some(month) = month_at(sight, at) {
        let next = at + 1;
        let next = next + usize::from(sight.is_mark(next, '.') && sight.is_joined(next));
        let (to, day) = day_number(sight, sight.skip(next, Word::The))?;
        (to, month, day)
    } else {
        let (next, day) = day_number(sight, at)?;
        let next = sight.skip(next, Word::Of);
        (next + 1, month_at(sight, next)?, day)
    };
    with_year(sight, to, u32::try_from(month).ok()?, day)
}

fn with_year(sight: &Sight<'_>, to: usize, month: u32, day: u32) -> Day {
    let comma = usize::from(sight.is_mark(to, ','));
    let year = sight.at(to + comma).and_then(|token| token.digits());
    if let Some(year) = year.filter(|year| (2000..=2200).contains(year)) {
        return only(to + comma + 1, numeric::new(year, month, day)?);
    }
    only(to, coming(sight.now.date(), month, day)?)
}

/// The date in this year, or the next one when it is over.
pub(super) fn coming(today: Date, month: u32, day: u32) -> Option<Date> {
    let year = u32::try_from(today.year()).ok()?;
    let this = numeric::new(year, month, day);
    match this {
        Some(date) if date >= today => this,
        // The 29th of February comes every four years, at times eight.
        _ => (1..=8).find_map(|more| numeric::new(year + more, month, day)),
    }
}

/// `end of month`, `end of the week`, `eow`.
fn end_of(sight: &Sight<'_>, at: usize) -> Day {
    let short = sight.pick(at, |word| match word {
        Word::EndOf(unit) => Some(*unit),
        _ => None,
    });
    let (to, unit, is_next) = match short {
        Some(unit) => (at + 1, unit, false),
        None => {
            let start = sight.is(at, Word::End).then(|| sight.skip(at + 1, Word::Of))?;
            let start = sight.skip(start, Word::The);
            if let Some(month) = month_at(sight, start) {
                let date = coming(sight.now.date(), u32::try_from(month).ok()?, 28)?;
                return only(start + 1, date.last_of_month());
            }
            let is_next = sight.is(start, Word::Next);
            let start = start + usize::from(is_next || sight.is(start, Word::This));
            (start + 1, unit_at(sight, start)?, is_next)
        }
    };
    let today = sight.now.date();
    let base = if is_next { add(today, unit, 1)? } else { today };
    let date = match unit {
        Unit::Day => base,
        // Friday; on a weekend the one that is coming.
        Unit::Week if base.weekday() == Weekday::Friday => base,
        Unit::Week => after(base, Weekday::Friday)?,
        Unit::Month => base.last_of_month(),
        Unit::Quarter => numeric::new(
            u32::try_from(base.year()).ok()?,
            u32::try_from((base.month() - 1) / 3 * 3 + 3).ok()?,
            1,
        )?
        .last_of_month(),
        Unit::Year => base.last_of_year(),
        Unit::Minute | Unit::Hour => return None,
    };
    only(to, date)
}

pub(super) fn unit_at(sight: &Sight<'_>, at: usize) -> Option<Unit> {
    sight.pick(at, |word| match word {
        Word::Unit(unit) => Some(*unit),
        _ => None,
    })
}

/// `next week`, `this week`, `next month`, `weekend`, `in december`.
fn week_or_month(sight: &Sight<'_>, at: usize, role: Role) -> Day {
    let today = sight.now.date();
    let is_deadline = matches!(role, Role::By | Role::Until | Role::Hard);
    if sight.is(at, Word::In)
        && let Some(month) = month_at(sight, at + 1)
    {
        return only(
            at + 2,
            coming(today.first_of_month(), u32::try_from(month).ok()?, 1)?.max(today),
        );
    }
    let (is_next, is_this) = (sight.is(at, Word::Next), sight.is(at, Word::This));
    let start = at + usize::from(is_next || is_this);
    if sight.is(start, Word::Weekend) {
        let saturday = match today.weekday() {
            Weekday::Saturday | Weekday::Sunday if !is_next => today,
            _ => after(today, Weekday::Saturday)?,
        };
        let is_later = is_next && !matches!(today.weekday(), Weekday::Saturday | Weekday::Sunday);
        return only(
            start + 1,
            if is_later {
                saturday.checked_add(1.week()).ok()?
            } else {
                saturday
            },
        );
    }
    if !is_next && !is_this {
        return None;
    }
    let date = match (unit_at(sight, start)?, is_next) {
        (Unit::Week, true) if is_deadline => monday_of_next_week(today)?.checked_add(4.days()).ok()?,
        (Unit::Week, true) => monday_of_next_week(today)?,
        (Unit::Week, false) if today.weekday() == Weekday::Friday => today,
        (Unit::Week, false) => after(today, Weekday::Friday)?,
        (Unit::Month, true) if is_deadline => today.last_of_month().tomorrow().ok()?.last_of_month(),
        (Unit::Month, true) => today.last_of_month().tomorrow().ok()?,
        (Unit::Month, false) => today.last_of_month(),
        (Unit::Year, true) => today.last_of_year().tomorrow().ok()?,
        (Unit::Year, false) => today.last_of_year(),
        _ => return None,
    };
    only(start + 1, date)
}

/// `the 5th`, `21st`: the next such day of a month.
fn day_of_month(sight: &Sight<'_>, at: usize) -> Day {
    let day = sight.at(at)?.digits().filter(|day| (1..=31).contains(day))?;
    if !(sight.is_joined(at + 1) && sight.is(at + 1, Word::Suffix)) {
        return None;
    }
    let today = sight.now.date();
    let mut month = today.first_of_month();
    for _ in 0..3 {
        let date = Date::new(month.year(), month.month(), i8::try_from(day).ok()?);
        if let Ok(date) = date
            && date >= today
        {
            return only(at + 2, date);
        }
        month = month.last_of_month().tomorrow().ok()?;
    }
    None
}

pub(super) fn add(date: Date, unit: Unit, number: u32) -> Option<Date> {
    let number = i64::from(number.min(1_000));
    let span = match unit {
        Unit::Day => number.days(),
        Unit::Week => number.weeks(),
        Unit::Month => number.months(),
        Unit::Quarter => (number * 3).months(),
        Unit::Year => number.min(100).years(),
        Unit::Minute | Unit::Hour => return None,
    };
    date.checked_add(span).ok()
}

/// `in two weeks`, `2 weeks from now`.
fn later(sight: &Sight<'_>, at: usize) -> Day {
    let start = sight.skip(at, Word::In);
    // Some languages say `in week` for a week from now.
    let is_one = start > at && unit_at(sight, start).is_some();
    let number = if is_one { 1 } else { sight.number(start)? };
    let to = if is_one { start + 1 } else { start + 2 };
    let unit = unit_at(sight, to - 1)?;
    let is_from_now = sight.is(to, Word::From) && sight.is(to + 1, Word::Now);
    if start == at && !is_from_now {
        return None;
    }
    only(
        to + if is_from_now { 2 } else { 0 },
        add(sight.now.date(), unit, number)?,
    )
}

/// `in 3 hours`, `in half an hour`: a moment.
pub(super) fn moment(sight: &Sight<'_>, at: usize) -> Claimed {
    if !sight.is(at, Word::In) {
        return None;
    }
    let (to, minutes) = super::length::minutes(sight, at + 1)?;
    let moment = sight.now.checked_add(i64::from(minutes).minutes()).ok()?;
    let moment = moment.date().at(moment.hour(), moment.minute(), 0, 0);
    Some((to, 5, Meaning::Moment(Role::Plain, moment)))
}

/// `dec 5-8`, `5-8 dec`, `dec 5 to dec 8`, `monday to wednesday`.
pub(super) fn range(sight: &Sight<'_>, at: usize) -> Claimed {
    let start = lead(sight, sight.skip(at, Word::From));
    let is_between = |index: usize| {
        sight.at(index).is_some_and(|token| token.is_dash())
            || sight.is(index, Word::To)
            || sight.is(index, Word::Until)
    };
    // `5-8 dec`
    if let Some((dash, first)) = day_number(sight, start)
        && is_between(dash)
        && let Some((next, last)) = day_number(sight, dash + 1)
        && let Some(month) = month_at(sight, sight.skip(next, Word::Of))
    {
        let next = sight.skip(next, Word::Of);
        let (to, end, _) = with_year(sight, next + 1, u32::try_from(month).ok()?, last)?;
        let begin = Date::new(end.year(), end.month(), i8::try_from(first).ok()?).ok()?;
        return (begin < end).then_some((to, 12, Meaning::Days(begin, end)));
    }
    let (dash, begin, _) = core(sight, start, Role::Plain)?;
    if !is_between(dash) {
        return None;
    }
    let second = sight.skip(dash + 1, Word::The);
    if let Some((to, end, _)) = core(sight, second, Role::Plain) {
        let end = if end < begin { next_after(begin, end)? } else { end };
        return (begin < end).then_some((to, 12, Meaning::Days(begin, end)));
    }
    // `dec 5-8`
    month_at(sight, start)?;
    let (to, day) = day_number(sight, second)?;
    let end = Date::new(begin.year(), begin.month(), i8::try_from(day).ok()?).ok()?;
    let (to, end) = match sight
        .at(to)
        .and_then(|token| token.digits())
        .filter(|year| (2000..=2200).contains(year))
    {
        Some(year) => (to + 1, numeric::new(year, u32::try_from(end.month()).ok()?, day)?),
        None => (to, end),
    };
    (begin < end).then_some((to, 12, Meaning::Days(begin.min(end), end)))
}

/// `saturday to monday` may begin late in a week: the second day is the first such day behind the first.
fn next_after(begin: Date, end: Date) -> Option<Date> {
    let weeks = (begin - end).get_days() / 7 + 1;
    end.checked_add(i64::from(weeks).weeks()).ok()
}

/// Whether a day is meant at this place, for what stands beside it.
pub(super) fn is_day_word(sight: &Sight<'_>, at: usize) -> bool {
    weekday_at(sight, at).is_some()
        || sight
            .pick(at, |word| matches!(word, Word::Shift(_)).then_some(()))
            .is_some()
}

/// The part of a day that stands at this place.
pub(super) fn part_at(sight: &Sight<'_>, at: usize) -> Option<Part> {
    sight.pick(at, |word| match word {
        Word::Part(part) => Some(*part),
        _ => None,
    })
}
