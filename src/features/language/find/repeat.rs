//! Repetition: `every other tuesday`, `mondays`, `every last friday of the month`, `daily`, `10 times`.

use jiff::civil::Weekday;

use super::day::{day_number, month_at, part_at, unit_at, weekday_at};
use super::{Claimed, Meaning, Sight};
use crate::features::language::words::{Unit, Word};

fn letters(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "MO",
        Weekday::Tuesday => "TU",
        Weekday::Wednesday => "WE",
        Weekday::Thursday => "TH",
        Weekday::Friday => "FR",
        Weekday::Saturday => "SA",
        Weekday::Sunday => "SU",
    }
}

fn rule(unit: Unit, interval: u32) -> Option<String> {
    let (name, interval) = match unit {
        Unit::Day => ("DAILY", interval),
        Unit::Week => ("WEEKLY", interval),
        Unit::Month => ("MONTHLY", interval),
        Unit::Quarter => ("MONTHLY", interval.checked_mul(3)?),
        Unit::Year => ("YEARLY", interval),
        Unit::Minute | Unit::Hour => return None,
    };
    match interval {
        0 | 1_000.. => None,
        1 => Some(format!("FREQ={name}")),
        _ => Some(format!("FREQ={name};INTERVAL={interval}")),
    }
}

fn on_days(mut rule: String, days: &[Weekday]) -> String {
    let mut days = days.to_vec();
    days.sort_by_key(|day| day.to_monday_zero_offset());
    days.dedup();
    let list: Vec<&str> = days.into_iter().map(letters).collect();
    rule.push_str(";BYDAY=");
    rule.push_str(&list.join(","));
    rule
}

const WORKDAYS: [Weekday; 5] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
];

/// Weekdays with `,` and `and` between them, or from one to another.
fn days(
    sight: &Sight<'_>,
    at: usize,
    pick: fn(&Sight<'_>, usize) -> Option<Weekday>,
) -> Option<(usize, Vec<Weekday>)> {
    let mut days = vec![pick(sight, at)?];
    let mut to = at + 1;
    if sight.at(to).is_some_and(|token| token.is_dash())
        && let Some(last) = pick(sight, to + 1)
    {
        let (first, last) = (days[0].to_monday_zero_offset(), last.to_monday_zero_offset());
        let all = WORKDAYS.into_iter().chain([Weekday::Saturday, Weekday::Sunday]);
        days = all
            .filter(|day| (first..=last).contains(&day.to_monday_zero_offset()))
            .collect();
        return (!days.is_empty()).then_some((to + 2, days));
    }
    loop {
        let mut next = to;
        while sight.is_mark(next, ',') || sight.is_mark(next, '/') || sight.is(next, Word::And) {
            next += 1;
        }
        match pick(sight, next) {
            Some(day) if next > to => {
                days.push(day);
                to = next + 1;
            }
            _ => return Some((to, days)),
        }
    }
}

fn all_of_weekday(sight: &Sight<'_>, at: usize) -> Option<Weekday> {
    sight.pick(at, |word| match word {
        Word::Weekdays(day) => Some(*day),
        _ => None,
    })
}

fn either(sight: &Sight<'_>, at: usize) -> Option<Weekday> {
    weekday_at(sight, at).or_else(|| all_of_weekday(sight, at))
}

/// A rule.
pub(super) fn find(sight: &Sight<'_>, at: usize) -> Claimed {
    let (to, rule) = named(sight, at)
        .or_else(|| plural(sight, at))
        .or_else(|| every(sight, at))?;
    // `every day in the morning` is two claims, `every morning` is one.
    Some((to, 8, Meaning::Repeat(rule.0, rule.1)))
}

type Rule = (String, Option<crate::features::language::words::Part>);

/// `daily`, `biweekly`.
fn named(sight: &Sight<'_>, at: usize) -> Option<(usize, Rule)> {
    let (unit, number) = sight.pick(at, |word| match word {
        Word::Repeats(unit, number) => Some((*unit, *number)),
        _ => None,
    })?;
    Some((at + 1, (rule(unit, number)?, None)))
}

/// `mondays`, `on tuesdays and thursdays`, `weekdays`, `mon-fri`.
fn plural(sight: &Sight<'_>, at: usize) -> Option<(usize, Rule)> {
    let start = sight.skip(at, Word::On);
    if sight.is(start, Word::Workdays)
        && sight.at(start)?.lower != "weekday"
        && sight.at(start)?.lower != "workday"
    {
        return Some((start + 1, (on_days("FREQ=WEEKLY".into(), &WORKDAYS), None)));
    }
    if all_of_weekday(sight, start).is_some() {
        let (to, days) = days(sight, start, either)?;
        return Some((to, (on_days("FREQ=WEEKLY".into(), &days), None)));
    }
    None
}

fn every(sight: &Sight<'_>, at: usize) -> Option<(usize, Rule)> {
    if !sight.is(at, Word::Every) {
        return None;
    }
    let start = sight.skip(at + 1, Word::The);
    if let Some((to, rule)) = of_month(sight, start) {
        return Some((to, (rule, None)));
    }
    if let Some(part) = part_at(sight, start) {
        return Some((start + 1, ("FREQ=DAILY".into(), Some(part))));
    }
    if sight.is(start, Word::Workdays) {
        return Some((start + 1, (on_days("FREQ=WEEKLY".into(), &WORKDAYS), None)));
    }
    if sight.is(start, Word::Weekend) {
        let rule = on_days("FREQ=WEEKLY".into(), &[Weekday::Saturday, Weekday::Sunday]);
        return Some((start + 1, (rule, None)));
    }
    let is_other = sight.is(start, Word::Other);
    let (interval, next) = match sight.at(start)?.digits().or_else(|| worded(sight, start)) {
        _ if is_other => (2, start + 1),
        Some(number) => (number, start + 1),
        None => (1, start),
    };
    // `every 2nd tuesday` is every other one.
    let next = next + usize::from(next > start && sight.is_joined(next) && sight.is(next, Word::Suffix));
    if let Some((to, days)) = days(sight, next, either) {
        let to = to + usize::from(part_at(sight, to).is_some() && days.len() == 1);
        let part = part_at(sight, to.saturating_sub(1));
        return Some((to, (on_days(rule(Unit::Week, interval)?, &days), part)));
    }
    let unit = unit_at(sight, next)?;
    let mut to = next + 1;
    let mut text = rule(unit, interval)?;
    // `every 2 weeks on mon and thu`, `every month on the 15th`
    if unit == Unit::Week
        && sight.is(to, Word::On)
        && let Some((end, list)) = days(sight, to + 1, either)
    {
        (to, text) = (end, on_days(text, &list));
    }
    if unit == Unit::Month && sight.is(to, Word::On) {
        let start = sight.skip(to + 1, Word::The);
        if let Some((end, day)) = day_number(sight, start) {
            text.push_str(&format!(";BYMONTHDAY={day}"));
            to = end;
        }
    }
    Some((to, (text, None)))
}

fn worded(sight: &Sight<'_>, at: usize) -> Option<u32> {
    sight.pick(at, |word| match word {
        Word::Number(number) => Some(*number),
        _ => None,
    })
}

/// `first monday of the month`, `last day of the month`, `15th of the month`, `15th`, `5th of december`.
fn of_month(sight: &Sight<'_>, at: usize) -> Option<(usize, String)> {
    let ordinal = sight.pick(at, |word| match word {
        Word::Ordinal(number) => Some(i32::from(*number)),
        _ => None,
    });
    let digits = sight.at(at).and_then(|token| token.digits()).filter(|_| {
        sight.is_joined(at + 1) && (sight.is(at + 1, Word::Suffix) || sight.is_mark(at + 1, '.'))
    });
    let (number, next) = match (ordinal, digits) {
        (Some(number), _) => (number, at + 1),
        (None, Some(number)) => (i32::try_from(number).ok()?, at + 2),
        _ => return None,
    };
    let month = |start: usize| {
        let start = sight.skip(start, Word::Of);
        let start = sight.skip(sight.skip(start, Word::The), Word::Every);
        (unit_at(sight, start) == Some(Unit::Month)).then_some(start + 1)
    };
    if let Some(day) = weekday_at(sight, next) {
        // Without the month `every second tuesday` is every other one.
        let to = match month(next + 1) {
            Some(to) => to,
            None if matches!(number, 1 | 3 | 4 | -1) => next + 1,
            None => return None,
        };
        return (-1..=5)
            .contains(&number)
            .then(|| (to, format!("FREQ=MONTHLY;BYDAY={number}{}", letters(day))));
    }
    if let Some(month) = month_at(sight, sight.skip(next, Word::Of)) {
        let to = sight.skip(next, Word::Of) + 1;
        return (1..=31)
            .contains(&number)
            .then(|| (to, format!("FREQ=YEARLY;BYMONTHDAY={number};BYMONTH={month}")));
    }
    if number == -1 {
        return (unit_at(sight, next)? == Unit::Day)
            .then_some(())
            .and(month(next + 1))
            .map(|to| (to, "FREQ=MONTHLY;BYMONTHDAY=-1".into()));
    }
    digits?;
    if unit_at(sight, next).is_some() && month(next).is_none() {
        return None;
    }
    let to = month(next).unwrap_or(next);
    (1..=31)
        .contains(&number)
        .then(|| (to, format!("FREQ=MONTHLY;BYMONTHDAY={number}")))
}

/// `10 times`, `x5`.
pub(super) fn count(sight: &Sight<'_>, at: usize) -> Claimed {
    let number = sight
        .at(at)?
        .digits()
        .filter(|number| (1..=1_000).contains(number))?;
    sight
        .is(at + 1, Word::Times)
        .then_some((at + 2, 1, Meaning::Count(number)))
}
