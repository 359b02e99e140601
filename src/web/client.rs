//! Who is at the other end of a connection, before any credentials are checked: request id, address, user agent. Promises: every
//! answer and every log line carries the request id, and no answer lacks the security headers.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, USER_AGENT,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::auth::only;
use super::failure::Failure;
use super::{Web, reports};
use crate::config::Network;
use crate::kernel::ErrorCode;
use crate::kernel::actor::Origin;
use crate::platform::limits::Key;

/// The header with the id of a request.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
/// What every answer has, unless its page says something else.
const HARDENING: [(HeaderName, HeaderValue); 5] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    (OPENER_POLICY, HeaderValue::from_static("same-origin")),
];
const ALWAYS_HTTPS: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");
const FORWARDED_FOR: &str = "x-forwarded-for";
const LONGEST_REQUEST_ID: usize = 64;
const LONGEST_USER_AGENT: usize = 200;

/// The other end of a connection; the listener puts it on each request.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    address: SocketAddr,
    has_asked: Arc<AtomicBool>,
}

impl Peer {
    /// Somebody who has just connected.
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            has_asked: Arc::default(),
        }
    }

    /// Whether a request came, with all of its head.
    pub(super) fn has_asked(&self) -> bool {
        self.has_asked.load(Ordering::Relaxed)
    }

    /// Notes that a request came; where from.
    pub(super) fn asks(&self) -> IpAddr {
        self.has_asked.store(true, Ordering::Relaxed);
        self.address.ip()
    }
}

/// The client of one request. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Client(Arc<Who>);

/// What a [`Client`] is made of.
#[derive(Debug)]
pub(super) struct Who {
    pub(super) request_id: String,
    pub(super) address: IpAddr,
    pub(super) user_agent: Option<String>,
    /// An internal service, which no budget stops.
    pub(super) is_internal: bool,
}

impl std::ops::Deref for Client {
    type Target = Who;
    fn deref(&self) -> &Who {
        &self.0
    }
}

impl Client {
    /// Whoever sends these headers from this address.
    fn new(web: &Web, peer: IpAddr, headers: &HeaderMap) -> Self {
        let config = &web.platform.config;
        let (address, is_own) = client_address(peer, headers, &config.trusted_proxies);
        let is_near = |network: &Network| network.contains(address);
        Self(Arc::new(Who {
            request_id: request_id(headers).unwrap_or_else(|| web.platform.ids.uuid().simple().to_string()),
            address,
            user_agent: headers
                .get(USER_AGENT)
                .and_then(|value| value.to_str().ok())
                // Text of a header is ASCII.
                .map(|text| text.get(..LONGEST_USER_AGENT).unwrap_or(text).to_owned()),
            is_internal: is_own && config.internal_networks.iter().any(is_near),
        }))
    }

    /// Where the request comes from, as the audit log has it.
    pub(super) fn origin(&self) -> Origin {
        Origin {
            request_id: Some(self.request_id.clone()),
            ip_address: Some(self.address.to_string()),
            user_agent: self.user_agent.clone(),
            reply: None,
        }
    }

    /// The id of one of the operations that came with this request.
    pub(super) fn operation(&self, number: u32) -> String {
        format!("{}-{number}", self.request_id)
    }

    /// Whom a budget before sign-in belongs to. One household has many addresses of IPv6, so its network counts.
    pub(super) fn budget_key(&self) -> Key<'static> {
        Key::Address(match self.address {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }
}

/// A request that has a name.
pub(super) struct Named<'a> {
    web: &'a Web,
    /// The pattern of its path, not the real one: real ones may hold secrets.
    route: &'a str,
    pub(super) client: Client,
    began: Instant,
}

impl<'a> Named<'a> {
    /// Names a request that came in by this route.
    pub(super) fn new(web: &'a Web, peer: IpAddr, route: &'a str, headers: &HeaderMap) -> Self {
        Self {
            web,
            route,
            client: Client::new(web, peer, headers),
            began: Instant::now(),
        }
    }

    /// Lets it be answered in a span of its name, then counts and dresses the answer.
    pub(super) async fn run<F>(&self, method: &Method, answer: F) -> Response
    where
        F: Future<Output = Response>,
    {
        let platform = &self.web.platform;
        let answering = || {
            let span = tracing::info_span!(
                "request",
                id = %self.client.request_id,
                method = %method,
                path = self.route,
            );
            let answering = async {
                let response = answer.await;
                tracing::debug!(status = response.status().as_u16(), "answered");
                response
            };
            answering.instrument(span)
        };
        let mut response = reports::apart(platform, &self.client.request_id, answering).await;
        platform
            .metrics
            .http(self.route, response.status().as_u16(), self.began.elapsed());
        if let Some(code) = response.extensions().get::<ErrorCode>() {
            platform.metrics.error(*code);
        }
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&self.client.request_id) {
            headers.insert(REQUEST_ID, id);
        }
        harden(headers, platform.config.public_url.scheme() == "https");
        response
    }
}

/// Names the request, runs it in a span of that name, and dresses the answer.
pub(super) async fn identify(State(web): State<Web>, mut request: Request<Body>, next: Next) -> Response {
    let peer = request
        .extensions()
        .get::<Peer>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), Peer::asks);
    let path = request.extensions().get::<MatchedPath>().cloned();
    let route = path.as_ref().map_or("(unknown)", MatchedPath::as_str);
    let named = Named::new(&web, peer, route, request.headers());
    let repeated = repeated(request.headers());
    let method = request.method().clone();
    request.extensions_mut().insert(named.client.clone());
    let client = &named.client;
    let answer = async move {
        match repeated {
            Some(failure) => failure.answer(client),
            None => next.run(request).await,
        }
    };
    named.run(&method, answer).await
}

/// Whoever sends one of these twice may mean either, and a proxy between us may have looked at the other one.
pub(super) fn repeated(headers: &HeaderMap) -> Option<Failure> {
    [HOST, ORIGIN]
        .into_iter()
        .find_map(|name| only(headers, name).err())
}

fn harden(headers: &mut HeaderMap, https: bool) {
    for (name, value) in HARDENING {
        headers.entry(name).or_insert(value);
    }
    if https {
        headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(ALWAYS_HTTPS);
    }
}

/// The id that a client or proxy chose, when it is short and harmless in logs.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(REQUEST_ID)?.to_str().ok()?;
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!text.is_empty() && text.len() <= LONGEST_REQUEST_ID && text.chars().all(harmless)).then(|| text.into())
}

/// The address of the client: that of the connection, or what trusted proxies say. Read from the right, because everything left of
/// the first untrusted address may be invented. False beside it when a proxy speaks for somebody whose address it does not say, as
/// `unknown`: then it is the proxy's, whose rights nobody gets by that.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> (IpAddr, bool) {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut address = peer.to_canonical();
    if !is_trusted(address) {
        return (address, true);
    }
    // Clients may send any bytes, which proxies hand on before what they say themselves.
    let lists: Vec<Cow<'_, str>> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    for text in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
        let Some(hop) = hop(text.trim()) else {
            return (address, false);
        };
        address = hop.to_canonical();
        if !is_trusted(address) {
            break;
        }
    }
    (address, true)
}

/// An address as proxies write it: some with the port of the connection behind it, and those of IPv6 in brackets then.
fn hop(text: &str) -> Option<IpAddr> {
    let in_brackets = || {
        let inside = text.strip_prefix('[')?.strip_suffix(']')?;
        inside.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    let plain = text.parse::<IpAddr>().ok();
    plain
        .or_else(|| text.parse::<SocketAddr>().ok().map(|hop| hop.ip()))
        .or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let trusted = [Network::parse("10.0.0.0/8").unwrap()];
        let (address, is_own) = client_address(peer.parse().unwrap(), &headers, &trusted);
        let whose = if is_own { "" } else { " for somebody" };
        format!("{address}{whose}")
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(address("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(address("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            address("10.0.0.1", &["6.6.6.6, 198.51.100.1, 10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(address("10.0.0.1", &["6.6.6.6", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(address("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1", &["nonsense"]), "10.0.0.1 for somebody");
        assert_eq!(address("10.0.0.1", &["198.51.100.1, "]), "10.0.0.1 for somebody");
        assert_eq!(address("10.0.0.1", &["\u{e4}, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1", &["\u{e4}"]), "10.0.0.1 for somebody");
        assert_eq!(address("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        assert_eq!(address("10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(
            address("10.0.0.1", &["198.51.100.1:4711, 10.0.0.2:80"]),
            "198.51.100.1"
        );
        for text in ["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443"] {
            assert_eq!(address("10.0.0.1", &[text]), "2001:db8::1");
        }
        assert_eq!(address("10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
        for text in [
            "198.51.100.1:",
            "[198.51.100.1]",
            "[2001:db8::1",
            "198.51.100.1:99999",
        ] {
            assert_eq!(address("10.0.0.1", &[text]), "10.0.0.1 for somebody", "{text}");
        }
    }

    #[test]
    fn a_strange_request_id_is_replaced() {
        let id = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, text.parse().unwrap());
            request_id(&headers)
        };
        assert_eq!(id("trace-1.2_3").as_deref(), Some("trace-1.2_3"));
        assert!(
            id("").is_none() && id("a b").is_none() && id("a\"b").is_none() && id(&"a".repeat(65)).is_none()
        );
    }
}
