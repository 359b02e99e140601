//! Adding things by a phrase, through the API.

use entity::enums::WorkspaceRole;
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp, create_person, join};

const ADD: &str = r"
    mutation ($input: QuickAddInput!) {
      quickAdd(input: $input) {
        result {
          __typename
          ... on Task { title dueAt durationMinutes priority labels recurrenceRule assignee { name } minChunkMinutes isHardDeadline }
          ... on CalendarEvent { title location start end startDate endDate timeZone attendees { email } conferenceUrl recurrence { rule } }
        }
        interpretation
        userErrors { code field message }
      }
    }";

async fn add(client: &Client<'_>, workspace: &str, text: &str, more: Value) -> Answer {
    let mut input = json!({ "workspaceId": workspace, "text": text });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    client.gql(ADD, json!({ "input": input })).await
}

#[tokio::test]
async fn a_phrase_becomes_a_task() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let text = "Submit tax return by friday 5pm !! #tax 2h in 30 min blocks";
    let answer = add(&ana, &workspace, text, json!({})).await.succeeded("quickAdd");
    let task = answer.at("/quickAdd/result");
    assert_eq!(task["__typename"], "Task");
    assert_eq!(task["title"], "Submit tax return");
    assert_eq!(
        task["dueAt"], "2026-03-06T16:00:00Z",
        "17:00 in Berlin, Ana's zone"
    );
    assert_eq!(
        (&task["durationMinutes"], &task["minChunkMinutes"]),
        (&json!(120), &json!(30))
    );
    assert_eq!(
        (&task["priority"], &task["labels"]),
        (&json!("HIGH"), &json!(["tax"]))
    );
    assert_eq!(task["assignee"]["name"], "Ana");
    assert_eq!(
        answer.text("/quickAdd/interpretation"),
        "Task “Submit tax return”, due Fri 6 Mar 2026, 17:00, takes 2 h, in pieces of 30 min, high priority, #tax (Europe/Berlin)"
    );
    let repeated = add(&ana, &workspace, "Water the plants every monday", json!({}))
        .await
        .succeeded("quickAdd");
    assert_eq!(
        repeated.text("/quickAdd/result/recurrenceRule"),
        "FREQ=WEEKLY;BYDAY=MO"
    );
}

#[tokio::test]
async fn a_phrase_becomes_an_event_in_the_zone_that_was_named() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let text = "Lunch with Ana tomorrow at 1pm";
    let none = add(&ana, &workspace, text, json!({})).await;
    assert_eq!(
        none.user_error("quickAdd"),
        "INVALID_STATE",
        "there is no calendar yet"
    );
    let create = "mutation ($input: CreateCalendarInput!) { createCalendar(input: $input) { calendar { id } userErrors { code } } }";
    let input = json!({ "workspaceId": workspace, "name": "Mine" });
    let calendar = ana
        .gql(create, json!({ "input": input }))
        .await
        .succeeded("createCalendar");
    let id = calendar.text("/createCalendar/calendar/id");
    let update =
        "mutation ($id: ID!) { updateCalendar(id: $id, input: { isDefault: true }) { userErrors { code } } }";
    ana.gql(update, json!({ "id": id }))
        .await
        .succeeded("updateCalendar");

    let answer = add(&ana, &workspace, text, json!({})).await.succeeded("quickAdd");
    let event = answer.at("/quickAdd/result");
    assert_eq!(event["__typename"], "CalendarEvent");
    assert_eq!(event["title"], "Lunch with Ana");
    assert_eq!(event["start"], "2026-03-03T12:00:00Z");
    assert_eq!(event["end"], "2026-03-03T13:00:00Z");
    assert_eq!(event["timeZone"], "Europe/Berlin");
    let away = add(&ana, &workspace, text, json!({ "timeZone": "America/New_York" })).await;
    assert_eq!(away.at("/quickAdd/result/start"), "2026-03-03T18:00:00Z");
    let days = add(&ana, &workspace, "Vacation mar 9-13", json!({}))
        .await
        .succeeded("quickAdd");
    assert_eq!(days.at("/quickAdd/result/startDate"), "2026-03-09");
    assert_eq!(days.at("/quickAdd/result/endDate"), "2026-03-14");
    let series = add(
        &ana,
        &workspace,
        "Standup every weekday at 9:30am until mar 31",
        json!({}),
    )
    .await
    .succeeded("quickAdd");
    assert_eq!(series.at("/quickAdd/result/start"), "2026-03-03T08:30:00Z");
    assert_eq!(
        series.text("/quickAdd/result/recurrence/rule"),
        "FREQ=WEEKLY;UNTIL=20260331T215959Z;BYDAY=MO,TU,WE,TH,FR"
    );
    let guests = add(
        &ana,
        &workspace,
        "Sync with ben@example.org friday 10:00 https://meet.example/x",
        json!({}),
    )
    .await;
    let event = guests.succeeded("quickAdd").at("/quickAdd/result");
    assert_eq!(event["attendees"][0]["email"], "ben@example.org");
    assert_eq!(event["conferenceUrl"], "https://meet.example/x");
}

#[tokio::test]
async fn bad_phrases_are_refused_and_store_nothing() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    for (text, error) in [
        (String::new(), "REQUIRED input.text"),
        ("  ".into(), "REQUIRED input.text"),
        ("x".repeat(501), "TOO_LONG input.text"),
        ("x".repeat(400), "TOO_LONG input.text"),
        ("a\u{0}b".into(), "INVALID input.text"),
    ] {
        let answer = add(&ana, &workspace, &text, json!({})).await;
        assert_eq!(answer.user_error("quickAdd"), error, "{text}");
    }
    let tasks = "query ($id: ID!) { workspace(id: $id) { tasks { totalCount } } }";
    let answer = ana.gql(tasks, json!({ "id": workspace })).await;
    assert_eq!(answer.at("/workspace/tasks/totalCount"), 0);
    let guest = create_person(&app.platform, "Vera", "vera@example.org").await;
    join(&app.platform, &guest, app.ana.workspace_id, WorkspaceRole::Viewer).await;
    let answer = add(&app.client(&guest), &workspace, "Buy milk", json!({})).await;
    assert_eq!(answer.error_code(), "FORBIDDEN");
    let answer = add(&app.ben(), &workspace, "Buy milk", json!({})).await;
    assert_eq!(
        answer.user_error("quickAdd"),
        "REFERENCE_NOT_FOUND input.workspaceId"
    );
}
