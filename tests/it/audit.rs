//! The audit log through the API, and its hash chain.

use entity::enums::{ApiTokenScope, WorkspaceRole};
use meridian::access::{Ctx, Identity};
use meridian::features::audit;
use meridian::platform::db::migration_connection;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, TestApp, join};

const LIST: &str = r"
    query ($id: ID!, $filter: AuditLogFilter, $first: Int, $after: String) {
      workspace(id: $id) {
        auditLogs(filter: $filter, first: $first, after: $after) {
          totalCount
          nodes { id action entityType entityId changes createdAt actor { name } apiToken { name } }
          pageInfo { hasNextPage endCursor }
        }
      }
    }";
const TASK: &str = r"
    mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";

async fn task(app: &TestApp, client: &Client<'_>, title: &str) -> String {
    let input = json!({ "input": { "workspaceId": app.ana.workspace(), "title": title } });
    client
        .gql(TASK, input)
        .await
        .succeeded("createTask")
        .text("/createTask/task/id")
}

async fn complete(client: &Client<'_>, id: &str) {
    let document = "mutation ($id: ID!) { completeTask(id: $id) { userErrors { code } } }";
    client
        .gql(document, json!({ "id": id }))
        .await
        .succeeded("completeTask");
}

async fn list(app: &TestApp, client: &Client<'_>, more: Value) -> Answer {
    let mut variables = json!({ "id": app.ana.workspace() });
    variables
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    client.gql(LIST, variables).await
}

fn actions(answer: &Answer) -> Vec<String> {
    let nodes = answer.at("/workspace/auditLogs/nodes");
    nodes
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["action"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn every_command_leaves_an_entry_that_says_who_and_what() {
    let app = TestApp::start().await;
    let id = task(&app, &app.ana(), "Taxes").await;
    let made = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { apiToken { id } userErrors { code } } }";
    let input = json!({ "input": { "name": "CI", "scopes": ["WRITE"], "workspaceId": app.ana.workspace() } });
    let token = app
        .ana()
        .gql(made, input)
        .await
        .text("/createApiToken/apiToken/id");
    let with_token = app.client_as(Identity::Token {
        user_id: app.ana.user_id,
        token_id: token.parse().unwrap(),
        scope: ApiTokenScope::Write,
        workspace_id: Some(app.ana.workspace_id),
        is_admin: false,
    });
    complete(&with_token, &id).await;

    let all = list(&app, &app.ana(), json!({})).await;
    assert_eq!(
        actions(&all),
        ["task.completed", "api_token.created", "task.created"],
        "newest first"
    );
    assert_eq!(all.at("/workspace/auditLogs/totalCount"), 3);
    let newest = all.at("/workspace/auditLogs/nodes/0");
    assert_eq!(newest["actor"]["name"], "Ana");
    assert_eq!(newest["apiToken"]["name"], "CI");
    assert_eq!(newest["entityType"], "Task");
    assert_eq!(newest["entityId"], id.as_str());
    assert_eq!(
        newest["changes"]["status"],
        json!({ "from": "todo", "to": "done" })
    );
    assert_eq!(
        all.at("/workspace/auditLogs/nodes/1/apiToken"),
        Value::Null,
        "made in a browser"
    );
    assert_eq!(all.at("/workspace/auditLogs/nodes/1/entityId"), token.as_str());

    let node = "query ($id: ID!) { node(id: $id) { ... on AuditLog { action } } }";
    let entry = json!({ "id": newest["id"] });
    assert_eq!(
        app.ana().gql(node, entry.clone()).await.text("/node/action"),
        "task.completed"
    );
    assert_eq!(app.ben().gql(node, entry).await.at("/node"), Value::Null);
}

#[tokio::test]
async fn entries_are_found_by_person_action_object_and_time() {
    let app = TestApp::start().await;
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    let first = task(&app, &app.ana(), "First").await;
    app.advance(chrono::Duration::hours(1));
    let second = task(&app, &app.ben(), "Second").await;
    complete(&app.ana(), &first).await;
    let range = |start: &str, end: &str| json!({ "range": { "start": start, "end": end } });
    let cases = [
        (
            json!({ "actorIds": [app.ben.user_id.to_string()] }),
            vec!["task.created"],
        ),
        (json!({ "actorIds": ["nonsense"] }), vec![]),
        (json!({ "actions": ["task.completed"] }), vec!["task.completed"]),
        (
            json!({ "actions": ["task.*"] }),
            vec!["task.completed", "task.created", "task.created"],
        ),
        (json!({ "actions": ["task_*", "%", "*k"] }), vec![]),
        (json!({ "actions": [] }), vec![]),
        (
            json!({ "entityId": first }),
            vec!["task.completed", "task.created"],
        ),
        (
            json!({ "entityId": second, "actions": ["task.completed"] }),
            vec![],
        ),
        (json!({ "entityId": "nonsense" }), vec![]),
        (
            range("2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"),
            vec!["task.created"],
        ),
        (
            range("2026-03-02T10:00:00Z", "2026-03-02T10:00:01Z"),
            vec!["task.completed", "task.created"],
        ),
    ];
    for (filter, expected) in cases {
        let answer = list(&app, &app.ana(), json!({ "filter": filter })).await;
        assert_eq!(actions(&answer), expected, "{filter}");
    }
    let backwards = range("2026-03-02T10:00:00Z", "2026-03-02T09:00:00Z");
    assert_eq!(
        list(&app, &app.ana(), json!({ "filter": backwards }))
            .await
            .error_code(),
        "BAD_USER_INPUT"
    );

    let page = list(&app, &app.ana(), json!({ "first": 2 })).await;
    assert_eq!(page.at("/workspace/auditLogs/pageInfo/hasNextPage"), true);
    let after = page.text("/workspace/auditLogs/pageInfo/endCursor");
    assert_eq!(
        actions(&list(&app, &app.ana(), json!({ "after": after })).await),
        ["task.created"]
    );
}

#[tokio::test]
async fn only_admins_read_it() {
    let app = TestApp::start().await;
    task(&app, &app.ana(), "Taxes").await;
    let entry = list(&app, &app.ana(), json!({}))
        .await
        .text("/workspace/auditLogs/nodes/0/id");
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    assert_eq!(list(&app, &app.ben(), json!({})).await.error_code(), "FORBIDDEN");
    let node = app
        .ben()
        .gql(
            "query ($id: ID!) { node(id: $id) { id } }",
            json!({ "id": entry }),
        )
        .await;
    assert_eq!(
        node.at("/node"),
        Value::Null,
        "what may not be seen does not exist"
    );
    assert_eq!(
        list(&app, &app.guest(), json!({})).await.error_code(),
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn a_changed_entry_breaks_the_chain() {
    let app = TestApp::start().await;
    for title in ["One", "Two", "Three"] {
        let id = task(&app, &app.ana(), title).await;
        complete(&app.ana(), &id).await;
    }
    let ctx = Ctx::system(&app.platform, app.ana.workspace_id);
    let whole = audit::verify(&ctx).await.unwrap();
    assert_eq!((whole.intact, whole.broken_at), (6, None));

    // Only somebody with the rights of the database's owner gets this far, and it still shows.
    let owner = migration_connection(app.database_url()).await.unwrap();
    let (off, on) = match Backend::from_env() {
        Backend::Embedded => ("DROP TRIGGER audit_logs_no_update", None),
        Backend::Production { .. } => {
            let on = "ALTER TABLE audit_logs ENABLE TRIGGER audit_logs_append_only";
            (
                "ALTER TABLE audit_logs DISABLE TRIGGER audit_logs_append_only",
                Some(on),
            )
        }
    };
    assert!(
        owner
            .execute_unprepared("UPDATE audit_logs SET action = 'task.deleted' WHERE seq = 4")
            .await
            .is_err()
    );
    owner.execute_unprepared(off).await.unwrap();
    owner
        .execute_unprepared("UPDATE audit_logs SET action = 'task.deleted' WHERE seq = 4")
        .await
        .unwrap();
    if let Some(on) = on {
        owner.execute_unprepared(on).await.unwrap();
    }
    let broken = audit::verify(&ctx).await.unwrap();
    assert_eq!((broken.intact, broken.broken_at), (3, Some(4)));
    owner.close().await.unwrap();
}
