//! Subscriptions that resume after a cursor which the change log no longer reaches: they are told so, and harm nobody.

use entity::change_log;
use entity::enums::ApiTokenScope;
use meridian::kernel::actor::Actor;
use meridian::platform::db::{Scope, Tx};
use sea_orm::{ColumnTrait as _, QueryFilter as _};
use serde_json::{Value, json};

use crate::fanout::{CURSORS, create_task, token, watch};
use crate::support::server::Server;

#[tokio::test]
async fn a_cursor_that_the_log_no_longer_reaches_fails_alone_and_beside_others() {
    let server = Server::start().await;
    let ana = token(&server, &server.app.ana, ApiTokenScope::Read).await;
    let newest = "query ($id: ID!) { workspace(id: $id) { changeCursor } }";
    let newest = server
        .app
        .ana()
        .gql(newest, json!({ "id": server.app.ana.workspace() }))
        .await;
    let old = newest.text("/workspace/changeCursor");
    let position: i64 = old.split_once('.').unwrap().1.parse().unwrap();
    create_task(&server, "forgotten").await;
    create_task(&server, "kept").await;
    let forget = |tx: Tx| async move {
        let rows = tx
            .delete_many::<change_log::Entity>()
            .filter(change_log::Column::Seq.lte(position + 1));
        rows.exec(tx.conn()).await?;
        Ok(())
    };
    server
        .app
        .platform
        .write(
            Scope::Workspace(server.app.ana.workspace_id),
            Actor::system(),
            forget,
        )
        .await
        .unwrap();

    let mut live = None;
    for _ in 0..2 {
        let mut late = watch(&server, &ana, CURSORS, json!(old)).await;
        let error = late.message().await;
        assert_eq!(error["type"], "error", "{error}");
        assert_eq!(error["payload"][0]["extensions"]["code"], "CURSOR_EXPIRED");
        if live.is_none() {
            live = Some(watch(&server, &ana, CURSORS, Value::Null).await);
        }
    }
    create_task(&server, "live").await;
    let message = live.unwrap().message().await;
    assert_eq!(
        message["payload"]["data"]["taskChanged"]["task"]["title"], "live",
        "{message}"
    );
}
