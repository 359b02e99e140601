//! What is deleted when its time is over, and what is not.

use chrono::Duration;
use entity::{change_log, session};
use meridian::features::upkeep;
use meridian::platform::db::Scope;
use sea_orm::{PaginatorTrait as _, QueryOrder as _};
use serde_json::json;

use crate::support::{Client, TestApp};

async fn create(client: &Client<'_>, workspace: &str, title: &str) {
    let document =
        "mutation ($input: CreateTaskInput!) { createTask(input: $input) { userErrors { code } } }";
    let input = json!({ "workspaceId": workspace, "title": title });
    client
        .gql(document, json!({ "input": input }))
        .await
        .succeeded("createTask");
}

async fn sequence(app: &TestApp) -> Vec<i64> {
    let read = app
        .platform
        .db
        .read(Scope::Workspace(app.ana.workspace_id))
        .await
        .unwrap();
    let rows = read
        .find::<change_log::Entity>()
        .order_by_asc(change_log::Column::Seq)
        .all(&read)
        .await
        .unwrap();
    rows.iter().map(|row| row.seq).collect()
}

#[tokio::test]
async fn the_change_log_is_cut_from_its_beginning_only() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let cursor = "query ($id: ID!) { workspace(id: $id) { changeCursor } }";
    let changes = "query ($id: ID!, $after: String!) { workspace(id: $id) { changes(after: $after) { nodes { cursor } } } }";
    let newest = async || {
        ana.gql(cursor, json!({ "id": workspace }))
            .await
            .text("/workspace/changeCursor")
    };
    let after = async |cursor: &str| {
        ana.gql(changes, json!({ "id": workspace, "after": cursor }))
            .await
    };

    create(&ana, &workspace, "first").await;
    let old = newest().await;
    create(&ana, &workspace, "second").await;
    app.advance(upkeep::KEEP_CHANGES + Duration::seconds(1));
    let recent = newest().await;
    create(&ana, &workspace, "third").await;
    let before = sequence(&app).await;

    assert!(upkeep::prune(&app.platform).await.unwrap() >= 2);
    assert_eq!(sequence(&app).await, before[before.len() - 1..]);
    assert_eq!(after(&old).await.error_code(), "CURSOR_EXPIRED");
    assert_eq!(
        after(&recent)
            .await
            .at("/workspace/changes/nodes")
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        upkeep::prune(&app.platform).await.unwrap(),
        0,
        "nothing is left to delete"
    );
}

#[tokio::test]
async fn sessions_go_a_while_after_they_have_ended() {
    let app = TestApp::start().await;
    let count = async || {
        let read = app.platform.db.read(Scope::System).await.unwrap();
        read.find_global::<session::Entity>().count(&read).await.unwrap()
    };
    let before = count().await;
    assert!(before > 0);
    app.advance(Duration::days(31));
    upkeep::prune(&app.platform).await.unwrap();
    assert_eq!(
        count().await,
        before,
        "an ended session is kept for those who look into an incident"
    );
    app.advance(Duration::days(31));
    upkeep::prune(&app.platform).await.unwrap();
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn one_use_secrets_go_a_day_after_their_end() {
    use entity::enums::VerificationPurpose;
    use meridian::access::one_use::{self, NewOneUse};
    let app = TestApp::start().await;
    let secret = |life| NewOneUse {
        purpose: VerificationPurpose::SignInLink,
        user_id: None,
        email: None,
        secret: format!("secret for {life}"),
        payload: None,
        life,
    };
    one_use::store(&app.platform, secret(Duration::minutes(15)))
        .await
        .unwrap();
    one_use::store(&app.platform, secret(Duration::hours(12)))
        .await
        .unwrap();
    app.advance(Duration::minutes(16) + Duration::days(1));
    assert_eq!(upkeep::prune(&app.platform).await.unwrap(), 1);
}
