//! What leaves the house in reports of errors: enough to find them, and nothing that belongs to people. Canaries go through every way that
//! errors take; a sink on this machine takes what is sent.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use entity::enums::JobStatus;
use entity::job;
use meridian::config::{Log, LogFormat, Reports, Secret};
use meridian::platform::db::{Scope, migration_connection};
use meridian::platform::telemetry;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, QueryFilter as _};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::browser::Browser;
use crate::support::fake_http::FakeHttp;
use crate::support::post::MailServer;
use crate::support::process::Process;
use crate::support::radicale::event;
use crate::support::server::Server;
use crate::support::syncs::connect;
use crate::websocket::Socket;

/// For what a worker of its own does, which looks for work from time to time.
const PATIENCE: Duration = Duration::from_secs(40);

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

    // Lines of the log with all the words they can have, and a task that panics.
    let failing = tokio::spawn(async {
        let error = std::io::Error::other("canary-field canary@example.org");
        tracing::warn!(email = "canary@example.org", "canary-title");
        tracing::error!(email = "canary@example.org", token = "canary-token", %error, "canary-title of one line");
        tracing::error!(
            error = &error as &(dyn std::error::Error + 'static),
            "canary-title of another"
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

/// A feed that is read once, and whose answer then is this one. Its words are those of strangers.
async fn feed(broken: Arc<AtomicBool>, later: fn() -> axum::response::Response) -> FakeHttp {
    FakeHttp::start(move |_, _| match broken.load(Ordering::SeqCst) {
        false => event("canary-field", "canary-title", 1).into_response(),
        true => later(),
    })
    .await
}

/// Waits until so many jobs of a kind are dead, and returns their ids.
async fn dead(app: &TestApp, worker: &Process, kind: &str, count: usize) -> Vec<String> {
    let began = Instant::now();
    loop {
        let read = app.platform.db.read(Scope::System).await.unwrap();
        let select = read
            .find::<job::Entity>()
            .filter(job::Column::Kind.eq(kind))
            .filter(job::Column::Status.eq(JobStatus::Dead));
        let found = select.all(&read).await.unwrap();
        if found.len() >= count {
            return found.iter().map(|row| row.id.to_string()).collect();
        }
        let (number, log) = (found.len(), worker.log());
        assert!(began.elapsed() < PATIENCE, "{number} dead {kind}: {log:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_report_of_a_job_carries_what_belongs_to_people() {
    let broken = Arc::new(AtomicBool::new(false));
    let refusing = feed(broken.clone(), || {
        let said = "canary-title of canary@example.org: canary-variable";
        (StatusCode::IM_A_TEAPOT, [("x-why", "canary-token")], said).into_response()
    })
    .await;
    let cut_off = feed(broken.clone(), || {
        "BEGIN:VCALENDAR\r\nSUMMARY:canary-title\r\nATTENDEE:mailto:canary@example.org\r\n".into_response()
    })
    .await;
    let (mail, sink) = (
        MailServer::start().await,
        FakeHttp::start(|_, _| "{}".into_response()).await,
    );
    mail.refuse_with(Some("550 canary-field: canary@example.org is unknown here"));
    let allowed = format!("{},{}", refusing.address, cut_off.address);
    let dsn = format!("http://key@{}/1", sink.address);
    let settings = mail.settings();
    let mut settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    settings.push(("MERIDIAN_OUTBOUND_ALLOW", allowed.as_str()));
    let server = Server::with_settings(&settings).await;
    let (app, ana) = (&server.app, server.app.ana());

    for feed in [&refusing, &cut_off] {
        let url = feed.url("/canary-token/canary-field.ics?key=canary-variable");
        let service = json!({ "icsFeed": { "url": url, "name": "canary-title" } });
        connect(&ana, &app.ana.workspace(), service)
            .await
            .succeeded("connectIntegration");
    }
    broken.store(true, Ordering::SeqCst);
    let letter = json!({ "email": "canary@example.org", "returnTo": "/canary-token" }).to_string();
    let headers = ["Content-Type: application/json", "X-Meridian-Csrf: 1"];
    let reply = Browser::new(&server)
        .send("POST", "/auth/email", &headers, &letter)
        .await;
    assert_eq!(reply.status, 202, "{reply:?}");

    settings.extend([("SENTRY_DSN", dsn.as_str()), ("MERIDIAN_SENTRY_TRACES", "1")]);
    let folder = tempfile::tempdir().unwrap();
    let worker = Process::start("worker", app.database_url(), folder.path(), &settings);
    let mut expected = Vec::new();
    for (kind, count) in [("send_mail", 1), ("sync_integration", 2)] {
        let ids = dead(app, &worker, kind, count).await;
        expected.extend(ids.into_iter().map(|id| (kind, id)));
    }
    for feed in [&refusing, &cut_off] {
        let asked = feed.asked();
        assert!(
            asked.len() >= 2 && asked[1].path.contains("canary-token"),
            "{asked:?}"
        );
    }
    assert!(mail.take().is_empty(), "the mail server refused");

    let began = Instant::now();
    let taken = loop {
        let taken: Vec<String> = sink.asked().into_iter().map(|asked| asked.body).collect();
        let taken = taken.join("\n");
        let events: Vec<Value> = taken
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let is_reported = |kind: &str, id: &str| {
            events.iter().any(|event| {
                event["tags"]["job"] == id
                    && event["tags"]["kind"] == kind
                    && event["tags"]["attempt"] == "1"
                    && event["message"]
                        .as_str()
                        .is_some_and(|place| place.starts_with("meridian::app::runner"))
            })
        };
        if expected.iter().all(|(kind, id)| is_reported(kind, id)) {
            break taken;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "not all of {expected:?} are reported: {taken}\n{:#?}",
            worker.log()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let log = worker.log().join("\n");
    for canary in CANARIES {
        assert!(!taken.contains(canary), "{canary} left the house: {taken}");
    }
    // The log stays in the house and may name a calendar, but no address and no secret.
    for canary in ["canary@example.org", "canary-token", "canary-variable"] {
        assert!(!log.contains(canary), "{canary} is in the log: {log}");
    }
}
