//! From what reading iCalendar yields to what is stored. Pure.
//!
//! Promises: rows that the database accepts, whatever the text said: ends not before starts, texts that fit its indexes, one guest for
//! each address, one exception for each original start.

mod exceptions;

use std::collections::HashSet;

use chrono::Datelike as _;
use entity::calendar_event;
use entity::enums::{
    AttendeeResponse, EventKind, EventStatus, EventTransparency, EventVisibility, NotificationChannel,
};
use jiff::{Timestamp, civil, tz::TimeZone};

use super::ical::{self, EventTime, ExtraDate, Moment, ParsedEvent};
use super::model::NewReminder;
use super::recurrence::Start;
use super::rules::{MAX_MINUTES_BEFORE, MAX_REMINDERS};
use super::{repeats, series, times};
use crate::kernel::time::Instant;
use crate::kernel::zones;

pub(super) use exceptions::{GUESTS, RemoteException, exceptions, extend_end, orphan_id};

/// Longest text in an index of PostgreSQL, in bytes, with room for the columns beside it.
pub(super) const MAX_INDEXED: usize = 2_000;
/// Most guests of one event.
const MAX_GUESTS: usize = 500;
/// Title of an event without one.
const UNTITLED: &str = "(No title)";

/// A guest or the organizer, as read.
pub(super) struct RemotePerson {
    pub(super) email: String,
    pub(super) name: Option<String>,
    pub(super) response: AttendeeResponse,
    pub(super) is_optional: bool,
    pub(super) is_organizer: bool,
}

/// Writes what was read into a row. The row's id, version and what only Meridian knows stay. Days and floating times are stored with the
/// instants that they have in `home_zone`.
pub(super) fn write(row: &mut calendar_event::Model, event: &ParsedEvent, home_zone: &str) {
    row.title = title(event);
    row.description = event.description.clone();
    row.location = event.location.clone();
    row.conference_url = event.conference_url.clone();
    row.external_url = event.url.clone();
    row.color = event.color.clone();
    row.status = status(event.status);
    row.transparency = transparency(event.transparency);
    row.visibility = visibility(event.visibility);
    row.sequence = event.sequence;
    row.organizer_email = event.organizer.as_ref().and_then(|person| person.email.clone());
    row.organizer_name = event.organizer.as_ref().and_then(|person| person.name.clone());
    write_times(row, &event.time, home_zone);
    row.rrule = event.rrule.clone();
    let zone = zones::stored(&row.time_zone).unwrap_or(TimeZone::UTC);
    row.rdates = event
        .rdates
        .iter()
        .map(|extra| extra_text(extra, &zone))
        .collect();
    row.exdates = event
        .exdates
        .iter()
        .map(|moment| moment_text(moment, &zone))
        .collect();
    row.is_recurring = row.rrule.is_some() || !event.rdates.is_empty();
    row.series_end_utc = if row.is_recurring {
        series_end(row, event, &zone)
    } else {
        None
    };
}

/// Whether the times can be stored at all.
pub(super) fn has_storable_times(event: &ParsedEvent) -> bool {
    let years = match &event.time {
        EventTime::Timed { start, end } => [start.local.year(), end.local.year()],
        EventTime::AllDay { start, end } => [start.year(), end.year()],
        EventTime::Floating { start, end } => [start.year(), end.year()],
    };
    years
        .into_iter()
        .all(|year| times::YEARS.contains(&i32::from(year)))
}

fn write_times(row: &mut calendar_event::Model, time: &EventTime, home_zone: &str) {
    home_zone.clone_into(&mut row.time_zone);
    (row.start_local, row.end_local, row.start_zone, row.end_zone) = (None, None, None, None);
    (row.start_date, row.end_date) = (None, None);
    match time {
        EventTime::Timed { start, end } => {
            row.kind = EventKind::Timed;
            start.zone.stored_name().clone_into(&mut row.time_zone);
            row.start_local = Some(zones::local_to_chrono(start.local));
            row.end_local = Some(zones::local_to_chrono(end.local));
            row.start_zone = Some(start.zone.stored_name().to_owned());
            row.end_zone = Some(end.zone.stored_name().to_owned());
        }
        EventTime::AllDay { start, end } => {
            row.kind = EventKind::AllDay;
            row.start_date = Some(zones::date_to_chrono(*start));
            row.end_date = Some(zones::date_to_chrono(*end));
        }
        EventTime::Floating { start, end } => {
            row.kind = EventKind::Floating;
            row.start_local = Some(zones::local_to_chrono(*start));
            row.end_local = Some(zones::local_to_chrono(*end));
        }
    }
    let zone = zones::stored(&row.time_zone).unwrap_or(TimeZone::UTC);
    let (start, end) = instants(time, &zone);
    (row.start_utc, row.end_utc) = (start, end.max(start));
    row.tzdata_version = Some(zones::tzdata_version().to_owned());
}

/// First instant and instant just after; days and floating times in `zone`.
fn instants(time: &EventTime, zone: &TimeZone) -> (Instant, Instant) {
    let local = |at: civil::DateTime| zones::to_chrono(zones::to_utc(at, zone));
    let day = |at: civil::Date| local(at.to_datetime(civil::Time::midnight()));
    match time {
        EventTime::Timed { start, end } => (zones::to_chrono(start.utc), zones::to_chrono(end.utc)),
        EventTime::AllDay { start, end } => (day(*start), day(*end)),
        EventTime::Floating { start, end } => (local(*start), local(*end)),
    }
}

fn moment_utc(moment: &Moment, zone: &TimeZone) -> Timestamp {
    match moment {
        Moment::Date(day) => zones::to_utc(day.to_datetime(civil::Time::midnight()), zone),
        Moment::Floating(local) => zones::to_utc(*local, zone),
        Moment::Zoned(time) => time.utc,
    }
}

/// A start in the terms of its series.
fn moment_text(moment: &Moment, zone: &TimeZone) -> String {
    match moment {
        Moment::Date(day) => day.to_string(),
        Moment::Floating(local) => local.to_string(),
        Moment::Zoned(time) => repeats::text(zones::local_of(time.utc, zone), time.utc, zone),
    }
}

fn extra_text(extra: &ExtraDate, zone: &TimeZone) -> String {
    let start = moment_text(&extra.start, zone);
    match extra.duration {
        Some(length) => format!("{start}/{length}"),
        None => start,
    }
}

/// End of the last occurrence, or later; `None` when there may be no last one.
fn series_end(row: &calendar_event::Model, event: &ParsedEvent, zone: &TimeZone) -> Option<Instant> {
    let length = row.end_utc - row.start_utc;
    let first = zones::from_chrono(row.start_utc);
    let by_rule = match &event.rrule {
        Some(rule) => {
            let local = zones::local_of(first, zone);
            let start = match (row.kind, row.start_date) {
                (EventKind::AllDay, Some(day)) => Start::Day(zones::date_from_chrono(day)),
                (EventKind::Floating, _) => Start::Floating(local),
                _ => Start::Zoned(local),
            };
            series::latest_start(rule, start, zone)?
        }
        None => first,
    };
    let mut last = zones::to_chrono(by_rule).checked_add_signed(length)?;
    for extra in &event.rdates {
        let own = extra
            .duration
            .and_then(|own| chrono::Duration::try_milliseconds(own.as_millis().try_into().ok()?));
        let start = zones::to_chrono(moment_utc(&extra.start, zone));
        last = last.max(start.checked_add_signed(own.unwrap_or(length))?);
    }
    // Wall time keeps its length over clock changes, instants do not.
    let last = last.checked_add_signed(chrono::Duration::hours(2))?;
    times::YEARS.contains(&last.year()).then_some(last)
}

/// Guests and organizer, each address once.
pub(super) fn people(event: &ParsedEvent) -> Vec<RemotePerson> {
    let organizer = event
        .organizer
        .as_ref()
        .and_then(|person| person.email.clone().map(|email| (email, person)));
    let mut seen = HashSet::new();
    let mut people: Vec<RemotePerson> = Vec::new();
    for guest in event.attendees.iter().take(MAX_GUESTS) {
        let Some(email) = guest.person.email.clone().filter(|email| email.len() <= 320) else {
            continue;
        };
        if seen.insert(email.clone()) {
            people.push(RemotePerson {
                is_organizer: organizer.as_ref().is_some_and(|(address, _)| *address == email),
                is_optional: matches!(
                    guest.role,
                    ical::AttendeeRole::Optional | ical::AttendeeRole::Informed
                ),
                response: response(guest.response),
                name: guest.person.name.clone(),
                email,
            });
        }
    }
    // Somebody who only organizes comes too; without guests there is nothing to organize.
    if let Some((email, person)) = organizer
        && !people.is_empty()
        && email.len() <= 320
        && seen.insert(email.clone())
    {
        people.push(RemotePerson {
            email,
            name: person.name.clone(),
            response: AttendeeResponse::Accepted,
            is_optional: false,
            is_organizer: true,
        });
    }
    people
}

/// Reminders before the start; those after it have no place here.
pub(super) fn reminders(event: &ParsedEvent) -> Vec<NewReminder> {
    let mut seen = HashSet::new();
    let alarms = event.alarms.iter().map(|alarm| NewReminder {
        minutes_before: alarm.minutes_before,
        channel: if alarm.by_email {
            NotificationChannel::Email
        } else {
            NotificationChannel::InApp
        },
    });
    let alarms = alarms
        .filter(|alarm| (0..=MAX_MINUTES_BEFORE).contains(&alarm.minutes_before) && seen.insert(*alarm));
    alarms.take(MAX_REMINDERS).collect()
}

fn title(event: &ParsedEvent) -> String {
    let title = event
        .summary
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .unwrap_or(UNTITLED);
    title[..title.floor_char_boundary(MAX_INDEXED)].to_owned()
}

fn status(status: ical::EventStatus) -> EventStatus {
    match status {
        ical::EventStatus::Confirmed => EventStatus::Confirmed,
        ical::EventStatus::Tentative => EventStatus::Tentative,
        ical::EventStatus::Cancelled => EventStatus::Cancelled,
    }
}

fn transparency(transparency: ical::Transparency) -> EventTransparency {
    match transparency {
        ical::Transparency::Busy => EventTransparency::Busy,
        ical::Transparency::Free => EventTransparency::Free,
    }
}

fn visibility(visibility: ical::Visibility) -> EventVisibility {
    match visibility {
        ical::Visibility::Default => EventVisibility::Default,
        ical::Visibility::Public => EventVisibility::Public,
        ical::Visibility::Private => EventVisibility::Private,
    }
}

fn response(response: ical::AttendeeResponse) -> AttendeeResponse {
    match response {
        ical::AttendeeResponse::NeedsAction => AttendeeResponse::NeedsAction,
        ical::AttendeeResponse::Accepted => AttendeeResponse::Accepted,
        ical::AttendeeResponse::Declined => AttendeeResponse::Declined,
        ical::AttendeeResponse::Tentative => AttendeeResponse::Tentative,
    }
}
