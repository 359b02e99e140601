//! What leaves the house in reports of errors: enough to find them, and nothing that belongs to people. Canaries go through every way that
//! errors take; a sink on this machine takes what is sent.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use meridian::config::{Log, LogFormat, Reports, Secret};
use meridian::platform::db::migration_connection;
use meridian::platform::telemetry;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::support::server::Server;
use crate::websocket::Socket;

const CANARIES: [&str; 6] = [
    "canary-title",
    "canary@example.org",
    "canary-token",
    "canary-variable",
    "canary-panic",
    "canary-field",
];

/// Takes envelopes and keeps their bodies.
fn sink() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(Mutex::new(Vec::new()));
    let kept = taken.clone();
    // Ends with the process of the test.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            let (mut bytes, mut piece) = (Vec::new(), [0; 65_536]);
            while !is_whole(&bytes) {
                match stream.read(&mut piece) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => bytes.extend_from_slice(&piece[..count]),
                }
            }
            kept.lock()
                .unwrap()
                .push(String::from_utf8_lossy(&bytes).into_owned());
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            stream.write_all(answer.as_bytes()).ok();
        }
    });
    (port, taken)
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    bytes.len() >= head.len() + 4 + length
}

#[tokio::test(flavor = "multi_thread")]
async fn no_report_carries_what_belongs_to_people() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let (port, taken) = sink();
    let dsn = format!("http://key@127.0.0.1:{port}/1");
    let log = Log {
        filter: "off".into(),
        format: LogFormat::Pretty,
    };
    let reports = Reports {
        dsn: Secret::new(dsn.clone()),
        environment: "test".into(),
        traces: 1.0,
    };
    let guard = telemetry::init(&log, Some(&reports), None).unwrap();
    let server = Server::with_settings(&[("SENTRY_DSN", dsn.as_str())]).await;
    let token = server.token(&server.app.ana).await;
    let workspace = server.app.ana.workspace();

    // Every statement on tasks fails from now on.
    let connection = migration_connection(server.app.database_url()).await.unwrap();
    connection
        .execute_unprepared("ALTER TABLE tasks RENAME TO tasks_gone")
        .await
        .unwrap();
    let create = "mutation Creating($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";
    let input = json!({ "workspaceId": workspace, "title": "canary-title", "description": "canary-variable canary@example.org" });
    let body = json!({ "query": create, "operationName": "Creating", "variables": { "input": input } });
    let bearer = format!("Authorization: Bearer {token}");
    let reply = server.post(&[&bearer, "X-Request-Id: find-me"], &body).await;
    assert_eq!(reply.code(), "INTERNAL", "{reply:?}");
    // The token is wrong and the address is full of secrets.
    let wrong = ["Authorization: Bearer canary-token"];
    server
        .send("GET", "/graphql?query=canary-variable", &wrong, "")
        .await;
    server
        .send("GET", "/auth/canary-token?code=canary-token", &[], "")
        .await;

    let mut socket = Socket::greet(&server, Some(&format!("Bearer {token}"))).await;
    socket.subscribe("1", create, json!({ "input": input })).await;
    let said = socket.message().await;
    assert!(said.to_string().contains("INTERNAL"), "{said}");

    // A task, as jobs and syncs are, that fails in all words it has, and one that panics.
    let failing = tokio::spawn(async {
        let error = std::io::Error::other("canary-field canary@example.org");
        tracing::warn!(email = "canary@example.org", "canary-title");
        tracing::error!(email = "canary@example.org", token = "canary-token", %error, "canary-title of a sync");
        tracing::error!(
            error = &error as &(dyn std::error::Error + 'static),
            "canary-title of a job"
        );
        panic!("canary-panic of {}", "canary@example.org");
    });
    assert!(failing.await.unwrap_err().is_panic());
    assert!(guard.flush(Duration::from_secs(5)));
    drop(guard);

    let taken = taken.lock().unwrap().join("\n");
    for canary in CANARIES {
        assert!(!taken.contains(canary), "{canary} left the house: {taken}");
    }
    assert!(!taken.contains(&token) && !taken.contains("tasks_gone"));
    let events: Vec<Value> = taken
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|item| item["event_id"].is_string() && item["platform"].is_null() && item["level"].is_null())
        .filter(|item| item["message"].is_string() || item["exception"].is_object())
        .collect();
    assert!(events.len() >= 4, "{} events: {taken}", events.len());
    // What is needed to find the line in the log is there.
    let user = server.app.ana.user_id.0.to_string();
    let found = events.iter().any(|event| {
        event["tags"]["request_id"] == "find-me"
            && event["tags"]["operation"] == "Creating"
            && event["user"]["id"] == user.as_str()
            && event["release"] == concat!("meridian@", env!("CARGO_PKG_VERSION"), "+development")
            && event["environment"] == "test"
            && event["message"]
                .as_str()
                .is_some_and(|place| place.starts_with("meridian::"))
    });
    assert!(found, "{taken}");
    assert!(taken.contains("\"transaction\""), "no times were sent: {taken}");
    assert!(taken.contains("\"panic\""), "the panic was not reported: {taken}");
}
