//! What cannot be said of events: rules that are none, occurrences that do not exist, calendars that only show what is elsewhere. Each is
//! refused with its code and its field by every command that can be told it, and leaves everything as it was.

use entity::calendar as calendars;
use entity::ids::CalendarId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, QueryFilter as _};
use serde_json::{Value, json};

use crate::support::events::{calendar, calendar_named, system, timed};
use crate::support::{Answer, Client, TestApp};

const SCOPES: [&str; 2] = ["THIS", "THIS_AND_FOLLOWING"];

/// Rules that no new series may have: no rules at all, badly written ones, contradictions, and those that never come true.
const BAD_RULES: [&str; 16] = [
    "",
    "   ",
    "every day",
    "FREQ=",
    "FREQ=FORTNIGHTLY",
    "COUNT=3",
    "FREQ=DAILY;INTERVAL=0",
    "FREQ=DAILY;COUNT=-1",
    "FREQ=DAILY;BYDAY=8MO",
    "FREQ=DAILY;BYDAY=é",
    "FREQ=DAILY\u{0}",
    "FREQ=DAILY;COUNT=2;UNTIL=20270101",
    "FREQ=DAILY;UNTIL=soon",
    "FREQ=DAILY;UNTIL=20260101T000000Z",
    "FREQ=SECONDLY",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
];

async fn created(client: &Client<'_>, calendar: &str, more: Value) -> String {
    create(client, calendar, more)
        .await
        .succeeded("createCalendarEvent")
        .text("/createCalendarEvent/calendarEvent/id")
}

async fn create(client: &Client<'_>, calendar: &str, more: Value) -> Answer {
    let mut input = json!({ "calendarId": calendar, "title": "Stand-up",
        "time": timed("2026-03-02T08:00:00Z", "2026-03-02T08:30:00Z") });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let document = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { calendarEvent { id } userErrors { code field message } } }";
    client.gql(document, json!({ "input": input })).await
}

/// The failure of a change.
async fn update(client: &Client<'_>, id: &str, scope: &str, at: Option<&str>, input: Value) -> String {
    let document = "mutation ($id: ID!, $scope: RecurrenceScope!, $at: DateTime, $input: UpdateCalendarEventInput!) {
        updateCalendarEvent(id: $id, scope: $scope, occurrenceStart: $at, input: $input) { userErrors { code field message } } }";
    let variables = json!({ "id": id, "scope": scope, "at": at, "input": input });
    let answer = client.gql(document, variables).await;
    answer.user_error("updateCalendarEvent")
}

/// The failure of a move.
async fn move_to(client: &Client<'_>, id: &str, scope: &str, at: Option<&str>) -> String {
    let document = "mutation ($id: ID!, $scope: RecurrenceScope!, $at: DateTime) {
        moveCalendarEvent(id: $id, scope: $scope, occurrenceStart: $at, start: \"2026-03-20T12:00:00Z\") { userErrors { code field message } } }";
    let variables = json!({ "id": id, "scope": scope, "at": at });
    let answer = client.gql(document, variables).await;
    answer.user_error("moveCalendarEvent")
}

async fn delete(client: &Client<'_>, id: &str, scope: &str, at: Option<&str>) -> Answer {
    let document = "mutation ($id: ID!, $scope: RecurrenceScope!, $at: DateTime) {
        deleteCalendarEvent(id: $id, scope: $scope, occurrenceStart: $at) { userErrors { code field message } } }";
    let variables = json!({ "id": id, "scope": scope, "at": at });
    client.gql(document, variables).await
}

/// Everything that there is of events.
async fn all(client: &Client<'_>, workspace: &str) -> Value {
    let document = "query ($id: ID!) { workspace(id: $id) {
        calendarEvents(first: 50) { nodes { id version title start end timeZone updatedAt calendar { id }
            recurrence { rule additionalStarts excludedStarts } attendees { email response } reminders { minutesBefore } } }
        eventOccurrences(range: { start: \"2026-01-01T00:00:00Z\", end: \"2026-12-31T00:00:00Z\" }) { id start end title isException } } }";
    client
        .gql(document, json!({ "id": workspace }))
        .await
        .at("/workspace")
}

#[tokio::test]
async fn a_bad_rule_is_refused_wherever_a_rule_is_said() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let single = created(&ana, &calendar, json!({})).await;
    let good = json!({ "recurrence": { "rule": "FREQ=DAILY;COUNT=5" } });
    let series = created(&ana, &calendar, good).await;
    let before = all(&ana, &workspace).await;
    let refused = "INVALID_RECURRENCE input.recurrence.rule";
    let preview = "query ($rule: RRule!) { previewRecurrence(rule: $rule, start: \"2026-03-02T08:00:00Z\", timeZone: \"Europe/Berlin\") { starts } }";
    for rule in BAD_RULES {
        let said = || json!({ "recurrence": { "rule": rule } });
        let answer = create(&ana, &calendar, said()).await;
        assert_eq!(answer.user_error("createCalendarEvent"), refused, "{rule:?}");
        for (id, scope, at) in [
            (&single, "ALL", None),
            (&series, "ALL", None),
            (&series, "THIS_AND_FOLLOWING", Some("2026-03-04T08:00:00Z")),
        ] {
            let answer = update(&ana, id, scope, at, said()).await;
            assert_eq!(answer, refused, "{scope} {rule:?}");
        }
        let answer = ana.gql(preview, json!({ "rule": rule })).await;
        assert_eq!(answer.error_code(), "BAD_USER_INPUT", "{rule:?}");
    }
    // What ends behind the start of the series may still end before its later half begins.
    let at = Some("2026-03-04T08:00:00Z");
    let early = json!({ "recurrence": { "rule": "FREQ=DAILY;UNTIL=20260303T080000Z" } });
    assert_eq!(
        update(&ana, &series, "THIS_AND_FOLLOWING", at, early).await,
        refused
    );
    assert_eq!(all(&ana, &workspace).await, before, "something changed");
}

#[tokio::test]
async fn an_occurrence_that_does_not_exist_is_found_by_no_command() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let rule =
        json!({ "recurrence": { "rule": "FREQ=DAILY;COUNT=5", "excludedStarts": ["2026-03-04T08:00:00Z"] } });
    let id = created(&ana, &calendar, rule).await;
    delete(&ana, &id, "THIS", Some("2026-03-05T08:00:00Z"))
        .await
        .succeeded("deleteCalendarEvent");
    let before = all(&ana, &workspace).await;
    let missing = "REFERENCE_NOT_FOUND occurrenceStart";
    for (at, why) in [
        ("1000-01-01T00:00:00Z", "long ago"),
        ("2026-03-01T08:00:00Z", "before the first one"),
        ("2026-03-03T08:30:00Z", "the end of one is not its start"),
        ("2026-03-03T08:00:00.000001Z", "a moment behind one"),
        ("2026-03-04T08:00:00Z", "excluded"),
        ("2026-03-05T08:00:00Z", "deleted"),
        ("2026-03-07T08:00:00Z", "behind the last one"),
        ("9998-01-01T00:00:00Z", "at the end of time"),
    ] {
        for scope in SCOPES {
            let title = json!({ "title": "x" });
            assert_eq!(update(&ana, &id, scope, Some(at), title).await, missing, "{why}");
            // Reminders are the viewer's own, and still need an occurrence to be reminded of.
            let reminders = json!({ "reminders": [{ "minutesBefore": 5 }] });
            assert_eq!(
                update(&ana, &id, scope, Some(at), reminders).await,
                missing,
                "{why}"
            );
            assert_eq!(move_to(&ana, &id, scope, Some(at)).await, missing, "{why}");
            let answer = delete(&ana, &id, scope, Some(at)).await;
            assert_eq!(answer.user_error("deleteCalendarEvent"), missing, "{why}");
        }
        // Who says new times of an occurrence, for all of them, means one that is there.
        let title = json!({ "title": "x" });
        assert_eq!(update(&ana, &id, "ALL", Some(at), title).await, missing, "{why}");
        assert_eq!(move_to(&ana, &id, "ALL", Some(at)).await, missing, "{why}");
    }
    for scope in SCOPES {
        let required = "REQUIRED occurrenceStart";
        assert_eq!(
            update(&ana, &id, scope, None, json!({ "title": "x" })).await,
            required
        );
        assert_eq!(move_to(&ana, &id, scope, None).await, required);
        let answer = delete(&ana, &id, scope, None).await;
        assert_eq!(answer.user_error("deleteCalendarEvent"), required);
    }
    assert_eq!(all(&ana, &workspace).await, before, "something changed");
}

#[tokio::test]
async fn a_read_only_calendar_takes_nothing_and_gives_nothing_away() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let own = calendar(&ana, &workspace).await;
    let elsewhere = calendar_named(&ana, &workspace, "Elsewhere").await;
    let mine = created(&ana, &own, json!({})).await;
    let rule = json!({ "recurrence": { "rule": "FREQ=DAILY;COUNT=5" } });
    let series = created(&ana, &elsewhere, rule).await;
    let id: CalendarId = elsewhere.parse().unwrap();
    let close = system(&app);
    let close = close.write(|tx| async move {
        tx.update_many::<calendars::Entity>()
            .col_expr(calendars::Column::IsReadOnly, Expr::val(true))
            .filter(calendars::Column::Id.eq(id))
            .exec(tx.conn())
            .await?;
        Ok(())
    });
    close.await.unwrap();
    let before = all(&ana, &workspace).await;

    let refused = "READ_ONLY id";
    let at = "2026-03-03T08:00:00Z";
    for (scope, at) in [
        ("THIS", Some(at)),
        ("THIS_AND_FOLLOWING", Some(at)),
        ("ALL", None),
    ] {
        for input in [
            json!({ "title": "x" }),
            json!({ "time": timed("2026-03-03T09:00:00Z", "2026-03-03T09:30:00Z") }),
            json!({ "status": "CANCELLED" }),
            json!({ "attendees": [{ "email": "carl@example.org" }] }),
            json!({ "calendarId": own }),
        ] {
            let answer = update(&ana, &series, scope, at, input.clone()).await;
            assert_eq!(answer, refused, "{scope} {input}");
        }
        assert_eq!(move_to(&ana, &series, scope, at).await, refused, "{scope}");
        let answer = delete(&ana, &series, scope, at).await;
        assert_eq!(answer.user_error("deleteCalendarEvent"), refused, "{scope}");
    }
    let there = json!({ "calendarId": elsewhere });
    assert_eq!(
        update(&ana, &mine, "ALL", None, there).await,
        "READ_ONLY input.calendarId"
    );
    let answer = create(&ana, &elsewhere, json!({})).await;
    assert_eq!(
        answer.user_error("createCalendarEvent"),
        "READ_ONLY input.calendarId"
    );
    let document = "mutation ($input: StartImportInput!) { startImport(input: $input) { userErrors { code field message } } }";
    let file = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:20260302T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let input =
        json!({ "workspaceId": workspace, "calendarId": elsewhere, "format": "ICS", "content": file });
    let answer = ana.gql(document, json!({ "input": input })).await;
    assert_eq!(answer.user_error("startImport"), "READ_ONLY input.calendarId");
    assert_eq!(all(&ana, &workspace).await, before, "something changed");
}
