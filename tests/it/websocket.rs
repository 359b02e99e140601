//! `graphql-transport-ws` frame by frame: every close code, results, replay, revocation, slow readers and the shutdown.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use meridian::access::{create_session, revoke_session};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::support::server::Server;

const PATIENCE: Duration = Duration::from_secs(10);

/// A client that speaks the protocol by hand.
pub struct Socket(WebSocketStream<TcpStream>);

/// Nothing more is said for a while.
pub async fn is_silent(socket: &mut Socket) -> bool {
    timeout(Duration::from_millis(300), socket.hear()).await.is_err()
}

/// What a server says next.
#[derive(Debug, PartialEq)]
pub enum Said {
    Message(Value),
    Closed(u16, String),
}

impl Socket {
    pub async fn open(server: &Server, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let mut request = format!("ws://{}/graphql", server.address)
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match client_async(request, stream).await {
            Ok((socket, response)) => {
                assert_eq!(
                    response.headers()["sec-websocket-protocol"],
                    "graphql-transport-ws"
                );
                Ok(Self(socket))
            }
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn connect(server: &Server) -> Self {
        Self::open(server, &[("sec-websocket-protocol", "graphql-transport-ws")])
            .await
            .unwrap()
    }

    /// Connects and signs in.
    pub async fn greet(server: &Server, authorization: Option<&str>) -> Self {
        let mut socket = Self::connect(server).await;
        let payload = authorization.map(|text| json!({ "authorization": text }));
        socket
            .say(json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(
            socket.hear().await,
            Said::Message(json!({ "type": "connection_ack" }))
        );
        socket
    }

    pub async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// Ends the connection with this code.
    pub async fn leave(&mut self, code: u16) {
        let frame = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        self.0.send(Message::Close(Some(frame))).await.unwrap();
    }

    /// A ping of WebSocket itself.
    pub async fn knock(&mut self) {
        self.0.send(Message::Ping(Default::default())).await.unwrap();
    }

    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        self.say(
            json!({ "type": "subscribe", "id": id, "payload": { "query": query, "variables": variables } }),
        )
        .await;
    }

    pub async fn hear(&mut self) -> Said {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("a message in time") {
                Some(Ok(Message::Text(text))) => return Said::Message(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Said::Closed(frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(_)) => {}
                other => panic!("the connection broke: {other:?}"),
            }
        }
    }

    pub async fn message(&mut self) -> Value {
        match self.hear().await {
            Said::Message(message) => message,
            closed => panic!("{closed:?}"),
        }
    }

    pub async fn code(&mut self) -> u16 {
        match self.hear().await {
            Said::Closed(code, _) => code,
            message => panic!("{message:?}"),
        }
    }
}

pub const VERSION: &str = "{ serverInfo { version } }";
pub const CHANGES: &str = "subscription ($id: ID!, $after: String) {
    taskChanged(workspaceId: $id, after: $after) { cursor action task { title } }
}";

pub async fn create_task(server: &Server, title: &str) {
    let mutation =
        "mutation ($input: CreateTaskInput!) { createTask(input: $input) { userErrors { message } } }";
    let input = json!({ "workspaceId": server.app.ana.workspace(), "title": title });
    server
        .app
        .ana()
        .gql(mutation, json!({ "input": input }))
        .await
        .succeeded("createTask");
}

#[tokio::test]
async fn only_the_right_subprotocol_and_origin_connect() {
    let server = Server::start().await;
    let right = ("sec-websocket-protocol", "graphql-transport-ws");
    assert_eq!(Socket::open(&server, &[]).await.err(), Some(400));
    assert_eq!(
        Socket::open(&server, &[("sec-websocket-protocol", "graphql-ws")])
            .await
            .err(),
        Some(400)
    );
    assert_eq!(
        Socket::open(&server, &[right, ("origin", "https://evil.example")])
            .await
            .err(),
        Some(403)
    );
    assert!(
        Socket::open(&server, &[right, ("origin", "http://localhost:8000")])
            .await
            .is_ok()
    );
    assert!(
        Socket::open(
            &server,
            &[("sec-websocket-protocol", "graphql-ws, graphql-transport-ws")]
        )
        .await
        .is_ok()
    );
}

#[tokio::test]
async fn messages_that_are_none_close_with_4400() {
    let server = Server::start().await;
    for message in [
        "not json",
        "[]",
        "{}",
        r#"{"type":"start"}"#,
        r#"{"type":"subscribe","id":"1"}"#,
        r#"{"type":"next","id":"1","payload":{}}"#,
    ] {
        let mut socket = Socket::connect(&server).await;
        socket.0.send(Message::text(message)).await.unwrap();
        assert_eq!(socket.code().await, 4400, "{message}");
    }
    let mut socket = Socket::connect(&server).await;
    socket.0.send(Message::binary(b"{}".to_vec())).await.unwrap();
    assert_eq!(socket.code().await, 4400);
    let mut socket = Socket::greet(&server, None).await;
    socket
        .say(json!({ "type": "subscribe", "id": "1", "payload": { "query": 1 } }))
        .await;
    assert_eq!(socket.code().await, 4400);
}

#[tokio::test]
async fn who_does_not_greet_is_sent_off() {
    let server = Server::with_settings(&[("MERIDIAN_LIMIT_SOCKET_INIT_SECONDS", "1")]).await;
    let mut early = Socket::connect(&server).await;
    early.subscribe("1", VERSION, json!({})).await;
    assert_eq!(early.hear().await, Said::Closed(4401, "Unauthorized".into()));

    let mut silent = Socket::connect(&server).await;
    assert_eq!(
        silent.hear().await,
        Said::Closed(4408, "Connection initialisation timeout".into())
    );

    let mut stranger = Socket::connect(&server).await;
    stranger
        .say(json!({ "type": "connection_init", "payload": { "Authorization": "Bearer mrd_wrong" } }))
        .await;
    assert_eq!(stranger.hear().await, Said::Closed(4403, "Forbidden".into()));

    let mut eager = Socket::greet(&server, None).await;
    eager.say(json!({ "type": "connection_init" })).await;
    assert_eq!(
        eager.hear().await,
        Said::Closed(4429, "Too many initialisation requests".into())
    );
}

#[tokio::test]
async fn operations_run_beside_each_other_and_end() {
    let server = Server::start().await;
    let mut socket = Socket::greet(&server, None).await;
    socket.say(json!({ "type": "ping", "payload": { "a": 1 } })).await;
    assert_eq!(
        socket.message().await,
        json!({ "type": "pong", "payload": { "a": 1 } })
    );

    socket.subscribe("q", VERSION, json!({})).await;
    let next = socket.message().await;
    assert_eq!((&next["type"], &next["id"]), (&json!("next"), &json!("q")));
    assert_eq!(
        next["payload"]["data"]["serverInfo"]["version"],
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(socket.message().await, json!({ "type": "complete", "id": "q" }));

    for (id, query, code) in [
        ("p", "{", "GRAPHQL_PARSE_FAILED"),
        ("v", "{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "u",
            "subscription { taskChanged(workspaceId: \"ws_x\") { cursor } }",
            "UNAUTHENTICATED",
        ),
        ("s", "subscription { a b }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        socket.subscribe(id, query, json!({})).await;
        let error = socket.message().await;
        assert_eq!(
            (&error["type"], &error["id"]),
            (&json!("error"), &json!(id)),
            "{error}"
        );
        assert_eq!(error["payload"][0]["extensions"]["code"], code, "{query}");
    }
}

#[tokio::test]
async fn changes_arrive_and_are_replayed_after_a_cursor() {
    let server = Server::start().await;
    let token = format!("Bearer {}", server.token(&server.app.ana).await);
    let variables = json!({ "id": server.app.ana.workspace() });
    let mut socket = Socket::greet(&server, Some(&token)).await;
    socket.subscribe("1", CHANGES, variables.clone()).await;
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(
        socket.message().await["type"],
        "pong",
        "the subscription has begun"
    );
    tokio::time::sleep(Duration::from_millis(200)).await;
    create_task(&server, "first").await;
    let first = socket.message().await;
    assert_eq!(
        first["payload"]["data"]["taskChanged"]["task"]["title"], "first",
        "{first}"
    );

    socket.subscribe("1", CHANGES, variables.clone()).await;
    assert_eq!(
        socket.hear().await,
        Said::Closed(4409, "Subscriber for 1 already exists".into())
    );

    create_task(&server, "second").await;
    let mut again = Socket::greet(&server, Some(&token)).await;
    let mut variables = variables;
    variables["after"] = first["payload"]["data"]["taskChanged"]["cursor"].clone();
    again.subscribe("1", CHANGES, variables.clone()).await;
    assert_eq!(
        again.message().await["payload"]["data"]["taskChanged"]["task"]["title"],
        "second"
    );

    again.say(json!({ "type": "complete", "id": "1" })).await;
    again.subscribe("1", VERSION, json!({})).await;
    assert_eq!(
        again.message().await["type"],
        "next",
        "a completed id may be used again"
    );
}

#[tokio::test]
async fn a_revoked_session_closes_its_sockets() {
    let server = Server::start().await;
    let platform = &server.app.platform;
    let ana = server.app.ana.user_id;
    let session = create_session(platform, ana, Default::default()).await.unwrap();
    let cookie = format!("meridian={}", session.secret);
    let headers = [
        ("sec-websocket-protocol", "graphql-transport-ws"),
        ("cookie", cookie.as_str()),
    ];
    let mut socket = Socket::open(&server, &headers).await.unwrap();
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.message().await["type"], "connection_ack");

    let other = create_session(platform, ana, Default::default()).await.unwrap();
    revoke_session(platform, ana, other.id, Default::default())
        .await
        .unwrap();
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(
        socket.message().await["type"],
        "pong",
        "another session of the same person is no matter"
    );

    revoke_session(platform, ana, session.id, Default::default())
        .await
        .unwrap();
    let closed = timeout(Duration::from_secs(1), socket.hear())
        .await
        .expect("within a second");
    assert_eq!(closed, Said::Closed(4401, "Session revoked".into()));
}

#[tokio::test]
async fn credentials_are_looked_at_again_once_a_socket_listens() {
    let server = Server::start().await;
    let looked = || {
        let counts = server.app.platform.cache.counts();
        let own = counts.into_iter().find(|(name, ..)| *name == "credentials");
        own.map_or(0, |(_, hits, misses)| hits + misses)
    };
    let token = format!("Bearer {}", server.token(&server.app.ana).await);
    let before = looked();
    // What is taken away between the look and the listening is heard by nobody.
    let _socket = Socket::greet(&server, Some(&token)).await;
    for _ in 0..100 {
        if looked() >= before + 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("looked {} times", looked() - before);
}

#[tokio::test]
async fn limits_of_a_socket_hold() {
    let settings = [
        ("MERIDIAN_LIMIT_SOCKET_SUBSCRIPTIONS", "2"),
        ("MERIDIAN_RATE_SOCKET_MESSAGES", "8"),
    ];
    let server = Server::with_settings(&settings).await;
    let token = format!("Bearer {}", server.token(&server.app.ana).await);
    let variables = json!({ "id": server.app.ana.workspace() });
    let mut socket = Socket::greet(&server, Some(&token)).await;
    for id in ["1", "2", "3"] {
        socket.subscribe(id, CHANGES, variables.clone()).await;
    }
    let refused = socket.message().await;
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("3")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    for _ in 0..5 {
        socket.say(json!({ "type": "pong" })).await;
    }
    assert_eq!(
        socket.hear().await,
        Said::Closed(4429, "Too many requests".into())
    );

    let mut loud = Socket::connect(&server).await;
    let long = json!({ "type": "ping", "payload": { "x": "x".repeat(70_000) } });
    loud.0.send(Message::text(long.to_string())).await.ok();
    assert_eq!(loud.code().await, 1009);
}

#[tokio::test]
async fn a_peer_that_answers_no_ping_is_dropped() {
    let server = Server::with_settings(&[("MERIDIAN_LIMIT_SOCKET_PING_SECONDS", "1")]).await;
    let mut alive = Socket::greet(&server, None).await;
    let dead = Socket::greet(&server, None).await;
    // Reading answers pings; the other one is left alone.
    for _ in 0..4 {
        let ping = timeout(Duration::from_secs(3), alive.0.next())
            .await
            .expect("a ping in time");
        assert!(matches!(ping, Some(Ok(Message::Ping(_)))), "{ping:?}");
    }
    let mut stream = dead.0.into_inner();
    let mut rest = Vec::new();
    let closed = timeout(
        Duration::from_secs(3),
        tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest),
    )
    .await;
    assert!(closed.is_ok(), "the server closed the connection");
}

#[tokio::test]
async fn a_slow_reader_loses_its_subscription_and_learns_where_to_resume() {
    let server = Server::start().await;
    let token = format!("Bearer {}", server.token(&server.app.ana).await);
    let mut socket = Socket::greet(&server, Some(&token)).await;
    // Long events fill the buffers of the connection soon.
    let query = "subscription ($id: ID!) { taskChanged(workspaceId: $id) { cursor task { description } } }";
    socket
        .subscribe("1", query, json!({ "id": server.app.ana.workspace() }))
        .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mutation =
        "mutation ($input: CreateTaskInput!) { createTask(input: $input) { userErrors { message } } }";
    let input =
        json!({ "workspaceId": server.app.ana.workspace(), "title": "t", "description": "x".repeat(19_000) });
    for _ in 0..600 {
        server
            .app
            .ana()
            .gql(mutation, json!({ "input": input }))
            .await
            .succeeded("createTask");
    }
    let mut last = Value::Null;
    loop {
        let message = socket.message().await;
        match message["type"].as_str().unwrap() {
            "next" => last = message["payload"]["data"]["taskChanged"]["cursor"].clone(),
            "error" => {
                let extensions = &message["payload"][0]["extensions"];
                assert_eq!(extensions["code"], "SERVICE_UNAVAILABLE", "{message}");
                assert_eq!(extensions["cursor"], last, "everything up to the cursor arrived");
                break;
            }
            other => panic!("{other}"),
        }
    }
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(
        socket.message().await["type"],
        "pong",
        "the connection itself goes on"
    );
}

#[tokio::test]
async fn the_shutdown_says_goodbye() {
    let server = Server::start().await;
    let token = format!("Bearer {}", server.token(&server.app.ana).await);
    let mut socket = Socket::greet(&server, Some(&token)).await;
    socket
        .subscribe("1", CHANGES, json!({ "id": server.app.ana.workspace() }))
        .await;
    server.app.platform.shutdown.cancel();
    assert_eq!(socket.code().await, 1001);
    server.app.platform.tasks.close();
    timeout(Duration::from_secs(5), server.app.platform.tasks.wait())
        .await
        .expect("nothing is left running");
}
