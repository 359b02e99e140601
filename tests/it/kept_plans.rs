//! What a plan in force and its people have settled stays as it is: what was put somewhere by hand, and what no plan could make better.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::plans::{
    calendar, command, event, office, plan, prefer, request, schedule, slots, sweep, task, work,
};
use crate::support::{Client, TestApp};

/// Ana's settings with at most three hours a day, and mending on.
async fn at_work(app: &TestApp) -> (Client<'_>, String) {
    let ana = app.ana();
    let more = json!({ "timeZone": "UTC", "bufferMinutes": 0, "maxDailyTaskMinutes": 180, "replanPolicy": "SUGGEST" });
    prefer(&ana, &office(), more).await;
    let own = calendar(&ana, &app.ana.workspace(), json!({})).await;
    (ana, own)
}

/// Plans Tuesday and Wednesday, and applies that.
async fn applied(ana: &Client<'_>, own: &str) -> Value {
    let made = plan(ana, &ana.app.ana.workspace(), "2026-03-03", "2026-03-04").await;
    let arguments = json!({ "id": made["id"], "calendarId": own });
    command(ana, "applySchedule", arguments)
        .await
        .succeeded("applySchedule");
    let made = schedule(ana, made["id"].as_str().unwrap()).await;
    sweep(ana.app).await;
    ana.app.advance(TimeDelta::seconds(30));
    made
}

/// What the sweep suggests by now.
async fn suggested(ana: &Client<'_>) -> Vec<Value> {
    sweep(ana.app).await;
    let document = "query ($id: ID!) { workspace(id: $id) { schedules(filter: { statuses: [PROPOSED] }) { nodes { id diff { moved { id } removed { id } } } } } }";
    let answer = ana.gql(document, json!({ "id": ana.app.ana.workspace() })).await;
    answer
        .at("/workspace/schedules/nodes")
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn work_that_was_dragged_onto_a_full_day_pushes_nothing_off_it() {
    let app = TestApp::start().await;
    let (ana, own) = at_work(&app).await;
    let place = app.ana.workspace();
    task(&ana, &place, "Report", 180, json!({ "priority": "URGENT" })).await;
    task(&ana, &place, "Letters", 60, json!({ "priority": "LOW" })).await;
    let made = applied(&ana, &own).await;
    assert_eq!(
        slots(&made),
        ["Report 2026-03-03T09:00 180", "Letters 2026-03-04T09:00 60"]
    );
    let letters = &made["slots"][1]["calendarEvent"]["id"];
    let drag = "mutation ($id: ID!) { moveCalendarEvent(id: $id, start: \"2026-03-03T14:00:00Z\") { userErrors { code } } }";
    ana.gql(drag, json!({ "id": letters }))
        .await
        .succeeded("moveCalendarEvent");
    assert_eq!(suggested(&ana).await, Vec::<Value>::new());

    // A meeting that takes the time of the report is another matter.
    app.advance(TimeDelta::seconds(30));
    event(
        &ana,
        &own,
        "2026-03-03T09:00:00Z",
        "2026-03-03T09:30:00Z",
        json!({}),
    )
    .await;
    assert_eq!(suggested(&ana).await.len(), 1);
}

#[tokio::test]
async fn work_whose_deadline_is_over_stays_on_the_calendar() {
    let app = TestApp::start().await;
    let (ana, own) = at_work(&app).await;
    let report = task(&ana, &app.ana.workspace(), "Report", 60, json!({})).await;
    applied(&ana, &own).await;
    let over = json!({ "dueAt": "2026-02-20T12:00:00Z", "isHardDeadline": true });
    let update = "mutation ($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { userErrors { code field message } } }";
    ana.gql(update, json!({ "id": report, "input": over }))
        .await
        .succeeded("updateTask");
    assert_eq!(
        suggested(&ana).await,
        Vec::<Value>::new(),
        "no other time would be sooner"
    );
}

#[tokio::test]
async fn a_deadline_of_this_morning_is_over_however_long_the_breaks_are() {
    let app = TestApp::start().await;
    let (ana, _) = at_work(&app).await;
    let place = app.ana.workspace();
    let over = json!({ "dueAt": "2026-03-02T07:00:00Z", "isHardDeadline": true });
    task(&ana, &place, "Tax return", 60, over).await;
    for instructions in [json!({}), json!({ "instructions": "30 min breaks" })] {
        let asked = request(&ana, &place, "2026-03-02", "2026-03-04", instructions).await;
        let id = asked
            .succeeded("generateSchedule")
            .text("/generateSchedule/schedule/id");
        work(&app).await;
        let made = schedule(&ana, &id).await;
        assert_eq!(
            made["unscheduledTasks"][0]["reason"], "DEADLINE_PASSED",
            "{made:#}"
        );
    }
}

#[tokio::test]
async fn the_same_suggestion_is_made_once_whatever_else_changes() {
    let app = TestApp::start().await;
    let (ana, own) = at_work(&app).await;
    task(&ana, &app.ana.workspace(), "Report", 60, json!({})).await;
    applied(&ana, &own).await;
    event(
        &ana,
        &own,
        "2026-03-03T09:00:00Z",
        "2026-03-03T09:30:00Z",
        json!({}),
    )
    .await;
    let first = suggested(&ana).await;
    assert_eq!(first.len(), 1);
    app.advance(TimeDelta::seconds(30));
    event(
        &ana,
        &own,
        "2026-03-07T20:00:00Z",
        "2026-03-07T21:00:00Z",
        json!({}),
    )
    .await;
    assert_eq!(suggested(&ana).await, first);
}

/// A plan of one task in force.
async fn in_force(ana: &Client<'_>, own: &str, title: &str) {
    let place = ana.app.ana.workspace();
    let id = task(ana, &place, title, 60, json!({})).await;
    let asked = request(
        ana,
        &place,
        "2026-03-03",
        "2026-03-04",
        json!({ "taskIds": [id] }),
    )
    .await;
    let plan = asked
        .succeeded("generateSchedule")
        .text("/generateSchedule/schedule/id");
    work(ana.app).await;
    let arguments = json!({ "id": plan, "calendarId": own });
    command(ana, "applySchedule", arguments)
        .await
        .succeeded("applySchedule");
}

#[tokio::test]
async fn of_two_plans_in_force_each_has_one_suggestion_at_most() {
    let app = TestApp::start().await;
    let (ana, own) = at_work(&app).await;
    // The first at nine, the second at ten.
    for title in ["Report", "Letters"] {
        in_force(&ana, &own, title).await;
    }
    sweep(&app).await;
    for (start, end) in [("10:00", "11:00"), ("11:00", "12:00")] {
        app.advance(TimeDelta::seconds(30));
        let (start, end) = (format!("2026-03-03T{start}:00Z"), format!("2026-03-03T{end}:00Z"));
        event(&ana, &own, &start, &end, json!({})).await;
        assert_eq!(suggested(&ana).await.len(), 1, "{start}");
    }
}
