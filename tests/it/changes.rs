//! The change log through the API, and objects by their global ids.

use entity::change_log;
use entity::enums::WorkspaceRole;
use meridian::kernel::actor::Actor;
use meridian::platform::db::{Scope, Tx};
use sea_orm::{ColumnTrait as _, QueryFilter as _};
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp, join};

const CHANGES: &str = r"
    query ($id: ID!, $after: String!, $first: Int) {
      workspace(id: $id) {
        changeCursor
        changes(after: $after, first: $first) {
          nodes { cursor action objectType objectId at object { __typename id ... on Task { title } } } endCursor hasMore
        }
      }
    }";

async fn cursor(app: &TestApp, client: &Client<'_>) -> String {
    let document = "query ($id: ID!) { workspace(id: $id) { changeCursor } }";
    client
        .gql(document, json!({ "id": app.ana.workspace() }))
        .await
        .text("/workspace/changeCursor")
}

async fn changes(app: &TestApp, client: &Client<'_>, after: &str, first: Option<i32>) -> Answer {
    let variables = json!({ "id": app.ana.workspace(), "after": after, "first": first });
    // `null` is not the same as a variable that is left out.
    let variables = match first {
        Some(_) => variables,
        None => json!({ "id": app.ana.workspace(), "after": after }),
    };
    client.gql(CHANGES, variables).await
}

async fn task(app: &TestApp, title: &str) -> String {
    let document = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";
    let input = json!({ "input": { "workspaceId": app.ana.workspace(), "title": title } });
    app.ana().gql(document, input).await.text("/createTask/task/id")
}

async fn run(app: &TestApp, mutation: &str, id: &str) {
    let document = format!("mutation ($id: ID!) {{ {mutation}(id: $id) {{ userErrors {{ code }} }} }}");
    app.ana()
        .gql(&document, json!({ "id": id }))
        .await
        .succeeded(mutation);
}

#[tokio::test]
async fn a_client_that_was_away_learns_what_changed() {
    let app = TestApp::start().await;
    let start = cursor(&app, &app.ana()).await;
    let nothing = changes(&app, &app.ana(), &start, None).await;
    assert_eq!(
        nothing.at("/workspace/changes"),
        json!({ "nodes": [], "endCursor": start, "hasMore": false })
    );

    let (kept, gone) = (task(&app, "Kept").await, task(&app, "Gone").await);
    run(&app, "completeTask", &kept).await;
    run(&app, "deleteTask", &gone).await;
    let page = changes(&app, &app.ana(), &start, None)
        .await
        .at("/workspace/changes");
    let seen: Vec<_> = page["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| {
            (
                node["action"].as_str().unwrap(),
                node["objectId"].as_str().unwrap(),
                node["object"]["title"].as_str(),
            )
        })
        .collect();
    let expected = [
        ("CREATED", kept.as_str(), Some("Kept")),
        ("CREATED", gone.as_str(), None),
        ("UPDATED", kept.as_str(), Some("Kept")),
        ("DELETED", gone.as_str(), None),
    ];
    assert_eq!(seen, expected, "in order of commits; objects as they are now");
    assert_eq!(page["nodes"][0]["objectType"], "Task");
    assert_eq!(page["endCursor"], cursor(&app, &app.ana()).await.as_str());

    let mut after = start;
    let mut read = Vec::new();
    loop {
        let page = changes(&app, &app.ana(), &after, Some(3))
            .await
            .at("/workspace/changes");
        read.extend(
            page["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node["action"].as_str().unwrap().to_owned()),
        );
        after = page["endCursor"].as_str().unwrap().to_owned();
        if page["hasMore"] == false {
            break;
        }
    }
    assert_eq!(
        read,
        ["CREATED", "CREATED", "UPDATED", "DELETED"],
        "page by page, each once"
    );
}

#[tokio::test]
async fn cursors_of_elsewhere_and_long_ago_are_refused() {
    let app = TestApp::start().await;
    let start = cursor(&app, &app.ana()).await;
    task(&app, "One").await;
    task(&app, "Two").await;
    let foreign = app
        .ben()
        .gql(
            "query ($id: ID!) { workspace(id: $id) { changeCursor } }",
            json!({ "id": app.ben.workspace() }),
        )
        .await;
    let foreign = foreign.text("/workspace/changeCursor");
    for bad in ["", "nonsense", "1.x", "-1.5", foreign.as_str()] {
        assert_eq!(
            changes(&app, &app.ana(), bad, None).await.error_code(),
            "BAD_USER_INPUT",
            "{bad:?}"
        );
    }
    for size in [0, -1, 501] {
        assert_eq!(
            changes(&app, &app.ana(), &start, Some(size)).await.error_code(),
            "BAD_USER_INPUT",
            "{size}"
        );
    }
    assert_eq!(
        changes(&app, &app.guest(), &start, None).await.error_code(),
        "UNAUTHENTICATED"
    );
    assert_eq!(
        changes(&app, &app.ben(), &start, None).await.at("/workspace"),
        Value::Null
    );

    let middle = changes(&app, &app.ana(), &start, Some(1))
        .await
        .text("/workspace/changes/endCursor");
    let forget = |tx: Tx| async move {
        let old = tx
            .delete_many::<change_log::Entity>()
            .filter(change_log::Column::Seq.lte(1));
        old.exec(tx.conn()).await?;
        Ok(())
    };
    app.platform
        .write(Scope::Workspace(app.ana.workspace_id), Actor::system(), forget)
        .await
        .unwrap();
    assert_eq!(
        changes(&app, &app.ana(), &start, None).await.error_code(),
        "CURSOR_EXPIRED"
    );
    let rest = changes(&app, &app.ana(), &middle, None).await;
    assert_eq!(
        rest.text("/workspace/changes/nodes/0/object/title"),
        "Two",
        "what is kept can be read"
    );
    let future = format!("{}.99", start.split_once('.').unwrap().0);
    assert_eq!(
        changes(&app, &app.ana(), &future, None).await.error_code(),
        "CURSOR_EXPIRED"
    );
}

#[tokio::test]
async fn every_kind_of_object_is_found_by_its_id() {
    let app = TestApp::start().await;
    let id = task(&app, "Taxes").await;
    let own = app
        .ana()
        .gql(
            "{ viewer { user { id } sessions { id } workspaces { members { nodes { id } } } } }",
            json!({}),
        )
        .await;
    let session = own.text("/viewer/sessions/0/id");
    let member = own.text("/viewer/workspaces/0/members/nodes/0/id");
    let ids = json!([
        id,
        "nonsense",
        app.ana.workspace(),
        member,
        "task_01jdb2k9x4e5vb4pex5vsknk08",
        app.ana.user_id.to_string(),
        session,
        id
    ]);
    let document = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    let kinds = |answer: &Answer| {
        let nodes = answer.at("/nodes");
        nodes
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["__typename"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let found = app.ana().gql(document, json!({ "ids": ids })).await;
    let name = |kind: &str| Some(kind.to_owned());
    let expected = [
        name("Task"),
        None,
        name("Workspace"),
        name("WorkspaceMember"),
        None,
        name("User"),
        name("Session"),
        name("Task"),
    ];
    assert_eq!(kinds(&found), expected, "in the order of the ids");
    assert_eq!(found.text("/nodes/0/id"), id);

    let foreign = app.ben().gql(document, json!({ "ids": ids })).await;
    assert!(
        kinds(&foreign).iter().all(Option::is_none),
        "a stranger sees none of it: {foreign:?}"
    );
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Viewer,
    )
    .await;
    let shared = kinds(&app.ben().gql(document, json!({ "ids": ids })).await);
    assert_eq!(
        shared.iter().flatten().count(),
        5,
        "a member sees all but the session: {shared:?}"
    );
    assert_eq!(
        app.guest()
            .gql(document, json!({ "ids": ids }))
            .await
            .error_code(),
        "UNAUTHENTICATED"
    );
    let many = vec![id; 101];
    assert_eq!(
        app.ana().gql(document, json!({ "ids": many })).await.error_code(),
        "BAD_USER_INPUT"
    );
}
