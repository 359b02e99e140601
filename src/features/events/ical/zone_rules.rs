//! VTIMEZONE definitions: reading the observances and listing when the offset changes.
//!
//! Promises: only as many changes are computed as the asked-for years need, whatever the definition says.
//! Must not know: names of zones.

use jiff::{Timestamp, civil, tz::Offset};

use super::{component::Component, property::Property, value};

/// More observances or dates than this are not read.
const LIMIT: usize = 200;

/// A zone as a calendar defines it.
pub(super) struct Definition {
    pub(super) observances: Vec<Observance>,
}

/// One STANDARD or DAYLIGHT block.
pub(super) struct Observance {
    pub(super) is_daylight: bool,
    /// First onset, in the wall time before the change.
    pub(super) start: civil::DateTime,
    pub(super) from: Offset,
    pub(super) to: Offset,
    /// Yearly repetition; `None` when there is none or it cannot be read.
    pub(super) yearly: Option<Yearly>,
    /// It has no rule, or one that was read.
    is_understood: bool,
    /// Last instant of the repetition.
    pub(super) until: Option<Timestamp>,
    dates: Vec<civil::DateTime>,
}

/// The day of a month on which the offset changes every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Yearly {
    pub(super) month: i8,
    pub(super) day: Day,
}

/// A day within a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    /// The first to fourth, or counted from the end, such weekday.
    Nth(i8, civil::Weekday),
    /// The first such weekday on or after a day.
    OnOrAfter(i8, civil::Weekday),
    /// Always the same day.
    Fixed(i8),
}

impl Yearly {
    fn in_year(self, year: i16) -> Option<civil::Date> {
        let first = civil::Date::new(year, self.month, 1).ok()?;
        match self.day {
            Day::Nth(nth, weekday) => first.nth_weekday_of_month(nth, weekday).ok(),
            Day::Fixed(day) => civil::Date::new(year, self.month, day).ok(),
            Day::OnOrAfter(day, weekday) => {
                let earliest = civil::Date::new(year, self.month, day).ok()?;
                if earliest.weekday() == weekday {
                    Some(earliest)
                } else {
                    earliest.nth_weekday(1, weekday).ok()
                }
            }
        }
    }
}

impl Definition {
    /// Reads a VTIMEZONE; `None` when it holds no usable observance.
    pub(super) fn read(zone: &Component<'_>) -> Option<Self> {
        let observances: Vec<Observance> = zone
            .children
            .iter()
            .filter(|child| matches!(child.kind.as_str(), "STANDARD" | "DAYLIGHT"))
            .take(LIMIT)
            .filter_map(Observance::read)
            .collect();
        (!observances.is_empty()).then_some(Self { observances })
    }

    /// Whether all its rules could be read; only then can it be compared.
    pub(super) fn is_understood(&self) -> bool {
        self.observances.iter().all(|observance| observance.is_understood)
    }

    /// Instants from which an offset holds, up to the end of year `last`: the changes since year `first` and, of
    /// every observance, its first onset.
    pub(super) fn onsets(&self, first: i16, last: i16) -> Vec<(Timestamp, Offset)> {
        let mut onsets: Vec<(Timestamp, Offset)> = self
            .observances
            .iter()
            .flat_map(|observance| observance.onsets(first, last))
            .collect();
        onsets.sort_by_key(|(at, _)| *at);
        onsets.dedup();
        onsets
    }
}

impl Observance {
    fn read(block: &Component<'_>) -> Option<Self> {
        let raw = |name: &str| block.first(name).and_then(|line| line.value());
        let start = value::time(raw("DTSTART")?)?.local();
        let from = value::utc_offset(raw("TZOFFSETFROM")?)?;
        let to = value::utc_offset(raw("TZOFFSETTO")?)?;
        let (yearly, until) = match raw("RRULE") {
            Some(rule) => yearly(rule, start),
            None => (None, None),
        };
        let is_understood = yearly.is_some() || raw("RRULE").is_none();
        let dates = block
            .all("RDATE")
            .filter_map(Property::read)
            .flat_map(|dates| {
                dates
                    .raw()
                    .split([',', '/'])
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .filter_map(|date| value::time(&date))
            .map(|date| date.local())
            .take(LIMIT)
            .collect();
        Some(Self {
            is_daylight: block.kind == "DAYLIGHT",
            start,
            from,
            to,
            yearly,
            is_understood,
            until,
            dates,
        })
    }

    fn onsets(&self, first: i16, last: i16) -> impl Iterator<Item = (Timestamp, Offset)> + '_ {
        let years = self.start.year().max(first)..=last;
        let repeated = years
            .filter_map(|year| self.yearly?.in_year(year))
            .map(|date| date.to_datetime(self.start.time()));
        let once = std::iter::once(self.start).chain(self.dates.iter().copied());
        once.filter(move |at| at.year() <= last)
            .chain(repeated.filter(|at| *at >= self.start))
            .filter_map(|at| self.from.to_timestamp(at).ok())
            .filter(|at| self.until.is_none_or(|until| *at <= until))
            .map(|at| (at, self.to))
    }
}

/// Reads the yearly rules that zone definitions use; others yield `None`.
fn yearly(rule: &str, start: civil::DateTime) -> (Option<Yearly>, Option<Timestamp>) {
    let rule = rule.to_ascii_uppercase();
    let part = |key: &str| {
        rule.split(';')
            .find_map(|part| part.trim().strip_prefix(key)?.strip_prefix('='))
    };
    let until = part("UNTIL").and_then(value::time).and_then(|until| {
        let local = if until.time.is_some() {
            until.local()
        } else {
            until.date.to_datetime(civil::Time::MAX)
        };
        Offset::UTC.to_timestamp(local).ok()
    });
    let read = || {
        if part("FREQ") != Some("YEARLY") || part("INTERVAL").is_some_and(|every| every.trim() != "1") {
            return None;
        }
        let month = part("BYMONTH").map_or(Some(start.month()), |month| month.trim().parse().ok())?;
        let days: Option<Vec<i8>> =
            part("BYMONTHDAY").map(|days| days.split(',').map_while(|day| day.trim().parse().ok()).collect());
        let day = match (part("BYDAY"), days) {
            (None, None) => Day::Fixed(start.day()),
            (None, Some(days)) => Day::Fixed(*days.first()?),
            (Some(weekday), None) => nth(weekday)?,
            (Some(weekday), Some(days)) => {
                let earliest = *days.iter().min()?;
                let is_week = days.len() == 7 && days.iter().max() == Some(&(earliest + 6));
                match nth(&format!("1{weekday}"))? {
                    Day::Nth(_, weekday) if is_week => Day::OnOrAfter(earliest, weekday),
                    _ => return None,
                }
            }
        };
        (1..=12).contains(&month).then_some(Yearly { month, day })
    };
    (read(), until)
}

/// `-1SU`, `2SU`.
fn nth(text: &str) -> Option<Day> {
    use civil::Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    let text = text.trim();
    let (ordinal, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let weekday = match day {
        "MO" => Monday,
        "TU" => Tuesday,
        "WE" => Wednesday,
        "TH" => Thursday,
        "FR" => Friday,
        "SA" => Saturday,
        "SU" => Sunday,
        _ => return None,
    };
    // Microsoft writes the fifth where it means the last.
    let ordinal = match ordinal.parse::<i8>().ok()? {
        5 => -1,
        ordinal => ordinal,
    };
    (ordinal != 0 && (-4..=4).contains(&ordinal)).then_some(Day::Nth(ordinal, weekday))
}
