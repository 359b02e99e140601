//! Imports and exports: files in and out, broken ones, and who sees what of them.

use entity::enums::{JobStatus, WorkspaceRole};
use meridian::features::transfers;
use meridian::kernel::actor::Actor;
use meridian::kernel::jobs::Payload;
use meridian::platform::db::{Scope, Tx};
use meridian::platform::jobs::{JobError, ProgressHandle, RunningJob};
use sea_orm::{IntoActiveModel as _, Set};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::chores::waiting;
use crate::support::server::{Reply, Server};
use crate::support::syncs::titles;
use crate::support::{Answer, Client, TestApp, create_person, join};

const START_IMPORT: &str = "mutation ($input: StartImportInput!) { startImport(input: $input) { dataTransfer { id direction format status processedCount downloadUrl finishedAt job { id queue } } userErrors { code field message } } }";
const START_EXPORT: &str = "mutation ($input: StartExportInput!) { startExport(input: $input) { dataTransfer { id } userErrors { code field message } } }";
const LOOK: &str = "query ($id: ID!) { dataTransfer(id: $id) { id direction format status processedCount problems { position message } downloadUrl finishedAt } }";

/// Does the imports and exports that wait, as a worker would.
async fn work(app: &TestApp) -> Result<(), JobError> {
    let mut last = Ok(());
    for row in waiting(app, "transfer_data").await {
        let payload: Payload = serde_json::from_value(row.payload.clone()).unwrap();
        let job = RunningJob {
            id: row.id,
            attempt: 1,
            payload,
            workspace_id: row.workspace_id,
            created_by: row.created_by,
            cancel: CancellationToken::new(),
            progress: ProgressHandle::channel().0,
        };
        last = transfers::run(&app.platform, &job).await;
        let status = if last.is_ok() {
            JobStatus::Succeeded
        } else {
            JobStatus::Dead
        };
        let body = |tx: Tx| {
            let mut row = row.clone().into_active_model();
            row.status = Set(status);
            async move { tx.update(row).await.map(drop) }
        };
        app.platform
            .write(Scope::System, Actor::system(), body)
            .await
            .unwrap();
    }
    last
}

async fn calendar(client: &Client<'_>, workspace: &str, name: &str) -> String {
    let document = "mutation ($input: CreateCalendarInput!) { createCalendar(input: $input) { calendar { id } userErrors { code } } }";
    let input = json!({ "workspaceId": workspace, "name": name, "timeZone": "Europe/Berlin" });
    let made = client.gql(document, json!({ "input": input })).await;
    made.succeeded("createCalendar")
        .text("/createCalendar/calendar/id")
}

async fn start_import(client: &Client<'_>, workspace: &str, format: &str, content: &str) -> Answer {
    let input = json!({ "workspaceId": workspace, "format": format, "content": content });
    client.gql(START_IMPORT, json!({ "input": input })).await
}

/// Imports a text and returns the transfer.
async fn import(client: &Client<'_>, workspace: &str, format: &str, content: &str) -> Value {
    let started = start_import(client, workspace, format, content)
        .await
        .succeeded("startImport");
    let id = started.text("/startImport/dataTransfer/id");
    work(client.app).await.unwrap();
    look(client, &id).await
}

async fn look(client: &Client<'_>, id: &str) -> Value {
    client.gql(LOOK, json!({ "id": id })).await.at("/dataTransfer")
}

/// Exports and fetches the file.
async fn export(server: &Server, client: &Client<'_>, workspace: &str, more: Value) -> (Value, String) {
    let mut input = json!({ "workspaceId": workspace });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let started = client.gql(START_EXPORT, json!({ "input": input })).await;
    let id = started
        .succeeded("startExport")
        .text("/startExport/dataTransfer/id");
    work(&server.app).await.unwrap();
    let transfer = look(client, &id).await;
    assert_eq!(transfer["status"], "SUCCEEDED", "{transfer:#}");
    let file = fetch(server, transfer["downloadUrl"].as_str().unwrap()).await;
    assert_eq!(file.status, 200, "{file:?}");
    assert_eq!(file.header("content-length"), file.body.len().to_string());
    (transfer, file.body)
}

async fn fetch(server: &Server, url: &str) -> Reply {
    let path = &url[url.find("/api/").unwrap()..];
    server.send("GET", path, &[], "").await
}

/// Events with their exceptions, and one thing to do; line 18 begins an event that nobody can read.
const FILE: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Old//Old//EN\r\nBEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=Europe/Berlin:20260302T090000\r\nDTEND;TZID=Europe/Berlin:20260302T100000\r\nRRULE:FREQ=DAILY;COUNT=5\r\nSUMMARY:Stand-up\r\nX-OWN:kept\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:single\r\nDTSTART;VALUE=DATE:20260310\r\nSUMMARY:Day off\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:bad\r\nDTSTART:never\r\nEND:VEVENT\r\nBEGIN:VTODO\r\nUID:todo\r\nSUMMARY:Pay the rent\r\nDUE;TZID=Europe/Berlin:20260305T120000\r\nPRIORITY:1\r\nCATEGORIES:home\r\nEND:VTODO\r\nBEGIN:VEVENT\r\nUID:series\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260304T090000\r\nDTSTART;TZID=Europe/Berlin:20260304T140000\r\nDTEND;TZID=Europe/Berlin:20260304T150000\r\nSUMMARY:Late stand-up\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

const OCCURRENCES: &str = r#"query ($id: ID!) { workspace(id: $id) {
    eventOccurrences(range: { start: "2026-03-01T00:00:00Z", end: "2026-03-20T00:00:00Z" }) { title start end }
    tasks(first: 100, orderBy: { field: TITLE }) { nodes { title dueAt priority labels status durationMinutes recurrenceRule parent { title } dependencies { title } } } } }"#;

async fn everything(client: &Client<'_>, workspace: &str) -> Value {
    client
        .gql(OCCURRENCES, json!({ "id": workspace }))
        .await
        .at("/workspace")
}

#[tokio::test]
async fn a_file_is_imported_object_by_object_and_twice_is_once() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    calendar(&ana, &workspace, "Mine").await;
    let started = start_import(&ana, &workspace, "ICS", FILE)
        .await
        .succeeded("startImport");
    let transfer = started.at("/startImport/dataTransfer");
    assert_eq!(
        (&transfer["status"], &transfer["direction"], &transfer["format"]),
        (&json!("QUEUED"), &json!("IMPORT"), &json!("ICS"))
    );
    assert_eq!(transfer["job"]["queue"], "DATA_TRANSFER");
    work(&app).await.unwrap();
    let done = look(&ana, transfer["id"].as_str().unwrap()).await;
    assert_eq!(
        (&done["status"], &done["processedCount"]),
        (&json!("SUCCEEDED"), &json!(3))
    );
    assert_eq!(done["downloadUrl"], Value::Null);
    assert_eq!(done["problems"][0]["position"], 18, "{done:#}");
    assert_eq!(done["problems"].as_array().unwrap().len(), 1);

    let first = everything(&ana, &workspace).await;
    let starts: Vec<&str> = first["eventOccurrences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["start"].as_str().unwrap())
        .collect();
    assert_eq!(starts.len(), 6, "{first:#}");
    assert!(
        starts
            .iter()
            .any(|start| start.starts_with("2026-03-04T13:00:00"))
    );
    let task = &first["tasks"]["nodes"][0];
    assert_eq!(
        (&task["title"], &task["priority"]),
        (&json!("Pay the rent"), &json!("URGENT"))
    );
    assert!(task["dueAt"].as_str().unwrap().starts_with("2026-03-05T11:00:00"));

    let again = import(&ana, &workspace, "ICS", FILE).await;
    assert_eq!(again["processedCount"], 3);
    assert_eq!(everything(&ana, &workspace).await, first);

    // What was changed here since, and is newer, stays.
    let moved = "mutation ($id: ID!) { moveCalendarEvent(id: $id, start: \"2026-03-11T00:00:00Z\", scope: ALL) { calendarEvent { id } userErrors { code message } } }";
    let find = "query ($id: ID!) { workspace(id: $id) { calendarEvents(first: 10, filter: { search: \"Day off\" }) { nodes { id } } } }";
    let found = ana.gql(find, json!({ "id": workspace })).await;
    let id = found.text("/workspace/calendarEvents/nodes/0/id");
    ana.gql(moved, json!({ "id": id }))
        .await
        .succeeded("moveCalendarEvent");
    let newer = FILE.replace("SUMMARY:Day off", "SUMMARY:Day on");
    let third = import(&ana, &workspace, "ICS", &newer).await;
    assert!(
        third["problems"].to_string().contains("newer version"),
        "{third:#}"
    );
    assert!(titles(&ana, &workspace).await.contains(&"Day off".to_owned()));
}

#[tokio::test]
async fn a_calendar_goes_out_and_comes_in_elsewhere_as_it_was() {
    let server = Server::start().await;
    let app = &server.app;
    let (ana, ben) = (app.ana(), app.ben());
    let (here, there) = (app.ana.workspace(), app.ben.workspace());
    calendar(&ana, &here, "Mine").await;
    calendar(&ben, &there, "His").await;
    import(&ana, &here, "ICS", FILE).await;
    let (transfer, text) = export(&server, &ana, &here, json!({ "format": "ICS" })).await;
    assert_eq!(transfer["processedCount"], 3);
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"));
    assert!(
        text.contains("TZID:Europe/Berlin") && text.contains("X-OWN:kept"),
        "{text}"
    );
    assert_eq!(text.matches("BEGIN:VTODO").count(), 1);

    let done = import(&ben, &there, "ICS", &text).await;
    assert_eq!(
        (&done["processedCount"], &done["problems"]),
        (&json!(3), &json!([]))
    );
    assert_eq!(everything(&ben, &there).await, everything(&ana, &here).await);

    let range = json!({ "start": "2026-03-09T00:00:00Z", "end": "2026-03-12T00:00:00Z" });
    let (_, text) = export(&server, &ana, &here, json!({ "format": "ICS", "range": range })).await;
    assert_eq!(text.matches("BEGIN:VEVENT").count(), 1, "{text}");
    assert_eq!(text.matches("BEGIN:VTODO").count(), 0);
}

#[tokio::test]
async fn a_whole_workspace_moves_with_calendars_and_what_ties_tasks() {
    let server = Server::start().await;
    let app = &server.app;
    let (ana, ben) = (app.ana(), app.ben());
    let (here, there) = (app.ana.workspace(), app.ben.workspace());
    let first = calendar(&ana, &here, "Work").await;
    calendar(&ana, &here, "Home").await;
    import(&ana, &here, "ICS", FILE).await;
    let create = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code field } } }";
    let mut ids: Vec<String> = Vec::new();
    for title in ["a child", "b parent", "c first"] {
        let made = ana
            .gql(
                create,
                json!({ "input": { "workspaceId": here, "title": title, "labels": ["x"] } }),
            )
            .await;
        ids.push(made.succeeded("createTask").text("/createTask/task/id"));
    }
    let update = "mutation ($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { userErrors { code } } }";
    ana.gql(update, json!({ "id": ids[0], "input": { "parentId": ids[1] } }))
        .await
        .succeeded("updateTask");
    let wait = "mutation ($a: ID!, $b: ID!) { addTaskDependency(taskId: $a, dependsOnId: $b) { userErrors { code } } }";
    ana.gql(wait, json!({ "a": ids[0], "b": ids[2] }))
        .await
        .succeeded("addTaskDependency");

    let (transfer, text) = export(&server, &ana, &here, json!({ "format": "JSON" })).await;
    assert_eq!(transfer["processedCount"], 6);
    let parsed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(parsed["calendars"].as_array().unwrap().len(), 2);
    for _ in 0..2 {
        let done = import(&ben, &there, "JSON", &text).await;
        assert_eq!(
            (&done["processedCount"], &done["problems"]),
            (&json!(6), &json!([])),
            "{done:#}"
        );
        assert_eq!(everything(&ben, &there).await, everything(&ana, &here).await);
        let names = ben
            .gql(
                "query ($id: ID!) { workspace(id: $id) { calendars { name timeZone } } }",
                json!({ "id": there }),
            )
            .await
            .at("/workspace/calendars");
        let names: Vec<&str> = names
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["Home", "Work"]);
    }
    let (_, text) = export(
        &server,
        &ana,
        &here,
        json!({ "format": "JSON", "calendarIds": [first] }),
    )
    .await;
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["tasks"], json!([]));
}

#[tokio::test]
async fn tasks_are_a_table() {
    let server = Server::start().await;
    let app = &server.app;
    let (ana, ben) = (app.ana(), app.ben());
    let (here, there) = (app.ana.workspace(), app.ben.workspace());
    let table = "Title;Due at;Labels;Priority;Status\r\n\"Say \"\"hi\"\";\nthen go\";2026-03-10;a|b;high;todo\r\n=1+1;;;;done\r\n;2026-03-10;;;\r\nWrong;soon;;;\r\n";
    let done = import(&ana, &here, "CSV", table).await;
    assert_eq!(done["processedCount"], 2, "{done:#}");
    let lines: Vec<i64> = done["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["position"].as_i64().unwrap())
        .collect();
    assert_eq!(lines, [5, 6]);
    let (_, text) = export(&server, &ana, &here, json!({ "format": "CSV" })).await;
    assert!(
        text.starts_with("id,title,") && text.contains(",'=1+1,"),
        "{text}"
    );
    let again = import(&ana, &here, "CSV", &text).await;
    assert_eq!(
        (&again["processedCount"], &again["problems"]),
        (&json!(2), &json!([]))
    );
    import(&ben, &there, "CSV", &text).await;
    assert_eq!(
        everything(&ben, &there).await["tasks"],
        everything(&ana, &here).await["tasks"]
    );
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_with_its_field_and_leaves_nothing() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let no_default = start_import(&ana, &workspace, "ICS", FILE).await;
    assert_eq!(no_default.user_error("startImport"), "REQUIRED input.calendarId");
    let own = calendar(&ana, &workspace, "Mine").await;
    for (format, content, expected) in [
        ("ICS", String::new(), "REQUIRED input.content"),
        ("ICS", "<html>Sign in</html>".to_owned(), "INVALID input.content"),
        (
            "ICS",
            "\u{7f}ELF\u{1}\u{2}\u{3}".to_owned(),
            "INVALID input.content",
        ),
        (
            "ICS",
            format!("{FILE}{}", "x".repeat(1 << 20)),
            "TOO_LONG input.content",
        ),
        ("JSON", "[1, 2]".to_owned(), "INVALID input.content"),
        ("CSV", "a,b\n1,2\n".to_owned(), "INVALID input.content"),
    ] {
        let answer = start_import(&ana, &workspace, format, &content).await;
        assert_eq!(answer.user_error("startImport"), expected, "{format}");
    }
    let there = app.ben.workspace();
    let foreign = calendar(&app.ben(), &there, "His").await;
    for (calendar, workspace, expected) in [
        (
            foreign.as_str(),
            workspace.as_str(),
            "REFERENCE_NOT_FOUND input.calendarId",
        ),
        (
            "cal_x",
            workspace.as_str(),
            "REFERENCE_NOT_FOUND input.calendarId",
        ),
        (
            own.as_str(),
            there.as_str(),
            "REFERENCE_NOT_FOUND input.workspaceId",
        ),
    ] {
        let input =
            json!({ "workspaceId": workspace, "calendarId": calendar, "format": "ICS", "content": FILE });
        let answer = ana.gql(START_IMPORT, json!({ "input": input })).await;
        assert_eq!(answer.user_error("startImport"), expected);
    }
    let input = json!({ "workspaceId": workspace, "format": "ICS", "calendarIds": [own, foreign] });
    let answer = ana.gql(START_EXPORT, json!({ "input": input })).await;
    assert_eq!(
        answer.user_error("startExport"),
        "REFERENCE_NOT_FOUND input.calendarIds.1"
    );
    let input = json!({ "workspaceId": workspace, "format": "CSV", "calendarIds": [own] });
    let answer = ana.gql(START_EXPORT, json!({ "input": input })).await;
    assert_eq!(answer.user_error("startExport"), "INVALID input.calendarIds");
    assert_eq!(waiting(&app, "transfer_data").await.len(), 0);
    assert_eq!(titles(&ana, &workspace).await.len(), 0);

    // What only its reader finds out ends the transfer, with the reason.
    let started = start_import(&ana, &workspace, "ICS", "BEGIN:NOTHING\r\nEND:NOTHING\r\n").await;
    let id = started
        .succeeded("startImport")
        .text("/startImport/dataTransfer/id");
    assert!(matches!(work(&app).await, Err(JobError::Fatal(_))));
    let ended = look(&ana, &id).await;
    assert_eq!(ended["status"], "DEAD");
    assert_eq!(ended["problems"][0]["message"], "This is not a calendar file.");
    let other = json!({ "format": "something else", "tasks": [{ "title": "A" }] });
    start_import(&ana, &workspace, "JSON", &other.to_string())
        .await
        .succeeded("startImport");
    assert!(matches!(work(&app).await, Err(JobError::Fatal(_))));
    assert_eq!(titles(&ana, &workspace).await.len(), 0);
}

#[tokio::test]
async fn broken_objects_cost_themselves_only() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    calendar(&ana, &workspace, "Mine").await;
    let event = |uid: &str, more: &str| {
        format!(
            "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:20260302T090000Z\r\nSUMMARY:{uid}\r\n{more}END:VEVENT\r\n"
        )
    };
    let long = format!("DESCRIPTION:{}\r\n", "x".repeat(300_000));
    let text = format!(
        "BEGIN:VCALENDAR\r\n{}{}{}{}BEGIN:VEVENT\r\nUID:cut\r\nDTSTART:2026",
        event("one", ""),
        event("nul", "LOCATION:a\u{1}b\r\n"),
        event("long", &long),
        event("rule", "RRULE:FREQ=FORTNIGHTLY\r\n"),
    );
    let done = import(&ana, &workspace, "ICS", &text).await;
    let problems = done["problems"].to_string();
    assert_eq!(done["status"], "SUCCEEDED");
    assert_eq!(
        titles(&ana, &workspace).await,
        ["one", "nul", "long", "rule"],
        "{problems}"
    );
    assert!(
        problems.contains("ends inside this component") && problems.contains("too long and was cut"),
        "{problems}"
    );
    assert!(problems.contains("FREQ"), "{problems}");
}

#[tokio::test]
async fn what_a_rule_excludes_without_end_is_excluded_or_told() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    calendar(&ana, &workspace, "Mine").await;
    let event = |uid: &str, excluding: &str| {
        format!(
            "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:20260302T090000Z\r\nSUMMARY:{uid}\r\nRRULE:FREQ=DAILY\r\nEXRULE:{excluding}\r\nEND:VEVENT\r\n"
        )
    };
    let text = format!(
        "BEGIN:VCALENDAR\r\n{}{}END:VCALENDAR\r\n",
        event("workdays", "FREQ=WEEKLY;BYDAY=SA,SU"),
        event("most days", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU"),
    );
    let done = import(&ana, &workspace, "ICS", &text).await;
    assert_eq!(
        (&done["status"], &done["processedCount"]),
        (&json!("SUCCEEDED"), &json!(2)),
        "{done:#}"
    );
    // Every second Sunday for nearly twenty years, and then every Sunday takes place: that is said, with the line of the rule.
    let problems = done["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{done:#}");
    assert_eq!(problems[0]["position"], 14, "{done:#}");
    let message = problems[0]["message"].as_str().unwrap();
    assert!(
        message.contains("EXRULE") && message.contains("2045-05-07"),
        "{message}"
    );
    // Working days stay working days, however far one looks.
    let document = "query ($id: ID!, $range: DateTimeRangeInput!) { workspace(id: $id) { eventOccurrences(range: $range) { title start } } }";
    let range = json!({ "start": "2096-03-05T00:00:00Z", "end": "2096-03-12T00:00:00Z" });
    let week = ana
        .gql(document, json!({ "id": workspace, "range": range }))
        .await;
    let week = week.at("/workspace/eventOccurrences");
    let days = |title: &str| -> Vec<String> {
        let own = week
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["title"] == title);
        own.map(|one| one["start"].as_str().unwrap()[..10].to_owned())
            .collect()
    };
    assert_eq!(
        days("workdays"),
        [
            "2096-03-05",
            "2096-03-06",
            "2096-03-07",
            "2096-03-08",
            "2096-03-09"
        ]
    );
    assert_eq!(days("most days").len(), 7);
}

#[tokio::test]
async fn an_import_is_its_requesters_and_a_viewer_only_exports() {
    let server = Server::start().await;
    let app = &server.app;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    calendar(&ana, &workspace, "Mine").await;
    let private = FILE.replace("SUMMARY:Day off", "SUMMARY:Secret\r\nCLASS:PRIVATE");
    let transfer = import(&ana, &workspace, "ICS", &private).await;
    let id = transfer["id"].as_str().unwrap();
    let eva = create_person(&app.platform, "Eva", "eva@example.org").await;
    join(&app.platform, &eva, app.ana.workspace_id, WorkspaceRole::Viewer).await;
    let eva = app.client(&eva);
    for other in [&eva, &app.ben()] {
        assert_eq!(look(other, id).await, Value::Null);
        let node = "query ($id: ID!) { node(id: $id) { id } }";
        assert_eq!(
            other.gql(node, json!({ "id": id })).await.at("/node"),
            Value::Null
        );
    }
    assert_eq!(
        app.guest().gql(LOOK, json!({ "id": id })).await.error_code(),
        "UNAUTHENTICATED"
    );
    let refused = start_import(&eva, &workspace, "ICS", FILE).await;
    assert_eq!(refused.error_code(), "FORBIDDEN");

    let (_, text) = export(&server, &eva, &workspace, json!({ "format": "ICS" })).await;
    assert!(
        text.contains("SUMMARY:Busy") && !text.contains("Secret"),
        "{text}"
    );
    let (mine, text) = export(&server, &ana, &workspace, json!({ "format": "ICS" })).await;
    assert!(text.contains("Secret"));

    let url = mine["downloadUrl"].as_str().unwrap();
    assert_eq!(fetch(&server, &url[..url.len() - 1]).await.status, 404);
    assert_eq!(
        fetch(&server, &url.replace("/export/xfer", "/export/task"))
            .await
            .status,
        404
    );
    app.advance(chrono::Duration::hours(25));
    assert_eq!(fetch(&server, url).await.status, 404);
    assert_eq!(
        look(&ana, mine["id"].as_str().unwrap()).await["downloadUrl"],
        Value::Null
    );
    assert_eq!(transfers::prune(&app.platform).await.unwrap(), 2, "two files");
    app.advance(chrono::Duration::days(31));
    assert_eq!(transfers::prune(&app.platform).await.unwrap(), 3);
    assert_eq!(look(&ana, id).await, Value::Null);
}

#[tokio::test]
async fn somebody_who_left_gets_nothing() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    calendar(&ana, &workspace, "Shared").await;
    let eva = create_person(&app.platform, "Eva", "eva@example.org").await;
    join(&app.platform, &eva, app.ana.workspace_id, WorkspaceRole::Member).await;
    let input = json!({ "workspaceId": workspace, "format": "CSV" });
    let started = app
        .client(&eva)
        .gql(START_EXPORT, json!({ "input": input }))
        .await;
    started.succeeded("startExport");
    let members = "query ($id: ID!) { workspace(id: $id) { members(last: 1) { nodes { id } } } }";
    let member = ana.gql(members, json!({ "id": workspace })).await;
    let member = member.text("/workspace/members/nodes/0/id");
    let remove = "mutation ($id: ID!) { removeMember(memberId: $id) { userErrors { code } } }";
    ana.gql(remove, json!({ "id": member }))
        .await
        .succeeded("removeMember");
    assert!(matches!(work(&app).await, Err(JobError::Fatal(_))));
}

#[tokio::test]
async fn the_address_of_a_file_ends_when_its_requester_leaves() {
    let server = Server::start().await;
    let (app, workspace) = (&server.app, server.app.ana.workspace());
    let eva = create_person(&app.platform, "Eva", "eva@example.org").await;
    join(&app.platform, &eva, app.ana.workspace_id, WorkspaceRole::Member).await;
    let more = json!({ "format": "CSV" });
    let (transfer, _) = export(&server, &app.client(&eva), &workspace, more.clone()).await;
    let (other, _) = export(&server, &app.ana(), &workspace, more).await;
    let members =
        "query ($id: ID!) { workspace(id: $id) { members(last: 1) { nodes { id user { name } } } } }";
    let member = app.ana().gql(members, json!({ "id": workspace })).await;
    assert_eq!(member.text("/workspace/members/nodes/0/user/name"), "Eva");
    let remove = "mutation ($id: ID!) { removeMember(memberId: $id) { userErrors { code } } }";
    let id = member.text("/workspace/members/nodes/0/id");
    let removed = app.ana().gql(remove, json!({ "id": id })).await;
    removed.succeeded("removeMember");
    let url = transfer["downloadUrl"].as_str().unwrap();
    assert_eq!(fetch(&server, url).await.status, 404, "she has no right any more");
    let url = other["downloadUrl"].as_str().unwrap();
    assert_eq!(
        fetch(&server, url).await.status,
        200,
        "that of a member still works"
    );
}

/// A server that takes files up to this length.
async fn server_with(most: &str) -> (Server, String) {
    let settings = [
        ("MERIDIAN_LIMIT_IMPORT_BYTES", most),
        ("MERIDIAN_RATE_SIGN_INS", "100"),
    ];
    let server = Server::with_settings(&settings).await;
    let token = server.token(&server.app.ana).await;
    calendar(&server.app.ana(), &server.app.ana.workspace(), "Mine").await;
    (server, format!("Authorization: Bearer {token}"))
}

async fn upload(server: &Server, more: &str, headers: &[&str], body: &str) -> Reply {
    let target = format!("/api/import?workspaceId={}{more}", server.app.ana.workspace());
    server.send("POST", &target, headers, body).await
}

#[tokio::test]
async fn a_long_file_is_uploaded_in_pieces_and_read_from_them() {
    let (server, token) = server_with("8000000").await;
    let ana = server.app.ana();
    let event = |number: usize| {
        let words = "Ünïcödé, words; and more. ".repeat(40);
        format!(
            "BEGIN:VEVENT\r\nUID:event-{number}\r\nDTSTART;TZID=Europe/Berlin:20260302T090000\r\nDURATION:PT1H\r\nSUMMARY:Event {number}\r\nDESCRIPTION:{words}\r\nEND:VEVENT\r\n"
        )
    };
    let events: String = (0..1_000).map(event).collect();
    let late = "BEGIN:VEVENT\r\nUID:event-0\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260302T090000\r\nDTSTART:20260302T090000Z\r\nSUMMARY:Other\r\nEND:VEVENT\r\n";
    let text = format!("BEGIN:VCALENDAR\r\n{events}{late}END:VCALENDAR\r\n");
    assert!(text.len() > 1_200_000);
    let answer = upload(&server, "", &[&token, "Content-Type: text/calendar"], &text).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let id = answer.json()["dataTransfer"]["id"].as_str().unwrap().to_owned();
    work(&server.app).await.unwrap();
    let done = look(&ana, &id).await;
    assert_eq!(
        (&done["status"], &done["processedCount"]),
        (&json!("SUCCEEDED"), &json!(1_000)),
        "{}",
        done["problems"]
    );
    assert_eq!(done["problems"], json!([]));
    let (_, out) = export(
        &server,
        &ana,
        &server.app.ana.workspace(),
        json!({ "format": "ICS" }),
    )
    .await;
    assert_eq!(out.matches("BEGIN:VEVENT").count(), 1_001);
}

#[tokio::test]
async fn uploads_that_cannot_be_used_are_refused_and_leave_nothing() {
    let (server, token) = server_with("100000").await;
    let kind = "Content-Type: text/calendar";
    let long = format!("BEGIN:VCALENDAR\r\n{}", "x".repeat(200_000));
    let refusal = |answer: &Reply| {
        let error = answer.json()["userErrors"][0].clone();
        (
            answer.status,
            error["code"].to_string(),
            error["field"].to_string(),
        )
    };
    let expected =
        |status: u16, code: &str, field: &str| (status, format!("\"{code}\""), format!("[\"{field}\"]"));
    let answer = upload(&server, "", &[&token, kind], &long).await;
    assert_eq!(refusal(&answer), expected(413, "TOO_LONG", "content"));
    // The same without an announced length, which only counting finds out.
    let mut chunked = format!(
        "POST /api/import?workspaceId={} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{token}\r\n{kind}\r\nTransfer-Encoding: chunked\r\n\r\n",
        server.app.ana.workspace()
    );
    for _ in 0..20 {
        chunked += &format!("{:x}\r\n{}\r\n", 10_000, "BEGIN:VCALENDAR\n".repeat(625));
    }
    chunked += "0\r\n\r\n";
    let answer = server.send_raw(chunked.as_bytes()).await;
    assert_eq!(refusal(&answer), expected(413, "TOO_LONG", "content"));

    // A hundred megabytes are refused before any of them is sent.
    let mut huge = format!(
        "POST /api/import?workspaceId={} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{token}\r\n{kind}\r\n",
        server.app.ana.workspace()
    );
    huge += "Content-Length: 104857600\r\n\r\n";
    let answer = server.send_raw(huge.as_bytes()).await;
    assert_eq!(refusal(&answer), expected(413, "TOO_LONG", "content"));

    let binary: String = (0..5_000).map(|n| char::from(n as u8 % 128)).collect();
    let answer = upload(&server, "", &[&token, kind], &binary).await;
    assert_eq!(refusal(&answer), expected(422, "INVALID", "content"));
    let answer = upload(&server, "", &[&token, kind], "").await;
    assert_eq!(refusal(&answer), expected(422, "REQUIRED", "content"));
    let answer = upload(&server, "&calendarId=cal_x", &[&token, kind], FILE).await;
    assert_eq!(
        refusal(&answer),
        expected(422, "REFERENCE_NOT_FOUND", "calendarId")
    );

    let answer = upload(&server, "", &[kind], FILE).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "UNAUTHENTICATED"));
    let answer = upload(&server, "", &[&token, "Content-Type: multipart/form-data"], FILE).await;
    assert_eq!(answer.status, 415);
    let answer = upload(&server, "", &[&token, kind, "Content-Encoding: gzip"], FILE).await;
    assert_eq!(answer.status, 415);
    let answer = upload(&server, "&format=XML", &[&token, kind], FILE).await;
    assert_eq!(answer.status, 400);
    let ben = format!("Authorization: Bearer {}", server.token(&server.app.ben).await);
    let answer = upload(&server, "", &[&ben, kind], FILE).await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "NOT_FOUND"));
    // A page of another origin that rides on a cookie.
    let answer = upload(&server, "", &["Cookie: meridian=anything", kind], FILE).await;
    assert_eq!(answer.code(), "CSRF_FAILED");

    let read = server.app.platform.db.read(Scope::System).await.unwrap();
    let left = read.find::<entity::data_transfer::Entity>();
    let left = sea_orm::PaginatorTrait::count(left, &read).await.unwrap();
    assert_eq!((left, waiting(&server.app, "transfer_data").await.len()), (0, 0));
}

#[tokio::test]
async fn nul_bytes_and_bytes_that_are_no_text_are_left_out_and_told() {
    let (server, token) = server_with("100000").await;
    let ana = server.app.ana();
    let mut request = format!(
        "POST /api/import?workspaceId={} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{token}\r\nContent-Type: text/calendar\r\n",
        server.app.ana.workspace()
    )
    .into_bytes();
    let body = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\0b\nDTSTART:20260302T090000Z\nSUMMARY:caf\xe9 \0bar\nEND:VEVENT\nEND:VCALENDAR\n";
    request.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
    request.extend(body);
    let answer = server.send_raw(&request).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    work(&server.app).await.unwrap();
    let done = look(&ana, answer.json()["dataTransfer"]["id"].as_str().unwrap()).await;
    let problems = done["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(problems.iter().all(|problem| problem["position"] == 2));
    assert_eq!(
        titles(&ana, &server.app.ana.workspace()).await,
        ["caf\u{fffd} bar"]
    );
}

#[tokio::test]
async fn an_import_that_broke_off_goes_on_where_it_stopped() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    calendar(&ana, &workspace, "Mine").await;
    let events: String = (0..250)
        .map(|n| {
            format!("BEGIN:VEVENT\r\nUID:e{n}\r\nDTSTART:20260302T090000Z\r\nSUMMARY:E{n}\r\nEND:VEVENT\r\n")
        })
        .collect();
    let text = format!("BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n");
    let started = start_import(&ana, &workspace, "ICS", &text).await;
    let id = started
        .succeeded("startImport")
        .text("/startImport/dataTransfer/id");
    let row = waiting(&app, "transfer_data").await.remove(0);
    let cancel = CancellationToken::new();
    let (progress, newest) = ProgressHandle::channel();
    let job = |cancel: CancellationToken, progress: ProgressHandle| RunningJob {
        id: row.id,
        attempt: 1,
        payload: serde_json::from_value(row.payload.clone()).unwrap(),
        workspace_id: row.workspace_id,
        created_by: row.created_by,
        cancel,
        progress,
    };
    let mut seen = newest.clone();
    let stop = {
        let cancel = cancel.clone();
        async move {
            // After the first batch of events.
            seen.wait_for(|percent| percent.is_some_and(|percent| percent > 1))
                .await
                .unwrap();
            cancel.cancel();
        }
    };
    let first = job(cancel, progress);
    let (ended, ()) = tokio::join!(transfers::run(&app.platform, &first), stop);
    assert!(matches!(ended, Err(JobError::Cancelled)), "{ended:?}");
    let half = look(&ana, &id).await;
    let count = half["processedCount"].as_i64().unwrap();
    assert!((100..250).contains(&count), "{half:#}");
    let second = job(CancellationToken::new(), ProgressHandle::channel().0);
    transfers::run(&app.platform, &second).await.unwrap();
    assert_eq!(look(&ana, &id).await["processedCount"], 250);
    assert_eq!(titles(&ana, &workspace).await.len(), 250);
    // Run once more by mistake it does nothing.
    transfers::run(&app.platform, &second).await.unwrap();
    assert_eq!(look(&ana, &id).await["processedCount"], 250);
}
