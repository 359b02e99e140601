//! VTIMEZONE for the zones that a calendar names.
//!
//! Promises: from the year before the first use on, whoever reads the definition finds the offsets of the tz database: changes that follow a
//! yearly rule to the end of what is known are written as that rule, all others one by one.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil, tz::Offset, tz::TimeZone};

use super::fold::Lines;
use crate::features::events::ical::zone_ref::ZoneRef;

/// Changes are listed up to this year; by then zones that go on changing follow a yearly rule.
const LAST_YEAR: i16 = 2090;
/// A rule is trusted when this many years end with it.
const LEAST_YEARS: usize = 12;
/// Earlier uses get the offsets of this year.
const FIRST_YEAR: i16 = 1900;

/// The zones that were named so far, with the first year of their use.
#[derive(Debug, Default)]
pub(super) struct Zones(BTreeMap<String, (ZoneRef, i16)>);

impl Zones {
    /// The name by which a time in this zone refers to its definition; `None` for UTC, which needs none.
    pub(super) fn name(&mut self, zone: &ZoneRef, year: i16) -> Option<String> {
        let name = match zone {
            ZoneRef::Iana(name) if matches!(&**name, "UTC" | "Etc/UTC") => return None,
            ZoneRef::Iana(name) => name.to_string(),
            // Whatever the original called it, two calendars may mean different zones by one name.
            ZoneRef::Custom { posix, .. } => {
                let plain = |letter: char| {
                    if letter.is_ascii_alphanumeric() {
                        letter
                    } else {
                        '_'
                    }
                };
                format!("Custom/{}", posix.chars().map(plain).collect::<String>())
            }
        };
        let (_, first) = self.0.entry(name.clone()).or_insert_with(|| (zone.clone(), year));
        *first = year.min(*first);
        Some(name)
    }

    /// Writes the definitions.
    pub(super) fn write(&self, lines: &mut Lines) {
        for (name, (zone, first)) in &self.0 {
            lines.push("BEGIN:VTIMEZONE");
            lines.push(&format!("TZID:{name}"));
            define(lines, &zone.time_zone(), *first);
            lines.push("END:VTIMEZONE");
        }
    }
}

/// A change of the offset.
#[derive(Clone)]
struct Change {
    kind: Kind,
    /// Wall time before the change.
    local: civil::DateTime,
}

/// What changes of one kind have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    is_daylight: bool,
    from: i32,
    to: i32,
    label: String,
}

fn define(lines: &mut Lines, zone: &TimeZone, first: i16) {
    let year = first.saturating_sub(1).clamp(FIRST_YEAR, LAST_YEAR - 1);
    let start = civil::date(year, 1, 1).at(0, 0, 0, 0);
    let start = Offset::UTC.to_timestamp(start).unwrap_or(Timestamp::UNIX_EPOCH);
    let before = zone.to_offset_info(start);
    let mut offset = before.offset();
    observance(
        lines,
        &Kind {
            is_daylight: before.dst().is_dst(),
            from: offset.seconds(),
            to: offset.seconds(),
            label: before.abbreviation().to_owned(),
        },
        &[offset.to_datetime(start)],
        None,
    );
    let mut kinds: BTreeMap<Kind, Vec<Change>> = BTreeMap::new();
    for transition in zone.following(start) {
        let local = offset.to_datetime(transition.timestamp());
        if local.year() > LAST_YEAR {
            break;
        }
        let kind = Kind {
            is_daylight: transition.dst().is_dst(),
            from: offset.seconds(),
            to: transition.offset().seconds(),
            label: transition.abbreviation().to_owned(),
        };
        offset = transition.offset();
        kinds
            .entry(kind.clone())
            .or_default()
            .push(Change { kind, local });
    }
    for (kind, changes) in &kinds {
        let (single, yearly) = part(changes);
        let single: Vec<civil::DateTime> = single.iter().map(|change| change.local).collect();
        if !single.is_empty() {
            observance(lines, kind, &single, None);
        }
        if let Some((first, rule)) = yearly {
            observance(lines, &first.kind, &[first.local], Some(&rule));
        }
    }
}

/// Parts the changes that follow a yearly rule to the end from those before.
fn part(changes: &[Change]) -> (&[Change], Option<(&Change, String)>) {
    let reaches_end = changes.last().is_some_and(|last| last.local.year() == LAST_YEAR);
    if !reaches_end || changes.len() < LEAST_YEARS {
        return (changes, None);
    }
    let tail = &changes[changes.len() - LEAST_YEARS.max(changes.len().min(30))..];
    let Some(rule) = Rule::of(tail) else {
        return (changes, None);
    };
    let mut begin = changes.len() - 1;
    while begin > 0
        && changes[begin - 1].local.year() + 1 == changes[begin].local.year()
        && rule.gives(changes[begin - 1].local)
    {
        begin -= 1;
    }
    (&changes[..begin], Some((&changes[begin], rule.text())))
}

/// A day of each year.
struct Rule {
    month: i8,
    time: civil::Time,
    weekday: civil::Weekday,
    day: Day,
}

enum Day {
    /// The last such weekday of the month.
    Last,
    /// The n-th such weekday.
    Nth(i8),
    /// The first such weekday on or after a day.
    OnOrAfter(i8),
}

impl Rule {
    /// The rule behind these changes, one for each year.
    fn of(changes: &[Change]) -> Option<Self> {
        let first = changes.first()?.local;
        let mut rule = Self {
            month: first.month(),
            time: first.time(),
            weekday: first.weekday(),
            day: Day::Last,
        };
        let is_yearly = changes
            .windows(2)
            .all(|pair| pair[0].local.year() + 1 == pair[1].local.year());
        let earliest = changes.iter().map(|change| change.local.day()).min()?;
        for day in [Day::Last, Day::Nth(nth(first)), Day::OnOrAfter(earliest)] {
            rule.day = day;
            if is_yearly && changes.iter().all(|change| rule.gives(change.local)) {
                return Some(rule);
            }
        }
        None
    }

    fn gives(&self, at: civil::DateTime) -> bool {
        let is_day = match self.day {
            Day::Last => at.day() + 7 > at.days_in_month(),
            Day::Nth(wanted) => nth(at) == wanted,
            Day::OnOrAfter(first) => (first..first + 7).contains(&at.day()),
        };
        is_day && (at.month(), at.time(), at.weekday()) == (self.month, self.time, self.weekday)
    }

    fn text(&self) -> String {
        let weekday = match self.weekday {
            civil::Weekday::Monday => "MO",
            civil::Weekday::Tuesday => "TU",
            civil::Weekday::Wednesday => "WE",
            civil::Weekday::Thursday => "TH",
            civil::Weekday::Friday => "FR",
            civil::Weekday::Saturday => "SA",
            civil::Weekday::Sunday => "SU",
        };
        let month = self.month;
        match self.day {
            Day::Last => format!("FREQ=YEARLY;BYMONTH={month};BYDAY=-1{weekday}"),
            Day::Nth(nth) => format!("FREQ=YEARLY;BYMONTH={month};BYDAY={nth}{weekday}"),
            Day::OnOrAfter(first) => {
                let days: Vec<String> = (first..first + 7).map(|day| day.to_string()).collect();
                let days = days.join(",");
                format!("FREQ=YEARLY;BYMONTH={month};BYMONTHDAY={days};BYDAY={weekday}")
            }
        }
    }
}

fn nth(at: civil::DateTime) -> i8 {
    (at.day() - 1) / 7 + 1
}

fn observance(lines: &mut Lines, kind: &Kind, onsets: &[civil::DateTime], rule: Option<&str>) {
    let name = if kind.is_daylight { "DAYLIGHT" } else { "STANDARD" };
    let text = |at: &civil::DateTime| at.strftime("%Y%m%dT%H%M%S").to_string();
    let Some((first, more)) = onsets.split_first() else {
        return;
    };
    lines.push(&format!("BEGIN:{name}"));
    lines.push(&format!("DTSTART:{}", text(first)));
    lines.push(&format!("TZOFFSETFROM:{}", offset_text(kind.from)));
    lines.push(&format!("TZOFFSETTO:{}", offset_text(kind.to)));
    lines.push(&format!("TZNAME:{}", kind.label));
    if let Some(rule) = rule {
        lines.push(&format!("RRULE:{rule}"));
    }
    for onset in more {
        lines.push(&format!("RDATE:{}", text(onset)));
    }
    lines.push(&format!("END:{name}"));
}

fn offset_text(seconds: i32) -> String {
    let (sign, size) = if seconds < 0 {
        ('-', -seconds)
    } else {
        ('+', seconds)
    };
    let (hours, minutes, rest) = (size / 3_600, size / 60 % 60, size % 60);
    if rest == 0 {
        format!("{sign}{hours:02}{minutes:02}")
    } else {
        format!("{sign}{hours:02}{minutes:02}{rest:02}")
    }
}
