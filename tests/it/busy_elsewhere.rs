//! Plans of a team around what its people do elsewhere: their own calendars in other workspaces take time, and say nothing else.

use chrono::TimeDelta;
use entity::enums::WorkspaceRole;
use serde_json::{Value, json};

use crate::support::plans::{calendar, command, event, plan, prefer, slots, sweep, task};
use crate::support::{Client, TestApp, join};

const SECRET: &str = "Dentist";

/// A workspace of Ana's with Ben in it.
async fn team(app: &TestApp) -> String {
    let document = "mutation ($input: CreateWorkspaceInput!) { createWorkspace(input: $input) { workspace { id } userErrors { code field } } }";
    let input = json!({ "input": { "name": "Team" } });
    let answer = app.ana().gql(document, input).await;
    let id = answer
        .succeeded("createWorkspace")
        .text("/createWorkspace/workspace/id");
    join(
        &app.platform,
        &app.ben,
        id.parse().unwrap(),
        WorkspaceRole::Member,
    )
    .await;
    id
}

/// All that a member sees of the team's calendars and plans.
async fn seen(client: &Client<'_>, team: &str) -> Value {
    let document = "query ($id: ID!) { workspace(id: $id) { calendars { name } calendarEvents(first: 20) { nodes { title } }
        schedules(first: 3) { nodes { id status explanation error slots { start end reasons { code message } }
          unscheduledTasks { message relaxations { message } } diff { moved { id } added { id } removed { id } } } } } }";
    client.gql(document, json!({ "id": team })).await.at("/workspace")
}

#[tokio::test]
async fn a_private_event_blocks_the_plan_of_the_team_and_stays_private() {
    let app = TestApp::start().await;
    let (ana, team) = (app.ana(), team(&app).await);
    let hours = [("TUESDAY", "09:00", "12:00")];
    let more = json!({ "timeZone": "UTC", "bufferMinutes": 0, "replanPolicy": "SUGGEST" });
    prefer(&ana, &hours, more).await;
    let own = calendar(&ana, &app.ana.workspace(), json!({})).await;
    let secret = json!({ "title": SECRET, "description": SECRET, "location": SECRET });
    event(
        &ana,
        &own,
        "2026-03-03T09:00:00Z",
        "2026-03-03T10:00:00Z",
        secret.clone(),
    )
    .await;
    let weekly = json!({ "title": SECRET, "recurrence": { "rule": "FREQ=WEEKLY" } });
    event(&ana, &own, "2026-02-24T10:00:00Z", "2026-02-24T10:30:00Z", weekly).await;
    let free = json!({ "title": SECRET, "transparency": "FREE" });
    event(&ana, &own, "2026-03-03T10:30:00Z", "2026-03-03T12:00:00Z", free).await;
    // What others do elsewhere, and what Ana does not count, takes none of her time.
    let of_ben = calendar(&app.ben(), &app.ben.workspace(), json!({})).await;
    event(
        &app.ben(),
        &of_ben,
        "2026-03-03T10:30:00Z",
        "2026-03-03T12:00:00Z",
        secret.clone(),
    )
    .await;
    let idle = calendar(&ana, &app.ana.workspace(), json!({})).await;
    let no_more = "mutation ($id: ID!) { updateCalendar(id: $id, input: { countsAsBusy: false }) { userErrors { code } } }";
    ana.gql(no_more, json!({ "id": idle }))
        .await
        .succeeded("updateCalendar");
    event(
        &ana,
        &idle,
        "2026-03-03T10:30:00Z",
        "2026-03-03T12:00:00Z",
        secret.clone(),
    )
    .await;

    let person = json!({ "assigneeId": app.ana.user_id.to_string() });
    task(&ana, &team, "Report", 60, person).await;
    let made = plan(&ana, &team, "2026-03-03", "2026-03-03").await;
    assert_eq!(slots(&made), ["Report 2026-03-03T10:30 60"], "{made:#}");
    let onto_it = json!({ "id": made["slots"][0]["id"], "start": "2026-03-03T09:30:00Z" });
    let refused = command(&ana, "moveScheduleSlot", onto_it).await;
    assert_eq!(refused.user_error("moveScheduleSlot"), "SLOT_UNAVAILABLE start");

    let shared = calendar(&ana, &team, json!({})).await;
    let apply = json!({ "id": made["id"], "calendarId": shared });
    command(&ana, "applySchedule", apply)
        .await
        .succeeded("applySchedule");
    app.advance(TimeDelta::seconds(30));
    sweep(&app).await;
    let before = seen(&app.ben(), &team).await;
    assert_eq!(
        before["schedules"]["nodes"].as_array().unwrap().len(),
        1,
        "{before:#}"
    );

    // A new one makes the plan in force a broken one.
    app.advance(TimeDelta::seconds(30));
    event(&ana, &own, "2026-03-03T10:30:00Z", "2026-03-03T11:00:00Z", secret).await;
    app.advance(TimeDelta::seconds(30));
    sweep(&app).await;
    let after = seen(&app.ben(), &team).await;
    let proposals: Vec<&Value> = after["schedules"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["status"] == "PROPOSED")
        .collect();
    assert_eq!(proposals.len(), 1, "{after:#}");
    assert_eq!(
        proposals[0]["slots"][0]["start"], "2026-03-03T11:00:00Z",
        "{after:#}"
    );
    for text in [made.to_string(), before.to_string(), after.to_string()] {
        assert!(!text.contains(SECRET), "{text}");
    }
    // Compared once: nothing has changed since.
    app.advance(TimeDelta::seconds(30));
    sweep(&app).await;
    assert_eq!(seen(&app.ben(), &team).await, after);
}

#[tokio::test]
async fn who_left_a_workspace_is_not_busy_there_any_more() {
    let app = TestApp::start().await;
    let (ben, team) = (app.ben(), team(&app).await);
    prefer(
        &ben,
        &[("TUESDAY", "09:00", "12:00")],
        json!({ "timeZone": "UTC", "bufferMinutes": 0 }),
    )
    .await;
    let shared = calendar(&ben, &team, json!({})).await;
    event(
        &ben,
        &shared,
        "2026-03-03T09:00:00Z",
        "2026-03-03T11:00:00Z",
        json!({}),
    )
    .await;
    task(&ben, &app.ben.workspace(), "Read", 60, json!({})).await;
    let made = plan(&ben, &app.ben.workspace(), "2026-03-03", "2026-03-03").await;
    assert_eq!(slots(&made), ["Read 2026-03-03T11:00 60"], "{made:#}");
    let members = "query ($id: ID!) { workspace(id: $id) { members { nodes { id user { name } } } } }";
    let members = app.ana().gql(members, json!({ "id": team })).await;
    let members = members.at("/workspace/members/nodes");
    let of_ben = members
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["user"]["name"] == "Ben");
    let remove = "mutation ($id: ID!) { removeMember(memberId: $id) { removedMemberId userErrors { code field message } } }";
    app.ana()
        .gql(remove, json!({ "id": of_ben.unwrap()["id"] }))
        .await
        .succeeded("removeMember");
    let made = plan(&ben, &app.ben.workspace(), "2026-03-03", "2026-03-03").await;
    assert_eq!(slots(&made), ["Read 2026-03-03T09:00 60"], "{made:#}");
}

#[tokio::test]
async fn what_was_written_elsewhere_while_a_plan_was_compared_is_seen_by_the_next_look() {
    let app = TestApp::start().await;
    let (ana, team) = (app.ana(), team(&app).await);
    let more = json!({ "timeZone": "UTC", "bufferMinutes": 0, "replanPolicy": "SUGGEST" });
    prefer(&ana, &[("TUESDAY", "09:00", "12:00")], more).await;
    let own = calendar(&ana, &app.ana.workspace(), json!({})).await;
    let person = json!({ "assigneeId": app.ana.user_id.to_string() });
    task(&ana, &team, "Report", 60, person).await;
    let made = plan(&ana, &team, "2026-03-03", "2026-03-03").await;
    let shared = calendar(&ana, &team, json!({})).await;
    let apply = json!({ "id": made["id"], "calendarId": shared });
    command(&ana, "applySchedule", apply)
        .await
        .succeeded("applySchedule");
    app.advance(TimeDelta::seconds(30));
    sweep(&app).await;
    // As if it had begun before the look and ended after it: no time passes between them.
    let secret = json!({ "title": SECRET });
    event(&ana, &own, "2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z", secret).await;
    app.advance(TimeDelta::seconds(10));
    sweep(&app).await;
    let seen = seen(&app.ben(), &team).await;
    let is_proposed = |one: &&Value| one["status"] == "PROPOSED";
    let schedules = seen["schedules"]["nodes"].as_array().unwrap();
    assert_eq!(schedules.iter().filter(is_proposed).count(), 1, "{seen:#}");
}
