//! The zones of one calendar: every TZID is resolved once, in the documented order.
//!
//! Order: name (see `zone_name`), then the VTIMEZONE of that TZID (hints in it, equal IANA zone, its own rules), then
//! an offset in the name, then the zone of the calendar, then the reader's default zone. Promises: a time with a TZID
//! never becomes floating; each guess is noted once.

use std::collections::HashMap;

use jiff::{
    civil,
    tz::{Offset, TimeZone},
};

use super::{
    allowance::Allowances,
    component::{Calendar, Component},
    model::ZonedTime,
    notes::Notes,
    property::Property,
    zone_match, zone_name,
    zone_ref::ZoneRef,
    zone_rules::Definition,
};
use crate::kernel::zones;

/// A zone with its rules at hand.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) zone: ZoneRef,
    pub(super) rules: TimeZone,
}

impl Known {
    /// A zone of the database.
    pub(super) fn iana(rules: TimeZone) -> Option<Self> {
        let zone = ZoneRef::Iana(rules.iana_name()?.into());
        Some(Self { zone, rules })
    }

    fn custom(tzid: &str, posix: &str) -> Option<Self> {
        let rules = TimeZone::posix(posix).ok()?;
        Some(Self {
            zone: ZoneRef::Custom {
                tzid: tzid.into(),
                posix: posix.into(),
            },
            rules,
        })
    }

    /// A zone that never changes its offset.
    fn fixed(tzid: &str, offset: Offset) -> Option<Self> {
        let seconds = offset.seconds();
        let name = match seconds % 3_600 {
            0 if seconds == 0 => "UTC".to_owned(),
            // The signs of these names are the wrong way round on purpose (POSIX).
            0 => format!("Etc/GMT{:+}", -seconds / 3_600),
            _ => String::new(),
        };
        zones::zone(&name)
            .and_then(Self::iana)
            .or_else(|| Self::custom(tzid, &zone_match::abbreviation(offset)))
    }

    /// The instant of a wall time in this zone.
    pub(super) fn at(&self, local: civil::DateTime) -> ZonedTime {
        ZonedTime {
            local,
            zone: self.zone.clone(),
            utc: zones::to_utc(local, &self.rules),
        }
    }
}

/// Resolves TZIDs for one calendar.
pub(super) struct ZoneBook<'c, 't> {
    definitions: HashMap<String, &'c Component<'t>>,
    calendar_zone: Option<Known>,
    default_zone: Known,
    known: HashMap<String, Known>,
    allowances: Allowances,
    /// Guesses made so far.
    pub(super) notes: Notes,
}

impl<'c, 't> ZoneBook<'c, 't> {
    /// A book for a calendar. `default_zone` is the last resort; `allowances` are shared by the books of a text.
    pub(super) fn new(calendar: &'c Calendar<'t>, default_zone: &Known, allowances: &Allowances) -> Self {
        let tzid = |zone: &Component<'_>| zone.first("TZID").and_then(Property::read)?.text();
        let definitions = calendar
            .zones
            .iter()
            .filter_map(|zone| Some((tzid(zone)?.trim().to_owned(), zone)))
            .collect();
        Self {
            definitions,
            calendar_zone: calendar_zone(calendar),
            default_zone: default_zone.clone(),
            known: HashMap::new(),
            allowances: allowances.clone(),
            notes: Notes::default(),
        }
    }

    /// Whether one more rule that excludes occurrences may be read.
    pub(super) fn may_exclude(&self) -> bool {
        self.allowances.exclusions.take()
    }

    /// Name of the zone the calendar gives itself.
    pub(super) fn calendar_zone_name(&self) -> Option<String> {
        self.calendar_zone
            .as_ref()
            .map(|known| known.zone.stored_name().to_owned())
    }

    /// The definition of a TZID, for the texts of objects that use it.
    pub(super) fn definition(&self, tzid: &str) -> Option<&'c Component<'t>> {
        self.definitions.get(tzid.trim()).copied()
    }

    /// The zone of a TZID. `year` is when it matters: definitions are compared around it.
    pub(super) fn resolve(&mut self, tzid: &str, year: i16, line: u32) -> Known {
        if let Some(known) = self.known.get(tzid) {
            return known.clone();
        }
        let known = zone_name::by_name(tzid)
            .and_then(Known::iana)
            .or_else(|| self.by_definition(tzid, year, line))
            .or_else(|| self.by_guess(tzid, line))
            .unwrap_or_else(|| self.default_zone.clone());
        self.known.insert(tzid.to_owned(), known.clone());
        known
    }

    fn by_definition(&mut self, tzid: &str, year: i16, line: u32) -> Option<Known> {
        let component = self.definition(tzid)?;
        if let Some(hinted) = hinted_zone(component).and_then(Known::iana) {
            return Some(hinted);
        }
        let definition = Definition::read(component)?;
        if definition.is_understood()
            && self.allowances.comparisons.take()
            && let Some(equal) = zone_match::equal_zone(&definition, year, tzid).and_then(Known::iana)
        {
            return Some(equal);
        }
        let (posix, is_ruled) = zone_match::posix(&definition, year)?;
        let tzid = short(tzid);
        self.notes.add(
            line,
            &if is_ruled {
                format!("The time zone {tzid:?} equals no known one; its own rules were kept.")
            } else {
                format!("The rules of the time zone {tzid:?} could not be read; its offset of that year was taken.")
            },
        );
        Known::custom(&tzid, &posix)
    }

    fn by_guess(&mut self, tzid: &str, line: u32) -> Option<Known> {
        let name = short(tzid);
        let offset = zone_name::by_offset(tzid).and_then(|seconds| Offset::from_seconds(seconds).ok());
        if let Some(fixed) = offset.and_then(|offset| Known::fixed(&name, offset)) {
            self.notes.add(
                line,
                &format!("Of the time zone {name:?} only the offset is known; it was taken all year."),
            );
            return Some(fixed);
        }
        let (guess, whose) = match &self.calendar_zone {
            Some(zone) => (zone.clone(), "the calendar's zone"),
            None => (self.default_zone.clone(), "your zone"),
        };
        let taken = guess.zone.stored_name();
        self.notes.add(
            line,
            &format!("The time zone {name:?} is unknown; {whose} {taken} was taken."),
        );
        Some(guess)
    }
}

/// The zone of X-WR-TIMEZONE or TIMEZONE-ID.
fn calendar_zone(calendar: &Calendar<'_>) -> Option<Known> {
    let line = calendar
        .first("X-WR-TIMEZONE")
        .or_else(|| calendar.first("TIMEZONE-ID"))?;
    zone_name::by_name(line.value()?).and_then(Known::iana)
}

/// What some programs write into a VTIMEZONE beside its rules.
fn hinted_zone(zone: &Component<'_>) -> Option<TimeZone> {
    let value = |name: &str| zone.first(name).and_then(|line| line.value());
    value("X-LIC-LOCATION")
        .or_else(|| value("TZID-ALIAS-OF"))
        .and_then(zone_name::by_name)
        .or_else(|| value("X-MICROSOFT-CDO-TZID").and_then(zone_name::by_cdo_number))
}

/// A TZID fit for a sentence and for storing.
fn short(tzid: &str) -> String {
    tzid.chars()
        .filter(|letter| !letter.is_control())
        .take(80)
        .collect()
}
