//! One VEVENT.

use jiff::{Timestamp, civil, tz::TimeZone};

use super::Outgoing;
use super::fold::{Lines, quoted};
use super::kept;
use super::zones::Zones;
use crate::features::events::ical::component::Component;
use crate::features::events::ical::model::{
    AttendeeKind, AttendeeResponse, AttendeeRole, EventStatus, EventTime, ExtraDate, Moment, ParsedAttendee,
    ParsedEvent, ParsedOverride, Transparency, Visibility, ZonedTime,
};

/// Writes an event, or with `changed` an occurrence of a series.
pub(super) fn write(
    lines: &mut Lines,
    zones: &mut Zones,
    object: &Outgoing<'_>,
    event: &ParsedEvent,
    changed: Option<&ParsedOverride>,
    kept: Option<&Component<'_>>,
) {
    lines.push("BEGIN:VEVENT");
    lines.text("UID", object.uid);
    lines.push(&format!("DTSTAMP:{}", utc(object.changed)));
    if let Some(created) = event.created {
        lines.push(&format!("CREATED:{}", utc(created)));
    }
    if let Some(modified) = event.last_modified {
        lines.push(&format!("LAST-MODIFIED:{}", utc(modified)));
    }
    lines.push(&format!("SEQUENCE:{}", event.sequence));
    if let Some(changed) = changed {
        let range = if changed.this_and_future {
            ";RANGE=THISANDFUTURE"
        } else {
            ""
        };
        let (params, value) = moment(zones, &changed.recurrence_id);
        lines.push(&format!("RECURRENCE-ID{range}{params}:{value}"));
    }
    times(lines, zones, &event.time);
    if let Some(rule) = &event.rrule {
        lines.push(&format!("RRULE:{rule}"));
    }
    for extra in &event.rdates {
        lines.push(&extra_date(zones, extra));
    }
    for excluded in &event.exdates {
        let (params, value) = moment(zones, excluded);
        lines.push(&format!("EXDATE{params}:{value}"));
    }
    texts(lines, event, changed.is_some_and(|changed| changed.cancelled));
    people(lines, event);
    if let Some(kept) = kept {
        kept::write(lines, kept);
    }
    lines.push("END:VEVENT");
}

fn times(lines: &mut Lines, zones: &mut Zones, time: &EventTime) {
    let (start, end) = match time {
        EventTime::Timed { start, end } => {
            // An event without length has no end: DTEND must be later than DTSTART.
            let end = (end.utc > start.utc).then(|| zoned(zones, end));
            (zoned(zones, start), end)
        }
        EventTime::AllDay { start, end } => (day(*start), (end > start).then(|| day(*end))),
        EventTime::Floating { start, end } => {
            let end = (end > start).then(|| (String::new(), local(*end)));
            ((String::new(), local(*start)), end)
        }
    };
    lines.push(&format!("DTSTART{}:{}", start.0, start.1));
    if let Some((params, value)) = end {
        lines.push(&format!("DTEND{params}:{value}"));
    }
}

fn texts(lines: &mut Lines, event: &ParsedEvent, is_cancelled: bool) {
    let texts = [
        ("SUMMARY", &event.summary),
        ("DESCRIPTION", &event.description),
        ("LOCATION", &event.location),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            lines.text(name, text);
        }
    }
    if let Some(url) = &event.url {
        lines.push(&format!("URL:{url}"));
    }
    if let Some(url) = &event.conference_url {
        lines.push(&format!("CONFERENCE;VALUE=URI;FEATURE=VIDEO:{url}"));
    }
    let status = match event.status {
        _ if is_cancelled => "CANCELLED",
        EventStatus::Confirmed => "CONFIRMED",
        EventStatus::Tentative => "TENTATIVE",
        EventStatus::Cancelled => "CANCELLED",
    };
    lines.push(&format!("STATUS:{status}"));
    let transparency = match event.transparency {
        Transparency::Busy => "OPAQUE",
        Transparency::Free => "TRANSPARENT",
    };
    lines.push(&format!("TRANSP:{transparency}"));
    match event.visibility {
        Visibility::Default => {}
        Visibility::Public => lines.push("CLASS:PUBLIC"),
        Visibility::Private => lines.push("CLASS:PRIVATE"),
    }
    if let Some(color) = &event.color {
        // COLOR takes names of CSS only.
        lines.push(&format!("X-APPLE-CALENDAR-COLOR:{color}"));
    }
}

fn people(lines: &mut Lines, event: &ParsedEvent) {
    if let Some(organizer) = &event.organizer
        && let Some(email) = &organizer.email
    {
        let name = name(organizer.name.as_deref());
        lines.push(&format!("ORGANIZER{name}:mailto:{email}"));
    }
    for guest in &event.attendees {
        if let Some(email) = &guest.person.email {
            lines.push(&format!("ATTENDEE{}:mailto:{email}", guest_params(guest)));
        }
    }
}

fn guest_params(guest: &ParsedAttendee) -> String {
    let kind = match guest.kind {
        AttendeeKind::Individual => "INDIVIDUAL",
        AttendeeKind::Group => "GROUP",
        AttendeeKind::Resource => "RESOURCE",
        AttendeeKind::Room => "ROOM",
    };
    let role = match guest.role {
        AttendeeRole::Chair => "CHAIR",
        AttendeeRole::Required => "REQ-PARTICIPANT",
        AttendeeRole::Optional => "OPT-PARTICIPANT",
        AttendeeRole::Informed => "NON-PARTICIPANT",
    };
    let response = match guest.response {
        AttendeeResponse::NeedsAction => "NEEDS-ACTION",
        AttendeeResponse::Accepted => "ACCEPTED",
        AttendeeResponse::Declined => "DECLINED",
        AttendeeResponse::Tentative => "TENTATIVE",
    };
    let rsvp = if guest.rsvp { ";RSVP=TRUE" } else { "" };
    let name = name(guest.person.name.as_deref());
    format!(";CUTYPE={kind};ROLE={role};PARTSTAT={response}{rsvp}{name}")
}

fn name(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(";CN={}", quoted(name)))
}

fn extra_date(zones: &mut Zones, extra: &ExtraDate) -> String {
    let (params, value) = moment(zones, &extra.start);
    match extra.duration {
        // Days have no periods.
        Some(_) if matches!(extra.start, Moment::Date(_)) => format!("RDATE{params}:{value}"),
        Some(length) => format!("RDATE;VALUE=PERIOD{params}:{value}/PT{}S", length.as_secs()),
        None => format!("RDATE{params}:{value}"),
    }
}

/// Parameters and value of a point of the calendar.
fn moment(zones: &mut Zones, moment: &Moment) -> (String, String) {
    match moment {
        Moment::Date(date) => day(*date),
        Moment::Floating(at) => (String::new(), local(*at)),
        Moment::Zoned(time) => zoned(zones, time),
    }
}

fn zoned(zones: &mut Zones, time: &ZonedTime) -> (String, String) {
    match zones.name(&time.zone, time.local.year()) {
        Some(tzid) => (format!(";TZID={tzid}"), local(time.local)),
        None => (String::new(), utc(time.utc)),
    }
}

fn day(date: civil::Date) -> (String, String) {
    (";VALUE=DATE".to_owned(), date.strftime("%Y%m%d").to_string())
}

fn local(at: civil::DateTime) -> String {
    at.strftime("%Y%m%dT%H%M%S").to_string()
}

fn utc(at: Timestamp) -> String {
    local(TimeZone::UTC.to_datetime(at)) + "Z"
}
