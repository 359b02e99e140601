//! Files without a database: what a calendar file says takes place, found by the very code that stores and expands events. Pure.
//!
//! For comparison with other programs, and for whoever wonders what a file means.

use std::sync::Arc;

use chrono::DateTime;
use entity::enums::EventKind;
use entity::ids::{CalendarEventId, CalendarId, WorkspaceId};
use entity::{calendar_event, event_override};
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::ical::{self, NotCalendar, ParsedEvent, ParsedObject};
use super::model::Event;
use super::occurrence::{Change, Occurrence, View, occurrences};
use super::recurrence::{Budget, Moment};
use super::remote::{self, RemoteException};
use super::stored;
use crate::kernel::time::Span;
use crate::kernel::zones;

/// A command may work longer than a request.
const BUDGET: Budget = Budget {
    steps: 2_000_000,
    starts: 100_000,
};

/// What one object of a file says takes place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileObject {
    /// Its UID.
    pub uid: String,
    /// When it starts, in the order of time: instants, or what is written when there is no zone.
    pub starts: Vec<Moment>,
    /// Whether there are more than anybody can look at.
    pub truncated: bool,
    /// What was wrong with it.
    pub problems: Vec<String>,
}

/// What takes place in a window. `zone` is the IANA name of the zone for times whose own one cannot be found out; days and floating times
/// are looked for as if the viewer were in UTC.
///
/// # Errors
/// The text is no calendar.
pub fn file_starts(text: &str, zone: &str, window: Span) -> Result<Vec<FileObject>, NotCalendar> {
    let feed = ical::read(text, zone)?;
    let mut objects: Vec<FileObject> = feed
        .objects
        .iter()
        .map(|object| of_object(object, zone, window))
        .collect();
    for problem in feed.problems {
        let uid = problem.uid.unwrap_or_default();
        match objects.iter_mut().find(|object| object.uid == uid) {
            Some(object) => object.problems.push(problem.message),
            None => objects.push(FileObject {
                uid,
                starts: Vec::new(),
                truncated: false,
                problems: vec![problem.message],
            }),
        }
    }
    Ok(objects)
}

fn of_object(object: &ParsedObject, zone: &str, window: Span) -> FileObject {
    let mut found: Vec<Occurrence> = Vec::new();
    let mut truncated = false;
    let mut add = |event: &ParsedEvent, exceptions: Vec<RemoteException>, row: calendar_event::Model| {
        if !remote::has_storable_times(event) {
            return;
        }
        let changes = exceptions.into_iter().map(|change| Change(override_row(change)));
        let event = Arc::new(Event {
            row,
            is_masked: false,
        });
        let view = View {
            window,
            zone: &TimeZone::UTC,
            budget: BUDGET,
        };
        let (own, is_cut) = occurrences(&event, changes.collect(), view);
        found.extend(own);
        truncated |= is_cut;
    };
    if let Some(master) = &object.master {
        let row = row(master, zone);
        add(master, remote::exceptions(&row, master, &object.overrides), row);
    } else {
        for changed in object.overrides.iter().filter(|changed| !changed.cancelled) {
            add(&changed.event, Vec::new(), row(&changed.event, zone));
        }
    }
    found.sort_by_key(|one| (one.start, one.end, one.original_start));
    FileObject {
        uid: object.uid.clone(),
        starts: found.iter().map(moment).collect(),
        truncated,
        problems: object
            .warnings
            .iter()
            .map(|problem| problem.message.clone())
            .collect(),
    }
}

fn row(event: &ParsedEvent, zone: &str) -> calendar_event::Model {
    let nobody = Uuid::nil();
    let mut row = stored::blank(CalendarEventId(nobody), CalendarId(nobody), DateTime::UNIX_EPOCH);
    remote::write(&mut row, event, zone);
    row
}

fn override_row(change: RemoteException) -> event_override::Model {
    event_override::Model {
        id: entity::ids::EventOverrideId(Uuid::nil()),
        workspace_id: WorkspaceId(Uuid::nil()),
        event_id: CalendarEventId(Uuid::nil()),
        original_start_utc: change.original_start_utc,
        original_start: change.original_start,
        cancelled: change.cancelled,
        patch: change.patch,
        start_utc: change.moved.map(|(start, _)| start),
        end_utc: change.moved.map(|(_, end)| end),
        version: 1,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
    }
}

fn moment(one: &Occurrence) -> Moment {
    let start = zones::from_chrono(one.start);
    let local = zones::local_of(start, &TimeZone::UTC);
    match one.event.row.kind {
        _ if one.is_all_day => Moment::Day(local.date()),
        EventKind::Floating => Moment::Local(local),
        EventKind::AllDay | EventKind::Timed => Moment::Instant(start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(lines: &str) -> Vec<String> {
        let text =
            format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
        let window = Span {
            start: "2026-01-01T00:00:00Z".parse().unwrap(),
            end: "2027-01-01T00:00:00Z".parse().unwrap(),
        };
        let objects = file_starts(&text, "UTC", window).unwrap();
        objects[0].starts.iter().map(Moment::to_string).collect()
    }

    #[test]
    fn exceptions_of_a_file_are_applied() {
        let series = "DTSTART;TZID=Europe/Berlin:20260327T090000\r\nRRULE:FREQ=DAILY;COUNT=4\r\nEXDATE;TZID=Europe/Berlin:20260328T090000\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260329T090000\r\nDTSTART;TZID=Europe/Berlin:20260329T120000";
        assert_eq!(
            starts(series),
            ["20260327T080000Z", "20260329T100000Z", "20260330T070000Z"]
        );
        assert_eq!(starts("DTSTART;VALUE=DATE:20260401"), ["20260401"]);
        assert_eq!(starts("DTSTART:20260401T090000"), ["20260401T090000"]);
    }
}
