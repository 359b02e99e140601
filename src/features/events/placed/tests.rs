//! Occurrences behind a change that holds for all later ones, over changes of clocks and seen from elsewhere.

use std::sync::Arc;

use entity::ids::{CalendarEventId, CalendarId, EventOverrideId, WorkspaceId};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::features::events::model::Event;
use crate::features::events::occurrence::{Change, View, occurrences};
use crate::features::events::stored;
use crate::kernel::time::Span;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// Every day, in Berlin.
fn daily(when: When) -> calendar_event::Model {
    let (id, calendar) = (CalendarEventId(Uuid::nil()), CalendarId(Uuid::nil()));
    let mut row = stored::blank(id, calendar, Instant::UNIX_EPOCH);
    row.time_zone = "Europe/Berlin".into();
    times::store(&mut row, when);
    row.rrule = Some("FREQ=DAILY".into());
    row.is_recurring = true;
    row
}

/// From an original start on it is so.
fn lasting(row: &calendar_event::Model, original: [&str; 2], when: When) -> event_override::Model {
    let mut placed = row.clone();
    times::store(&mut placed, when);
    event_override::Model {
        id: EventOverrideId(Uuid::nil()),
        workspace_id: WorkspaceId(Uuid::nil()),
        event_id: row.id,
        original_start: original[0].into(),
        original_start_utc: at(original[1]),
        cancelled: false,
        patch: json!({ "thisAndFuture": true, "time": time_patch(&placed) }),
        start_utc: Some(placed.start_utc),
        end_utc: Some(placed.end_utc),
        version: 1,
        created_at: Instant::UNIX_EPOCH,
        updated_at: Instant::UNIX_EPOCH,
    }
}

/// Start and end of the occurrence with this original start, where the viewer is.
fn seen(
    row: &calendar_event::Model,
    change: &event_override::Model,
    original: &str,
    viewer: &str,
) -> [Instant; 2] {
    let event = Arc::new(Event {
        row: row.clone(),
        is_masked: false,
    });
    let view = View {
        window: Span {
            start: at("2026-03-01T00:00:00Z"),
            end: at("2026-05-01T00:00:00Z"),
        },
        zone: &zones::zone(viewer).unwrap(),
        budget: Budget::default(),
    };
    let (found, _) = occurrences(&event, vec![Change(change.clone())], view);
    let one = found.iter().find(|one| one.original_start == at(original));
    one.map(|one| [one.start, one.end]).unwrap()
}

#[test]
fn a_night_behind_a_lasting_change_ends_at_the_hour_that_the_change_says() {
    // From 22:00 to 6:00; since 22 March from 23:00 to 7:00.
    let row = daily(When::Timed {
        start: at("2026-03-20T21:00:00Z"),
        end: at("2026-03-21T05:00:00Z"),
    });
    let change = lasting(
        &row,
        ["2026-03-22T22:00:00", "2026-03-22T21:00:00Z"],
        When::Timed {
            start: at("2026-03-22T22:00:00Z"),
            end: at("2026-03-23T06:00:00Z"),
        },
    );
    // Clocks go forward in between.
    let expected = [at("2026-03-28T22:00:00Z"), at("2026-03-29T05:00:00Z")];
    let original = "2026-03-28T21:00:00Z";
    assert_eq!(seen(&row, &change, original, "Europe/Berlin"), expected);
    let local = "2026-03-28T22:00:00".parse().unwrap();
    let placed = at_following(&row, &[change], at(original), local);
    assert_eq!([placed.start_utc, placed.end_utc], expected);
}

#[test]
fn days_behind_a_lasting_change_are_whole_days_where_the_viewer_is() {
    let day = |text: &str| text.parse().unwrap();
    let days = |start, end| When::AllDay {
        start: day(start),
        end: day(end),
    };
    let row = daily(days("2026-03-10", "2026-03-11"));
    // Two days, a day later. Clocks of Auckland go back on 5 April.
    let change = lasting(
        &row,
        ["2026-03-20", "2026-03-19T23:00:00Z"],
        days("2026-03-21", "2026-03-23"),
    );
    assert_eq!(
        seen(&row, &change, "2026-04-03T22:00:00Z", "Pacific/Auckland"),
        [at("2026-04-04T11:00:00Z"), at("2026-04-06T12:00:00Z")]
    );
    // The occurrence of the change itself was moved over that night.
    let change = lasting(
        &row,
        ["2026-04-04", "2026-04-03T22:00:00Z"],
        days("2026-04-06", "2026-04-07"),
    );
    assert_eq!(
        seen(&row, &change, "2026-04-09T22:00:00Z", "Pacific/Auckland"),
        [at("2026-04-11T12:00:00Z"), at("2026-04-12T12:00:00Z")]
    );
    // And two days over the shorter one of Berlin are two days of the event.
    let change = lasting(
        &row,
        ["2026-03-20", "2026-03-19T23:00:00Z"],
        days("2026-03-20", "2026-03-22"),
    );
    let local = "2026-10-24T00:00:00".parse().unwrap();
    let placed = at_following(&row, &[change], at("2026-10-23T22:00:00Z"), local);
    let expected = ["2026-10-24", "2026-10-26"].map(|text| Some(day(text)));
    assert_eq!([placed.start_date, placed.end_date], expected);
}
