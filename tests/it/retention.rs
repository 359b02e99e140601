//! Retention of audit logs: what the operator does not keep goes from the beginning, and the chain of what is left still holds.

use chrono::Duration;
use entity::{audit_cut, audit_log};
use meridian::access::Ctx;
use meridian::features::audit;
use meridian::platform::db::{Scope, migration_connection};
use sea_orm::{ConnectionTrait as _, QueryOrder as _};
use serde_json::json;

use crate::support::TestApp;

async fn create(app: &TestApp, title: &str) {
    let document =
        "mutation ($input: CreateTaskInput!) { createTask(input: $input) { userErrors { code } } }";
    let input = json!({ "workspaceId": app.ana.workspace(), "title": title });
    app.ana()
        .gql(document, json!({ "input": input }))
        .await
        .succeeded("createTask");
}

async fn entries(app: &TestApp) -> Vec<audit_log::Model> {
    let scope = Scope::Workspace(app.ana.workspace_id);
    let read = app.platform.db.read(scope).await.unwrap();
    read.find::<audit_log::Entity>()
        .order_by_asc(audit_log::Column::Seq)
        .all(&read)
        .await
        .unwrap()
}

async fn verified(app: &TestApp) -> (i64, i64, Option<i64>) {
    let ctx = Ctx::system(&app.platform, app.ana.workspace_id);
    let found = audit::verify(&ctx).await.unwrap();
    (found.cut, found.intact, found.broken_at)
}

#[tokio::test]
async fn an_audit_log_is_cut_at_its_beginning_and_its_chain_still_holds() {
    let app = TestApp::with_settings(&[("MERIDIAN_KEEP_AUDIT_DAYS", "30")]).await;
    for title in ["One", "Two", "Three"] {
        create(&app, title).await;
    }
    app.advance(Duration::days(30) + Duration::hours(1));
    assert_eq!(
        audit::prune(&app.platform).await.unwrap(),
        0,
        "a log is cut once a day at most"
    );
    create(&app, "Four").await;
    app.advance(Duration::days(1));
    assert_eq!(audit::prune(&app.platform).await.unwrap(), 3);
    assert_eq!(verified(&app).await, (3, 2, None));
    let left = entries(&app).await;
    let seen: Vec<_> = left
        .iter()
        .map(|entry| (entry.seq, entry.action.as_str()))
        .collect();
    assert_eq!(seen, [(4, "task.created"), (5, "audit_log.cut")]);
    assert_eq!(left[1].changes, Some(json!({ "first": 1, "last": 3 })));
    assert_eq!(audit::prune(&app.platform).await.unwrap(), 0);

    // Again, behind the first cut; a workspace without old entries has none.
    create(&app, "Five").await;
    app.advance(Duration::days(33));
    assert_eq!(audit::prune(&app.platform).await.unwrap(), 3);
    assert_eq!(verified(&app).await, (6, 1, None));
    let read = app.platform.db.read(Scope::System).await.unwrap();
    let cuts = read.find::<audit_cut::Entity>().all(&read).await.unwrap();
    assert_eq!(
        cuts.iter()
            .map(|cut| (cut.workspace_id, cut.seq))
            .collect::<Vec<_>>(),
        [(app.ana.workspace_id, 6)]
    );
}

#[tokio::test]
async fn nothing_goes_that_is_not_behind_a_cut_and_a_false_cut_shows() {
    let app = TestApp::with_settings(&[("MERIDIAN_KEEP_AUDIT_DAYS", "30")]).await;
    for title in ["One", "Two", "Three"] {
        create(&app, title).await;
    }
    app.advance(Duration::days(32));
    create(&app, "Four").await;
    audit::prune(&app.platform).await.unwrap();
    let owner = migration_connection(app.database_url()).await.unwrap();
    let refused = owner.execute_unprepared("DELETE FROM audit_logs").await;
    assert!(refused.unwrap_err().to_string().contains("append-only"));
    // Whoever has the rights of the owner can write a cut, but has no entry whose hash fits it.
    owner
        .execute_unprepared("UPDATE audit_cuts SET seq = 4")
        .await
        .unwrap();
    owner
        .execute_unprepared("DELETE FROM audit_logs WHERE seq = 4")
        .await
        .unwrap();
    owner.close().await.unwrap();
    assert_eq!(verified(&app).await, (4, 0, Some(5)));
}

#[tokio::test]
async fn everything_is_kept_unless_the_operator_says_otherwise() {
    let app = TestApp::start().await;
    create(&app, "One").await;
    app.advance(Duration::days(4_000));
    assert_eq!(audit::prune(&app.platform).await.unwrap(), 0);
    assert_eq!(verified(&app).await, (0, 1, None));
}
