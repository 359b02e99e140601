//! Changed occurrences that are far from where their series has them, or longer than all others.

use entity::calendar;
use meridian::features::events::{self, Audience};
use meridian::kernel::time::Span;
use serde_json::{Value, json};

use crate::support::events::{calendar_named, calendar_row, file_of, store, system};
use crate::support::{Client, TestApp};

/// A calendar of Ana's workspace.
async fn calendar(app: &TestApp, name: &str) -> calendar::Model {
    let id = calendar_named(&app.ana(), &app.ana.workspace(), name).await;
    calendar_row(&system(app), &id).await
}

/// Stores what another program has written.
async fn import(app: &TestApp, calendar: &calendar::Model, lines: &str) {
    let stored = store(&system(app), calendar, &file_of(lines)).await;
    assert_eq!(stored.created, 1);
}

/// What is to be seen on a day of UTC: titles with starts and ends.
async fn day(client: &Client<'_>, workspace: &str, day: &str) -> Vec<[Value; 3]> {
    let document = "query ($id: ID!, $range: DateTimeRangeInput!) { workspace(id: $id) { eventOccurrences(range: $range) { title start end } } }";
    let range = json!({ "start": format!("{day}T00:00:00Z"), "end": format!("{day}T23:59:59Z") });
    let answer = client
        .gql(document, json!({ "id": workspace, "range": range }))
        .await;
    let list = answer.at("/workspace/eventOccurrences");
    let short = |one: &Value| ["title", "start", "end"].map(|name| one[name].clone());
    list.as_array().unwrap().iter().map(short).collect()
}

const FAIR: &str = "BEGIN:VEVENT
    UID:fair
    DTSTAMP:20260101T000000Z
    DTSTART;TZID=Europe/Berlin:20260302T090000
    DURATION:PT1H
    RRULE:FREQ=WEEKLY;COUNT=2
    RDATE;VALUE=PERIOD;TZID=Europe/Berlin:20260404T090000/P7D
    SUMMARY:Meeting
    END:VEVENT
    BEGIN:VEVENT
    UID:fair
    DTSTAMP:20260101T000000Z
    RECURRENCE-ID;TZID=Europe/Berlin:20260404T090000
    DTSTART;TZID=Europe/Berlin:20260404T090000
    DTEND;TZID=Europe/Berlin:20260411T090000
    SUMMARY:Fair
    END:VEVENT
    ";

#[tokio::test]
async fn the_exception_of_a_long_additional_start_is_there_to_its_end() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let place = calendar(&app, "Work").await;
    import(&app, &place, FAIR).await;
    let fair = ["Fair", "2026-04-04T07:00:00Z", "2026-04-11T07:00:00Z"].map(Value::from);
    for date in ["2026-04-04", "2026-04-07", "2026-04-10"] {
        assert_eq!(
            day(&ana, &workspace, date).await,
            std::slice::from_ref(&fair),
            "{date}"
        );
    }
    let other = calendar(&app, "Other").await;
    let called_off = FAIR
        .replace("UID:fair", "UID:off")
        .replace("SUMMARY:Fair", "STATUS:CANCELLED");
    import(&app, &other, &called_off).await;
    for date in ["2026-04-04", "2026-04-10"] {
        assert_eq!(
            day(&ana, &workspace, date).await,
            std::slice::from_ref(&fair),
            "{date}"
        );
    }
}

#[tokio::test]
async fn an_occurrence_that_was_moved_into_a_range_is_in_the_text_of_that_range() {
    let app = TestApp::start().await;
    let ana = app.ana();
    let place = calendar(&app, "Work").await;
    let document = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { calendarEvent { id } userErrors { code } } }";
    let input = json!({ "calendarId": place.id.to_string(), "title": "Stand-up", "recurrence": { "rule": "FREQ=WEEKLY;COUNT=2" },
        "time": { "timed": { "start": "2026-03-02T08:00:00Z", "end": "2026-03-02T08:30:00Z" } } });
    let answer = ana.gql(document, json!({ "input": input })).await;
    let id = answer
        .succeeded("createCalendarEvent")
        .at("/createCalendarEvent/calendarEvent/id");
    let document = "mutation ($id: ID!, $at: DateTime, $start: DateTime!) {
        moveCalendarEvent(id: $id, scope: THIS, occurrenceStart: $at, start: $start) { userErrors { code } } }";
    let variables = json!({ "id": id, "at": "2026-03-09T08:00:00Z", "start": "2026-06-10T08:00:00Z" });
    ana.gql(document, variables).await.succeeded("moveCalendarEvent");

    let ctx = system(&app);
    let events_in = async |from: &str, to: &str| {
        let span = Span::new(from.parse().unwrap(), to.parse().unwrap()).unwrap();
        let calendars = std::slice::from_ref(&place);
        let text = events::calendar_text(&ctx, calendars, Some(span), Audience::Caller).await;
        text.unwrap().events
    };
    assert_eq!(events_in("2026-06-10T00:00:00Z", "2026-06-11T00:00:00Z").await, 1);
    assert_eq!(events_in("2026-06-11T00:00:00Z", "2026-07-01T00:00:00Z").await, 0);
}
