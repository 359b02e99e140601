//! What is reminded of next.

use chrono::NaiveDate;
use entity::enums::{EventKind, EventStatus, EventTransparency, EventVisibility};
use entity::ids::{CalendarEventId, CalendarId, EventOverrideId, WorkspaceId};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::kernel::zones;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn zone(name: &str) -> TimeZone {
    zones::zone(name).unwrap()
}

/// An hour from nine on Monday, 2 March 2026, in Berlin.
fn event(rule: Option<&str>) -> calendar_event::Model {
    calendar_event::Model {
        id: CalendarEventId(Uuid::nil()),
        workspace_id: WorkspaceId(Uuid::nil()),
        calendar_id: CalendarId(Uuid::nil()),
        version: 1,
        uid: "u".into(),
        title: "Stand-up".into(),
        description: None,
        location: None,
        conference_url: None,
        kind: EventKind::Timed,
        start_local: Some("2026-03-02T09:00:00".parse().unwrap()),
        end_local: Some("2026-03-02T10:00:00".parse().unwrap()),
        start_zone: Some("Europe/Berlin".into()),
        end_zone: Some("Europe/Berlin".into()),
        start_date: None,
        end_date: None,
        start_utc: at("2026-03-02T08:00:00Z"),
        end_utc: at("2026-03-02T09:00:00Z"),
        tzdata_version: None,
        time_zone: "Europe/Berlin".into(),
        status: EventStatus::Confirmed,
        transparency: EventTransparency::Busy,
        visibility: EventVisibility::Default,
        rrule: rule.map(str::to_owned),
        rdates: json!([]),
        exdates: json!([]),
        series_end_utc: None,
        is_recurring: rule.is_some(),
        split_from: None,
        sequence: 0,
        recurrence_id: None,
        organizer_email: None,
        organizer_name: None,
        color: None,
        external_url: None,
        source_ics: None,
        task_id: None,
        booking_id: None,
        created_by: None,
        created_at: at("2026-01-01T00:00:00Z"),
        updated_at: at("2026-01-01T00:00:00Z"),
    }
}

fn exception(original: &str, moved_to: Option<&str>, cancelled: bool) -> event_override::Model {
    event_override::Model {
        id: EventOverrideId(Uuid::nil()),
        workspace_id: WorkspaceId(Uuid::nil()),
        event_id: CalendarEventId(Uuid::nil()),
        original_start_utc: at(original),
        original_start: "".into(),
        cancelled,
        patch: json!({}),
        start_utc: moved_to.map(at),
        end_utc: moved_to.map(at),
        version: 1,
        created_at: at("2026-01-01T00:00:00Z"),
        updated_at: at("2026-01-01T00:00:00Z"),
    }
}

fn start(
    row: &calendar_event::Model,
    exceptions: &[event_override::Model],
    earliest: &str,
) -> Option<Instant> {
    next(row, exceptions, &zone("America/New_York"), at(earliest)).map(|found| found.start)
}

#[test]
fn a_single_event_comes_once() {
    let row = event(None);
    assert_eq!(start(&row, &[], "2026-03-02T08:00:00Z"), Some(row.start_utc));
    assert_eq!(start(&row, &[], "2026-03-02T08:00:01Z"), None);
    let cancelled = calendar_event::Model {
        status: EventStatus::Cancelled,
        ..row
    };
    assert_eq!(start(&cancelled, &[], "2026-03-01T00:00:00Z"), None);
}

#[test]
fn a_series_keeps_its_wall_time_and_leaves_out_what_does_not_take_place() {
    let mut row = event(Some("FREQ=WEEKLY"));
    // Summer time began in between.
    assert_eq!(
        start(&row, &[], "2026-03-24T00:00:00Z"),
        Some(at("2026-03-30T07:00:00Z"))
    );
    row.exdates = json!(["2026-03-30T09:00:00"]);
    row.rdates = json!(["2026-04-01T12:00:00"]);
    assert_eq!(
        start(&row, &[], "2026-03-24T00:00:00Z"),
        Some(at("2026-04-01T10:00:00Z"))
    );
    let cancelled = [exception("2026-03-09T08:00:00Z", None, true)];
    assert_eq!(
        start(&row, &cancelled, "2026-03-03T00:00:00Z"),
        Some(at("2026-03-16T08:00:00Z"))
    );
}

#[test]
fn a_moved_occurrence_is_where_it_was_moved_to() {
    let row = event(Some("FREQ=WEEKLY"));
    let moved = [exception(
        "2026-03-09T08:00:00Z",
        Some("2026-03-17T12:00:00Z"),
        false,
    )];
    let found = |earliest: &str| next(&row, &moved, &zone("UTC"), at(earliest)).unwrap();
    assert_eq!(found("2026-03-03T00:00:00Z").start, at("2026-03-16T08:00:00Z"));
    assert_eq!(
        found("2026-03-16T08:00:01Z"),
        Upcoming {
            start: at("2026-03-17T12:00:00Z"),
            original: at("2026-03-09T08:00:00Z"),
        }
    );
    let earlier = [exception(
        "2026-03-30T07:00:00Z",
        Some("2026-03-04T12:00:00Z"),
        false,
    )];
    let found = next(&row, &earlier, &zone("UTC"), at("2026-03-03T00:00:00Z")).unwrap();
    assert_eq!(found.start, at("2026-03-04T12:00:00Z"));
}

#[test]
fn days_begin_where_the_person_is() {
    let row = calendar_event::Model {
        kind: EventKind::AllDay,
        start_local: None,
        end_local: None,
        start_date: NaiveDate::from_ymd_opt(2026, 3, 2),
        end_date: NaiveDate::from_ymd_opt(2026, 3, 3),
        ..event(None)
    };
    assert_eq!(
        start(&row, &[], "2026-03-01T00:00:00Z"),
        Some(at("2026-03-02T05:00:00Z"))
    );
    let series = calendar_event::Model {
        rrule: Some("FREQ=DAILY;COUNT=3".into()),
        is_recurring: true,
        ..row
    };
    let mut cancelled = exception("2026-03-02T23:00:00Z", None, true);
    cancelled.original_start = "2026-03-03".into();
    assert_eq!(
        start(&series, &[cancelled], "2026-03-02T06:00:00Z"),
        Some(at("2026-03-04T05:00:00Z"))
    );
}

#[test]
fn a_series_without_any_start_left_ends() {
    let row = event(Some("FREQ=DAILY;COUNT=2"));
    assert_eq!(start(&row, &[], "2026-03-03T08:00:01Z"), None);
    // Of a rule that cannot be read the calendar shows the first start.
    let broken = event(Some("FREQ=SOMETIMES"));
    assert_eq!(
        start(&broken, &[], "2026-03-01T00:00:00Z"),
        Some(broken.start_utc)
    );
    assert_eq!(start(&broken, &[], "2026-03-02T08:00:01Z"), None);
}

#[test]
fn what_holds_for_later_ones_is_reminded_of_where_it_is() {
    let row = event(Some("FREQ=WEEKLY"));
    let mut lasting = exception("2026-03-09T08:00:00Z", Some("2026-03-10T12:00:00Z"), false);
    lasting.patch = json!({ "thisAndFuture": true });
    // The wall time of the 16th, a day and four hours later; then summer time.
    let changes = [lasting];
    for (earliest, expected) in [
        ("2026-03-03T00:00:00Z", "2026-03-10T12:00:00Z"),
        ("2026-03-10T12:00:01Z", "2026-03-17T12:00:00Z"),
        ("2026-03-25T00:00:00Z", "2026-03-31T11:00:00Z"),
    ] {
        assert_eq!(start(&row, &changes, earliest), Some(at(expected)), "{earliest}");
    }
}

#[test]
fn a_moved_day_begins_where_the_person_is() {
    let row = calendar_event::Model {
        kind: EventKind::AllDay,
        start_local: None,
        end_local: None,
        start_zone: None,
        end_zone: None,
        start_date: NaiveDate::from_ymd_opt(2026, 3, 2),
        end_date: NaiveDate::from_ymd_opt(2026, 3, 3),
        start_utc: at("2026-03-01T23:00:00Z"),
        end_utc: at("2026-03-02T23:00:00Z"),
        ..event(Some("FREQ=WEEKLY;COUNT=2"))
    };
    // The 9th, moved to the 11th; its instants are those of Berlin.
    let mut moved = exception("2026-03-08T23:00:00Z", Some("2026-03-10T23:00:00Z"), false);
    moved.original_start = "2026-03-09".into();
    moved.end_utc = Some(at("2026-03-11T23:00:00Z"));
    moved.patch = json!({ "time": { "startDate": "2026-03-11", "endDate": "2026-03-12" } });
    let found = next(
        &row,
        &[moved],
        &zone("America/New_York"),
        at("2026-03-03T00:00:00Z"),
    );
    let expected = Upcoming {
        start: at("2026-03-11T04:00:00Z"),
        original: at("2026-03-08T23:00:00Z"),
    };
    assert_eq!(found, Some(expected));
}

#[test]
fn a_far_occurrence_is_found() {
    let row = event(Some("FREQ=YEARLY;INTERVAL=40"));
    assert_eq!(
        start(&row, &[], "2026-03-03T00:00:00Z"),
        Some(at("2066-03-02T08:00:00Z"))
    );
}
