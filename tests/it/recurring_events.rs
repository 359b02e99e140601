//! Series through the API: how they are made, seen, moved, split and deleted.

use entity::enums::WorkspaceRole;
use entity::{audit_log, calendar_event};
use meridian::features::events::{self, Among};
use meridian::kernel::time::Span;
use meridian::platform::db::statements;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, QueryFilter as _};
use serde_json::{Value, json};

use crate::support::events::{calendar, calendar_row, store, system, timed};
use crate::support::statements::Statements;
use crate::support::{Answer, Client, TestApp, join};

const EVENT: &str = "id version title start end isAllDay startDate endDate timeZone
    recurrence { rule summary additionalStarts excludedStarts lastStart } attendees { email response } reminders { minutesBefore }";
const OCCURRENCE: &str = "id start end originalStart title location isAllDay isRecurring isException status event { id version calendar { id } viewerResponse }";

fn merged(mut base: Value, more: &Value) -> Value {
    let fields = more.as_object().unwrap().clone();
    base.as_object_mut().unwrap().extend(fields);
    base
}

async fn create(client: &Client<'_>, calendar: &str, more: Value) -> Answer {
    let base = json!({ "calendarId": calendar, "title": "Stand-up", "time": timed("2026-03-02T08:00:00Z", "2026-03-02T08:30:00Z") });
    let document = format!(
        "mutation ($input: CreateCalendarEventInput!) {{ createCalendarEvent(input: $input) {{ calendarEvent {{ {EVENT} }} userErrors {{ code field message }} }} }}"
    );
    client
        .gql(&document, json!({ "input": merged(base, &more) }))
        .await
}

async fn created(client: &Client<'_>, calendar: &str, more: Value) -> Value {
    let answer = create(client, calendar, more)
        .await
        .succeeded("createCalendarEvent");
    answer.at("/createCalendarEvent/calendarEvent")
}

fn every(rule: &str) -> Value {
    json!({ "recurrence": { "rule": rule } })
}

async fn update(client: &Client<'_>, id: &Value, scope: &str, at: Option<&str>, input: Value) -> Answer {
    let document = format!(
        "mutation ($id: ID!, $scope: RecurrenceScope!, $at: DateTime, $input: UpdateCalendarEventInput!) {{
            updateCalendarEvent(id: $id, scope: $scope, occurrenceStart: $at, input: $input) {{
                calendarEvent {{ {EVENT} }} affectedCalendarEvents {{ id version recurrence {{ rule }} }} userErrors {{ code field message }} }} }}"
    );
    let variables = json!({ "id": id, "scope": scope, "at": at, "input": input });
    client.gql(&document, variables).await
}

async fn updated(client: &Client<'_>, id: &Value, scope: &str, at: Option<&str>, input: Value) -> Value {
    let answer = update(client, id, scope, at, input).await;
    answer.succeeded("updateCalendarEvent").at("/updateCalendarEvent")
}

async fn move_to(client: &Client<'_>, id: &Value, scope: &str, at: Option<&str>, start: &str) -> Answer {
    let document = format!(
        "mutation ($id: ID!, $scope: RecurrenceScope!, $at: DateTime, $start: DateTime!) {{
            moveCalendarEvent(id: $id, scope: $scope, occurrenceStart: $at, start: $start) {{
                calendarEvent {{ {EVENT} }} affectedCalendarEvents {{ id }} userErrors {{ code field message }} }} }}"
    );
    let variables = json!({ "id": id, "scope": scope, "at": at, "start": start });
    client.gql(&document, variables).await
}

async fn delete(client: &Client<'_>, id: &Value, scope: &str, at: Option<&str>) -> Answer {
    let document = format!(
        "mutation ($id: ID!, $scope: RecurrenceScope!, $at: DateTime) {{
            deleteCalendarEvent(id: $id, scope: $scope, occurrenceStart: $at) {{
                calendarEvent {{ {EVENT} }} deletedCalendarEventId userErrors {{ code field message }} }} }}"
    );
    client
        .gql(&document, json!({ "id": id, "scope": scope, "at": at }))
        .await
}

async fn seen(client: &Client<'_>, workspace: &str, from: &str, to: &str) -> Vec<Value> {
    let document = format!(
        "query ($id: ID!, $range: DateTimeRangeInput!) {{ workspace(id: $id) {{ eventOccurrences(range: $range) {{ {OCCURRENCE} }} }} }}"
    );
    let range = json!({ "start": format!("{from}T00:00:00Z"), "end": format!("{to}T00:00:00Z") });
    let answer = client
        .gql(&document, json!({ "id": workspace, "range": range }))
        .await;
    let list = answer.at("/workspace/eventOccurrences");
    list.as_array().unwrap().clone()
}

/// Starts and titles, short.
async fn plan(client: &Client<'_>, workspace: &str, from: &str, to: &str) -> Vec<String> {
    let short = |one: &Value| {
        let start = one["start"].as_str().unwrap();
        format!("{} {}", &start[5..16], one["title"].as_str().unwrap())
    };
    seen(client, workspace, from, to)
        .await
        .iter()
        .map(short)
        .collect()
}

#[tokio::test]
async fn a_series_is_shown_in_its_zone_whatever_the_clocks_do() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let event = created(&ana, &calendar, every("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10")).await;
    assert_eq!(event["recurrence"]["rule"], "FREQ=WEEKLY;COUNT=10;BYDAY=MO,WE");
    assert_eq!(event["recurrence"]["lastStart"], "2026-04-01T07:00:00Z");
    let list = seen(&ana, &workspace, "2026-03-23", "2026-04-10").await;
    let starts: Vec<&str> = list.iter().map(|one| one["start"].as_str().unwrap()).collect();
    // Nine in Berlin, before and after the change of clocks.
    let expected = [
        "2026-03-23T08:00:00Z",
        "2026-03-25T08:00:00Z",
        "2026-03-30T07:00:00Z",
        "2026-04-01T07:00:00Z",
    ];
    assert_eq!(starts, expected);
    let first = &list[0];
    assert_eq!(first["end"], "2026-03-23T08:30:00Z");
    assert_eq!(first["originalStart"], first["start"]);
    assert_eq!([&first["isRecurring"], &first["isException"]], [true, false]);
    assert_eq!(first["event"]["id"], event["id"]);
    // The window is half-open.
    assert_eq!(
        seen(&ana, &workspace, "2026-04-02", "2027-04-02").await,
        [] as [Value; 0]
    );
    let document = "query ($id: ID!, $range: DateTimeRangeInput!) { calendarEvent(id: $id) { occurrences(range: $range) { start } } }";
    let range = json!({ "start": "2026-03-02T08:15:00Z", "end": "2026-03-04T08:00:00Z" });
    let answer = ana
        .gql(document, json!({ "id": event["id"], "range": range }))
        .await;
    assert_eq!(
        answer.at("/calendarEvent/occurrences"),
        json!([{ "start": "2026-03-02T08:00:00Z" }])
    );
    let range = json!({ "start": "2026-01-01T00:00:00Z", "end": "2027-01-03T00:00:00Z" });
    let document = "query ($id: ID!, $range: DateTimeRangeInput!) { workspace(id: $id) { eventOccurrences(range: $range) { id } } }";
    let answer = ana
        .gql(document, json!({ "id": workspace, "range": range }))
        .await;
    assert_eq!(answer.error_code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn one_occurrence_is_changed_moved_and_removed() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let event = created(&ana, &calendar, every("FREQ=DAILY;COUNT=5")).await;
    let id = &event["id"];
    let third = Some("2026-03-04T08:00:00Z");
    let changed = updated(
        &ana,
        id,
        "THIS",
        third,
        json!({ "title": "Review", "expectedVersion": 1 }),
    )
    .await;
    assert_eq!(changed["calendarEvent"]["version"], 2);
    assert_eq!(changed["calendarEvent"]["title"], "Stand-up");
    move_to(&ana, id, "THIS", third, "2026-03-20T10:00:00Z")
        .await
        .succeeded("moveCalendarEvent");
    let left = delete(&ana, id, "THIS", Some("2026-03-03T08:00:00Z")).await;
    let left = left.succeeded("deleteCalendarEvent").at("/deleteCalendarEvent");
    assert_eq!(
        left["calendarEvent"]["recurrence"]["excludedStarts"],
        json!(["2026-03-03T08:00:00Z"])
    );
    assert_eq!(left["deletedCalendarEventId"], Value::Null);
    let expected = [
        "03-02T08:00 Stand-up",
        "03-05T08:00 Stand-up",
        "03-06T08:00 Stand-up",
        "03-20T10:00 Review",
    ];
    assert_eq!(plan(&ana, &workspace, "2026-03-01", "2026-04-01").await, expected);
    // A later change of the series reaches what the occurrence did not change itself.
    updated(
        &ana,
        id,
        "ALL",
        None,
        json!({ "title": "Daily", "location": "Room 1" }),
    )
    .await;
    let list = seen(&ana, &workspace, "2026-03-06", "2026-04-01").await;
    let told: Vec<_> = list
        .iter()
        .map(|one| (&one["title"], &one["location"], &one["isException"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("Daily"), &json!("Room 1"), &json!(false)),
            (&json!("Review"), &json!("Room 1"), &json!(true))
        ]
    );
    assert_eq!(list[1]["originalStart"], "2026-03-04T08:00:00Z");
    // A cancelled occurrence is left out, and cannot be changed by its state alone any more.
    updated(&ana, id, "THIS", third, json!({ "status": "CANCELLED" })).await;
    assert_eq!(
        plan(&ana, &workspace, "2026-03-07", "2026-04-01").await,
        [] as [&str; 0]
    );
    // With the last occurrence the series goes.
    for at in [
        "2026-03-02T08:00:00Z",
        "2026-03-04T08:00:00Z",
        "2026-03-05T08:00:00Z",
    ] {
        delete(&ana, id, "THIS", Some(at))
            .await
            .succeeded("deleteCalendarEvent");
    }
    let gone = delete(&ana, id, "THIS", Some("2026-03-06T08:00:00Z")).await;
    let gone = gone.succeeded("deleteCalendarEvent").at("/deleteCalendarEvent");
    assert_eq!(
        (&gone["calendarEvent"], &gone["deletedCalendarEventId"]),
        (&Value::Null, id)
    );
}

#[tokio::test]
async fn a_series_is_split_and_exceptions_go_with_their_half() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let more = json!({ "recurrence": { "rule": "FREQ=DAILY;COUNT=6", "excludedStarts": ["2026-03-03T08:00:00Z", "2026-03-06T08:00:00Z"] },
        "attendees": [{ "email": "guest@example.org" }], "reminders": [{ "minutesBefore": 5 }] });
    let event = created(&ana, &calendar, more).await;
    let id = &event["id"];
    updated(
        &ana,
        id,
        "THIS",
        Some("2026-03-07T08:00:00Z"),
        json!({ "title": "Party" }),
    )
    .await;
    let split = move_to(
        &ana,
        id,
        "THIS_AND_FOLLOWING",
        Some("2026-03-04T08:00:00Z"),
        "2026-03-04T09:00:00Z",
    )
    .await;
    let split = split.succeeded("moveCalendarEvent").at("/moveCalendarEvent");
    let new = &split["calendarEvent"];
    assert_ne!(&new["id"], id);
    assert_eq!(new["recurrence"]["rule"], "FREQ=DAILY;COUNT=4");
    assert_eq!(
        new["recurrence"]["excludedStarts"],
        json!(["2026-03-06T09:00:00Z"])
    );
    assert_eq!(new["attendees"][0]["email"], "guest@example.org");
    assert_eq!(new["reminders"], json!([{ "minutesBefore": 5 }]));
    assert_eq!(
        split["affectedCalendarEvents"],
        json!([{ "id": id }, { "id": new["id"] }])
    );
    let expected = [
        "03-02T08:00 Stand-up",
        "03-04T09:00 Stand-up",
        "03-05T09:00 Stand-up",
        "03-07T09:00 Party",
    ];
    assert_eq!(plan(&ana, &workspace, "2026-03-01", "2026-04-01").await, expected);
    // From the first occurrence on is the whole series: nothing is split.
    let first = updated(
        &ana,
        &new["id"],
        "THIS_AND_FOLLOWING",
        Some("2026-03-04T09:00:00Z"),
        json!({ "title": "Later" }),
    )
    .await;
    assert_eq!(first["calendarEvent"]["id"], new["id"]);
    let rest = delete(
        &ana,
        &new["id"],
        "THIS_AND_FOLLOWING",
        Some("2026-03-05T09:00:00Z"),
    )
    .await;
    rest.succeeded("deleteCalendarEvent");
    let expected = ["03-02T08:00 Stand-up", "03-04T09:00 Later"];
    assert_eq!(plan(&ana, &workspace, "2026-03-01", "2026-04-01").await, expected);
}

#[tokio::test]
async fn a_whole_series_moves_with_its_exceptions() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let more = json!({ "recurrence": { "rule": "FREQ=WEEKLY;BYDAY=MO;COUNT=6", "excludedStarts": ["2026-03-09T08:00:00Z"] } });
    let event = created(&ana, &calendar, more).await;
    let id = &event["id"];
    updated(
        &ana,
        id,
        "THIS",
        Some("2026-03-16T08:00:00Z"),
        json!({ "title": "Quarter" }),
    )
    .await;
    // The fourth one is dragged from Monday to Tuesday, an hour later; it lies behind the change of clocks.
    let moved = move_to(
        &ana,
        id,
        "ALL",
        Some("2026-03-23T08:00:00Z"),
        "2026-03-24T09:00:00Z",
    )
    .await;
    let moved = moved
        .succeeded("moveCalendarEvent")
        .at("/moveCalendarEvent/calendarEvent");
    assert_eq!(moved["recurrence"]["rule"], "FREQ=WEEKLY;COUNT=6;BYDAY=TU");
    assert_eq!(moved["start"], "2026-03-03T09:00:00Z");
    let expected = [
        "03-03T09:00 Stand-up",
        "03-17T09:00 Quarter",
        "03-24T09:00 Stand-up",
        "03-31T08:00 Stand-up",
        "04-07T08:00 Stand-up",
    ];
    assert_eq!(plan(&ana, &workspace, "2026-03-01", "2026-05-01").await, expected);
    // Another rule keeps the exceptions that still have an occurrence.
    let rule = json!({ "recurrence": { "rule": "FREQ=WEEKLY;INTERVAL=2;COUNT=3" } });
    updated(&ana, id, "ALL", None, rule).await;
    let expected = [
        "03-03T09:00 Stand-up",
        "03-17T09:00 Quarter",
        "03-31T08:00 Stand-up",
    ];
    assert_eq!(plan(&ana, &workspace, "2026-03-01", "2026-05-01").await, expected);
    let single = updated(&ana, id, "ALL", None, json!({ "recurrence": null })).await;
    assert_eq!(single["calendarEvent"]["recurrence"], Value::Null);
    assert_eq!(
        plan(&ana, &workspace, "2026-03-01", "2026-05-01").await,
        ["03-03T09:00 Stand-up"]
    );
}

#[tokio::test]
async fn whole_days_are_days_where_the_viewer_is() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let days = json!({ "allDay": { "startDate": "2026-03-27", "endDate": "2026-03-28" } });
    let more = json!({ "time": days, "timeZone": "Pacific/Auckland", "recurrence": { "rule": "FREQ=DAILY;UNTIL=20260330" } });
    let event = created(&ana, &calendar, more).await;
    let preferences = "mutation ($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { userErrors { code } } }";
    let zone = json!({ "input": { "timeZone": "America/New_York" } });
    ana.gql(preferences, zone).await.succeeded("updatePreferences");
    let list = seen(&ana, &workspace, "2026-03-25", "2026-04-05").await;
    let starts: Vec<&str> = list.iter().map(|one| one["start"].as_str().unwrap()).collect();
    assert_eq!(
        starts,
        [
            "2026-03-27T04:00:00Z",
            "2026-03-28T04:00:00Z",
            "2026-03-29T04:00:00Z",
            "2026-03-30T04:00:00Z"
        ]
    );
    assert_eq!(list[3]["end"], "2026-03-31T04:00:00Z");
    // The identity does not depend on who looks.
    let at = list[1]["originalStart"].as_str().unwrap();
    let days = json!({ "allDay": { "startDate": "2026-04-10", "endDate": "2026-04-12" } });
    updated(&ana, &event["id"], "THIS", Some(at), json!({ "time": days })).await;
    let list = seen(&ana, &workspace, "2026-04-09", "2026-04-20").await;
    assert_eq!(
        [&list[0]["start"], &list[0]["end"]],
        ["2026-04-10T04:00:00Z", "2026-04-12T04:00:00Z"]
    );
    assert_eq!(list.len(), 1);
}

#[tokio::test]
async fn bad_rules_and_scopes_change_nothing() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    for rule in [
        "",
        "every day",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=DAILY;UNTIL=20260101T000000Z",
        "FREQ=MINUTELY;COUNT=10",
        "FREQ=HOURLY",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;COUNT=1;BYDAY=8MO",
    ] {
        let answer = create(&ana, &calendar, every(rule)).await;
        assert_eq!(
            answer.user_error("createCalendarEvent"),
            "INVALID_RECURRENCE input.recurrence.rule",
            "{rule}"
        );
    }
    let removed =
        json!({ "recurrence": { "rule": "FREQ=DAILY;COUNT=1", "excludedStarts": ["2026-03-02T08:00:00Z"] } });
    let answer = create(&ana, &calendar, removed).await;
    assert_eq!(
        answer.user_error("createCalendarEvent"),
        "INVALID_RECURRENCE input.recurrence.rule"
    );
    assert_eq!(
        plan(&ana, &workspace, "2026-01-01", "2026-12-31").await,
        [] as [&str; 0]
    );

    let event = created(&ana, &calendar, every("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1;COUNT=3")).await;
    let id = &event["id"];
    let title = || json!({ "title": "x" });
    let at = Some("2026-03-02T08:00:00Z");
    for (scope, start, input, expected) in [
        ("THIS", None, title(), "REQUIRED occurrenceStart"),
        (
            "THIS",
            Some("2026-03-02T08:00:01Z"),
            title(),
            "REFERENCE_NOT_FOUND occurrenceStart",
        ),
        (
            "THIS_AND_FOLLOWING",
            Some("2030-01-01T00:00:00Z"),
            title(),
            "REFERENCE_NOT_FOUND occurrenceStart",
        ),
        (
            "THIS",
            at,
            json!({ "recurrence": null }),
            "INVALID_STATE input.recurrence",
        ),
        (
            "THIS",
            at,
            json!({ "attendees": [{ "email": "a@example.org" }, { "email": "a@example.org" }] }),
            "INVALID input.attendees.1.email",
        ),
        (
            "THIS",
            at,
            json!({ "title": "x", "expectedVersion": 9 }),
            "VERSION_CONFLICT input.expectedVersion",
        ),
        ("THIS", at, json!({ "title": "" }), "REQUIRED input.title"),
        (
            "ALL",
            None,
            json!({ "recurrence": { "rule": "FREQ=DAILY;UNTIL=20200101" } }),
            "INVALID_RECURRENCE input.recurrence.rule",
        ),
        // Which Tuesday would it be?
        (
            "ALL",
            None,
            json!({ "time": timed("2026-03-03T08:00:00Z", "2026-03-03T09:00:00Z") }),
            "INVALID_RECURRENCE input.recurrence",
        ),
        (
            "ALL",
            None,
            json!({ "time": timed("2026-03-03T08:00:00Z", "2026-03-03T07:00:00Z") }),
            "INVALID_TIME_RANGE input.time.timed.end",
        ),
    ] {
        let answer = update(&ana, id, scope, start, input.clone()).await;
        assert_eq!(
            answer.user_error("updateCalendarEvent"),
            expected,
            "{scope} {input}"
        );
    }
    let answer = delete(&ana, id, "THIS", Some("2026-03-03T08:00:00Z")).await;
    assert_eq!(
        answer.user_error("deleteCalendarEvent"),
        "REFERENCE_NOT_FOUND occurrenceStart"
    );
    let after = updated(&ana, id, "ALL", None, json!({})).await;
    assert_eq!(after["calendarEvent"], event);
}

#[tokio::test]
async fn the_end_of_a_rule_is_said_as_other_programs_read_it() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let event = created(&ana, &calendar, every("FREQ=DAILY;UNTIL=20260304")).await;
    // The last second of that day in Berlin.
    assert_eq!(event["recurrence"]["rule"], "FREQ=DAILY;UNTIL=20260304T225959Z");
    assert_eq!(event["recurrence"]["lastStart"], "2026-03-04T08:00:00Z");
    let days = json!({ "time": { "allDay": { "startDate": "2026-03-02", "endDate": "2026-03-03" } } });
    let event = updated(&ana, &event["id"], "ALL", None, days).await["calendarEvent"].clone();
    assert_eq!(event["recurrence"]["rule"], "FREQ=DAILY;UNTIL=20260304");
    let time = json!({ "time": timed("2026-03-02T12:00:00Z", "2026-03-02T13:00:00Z") });
    let event = updated(&ana, &event["id"], "ALL", None, time).await["calendarEvent"].clone();
    assert_eq!(event["recurrence"]["rule"], "FREQ=DAILY;UNTIL=20260304T225959Z");
    assert_eq!(event["recurrence"]["lastStart"], "2026-03-04T12:00:00Z");
}

#[tokio::test]
async fn guests_answer_for_themselves() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.ana(), app.ben());
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Viewer,
    )
    .await;
    let calendar = calendar(&ana, &app.ana.workspace()).await;
    let event = created(
        &ana,
        &calendar,
        json!({ "attendees": [{ "email": "ben@example.org" }] }),
    )
    .await;
    let document = "mutation ($id: ID!, $response: AttendeeResponse!) { respondToCalendarEvent(id: $id, response: $response, comment: \"Late\") {
        calendarEvent { version viewerResponse attendees { email response } } userErrors { code field } } }";
    let answer = ben
        .gql(document, json!({ "id": event["id"], "response": "TENTATIVE" }))
        .await;
    let answered = answer
        .succeeded("respondToCalendarEvent")
        .at("/respondToCalendarEvent/calendarEvent");
    assert_eq!(
        [&answered["viewerResponse"], &answered["version"]],
        [&json!("TENTATIVE"), &json!(1)]
    );
    let lone = created(&ana, &calendar, json!({})).await;
    let answer = ben
        .gql(document, json!({ "id": lone["id"], "response": "ACCEPTED" }))
        .await;
    assert_eq!(answer.user_error("respondToCalendarEvent"), "INVALID_STATE id");
}

#[tokio::test]
async fn a_rule_is_previewed() {
    let app = TestApp::start().await;
    let document = "query ($rule: RRule!, $first: Int) { previewRecurrence(rule: $rule, start: \"2026-03-02T08:00:00Z\", timeZone: \"Europe/Berlin\", first: $first) { summary starts isInfinite } }";
    let variables =
        json!({ "rule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20260305T225959Z", "first": 5 });
    let answer = app.ana().gql(document, variables.clone()).await;
    let expected = json!({ "summary": "Every 2 weeks on Monday and Wednesday, until 5 March 2026",
        "starts": ["2026-03-02T08:00:00Z", "2026-03-04T08:00:00Z"], "isInfinite": false });
    assert_eq!(answer.at("/previewRecurrence"), expected);
    // In the language of whoever asks.
    let preferences = "mutation ($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { userErrors { code } } }";
    for (locale, summary) in [
        (
            "de-AT",
            "Alle 2 Wochen am Montag und Mittwoch, bis zum 5. März 2026",
        ),
        ("fr", "Every 2 weeks on Monday and Wednesday, until 5 March 2026"),
    ] {
        let input = json!({ "input": { "locale": locale } });
        app.ana()
            .gql(preferences, input)
            .await
            .succeeded("updatePreferences");
        let answer = app.ana().gql(document, variables.clone()).await;
        assert_eq!(answer.text("/previewRecurrence/summary"), summary);
    }
    for (rule, first) in [
        ("FREQ=DAILY", 51),
        ("FREQ=DAILY", 0),
        ("FREQ=SECONDLY", 5),
        ("daily", 5),
    ] {
        let answer = app
            .ana()
            .gql(document, json!({ "rule": rule, "first": first }))
            .await;
        assert_eq!(answer.error_code(), "BAD_USER_INPUT", "{rule} {first}");
    }
}

#[tokio::test]
async fn a_month_of_two_hundred_series_takes_three_statements() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let name = calendar(&ana, &workspace).await;
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n".to_owned();
    for number in 0..200 {
        let (day, class) = (
            number % 28 + 1,
            if number % 10 == 0 { "PRIVATE" } else { "PUBLIC" },
        );
        text += &format!(
            "BEGIN:VEVENT\r\nUID:{number}\r\nDTSTAMP:20200101T000000Z\r\nDTSTART;TZID=Europe/Berlin:202001{day:02}T090000\r\nDURATION:PT30M\r\nSUMMARY:{number}\r\nCLASS:{class}\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n"
        );
    }
    text += "END:VCALENDAR\r\n";
    let ctx = system(&app);
    let place = calendar_row(&ctx, &name).await;
    assert_eq!(store(&ctx, &place, &text).await.created, 200);
    let instant = |text: &str| text.parse().unwrap();
    let month = Span::new(instant("2026-03-01T00:00:00Z"), instant("2026-04-01T00:00:00Z")).unwrap();
    let before = statements();
    let found = events::in_window(&ctx, Among::Visible, month, None)
        .await
        .unwrap();
    let asked = statements() - before;
    assert!(asked <= 3, "{asked} statements");
    assert!(!found.truncated);
    let starts: Vec<_> = found.occurrences.iter().map(|one| one.start).collect();
    assert!(starts.is_sorted());
    // 200 series of a week in 31 days.
    assert!((800..=1_000).contains(&starts.len()), "{}", starts.len());
    let told = seen(&ana, &workspace, "2026-03-01", "2026-04-01").await;
    assert_eq!(told.len(), starts.len());

    // The whole answer as the server gives it, who asks and where included; until messages of other replicas are known to arrive, those are
    // asked for each time.
    let document = "query ($id: ID!, $range: DateTimeRangeInput!) { workspace(id: $id) { name eventOccurrences(range: $range) {
        id start end originalStart title location isAllDay isRecurring isException status event { id title } } } }";
    let range = json!({ "start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z" });
    let variables = json!({ "id": workspace, "range": range });
    let answer = ana.gql(document, variables.clone()).await;
    let list = answer.at("/workspace/eventOccurrences");
    assert_eq!(list.as_array().unwrap().len(), starts.len());
    let heard = Statements::listen();
    let mut asked = Vec::new();
    for _ in 0..20 {
        let request = ana.fast_request(document, &variables).unwrap();
        heard.take();
        let response = app.schema.execute(request).await;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        asked = heard.take();
        if asked.len() <= 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // Events, their exceptions, and who may see the private ones.
    assert_eq!(asked.len(), 3, "{asked:#?}");
}

#[tokio::test]
async fn new_zone_rules_move_what_they_move() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    created(&ana, &calendar, every("FREQ=DAILY;COUNT=3")).await;
    created(&ana, &calendar, json!({ "title": "Same" })).await;
    assert_eq!(
        events::renew_times(&app.platform).await.unwrap(),
        events::Renewed::default()
    );
    // As if older rules had put Berlin elsewhere for one of them.
    let ctx = system(&app);
    let age = ctx.write(|tx| async move {
        let wrong = chrono::DateTime::parse_from_rfc3339("2026-03-02T07:00:00Z")
            .unwrap()
            .to_utc();
        let update = tx.update_many::<calendar_event::Entity>();
        update
            .col_expr(calendar_event::Column::TzdataVersion, Expr::val("2019a"))
            .exec(tx.conn())
            .await?;
        let update = tx.update_many::<calendar_event::Entity>();
        update
            .col_expr(calendar_event::Column::StartUtc, Expr::val(wrong))
            .filter(calendar_event::Column::Title.eq("Stand-up"))
            .exec(tx.conn())
            .await?;
        Ok(())
    });
    age.await.unwrap();
    let done = events::renew_times(&app.platform).await.unwrap();
    assert_eq!((done.looked_at, done.moved), (2, 1));
    let expected = [
        "03-02T08:00 Same",
        "03-02T08:00 Stand-up",
        "03-03T08:00 Stand-up",
        "03-04T08:00 Stand-up",
    ];
    let mut told = plan(&ana, &workspace, "2026-03-01", "2026-04-01").await;
    told.sort();
    assert_eq!(told, expected);
    let read = ctx.read().await.unwrap();
    let told = read
        .find::<audit_log::Entity>()
        .filter(audit_log::Column::Action.eq("calendar_event.recomputed"))
        .all(&read)
        .await
        .unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(
        events::renew_times(&app.platform).await.unwrap(),
        events::Renewed::default()
    );
}
