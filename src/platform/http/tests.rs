//! The client against small servers on the loopback address.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};

use super::*;

/// A server that ends with the test's runtime.
async fn serve(routes: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    #[allow(
        clippy::disallowed_methods,
        reason = "a test's server lives exactly as long as the test's runtime"
    )]
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

fn client(allowed: &[SocketAddr]) -> HttpClient {
    HttpClient::new(OutboundAllow::new(allowed.iter().map(ToString::to_string))).unwrap()
}

fn get_url(address: SocketAddr, path: &str) -> HttpRequest {
    HttpRequest::new(
        Method::GET,
        Url::parse(&format!("http://{address}{path}")).unwrap(),
    )
}

/// Tells what arrived: method, agent, authorization, body.
async fn echo(method: Method, headers: HeaderMap, body: String) -> String {
    let text = |name: &str| headers.get(name).map_or("-", |v| v.to_str().unwrap()).to_owned();
    format!("{method} {} {} {body}", text("user-agent"), text("authorization"))
}

#[tokio::test]
async fn a_listed_address_answers_and_sees_our_name() {
    let server = serve(Router::new().route("/", any(echo))).await;
    let answer = client(&[server]).send(get_url(server, "/?a=1")).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.body,
        format!("GET Meridian/{} - ", env!("CARGO_PKG_VERSION"))
    );
}

#[tokio::test]
async fn addresses_that_are_not_listed_are_refused() {
    let client = client(&[]);
    for (url, expected) in [
        ("http://127.0.0.1:1/", HttpError::InsecureScheme),
        ("https://127.0.0.1:1/", HttpError::BlockedAddress),
        ("https://[::1]/", HttpError::BlockedAddress),
        (
            "https://169.254.169.254/latest/meta-data/",
            HttpError::BlockedAddress,
        ),
        // By name: only the resolver can see where this leads.
        ("https://localhost:1/", HttpError::BlockedAddress),
        ("ftp://example.com/", HttpError::InsecureScheme),
        ("file:///etc/passwd", HttpError::InsecureScheme),
        ("https://does-not-exist.invalid/", HttpError::Dns),
    ] {
        let request = HttpRequest::new(Method::GET, Url::parse(url).unwrap());
        assert_eq!(client.send(request).await.unwrap_err(), expected, "{url}");
    }
}

#[tokio::test]
async fn a_redirect_is_checked_again() {
    let hidden = serve(Router::new().route("/", get("secret"))).await;
    let target = format!("http://{hidden}/");
    let secure = format!("https://{hidden}/");
    let routes = Router::new()
        .route("/plain", get(|| async move { Redirect::temporary(&target) }))
        .route("/secure", get(|| async move { Redirect::temporary(&secure) }));
    let open = serve(routes).await;
    let client = client(&[open]);
    assert_eq!(
        client.send(get_url(open, "/plain")).await.unwrap_err(),
        HttpError::InsecureScheme
    );
    assert_eq!(
        client.send(get_url(open, "/secure")).await.unwrap_err(),
        HttpError::BlockedAddress
    );
}

#[tokio::test]
async fn redirects_keep_webdav_methods_and_end() {
    let routes = Router::new()
        .route(
            "/from",
            any(|| async { (StatusCode::MOVED_PERMANENTLY, [("location", "/to")]) }),
        )
        .route(
            "/see",
            any(|| async { (StatusCode::SEE_OTHER, [("location", "to")]) }),
        )
        .route("/loop", any(|| async { Redirect::temporary("/loop") }))
        .route("/to", any(echo));
    let server = serve(routes).await;
    let client = client(&[server]);
    let with = |path: &str, method: &str| {
        let mut request = get_url(server, path)
            .body("b")
            .header(AUTHORIZATION, basic_auth("a", "b"));
        request.method = Method::from_bytes(method.as_bytes()).unwrap();
        request
    };
    let agent = concat!("Meridian/", env!("CARGO_PKG_VERSION"));
    let kept = client.send(with("/from", "PROPFIND")).await.unwrap();
    assert_eq!(kept.body, format!("PROPFIND {agent} Basic YTpi b"));
    assert_eq!(kept.final_url.path(), "/to");
    assert_eq!(
        client.send(with("/from", "POST")).await.unwrap().body,
        format!("GET {agent} Basic YTpi ")
    );
    assert_eq!(
        client.send(with("/see", "PUT")).await.unwrap().body,
        format!("GET {agent} Basic YTpi ")
    );
    assert_eq!(
        client.send(with("/loop", "GET")).await.unwrap_err(),
        HttpError::TooManyRedirects
    );
}

#[tokio::test]
async fn credentials_stay_at_their_origin() {
    let other = serve(Router::new().route("/", any(echo))).await;
    let target = format!("http://x:y@{other}/");
    let first = serve(
        Router::new()
            .route("/away", get(|| async move { Redirect::temporary(&target) }))
            .route("/", any(echo)),
    )
    .await;
    let client = client(&[first, other]);
    let mut request = get_url(first, "/away");
    request.url.set_username("us%40er").unwrap();
    request.url.set_password(Some("pass")).unwrap();
    let there = client.send(request.clone()).await.unwrap();
    assert!(there.body.ends_with(b" - "), "{:?}", there.body);
    assert_eq!(there.final_url.as_str(), format!("http://{other}/"));
    request.url.set_path("/");
    let here = client.send(request).await.unwrap();
    assert!(here.body.ends_with(b"Basic dXNAZXI6cGFzcw== "), "{:?}", here.body);
    assert_eq!(here.final_url.as_str(), format!("http://{first}/"));
}

#[tokio::test]
async fn a_large_body_is_cut_off_also_when_its_length_is_not_told() {
    let told = |size: usize| async move { vec![b'x'; size] };
    let untold = || async {
        let chunks = futures_util::stream::iter((0..64).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1024])));
        Response::new(Body::from_stream(chunks)).into_response()
    };
    let routes = Router::new()
        .route("/fits", get(move || told(1000)))
        .route("/told", get(move || told(1001)))
        .route("/untold", get(untold));
    let server = serve(routes).await;
    let client = client(&[server]);
    let limits = Limits {
        max_body: 1000,
        ..Limits::default()
    };
    assert_eq!(
        client
            .send(get_url(server, "/fits").limits(limits))
            .await
            .unwrap()
            .body
            .len(),
        1000
    );
    for path in ["/told", "/untold"] {
        assert_eq!(
            client
                .send(get_url(server, path).limits(limits))
                .await
                .unwrap_err(),
            HttpError::TooLarge,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_body_counts_after_decompression() {
    // 1 MiB of zeros, gzipped by the server's own layer.
    let routes = Router::new()
        .route("/", get(|| async { vec![b'0'; 1024 * 1024] }))
        .layer(tower_http::compression::CompressionLayer::new());
    let server = serve(routes).await;
    let client = client(&[server]);
    let limits = |max_body| Limits {
        max_body,
        ..Limits::default()
    };
    let whole = client
        .send(get_url(server, "/").limits(limits(1024 * 1024)))
        .await
        .unwrap();
    assert_eq!(whole.body.len(), 1024 * 1024);
    assert_eq!(
        client
            .send(get_url(server, "/").limits(limits(512 * 1024)))
            .await
            .unwrap_err(),
        HttpError::TooLarge
    );
}

#[tokio::test]
async fn a_slow_or_dead_server_ends_in_time() {
    let slow = || async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        "late"
    };
    let server = serve(Router::new().route("/", get(slow))).await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let client = client(&[server, nobody]);
    let limits = Limits {
        timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    assert_eq!(
        client
            .send(get_url(server, "/").limits(limits))
            .await
            .unwrap_err(),
        HttpError::Timeout
    );
    assert_eq!(
        client.send(get_url(nobody, "/")).await.unwrap_err(),
        HttpError::Connect
    );
}

#[tokio::test]
async fn plain_text_on_a_secure_port_is_a_tls_error() {
    let server = serve(Router::new().route("/", get("hi"))).await;
    let request = HttpRequest::new(Method::GET, Url::parse(&format!("https://{server}/")).unwrap());
    assert_eq!(client(&[server]).send(request).await.unwrap_err(), HttpError::Tls);
}

#[test]
fn debug_output_has_no_secrets() {
    let url = Url::parse("https://me:pw@example.com/private/path?token=abc").unwrap();
    let request = HttpRequest::new(Method::GET, url)
        .header(AUTHORIZATION, basic_auth("me", "pw"))
        .body("words");
    let shown = format!("{request:?}");
    assert!(shown.contains("example.com"));
    for secret in ["pw", "private", "token", "words", "Basic"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
