//! More rules of the `graphql-transport-ws` protocol text, and the corners of its close codes; the usual ways are in `websocket.rs` and
//! `websocket_protocol.rs`.

use std::time::Duration;

use entity::enums::WorkspaceRole;
use meridian::kernel::actor::Actor;
use meridian::platform::db::{Scope, Tx};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::support::join;
use crate::support::server::Server;
use crate::websocket::{CHANGES, Said, Socket, VERSION, create_task, is_silent};

const CREATE: &str = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { title } userErrors { code } } }";

#[tokio::test]
async fn what_the_protocol_does_not_know_closes_at_once_at_any_time() {
    let server = Server::start().await;
    let subscribe = |change: fn(&mut Value)| {
        let mut message = json!({ "type": "subscribe", "id": "1", "payload": { "query": VERSION } });
        change(&mut message);
        message
    };
    for wrong in [
        json!({ "type": "connection_ack" }),
        json!({ "type": "error", "id": "1", "payload": [] }),
        json!({ "type": "Subscribe", "id": "1", "payload": { "query": VERSION } }),
        json!({ "type": null }),
        json!({ "type": "complete" }),
        json!({ "type": "complete", "id": 1 }),
        json!({ "type": "ping", "payload": "text" }),
        json!({ "type": "pong", "payload": [1] }),
        subscribe(|message| message["id"] = json!("")),
        subscribe(|message| message["id"] = json!(7)),
        subscribe(|message| message["payload"] = json!(null)),
        subscribe(|message| message["payload"] = json!([])),
        subscribe(|message| message["payload"] = json!({ "variables": {} })),
        subscribe(|message| message["payload"]["variables"] = json!([])),
        subscribe(|message| message["payload"]["operationName"] = json!(1)),
        subscribe(|message| message["payload"]["extensions"] = json!("x")),
        json!("text"),
        json!(null),
    ] {
        let mut socket = Socket::greet(&server, None).await;
        socket.say(wrong.clone()).await;
        let Said::Closed(code, reason) = socket.hear().await else {
            panic!("{wrong} was answered");
        };
        assert_eq!(code, 4400, "{wrong}");
        assert!(reason.starts_with("Invalid message"), "{wrong}: {reason}");
    }
    // Nulls where the protocol allows them, and members that it does not know, are no mistake.
    let mut socket = Socket::greet(&server, None).await;
    socket
        .say(subscribe(|message| {
            message["payload"] =
                json!({ "query": VERSION, "operationName": null, "variables": null, "extensions": null });
            message["more"] = json!(1);
        }))
        .await;
    assert_eq!(socket.message().await["type"], "next");
}

#[tokio::test]
async fn a_client_that_leaves_is_let_go() {
    let server = Server::start().await;
    let token = format!("Bearer {}", server.token(&server.app.ana).await);
    let mut socket = Socket::greet(&server, Some(&token)).await;
    socket
        .subscribe("1", CHANGES, json!({ "id": server.app.ana.workspace() }))
        .await;
    socket.leave(1000).await;
    assert_eq!(socket.code().await, 1000, "a normal closure is answered with one");
    let mut other = Socket::greet(&server, Some(&token)).await;
    create_task(&server, "nobody listens").await;
    other.say(json!({ "type": "ping" })).await;
    assert_eq!(other.message().await["type"], "pong");
}

#[tokio::test]
async fn a_result_is_not_sent_once_its_client_has_completed_the_operation() {
    let server = Server::start().await;
    let workspace = server.app.ana.workspace_id;
    let token = format!("Bearer {}", server.token(&server.app.ana).await);
    let mut socket = Socket::greet(&server, Some(&token)).await;
    // Somebody else writes in this workspace for a while, so that the mutation has to wait.
    let (go, wait) = oneshot::channel::<()>();
    let (locked, has_lock) = oneshot::channel::<()>();
    let platform = server.app.platform.clone();
    let channels = std::sync::Mutex::new(Some((locked, wait)));
    let holder = tokio::spawn(async move {
        let body = |tx: Tx| {
            let channels = channels.lock().unwrap().take();
            async move {
                tx.lock_workspace().await?;
                if let Some((locked, wait)) = channels {
                    locked.send(()).ok();
                    wait.await.ok();
                }
                Ok(())
            }
        };
        platform
            .write(Scope::Workspace(workspace), Actor::system(), body)
            .await
    });
    has_lock.await.unwrap();
    let input = json!({ "workspaceId": workspace.to_string(), "title": "waits" });
    socket.subscribe("m", CREATE, json!({ "input": input })).await;
    // Still running, so the id is taken, whatever kind of operation wants it.
    assert!(is_silent(&mut socket).await, "it waits for the other writer");
    socket.say(json!({ "type": "complete", "id": "m" })).await;
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.message().await["type"], "pong", "both were heard");
    go.send(()).unwrap();
    holder.await.unwrap().unwrap();
    assert!(
        is_silent(&mut socket).await,
        "no result, and no `complete` either"
    );
    socket.subscribe("m", VERSION, json!({})).await;
    assert_eq!(socket.message().await["type"], "next", "the id is free again");
}

#[tokio::test]
async fn an_id_is_taken_whatever_kind_of_operation_has_it() {
    let server = Server::start().await;
    let token = format!("Bearer {}", server.token(&server.app.ana).await);
    let variables = json!({ "id": server.app.ana.workspace() });
    let mut socket = Socket::greet(&server, Some(&token)).await;
    // Both at once: the first is still running when the second is heard.
    socket.subscribe("1", CHANGES, variables.clone()).await;
    let input = json!({ "workspaceId": server.app.ana.workspace(), "title": "twice" });
    socket.subscribe("1", CREATE, json!({ "input": input })).await;
    match socket.hear().await {
        Said::Closed(code, reason) => {
            assert_eq!((code, reason.as_str()), (4409, "Subscriber for 1 already exists"));
        }
        Said::Message(message) => panic!("{message}"),
    }
    let tasks = "query ($id: ID!) { workspace(id: $id) { tasks { totalCount } } }";
    let tasks = server.app.ana().gql(tasks, variables).await;
    assert_eq!(tasks.at("/workspace/tasks/totalCount"), 0, "and nothing was done");
}

#[tokio::test]
async fn errors_of_execution_are_part_of_a_result() {
    let server = Server::start().await;
    let mut socket = Socket::greet(&server, None).await;
    // A guest may ask, and one field says no: the operation ran.
    let query = "query ($id: ID!) { serverInfo { version } workspace(id: $id) { id } }";
    let variables = json!({ "id": server.app.ana.workspace() });
    socket.subscribe("1", query, variables).await;
    let next = socket.message().await;
    assert_eq!(
        (&next["type"], &next["id"]),
        (&json!("next"), &json!("1")),
        "{next}"
    );
    assert!(
        next["payload"]["data"]["serverInfo"]["version"].is_string(),
        "{next}"
    );
    assert_eq!(
        next["payload"]["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
        "{next}"
    );
    assert_eq!(socket.message().await, json!({ "type": "complete", "id": "1" }));
}

#[tokio::test]
async fn a_removed_member_hears_of_nothing_a_second_later() {
    let server = Server::start().await;
    let app = &server.app;
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    let token = format!("Bearer {}", server.token(&app.ben).await);
    let mut socket = Socket::greet(&server, Some(&token)).await;
    socket
        .subscribe("1", CHANGES, json!({ "id": app.ana.workspace() }))
        .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    create_task(&server, "seen").await;
    assert_eq!(
        socket.message().await["payload"]["data"]["taskChanged"]["task"]["title"],
        "seen"
    );
    let members = "query ($id: ID!) { workspace(id: $id) { members { nodes { id user { name } } } } }";
    let members = app.ana().gql(members, json!({ "id": app.ana.workspace() })).await;
    let nodes = members.at("/workspace/members/nodes");
    let ben = nodes
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["user"]["name"] == "Ben");
    let remove = "mutation ($id: ID!) { removeMember(memberId: $id) { userErrors { code } } }";
    app.ana()
        .gql(remove, json!({ "id": ben.unwrap()["id"] }))
        .await
        .succeeded("removeMember");
    let last = timeout(Duration::from_secs(1), socket.message())
        .await
        .expect("within a second");
    assert_eq!(
        (&last["type"], &last["id"]),
        (&json!("error"), &json!("1")),
        "{last}"
    );
    assert_eq!(last["payload"][0]["extensions"]["code"], "NOT_FOUND", "{last}");
    create_task(&server, "unseen").await;
    assert!(
        is_silent(&mut socket).await,
        "the socket stays, the stream is over"
    );
}

#[tokio::test]
async fn sockets_do_not_share_a_budget_and_count_every_frame() {
    let server = Server::with_settings(&[("MERIDIAN_RATE_SOCKET_MESSAGES", "4")]).await;
    // A request id that two clients send alike is no common budget.
    let headers = [
        ("sec-websocket-protocol", "graphql-transport-ws"),
        ("x-request-id", "the-same"),
    ];
    let mut first = Socket::open(&server, &headers).await.unwrap();
    let mut second = Socket::open(&server, &headers).await.unwrap();
    for socket in [&mut first, &mut second] {
        socket.say(json!({ "type": "connection_init" })).await;
        assert_eq!(socket.message().await["type"], "connection_ack");
    }
    for _ in 0..2 {
        first.say(json!({ "type": "pong" })).await;
    }
    first.say(json!({ "type": "ping" })).await;
    assert_eq!(first.message().await["type"], "pong");
    first.say(json!({ "type": "ping" })).await;
    assert_eq!(first.hear().await, Said::Closed(4429, "Too many requests".into()));
    // Pings of WebSocket itself count as well.
    for _ in 0..4 {
        second.knock().await;
    }
    assert_eq!(second.code().await, 4429);
}

#[tokio::test]
async fn a_revoked_token_closes_its_sockets_and_no_others() {
    let server = Server::start().await;
    let ana = server.app.ana();
    let [first, second] = [
        server.token(&server.app.ana).await,
        server.token(&server.app.ana).await,
    ];
    let mut kept = Socket::greet(&server, Some(&format!("Bearer {first}"))).await;
    let mut lost = Socket::greet(&server, Some(&format!("Bearer {second}"))).await;
    let tokens = ana.gql("{ viewer { apiTokens { id prefix } } }", json!({})).await;
    let tokens = tokens.at("/viewer/apiTokens");
    let row = tokens
        .as_array()
        .unwrap()
        .iter()
        .find(|row| second.starts_with(row["prefix"].as_str().unwrap()));
    let revoke = "mutation ($id: ID!) { revokeApiToken(id: $id) { userErrors { code } } }";
    ana.gql(revoke, json!({ "id": row.unwrap()["id"] }))
        .await
        .succeeded("revokeApiToken");
    let closed = timeout(Duration::from_secs(1), lost.hear())
        .await
        .expect("within a second");
    assert_eq!(closed, Said::Closed(4401, "Session revoked".into()));
    kept.say(json!({ "type": "ping" })).await;
    assert_eq!(kept.message().await["type"], "pong");
}
