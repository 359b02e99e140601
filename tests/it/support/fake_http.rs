//! A small server for tests that answers with whatever a closure says, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

/// A running fake. Ends with the test's runtime.
pub struct FakeHttp {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FakeHttp {
    /// Starts a server; the closure answers each request and gets its number, from 0.
    pub async fn start(answer: impl Fn(usize, &Asked) -> Response + Clone + Send + Sync + 'static) -> Self {
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let log = asked.clone();
        let routes = Router::new().fallback(move |request: Request| {
            let (answer, log) = (answer.clone(), log.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20)
                    .await
                    .expect("the request has a small body");
                let asked = Asked {
                    method: parts.method,
                    path: parts.uri.path().to_owned(),
                    headers: parts.headers,
                    body: String::from_utf8_lossy(&body).into_owned(),
                };
                let number = {
                    let mut log = log.lock().expect("no test panics while it holds the log");
                    log.push(asked.clone());
                    log.len() - 1
                };
                answer(number, &asked)
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        #[allow(
            clippy::disallowed_methods,
            reason = "lives exactly as long as the test's runtime"
        )]
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, asked }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked
            .lock()
            .expect("no test panics while it holds the log")
            .clone()
    }
}

/// A `207 Multi-Status` around these responses.
pub fn multistatus(inner: &str) -> Response {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><d:multistatus xmlns:d=\"DAV:\" \
         xmlns:c=\"urn:ietf:params:xml:ns:caldav\" xmlns:cs=\"http://calendarserver.org/ns/\">{inner}</d:multistatus>"
    );
    (
        StatusCode::MULTI_STATUS,
        [("content-type", "application/xml; charset=utf-8")],
        xml,
    )
        .into_response()
}

/// A response with found properties.
pub fn found(href: &str, properties: &str) -> String {
    format!(
        "<d:response><d:href>{href}</d:href><d:propstat><d:prop>{properties}</d:prop>\
         <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )
}

/// A response with a status only.
pub fn status(href: &str, status: u16) -> String {
    format!("<d:response><d:href>{href}</d:href><d:status>HTTP/1.1 {status} X</d:status></d:response>")
}
