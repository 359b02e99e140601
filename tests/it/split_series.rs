//! Series that are cut at awkward places: at additional starts, at occurrences with times of their own, behind changes that hold for all
//! later ones.

use serde_json::{Value, json};

use crate::support::events::{calendar, calendar_row, file_of, store, system};
use crate::support::{Answer, Client, TestApp};

/// Half an hour from nine in Berlin on Monday, 2 March 2026.
async fn created(client: &Client<'_>, calendar: &str, recurrence: Value) -> Value {
    let input = json!({ "calendarId": calendar, "title": "Stand-up", "recurrence": recurrence,
        "time": { "timed": { "start": "2026-03-02T08:00:00Z", "end": "2026-03-02T08:30:00Z" } } });
    let document = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) {
        calendarEvent { id } userErrors { code field message } } }";
    let answer = client.gql(document, json!({ "input": input })).await;
    answer
        .succeeded("createCalendarEvent")
        .at("/createCalendarEvent/calendarEvent/id")
}

async fn update(client: &Client<'_>, id: &Value, scope: &str, at: &str, input: Value) -> Answer {
    let document =
        "mutation ($id: ID!, $scope: RecurrenceScope!, $at: DateTime, $input: UpdateCalendarEventInput!) {
        updateCalendarEvent(id: $id, scope: $scope, occurrenceStart: $at, input: $input) {
            calendarEvent { id recurrence { rule } } userErrors { code field message } } }";
    let variables = json!({ "id": id, "scope": scope, "at": at, "input": input });
    let answer = client.gql(document, variables).await;
    answer.succeeded("updateCalendarEvent")
}

async fn move_to(client: &Client<'_>, id: &Value, scope: &str, at: &str, start: &str) -> Answer {
    let document = "mutation ($id: ID!, $scope: RecurrenceScope!, $at: DateTime, $start: DateTime!) {
        moveCalendarEvent(id: $id, scope: $scope, occurrenceStart: $at, start: $start) {
            calendarEvent { id } userErrors { code field message } } }";
    let variables = json!({ "id": id, "scope": scope, "at": at, "start": start });
    let answer = client.gql(document, variables).await;
    answer.succeeded("moveCalendarEvent")
}

async fn delete_from(client: &Client<'_>, id: &Value, at: &str) -> Answer {
    let document = "mutation ($id: ID!, $at: DateTime) {
        deleteCalendarEvent(id: $id, scope: THIS_AND_FOLLOWING, occurrenceStart: $at) { userErrors { code field message } } }";
    let answer = client.gql(document, json!({ "id": id, "at": at })).await;
    answer.succeeded("deleteCalendarEvent")
}

/// Starts and titles in a window of days, short.
async fn plan(client: &Client<'_>, workspace: &str, from: &str, to: &str) -> Vec<String> {
    let document = "query ($id: ID!, $range: DateTimeRangeInput!) { workspace(id: $id) { eventOccurrences(range: $range) { start title } } }";
    let range = json!({ "start": format!("{from}T00:00:00Z"), "end": format!("{to}T00:00:00Z") });
    let answer = client
        .gql(document, json!({ "id": workspace, "range": range }))
        .await;
    let list = answer.at("/workspace/eventOccurrences");
    let short = |one: &Value| {
        let start = one["start"].as_str().unwrap();
        format!("{} {}", &start[5..16], one["title"].as_str().unwrap())
    };
    list.as_array().unwrap().iter().map(short).collect()
}

/// The year in which all of it takes place.
async fn year(client: &Client<'_>, workspace: &str) -> Vec<String> {
    plan(client, workspace, "2026-01-01", "2026-12-31").await
}

/// Stores what another program has written, and returns the id of the only event.
async fn imported(app: &TestApp, calendar: &str, lines: &str) -> Value {
    let ctx = system(app);
    let place = calendar_row(&ctx, calendar).await;
    assert_eq!(store(&ctx, &place, &file_of(lines)).await.created, 1);
    let document = "query ($id: ID!) { workspace(id: $id) { calendarEvents(first: 5) { nodes { id } } } }";
    let answer = app
        .ana()
        .gql(document, json!({ "id": app.ana.workspace() }))
        .await;
    answer.at("/workspace/calendarEvents/nodes/0/id")
}

#[tokio::test]
async fn a_rule_that_has_ended_does_not_begin_again() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let weekly = [
        "03-02T08:00 Stand-up",
        "03-09T08:00 Stand-up",
        "03-16T08:00 Stand-up",
    ];
    let extra = "2026-06-10T10:00:00Z";
    for rule in ["FREQ=WEEKLY;COUNT=3", "FREQ=WEEKLY;UNTIL=20260320T000000Z"] {
        let recurrence = json!({ "rule": rule, "additionalStarts": [extra] });
        let id = created(&ana, &calendar, recurrence).await;
        let changed = update(
            &ana,
            &id,
            "THIS_AND_FOLLOWING",
            extra,
            json!({ "title": "Party" }),
        )
        .await;
        let later = changed.at("/updateCalendarEvent/calendarEvent/id");
        let mut expected = weekly.to_vec();
        expected.push("06-10T10:00 Party");
        assert_eq!(year(&ana, &workspace).await, expected, "{rule}");
        // It goes, and the rest stays as it was.
        let document = "mutation ($id: ID!) { deleteCalendarEvent(id: $id) { userErrors { code } } }";
        ana.gql(document, json!({ "id": later }))
            .await
            .succeeded("deleteCalendarEvent");
        assert_eq!(year(&ana, &workspace).await, weekly, "{rule}");
        ana.gql(document, json!({ "id": id }))
            .await
            .succeeded("deleteCalendarEvent");

        let id = created(
            &ana,
            &calendar,
            json!({ "rule": rule, "additionalStarts": [extra] }),
        )
        .await;
        delete_from(&ana, &id, extra).await;
        assert_eq!(year(&ana, &workspace).await, weekly, "{rule}");
        ana.gql(document, json!({ "id": id }))
            .await
            .succeeded("deleteCalendarEvent");
    }
}

#[tokio::test]
async fn a_series_keeps_its_rhythm_when_it_is_cut_at_an_additional_start() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let extra = "2026-03-11T17:00:00Z";
    let recurrence = json!({ "rule": "FREQ=WEEKLY;INTERVAL=2;COUNT=4", "additionalStarts": [extra] });
    let id = created(&ana, &calendar, recurrence).await;
    // An hour later from there on.
    move_to(&ana, &id, "THIS_AND_FOLLOWING", extra, "2026-03-11T18:00:00Z").await;
    let expected = [
        "03-02T08:00 Stand-up",
        "03-11T18:00 Stand-up",
        "03-16T09:00 Stand-up",
        "03-30T08:00 Stand-up",
        "04-13T08:00 Stand-up",
    ];
    assert_eq!(year(&ana, &workspace).await, expected);
    // Also a window of that one day has it.
    assert_eq!(
        plan(&ana, &workspace, "2026-03-11", "2026-03-12").await,
        expected[1..2]
    );
    // Another rule begins with the occurrence that it is said of.
    let id = created(
        &ana,
        &calendar,
        json!({ "rule": "FREQ=WEEKLY;COUNT=3", "additionalStarts": ["2026-09-02T10:00:00Z"] }),
    )
    .await;
    let rule = json!({ "recurrence": { "rule": "FREQ=DAILY;COUNT=2", "additionalStarts": [] } });
    update(&ana, &id, "THIS_AND_FOLLOWING", "2026-09-02T10:00:00Z", rule).await;
    assert_eq!(
        plan(&ana, &workspace, "2026-08-01", "2026-10-01").await,
        ["09-02T10:00 Stand-up", "09-03T10:00 Stand-up"]
    );
}

#[tokio::test]
async fn the_occurrence_that_a_larger_change_is_said_of_follows_it() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let id = created(&ana, &calendar, json!({ "rule": "FREQ=DAILY;COUNT=4" })).await;
    let second = "2026-03-03T08:00:00Z";
    update(
        &ana,
        &id,
        "THIS",
        second,
        json!({ "title": "Own", "location": "Roof" }),
    )
    .await;
    move_to(&ana, &id, "THIS", second, "2026-03-03T10:00:00Z").await;
    // It is dragged from where it is, two hours later than the others.
    let moved = move_to(&ana, &id, "THIS_AND_FOLLOWING", second, "2026-03-03T11:00:00Z").await;
    let later = moved.at("/moveCalendarEvent/calendarEvent/id");
    let expected = [
        "03-02T08:00 Stand-up",
        "03-03T11:00 Own",
        "03-04T11:00 Stand-up",
        "03-05T11:00 Stand-up",
    ];
    assert_eq!(year(&ana, &workspace).await, expected);
    let third = "2026-03-04T11:00:00Z";
    update(&ana, &later, "THIS", third, json!({ "title": "Other" })).await;
    update(
        &ana,
        &later,
        "THIS_AND_FOLLOWING",
        third,
        json!({ "title": "All" }),
    )
    .await;
    let expected = [
        "03-02T08:00 Stand-up",
        "03-03T11:00 Own",
        "03-04T11:00 All",
        "03-05T11:00 All",
    ];
    assert_eq!(year(&ana, &workspace).await, expected);

    // The same for the whole series.
    let id = created(&ana, &calendar, json!({ "rule": "FREQ=DAILY;COUNT=2" })).await;
    move_to(&ana, &id, "THIS", second, "2026-04-03T10:00:00Z").await;
    move_to(&ana, &id, "ALL", second, "2026-04-03T12:00:00Z").await;
    assert_eq!(
        plan(&ana, &workspace, "2026-04-01", "2026-05-01").await,
        ["04-02T12:00 Stand-up", "04-03T12:00 Stand-up"]
    );
}

#[tokio::test]
async fn what_holds_for_later_ones_holds_behind_a_split_too() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let id = imported(
        &app,
        &calendar,
        "BEGIN:VEVENT
        UID:lasting
        DTSTAMP:20260101T000000Z
        SUMMARY:Before
        DTSTART;TZID=Europe/Berlin:20260302T090000
        DURATION:PT1H
        RRULE:FREQ=WEEKLY;COUNT=6
        END:VEVENT
        BEGIN:VEVENT
        UID:lasting
        DTSTAMP:20260101T000000Z
        SUMMARY:Later
        RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260316T090000
        DTSTART;TZID=Europe/Berlin:20260319T110000
        DURATION:PT90M
        END:VEVENT",
    )
    .await;
    let expected = [
        "03-02T08:00 Before",
        "03-09T08:00 Before",
        "03-19T10:00 Later",
        "03-26T10:00 Later",
        "04-02T09:00 Later",
        "04-09T09:00 Later",
    ];
    assert_eq!(year(&ana, &workspace).await, expected);
    // The last one lies days behind the last that the rule gives.
    assert_eq!(
        plan(&ana, &workspace, "2026-04-09", "2026-04-10").await,
        expected[5..]
    );
    let fifth = "2026-03-30T07:00:00Z";
    update(&ana, &id, "THIS", fifth, json!({ "title": "Own" })).await;
    let fourth = "2026-03-23T08:00:00Z";
    update(
        &ana,
        &id,
        "THIS_AND_FOLLOWING",
        fourth,
        json!({ "title": "Split" }),
    )
    .await;
    let expected = [
        "03-02T08:00 Before",
        "03-09T08:00 Before",
        "03-19T10:00 Later",
        "03-26T10:00 Split",
        "04-02T09:00 Own",
        "04-09T09:00 Split",
    ];
    assert_eq!(year(&ana, &workspace).await, expected);
    // All move by an hour, and the shift stays what it is.
    move_to(&ana, &id, "ALL", "2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z").await;
    let expected = ["03-02T09:00 Before", "03-09T09:00 Before", "03-19T11:00 Later"];
    assert_eq!(plan(&ana, &workspace, "2026-03-01", "2026-03-20").await, expected);
}

#[tokio::test]
async fn an_occurrence_that_a_file_puts_back_in_its_place_is_there() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let id = imported(
        &app,
        &calendar,
        "BEGIN:VEVENT
        UID:back
        DTSTAMP:20260101T000000Z
        SUMMARY:Series
        DTSTART;TZID=Europe/Berlin:20260302T090000
        DURATION:PT1H
        RRULE:FREQ=WEEKLY;COUNT=4
        END:VEVENT
        BEGIN:VEVENT
        UID:back
        DTSTAMP:20260101T000000Z
        SUMMARY:Series
        RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260309T090000
        DTSTART;TZID=Europe/Berlin:20260309T110000
        DURATION:PT1H
        END:VEVENT
        BEGIN:VEVENT
        UID:back
        DTSTAMP:20260101T000000Z
        SUMMARY:Own
        RECURRENCE-ID;TZID=Europe/Berlin:20260316T090000
        DTSTART;TZID=Europe/Berlin:20260316T090000
        DURATION:PT1H
        END:VEVENT",
    )
    .await;
    let expected = [
        "03-02T08:00 Series",
        "03-09T10:00 Series",
        "03-16T08:00 Own",
        "03-23T10:00 Series",
    ];
    assert_eq!(year(&ana, &workspace).await, expected);
    // Put back among the others it has no time of its own any more.
    move_to(&ana, &id, "THIS", "2026-03-16T08:00:00Z", "2026-03-16T10:00:00Z").await;
    let document = "query ($id: ID!) { calendarEvent(id: $id) { version } }";
    let answer = ana.gql(document, json!({ "id": id })).await;
    assert_eq!(answer.at("/calendarEvent/version"), 2);
    assert_eq!(
        plan(&ana, &workspace, "2026-03-16", "2026-03-17").await,
        ["03-16T10:00 Own"]
    );
}
