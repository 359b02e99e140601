//! Focus sessions through the API.

use chrono::Duration;
use entity::enums::WorkspaceRole;
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp, create_person, join};

const SESSION: &str = "focusSession { id status plannedMinutes focusedMinutes interruptionCount endedAt notes task { completedMinutes } }";

async fn start(client: &Client<'_>, workspace: &str, more: Value) -> Answer {
    let mut input = json!({ "workspaceId": workspace });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let document = format!(
        "mutation ($input: StartFocusSessionInput!) {{ startFocusSession(input: $input) {{ {SESSION} userErrors {{ code field message }} }} }}"
    );
    client.gql(&document, json!({ "input": input })).await
}

async fn started(client: &Client<'_>, workspace: &str, more: Value) -> String {
    let answer = start(client, workspace, more)
        .await
        .succeeded("startFocusSession");
    answer.text("/startFocusSession/focusSession/id")
}

async fn act(client: &Client<'_>, command: &str, id: &str) -> Answer {
    let document = format!(
        "mutation ($id: ID!) {{ {command}(id: $id) {{ {SESSION} userErrors {{ code field message }} }} }}"
    );
    client.gql(&document, json!({ "id": id })).await
}

async fn task(client: &Client<'_>, workspace: &str) -> String {
    let document = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";
    let input = json!({ "workspaceId": workspace, "title": "Write the report" });
    let answer = client.gql(document, json!({ "input": input })).await;
    answer.succeeded("createTask").text("/createTask/task/id")
}

async fn active(client: &Client<'_>) -> Value {
    let answer = client.gql(
        "{ viewer { activeFocusSession { id status focusedMinutes } } }",
        json!({}),
    );
    answer.await.at("/viewer/activeFocusSession")
}

async fn stats(client: &Client<'_>, workspace: &str, from: &str, to: &str) -> Answer {
    let document = "query ($id: ID!, $from: LocalDate!, $to: LocalDate!) { workspace(id: $id) { focusStats(from: $from, to: $to) {
        totalMinutes completedSessions abandonedSessions streakDays days { date minutes sessions } } } }";
    let variables = json!({ "id": workspace, "from": from, "to": to });
    client.gql(document, variables).await
}

#[tokio::test]
async fn a_session_counts_what_was_worked_and_gives_it_to_its_task() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let task = task(&ana, &workspace).await;
    let answer = start(&ana, &workspace, json!({ "taskId": task }))
        .await
        .succeeded("startFocusSession");
    let session = answer.at("/startFocusSession/focusSession");
    assert_eq!(session["status"], "ACTIVE");
    assert_eq!(session["plannedMinutes"], 25, "Ana's usual length");
    let id = session["id"].as_str().unwrap();

    app.advance(Duration::minutes(10));
    assert_eq!(active(&ana).await["focusedMinutes"], 10);
    act(&ana, "pauseFocusSession", id)
        .await
        .succeeded("pauseFocusSession");
    app.advance(Duration::minutes(30));
    let paused = active(&ana).await;
    assert_eq!(
        (&paused["status"], &paused["focusedMinutes"]),
        (&json!("PAUSED"), &json!(10))
    );
    act(&ana, "resumeFocusSession", id)
        .await
        .succeeded("resumeFocusSession");
    act(&ana, "recordInterruption", id)
        .await
        .succeeded("recordInterruption");
    act(&ana, "recordInterruption", id)
        .await
        .succeeded("recordInterruption");
    app.advance(Duration::minutes(15));

    let document = "mutation ($id: ID!) { endFocusSession(id: $id, notes: \"Went well\") { focusSession { status focusedMinutes interruptionCount notes endedAt task { completedMinutes version } } userErrors { code } } }";
    let ended = ana
        .gql(document, json!({ "id": id }))
        .await
        .succeeded("endFocusSession");
    let ended = ended.at("/endFocusSession/focusSession");
    assert_eq!(ended["status"], "COMPLETED");
    assert_eq!(ended["focusedMinutes"], 25);
    assert_eq!(ended["interruptionCount"], 2);
    assert_eq!(ended["notes"], "Went well");
    assert_eq!(ended["endedAt"], "2026-03-02T09:55:00Z");
    assert_eq!(ended["task"], json!({ "completedMinutes": 25, "version": 2 }));
    assert_eq!(active(&ana).await, Value::Null);
}

#[tokio::test]
async fn what_the_state_does_not_allow_is_said_and_changes_nothing() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let id = started(&ana, &workspace, json!({})).await;
    let refused = async |command: &str| act(&ana, command, &id).await.user_error(command);
    assert_eq!(refused("resumeFocusSession").await, "INVALID_STATE id");
    act(&ana, "pauseFocusSession", &id)
        .await
        .succeeded("pauseFocusSession");
    assert_eq!(refused("pauseFocusSession").await, "INVALID_STATE id");
    let ended = act(&ana, "endFocusSession", &id)
        .await
        .succeeded("endFocusSession");
    assert_eq!(ended.text("/endFocusSession/focusSession/status"), "ABANDONED");
    for command in [
        "pauseFocusSession",
        "resumeFocusSession",
        "recordInterruption",
        "endFocusSession",
    ] {
        assert_eq!(refused(command).await, "INVALID_STATE id", "{command}");
    }
    for (more, error) in [
        (
            json!({ "plannedMinutes": 4 }),
            "OUT_OF_RANGE input.plannedMinutes",
        ),
        (
            json!({ "plannedMinutes": 241 }),
            "OUT_OF_RANGE input.plannedMinutes",
        ),
        (
            json!({ "taskId": "task_01jdb2k9x4e5vb4pex5vsknk08" }),
            "REFERENCE_NOT_FOUND input.taskId",
        ),
        (json!({ "taskId": "x" }), "REFERENCE_NOT_FOUND input.taskId"),
    ] {
        let answer = start(&ana, &workspace, more.clone()).await;
        assert_eq!(answer.user_error("startFocusSession"), error, "{more}");
    }
    let list = "query ($id: ID!) { workspace(id: $id) { focusSessions { totalCount } } }";
    let answer = ana.gql(list, json!({ "id": workspace })).await;
    assert_eq!(answer.at("/workspace/focusSessions/totalCount"), 1);
}

#[tokio::test]
async fn starting_ends_the_running_session_also_in_another_workspace() {
    let app = TestApp::start().await;
    let (ana, home, away) = (app.ana(), app.ana.workspace(), app.ben.workspace());
    join(
        &app.platform,
        &app.ana,
        app.ben.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    let work = task(&ana, &home).await;
    let first = started(&ana, &home, json!({ "taskId": work })).await;
    app.advance(Duration::minutes(7));
    let second = started(&ana, &home, json!({})).await;
    app.advance(Duration::minutes(30));
    let third = started(&ana, &away, json!({})).await;
    assert_eq!(active(&ana).await["id"], third);

    let document = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on FocusSession { id status focusedMinutes task { completedMinutes } } } }";
    let nodes = ana
        .gql(document, json!({ "ids": [first, second, third] }))
        .await
        .at("/nodes");
    assert_eq!(nodes[0]["status"], "ABANDONED");
    assert_eq!(nodes[0]["task"]["completedMinutes"], 7);
    assert_eq!(
        (&nodes[1]["status"], &nodes[1]["focusedMinutes"]),
        (&json!("COMPLETED"), &json!(30))
    );
    assert_eq!(nodes[2]["status"], "ACTIVE");
    // Nobody else sees any of them.
    let nodes = app
        .ben()
        .gql(document, json!({ "ids": [third] }))
        .await
        .at("/nodes");
    assert_eq!(nodes, json!([null]));
    let answer = act(&app.ben(), "endFocusSession", &third).await;
    assert_eq!(answer.error_code(), "NOT_FOUND");
}

#[tokio::test]
async fn starts_at_the_same_moment_leave_one_session() {
    let app = TestApp::start().await;
    let workspace = app.ana.workspace();
    let (first, second, third) = (app.ana(), app.ana(), app.ana());
    let answers = tokio::join!(
        start(&first, &workspace, json!({})),
        start(&second, &workspace, json!({})),
        start(&third, &workspace, json!({})),
    );
    for answer in [&answers.0, &answers.1, &answers.2] {
        assert!(answer.0.get("errors").is_none(), "{answer:?}");
    }
    let list = "query ($id: ID!) { workspace(id: $id) { focusSessions { nodes { status } } } }";
    let answer = first.gql(list, json!({ "id": workspace })).await;
    let nodes = answer.at("/workspace/focusSessions/nodes");
    let running = nodes
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["status"] == "ACTIVE");
    assert_eq!(running.count(), 1, "{nodes}");
}

#[tokio::test]
async fn a_viewer_may_focus_but_not_work_on_tasks() {
    let app = TestApp::start().await;
    let guest = create_person(&app.platform, "Vera", "vera@example.org").await;
    join(&app.platform, &guest, app.ana.workspace_id, WorkspaceRole::Viewer).await;
    let task = task(&app.ana(), &app.ana.workspace()).await;
    let vera = app.client(&guest);
    let answer = start(&vera, &app.ana.workspace(), json!({ "taskId": task })).await;
    assert_eq!(answer.error_code(), "FORBIDDEN");
    started(&vera, &app.ana.workspace(), json!({})).await;
}

#[tokio::test]
async fn sessions_are_listed_newest_first_in_pages_and_ranges() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    for _ in 0..5 {
        started(&ana, &workspace, json!({})).await;
        app.advance(Duration::minutes(25));
    }
    let document = "query ($id: ID!, $after: String, $range: DateTimeRangeInput) { workspace(id: $id) { focusSessions(first: 2, after: $after, range: $range) {
        totalCount nodes { startedAt status } pageInfo { hasNextPage endCursor } } } }";
    let mut after = Value::Null;
    let mut seen = Vec::new();
    loop {
        let answer = ana
            .gql(document, json!({ "id": workspace, "after": after }))
            .await;
        let page = answer.at("/workspace/focusSessions");
        assert_eq!(page["totalCount"], 5);
        seen.extend(
            page["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node["startedAt"].to_string()),
        );
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    let range = json!({ "start": "2026-03-02T09:25:00Z", "end": "2026-03-02T10:15:00Z" });
    let answer = ana
        .gql(document, json!({ "id": workspace, "range": range }))
        .await;
    assert_eq!(answer.at("/workspace/focusSessions/totalCount"), 2);
}

#[tokio::test]
async fn totals_are_by_day_of_the_viewers_zone() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let session = async |minutes: i64| {
        let id = started(&ana, &workspace, json!({})).await;
        app.advance(Duration::minutes(minutes));
        act(&ana, "endFocusSession", &id)
            .await
            .succeeded("endFocusSession");
    };
    session(25).await;
    session(5).await;
    // 22:30 UTC is 23:30 in Berlin, still the same day; an hour later it is the next one.
    app.advance(Duration::hours(13));
    session(25).await;
    app.advance(Duration::minutes(35));
    session(25).await;
    let id = started(&ana, &workspace, json!({})).await;
    app.advance(Duration::minutes(3));

    let answer = stats(&ana, &workspace, "2026-03-01", "2026-03-03").await;
    assert_eq!(
        answer.at("/workspace/focusStats"),
        json!({
            "totalMinutes": 83, "completedSessions": 3, "abandonedSessions": 1, "streakDays": 2,
            "days": [
                { "date": "2026-03-01", "minutes": 0, "sessions": 0 },
                { "date": "2026-03-02", "minutes": 55, "sessions": 3 },
                { "date": "2026-03-03", "minutes": 28, "sessions": 2 },
            ],
        })
    );
    act(&ana, "endFocusSession", &id)
        .await
        .succeeded("endFocusSession");
    // The streak began before the period, and a day that is not over does not end it.
    let streak = async |from: &str, to: &str| {
        let answer = stats(&ana, &workspace, from, to).await;
        answer.at("/workspace/focusStats/streakDays")
    };
    assert_eq!(streak("2026-03-03", "2026-03-03").await, 2);
    app.advance(Duration::days(1));
    assert_eq!(streak("2026-03-04", "2026-03-04").await, 2);
    app.advance(Duration::days(1));
    assert_eq!(streak("2026-03-05", "2026-03-05").await, 0);

    for (from, to) in [("2026-03-02", "2026-03-01"), ("2025-03-01", "2026-03-02")] {
        let answer = stats(&ana, &workspace, from, to).await;
        assert_eq!(answer.error_code(), "BAD_USER_INPUT", "{from} {to}");
    }
    let year = stats(&ana, &workspace, "2025-03-02", "2026-03-02").await;
    assert_eq!(
        year.at("/workspace/focusStats/days").as_array().unwrap().len(),
        366
    );
}

#[tokio::test]
async fn changes_of_sessions_are_in_the_change_log_and_tell_others_nothing() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Admin,
    )
    .await;
    let cursor = "query ($id: ID!) { workspace(id: $id) { changeCursor } }";
    let cursor = ana
        .gql(cursor, json!({ "id": workspace }))
        .await
        .text("/workspace/changeCursor");
    let id = started(&ana, &workspace, json!({})).await;
    act(&ana, "endFocusSession", &id)
        .await
        .succeeded("endFocusSession");
    let changes = "query ($id: ID!, $after: String!) { workspace(id: $id) { changes(after: $after) { nodes { action objectType objectId object { id } } } } }";
    let variables = json!({ "id": workspace, "after": cursor });
    let seen = ana
        .gql(changes, variables.clone())
        .await
        .at("/workspace/changes/nodes");
    let change = |action: &str, object: Value| json!({ "action": action, "objectType": "FocusSession", "objectId": id, "object": object });
    let own = json!({ "id": id });
    assert_eq!(
        seen,
        json!([change("CREATED", own.clone()), change("UPDATED", own)])
    );
    let seen = app
        .ben()
        .gql(changes, variables)
        .await
        .at("/workspace/changes/nodes");
    assert_eq!(
        seen,
        json!([change("CREATED", Value::Null), change("UPDATED", Value::Null)])
    );
}
