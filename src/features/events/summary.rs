//! Recurrence rules in English. Only what can be said simply and exactly is said; other rules are shown as they are. Pure.

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

const DAYS: [(&str, &str); 7] = [
    ("MO", "Monday"),
    ("TU", "Tuesday"),
    ("WE", "Wednesday"),
    ("TH", "Thursday"),
    ("FR", "Friday"),
    ("SA", "Saturday"),
    ("SU", "Sunday"),
];
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

/// The parts of a rule that sentences exist for.
#[derive(Default)]
struct Rule<'a> {
    frequency: &'a str,
    interval: u32,
    count: Option<u32>,
    until: Option<&'a str>,
    by_day: Vec<&'a str>,
    by_month_day: Vec<&'a str>,
    by_month: Vec<&'a str>,
}

/// A sentence such as `Every 2 weeks on Monday and Friday, 10 times`; `None` for rules that need more words than help.
pub(super) fn of(rule: &str, zone: &TimeZone) -> Option<String> {
    let rule = read(rule)?;
    let (unit, detail) = match (
        rule.frequency,
        &rule.by_day[..],
        &rule.by_month_day[..],
        &rule.by_month[..],
    ) {
        ("DAILY", [], [], []) => ("day", None),
        ("WEEKLY", ["MO", "TU", "WE", "TH", "FR"], [], []) if rule.interval == 1 => {
            return Some(format!("Every weekday{}", ending(&rule, zone)?));
        }
        ("WEEKLY", days, [], []) => {
            let days: Vec<String> = days.iter().map(|day| weekday(day)).collect::<Option<_>>()?;
            ("week", (!days.is_empty()).then(|| format!("on {}", list(&days))))
        }
        ("MONTHLY", [], [], []) => ("month", None),
        ("MONTHLY", [], days, []) => {
            let days: Vec<String> = days.iter().map(|day| month_day(day)).collect::<Option<_>>()?;
            ("month", Some(format!("on {}", list(&days))))
        }
        ("MONTHLY", [day], [], []) => ("month", Some(format!("on {}", nth_weekday(day)?))),
        ("YEARLY", [], [], []) => ("year", None),
        ("YEARLY", [], [day], [month]) => {
            let day: u32 = day.parse().ok().filter(|day| (1..=31).contains(day))?;
            ("year", Some(format!("on {day} {}", month_name(month)?)))
        }
        ("YEARLY", [day], [], [month]) => (
            "year",
            Some(format!("on {} of {}", nth_weekday(day)?, month_name(month)?)),
        ),
        _ => return None,
    };
    let every = match rule.interval {
        1 => format!("Every {unit}"),
        interval => format!("Every {interval} {unit}s"),
    };
    let detail = detail.map(|detail| format!(" {detail}")).unwrap_or_default();
    Some(format!("{every}{detail}{}", ending(&rule, zone)?))
}

fn read(text: &str) -> Option<Rule<'_>> {
    let mut rule = Rule {
        interval: 1,
        ..Rule::default()
    };
    for part in text.split(';').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let values = || value.split(',').collect();
        match name {
            "FREQ" => rule.frequency = value,
            "INTERVAL" => rule.interval = value.parse().ok().filter(|&interval| interval > 0)?,
            "COUNT" => rule.count = Some(value.parse().ok()?),
            "UNTIL" => rule.until = Some(value),
            "BYDAY" => rule.by_day = values(),
            "BYMONTHDAY" => rule.by_month_day = values(),
            "BYMONTH" => rule.by_month = values(),
            // Where a week begins changes which weeks are left out, not how the rule is said.
            "WKST" => {}
            _ => return None,
        }
    }
    Some(rule)
}

fn ending(rule: &Rule<'_>, zone: &TimeZone) -> Option<String> {
    Some(match (rule.count, rule.until) {
        (Some(1), _) => ", once".to_owned(),
        (Some(count), _) => format!(", {count} times"),
        (None, Some(until)) => {
            let day = until_day(until, zone)?;
            let month = MONTHS.get(usize::try_from(day.month()).ok()?.checked_sub(1)?)?;
            format!(", until {} {month} {}", day.day(), day.year())
        }
        (None, None) => String::new(),
    })
}

/// The day of UNTIL where the series takes place.
fn until_day(until: &str, zone: &TimeZone) -> Option<Date> {
    match until.strip_suffix('Z') {
        Some(_) => {
            let instant = Timestamp::strptime("%Y%m%dT%H%M%S%z", until.replace('Z', "+0000")).ok()?;
            Some(zone.to_datetime(instant).date())
        }
        None => Date::strptime("%Y%m%d", until.get(..8)?).ok(),
    }
}

fn weekday(code: &str) -> Option<String> {
    DAYS.iter()
        .find(|(known, _)| *known == code)
        .map(|(_, name)| (*name).to_owned())
}

/// `2TU` as `the second Tuesday`.
fn nth_weekday(code: &str) -> Option<String> {
    let (number, day) = code.split_at_checked(code.len().checked_sub(2)?)?;
    let nth = match number.trim_start_matches('+') {
        "1" => "first",
        "2" => "second",
        "3" => "third",
        "4" => "fourth",
        "5" => "fifth",
        "-1" => "last",
        "-2" => "second to last",
        _ => return None,
    };
    Some(format!("the {nth} {}", weekday(day)?))
}

fn month_day(day: &str) -> Option<String> {
    match day.parse::<i32>().ok()? {
        -1 => Some("the last day".to_owned()),
        day @ 1..=31 => Some(format!("day {day}")),
        _ => None,
    }
}

fn month_name(month: &str) -> Option<&'static str> {
    MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?).copied()
}

/// `a`, `a and b`, `a, b and c`.
fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::zones;

    #[test]
    fn common_rules_are_said_and_others_are_not() {
        let berlin = zones::zone("Europe/Berlin").unwrap();
        let cases = [
            ("FREQ=DAILY", Some("Every day")),
            ("FREQ=DAILY;INTERVAL=3;COUNT=5", Some("Every 3 days, 5 times")),
            ("FREQ=DAILY;COUNT=1", Some("Every day, once")),
            ("FREQ=WEEKLY", Some("Every week")),
            ("FREQ=WEEKLY;BYDAY=MO", Some("Every week on Monday")),
            (
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR;WKST=SU",
                Some("Every 2 weeks on Monday, Wednesday and Friday"),
            ),
            ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", Some("Every weekday")),
            ("FREQ=MONTHLY;BYMONTHDAY=15", Some("Every month on day 15")),
            (
                "FREQ=MONTHLY;BYMONTHDAY=1,-1",
                Some("Every month on day 1 and the last day"),
            ),
            (
                "FREQ=MONTHLY;BYDAY=2TU",
                Some("Every month on the second Tuesday"),
            ),
            ("FREQ=MONTHLY;BYDAY=-1FR", Some("Every month on the last Friday")),
            (
                "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8",
                Some("Every year on 8 March"),
            ),
            (
                "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
                Some("Every year on the fourth Thursday of November"),
            ),
            // New Year's Eve ends on the last day where the series is, not in UTC.
            (
                "FREQ=DAILY;UNTIL=20261231T230000Z",
                Some("Every day, until 1 January 2027"),
            ),
            (
                "FREQ=DAILY;UNTIL=20261231",
                Some("Every day, until 31 December 2026"),
            ),
            ("FREQ=MONTHLY;BYDAY=MO", None),
            ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1", None),
            ("FREQ=HOURLY", None),
            ("FREQ=WEEKLY;BYDAY=é", None),
            ("FREQ=DAILY;UNTIL=é", None),
            ("nonsense", None),
        ];
        for (rule, expected) in cases {
            assert_eq!(of(rule, &berlin).as_deref(), expected, "{rule}");
        }
    }
}
