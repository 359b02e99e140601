//! Changed and cancelled occurrences. Pure.

use std::collections::HashSet;

use chrono::Datelike as _;
use entity::calendar_event;
use entity::enums::EventKind;
use serde_json::{Map, Value, json};

use super::{
    has_storable_times, instants, moment_text, moment_utc, response, status, title, transparency, visibility,
};
use crate::features::events::ical::{AttendeeRole, EventTime, Moment, ParsedEvent, ParsedOverride};
use crate::features::events::stored::zone_of;
use crate::features::events::{placed, times};
use crate::kernel::time::Instant;
use crate::kernel::zones;

/// A changed or cancelled occurrence, as read.
pub(in crate::features::events) struct RemoteException {
    pub(in crate::features::events) original_start_utc: Instant,
    pub(in crate::features::events) original_start: String,
    pub(in crate::features::events) cancelled: bool,
    pub(in crate::features::events) patch: Value,
    pub(in crate::features::events) moved: Option<(Instant, Instant)>,
}

/// Exceptions of a series as what they change of it.
pub(in crate::features::events) fn exceptions(
    row: &calendar_event::Model,
    master: &ParsedEvent,
    overrides: &[ParsedOverride],
) -> Vec<RemoteException> {
    let zone = zone_of(row);
    let mut seen = HashSet::new();
    let storable = overrides
        .iter()
        .filter(|changed| has_storable_times(&changed.event));
    let lasting = overrides.iter().filter(|changed| changed.this_and_future);
    let lasting = lasting.map(|changed| zones::to_chrono(moment_utc(&changed.recurrence_id, &zone)));
    let lasting = lasting.min();
    let many = placed::Many::of(row);
    let exceptions = storable.map(|changed| {
        let row = many.series(&moment_text(&changed.recurrence_id, &zone));
        exception(&row, master, changed, lasting)
    });
    exceptions
        .filter(|exception| seen.insert(exception.original_start_utc))
        .collect()
}

fn exception(
    row: &calendar_event::Model,
    master: &ParsedEvent,
    changed: &ParsedOverride,
    lasting: Option<Instant>,
) -> RemoteException {
    let zone = &zone_of(row);
    let original = zones::to_chrono(moment_utc(&changed.recurrence_id, zone));
    let mut patch = if changed.cancelled {
        Map::new()
    } else {
        difference(master, &changed.event)
    };
    if changed.this_and_future {
        patch.insert("thisAndFuture".into(), json!(true));
    }
    let (start, end) = instants(&changed.event.time, zone);
    let end = end.max(start);
    // Behind one that holds for later ones the times of the series have to be said: they are no longer those of the occurrence.
    let is_behind = lasting.is_some_and(|lasting| lasting < original);
    let stays = !is_behind && is_regular(row, changed, (start, end));
    let moved = (!stays && !changed.cancelled).then_some((start, end));
    if moved.is_some() {
        patch.insert("time".into(), time_json(&changed.event.time));
    }
    RemoteException {
        original_start_utc: original,
        original_start: moment_text(&changed.recurrence_id, zone),
        cancelled: changed.cancelled,
        patch: Value::Object(patch),
        moved,
    }
}

/// Whether an occurrence takes place just as its series has it. The clocks of its own day decide: over a change of clocks the end that is as
/// far from the start as elsewhere is another one.
fn is_regular(
    row: &calendar_event::Model,
    changed: &ParsedOverride,
    (start, end): (Instant, Instant),
) -> bool {
    let local = match &changed.recurrence_id {
        Moment::Date(day) => day.to_datetime(jiff::civil::Time::midnight()),
        Moment::Floating(local) => *local,
        Moment::Zoned(time) => zones::local_of(time.utc, &zone_of(row)),
    };
    let is_day = matches!(changed.event.time, EventTime::AllDay { .. });
    let regular = placed::at_occurrence(row, local);
    is_day == (row.kind == EventKind::AllDay) && (regular.start_utc, regular.end_utc) == (start, end)
}

/// Puts the end of a series behind all that its exceptions move there: the occurrences after one that holds for later ones move with it.
pub(in crate::features::events) fn extend_end(
    row: &mut calendar_event::Model,
    exceptions: &[RemoteException],
) {
    let lasting = exceptions
        .iter()
        .filter(|exception| exception.patch["thisAndFuture"] == true);
    let shifts = lasting.filter_map(|exception| Some(exception.moved?.1 - exception.original_start_utc));
    if let (Some(end), Some(by)) = (row.series_end_utc, shifts.max()) {
        let end = end.checked_add_signed(by.max(chrono::Duration::zero()));
        row.series_end_utc = end.filter(|end| times::YEARS.contains(&end.year()));
    }
}

/// Fields that the occurrence has otherwise than its series; null where it has nothing.
fn difference(master: &ParsedEvent, event: &ParsedEvent) -> Map<String, Value> {
    let fields = |event: &ParsedEvent| {
        [
            ("title", json!(title(event))),
            ("description", json!(event.description)),
            ("location", json!(event.location)),
            ("conferenceUrl", json!(event.conference_url)),
            ("status", json!(status(event.status))),
            ("transparency", json!(transparency(event.transparency))),
            ("visibility", json!(visibility(event.visibility))),
            ("color", json!(event.color)),
            (GUESTS, guests_json(event)),
        ]
    };
    let pairs = fields(master).into_iter().zip(fields(event));
    pairs
        .filter(|(old, new)| old != new)
        .map(|(_, (name, value))| (name.to_owned(), value))
        .collect()
}

/// Guests of an occurrence that others are invited to than to its series; see `own_guests`.
pub(in crate::features::events) const GUESTS: &str = "guests";

fn guests_json(event: &ParsedEvent) -> Value {
    let guests = event.attendees.iter().filter_map(|guest| {
        let email = guest.person.email.as_ref()?;
        Some(json!({
            "email": email, "name": guest.person.name, "response": response(guest.response),
            "isOptional": matches!(guest.role, AttendeeRole::Optional | AttendeeRole::Informed),
        }))
    });
    guests.take(super::MAX_GUESTS).collect()
}

fn time_json(time: &EventTime) -> Value {
    match time {
        EventTime::Timed { start, end } => json!({
            "startLocal": start.local.to_string(), "startZone": start.zone.stored_name(),
            "endLocal": end.local.to_string(), "endZone": end.zone.stored_name(),
        }),
        EventTime::AllDay { start, end } => {
            json!({ "startDate": start.to_string(), "endDate": end.to_string() })
        }
        EventTime::Floating { start, end } => {
            json!({ "startLocal": start.to_string(), "endLocal": end.to_string() })
        }
    }
}

/// The original start of an occurrence whose series is unknown, as its identity.
pub(in crate::features::events) fn orphan_id(changed: &ParsedOverride) -> String {
    match &changed.recurrence_id {
        Moment::Date(day) => day.to_string(),
        Moment::Floating(local) => local.to_string(),
        Moment::Zoned(time) => time.utc.to_string(),
    }
}
