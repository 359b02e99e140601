//! Changed occurrences are written, and read, with the times that everybody sees.

use entity::ids::{CalendarEventId, CalendarId, EventOverrideId, WorkspaceId};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::features::events::model::When;
use crate::features::events::{invite, remote, stored, times};
use crate::kernel::time::Instant;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn blank() -> calendar_event::Model {
    let nil = Uuid::nil();
    stored::blank(CalendarEventId(nil), CalendarId(nil), at("2026-01-01T00:00:00Z"))
}

/// Every day, in Berlin.
fn daily(when: When) -> calendar_event::Model {
    let mut row = blank();
    row.time_zone = "Europe/Berlin".into();
    times::store(&mut row, when);
    row.rrule = Some("FREQ=DAILY".into());
    row.is_recurring = true;
    row
}

/// From 22:00 to 6:00, since before clocks go forward.
fn nights() -> calendar_event::Model {
    daily(When::Timed {
        start: at("2026-03-20T21:00:00Z"),
        end: at("2026-03-21T05:00:00Z"),
    })
}

fn changed(original: &str, utc: &str, patch: Value) -> event_override::Model {
    event_override::Model {
        id: EventOverrideId(Uuid::nil()),
        workspace_id: WorkspaceId(Uuid::nil()),
        event_id: CalendarEventId(Uuid::nil()),
        original_start_utc: at(utc),
        original_start: original.into(),
        cancelled: false,
        patch,
        start_utc: None,
        end_utc: None,
        version: 1,
        created_at: at(utc),
        updated_at: at(utc),
    }
}

fn renamed(original: &str, utc: &str) -> event_override::Model {
    changed(original, utc, json!({ "title": "Other" }))
}

/// First instant or day and the one after the last, of each changed occurrence.
fn told(row: &calendar_event::Model, exceptions: &[event_override::Model]) -> Vec<[String; 2]> {
    let written = written(row, exceptions, &[]);
    let times = written.overrides.iter().map(|one| match &one.event.time {
        EventTime::Timed { start, end } => [start.utc.to_string(), end.utc.to_string()],
        EventTime::AllDay { start, end } => [start.to_string(), end.to_string()],
        EventTime::Floating { start, end } => [start.to_string(), end.to_string()],
    });
    times.collect()
}

#[test]
fn an_occurrence_that_is_only_renamed_ends_when_its_series_ends_that_day() {
    // The night in which clocks go forward is an hour shorter.
    let own = renamed("2026-03-28T22:00:00", "2026-03-28T21:00:00Z");
    assert_eq!(
        told(&nights(), &[own]),
        [["2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z"]]
    );
    // Two days, of which the first pair is an hour short.
    let day = |text: &str| text.parse().unwrap();
    let row = daily(When::AllDay {
        start: day("2026-03-28"),
        end: day("2026-03-30"),
    });
    let own = renamed("2026-04-10", "2026-04-09T22:00:00Z");
    assert_eq!(told(&row, &[own]), [["2026-04-10", "2026-04-12"]]);
}

#[test]
fn an_additional_start_keeps_its_own_length_when_it_is_renamed() {
    let mut row = nights();
    row.rdates = json!(["2026-04-01T12:00:00/PT1H30M"]);
    let own = renamed("2026-04-01T12:00:00", "2026-04-01T10:00:00Z");
    assert_eq!(
        told(&row, &[own]),
        [["2026-04-01T10:00:00Z", "2026-04-01T11:30:00Z"]]
    );
}

/// An hour later from 1 April on.
fn lasting() -> event_override::Model {
    let time = json!({
        "startLocal": "2026-04-01T23:00:00", "startZone": "Europe/Berlin",
        "endLocal": "2026-04-02T07:00:00", "endZone": "Europe/Berlin",
    });
    let patch = json!({ "thisAndFuture": true, "time": time });
    let mut lasting = changed("2026-04-01T22:00:00", "2026-04-01T20:00:00Z", patch);
    lasting.start_utc = Some(at("2026-04-01T21:00:00Z"));
    lasting.end_utc = Some(at("2026-04-02T05:00:00Z"));
    lasting
}

#[test]
fn an_occurrence_behind_a_lasting_change_is_written_where_that_puts_it() {
    let own = renamed("2026-04-03T22:00:00", "2026-04-03T20:00:00Z");
    assert_eq!(
        told(&nights(), &[lasting(), own]),
        [
            ["2026-04-01T21:00:00Z", "2026-04-02T05:00:00Z"],
            ["2026-04-03T21:00:00Z", "2026-04-04T05:00:00Z"],
        ]
    );
}

#[test]
fn a_letter_about_one_occurrence_tells_when_it_takes_place() {
    let (row, own) = (nights(), renamed("2026-04-03T22:00:00", "2026-04-03T20:00:00Z"));
    let shown = placed::changed(&row, &[lasting()], &own);
    let object = invite::Object {
        row: &row,
        exceptions: &[],
        people: &[],
        method: "REQUEST",
        now: at("2026-03-02T09:00:00Z"),
    };
    let text = object.one(&own, &shown);
    for line in [
        "RECURRENCE-ID;TZID=Europe/Berlin:20260403T220000\r\n",
        "DTSTART;TZID=Europe/Berlin:20260403T230000\r\n",
        "DTEND;TZID=Europe/Berlin:20260404T070000\r\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

/// Whether the occurrence of the night of the change of clocks has times of its own when it ends then.
fn has_own_times(end: &str) -> bool {
    let text = format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Berlin:20260320T220000\r\n\
        DTEND;TZID=Europe/Berlin:20260321T060000\r\nRRULE:FREQ=DAILY\r\nSUMMARY:Night\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260328T220000\r\n\
        DTSTART;TZID=Europe/Berlin:20260328T220000\r\nDTEND;TZID=Europe/Berlin:20260329T{end}\r\n\
        SUMMARY:Long night\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let feed = ical::read(&text, "Europe/Berlin").unwrap();
    let object = &feed.objects[0];
    let master = object.master.as_ref().unwrap();
    let mut row = blank();
    remote::write(&mut row, master, "Europe/Berlin");
    let exceptions = remote::exceptions(&row, master, &object.overrides);
    assert_eq!(exceptions.len(), 1, "{text}");
    exceptions[0].moved.is_some()
}

#[test]
fn an_end_that_differs_by_an_hour_only_that_night_is_kept() {
    assert!(!has_own_times("060000"), "as all other nights");
    assert!(has_own_times("070000"), "as long as all other nights");
}
