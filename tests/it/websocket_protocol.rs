//! The rules of the `graphql-transport-ws` protocol text, one by one; `websocket.rs` has the close codes and our own promises.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::server::Server;
use crate::websocket::{CHANGES, Said, Socket, VERSION, create_task, is_silent};

async fn kinds(socket: &mut Socket, count: usize) -> Vec<(Value, Value)> {
    let mut heard = Vec::new();
    for _ in 0..count {
        let message = socket.message().await;
        heard.push((message["type"].clone(), message["id"].clone()));
    }
    heard
}

#[tokio::test]
async fn pings_are_answered_at_any_time_and_pongs_need_no_ping() {
    let server = Server::start().await;
    let mut socket = Socket::connect(&server).await;
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(
        socket.message().await,
        json!({ "type": "pong" }),
        "also before the greeting"
    );
    socket.say(json!({ "type": "pong", "payload": { "a": 1 } })).await;
    socket
        .say(json!({ "type": "connection_init", "payload": null }))
        .await;
    assert_eq!(socket.message().await, json!({ "type": "connection_ack" }));
    socket
        .say(json!({ "type": "ping", "payload": { "n": [1, null] } }))
        .await;
    assert_eq!(
        socket.message().await,
        json!({ "type": "pong", "payload": { "n": [1, null] } })
    );
    socket.say(json!({ "type": "pong" })).await;
    assert!(is_silent(&mut socket).await);
}

#[tokio::test]
async fn a_greeting_is_said_once_however_fast() {
    let server = Server::start().await;
    let mut socket = Socket::connect(&server).await;
    for _ in 0..2 {
        socket.say(json!({ "type": "connection_init" })).await;
    }
    assert_eq!(socket.message().await["type"], "connection_ack");
    assert_eq!(
        socket.hear().await,
        Said::Closed(4429, "Too many initialisation requests".into())
    );

    let mut wrong = Socket::connect(&server).await;
    wrong
        .say(json!({ "type": "connection_init", "payload": [] }))
        .await;
    assert_eq!(wrong.code().await, 4400);
}

#[tokio::test]
async fn an_id_is_taken_while_its_operation_runs_and_free_afterwards() {
    let server = Server::start().await;
    let token = format!("Bearer {}", server.token(&server.app.ana).await);
    let variables = json!({ "id": server.app.ana.workspace() });
    let mut socket = Socket::greet(&server, Some(&token)).await;
    // Ended by the server with a result.
    for _ in 0..2 {
        socket.subscribe("a", VERSION, json!({})).await;
        assert_eq!(
            kinds(&mut socket, 2).await,
            [(json!("next"), json!("a")), (json!("complete"), json!("a"))]
        );
    }
    // Ended by the server with an error, which is the last word about it.
    for _ in 0..2 {
        socket.subscribe("a", "{ nothing }", json!({})).await;
        assert_eq!(kinds(&mut socket, 1).await, [(json!("error"), json!("a"))]);
    }
    assert!(is_silent(&mut socket).await, "no `complete` follows an `error`");
    // Ended by the client, who hears nothing more about it.
    socket.subscribe("a", CHANGES, variables.clone()).await;
    socket.say(json!({ "type": "complete", "id": "a" })).await;
    create_task(&server, "unheard").await;
    assert!(
        is_silent(&mut socket).await,
        "a client's `complete` is not answered"
    );
    // Still running.
    socket.subscribe("a", CHANGES, variables.clone()).await;
    socket.subscribe("a", VERSION, json!({})).await;
    assert_eq!(
        socket.hear().await,
        Said::Closed(4409, "Subscriber for a already exists".into())
    );
}

#[tokio::test]
async fn operations_share_a_socket_and_each_keeps_its_order() {
    let server = Server::start().await;
    let token = format!("Bearer {}", server.token(&server.app.ana).await);
    let variables = json!({ "id": server.app.ana.workspace() });
    let mut socket = Socket::greet(&server, Some(&token)).await;
    for id in ["x", "y"] {
        socket.subscribe(id, CHANGES, variables.clone()).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    for title in ["1", "2", "3"] {
        create_task(&server, title).await;
    }
    let mut heard = [Vec::new(), Vec::new()];
    for _ in 0..6 {
        let message = socket.message().await;
        assert_eq!(message["type"], "next", "{message}");
        let title = message["payload"]["data"]["taskChanged"]["task"]["title"]
            .as_str()
            .unwrap();
        heard[usize::from(message["id"] == "y")].push(title.to_owned());
    }
    assert_eq!(heard, [["1", "2", "3"], ["1", "2", "3"]]);
    // What ends one of them leaves the other alone; ending nothing is no mistake.
    socket.say(json!({ "type": "complete", "id": "x" })).await;
    socket.say(json!({ "type": "complete", "id": "never" })).await;
    // Once it answers, it has heard both.
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.message().await["type"], "pong");
    create_task(&server, "4").await;
    assert_eq!(kinds(&mut socket, 1).await, [(json!("next"), json!("y"))]);
    assert!(is_silent(&mut socket).await);
}

#[tokio::test]
async fn what_is_wrong_with_an_operation_ends_that_operation_only() {
    let server = Server::start().await;
    let token = format!("Bearer {}", server.token(&server.app.ana).await);
    let mut socket = Socket::greet(&server, Some(&token)).await;
    let hash = json!({ "persistedQuery": { "version": 1, "sha256Hash": "00" } });
    let create = "mutation ($d: DateTime!) { createTask(input: { workspaceId: \"ws_x\", title: \"t\", dueAt: $d }) { userErrors { code } } }";
    for (payload, code) in [
        (json!({ "query": "{" }), "GRAPHQL_PARSE_FAILED"),
        (json!({ "query": "{ nothing }" }), "GRAPHQL_VALIDATION_FAILED"),
        (
            json!({ "query": VERSION, "operationName": "X" }),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (json!({ "extensions": hash }), "PERSISTED_QUERY_NOT_FOUND"),
        (
            json!({ "query": create, "variables": { "d": "soon" } }),
            "BAD_USER_INPUT",
        ),
        (
            json!({ "query": "{ a { b } }".repeat(1_000) }),
            "QUERY_TOO_COMPLEX",
        ),
    ] {
        socket
            .say(json!({ "type": "subscribe", "id": "1", "payload": payload }))
            .await;
        let message = socket.message().await;
        assert_eq!(
            (&message["type"], &message["id"]),
            (&json!("error"), &json!("1")),
            "{message}"
        );
        let errors = message["payload"].as_array().unwrap();
        assert_eq!(errors[0]["extensions"]["code"], code, "{message}");
        assert!(errors[0]["extensions"]["requestId"].is_string(), "{message}");
    }
    socket.subscribe("1", VERSION, json!({})).await;
    assert_eq!(socket.message().await["type"], "next", "the connection goes on");
}
