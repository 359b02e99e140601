//! Abuse is input too: refused soon, with a code, in little memory, and the next honest request is served as before.

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::TestApp;
use crate::support::program::Program;
use crate::support::server::{Reply, Server, exchange};

const JSON: &str = "Content-Type: application/json";
const MIB: u64 = 1024 * 1024;

/// How long a refusal may take. The fastest of a few tries counts, because the machine of a test is busy with other tests.
const SOON: Duration = Duration::from_millis(200);
const TRIES: usize = 5;
/// Time that the servers of the slow attacks allow.
const DEADLINE: Duration = Duration::from_secs(1);

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

/// What becomes a hundred times as large for whoever unpacks it.
fn bomb() -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed
        .write_all(b"{\"query\":\"{ serverInfo { version } }\"")
        .unwrap();
    for _ in 0..64 {
        packed.write_all(&vec![b' '; MIB as usize]).unwrap();
    }
    packed.write_all(b"}").unwrap();
    packed.finish().unwrap()
}

/// Name, request and code of the refusal.
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
    let form = |body: &[u8]| {
        let text = String::from_utf8(raw(
            "X-Meridian-Csrf: 1\r\nContent-Type: application/json\r\n",
            b"",
        ))
        .unwrap();
        let head = text
            .replace("/graphql", "/auth/email")
            .replace("Length: 0", &format!("Length: {}", body.len()));
        [head.as_bytes(), body].concat()
    };
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
            "10 MB for a form",
            form(&vec![b' '; 10_000_000]),
            "BAD_USER_INPUT",
        ),
        (
            "a gzip bomb",
            raw(&format!("{plain}Content-Encoding: gzip\r\n"), &bomb()),
            "BAD_USER_INPUT",
        ),
        (
            "a gzip bomb without a word",
            raw(&plain, &bomb()),
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
            "two tokens",
            raw(
                &format!("{plain}{0}{0}", "Authorization: Bearer mrd_x\r\n"),
                b"{}",
            ),
            "BAD_USER_INPUT",
        ),
        (
            "two idempotency keys",
            raw(&format!("{plain}{0}{0}", "Idempotency-Key: a\r\n"), b"{}"),
            "BAD_USER_INPUT",
        ),
        (
            "two hosts",
            raw(&format!("{plain}Host: y\r\n"), b"{}"),
            "BAD_USER_INPUT",
        ),
        (
            "two origins",
            raw(
                &format!("{plain}{0}{0}", "Origin: http://127.0.0.1:8000\r\n"),
                b"{}",
            ),
            "BAD_USER_INPUT",
        ),
        (
            "a method that nobody has",
            b"BREW /auth/email HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(),
            "BAD_USER_INPUT",
        ),
        (
            "an address that is no text",
            b"GET /auth/%ff%fe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(),
            "NOT_FOUND",
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

/// How long an honest request takes at best.
async fn honest(program: &Program) -> Duration {
    let request = query("{ serverInfo { version } }");
    let mut fastest = Duration::MAX;
    for _ in 0..TRIES {
        let began = Instant::now();
        let reply = exchange(program.address, &request).await;
        fastest = fastest.min(began.elapsed());
        assert_eq!(
            reply.json()["data"]["serverInfo"]["version"],
            env!("CARGO_PKG_VERSION"),
            "{reply:?}"
        );
    }
    fastest
}

/// Whether honest requests are served as before, but for what a busy machine does to a few milliseconds.
fn is_as_before(before: Duration, after: Duration) -> bool {
    after < before * 2 + Duration::from_millis(20)
}

/// A server that does not count requests, because the limits under test are others.
async fn generous(app: &TestApp) -> Program {
    let settings = [
        ("MERIDIAN_RATE_GUEST_REQUESTS", "100000"),
        ("MERIDIAN_RATE_GUEST_POINTS", "10000000"),
        ("MERIDIAN_RATE_SIGN_INS", "100000"),
        ("MERIDIAN_LIMIT_HEADER_SECONDS", "1"),
        ("MERIDIAN_LIMIT_BODY_SECONDS", "1"),
    ];
    Program::start(app, &settings).await
}

#[tokio::test]
async fn attacks_are_refused_soon_and_cost_little() {
    let app = TestApp::start().await;
    let program = generous(&app).await;
    honest(&program).await;
    let before = honest(&program).await;
    for (name, request, code) in attacks() {
        let memory = program.resident();
        let mut fastest = Duration::MAX;
        for _ in 0..TRIES {
            let began = Instant::now();
            let reply: Reply = exchange(program.address, &request).await;
            fastest = fastest.min(began.elapsed());
            assert!((200..500).contains(&reply.status), "{name}: {reply:?}");
            assert_eq!(reply.code(), code, "{name}: {reply:?}");
            assert!(reply.json()["data"].is_null(), "{name}: {reply:?}");
        }
        assert!(fastest < SOON, "{name} took {fastest:?}");
        let grown = program.peak().saturating_sub(memory);
        assert!(grown <= 32 * MIB, "{name}: {} KiB", grown / 1024);
        let after = honest(&program).await;
        assert!(
            is_as_before(before, after),
            "after {name}: {after:?} instead of {before:?}"
        );
    }
}

/// Beginnings of requests whose ends never come, and what is said to them when their time is over; nothing is said to those who have not
/// asked for anything yet.
const SLOW: [(&str, &str); 6] = [
    ("", ""),
    // The greeting of HTTP/2, which is how a connection says which version it speaks.
    ("PRI * HTTP/2.0\r\n\r\nS", ""),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
    ("POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ", ""),
    (
        "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        "BAD_USER_INPUT",
    ),
    (
        "POST /auth/email HTTP/1.1\r\nHost: x\r\nX-Meridian-Csrf: 1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        "BAD_USER_INPUT",
    ),
];

#[tokio::test]
async fn whoever_is_slow_is_not_waited_for_and_holds_nobody_up() {
    let app = TestApp::start().await;
    let program = generous(&app).await;
    honest(&program).await;
    let before = honest(&program).await;
    let memory = program.resident();
    let mut waiting = Vec::new();
    for _ in 0..40 {
        for (start, said) in SLOW {
            let address = program.address;
            waiting.push(tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(start.as_bytes()).await.unwrap();
                let began = Instant::now();
                let mut answer = Vec::new();
                let mut part = [0; 4096];
                // A connection for one request may stay open for the next one: what counts is the answer, or the end.
                loop {
                    let read = timeout(Duration::from_secs(10), stream.read(&mut part)).await;
                    let length = read
                        .unwrap_or_else(|_| panic!("{start:?} is waited for"))
                        .unwrap_or(0);
                    answer.extend(&part[..length]);
                    let text = String::from_utf8_lossy(&answer);
                    if length == 0 || (!said.is_empty() && text.contains(said)) {
                        break;
                    }
                }
                let text = String::from_utf8_lossy(&answer).into_owned();
                assert!(text.contains(said), "{start:?}: {text}");
                assert!(
                    said.is_empty() || text.starts_with("HTTP/1.1 408"),
                    "{start:?}: {text}"
                );
                began.elapsed()
            }));
        }
    }
    let during = honest(&program).await;
    assert!(is_as_before(before, during), "{during:?} instead of {before:?}");
    let mut fastest = Duration::MAX;
    for one in waiting {
        fastest = fastest.min(one.await.unwrap());
    }
    assert!(
        (DEADLINE / 2..DEADLINE + SOON).contains(&fastest),
        "the time is over after {fastest:?}"
    );
    let grown = program.peak().saturating_sub(memory);
    assert!(grown <= 32 * MIB, "{} KiB", grown / 1024);
    let after = honest(&program).await;
    assert!(is_as_before(before, after), "{after:?} instead of {before:?}");
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
