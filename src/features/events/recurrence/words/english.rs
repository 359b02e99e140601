//! Rules in English: `Every 2 weeks on Monday and Wednesday, until 5 March 2027`.

use jiff::civil::{Date, Weekday};

use super::{Days, Kind, Words, list, list_of, numbered_name};
use crate::features::events::recurrence::rule::{Day, Frequency};

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
const AND: &str = "and";

/// English.
pub(super) struct English;

impl Words for English {
    fn every(&self, unit: Frequency, interval: u64) -> String {
        let unit = match unit {
            Frequency::Secondly => "second",
            Frequency::Minutely => "minute",
            Frequency::Hourly => "hour",
            Frequency::Daily => "day",
            Frequency::Weekly => "week",
            Frequency::Monthly => "month",
            Frequency::Yearly => "year",
        };
        match interval {
            1 => format!("Every {unit}"),
            interval => format!("Every {interval} {unit}s"),
        }
    }

    fn every_weekday(&self) -> &'static str {
        "Every weekday"
    }

    fn chosen_dates(&self) -> &'static str {
        "On chosen dates"
    }

    fn when(&self, days: &Days<'_>, months: &[i16], is_coarse: bool) -> Option<String> {
        let named = || {
            list_of(months, AND, |month| {
                numbered_name(&MONTHS, month).map(str::to_owned)
            })
        };
        Some(match (days, months) {
            (Days::Open, _) => format!("in {}", named()?),
            (Days::Date(day), []) => format!("on day {day}"),
            // 24 December rather than day 24 of December.
            (Days::Date(day), [_]) => format!("on {day} {}", named()?),
            (Days::Date(day), _) => format!("on day {day} of {}", named()?),
            (days, []) => format!("on {}", said(days)?),
            (days, _) if is_coarse => format!("on {} of {}", said(days)?, named()?),
            (days, _) => format!("on {} in {}", said(days)?, named()?),
        })
    }

    fn at(&self, times: &[String]) -> Option<String> {
        Some(format!("at {}", list(times, AND)?))
    }

    fn times(&self, count: u32) -> String {
        match count {
            1 => "once".to_owned(),
            count => format!("{count} times"),
        }
    }

    fn until(&self, day: Date) -> Option<String> {
        let month = numbered_name(&MONTHS, day.month().into())?;
        Some(format!("until {} {month} {}", day.day(), day.year()))
    }
}

fn said(days: &Days<'_>) -> Option<String> {
    Some(match *days {
        Days::Open => return None,
        Days::Date(day) => format!("day {day}"),
        Days::OfMonth(days) => list_of(days, AND, day_of)?,
        Days::OfYear(days) => format!("{} of the year", list_of(days, AND, day_of)?),
        Days::Plain(days) => weekdays(days, AND)?,
        Days::Numbered { days, of_year } => {
            let days = list_of(days, AND, numbered)?;
            format!("{days}{}", if of_year { " of the year" } else { "" })
        }
        Days::Chosen { positions, kind } => {
            let kind = match kind {
                Kind::Any => "day",
                Kind::Working => "weekday",
                Kind::Weekend => "weekend day",
                Kind::One(weekday) => name(weekday),
            };
            list_of(positions, AND, |position| {
                Some(format!("the {} {kind}", nth(position)?))
            })?
        }
        Days::DateIf { day, weekdays: days } => {
            format!("{} if it is a {}", day_of(day)?, weekdays(days, "or")?)
        }
        Days::OfWeek { days, week } => format!("{} of week {week}", weekdays(days, AND)?),
    })
}

fn weekdays(days: &[Day], and: &str) -> Option<String> {
    list_of(days, and, |day| Some(name(day.weekday).to_owned()))
}

fn name(weekday: Weekday) -> &'static str {
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
fn numbered(day: Day) -> Option<String> {
    let weekday = name(day.weekday);
    Some(match day.nth {
        0 => format!("every {weekday}"),
        number => format!("the {} {weekday}", nth(number.into())?),
    })
}

/// `day 15`, `the last day`.
fn day_of(day: i16) -> Option<String> {
    if day > 0 {
        return Some(format!("day {day}"));
    }
    Some(format!("the {} day", nth(day)?))
}

/// `second`, `last`, `second to last`.
fn nth(number: i16) -> Option<String> {
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
