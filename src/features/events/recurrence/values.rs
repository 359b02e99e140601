//! The values of the parts of a rule, read and named.
//!
//! Promises: lists come back sorted, first what counts from the beginning, then what counts from the end, each value once.

use jiff::civil::Weekday;

use super::error::Reason;
use super::moment::Moment;
use super::rule::{Day, Frequency, Skip};

const FREQUENCIES: [(Frequency, &str); 7] = [
    (Frequency::Secondly, "SECONDLY"),
    (Frequency::Minutely, "MINUTELY"),
    (Frequency::Hourly, "HOURLY"),
    (Frequency::Daily, "DAILY"),
    (Frequency::Weekly, "WEEKLY"),
    (Frequency::Monthly, "MONTHLY"),
    (Frequency::Yearly, "YEARLY"),
];
const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "MO"),
    (Weekday::Tuesday, "TU"),
    (Weekday::Wednesday, "WE"),
    (Weekday::Thursday, "TH"),
    (Weekday::Friday, "FR"),
    (Weekday::Saturday, "SA"),
    (Weekday::Sunday, "SU"),
];
const SKIPS: [(Skip, &str); 3] = [
    (Skip::Omit, "OMIT"),
    (Skip::Backward, "BACKWARD"),
    (Skip::Forward, "FORWARD"),
];

fn find<T: Copy>(words: &[(T, &str)], text: &str) -> Option<T> {
    words
        .iter()
        .find(|(_, word)| *word == text)
        .map(|(value, _)| *value)
}

fn word<T: Copy + PartialEq>(words: &[(T, &'static str)], value: T) -> &'static str {
    words
        .iter()
        .find(|(known, _)| *known == value)
        .map_or("", |(_, word)| word)
}

/// The name of a frequency.
pub(super) fn name(frequency: Frequency) -> &'static str {
    word(&FREQUENCIES, frequency)
}

/// The two letters of a weekday.
pub(super) fn letters(weekday: Weekday) -> &'static str {
    word(&WEEKDAYS, weekday)
}

/// The word of SKIP.
pub(super) fn skip_word(skip: Skip) -> &'static str {
    word(&SKIPS, skip)
}

pub(super) fn frequency(text: &str) -> Result<Frequency, Reason> {
    find(&FREQUENCIES, text).ok_or(Reason::Malformed(
        "`SECONDLY`, `MINUTELY`, `HOURLY`, `DAILY`, `WEEKLY`, `MONTHLY` or `YEARLY`",
    ))
}

pub(super) fn skip(text: &str) -> Result<Skip, Reason> {
    find(&SKIPS, text).ok_or(Reason::Malformed("`OMIT`, `BACKWARD` or `FORWARD`"))
}

pub(super) fn weekday(text: &str) -> Result<Weekday, Reason> {
    find(&WEEKDAYS, text).ok_or(Reason::Malformed("a weekday such as `MO`"))
}

/// A day, a wall time or an instant, without dashes and colons.
pub(super) fn moment(text: &str) -> Result<Moment, Reason> {
    let is_basic = matches!(text.len(), 8 | 15 | 16) && !text.contains(['-', ':', '.']);
    text.parse().ok().filter(|_| is_basic).ok_or(Reason::Malformed(
        "a date such as `20261231` or a time such as `20261231T220000Z`",
    ))
}

/// A whole number; one too large to count with is the largest.
pub(super) fn number(text: &str) -> Result<u64, Reason> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reason::Malformed("a whole number"));
    }
    Ok(text.parse().unwrap_or(u64::MAX))
}

/// Numbers within bounds.
pub(super) fn list(text: &str, least: i16, most: i16) -> Result<Vec<i16>, Reason> {
    items(text, |item| {
        let number: i16 = digits(item).ok_or(Reason::Malformed("a list of numbers"))?;
        let is_inside = (least..=most).contains(&number);
        is_inside
            .then_some(number)
            .ok_or(Reason::OutOfRange(least.into(), most.into()))
    })
}

/// Numbers that count from the beginning or, when negative, from the end; never 0.
pub(super) fn signed_list(text: &str, most: i16) -> Result<Vec<i16>, Reason> {
    items(text, |item| {
        let number = signed(item).ok_or(Reason::Malformed("a list of numbers"))?;
        let is_inside = number != 0 && number.abs() <= most;
        is_inside.then_some(number).ok_or(match number {
            0 => Reason::Malformed("a list of numbers other than 0"),
            _ => Reason::OutOfRange((-most).into(), most.into()),
        })
    })
}

/// Weekdays such as `MO`, `2TU` and `-1FR`.
pub(super) fn days(text: &str) -> Result<Vec<Day>, Reason> {
    let wrong = || Reason::Malformed("a list of weekdays such as `MO`, `2TU` or `-1FR`");
    let mut days = Vec::new();
    for item in text.split(',') {
        let at = item.len().checked_sub(2).ok_or_else(wrong)?;
        let (number, letters) = item.split_at_checked(at).ok_or_else(wrong)?;
        let nth = if number.is_empty() {
            0
        } else {
            let nth = signed(number).filter(|nth| *nth != 0).ok_or_else(wrong)?;
            i8::try_from(nth)
                .ok()
                .filter(|nth| nth.abs() <= 53)
                .ok_or(Reason::OutOfRange(-53, 53))?
        };
        let weekday = find(&WEEKDAYS, letters).ok_or_else(wrong)?;
        days.push(Day { nth, weekday });
    }
    sort_days(&mut days);
    Ok(days)
}

pub(super) fn sort_days(days: &mut Vec<Day>) {
    days.sort_by_key(|day| (day.nth < 0, day.nth, day.weekday.to_monday_zero_offset()));
    days.dedup();
}

fn items(text: &str, read: impl Fn(&str) -> Result<i16, Reason>) -> Result<Vec<i16>, Reason> {
    let mut items: Vec<i16> = text.split(',').map(read).collect::<Result<_, _>>()?;
    items.sort_unstable_by_key(|item| (*item < 0, *item));
    items.dedup();
    Ok(items)
}

fn signed(text: &str) -> Option<i16> {
    match text.strip_prefix('-') {
        Some(rest) => digits(rest).map(|number| -number),
        None => digits(text.strip_prefix('+').unwrap_or(text)),
    }
}

/// At most four digits: no part needs more.
fn digits(text: &str) -> Option<i16> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}
