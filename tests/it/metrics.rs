//! What monitors see: the numbers move with what happens, need no label that strangers choose, and dashboards ask only for what exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use meridian::platform::metrics::table;
use meridian::web::admin::{Admin, serve};
use meridian::web::health::{Health, Probe};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::server::Server;

/// The listener for operators beside a server, and what it answers.
async fn operators(server: &Server) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let works = Probe::new("workers", "embedded", || async { Ok(()) });
    let admin = Admin::new(server.app.platform.clone(), Health::new(vec![works]));
    tokio::spawn(serve(listener, admin));
    address
}

async fn get(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_numbers_move_with_what_happens() {
    let server = Server::start().await;
    let token = server.token(&server.app.ana).await;
    let address = operators(&server).await;
    let bearer = format!("Authorization: Bearer {token}");
    let json_type = "Content-Type: application/json";
    let named = json!({ "query": "query Mine { viewer { user { id } } }", "operationName": "Mine" });
    for _ in 0..3 {
        server.post(&[&bearer], &named).await;
    }
    // A stranger's name is not remembered.
    let strange = json!({ "query": "query Strange { serverInfo { version } }", "operationName": "Strange" });
    server.post(&[], &strange).await;
    let wrong = json!({ "query": "{ nothing }" });
    server.post(&[&bearer], &wrong).await;
    server.send("GET", "/no/such/page", &[json_type], "").await;

    let text = get(address, "/metrics").await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    for expected in [
        r#"meridian_operation_seconds_count{operation="Mine",kind="query",outcome="ok"} 3"#,
        r#"meridian_operation_seconds_count{operation="(other)",kind="query",outcome="ok"} 1"#,
        r#"meridian_errors_total{code="NOT_FOUND"} 1"#,
        r#"meridian_errors_total{code="GRAPHQL_VALIDATION_FAILED"} 1"#,
        r#"meridian_http_request_seconds_count{route="/graphql",status="2xx"}"#,
        r#"meridian_http_request_seconds_count{route="(unknown)",status="4xx"} 1"#,
        r#"meridian_jobs{queue="calendar_sync",state="queued"} 0"#,
        "meridian_db_up 1",
        "meridian_sync_failing 0",
        "meridian_messages_live 1",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert!(
        !text.contains("Strange") && !text.contains("/no/such/page"),
        "{text}"
    );
    for metric in table::ALL.iter().filter(|metric| text.contains(metric.name)) {
        let kind = format!("# TYPE {} {}", metric.name, metric.kind.word());
        assert!(text.contains(&kind), "{kind}\n{text}");
    }
    let health = get(address, "/api/health").await;
    assert!(health.contains(r#""name":"workers","status":"up""#), "{health}");
}

/// The names of metrics in a text; parts of histograms count as the histogram.
fn named(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("meridian_"))
        .map(|word| {
            let parts = ["_bucket", "_count", "_sum"];
            let whole = parts.iter().find_map(|part| word.strip_suffix(part));
            let known = |name: &str| table::ALL.iter().any(|metric| metric.name == name);
            whole.filter(|whole| known(whole)).unwrap_or(word).to_owned()
        })
        .collect()
}

/// Grafana itself is not on the machines of the tests; this is what it looks at when it loads a dashboard.
#[test]
fn the_dashboard_has_the_form_that_grafana_loads() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("operations/dashboard.json");
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(
        (&dashboard["title"], &dashboard["uid"]),
        (&json!("Meridian"), &json!("meridian"))
    );
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36);
    // The source of data is asked for when it is imported, and not one that only its author has.
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let source = variables.iter().find(|one| one["name"] == "datasource").unwrap();
    assert_eq!(
        (&source["type"], &source["query"]),
        (&json!("datasource"), &json!("prometheus"))
    );
    let chosen = json!({ "type": "prometheus", "uid": "${datasource}" });
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(
            ids.insert(panel["id"].as_u64().unwrap()),
            "{title}: the id is taken"
        );
        assert_eq!(panel["datasource"], chosen, "{title}");
        assert!(
            panel["type"].is_string() && panel["fieldConfig"]["defaults"].is_object(),
            "{title}"
        );
        let at = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(
            at("w") > 0 && at("x") + at("w") <= 24,
            "{title} is outside the grid"
        );
        for (x, y) in
            (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
        {
            assert!(places.insert((x, y)), "{title} lies on another panel");
        }
        let targets = panel["targets"].as_array().unwrap();
        let names: BTreeSet<&str> = targets.iter().map(|one| one["refId"].as_str().unwrap()).collect();
        assert!(!targets.is_empty() && names.len() == targets.len(), "{title}");
        for target in targets {
            let query = target["expr"].as_str().unwrap();
            assert!(query.contains("meridian_"), "{title}: {query}");
            let count = |c: char| query.matches(c).count();
            assert_eq!(
                (count('('), count('{')),
                (count(')'), count('}')),
                "{title}: {query}"
            );
            assert!(target["legendFormat"].is_string(), "{title}: {query}");
        }
    }
    assert!(ids.len() > 10);
}

#[test]
fn dashboards_and_alerts_ask_for_metrics_that_exist() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("operations");
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let dashboard = read("dashboard.json");
    let parsed: Value = serde_json::from_str(&dashboard).unwrap();
    assert!(parsed["panels"].as_array().unwrap().len() > 10);
    let shown = named(&dashboard);
    let known: BTreeSet<String> = table::ALL.iter().map(|metric| metric.name.to_owned()).collect();
    for name in shown.iter().chain(&named(&read("alerts.yml"))) {
        assert!(known.contains(name), "there is no metric {name}");
    }
    // What is counted is looked at, apart from the switch of a queue, which an alert asks for.
    let unseen: Vec<&String> = known.difference(&shown).collect();
    assert_eq!(unseen, ["meridian_jobs_paused"]);
}
