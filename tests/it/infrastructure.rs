//! `/api/test-infrastructure`: every service is used for real, what is missing is named, and production has no such page.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use entity::user;
use meridian::platform::db::Scope;
use sea_orm::PaginatorTrait as _;
use serde_json::Value;

use crate::support::process::{Process, get};
use crate::support::server::Server;
use crate::support::{Backend, Database};

fn statuses(report: &Value) -> Vec<(&str, &str)> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks
        .map(|check| (check["name"].as_str().unwrap(), check["status"].as_str().unwrap()))
        .collect()
}

/// Takes what is reported and counts it.
fn sink() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = taken.clone();
    // Ends with the process of the test.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream
                .set_read_timeout(Some(std::time::Duration::from_millis(200)))
                .unwrap();
            let (mut bytes, mut piece) = (Vec::new(), [0; 16_384]);
            while let Ok(count @ 1..) = stream.read(&mut piece) {
                bytes.extend_from_slice(&piece[..count]);
            }
            if bytes.windows(8).any(|part| part == b"event_id") {
                counted.fetch_add(1, Ordering::SeqCst);
            }
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            stream.write_all(answer.as_bytes()).ok();
        }
    });
    (port, taken)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_set_up_passes_every_try() {
    let (database, folder) = (Database::create().await, tempfile::tempdir().unwrap());
    let (port, reports) = sink();
    let dsn = format!("http://key@127.0.0.1:{port}/1");
    let mut server = Process::start("serve", &database.url, folder.path(), &[("SENTRY_DSN", &dsn)]);
    server.ready().await;
    for round in 1..=2 {
        let (status, body) = get(server.port, "/api/test-infrastructure").await.unwrap();
        let report: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
        let expected = [
            "database", "cache", "limiter", "jobs", "realtime", "mail", "sentry",
        ];
        assert_eq!(
            statuses(&report),
            expected.map(|name| (name, "passed")),
            "{report:#}\n{:#?}",
            server.log()
        );
        assert_eq!((status, &report["status"]), (200, &Value::from("ok")));
        assert_eq!(report["passed"], 7);
        assert!(
            report["summary"]
                .as_str()
                .unwrap()
                .starts_with("7 passed, 0 failed, 0 skipped"),
            "{report:#}"
        );
        for check in report["checks"].as_array().unwrap() {
            assert!(check["durationMs"].as_f64().unwrap() > 0.0, "{check}");
        }
        assert_eq!(reports.load(Ordering::SeqCst), round);
        let letters = std::fs::read_dir(folder.path().join("outbox")).unwrap();
        let texts = letters.filter(|file| file.as_ref().unwrap().path().extension().unwrap() == "txt");
        assert_eq!(texts.count(), round);
    }
}

#[tokio::test]
async fn what_does_not_work_is_named_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let server = Server::with_settings(&[("MERIDIAN_DATA_DIR", data)]).await;
    let people = async || {
        let read = server.app.platform.db.read(Scope::System).await.unwrap();
        read.find_global::<user::Entity>().count(&read).await.unwrap()
    };
    let before = people().await;
    // Nobody works on jobs here, and nobody reports.
    let reply = server.send("GET", "/api/test-infrastructure", &[], "").await;
    let report = reply.json();
    assert_eq!(reply.status, 503, "{report:#}");
    assert_eq!(
        statuses(&report),
        [
            ("database", "passed"),
            ("cache", "passed"),
            ("limiter", "passed"),
            ("jobs", "failed"),
            ("realtime", "passed"),
            ("mail", "passed"),
            ("sentry", "skipped"),
        ],
        "{report:#}"
    );
    let jobs = report["checks"][3]["detail"].as_str().unwrap();
    assert!(jobs.contains("Start `meridian worker`"), "{jobs}");
    let cache = report["checks"][1]["detail"].as_str().unwrap();
    assert_eq!(cache.contains("Redis"), Backend::from_env() != Backend::Embedded);
    assert_eq!(people().await, before);
}

#[tokio::test]
async fn production_has_no_such_page() {
    let server = Server::with_settings(&[("MERIDIAN_ENV", "production")]).await;
    let reply = server.send("GET", "/api/test-infrastructure", &[], "").await;
    assert_eq!((reply.status, reply.code().as_str()), (404, "NOT_FOUND"));
}
