//! What hostile or slow clients get: small, coded and soon.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::server::Server;

const GRAPHQL: &str = "Accept: application/graphql-response+json";

#[tokio::test]
async fn large_bodies_are_refused_with_or_without_their_length() {
    let server = Server::start().await;
    let large = json!({ "query": "{ a }", "variables": { "x": "x".repeat(300_000) } });
    let reply = server.post(&[], &large).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "BAD_USER_INPUT"));

    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000)).repeat(5);
    let head = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let chunked = format!("{head}Connection: close\r\n\r\n{chunk}0\r\n\r\n");
    assert_eq!(server.send_raw(chunked.as_bytes()).await.status, 413);
}

#[tokio::test]
async fn costly_documents_are_refused_before_they_cost() {
    let server = Server::start().await;
    let doubling: String = (0..25)
        .map(|n| format!("fragment F{n} on Query {{ ...F{0} ...F{0} }} ", n + 1))
        .collect();
    let deep = format!("{}{}", "{ serverInfo ".repeat(16), "}".repeat(16));
    for (query, code) in [
        (
            format!("{{ ...F0 }} {doubling} fragment F25 on Query {{ serverInfo {{ version }} }}"),
            "QUERY_TOO_COMPLEX",
        ),
        (
            "{ a(first: 100) { nodes { b(first: 100) { nodes { id } } } } }".into(),
            "QUERY_TOO_COMPLEX",
        ),
        // Each of hundreds of invitations leads to all of them again, each of thousands of occurrences to its series, each sub-task to its
        // parent.
        (
            "{ viewer { invitations { workspace { invitations { id } } } } }".into(),
            "QUERY_TOO_COMPLEX",
        ),
        (
            "{ workspace(id: 1) { eventOccurrences { event { occurrences { id } } } } }".into(),
            "QUERY_TOO_COMPLEX",
        ),
        (
            "{ task(id: 1) { subtasks { parent { subtasks { id } } } } }".into(),
            "QUERY_TOO_COMPLEX",
        ),
        (deep, "QUERY_TOO_DEEP"),
        ("{a".repeat(1_000), "QUERY_TOO_DEEP"),
        ("{ a }".repeat(1_000), "QUERY_TOO_COMPLEX"),
    ] {
        let start = Instant::now();
        let reply = server.post(&[GRAPHQL], &json!({ "query": query })).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, code),
            "{}",
            &query[..40]
        );
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_spent_budget_says_when_to_come_back() {
    let server = Server::with_settings(&[
        ("MERIDIAN_RATE_GUEST_REQUESTS", "3"),
        ("MERIDIAN_RATE_CALLER_POINTS", "7"),
    ])
    .await;
    for left in ["2", "1", "0"] {
        assert!(
            server
                .ask(&[])
                .await
                .header("ratelimit")
                .contains(&format!("\"requests\";r={left}"))
        );
    }
    let reply = server.ask(&[]).await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "RATE_LIMITED"));
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(reply.json()["errors"][0]["extensions"]["retryAfterSeconds"], wait);
    assert_eq!(reply.header("x-ratelimit-remaining"), "0");
    assert_eq!(
        server.ask(&["Authorization: Bearer mrd_wrong"]).await.status,
        429,
        "guessing is limited too"
    );

    let token = format!("Authorization: Bearer {}", server.token(&server.app.ana).await);
    let three = json!({ "query": "{ serverInfo { version now } }" });
    assert_eq!(server.post(&[&token], &three).await.status, 200);
    assert_eq!(server.post(&[&token], &three).await.status, 200);
    let spent = server.post(&[&token, "Accept: application/json"], &three).await;
    assert_eq!(
        (spent.status, spent.code().as_str()),
        (429, "RATE_LIMITED"),
        "points are spent"
    );
}

#[tokio::test]
async fn a_workspace_has_a_budget_of_its_own() {
    let server = Server::with_settings(&[("MERIDIAN_RATE_WORKSPACE_POINTS", "5")]).await;
    let token = format!("Authorization: Bearer {}", server.token(&server.app.ana).await);
    let query = "query ($id: ID!) { workspace(id: $id) { id name } }";
    let body = json!({ "query": query, "variables": { "id": server.app.ana.workspace() } });
    let first = server.post(&[&token], &body).await.json();
    assert!(first.get("errors").is_none(), "{first}");
    let second = server.post(&[&token], &body).await;
    assert_eq!(
        (second.status, second.code().as_str()),
        (200, "RATE_LIMITED"),
        "one field failed, not the request"
    );
    assert_eq!(second.json()["data"]["workspace"], json!(null));
}

#[tokio::test]
async fn slow_heads_and_bodies_are_not_waited_for() {
    let settings = [
        ("MERIDIAN_LIMIT_HEADER_SECONDS", "1"),
        ("MERIDIAN_LIMIT_BODY_SECONDS", "1"),
    ];
    let server = Server::with_settings(&settings).await;
    let mut head = TcpStream::connect(server.address).await.unwrap();
    head.write_all(b"POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        .await
        .unwrap();
    let mut answer = Vec::new();
    timeout(Duration::from_secs(5), head.read_to_end(&mut answer))
        .await
        .expect("closed in time")
        .ok();
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"),
        "{}",
        String::from_utf8_lossy(&answer)
    );

    let half =
        "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let mut body = TcpStream::connect(server.address).await.unwrap();
    body.write_all(half.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    timeout(Duration::from_secs(5), body.read_exact(&mut answer))
        .await
        .expect("answered in time")
        .unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
}
