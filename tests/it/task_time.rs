//! Work on tasks: what was planned and is over counts, and so do focus sessions, each minute once.

use chrono::Duration;
use serde_json::{Value, json};

use crate::support::plans::{calendar, command, office, plan, prefer, slots, sweep, task};
use crate::support::{Client, TestApp};

async fn done(client: &Client<'_>, task: &str) -> i64 {
    let document = "query ($id: ID!) { task(id: $id) { completedMinutes } }";
    let answer = client.gql(document, json!({ "id": task })).await;
    answer.at("/task/completedMinutes").as_i64().unwrap()
}

/// Ana with a plan in force: Report from ten to eleven in Berlin, which is now, and Letters after it.
async fn at_work(app: &TestApp) -> (Client<'_>, String, String, Value) {
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let work = calendar(&ana, &place, json!({})).await;
    let report = task(&ana, &place, "Report", 60, json!({ "priority": "HIGH" })).await;
    let letters = task(&ana, &place, "Letters", 60, json!({})).await;
    let made = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    assert_eq!(
        slots(&made),
        ["Report 2026-03-02T09:00 60", "Letters 2026-03-02T10:00 60"]
    );
    let id = made["id"].clone();
    command(&ana, "applySchedule", json!({ "id": id, "calendarId": work }))
        .await
        .succeeded("applySchedule");
    (ana, report, letters, id)
}

async fn focus(client: &Client<'_>, task: &str) -> String {
    let document = "mutation ($input: StartFocusSessionInput!) { startFocusSession(input: $input) { focusSession { id } userErrors { code } } }";
    let input = json!({ "workspaceId": client.app.ana.workspace(), "taskId": task, "plannedMinutes": 60 });
    let answer = client.gql(document, json!({ "input": input })).await;
    answer
        .succeeded("startFocusSession")
        .text("/startFocusSession/focusSession/id")
}

async fn end(client: &Client<'_>, session: &str) {
    let document = "mutation ($id: ID!) { endFocusSession(id: $id) { userErrors { code } } }";
    client
        .gql(document, json!({ "id": session }))
        .await
        .succeeded("endFocusSession");
}

#[tokio::test]
async fn planned_time_counts_once_when_it_is_over() {
    let app = TestApp::start().await;
    let (ana, report, letters, _) = at_work(&app).await;
    app.advance(Duration::minutes(59));
    sweep(&app).await;
    assert_eq!((done(&ana, &report).await, done(&ana, &letters).await), (0, 0));
    app.advance(Duration::minutes(1));
    for _ in 0..3 {
        sweep(&app).await;
        assert_eq!((done(&ana, &report).await, done(&ana, &letters).await), (60, 0));
    }
    app.advance(Duration::minutes(60));
    sweep(&app).await;
    assert_eq!((done(&ana, &report).await, done(&ana, &letters).await), (60, 60));
    // What is done needs no other place.
    let again = plan(&ana, &app.ana.workspace(), "2026-03-03", "2026-03-06").await;
    assert_eq!(again["slots"], json!([]), "{again:#}");
}

#[tokio::test]
async fn a_session_inside_planned_time_does_not_count_twice() {
    let app = TestApp::start().await;
    let (ana, report, letters, _) = at_work(&app).await;
    // From a quarter past to half past eleven: 45 minutes of planned time and half an hour more.
    app.advance(Duration::minutes(15));
    let session = focus(&ana, &report).await;
    app.advance(Duration::minutes(50));
    sweep(&app).await;
    assert_eq!(
        done(&ana, &report).await,
        15,
        "the rest is in the session, which runs"
    );
    app.advance(Duration::minutes(25));
    end(&ana, &session).await;
    assert_eq!(done(&ana, &report).await, 90, "ten to half past eleven");
    // Of the hour for Letters nothing was said, so all of it counts.
    app.advance(Duration::minutes(30));
    sweep(&app).await;
    assert_eq!((done(&ana, &report).await, done(&ana, &letters).await), (90, 60));
}

#[tokio::test]
async fn events_that_moved_or_went_and_tasks_that_ended_count_as_they_were() {
    let app = TestApp::start().await;
    let (ana, report, letters, id) = at_work(&app).await;
    let document = "query ($id: ID!) { schedule(id: $id) { slots { task { id } calendarEvent { id } } } }";
    let made = ana.gql(document, json!({ "id": id })).await;
    let event = made.text("/schedule/slots/1/calendarEvent/id");
    let delete = "mutation ($id: ID!) { deleteCalendarEvent(id: $id) { userErrors { code } } }";
    ana.gql(delete, json!({ "id": event }))
        .await
        .succeeded("deleteCalendarEvent");
    // Report is done after forty minutes.
    app.advance(Duration::minutes(40));
    let complete = "mutation ($id: ID!) { completeTask(id: $id) { userErrors { code } } }";
    ana.gql(complete, json!({ "id": report }))
        .await
        .succeeded("completeTask");
    app.advance(Duration::hours(5));
    sweep(&app).await;
    assert_eq!((done(&ana, &report).await, done(&ana, &letters).await), (40, 0));
}

#[tokio::test]
async fn a_plan_counts_what_is_over_before_it_is_made() {
    let app = TestApp::start().await;
    let (ana, report, ..) = at_work(&app).await;
    app.advance(Duration::minutes(60));
    // No sweep ran yet.
    let again = plan(&ana, &app.ana.workspace(), "2026-03-02", "2026-03-06").await;
    assert!(
        slots(&again).iter().all(|slot| !slot.starts_with("Report")),
        "{again:#}"
    );
    assert_eq!(done(&ana, &report).await, 60);
}
