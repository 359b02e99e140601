//! The words of rules in English: weekdays, months, numbers and lists. `None` where there is no good word.

use jiff::civil::Weekday;

use super::rule::Day;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// More items than this in a list help nobody.
const LONGEST_LIST: usize = 7;

/// Name of a weekday.
pub(super) fn name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// `the second Monday`, `every Monday`.
pub(super) fn numbered(day: &Day) -> Option<String> {
    let weekday = name(day.weekday);
    Some(match day.nth {
        0 => format!("every {weekday}"),
        number => format!("the {} {weekday}", nth(number.into())?),
    })
}

/// `second`, `last`, `second to last`.
pub(super) fn nth(number: i16) -> Option<String> {
    let word = match number.unsigned_abs() {
        1 => "first",
        2 => "second",
        3 => "third",
        4 => "fourth",
        5 => "fifth",
        more @ 6.. => return (number > 0).then(|| ordinal(more)),
        0 => return None,
    };
    Some(match number {
        -1 => "last".to_owned(),
        ..-1 => format!("{word} to last"),
        _ => word.to_owned(),
    })
}

/// `21st`.
fn ordinal(number: u16) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// A day of the month.
pub(super) fn month_day(day: i16) -> Option<String> {
    if day > 0 {
        Some(format!("day {day}"))
    } else {
        from_end(day, "day")
    }
}

/// `the last day`.
pub(super) fn from_end(number: i16, what: &str) -> Option<String> {
    Some(format!("the {} {what}", nth(number)?))
}

/// Name of a month.
pub(super) fn month_name(month: i16) -> Option<&'static str> {
    MONTHS.get(usize::try_from(month).ok()?.checked_sub(1)?).copied()
}

/// A list of numbers, each in words.
pub(super) fn names(items: &[i16], name: impl Fn(i16) -> Option<String>) -> Option<String> {
    list(&items.iter().map(|&item| name(item)).collect::<Option<Vec<_>>>()?)
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: &[impl AsRef<str>]) -> Option<String> {
    if items.len() > LONGEST_LIST {
        return None;
    }
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    let (last, most) = items.split_last()?;
    Some(if most.is_empty() {
        (*last).to_owned()
    } else {
        format!("{} and {last}", most.join(", "))
    })
}
