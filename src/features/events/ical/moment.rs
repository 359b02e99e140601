//! Properties that hold times, to moments with their zones resolved.
//!
//! Promises: a time with a TZID never becomes floating. Must not know: which property is read.

use jiff::{SignedDuration, civil};

use super::{
    model::{EventTime, ExtraDate, Moment, ZonedTime},
    notes::Notes,
    property::Property,
    value::{self, RawDuration, RawEnd, RawTime},
    zone_book::ZoneBook,
    zone_ref::ZoneRef,
};
use crate::kernel::zones;

/// Reads the one time of a property.
pub(super) fn single(property: &Property, book: &mut ZoneBook<'_, '_>, notes: &mut Notes) -> Option<Moment> {
    value::time(property.raw()).map(|raw| resolve(raw, property, book, notes))
}

/// Reads a list of times; the number of unreadable ones goes with it.
pub(super) fn list(
    property: &Property,
    book: &mut ZoneBook<'_, '_>,
    notes: &mut Notes,
) -> (Vec<Moment>, usize) {
    let mut wrong = 0;
    let mut moments = Vec::new();
    for piece in pieces(property) {
        match value::time(piece) {
            Some(raw) => moments.push(resolve(raw, property, book, notes)),
            None => wrong += 1,
        }
    }
    (moments, wrong)
}

/// Reads a list of times or periods; the number of unreadable ones goes with it.
pub(super) fn extras(
    property: &Property,
    book: &mut ZoneBook<'_, '_>,
    notes: &mut Notes,
) -> (Vec<ExtraDate>, usize) {
    let mut wrong = 0;
    let mut extras = Vec::new();
    for piece in pieces(property) {
        if let Some(raw) = value::time(piece) {
            extras.push(ExtraDate {
                start: resolve(raw, property, book, notes),
                duration: None,
            });
        } else if let Some((start, end)) = value::period(piece) {
            let start = resolve(start, property, book, notes);
            let end = match end {
                RawEnd::At(end) => resolve(end, property, book, notes),
                RawEnd::After(length) => after(&start, &length),
            };
            let length = length(&start, &end);
            wrong += usize::from(length.is_negative());
            extras.push(ExtraDate {
                start,
                duration: (!length.is_negative()).then_some(length),
            });
        } else {
            wrong += 1;
        }
    }
    (extras, wrong)
}

fn pieces(property: &Property) -> impl Iterator<Item = &str> {
    property
        .raw()
        .split(',')
        .map(str::trim)
        .filter(|piece| !piece.is_empty())
}

fn resolve(raw: RawTime, property: &Property, book: &mut ZoneBook<'_, '_>, notes: &mut Notes) -> Moment {
    if raw.time.is_none() || property.is_value("DATE") {
        return Moment::Date(raw.date);
    }
    let local = raw.local();
    let known = property
        .zone()
        .map(|tzid| book.resolve(&tzid, raw.date.year(), property.number));
    let Some(offset) = raw.offset else {
        return known.map_or(Moment::Floating(local), |known| Moment::Zoned(known.at(local)));
    };
    if offset.seconds() != 0 {
        notes.add(
            property.number,
            "A time with an offset from UTC was read as that instant.",
        );
    }
    let utc = offset
        .to_timestamp(local)
        .unwrap_or_else(|_| zones::to_utc(local, &jiff::tz::TimeZone::UTC));
    // The instant counts; a zone beside it only says how to show it.
    let (zone, rules) = match known {
        Some(known) => (known.zone, known.rules),
        None => (ZoneRef::utc(), jiff::tz::TimeZone::UTC),
    };
    Moment::Zoned(ZonedTime {
        local: zones::local_of(utc, &rules),
        zone,
        utc,
    })
}

/// The moment a duration later: days on the calendar, then exact seconds.
pub(super) fn after(start: &Moment, length: &RawDuration) -> Moment {
    let days = jiff::Span::new().try_days(length.days).unwrap_or_default();
    let seconds = SignedDuration::from_secs(length.seconds);
    match start {
        Moment::Date(date) => {
            let whole = SignedDuration::from_secs(length.seconds.saturating_add(86_399) / 86_400 * 86_400);
            let end = date.checked_add(days).and_then(|date| date.checked_add(whole));
            Moment::Date(end.unwrap_or(civil::Date::MAX))
        }
        Moment::Floating(local) => {
            let end = local
                .checked_add(days)
                .and_then(|local| local.checked_add(seconds));
            Moment::Floating(end.unwrap_or(civil::DateTime::MAX))
        }
        Moment::Zoned(start) => {
            let rules = start.zone.time_zone();
            let day = start.local.checked_add(days).unwrap_or(civil::DateTime::MAX);
            let utc = zones::to_utc(day, &rules)
                .checked_add(seconds)
                .unwrap_or(jiff::Timestamp::MAX);
            let local = if length.seconds == 0 {
                day
            } else {
                zones::local_of(utc, &rules)
            };
            Moment::Zoned(ZonedTime {
                local,
                zone: start.zone.clone(),
                utc,
            })
        }
    }
}

/// Time from one moment to another of the same kind; zero between kinds that cannot be compared.
fn length(start: &Moment, end: &Moment) -> SignedDuration {
    match (start, end) {
        (Moment::Zoned(start), Moment::Zoned(end)) => start.utc.duration_until(end.utc),
        (Moment::Floating(start), Moment::Floating(end)) => start.duration_until(*end),
        (Moment::Date(start), Moment::Date(end)) => start.duration_until(*end),
        _ => SignedDuration::ZERO,
    }
}

/// A moment in the terms of the event it belongs to: the master's kind and zone.
pub(super) fn aligned(moment: &Moment, master: &EventTime) -> Moment {
    match (master, moment) {
        (EventTime::Timed { start, .. }, Moment::Zoned(time)) if time.zone == start.zone => moment.clone(),
        (EventTime::Timed { start, .. }, Moment::Zoned(time)) => {
            let local = zones::local_of(time.utc, &start.zone.time_zone());
            Moment::Zoned(ZonedTime {
                local,
                zone: start.zone.clone(),
                utc: time.utc,
            })
        }
        (EventTime::Timed { start, .. }, Moment::Floating(local)) => Moment::Zoned(zoned(*local, start)),
        (EventTime::Timed { start, .. }, Moment::Date(date)) => {
            Moment::Zoned(zoned(date.to_datetime(start.local.time()), start))
        }
        (EventTime::AllDay { .. }, Moment::Zoned(time)) => Moment::Date(time.local.date()),
        (EventTime::AllDay { .. }, Moment::Floating(local)) => Moment::Date(local.date()),
        (EventTime::Floating { .. }, Moment::Zoned(time)) => Moment::Floating(time.local),
        (EventTime::Floating { start, .. }, Moment::Date(date)) => {
            Moment::Floating(date.to_datetime(start.time()))
        }
        (EventTime::AllDay { .. }, Moment::Date(_)) | (EventTime::Floating { .. }, Moment::Floating(_)) => {
            moment.clone()
        }
    }
}

/// A wall time in the zone of another.
pub(super) fn zoned(local: civil::DateTime, like: &ZonedTime) -> ZonedTime {
    let utc = zones::to_utc(local, &like.zone.time_zone());
    ZonedTime {
        local,
        zone: like.zone.clone(),
        utc,
    }
}
