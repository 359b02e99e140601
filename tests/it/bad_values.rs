//! Values that cannot be read: each is told with its field, its place and a sentence that says what to send.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::server::Server;

const GRAPHQL: &str = "Accept: application/graphql-response+json";

async fn errors(server: &Server, body: Value) -> Vec<Value> {
    let token = format!("Authorization: Bearer {}", server.token(&server.app.ana).await);
    let reply = server.post(&[GRAPHQL, &token], &body).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    let answer = reply.json();
    assert!(answer.get("data").is_none(), "{answer}");
    answer["errors"].as_array().unwrap().clone()
}

fn field(error: &Value) -> String {
    let parts = error["extensions"]["field"].as_array();
    let parts = parts.unwrap_or_else(|| panic!("no field in {error}"));
    parts
        .iter()
        .map(|part| part.as_str().unwrap())
        .collect::<Vec<_>>()
        .join(".")
}

/// Sends a value once in the document and once in a variable; both must be refused in the same way.
async fn refused(
    server: &Server,
    mutation: &str,
    input: &str,
    literal: &str,
    sent: Value,
    path: &str,
    says: &str,
) {
    let by_literal = json!({ "query": format!("mutation {{ {mutation}(input: {literal}) {{ userErrors {{ code }} }} }}") });
    let by_variable = json!({
        "query": format!("mutation ($input: {input}!) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}"),
        "variables": { "input": sent },
    });
    for body in [by_literal, by_variable] {
        let errors = errors(server, body.clone()).await;
        let error = &errors[0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{error}");
        assert_eq!(field(error), path, "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("`{path}`: ")) && message.contains(says),
            "{message}"
        );
        assert!(error["locations"][0]["line"].as_u64().is_some(), "{error}");
        assert_eq!(errors.len(), 1, "{errors:?}");
    }
}

#[tokio::test]
async fn every_scalar_says_what_it_wants() {
    let server = Server::start().await;
    let workspace = server.app.ana.workspace();
    let task = |name: &str, literal: &str| {
        format!("{{ workspaceId: \"{workspace}\", title: \"t\", {name}: {literal} }}")
    };
    let sent = |name: &str, value: Value| json!({ "workspaceId": workspace, "title": "t", name: value });
    for (name, literal, value, says) in [
        (
            "dueAt",
            "\"tomorrow\"",
            json!("tomorrow"),
            "`tomorrow` is not a timestamp with offset. Send one such as",
        ),
        ("dueAt", "7", json!(7), "a timestamp such as"),
        ("durationMinutes", "\"5\"", json!("5"), "a whole number"),
        (
            "durationMinutes",
            "3000000000",
            json!(3_000_000_000_u64),
            "a whole number",
        ),
        ("isHardDeadline", "1", json!(1), "`true` or `false`"),
        ("description", "1", json!(1), "a string is wanted"),
        ("assigneeId", "1.5", json!(1.5), "an ID is wanted"),
        (
            "priority",
            "SOON",
            json!("SOON"),
            "`SOON` is no value of `TaskPriority`",
        ),
    ] {
        let path = format!("input.{name}");
        refused(
            &server,
            "createTask",
            "CreateTaskInput",
            &task(name, literal),
            sent(name, value),
            &path,
            says,
        )
        .await;
    }
    let calendar = |literal: &str| format!("{{ workspaceId: \"{workspace}\", name: \"c\", {literal} }}");
    for (name, value, says) in [
        ("color", "red", "is not a colour. Send one such as `#3366cc`"),
        (
            "timeZone",
            "Mars/Base",
            "is not an IANA time zone. Send one such as `Europe/Berlin`",
        ),
    ] {
        let literal = calendar(&format!("{name}: \"{value}\""));
        let sent = json!({ "workspaceId": workspace, "name": "c", name: value });
        refused(
            &server,
            "createCalendar",
            "CreateCalendarInput",
            &literal,
            sent,
            &format!("input.{name}"),
            says,
        )
        .await;
    }
    refused(
        &server,
        "connectIntegration",
        "ConnectIntegrationInput",
        &format!(
            "{{ workspaceId: \"{workspace}\", service: {{ icsFeed: {{ url: \"ftp://x\", name: \"n\" }} }} }}"
        ),
        json!({ "workspaceId": workspace, "service": { "icsFeed": { "url": "ftp://x", "name": "n" } } }),
        "input.service.icsFeed.url",
        "is not an absolute http or https URL",
    )
    .await;
    refused(
        &server,
        "updatePreferences",
        "UpdatePreferencesInput",
        "{ workingHours: [{ weekday: MONDAY, start: \"09:00\", end: \"17:00\" }, { weekday: MONDAY, start: \"9\", end: \"17:00\" }] }",
        json!({ "workingHours": [
            { "weekday": "MONDAY", "start": "09:00", "end": "17:00" },
            { "weekday": "MONDAY", "start": "9", "end": "17:00" },
        ] }),
        "input.workingHours.1.start",
        "`9` is not a time. Send one such as `09:30`",
    )
    .await;
    let event = |literal: &str| format!("{{ calendarId: \"cal_x\", title: \"e\", {literal} }}");
    for (literal, extra, path, says) in [
        (
            "time: { allDay: { startDate: \"2026-02-30\", endDate: \"2026-03-01\" } }",
            json!({ "time": { "allDay": { "startDate": "2026-02-30", "endDate": "2026-03-01" } } }),
            "input.time.allDay.startDate",
            "`2026-02-30` is not a date",
        ),
        (
            "timeZone: \"Mars/Base\", time: { allDay: { startDate: \"2026-03-01\", endDate: \"2026-03-02\" } }",
            json!({
                "timeZone": "Mars/Base",
                "time": { "allDay": { "startDate": "2026-03-01", "endDate": "2026-03-02" } },
            }),
            "input.timeZone",
            "`Mars/Base` is not an IANA time zone",
        ),
        (
            "time: {}",
            json!({ "time": {} }),
            "input.time",
            "exactly one field is wanted",
        ),
        (
            "time: { allDay: { startDate: \"2026-03-01\", endDate: \"2026-03-02\" } }, attendees: [{ email: \"nobody\" }]",
            json!({
                "time": { "allDay": { "startDate": "2026-03-01", "endDate": "2026-03-02" } },
                "attendees": [{ "email": "nobody" }],
            }),
            "input.attendees.0.email",
            "`nobody` is not an e-mail address",
        ),
    ] {
        let mut sent = json!({ "calendarId": "cal_x", "title": "e" });
        sent.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        refused(
            &server,
            "createCalendarEvent",
            "CreateCalendarEventInput",
            &event(literal),
            sent,
            path,
            says,
        )
        .await;
    }
}

#[tokio::test]
async fn a_zone_that_nobody_knows_is_told_wherever_one_is_named() {
    let server = Server::start().await;
    for (document, path) in [
        (
            "mutation { updateCalendarEvent(id: \"evt_x\", scope: ALL, input: { timeZone: \"Mars/Base\" }) { userErrors { code } } }",
            "input.timeZone",
        ),
        (
            "{ previewRecurrence(rule: \"FREQ=DAILY\", start: \"2026-03-02T08:00:00Z\", timeZone: \"Mars/Base\") { starts } }",
            "timeZone",
        ),
        (
            "mutation { updatePreferences(input: { timeZone: \"Mars/Base\" }) { userErrors { code } } }",
            "input.timeZone",
        ),
    ] {
        let found = errors(&server, json!({ "query": document })).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["extensions"]["code"], "BAD_USER_INPUT", "{document}");
        assert_eq!(field(&found[0]), path, "{document}");
    }
}

#[tokio::test]
async fn variables_inside_values_and_in_fragments_are_found() {
    let server = Server::start().await;
    let query = "mutation ($ws: ID!, $due: DateTime) {
      a: createTask(input: { workspaceId: $ws, title: \"t\", dueAt: $due }) { userErrors { code } }
      ...More
    }
    fragment More on Mutation {
      b: createTask(input: { workspaceId: $ws, title: null, startAfter: \"now\" }) { userErrors { code } }
    }";
    let body = json!({ "query": query, "variables": { "ws": "ws_x", "due": "soon" } });
    let found = errors(&server, body).await;
    let fields: Vec<String> = found.iter().map(field).collect();
    assert_eq!(fields, ["input.dueAt", "input.title", "input.startAfter"]);
    let definition = json!([{ "line": 1, "column": 21 }]);
    assert_eq!(found[0]["locations"], definition, "{found:?}");
    assert_eq!(found[2]["locations"][0]["line"], 6, "{found:?}");
    // A default counts like what was sent, and one value stands for a list of it.
    let query = "query ($id: ID!, $from: DateTime = \"never\") {
      workspace(id: $id) { tasks(filter: { dueAfter: $from, statuses: NONE }) { totalCount } }
    }";
    let body = json!({ "query": query, "variables": { "id": server.app.ana.workspace() } });
    let found = errors(&server, body).await;
    let fields: Vec<String> = found.iter().map(field).collect();
    assert_eq!(fields, ["filter.statuses", "filter.dueAfter"]);
}

#[tokio::test]
async fn what_does_not_fit_the_schema_stays_a_matter_of_validation() {
    let server = Server::start().await;
    let workspace = server.app.ana.workspace();
    let create = |input: &str| json!({ "query": format!("mutation {{ createTask(input: {input}) {{ task {{ id }} }} }}") });
    for body in [
        create(&format!(
            "{{ workspaceId: \"{workspace}\", title: \"t\", colour: \"red\" }}"
        )),
        create("$missing"),
        json!({ "query": "{ nothing(at: 1) }" }),
        json!({ "query": "query ($id: ID!) { task(id: $id) { id } }" }),
    ] {
        let errors = errors(&server, body.clone()).await;
        let code = errors[0]["extensions"]["code"].as_str().unwrap();
        assert!(
            ["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"].contains(&code),
            "{body}: {errors:?}"
        );
    }
    let query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let body = json!({ "query": query, "variables": { "ids": vec![json!({}); 100] } });
    assert_eq!(errors(&server, body).await.len(), 20, "not every mistake is told");
}

#[tokio::test]
async fn null_does_not_keep_what_cannot_be_cleared() {
    let app = TestApp::start().await;
    let ana = app.ana();
    let workspace = app.ana.workspace();
    let created = "mutation ($w: ID!) { createTask(input: { workspaceId: $w, title: \"t\" }) { task { id } userErrors { code } } }";
    let id = ana
        .gql(created, json!({ "w": workspace }))
        .await
        .text("/createTask/task/id");
    let update = "mutation ($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { task { title } userErrors { code field } } }";
    for name in [
        "title",
        "status",
        "priority",
        "energy",
        "durationMinutes",
        "isHardDeadline",
        "isAutoScheduled",
    ] {
        let answer = ana
            .gql(update, json!({ "id": id, "input": { name: null } }))
            .await;
        assert_eq!(answer.user_error("updateTask"), format!("REQUIRED input.{name}"));
    }
    let kept = ana
        .gql(update, json!({ "id": id, "input": { "description": null } }))
        .await;
    assert_eq!(kept.succeeded("updateTask").text("/updateTask/task/title"), "t");
    for (mutation, document, input) in [
        (
            "updateWorkspace",
            "mutation ($id: ID!, $input: UpdateWorkspaceInput!) { updateWorkspace(id: $id, input: $input) { userErrors { code field } } }",
            "slug",
        ),
        (
            "updatePreferences",
            "mutation ($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { userErrors { code field } } }",
            "timeZone",
        ),
        (
            "updateProfile",
            "mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { userErrors { code field } } }",
            "name",
        ),
    ] {
        let variables = json!({ "id": workspace, "input": { input: null } });
        let answer = ana.gql(document, variables).await;
        assert_eq!(answer.user_error(mutation), format!("REQUIRED input.{input}"));
    }
}

#[tokio::test]
async fn a_cursor_only_fits_its_order() {
    let app = TestApp::start().await;
    let ana = app.ana();
    let workspace = app.ana.workspace();
    let create = "mutation ($w: ID!, $t: String!) { createTask(input: { workspaceId: $w, title: $t }) { userErrors { code } } }";
    for title in ["a", "b", "c"] {
        ana.gql(create, json!({ "w": workspace, "t": title }))
            .await
            .succeeded("createTask");
    }
    let list = "query ($w: ID!, $order: TaskOrder, $after: String, $before: String) {
      workspace(id: $w) { tasks(first: 2, orderBy: $order, after: $after, before: $before) { nodes { title } pageInfo { endCursor } } } }";
    let order = |field: &str, direction: &str| json!({ "field": field, "direction": direction });
    let first = ana
        .gql(list, json!({ "w": workspace, "order": order("TITLE", "ASC") }))
        .await;
    let cursor = first.text("/workspace/tasks/pageInfo/endCursor");
    let next = ana
        .gql(
            list,
            json!({ "w": workspace, "order": order("TITLE", "ASC"), "after": cursor }),
        )
        .await;
    assert_eq!(next.at("/workspace/tasks/nodes"), json!([{ "title": "c" }]));
    for (order, argument) in [
        (order("TITLE", "DESC"), "after"),
        (order("CREATED_AT", "ASC"), "after"),
        (order("TITLE", "DESC"), "before"),
    ] {
        let mut variables = json!({ "w": workspace, "order": order });
        variables[argument] = cursor.clone().into();
        let answer = ana.gql(list, variables).await;
        assert_eq!(answer.error_code(), "BAD_USER_INPUT");
        let message = answer.0["errors"][0]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("`{argument}` ")), "{message}");
    }
}

#[tokio::test]
async fn headers_that_decide_come_once() {
    let server = Server::start().await;
    let token = format!("Authorization: Bearer {}", server.token(&server.app.ana).await);
    for headers in [
        [token.as_str(), "Authorization: Bearer mrd_other"],
        [token.as_str(), token.as_str()],
        [token.as_str(), "Content-Type: application/json"],
    ] {
        let reply = server.ask(&headers).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "BAD_USER_INPUT"),
            "{headers:?}"
        );
    }
}
