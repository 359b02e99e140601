//! What leaves the house in traces: the spans of requests and jobs, and nothing that belongs to people. The program runs as a process of
//! its own; a collector on this machine takes what it sends. Only with the feature `otel`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde_json::json;

use crate::support::Database;
use crate::support::fake_http::FakeHttp;
use crate::support::post::MailServer;
use crate::support::process::{Process, get};
use crate::support::server::exchange;

/// Spans go out every five seconds.
const PATIENCE: Duration = Duration::from_secs(30);
const CANARIES: [&str; 4] = [
    "canary-title",
    "canary@example.org",
    "canary-token",
    "canary-variable",
];

/// Whether a span has this name: the fifth field of its message, with its length before it.
fn is_named(sent: &str, name: &str) -> bool {
    let length = char::from(u8::try_from(name.len()).unwrap());
    sent.contains(&format!("*{length}{name}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_have_requests_and_jobs_and_nothing_of_people() {
    let collector = FakeHttp::start(|_, _| StatusCode::OK.into_response()).await;
    let mail = MailServer::start().await;
    mail.refuse_with(Some("550 canary@example.org is unknown here"));
    let (database, folder) = (Database::create().await, tempfile::tempdir().unwrap());
    let url = collector.url("/v1/traces");
    let settings = mail.settings();
    let mut settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    settings.extend([("MERIDIAN_OTLP_URL", url.as_str()), ("MERIDIAN_OTLP_SHARE", "1")]);
    let mut server = Process::start("serve", &database.url, folder.path(), &settings);
    server.ready().await;

    let address = SocketAddr::from(([127, 0, 0, 1], server.port));
    let post = async |path: &str, headers: &str, body: String| {
        let text = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        exchange(address, text.as_bytes()).await
    };
    let query = "query ($id: ID!) { node(id: $id) { id } __typename @skip(if: false) }";
    let asked = json!({ "query": query, "variables": { "id": "canary-variable" } }).to_string();
    post("/graphql", "Authorization: Bearer canary-token\r\n", asked).await;
    let letter = json!({ "email": "canary@example.org", "returnTo": "/canary-title" }).to_string();
    let reply = post("/auth/email", "X-Meridian-Csrf: 1\r\n", letter).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    get(server.port, "/auth/canary-token?code=canary-token").await;
    // Runs a job, and waits for it.
    let tried = get(server.port, "/api/test-infrastructure").await.unwrap();
    assert!(tried.1.contains("jobs"), "{tried:?}");

    let began = Instant::now();
    let sent = loop {
        let asked = collector.asked();
        let sent: String = asked.iter().map(|one| one.body.as_str()).collect();
        if ["request", "job"].iter().all(|name| is_named(&sent, name)) && sent.contains("send_mail") {
            for one in &asked {
                assert_eq!((one.method.as_str(), one.path.as_str()), ("POST", "/v1/traces"));
                assert_eq!(one.headers["content-type"], "application/x-protobuf");
            }
            break sent;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "{} messages: {sent:?}\n{:#?}",
            asked.len(),
            server.log()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert!(sent.contains("meridian") && sent.contains("service.version"));
    for canary in CANARIES {
        assert!(!sent.contains(canary), "{canary} left the house: {sent:?}");
    }
}
