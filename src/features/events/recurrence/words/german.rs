//! Rules in German: `Alle 2 Wochen am Montag und Mittwoch, bis zum 5. März 2027`.

use jiff::civil::{Date, Weekday};

use super::{Days, Kind, Words, list, list_of, numbered_name};
use crate::features::events::recurrence::rule::{Day, Frequency};

const MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const AND: &str = "und";

/// German.
pub(super) struct German;

impl Words for German {
    fn every(&self, unit: Frequency, interval: u64) -> String {
        let (one, many) = match unit {
            Frequency::Secondly => ("Jede Sekunde", "Sekunden"),
            Frequency::Minutely => ("Jede Minute", "Minuten"),
            Frequency::Hourly => ("Jede Stunde", "Stunden"),
            Frequency::Daily => ("Jeden Tag", "Tage"),
            Frequency::Weekly => ("Jede Woche", "Wochen"),
            Frequency::Monthly => ("Jeden Monat", "Monate"),
            Frequency::Yearly => ("Jedes Jahr", "Jahre"),
        };
        match interval {
            1 => one.to_owned(),
            interval => format!("Alle {interval} {many}"),
        }
    }

    fn every_weekday(&self) -> &'static str {
        // A Werktag may be a Saturday, a Wochentag even a Sunday.
        "Montag bis Freitag"
    }

    fn chosen_dates(&self) -> &'static str {
        "An ausgewählten Tagen"
    }

    fn when(&self, days: &Days<'_>, months: &[i16], _: bool) -> Option<String> {
        let named = || {
            list_of(months, AND, |month| {
                numbered_name(&MONTHS, month).map(str::to_owned)
            })
        };
        Some(match (days, months) {
            (Days::Open, _) => format!("im {}", named()?),
            (Days::Date(day), [_]) => format!("am {day}. {}", named()?),
            (Days::DateIf { day, weekdays: days }, months) => {
                let within = match months {
                    [] => String::new(),
                    _ => format!(" im {}", named()?),
                };
                let days = weekdays(days, "oder")?;
                format!("{}{within}, wenn es ein {days} ist", day_of_month(*day)?)
            }
            (days, []) => said(days)?,
            (days, _) => format!("{} im {}", said(days)?, named()?),
        })
    }

    fn at(&self, times: &[String]) -> Option<String> {
        Some(format!("um {} Uhr", list(times, AND)?))
    }

    fn times(&self, count: u32) -> String {
        match count {
            1 => "einmal".to_owned(),
            count => format!("{count}-mal"),
        }
    }

    fn until(&self, day: Date) -> Option<String> {
        let month = numbered_name(&MONTHS, day.month().into())?;
        Some(format!("bis zum {}. {month} {}", day.day(), day.year()))
    }
}

fn said(days: &Days<'_>) -> Option<String> {
    Some(match *days {
        // Both need the months, which are not known here.
        Days::Open | Days::DateIf { .. } => return None,
        Days::Date(day) => format!("am {day}."),
        Days::OfMonth(days) => list_of(days, AND, day_of_month)?,
        Days::OfYear(days) => {
            let day = |day: i16| Some(format!("am {} Tag", nth(day)?));
            format!("{} des Jahres", list_of(days, AND, day)?)
        }
        Days::Plain(days) => format!("am {}", weekdays(days, AND)?),
        Days::Numbered { days, of_year } => {
            let days = list_of(days, AND, numbered)?;
            format!("{days}{}", if of_year { " des Jahres" } else { "" })
        }
        Days::Chosen { positions, kind } => {
            let kind = match kind {
                Kind::Any => "Tag",
                Kind::Working => "Tag von Montag bis Freitag",
                Kind::Weekend => "Wochenendtag",
                Kind::One(weekday) => name(weekday),
            };
            list_of(positions, AND, |position| {
                Some(format!("am {} {kind}", nth(position)?))
            })?
        }
        Days::OfWeek { days, week } => format!("am {} der Kalenderwoche {week}", weekdays(days, AND)?),
    })
}

fn weekdays(days: &[Day], and: &str) -> Option<String> {
    list_of(days, and, |day| Some(name(day.weekday).to_owned()))
}

fn name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Montag",
        Weekday::Tuesday => "Dienstag",
        Weekday::Wednesday => "Mittwoch",
        Weekday::Thursday => "Donnerstag",
        Weekday::Friday => "Freitag",
        Weekday::Saturday => "Samstag",
        Weekday::Sunday => "Sonntag",
    }
}

/// `am zweiten Montag`, `an jedem Montag`.
fn numbered(day: Day) -> Option<String> {
    let weekday = name(day.weekday);
    Some(match day.nth {
        0 => format!("an jedem {weekday}"),
        number => format!("am {} {weekday}", nth(number.into())?),
    })
}

/// `am 15.`, `am letzten Tag`.
fn day_of_month(day: i16) -> Option<String> {
    if day > 0 {
        return Some(format!("am {day}."));
    }
    Some(format!("am {} Tag", nth(day)?))
}

/// `zweiten`, `letzten`, `vorletzten`, as they stand behind `am`.
fn nth(number: i16) -> Option<String> {
    Some(match number {
        1 => "ersten".to_owned(),
        2 => "zweiten".to_owned(),
        3 => "dritten".to_owned(),
        4 => "vierten".to_owned(),
        5 => "fünften".to_owned(),
        6.. => format!("{number}."),
        -1 => "letzten".to_owned(),
        -2 => "vorletzten".to_owned(),
        -3 => "drittletzten".to_owned(),
        -4 => "viertletzten".to_owned(),
        -5 => "fünftletzten".to_owned(),
        _ => return None,
    })
}
