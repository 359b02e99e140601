//! Everybody comes back at once: a thousand clients that lost their connection are live again, with what they missed, within 15 seconds.

use std::sync::Arc;
use std::time::Duration;

use entity::enums::ApiTokenScope;
use meridian::access::{NewToken, create_token};
use meridian::kernel::actor::Actor;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::server::Server;
use crate::websocket::{CHANGES, Socket, create_task};

const CLIENTS: usize = 1_000;
const BOUND: Duration = Duration::from_secs(15);

async fn token(server: &Server) -> String {
    let new = NewToken {
        name: "test".into(),
        scopes: vec![ApiTokenScope::Read],
        workspace_id: None,
        expires_at: None,
    };
    let created = create_token(&server.app.platform, Actor::system(), server.app.ana.user_id, new).await;
    format!("Bearer {}", created.unwrap().secret)
}

/// Connects everybody; each says when it is there.
async fn connect_all(server: &Arc<Server>, token: &str, after: &Value) -> Vec<Socket> {
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (server, token, after) = (server.clone(), token.to_owned(), after.clone());
        clients.spawn(async move {
            let mut socket = Socket::greet(&server, Some(&token)).await;
            let variables = json!({ "id": server.app.ana.workspace(), "after": after });
            socket.subscribe("1", CHANGES, variables).await;
            if !after.is_null() {
                let message = socket.message().await;
                let title = &message["payload"]["data"]["taskChanged"]["task"]["title"];
                assert_eq!(title, "missed", "{message}");
            }
            socket
        });
    }
    clients.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_clients_that_come_back_at_once_are_live_in_time() {
    let more = [
        ("MERIDIAN_RATE_CALLER_REQUESTS", "100000"),
        ("MERIDIAN_RATE_CALLER_POINTS", "100000000"),
        ("MERIDIAN_RATE_WORKSPACE_REQUESTS", "100000"),
        ("MERIDIAN_RATE_WORKSPACE_POINTS", "100000000"),
        ("MERIDIAN_RATE_GUEST_REQUESTS", "100000"),
        ("MERIDIAN_RATE_GUEST_POINTS", "100000000"),
    ];
    let server = Arc::new(Server::with_settings(&more).await);
    let token = token(&server).await;
    let cursor = "query ($id: ID!) { workspace(id: $id) { changeCursor } }";
    let cursor = server
        .app
        .ana()
        .gql(cursor, json!({ "id": server.app.ana.workspace() }))
        .await
        .at("/workspace/changeCursor");
    let before = connect_all(&server, &token, &Value::Null).await;
    // Nobody says goodbye.
    drop(before);
    create_task(&server, "missed").await;
    let began = Instant::now();
    let mut clients = connect_all(&server, &token, &cursor).await;
    let caught_up = began.elapsed();
    create_task(&server, "live").await;
    for socket in &mut clients {
        let message = socket.message().await;
        assert_eq!(
            message["payload"]["data"]["taskChanged"]["task"]["title"], "live",
            "{message}"
        );
    }
    let live = began.elapsed();
    eprintln!("{CLIENTS} clients: caught up after {caught_up:?}, live after {live:?}");
    assert!(live < BOUND, "{live:?}");
}
