//! A VTIMEZONE to the zone it means: an IANA zone with equal offsets, else its present rules as a POSIX TZ string.
//!
//! Promises: "equal" means the same offset changes at the same instants from five years before to five years after
//! the year that matters. Must not know: what the definition is called, except as a hint between equal zones.

use std::fmt::Write as _;

use jiff::{
    Timestamp, civil,
    tz::{Offset, TimeZone},
};

use super::zone_rules::{Day, Definition, Observance};
use crate::kernel::zones;

/// Zones that most people mean, tried before all others.
#[rustfmt::skip]
const COMMON: [&str; 42] = [
    "UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    "America/Phoenix", "America/Anchorage", "Pacific/Honolulu", "America/Halifax", "America/St_Johns", "America/Mexico_City",
    "America/Bogota", "America/Sao_Paulo", "America/Argentina/Buenos_Aires", "Atlantic/Azores", "Atlantic/Reykjavik",
    "Europe/Helsinki", "Europe/Istanbul", "Europe/Moscow", "Africa/Lagos", "Africa/Johannesburg", "Africa/Cairo",
    "Africa/Nairobi", "Asia/Jerusalem", "Asia/Dubai", "Asia/Tehran", "Asia/Karachi", "Asia/Kolkata", "Asia/Kathmandu",
    "Asia/Dhaka", "Asia/Bangkok", "Asia/Shanghai", "Asia/Tokyo", "Australia/Perth", "Australia/Darwin", "Australia/Brisbane",
    "Australia/Adelaide", "Australia/Sydney", "Pacific/Auckland", "Pacific/Chatham",
];

/// Years before and after that must agree.
const YEARS: i16 = 5;

/// The offset at the start of a window and its changes inside.
#[derive(PartialEq, Eq)]
struct Profile {
    from: Timestamp,
    until: Timestamp,
    first: Offset,
    changes: Vec<(Timestamp, Offset)>,
}

/// The IANA zone that equals a definition around `year`. Among equals, one whose city is in `tzid` wins.
pub(super) fn equal_zone(definition: &Definition, year: i16, tzid: &str) -> Option<TimeZone> {
    let profile = Profile::of(definition, year)?;
    let tzid = tzid.to_lowercase();
    let is_hinted = |name: &str| {
        let city = name
            .rsplit('/')
            .next()
            .unwrap_or(name)
            .replace('_', " ")
            .to_lowercase();
        city.len() > 3 && tzid.contains(&city)
    };
    let hinted = zones::names().filter(|name| name.contains('/') && is_hinted(name));
    let places = zones::names().filter(|name| name.contains('/') && !name.starts_with("Etc/"));
    hinted
        .chain(COMMON.iter().map(|name| (*name).to_owned()))
        .chain(places)
        .filter_map(|name| zones::zone(&name))
        .find(|zone| profile.fits(zone))
}

impl Profile {
    fn of(definition: &Definition, year: i16) -> Option<Self> {
        let instant = |year: i16| {
            Offset::UTC
                .to_timestamp(
                    civil::Date::new(year, 1, 1)
                        .ok()?
                        .to_datetime(civil::Time::midnight()),
                )
                .ok()
        };
        let (first_year, last_year) = (year.saturating_sub(YEARS), year.saturating_add(YEARS));
        let until = instant(last_year.checked_add(1)?)?;
        let onsets = definition.onsets(first_year.saturating_sub(1), last_year);
        // A definition that starts later (calendars often carry only the part they need) is compared from there on.
        let from = instant(first_year)?.max(onsets.first()?.0);
        let first = onsets.iter().take_while(|(at, _)| *at <= from).last()?.1;
        let changes = real_changes(
            first,
            onsets.into_iter().filter(|(at, _)| *at > from && *at < until),
        );
        Some(Self {
            from,
            until,
            first,
            changes,
        })
    }

    fn fits(&self, zone: &TimeZone) -> bool {
        if zone.to_offset(self.from) != self.first {
            return false;
        }
        let following = zone
            .following(self.from)
            .take_while(|next| next.timestamp() < self.until);
        real_changes(
            self.first,
            following.map(|next| (next.timestamp(), next.offset())),
        ) == self.changes
    }
}

/// Leaves out "changes" that keep the offset.
fn real_changes(
    first: Offset,
    changes: impl Iterator<Item = (Timestamp, Offset)>,
) -> Vec<(Timestamp, Offset)> {
    let mut current = first;
    changes
        .filter(|(_, offset)| std::mem::replace(&mut current, *offset) != *offset)
        .collect()
}

/// The present rules of a definition as a POSIX TZ string, and whether its rules could be kept (otherwise it is a
/// fixed offset, the one in force at the start of `year`).
pub(super) fn posix(definition: &Definition, year: i16) -> Option<(String, bool)> {
    let present = |is_daylight: bool| {
        let endless = definition
            .observances
            .iter()
            .filter(|rule| rule.yearly.is_some() && rule.until.is_none());
        endless
            .filter(|rule| rule.is_daylight == is_daylight)
            .max_by_key(|rule| rule.start)
    };
    let pair = present(false)
        .zip(present(true))
        .and_then(|(standard, daylight)| {
            let mut text = abbreviation(standard.to);
            text += &abbreviation(daylight.to);
            write!(text, ",{},{}", onset(daylight)?, onset(standard)?).ok()?;
            Some(text)
        });
    let is_ruled = pair.is_some() || (definition.observances.len() == 1 && definition.is_understood());
    let text = match pair {
        Some(pair) => pair,
        None => {
            let onsets = definition.onsets(year.saturating_sub(1), year);
            abbreviation(
                onsets
                    .last()
                    .map_or(definition.observances.first()?.to, |(_, offset)| *offset),
            )
        }
    };
    TimeZone::posix(&text).ok().map(|_| (text, is_ruled))
}

/// A fixed offset as a POSIX TZ string, such as `<+0530>-5:30`.
pub(super) fn abbreviation(offset: Offset) -> String {
    let seconds = offset.seconds();
    let (sign, opposite) = if seconds < 0 { ('-', "") } else { ('+', "-") };
    let size = seconds.abs();
    let (hours, minutes, rest) = (size / 3_600, size / 60 % 60, size % 60);
    let mut text = format!("<{sign}{hours:02}{minutes:02}>{opposite}{hours}");
    // Writing to a String cannot fail.
    if minutes > 0 || rest > 0 {
        let _ = write!(text, ":{minutes:02}");
    }
    if rest > 0 {
        let _ = write!(text, ":{rest:02}");
    }
    text
}

/// When a change happens each year, in POSIX notation; `None` when that notation cannot say it.
fn onset(observance: &Observance) -> Option<String> {
    let yearly = observance.yearly?;
    let weekday = |weekday: civil::Weekday| weekday.to_sunday_zero_offset();
    let day = match yearly.day {
        Day::Nth(-1, day) => format!("M{}.5.{}", yearly.month, weekday(day)),
        Day::Nth(nth, day) if nth > 0 => format!("M{}.{nth}.{}", yearly.month, weekday(day)),
        Day::OnOrAfter(first, day) if (first - 1) % 7 == 0 => {
            format!("M{}.{}.{}", yearly.month, (first - 1) / 7 + 1, weekday(day))
        }
        // Counted in a year without 29 February, as POSIX wants.
        Day::Fixed(day) => format!(
            "J{}",
            civil::Date::new(2025, yearly.month, day).ok()?.day_of_year()
        ),
        _ => return None,
    };
    let time = observance.start.time();
    Some(format!(
        "{day}/{}:{:02}:{:02}",
        time.hour(),
        time.minute(),
        time.second()
    ))
}
