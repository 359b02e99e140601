//! Circles of tasks that an older version wrote: they are changed and deleted like any other tasks, and nothing walks around them for ever.

use std::time::Duration;

use entity::ids::TaskId;
use entity::task as tasks;
use meridian::kernel::actor::Actor;
use meridian::platform::db::{Scope, Tx};
use sea_orm::Set;
use serde_json::json;

use crate::support::plans::task;
use crate::support::{Answer, Client, TestApp};

/// Three tasks, each a sub-task of the one before, the first one of the last.
async fn circle(app: &TestApp, more: serde_json::Value) -> Vec<String> {
    let (ana, place) = (app.ana(), app.ana.workspace());
    let first = task(&ana, &place, "First", 30, more).await;
    let second = task(&ana, &place, "Second", 30, json!({ "parentId": first })).await;
    let third = task(&ana, &place, "Third", 30, json!({ "parentId": second })).await;
    let (root, last): (TaskId, TaskId) = (first.parse().unwrap(), third.parse().unwrap());
    let close = |tx: Tx| async move {
        let row = tasks::ActiveModel {
            id: Set(root),
            parent_id: Set(Some(last)),
            ..Default::default()
        };
        tx.update(row).await.map(drop)
    };
    let scope = Scope::Workspace(app.ana.workspace_id);
    app.platform.write(scope, Actor::system(), close).await.unwrap();
    vec![first, second, third]
}

async fn within_seconds(client: &Client<'_>, document: &str, id: &str) -> Answer {
    let answer = client.gql(document, json!({ "id": id }));
    tokio::time::timeout(Duration::from_secs(20), answer)
        .await
        .expect("an answer")
}

#[tokio::test]
async fn a_circle_of_sub_tasks_is_deleted_as_a_whole() {
    let app = TestApp::start().await;
    let all = circle(&app, json!({})).await;
    let document = "mutation ($id: ID!) { deleteTask(id: $id) { userErrors { code field message } } }";
    let deleted = within_seconds(&app.ana(), document, &all[1]).await;
    deleted.succeeded("deleteTask");
    let document = "query ($id: ID!) { workspace(id: $id) { tasks(first: 10) { nodes { title } } } }";
    let left = app
        .ana()
        .gql(document, json!({ "id": app.ana.workspace() }))
        .await;
    assert_eq!(left.at("/workspace/tasks/nodes"), json!([]));
}

#[tokio::test]
async fn a_task_of_a_circle_that_repeats_comes_again_once() {
    let app = TestApp::start().await;
    let rule = json!({ "dueAt": "2026-03-02T16:00:00Z", "recurrenceRule": "FREQ=DAILY" });
    let all = circle(&app, rule).await;
    let document =
        "mutation ($id: ID!) { completeTask(id: $id) { task { status } userErrors { code field message } } }";
    let completed = within_seconds(&app.ana(), document, &all[0]).await;
    completed.succeeded("completeTask");
    let document = "query ($id: ID!) { workspace(id: $id) { tasks(first: 20) { nodes { title } } } }";
    let left = app
        .ana()
        .gql(document, json!({ "id": app.ana.workspace() }))
        .await;
    let nodes = left.at("/workspace/tasks/nodes");
    assert_eq!(nodes.as_array().unwrap().len(), 6, "{nodes:#}");
}
