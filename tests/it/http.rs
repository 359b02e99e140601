//! GraphQL over HTTP as a client meets it: negotiation, methods, bodies, credentials and headers.

use axum::body::{Body, to_bytes};
use serde_json::json;
use tower::ServiceExt as _;

use crate::support::server::{Reply, Server};

const GRAPHQL: &str = "Accept: application/graphql-response+json";
const JSON: &str = "Content-Type: application/json";

#[tokio::test]
async fn the_accepted_media_type_is_answered() {
    let server = Server::start().await;
    for (accept, expected) in [
        ("Accept: application/json", "application/json; charset=utf-8"),
        ("Accept: */*", "application/json; charset=utf-8"),
        (GRAPHQL, "application/graphql-response+json; charset=utf-8"),
    ] {
        let reply = server.ask(&[accept]).await;
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, expected),
            "{accept}"
        );
        assert_eq!(
            reply.json()["data"]["serverInfo"]["version"],
            env!("CARGO_PKG_VERSION")
        );
    }
    assert_eq!(server.ask(&["Accept: text/html"]).await.status, 406);
}

#[tokio::test]
async fn a_failed_operation_tells_its_status_where_that_is_understood() {
    let server = Server::start().await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: ID!) { task(id: $id) { id } }", "BAD_USER_INPUT"),
        ("{ task(id: 1.5) { id } }", "BAD_USER_INPUT"),
        (
            "subscription { taskChanged(workspaceId: \"x\") { cursor } }",
            "BAD_USER_INPUT",
        ),
    ] {
        let body = json!({ "query": query });
        let reply = server.post(&[GRAPHQL], &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, code), "{query}");
        assert!(reply.json().get("data").is_none(), "{query}");
        assert_eq!(
            reply.json()["errors"][0]["extensions"]["requestId"],
            reply.header("x-request-id")
        );
        let familiar = server.post(&["Accept: application/json"], &body).await;
        assert_eq!(
            (familiar.status, familiar.code().as_str()),
            (200, code),
            "{query}"
        );
    }
}

#[tokio::test]
async fn requests_that_are_no_graphql_are_refused() {
    let server = Server::start().await;
    let post = async |headers: &[&str], body: &str| server.send("POST", "/graphql", headers, body).await;
    for body in [
        "",
        "{",
        "[]",
        "1",
        "{}",
        r#"{"query":1}"#,
        r#"{"query":"{ a }","variables":[]}"#,
        r#"[{"query":"{ a }"}]"#,
    ] {
        let reply = post(&[JSON], body).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "BAD_USER_INPUT"),
            "{body}"
        );
    }
    let body = r#"{"query":"{ serverInfo { version } }"}"#;
    for headers in [
        vec![],
        vec!["Content-Type: text/plain"],
        vec!["Content-Type: application/x-www-form-urlencoded"],
        vec!["Content-Type: multipart/form-data; boundary=x"],
        vec!["Content-Type: application/json; charset=latin1"],
        vec![JSON, "Content-Encoding: gzip"],
    ] {
        assert_eq!(post(&headers, body).await.status, 415, "{headers:?}");
    }
    for method in ["PUT", "DELETE", "PATCH", "HEAD"] {
        let reply = server.send(method, "/graphql", &[], "").await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, "GET, POST"),
            "{method}"
        );
    }
    let hash = json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": "00" } } });
    assert_eq!(server.post(&[], &hash).await.code(), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn only_queries_run_by_get() {
    let server = Server::start().await;
    let get = async |query: &str| {
        server
            .send("GET", &format!("/graphql?{query}"), &[GRAPHQL], "")
            .await
    };
    let reply = get("query=query(%24a:Boolean!)%7BserverInfo%7Bversion%20now%20%40skip(if:%24a)%7D%7D&variables=%7B%22a%22:true%7D").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(
        reply.json()["data"]["serverInfo"],
        json!({ "version": env!("CARGO_PKG_VERSION") })
    );
    let mutation = get("query=mutation%7B__typename%7D").await;
    assert_eq!((mutation.status, mutation.header("allow")), (405, "POST"));
    assert_eq!(get("query=%7B__typename%7D&variables=%5B").await.status, 400);
    assert_eq!(
        get("query=%7B__typename%7D&query=%7B__typename%7D").await.status,
        400
    );
    assert_eq!(get("").await.status, 400);
}

#[tokio::test]
async fn defaults_of_variables_decide_what_is_skipped() {
    let server = Server::start().await;
    let query = "query ($show: Boolean = false) { serverInfo { version now @include(if: $show) } }";
    let reply = server.post(&[], &json!({ "query": query })).await;
    assert_eq!(
        reply.json()["data"]["serverInfo"],
        json!({ "version": env!("CARGO_PKG_VERSION") })
    );
}

#[tokio::test]
async fn a_token_signs_in_and_a_wrong_one_is_not_ignored() {
    let server = Server::start().await;
    let token = server.token(&server.app.ana).await;
    let query = json!({ "query": "{ rateLimit { limit remaining cost } }" });
    let reply = server
        .post(&[&format!("Authorization: Bearer {token}"), GRAPHQL], &query)
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("cache-control"), "private, no-store");
    assert_eq!(
        reply.json()["data"]["rateLimit"],
        json!({ "limit": 100_000, "remaining": 99_996, "cost": 4 })
    );
    assert_eq!(reply.header("x-ratelimit-limit"), "100000");
    assert_eq!(reply.header("x-ratelimit-remaining"), "99996");
    assert_eq!(
        reply.header("ratelimit-policy"),
        r#""requests";q=1000;w=60, "points";q=100000;w=60"#
    );
    for wrong in [
        "Authorization: Bearer mrd_wrong",
        "Authorization: Basic YTpi",
        "Authorization: Bearer",
    ] {
        let reply = server.ask(&[wrong, GRAPHQL]).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, "UNAUTHENTICATED"),
            "{wrong}"
        );
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
}

async fn dev_login(server: &Server, headers: &[&str], email: &str) -> Reply {
    let headers: Vec<&str> = [JSON].into_iter().chain(headers.iter().copied()).collect();
    server
        .send(
            "POST",
            "/auth/dev-login",
            &headers,
            &json!({ "email": email }).to_string(),
        )
        .await
}

#[tokio::test]
async fn a_session_needs_more_than_its_cookie() {
    let server = Server::start().await;
    let login = dev_login(&server, &[], "Ana@Example.org").await;
    assert_eq!(login.status, 200, "{login:?}");
    assert_eq!(login.json()["user"]["id"], server.app.ana.user_id.to_string());
    let set = login.header("set-cookie");
    assert!(
        set.starts_with("meridian=") && set.contains("HttpOnly") && set.contains("SameSite=Lax"),
        "{set}"
    );
    let cookie = format!("Cookie: {}", set.split(';').next().unwrap());

    let foreign = "Origin: https://evil.example";
    for headers in [
        vec![],
        vec![foreign],
        vec![foreign, "X-Meridian-Csrf: 1"],
        vec!["Sec-Fetch-Site: cross-site"],
    ] {
        let headers: Vec<&str> = headers.into_iter().chain([cookie.as_str()]).collect();
        let reply = server.ask(&headers).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (403, "CSRF_FAILED"),
            "{headers:?}"
        );
    }
    for intent in [
        "X-Meridian-Csrf: 1",
        "Sec-Fetch-Site: same-origin",
        "Origin: http://127.0.0.1:8000",
    ] {
        assert_eq!(server.ask(&[&cookie, intent]).await.status, 200, "{intent}");
    }

    let logout = async |headers: &[&str]| server.send("POST", "/auth/logout", headers, "").await;
    assert_eq!(logout(&[&cookie]).await.status, 403);
    let out = logout(&[&cookie, "X-Meridian-Csrf: 1"]).await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(
        server.ask(&[&cookie, "X-Meridian-Csrf: 1"]).await.status,
        401,
        "the session is over on the server too"
    );
}

#[tokio::test]
async fn signing_in_for_development_is_narrow() {
    let server = Server::start().await;
    assert_eq!(
        dev_login(&server, &["Origin: https://evil.example"], "ana@example.org")
            .await
            .status,
        403
    );
    assert_eq!(dev_login(&server, &[], "nobody@example.org").await.status, 404);
    assert_eq!(dev_login(&server, &[], "nonsense").await.status, 400);
    let plain = server
        .send("POST", "/auth/dev-login", &["Content-Type: text/plain"], "{}")
        .await;
    assert_eq!(plain.status, 415);
    dev_login(&server, &[], "nobody@example.org").await;
    let sixth = dev_login(&server, &[], "ana@example.org").await;
    assert_eq!((sixth.status, sixth.code().as_str()), (429, "RATE_LIMITED"));

    let production = Server::with_settings(&[("MERIDIAN_ENV", "production")]).await;
    assert_eq!(dev_login(&production, &[], "ana@example.org").await.status, 404);
}

#[tokio::test]
async fn every_answer_is_dressed() {
    let server = Server::start().await;
    let reply = server.ask(&["X-Request-Id: trace-7"]).await;
    assert_eq!(reply.header("x-request-id"), "trace-7");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert!(reply.header("vary").contains("Accept"));
    let strange = server.ask(&["X-Request-Id: a b"]).await;
    assert_eq!(strange.header("x-request-id").len(), 32);
    let missing = server.send("GET", "/nothing", &[], "").await;
    assert_eq!((missing.status, missing.code().as_str()), (404, "NOT_FOUND"));
    assert!(!missing.header("x-request-id").is_empty());
}

#[tokio::test]
async fn pages_of_allowed_origins_may_call() {
    let server = Server::with_settings(&[("MERIDIAN_ALLOWED_ORIGINS", "https://app.example.org")]).await;
    let preflight = async |origin: &str| {
        let headers = [
            origin,
            "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: content-type,x-meridian-csrf",
        ];
        server.send("OPTIONS", "/graphql", &headers, "").await
    };
    let allowed = preflight("Origin: https://app.example.org").await;
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        "https://app.example.org"
    );
    assert_eq!(allowed.header("access-control-allow-credentials"), "true");
    assert!(
        allowed
            .header("access-control-allow-headers")
            .contains("x-meridian-csrf")
    );
    assert_eq!(
        preflight("Origin: https://evil.example")
            .await
            .header("access-control-allow-origin"),
        ""
    );
}

#[tokio::test]
async fn the_schema_and_the_playground_are_switches() {
    let server = Server::start().await;
    let get =
        async |server: &Server, path: &str, headers: &[&str]| server.send("GET", path, headers, "").await;
    let schema = get(&server, "/schema.graphql", &[]).await;
    assert!(schema.status == 200 && schema.body.contains("type Query"));
    let known = format!("If-None-Match: {}", schema.header("etag"));
    assert_eq!(get(&server, "/schema.graphql", &[&known]).await.status, 304);
    let page = get(&server, "/graphiql", &[]).await;
    assert!(
        page.status == 200
            && page
                .header("content-security-policy")
                .contains("script-src 'self'")
    );
    let introspection = json!({ "query": "{ __schema { types { name } } }" });
    assert_eq!(server.post(&[GRAPHQL], &introspection).await.status, 200);

    let closed = Server::with_settings(&[
        ("MERIDIAN_GRAPHIQL", "false"),
        ("MERIDIAN_INTROSPECTION", "false"),
    ])
    .await;
    for path in ["/schema.graphql", "/graphiql", "/graphiql/assets/index.html"] {
        assert_eq!(get(&closed, path, &[]).await.status, 404, "{path}");
    }
    let refused = closed.post(&[GRAPHQL], &introspection).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (400, "GRAPHQL_VALIDATION_FAILED")
    );
    let typo = closed
        .post(&[GRAPHQL], &json!({ "query": "{ serverInf { version } }" }))
        .await;
    assert!(!typo.body.contains("serverInfo"), "no suggestions: {}", typo.body);
}

#[tokio::test]
async fn health_is_told_and_readiness_ends_with_the_shutdown() {
    let server = Server::start().await;
    let get = async |path: &str| server.send("GET", path, &[], "").await;
    let health = get("/api/health").await;
    assert_eq!(health.status, 200);
    assert_eq!(health.json()["status"], "ok");
    assert_eq!(health.json()["services"][0]["name"], "database");
    assert_eq!(
        (get("/livez").await.status, get("/readyz").await.status),
        (200, 200)
    );
    server.app.platform.shutdown.cancel();
    assert_eq!(
        (get("/livez").await.status, get("/readyz").await.status),
        (200, 503)
    );
}

#[tokio::test]
async fn every_refusal_has_a_code() {
    let server = Server::start().await;
    for (method, target, status, code) in [
        ("DELETE", "/api/health", 405, "BAD_USER_INPUT"),
        ("PUT", "/auth/email", 405, "BAD_USER_INPUT"),
        ("GET", "/auth/logout", 405, "BAD_USER_INPUT"),
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("GET", "/auth/%ff", 404, "NOT_FOUND"),
        ("GET", "/ics/%ff.ics", 404, "NOT_FOUND"),
        ("GET", "/api/export/%ff", 404, "NOT_FOUND"),
    ] {
        let reply = server.send(method, target, &[], "").await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{method} {target}"
        );
        assert_eq!(
            reply.header("allow").is_empty(),
            status != 405,
            "{method} {target}"
        );
    }
    // Half a handshake, without `Connection: Upgrade`.
    let half = [
        "Upgrade: websocket",
        "Sec-WebSocket-Protocol: graphql-transport-ws",
    ];
    let reply = server.send("GET", "/graphql", &half, "").await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "BAD_USER_INPUT"));
    let large = "x".repeat(20_000);
    for target in ["/auth/email", "/auth/dev-login"] {
        let headers = ["Content-Type: application/json", "X-Meridian-Csrf: 1"];
        let reply = server.send("POST", target, &headers, &large).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (413, "BAD_USER_INPUT"),
            "{target}"
        );
    }
}

#[tokio::test]
async fn the_short_way_answers_as_the_router_does() {
    let server = Server::start().await;
    let router = meridian::web::router(server.web.clone());
    let token = format!("Authorization: Bearer {}", server.token(&server.app.ana).await);
    let query = r#"{"query":"{ serverInfo { version } }"}"#;
    let origin = format!(
        "Origin: {}",
        server
            .app
            .platform
            .config
            .public_url
            .origin()
            .ascii_serialization()
    );
    let foreign = "Origin: https://evil.example";
    let by_get = "/graphql?query=%7B__typename%7D";
    let cases: [(&str, &str, &[&str], &str); 14] = [
        ("POST", "/graphql", &[JSON], query),
        ("POST", "/graphql", &[JSON, GRAPHQL], query),
        ("POST", "/graphql", &[JSON, &token], query),
        ("POST", "/graphql", &[JSON, "Authorization: Bearer wrong"], query),
        ("POST", "/graphql", &[JSON, &origin], query),
        ("POST", "/graphql", &[JSON, foreign], query),
        ("POST", "/graphql", &[JSON, foreign, foreign], query),
        ("POST", "/graphql", &[JSON, "Host: other.example"], query),
        ("POST", "/graphql", &[JSON, "Accept: text/html"], query),
        ("POST", "/graphql", &[JSON], "{"),
        ("POST", "/graphql", &[], query),
        ("GET", by_get, &[&origin], ""),
        ("GET", "/graphql?query=mutation%7B__typename%7D", &[], ""),
        (
            "GET",
            by_get,
            &["User-Agent: short", "Cookie: meridian=wrong"],
            "",
        ),
    ];
    for (method, target, headers, body) in cases {
        let mut headers = headers.to_vec();
        headers.push("X-Request-Id: the-same");
        let short = server.send(method, target, &headers, body).await;
        let host = format!("Host: {}", server.address);
        headers.insert(0, &host);
        let mut request = http::Request::builder().method(method).uri(target);
        for (name, value) in headers.iter().filter_map(|line| line.split_once(": ")) {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let routed = router.clone().oneshot(request).await.unwrap();
        assert_eq!(short.status, routed.status().as_u16(), "{headers:?}");
        // Both ways have an address and so a budget of their own.
        let told = |name: &str, value: &str| {
            let is_own = name.contains("ratelimit");
            (name.to_owned(), if is_own { "" } else { value }.to_owned())
        };
        let listed: Vec<_> = short
            .headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "connection" | "date"))
            .map(|(name, value)| told(name, value))
            .collect();
        let expected: Vec<_> = routed
            .headers()
            .iter()
            .map(|(name, value)| told(name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(listed, expected, "{headers:?}");
        let expected = to_bytes(routed.into_body(), usize::MAX).await.unwrap();
        assert_eq!(short.body.as_bytes(), &expected[..], "{headers:?}");
    }
}
