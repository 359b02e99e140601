//! Plans while the world around them changes: what is in force and not theirs stays, what no longer fits is seen, what a person did by hand
//! holds.
//!
//! The clock stands at ten in the morning of Monday 2 March 2026 in Berlin (nine in UTC); office hours begin at eight in UTC.

use serde_json::{Value, json};

use crate::support::plans::{
    calendar, command, event, office, plan, prefer, request, schedule, slots, sweep, task, work,
};
use crate::support::{Client, TestApp};

const FIRST: &str = "2026-03-03";
const LAST: &str = "2026-03-06";

/// Events of this title as id and start, by start.
async fn events_of(client: &Client<'_>, title: &str) -> Vec<(String, String)> {
    let document =
        "query ($id: ID!) { workspace(id: $id) { calendarEvents(first: 100) { nodes { id title start } } } }";
    let answer = client
        .gql(document, json!({ "id": client.app.ana.workspace() }))
        .await;
    let nodes = answer.at("/workspace/calendarEvents/nodes");
    let nodes = nodes.as_array().unwrap().iter();
    let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
    nodes
        .filter(|event| event["title"] == title)
        .map(|event| (text(event, "id"), text(event, "start")))
        .collect()
}

/// Their starts, to the minute.
async fn starts_of(client: &Client<'_>, title: &str) -> Vec<String> {
    let events = events_of(client, title).await;
    events
        .into_iter()
        .map(|(_, start)| start[..16].to_owned())
        .collect()
}

/// A plan of these tasks only.
async fn plan_of(client: &Client<'_>, tasks: &[&str]) -> Value {
    let place = client.app.ana.workspace();
    let asked = request(client, &place, FIRST, LAST, json!({ "taskIds": tasks })).await;
    let id = asked
        .succeeded("generateSchedule")
        .text("/generateSchedule/schedule/id");
    work(client.app).await;
    schedule(client, &id).await
}

async fn apply(client: &Client<'_>, plan: &Value, calendar: &str) {
    let arguments = json!({ "id": plan["id"], "calendarId": calendar });
    command(client, "applySchedule", arguments)
        .await
        .succeeded("applySchedule");
}

async fn update_task(client: &Client<'_>, id: &str, input: Value) {
    let document = "mutation ($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { userErrors { code field message } } }";
    client
        .gql(document, json!({ "id": id, "input": input }))
        .await
        .succeeded("updateTask");
}

async fn wait_for(client: &Client<'_>, task: &str, on: &str) {
    let document = "mutation ($task: ID!, $on: ID!) { addTaskDependency(taskId: $task, dependsOnId: $on) { userErrors { code field message } } }";
    client
        .gql(document, json!({ "task": task, "on": on }))
        .await
        .succeeded("addTaskDependency");
}

async fn meeting(client: &Client<'_>, calendar: &str, start: &str, end: &str) {
    let (start, end) = (format!("{start}:00Z"), format!("{end}:00Z"));
    event(client, calendar, &start, &end, json!({})).await;
}

#[tokio::test]
async fn a_plan_of_some_tasks_leaves_others_alone_when_it_is_made_again_and_mended() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let own = calendar(&ana, &place, json!({})).await;
    let alpha = task(&ana, &place, "Alpha", 60, json!({ "priority": "HIGH" })).await;
    task(&ana, &place, "Beta", 60, json!({})).await;
    let first = plan(&ana, &place, FIRST, LAST).await;
    assert_eq!(
        slots(&first),
        ["Alpha 2026-03-03T08:00 60", "Beta 2026-03-03T09:00 60"]
    );
    apply(&ana, &first, &own).await;
    let beta = events_of(&ana, "Beta").await;

    let limited = plan_of(&ana, &[&alpha]).await;
    let again = json!({ "id": limited["id"], "feedback": "better" });
    command(&ana, "regenerateSchedule", again)
        .await
        .succeeded("regenerateSchedule");
    work(&app).await;
    let limited = schedule(&ana, limited["id"].as_str().unwrap()).await;
    assert_eq!(
        slots(&limited),
        ["Alpha 2026-03-03T08:00 60", "Beta 2026-03-03T09:00 60"],
        "{limited:#}"
    );
    assert_eq!(limited["diff"]["removed"], json!([]));

    meeting(&ana, &own, "2026-03-03T08:00", "2026-03-03T09:00").await;
    apply(&ana, &limited, &own).await;
    assert_eq!(
        events_of(&ana, "Beta").await,
        beta,
        "the same event, where it was"
    );
    let alpha = starts_of(&ana, "Alpha").await;
    assert_eq!(alpha.len(), 1);
    assert!(
        !["2026-03-03T08:00", "2026-03-03T09:00"].contains(&alpha[0].as_str()),
        "{alpha:?}"
    );
}

#[tokio::test]
async fn work_that_is_under_way_stays_when_a_proposal_is_mended() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let own = calendar(&ana, &place, json!({})).await;
    meeting(&ana, &own, "2026-03-02T09:00", "2026-03-02T09:30").await;
    task(&ana, &place, "One", 60, json!({ "priority": "HIGH" })).await;
    task(&ana, &place, "Two", 60, json!({})).await;
    let first = plan(&ana, &place, "2026-03-02", LAST).await;
    assert_eq!(
        slots(&first),
        ["One 2026-03-02T09:30 60", "Two 2026-03-02T10:30 60"]
    );
    apply(&ana, &first, &own).await;
    let one = events_of(&ana, "One").await;
    let second = plan(&ana, &place, "2026-03-02", LAST).await;
    // One is worked on by now, and Two cannot begin after it.
    app.advance(chrono::Duration::minutes(45));
    meeting(&ana, &own, "2026-03-02T10:30", "2026-03-02T11:00").await;
    apply(&ana, &second, &own).await;
    assert_eq!(events_of(&ana, "One").await, one);
    let two = starts_of(&ana, "Two").await;
    assert_eq!(two.len(), 1);
    assert!(two[0].as_str() >= "2026-03-02T11:00", "{two:?}");
}

#[tokio::test]
async fn two_plans_of_different_tasks_are_both_applied() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let own = calendar(&ana, &place, json!({})).await;
    let this = task(&ana, &place, "This", 60, json!({})).await;
    let that = task(&ana, &place, "That", 60, json!({})).await;
    let (first, second) = (plan_of(&ana, &[&this]).await, plan_of(&ana, &[&that]).await);
    apply(&ana, &first, &own).await;
    let before = events_of(&ana, "This").await;
    assert_eq!(before.len(), 1);
    apply(&ana, &second, &own).await;
    assert_eq!(events_of(&ana, "This").await, before);
    let that = starts_of(&ana, "That").await;
    assert_eq!(that.len(), 1);
    assert_ne!(before[0].1.get(..16), Some(that[0].as_str()), "it made room");
}

#[tokio::test]
async fn a_plan_takes_nothing_away_that_was_planned_after_it_was_made() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let own = calendar(&ana, &place, json!({})).await;
    task(&ana, &place, "Old", 60, json!({})).await;
    let of_all = plan(&ana, &place, FIRST, LAST).await;
    let thursday = json!({ "startAfter": "2026-03-05T07:00:00Z" });
    let new = task(&ana, &place, "New", 60, thursday).await;
    let limited = plan_of(&ana, &[&new]).await;
    apply(&ana, &limited, &own).await;
    let before = events_of(&ana, "New").await;
    assert_eq!(before.len(), 1);
    apply(&ana, &of_all, &own).await;
    assert_eq!(events_of(&ana, "New").await, before);
    assert_eq!(starts_of(&ana, "Old").await, ["2026-03-03T08:00"]);
}

#[tokio::test]
async fn one_chosen_piece_replaces_the_piece_it_was_and_no_other() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let own = calendar(&ana, &place, json!({})).await;
    let pieces = json!({ "minChunkMinutes": 60, "maxChunkMinutes": 60 });
    task(&ana, &place, "Thesis", 120, pieces).await;
    let first = plan(&ana, &place, FIRST, LAST).await;
    apply(&ana, &first, &own).await;
    let before = starts_of(&ana, "Thesis").await;
    assert_eq!(before.len(), 2);
    // Both have to move.
    meeting(&ana, &own, "2026-03-03T07:00", "2026-03-03T17:00").await;
    let second = plan(&ana, &place, FIRST, LAST).await;
    assert_eq!(second["diff"]["moved"].as_array().unwrap().len(), 2, "{second:#}");
    let chosen = json!({ "id": second["id"], "calendarId": own, "slotIds": [second["slots"][0]["id"]] });
    command(&ana, "applySchedule", chosen)
        .await
        .succeeded("applySchedule");
    let after = starts_of(&ana, "Thesis").await;
    let moved = second["slots"][0]["start"].as_str().unwrap()[..16].to_owned();
    assert_eq!(after, [before[1].clone(), moved]);
}

#[tokio::test]
async fn what_was_made_longer_by_hand_is_applied_and_no_hard_deadline_is_missed_by_hand() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let own = calendar(&ana, &place, json!({})).await;
    task(&ana, &place, "Report", 60, json!({ "priority": "HIGH" })).await;
    let due = json!({ "dueAt": "2026-03-04T12:00:00Z", "isHardDeadline": true });
    task(&ana, &place, "Tax return", 60, due).await;
    let proposal = plan(&ana, &place, FIRST, LAST).await;
    let slot = |title: &str| {
        let all = proposal["slots"].as_array().unwrap().iter();
        let found = all.filter(|slot| slot["task"]["title"] == title);
        found.map(|slot| slot["id"].clone()).next().unwrap()
    };
    let late = json!({ "id": slot("Tax return"), "start": "2026-03-05T09:00:00Z" });
    let late = command(&ana, "moveScheduleSlot", late).await;
    assert_eq!(late.user_error("moveScheduleSlot"), "OUT_OF_RANGE start");
    let longer =
        json!({ "id": slot("Report"), "start": "2026-03-05T09:00:00Z", "end": "2026-03-05T12:00:00Z" });
    command(&ana, "moveScheduleSlot", longer)
        .await
        .succeeded("moveScheduleSlot");
    apply(&ana, &proposal, &own).await;
    let applied = schedule(&ana, proposal["id"].as_str().unwrap()).await;
    let found = slots(&applied);
    assert!(
        found.contains(&"Report 2026-03-05T09:00 180".to_owned()),
        "{found:?}"
    );
    assert_eq!(starts_of(&ana, "Tax return").await.len(), 1);
}

/// Kinds of change after which a plan with `First` at eight and `Second` at nine on Tuesday no longer fits.
#[derive(Clone, Copy, Debug)]
enum Kind {
    StartsLater,
    WaitsForSecond,
    LessADay,
    NoTuesdays,
}

impl Kind {
    const ALL: [Self; 4] = [
        Self::StartsLater,
        Self::WaitsForSecond,
        Self::LessADay,
        Self::NoTuesdays,
    ];

    async fn happen(self, client: &Client<'_>, first: &str, second: &str) {
        match self {
            Self::StartsLater => {
                update_task(client, second, json!({ "startAfter": "2026-03-05T07:00:00Z" })).await;
            }
            Self::WaitsForSecond => wait_for(client, first, second).await,
            Self::LessADay => prefer(client, &office(), json!({ "maxDailyTaskMinutes": 60 })).await,
            Self::NoTuesdays => {
                let mut hours = office();
                hours.retain(|(day, ..)| *day != "TUESDAY");
                prefer(client, &hours, json!({})).await;
            }
        }
    }

    /// Whether these starts are right by now.
    fn allows(self, first: &str, second: &str) -> bool {
        match self {
            Self::StartsLater => second >= "2026-03-05T07:00",
            Self::WaitsForSecond => second < first,
            Self::LessADay => first[..10] != second[..10],
            Self::NoTuesdays => first > "2026-03-04" && second > "2026-03-04",
        }
    }
}

#[tokio::test]
async fn every_kind_of_change_is_seen_when_a_proposal_is_applied_and_when_it_is_in_force() {
    for kind in Kind::ALL {
        for is_in_force in [false, true] {
            let app = TestApp::start().await;
            let (ana, place) = (app.ana(), app.ana.workspace());
            prefer(&ana, &office(), json!({ "replanPolicy": "APPLY" })).await;
            let own = calendar(&ana, &place, json!({})).await;
            let first = task(&ana, &place, "First", 60, json!({ "priority": "HIGH" })).await;
            let second = task(&ana, &place, "Second", 60, json!({})).await;
            let proposal = plan(&ana, &place, FIRST, LAST).await;
            assert_eq!(
                slots(&proposal),
                ["First 2026-03-03T08:00 60", "Second 2026-03-03T09:00 60"]
            );
            if is_in_force {
                apply(&ana, &proposal, &own).await;
                sweep(&app).await;
                app.advance(chrono::Duration::seconds(30));
                kind.happen(&ana, &first, &second).await;
                sweep(&app).await;
            } else {
                kind.happen(&ana, &first, &second).await;
                apply(&ana, &proposal, &own).await;
            }
            let (first, second) = (starts_of(&ana, "First").await, starts_of(&ana, "Second").await);
            assert_eq!(
                (first.len(), second.len()),
                (1, 1),
                "{kind:?}, in force: {is_in_force}"
            );
            assert!(
                kind.allows(&first[0], &second[0]),
                "{kind:?}, in force: {is_in_force}: {first:?}, {second:?}"
            );
        }
    }
}

#[tokio::test]
async fn work_that_others_wait_for_ends_before_those_that_are_fixed() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let own = calendar(&ana, &place, json!({})).await;
    let draft = task(&ana, &place, "Draft", 60, json!({})).await;
    task(&ana, &place, "Send", 60, json!({ "dependencyIds": [draft] })).await;
    let proposal = plan(&ana, &place, FIRST, LAST).await;
    assert_eq!(
        slots(&proposal),
        ["Draft 2026-03-03T08:00 60", "Send 2026-03-03T09:00 60"]
    );
    let later = json!({ "id": proposal["slots"][1]["id"], "start": "2026-03-04T09:00:00Z" });
    command(&ana, "moveScheduleSlot", later)
        .await
        .succeeded("moveScheduleSlot");
    let again = async || {
        command(&ana, "regenerateSchedule", json!({ "id": proposal["id"] }))
            .await
            .succeeded("regenerateSchedule");
        work(&app).await;
        schedule(&ana, proposal["id"].as_str().unwrap()).await
    };
    meeting(&ana, &own, "2026-03-03T07:00", "2026-03-03T17:00").await;
    assert_eq!(
        slots(&again().await),
        ["Draft 2026-03-04T08:00 60", "Send 2026-03-04T09:00 60"]
    );
    // No time is left before, and all of Wednesday after it.
    meeting(&ana, &own, "2026-03-04T08:00", "2026-03-04T09:00").await;
    let left = again().await;
    assert_eq!(slots(&left), ["Send 2026-03-04T09:00 60"]);
    let out = &left["unscheduledTasks"][0];
    assert_eq!(out["reason"], "NO_CAPACITY");
    let message = out["message"].as_str().unwrap();
    assert!(message.contains("“Send”, which waits for it"), "{message}");
    let advice = out["relaxations"].as_array().unwrap();
    let is_move = |one: &&Value| one["code"] == "MOVE_OTHER_TASK";
    let advice = advice.iter().find(is_move).unwrap();
    assert!(
        advice["message"].as_str().unwrap().starts_with("Move “Send”"),
        "{advice}"
    );
}

#[tokio::test]
async fn nobody_is_told_to_drop_a_dependency_that_would_not_help() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    let out = async |hours: (&str, &str)| {
        prefer(&ana, &[("TUESDAY", hours.0, hours.1)], json!({})).await;
        let made = plan(&ana, &place, FIRST, LAST).await;
        assert_eq!(made["unscheduledTasks"][0]["reason"], "BLOCKED", "{made:#}");
        made["unscheduledTasks"][0]["relaxations"].clone()
    };
    let figures = task(&ana, &place, "Figures", 60, json!({ "isAutoScheduled": false })).await;
    task(
        &ana,
        &place,
        "Forecast",
        60,
        json!({ "dependencyIds": [figures] }),
    )
    .await;
    assert_eq!(out(("09:00", "09:30")).await, json!([]));
    let helps = out(("09:00", "10:00")).await;
    assert_eq!(helps[0]["code"], "DROP_DEPENDENCY");
    let message = helps[0]["message"].as_str().unwrap();
    assert!(message.contains("on Tue 3 Mar 09:00–10:00"), "{message}");
}

#[tokio::test]
async fn a_deadline_before_the_days_of_the_plan_is_not_over() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let friday = json!({ "dueAt": "2026-03-06T12:00:00Z", "isHardDeadline": true });
    task(&ana, &place, "Offer", 60, friday).await;
    let next_week = plan(&ana, &place, "2026-03-09", "2026-03-13").await;
    let out = &next_week["unscheduledTasks"][0];
    assert_eq!(out["reason"], "NO_CAPACITY");
    assert_eq!(
        out["message"],
        "Its deadline, Fri 6 Mar 13:00, is before the days of this plan."
    );
}

#[tokio::test]
async fn what_lies_between_quarters_stays_when_odd_work_is_done() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let own = calendar(&ana, &place, json!({})).await;
    let odd = task(&ana, &place, "Odd", 20, json!({ "priority": "URGENT" })).await;
    task(&ana, &place, "Even", 60, json!({})).await;
    let first = plan(&ana, &place, FIRST, LAST).await;
    assert_eq!(
        slots(&first),
        ["Odd 2026-03-03T08:00 20", "Even 2026-03-03T08:20 60"]
    );
    apply(&ana, &first, &own).await;
    let document = "mutation ($id: ID!) { completeTask(id: $id) { userErrors { code } } }";
    ana.gql(document, json!({ "id": odd }))
        .await
        .succeeded("completeTask");
    let second = plan(&ana, &place, FIRST, LAST).await;
    assert_eq!(slots(&second), ["Even 2026-03-03T08:20 60"]);
    assert_eq!(second["diff"]["moved"], json!([]));
}

#[tokio::test]
async fn work_that_was_dragged_beyond_the_days_of_a_plan_is_not_planned_twice() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let own = calendar(&ana, &place, json!({})).await;
    task(&ana, &place, "Report", 60, json!({})).await;
    let first = plan(&ana, &place, FIRST, "2026-03-04").await;
    assert_eq!(slots(&first), ["Report 2026-03-03T08:00 60"]);
    apply(&ana, &first, &own).await;
    let (report, _) = events_of(&ana, "Report").await.remove(0);
    let document = "mutation ($id: ID!) { moveCalendarEvent(id: $id, start: \"2026-03-06T09:00:00Z\") { userErrors { code } } }";
    ana.gql(document, json!({ "id": report }))
        .await
        .succeeded("moveCalendarEvent");
    task(&ana, &place, "Other", 60, json!({})).await;
    let second = plan(&ana, &place, FIRST, "2026-03-04").await;
    assert_eq!(slots(&second), ["Other 2026-03-03T08:00 60"]);
    apply(&ana, &second, &own).await;
    assert_eq!(starts_of(&ana, "Report").await, ["2026-03-06T09:00"]);
}

#[tokio::test]
async fn work_of_a_task_that_was_closed_is_in_the_way_of_a_plan_of_others() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let own = calendar(&ana, &place, json!({})).await;
    let beta = task(&ana, &place, "Beta", 60, json!({})).await;
    let first = plan(&ana, &place, FIRST, LAST).await;
    assert_eq!(slots(&first), ["Beta 2026-03-03T08:00 60"]);
    apply(&ana, &first, &own).await;
    let alpha = task(&ana, &place, "Alpha", 60, json!({})).await;
    let limited = plan_of(&ana, &[&alpha]).await;
    let planned = slots(&limited).into_iter().find(|slot| slot.starts_with("Alpha"));
    assert_eq!(planned.as_deref(), Some("Alpha 2026-03-03T09:00 60"));

    let (event, _) = events_of(&ana, "Beta").await.remove(0);
    let document = "mutation ($id: ID!) { moveCalendarEvent(id: $id, start: \"2026-03-03T09:00:00Z\") { userErrors { code } } }";
    ana.gql(document, json!({ "id": event }))
        .await
        .succeeded("moveCalendarEvent");
    update_task(&ana, &beta, json!({ "status": "CANCELLED" })).await;
    apply(&ana, &limited, &own).await;
    let (alpha, beta) = (starts_of(&ana, "Alpha").await, starts_of(&ana, "Beta").await);
    assert_eq!(
        beta,
        ["2026-03-03T09:00"],
        "it stays until somebody takes it away"
    );
    assert_eq!(alpha.len(), 1);
    assert_ne!(alpha, beta, "two things at once");
}
