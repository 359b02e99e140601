//! Abuse is input too: refused soon, with a code, in little memory, and the next honest request is served as before.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::server::{Reply, Server};

const JSON: &str = "Content-Type: application/json";
const MIB: u64 = 1024 * 1024;

/// An unoptimised build on a busy machine is slower than what people run.
fn most() -> Duration {
    Duration::from_millis(if cfg!(debug_assertions) { 3_000 } else { 200 })
}

/// Memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let number = line.split_whitespace().nth(1).unwrap();
    number.parse::<u64>().unwrap() * 1024
}

fn raw(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn query(text: &str) -> Vec<u8> {
    raw(
        &format!("{JSON}\r\n"),
        json!({ "query": text }).to_string().as_bytes(),
    )
}

fn with_variables(text: &str, variables: &str) -> Vec<u8> {
    let body = format!("{{\"query\":{},\"variables\":{variables}}}", Value::from(text));
    raw(&format!("{JSON}\r\n"), body.as_bytes())
}

/// Name, request, status where the media type tells it, code.
fn attacks() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let plain = format!("{JSON}\r\n");
    let aliases: String = (0..1_000)
        .map(|n| format!("a{n}: serverInfo {{ version }} "))
        .collect();
    let doubling: String = (0..30)
        .map(|n| format!("fragment F{n} on Query {{ ...F{0} ...F{0} }} ", n + 1))
        .collect();
    let deep_json = format!(
        "{{\"query\":\"{{ a }}\",\"variables\":{}1{}}}",
        "{\"a\":".repeat(50_000),
        "}".repeat(50_000)
    );
    let deep_list = format!("{{\"query\":{}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let mut broken = b"{\"query\":\"{ serverInfo { version } }".to_vec();
    broken.extend([0xff, 0xfe, 0xc3]);
    broken.extend(b"\"}");
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3].repeat(100);
    let number = "query ($n: Int) { viewer { notifications(first: $n) { totalCount } } }";
    vec![
        ("aliases", query(&format!("{{ {aliases} }}")), "QUERY_TOO_COMPLEX"),
        (
            "doubling fragments",
            query(&format!(
                "{{ ...F0 }} {doubling} fragment F30 on Query {{ serverInfo {{ version }} }}"
            )),
            "QUERY_TOO_COMPLEX",
        ),
        (
            "a fragment in itself",
            query("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "directives",
            query(&format!(
                "{{ serverInfo {} {{ version }} }}",
                "@skip(if: false) ".repeat(100)
            )),
            "QUERY_TOO_COMPLEX",
        ),
        ("deep fields", query(&"{a".repeat(900)), "QUERY_TOO_DEEP"),
        (
            "deep lists in arguments",
            query(&format!("{{ a(b: {}) }}", "[".repeat(1_500))),
            "QUERY_TOO_DEEP",
        ),
        ("deep JSON", raw(&plain, deep_json.as_bytes()), "BAD_USER_INPUT"),
        (
            "a deep JSON list",
            raw(&plain, deep_list.as_bytes()),
            "BAD_USER_INPUT",
        ),
        ("10 MB", raw(&plain, &vec![b' '; 10_000_000]), "BAD_USER_INPUT"),
        (
            "a gzip body",
            raw(&format!("{plain}Content-Encoding: gzip\r\n"), &gzip),
            "BAD_USER_INPUT",
        ),
        ("broken UTF-8", raw(&plain, &broken), "BAD_USER_INPUT"),
        (
            "a NUL in the document",
            query("{ workspaceBySlug(slug: \"a\u{0}b\") { id } }"),
            "BAD_USER_INPUT",
        ),
        (
            "a NUL in a variable",
            with_variables(
                "query ($s: String!) { workspaceBySlug(slug: $s) { id } }",
                "{\"s\":\"a\\u0000b\"}",
            ),
            "BAD_USER_INPUT",
        ),
        (
            "a NUL outside of texts",
            query("{ serverInfo \u{0} { version } }"),
            "GRAPHQL_PARSE_FAILED",
        ),
        (
            "a huge number",
            with_variables(number, "{\"n\":99999999999999999999999999}"),
            "BAD_USER_INPUT",
        ),
        (
            "an endless number",
            with_variables(number, "{\"n\":1e400}"),
            "BAD_USER_INPUT",
        ),
        (
            "a huge literal",
            query("{ viewer { notifications(first: 99999999999999999999999999) { totalCount } } }"),
            "BAD_USER_INPUT",
        ),
        (
            "an unknown operation",
            raw(
                &plain,
                b"{\"query\":\"{ serverInfo { version } }\",\"operationName\":\"X\"}",
            ),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "two content types",
            raw(&format!("{plain}{plain}"), b"{}"),
            "BAD_USER_INPUT",
        ),
        (
            "a batch",
            raw(&plain, b"[{\"query\":\"{ a }\"},{\"query\":\"{ a }\"}]"),
            "BAD_USER_INPUT",
        ),
        (
            "a form",
            raw("Content-Type: multipart/form-data; boundary=x\r\n", b"--x--"),
            "BAD_USER_INPUT",
        ),
    ]
}

async fn honest(server: &Server) -> (Reply, Duration) {
    let began = Instant::now();
    let reply = server.ask(&[]).await;
    (reply, began.elapsed())
}

#[tokio::test]
async fn attacks_are_refused_soon_and_cost_little() {
    let server = Server::with_settings(&[
        ("MERIDIAN_RATE_GUEST_REQUESTS", "100000"),
        ("MERIDIAN_RATE_GUEST_POINTS", "10000000"),
    ])
    .await;
    for _ in 0..5 {
        honest(&server).await;
    }
    let (_, before) = honest(&server).await;
    for (name, request, code) in attacks() {
        // What the test itself holds must not count.
        let memory = resident();
        let mut slowest = Duration::ZERO;
        for _ in 0..3 {
            let began = Instant::now();
            let reply = server.send_raw(&request).await;
            slowest = slowest.max(began.elapsed());
            assert!((200..500).contains(&reply.status), "{name}: {reply:?}");
            assert_eq!(reply.code(), code, "{name}: {reply:?}");
            assert!(reply.json()["data"].is_null(), "{name}: {reply:?}");
        }
        assert!(slowest < most(), "{name} took {slowest:?}");
        let grown = resident().saturating_sub(memory);
        assert!(grown <= 32 * MIB, "{name}: {} MiB", grown / MIB);
        let (reply, took) = honest(&server).await;
        assert_eq!(
            reply.json()["data"]["serverInfo"]["version"],
            env!("CARGO_PKG_VERSION"),
            "after {name}"
        );
        assert!(
            took < before * 10 + Duration::from_millis(250),
            "after {name}: {took:?} instead of {before:?}"
        );
    }
}

#[tokio::test]
async fn requests_that_are_no_http_end_the_connection() {
    let server = Server::start().await;
    for request in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
        b"GET /graphql\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, request)
            .await
            .unwrap();
        let mut answer = Vec::new();
        let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer);
        tokio::time::timeout(Duration::from_secs(5), read)
            .await
            .expect("closed")
            .ok();
        let text = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || text.starts_with("HTTP/1.1 400"), "{text}");
    }
    let many = format!(
        "GET /livez HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "X-A: b\r\n".repeat(5_000)
    );
    let reply = server.send_raw(many.as_bytes()).await;
    assert!((400..500).contains(&reply.status), "{reply:?}");
    assert_eq!(server.ask(&[]).await.status, 200);
}
