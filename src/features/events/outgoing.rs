//! From what is stored to what writing iCalendar takes: the reverse of `remote`. Pure.
//!
//! Promises: what was read, stored and written is read again as the same. Cancelled occurrences become EXDATEs, which every program knows.

use entity::enums::{AttendeeResponse, EventKind, EventStatus, EventTransparency, EventVisibility};
use entity::{attendee, calendar_event, event_override};
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use serde_json::Value;

use super::ical::{
    self, AttendeeKind, AttendeeRole, EventTime, ExtraDate, Moment, ParsedAttendee, ParsedEvent,
    ParsedOverride, Person, ZoneRef, ZonedTime,
};
use super::remote::GUESTS;
use super::stored::Stored;
use super::{placed, remake};
use crate::kernel::zones;

/// A stored event as it is written.
pub(super) struct Written {
    pub(super) uid: String,
    pub(super) master: Option<ParsedEvent>,
    pub(super) overrides: Vec<ParsedOverride>,
    pub(super) changed: Timestamp,
}

/// An event with its exceptions and people.
pub(super) fn written(
    row: &calendar_event::Model,
    exceptions: &[event_override::Model],
    people: &[attendee::Model],
) -> Written {
    let series = Series {
        kind: row.kind,
        zone: zone_ref(&row.time_zone),
        time: row.start_local.map_or(civil::Time::midnight(), |local| {
            zones::local_from_chrono(local).time()
        }),
    };
    let mut event = event(row, &series, people);
    for exception in exceptions.iter().filter(|exception| exception.cancelled) {
        event.exdates.extend(series.original(exception));
    }
    let uid = if row.uid.is_empty() {
        // Masked events keep their UID to themselves.
        format!("{}@masked", row.id.0.hyphenated())
    } else {
        row.uid.clone()
    };
    let changed = zones::from_chrono(row.updated_at);
    let lone = row.recurrence_id.as_deref().and_then(|text| series.moment(text));
    if let Some(recurrence_id) = lone {
        let changed_occurrence = ParsedOverride {
            recurrence_id,
            this_and_future: false,
            cancelled: false,
            event,
        };
        return Written {
            uid,
            master: None,
            overrides: vec![changed_occurrence],
            changed,
        };
    }
    let many = placed::Many::of(row);
    let lasting = exceptions.iter().filter(|one| remake::holds_for_later_ones(one));
    let lasting: Vec<event_override::Model> = lasting.cloned().collect();
    let changes = exceptions.iter().filter(|exception| !exception.cancelled);
    let overrides = changes.filter_map(|exception| {
        Some(ParsedOverride {
            recurrence_id: series.original(exception)?,
            this_and_future: exception.patch["thisAndFuture"] == true,
            cancelled: false,
            event: occurrence((&many, &lasting), &event, exception, &series),
        })
    });
    Written {
        uid,
        overrides: overrides.collect(),
        master: Some(event),
        changed,
    }
}

/// What the moments of a series are written in.
struct Series {
    kind: EventKind,
    zone: ZoneRef,
    time: civil::Time,
}

impl Series {
    /// A start as it is stored; see `repeats`.
    fn moment(&self, text: &str) -> Option<Moment> {
        if let Ok(utc) = text.parse::<Timestamp>() {
            return Some(self.of(utc));
        }
        let local = match text.parse::<civil::DateTime>() {
            Ok(local) if text.contains('T') => local,
            _ => text.parse::<civil::Date>().ok()?.to_datetime(self.time),
        };
        Some(match self.kind {
            EventKind::AllDay => Moment::Date(local.date()),
            EventKind::Floating => Moment::Floating(local),
            EventKind::Timed => Moment::Zoned(zoned(local, &self.zone)),
        })
    }

    /// An instant in the terms of the series; one that wall time cannot say stays in UTC.
    fn of(&self, utc: Timestamp) -> Moment {
        let zone = self.zone.time_zone();
        let local = zones::local_of(utc, &zone);
        match self.kind {
            EventKind::AllDay => Moment::Date(local.date()),
            EventKind::Floating => Moment::Floating(local),
            EventKind::Timed if zones::to_utc(local, &zone) == utc => Moment::Zoned(zoned(local, &self.zone)),
            EventKind::Timed => Moment::Zoned(zoned(zones::local_of(utc, &TimeZone::UTC), &ZoneRef::utc())),
        }
    }

    fn original(&self, exception: &event_override::Model) -> Option<Moment> {
        self.moment(&exception.original_start)
    }

    fn extra(&self, text: &str) -> Option<ExtraDate> {
        let (start, length) = match text.split_once('/') {
            Some((start, length)) => (start, Some(length.parse::<SignedDuration>().ok()?)),
            None => (text, None),
        };
        Some(ExtraDate {
            start: self.moment(start)?,
            duration: length,
        })
    }
}

fn event(row: &calendar_event::Model, series: &Series, people: &[attendee::Model]) -> ParsedEvent {
    let texts = |list: &Value| -> Vec<String> {
        let texts = list.as_array().into_iter().flatten();
        texts.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    ParsedEvent {
        time: time(row, series),
        summary: Some(row.title.clone()),
        description: row.description.clone(),
        location: row.location.clone(),
        url: row.external_url.clone(),
        conference_url: row.conference_url.clone(),
        status: status(row.status),
        transparency: transparency(row.transparency),
        visibility: visibility(row.visibility),
        rrule: rule(row),
        rdates: texts(&row.rdates)
            .iter()
            .filter_map(|text| series.extra(text))
            .collect(),
        exdates: texts(&row.exdates)
            .iter()
            .filter_map(|text| series.moment(text))
            .collect(),
        sequence: row.sequence,
        organizer: row.organizer_email.clone().map(|email| Person {
            email: Some(email),
            name: row.organizer_name.clone(),
        }),
        attendees: people.iter().map(guest).collect(),
        categories: Vec::new(),
        color: row.color.clone(),
        alarms: Vec::new(),
        created: Some(zones::from_chrono(row.created_at)),
        last_modified: Some(zones::from_chrono(row.updated_at)),
    }
}

/// The rule as it came, unless it says its end in other terms than its start: there RFC 5545 has one form, which others insist on.
fn rule(row: &calendar_event::Model) -> Option<String> {
    let text = row.rrule.as_deref()?;
    let stored = Stored::of(row);
    let written = stored.rule.and_then(|rule| {
        let said = rule.clone().ending_as(stored.start, &stored.zone);
        (said != rule).then(|| said.to_string())
    });
    Some(written.unwrap_or_else(|| text.to_owned()))
}

fn time(row: &calendar_event::Model, series: &Series) -> EventTime {
    let utc = zones::from_chrono;
    let start_zone = row
        .start_zone
        .as_deref()
        .map_or_else(|| series.zone.clone(), zone_ref);
    let local = |stored: Option<chrono::NaiveDateTime>, instant: Timestamp, zone: &ZoneRef| {
        stored.map_or_else(
            || zones::local_of(instant, &zone.time_zone()),
            zones::local_from_chrono,
        )
    };
    match row.kind {
        EventKind::AllDay => {
            let day = |stored: Option<chrono::NaiveDate>, instant| {
                stored.map_or_else(
                    || zones::local_of(instant, &series.zone.time_zone()).date(),
                    zones::date_from_chrono,
                )
            };
            EventTime::AllDay {
                start: day(row.start_date, utc(row.start_utc)),
                end: day(row.end_date, utc(row.end_utc)),
            }
        }
        EventKind::Floating => EventTime::Floating {
            start: local(row.start_local, utc(row.start_utc), &series.zone),
            end: local(row.end_local, utc(row.end_utc), &series.zone),
        },
        EventKind::Timed => {
            let end_zone = row
                .end_zone
                .as_deref()
                .map_or_else(|| start_zone.clone(), zone_ref);
            let start = local(row.start_local, utc(row.start_utc), &start_zone);
            let end = local(row.end_local, utc(row.end_utc), &end_zone);
            EventTime::Timed {
                start: zoned(start, &start_zone),
                end: zoned(end, &end_zone),
            }
        }
    }
}

/// A changed occurrence: the series with what was changed of it, by its own exception and by those that hold for later ones.
fn occurrence(
    (many, lasting): (&placed::Many, &[event_override::Model]),
    master: &ParsedEvent,
    exception: &event_override::Model,
    series: &Series,
) -> ParsedEvent {
    let mut event = master.clone();
    (event.rrule, event.rdates, event.exdates) = (None, Vec::new(), Vec::new());
    // Without times of its own it is where its series puts it: wall times stay what they are when clocks change.
    event.time = changed_time(&exception.patch["time"]).unwrap_or_else(|| {
        let row = many.series(&exception.original_start);
        time(&placed::changed(&row, lasting, exception), series)
    });
    let patch = &exception.patch;
    let text = |name: &str, field: &mut Option<String>| {
        if let Some(value) = patch.get(name) {
            *field = value.as_str().map(str::to_owned);
        }
    };
    text("title", &mut event.summary);
    text("description", &mut event.description);
    text("location", &mut event.location);
    text("conferenceUrl", &mut event.conference_url);
    text("color", &mut event.color);
    if let Some(guests) = patch.get(GUESTS).and_then(Value::as_array) {
        event.attendees = guests.iter().filter_map(own_guest).collect();
    }
    let word = |name: &str| patch.get(name).cloned();
    if let Some(Ok(changed)) = word("status").map(serde_json::from_value) {
        event.status = status(changed);
    }
    if let Some(Ok(changed)) = word("transparency").map(serde_json::from_value) {
        event.transparency = transparency(changed);
    }
    if let Some(Ok(changed)) = word("visibility").map(serde_json::from_value) {
        event.visibility = visibility(changed);
    }
    event
}

/// A guest of one occurrence, as `remote` stores them.
fn own_guest(guest: &Value) -> Option<ParsedAttendee> {
    let answer: AttendeeResponse = serde_json::from_value(guest["response"].clone()).ok()?;
    Some(ParsedAttendee {
        person: Person {
            email: Some(guest["email"].as_str()?.to_owned()),
            name: guest["name"].as_str().map(str::to_owned),
        },
        role: role(guest["isOptional"] == true),
        response: response(answer),
        kind: AttendeeKind::Individual,
        rsvp: answer == AttendeeResponse::NeedsAction,
    })
}

/// The times of a moved occurrence, as `remote` stores them.
fn changed_time(time: &Value) -> Option<EventTime> {
    let text = |name: &str| time[name].as_str();
    if let (Some(start), Some(end)) = (text("startDate"), text("endDate")) {
        return Some(EventTime::AllDay {
            start: start.parse().ok()?,
            end: end.parse().ok()?,
        });
    }
    let (start, end) = (text("startLocal")?.parse().ok()?, text("endLocal")?.parse().ok()?);
    Some(match (text("startZone"), text("endZone")) {
        (Some(start_zone), Some(end_zone)) => EventTime::Timed {
            start: zoned(start, &zone_ref(start_zone)),
            end: zoned(end, &zone_ref(end_zone)),
        },
        _ => EventTime::Floating { start, end },
    })
}

fn zoned(local: civil::DateTime, zone: &ZoneRef) -> ZonedTime {
    ZonedTime {
        local,
        utc: zones::to_utc(local, &zone.time_zone()),
        zone: zone.clone(),
    }
}

/// The reverse of [`ZoneRef::stored_name`].
fn zone_ref(stored: &str) -> ZoneRef {
    match zones::canonical_name(stored) {
        Some(name) => ZoneRef::Iana(name.into()),
        None => ZoneRef::Custom {
            tzid: stored.into(),
            posix: stored.into(),
        },
    }
}

fn guest(row: &attendee::Model) -> ParsedAttendee {
    ParsedAttendee {
        person: Person {
            email: Some(row.email.clone()),
            name: row.name.clone(),
        },
        role: role(row.is_optional),
        response: response(row.response),
        kind: AttendeeKind::Individual,
        rsvp: row.response == AttendeeResponse::NeedsAction,
    }
}

fn role(is_optional: bool) -> AttendeeRole {
    if is_optional {
        AttendeeRole::Optional
    } else {
        AttendeeRole::Required
    }
}

fn response(response: AttendeeResponse) -> ical::AttendeeResponse {
    match response {
        AttendeeResponse::NeedsAction => ical::AttendeeResponse::NeedsAction,
        AttendeeResponse::Accepted => ical::AttendeeResponse::Accepted,
        AttendeeResponse::Declined => ical::AttendeeResponse::Declined,
        AttendeeResponse::Tentative => ical::AttendeeResponse::Tentative,
    }
}

fn status(status: EventStatus) -> ical::EventStatus {
    match status {
        EventStatus::Confirmed => ical::EventStatus::Confirmed,
        EventStatus::Tentative => ical::EventStatus::Tentative,
        EventStatus::Cancelled => ical::EventStatus::Cancelled,
    }
}

fn transparency(transparency: EventTransparency) -> ical::Transparency {
    match transparency {
        EventTransparency::Busy => ical::Transparency::Busy,
        EventTransparency::Free => ical::Transparency::Free,
    }
}

fn visibility(visibility: EventVisibility) -> ical::Visibility {
    match visibility {
        EventVisibility::Default => ical::Visibility::Default,
        EventVisibility::Public => ical::Visibility::Public,
        EventVisibility::Private => ical::Visibility::Private,
    }
}

#[cfg(test)]
mod tests;
