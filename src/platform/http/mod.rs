//! The only outgoing HTTP client of the house.
//!
//! Promises: https only, public addresses only (checked on the very address that gets connected, on each redirect again),
//! at most five redirects followed by hand, credentials left behind when a redirect leaves the origin, a deadline and a
//! size cap on every call, no proxies from the environment, and no log line with a path, query, header or body. The
//! operator opens exact `host:port` pairs for private addresses and plain http. Knows nothing of calendars or callers.

mod error;
mod guard;
mod message;
mod redirect;
mod resolve;
#[cfg(test)]
mod tests;

pub use error::HttpError;
pub use guard::OutboundAllow;
pub use message::{HttpRequest, HttpResponse, Limits};
pub use redirect::percent_decode;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use http::header::{AUTHORIZATION, CONTENT_ENCODING};
use url::Url;

const MAX_REDIRECTS: usize = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The outgoing client. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct HttpClient {
    allow: Arc<OutboundAllow>,
    guarded: reqwest::Client,
    listed: reqwest::Client,
}

impl std::fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpClient")
            .field("allow", &self.allow)
            .finish_non_exhaustive()
    }
}

impl HttpClient {
    /// Builds the client. `allow` are the `host:port` pairs that may be private and may speak plain http.
    ///
    /// # Errors
    /// [`HttpError::Tls`] when the system's certificates cannot be loaded.
    pub fn new(allow: OutboundAllow) -> Result<Self, HttpError> {
        // Another part may have installed the same provider first: then there is nothing to do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            allow: Arc::new(allow),
            guarded: build(resolve::PublicOnly)?,
            listed: build(resolve::Listed)?,
        })
    }

    /// The same client with other addresses opened, and only those; connections are shared.
    #[must_use]
    pub fn opened_to(&self, allow: OutboundAllow) -> Self {
        Self {
            allow: Arc::new(allow),
            ..self.clone()
        }
    }

    /// Sends one request and reads the whole answer. Statuses are data: only a missing or unusable answer is an error.
    ///
    /// # Errors
    /// See [`HttpError`]; each is a public sentence.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (method, host) = (
            request.method.clone(),
            request.url.host_str().unwrap_or_default().to_owned(),
        );
        let deadline = request.limits.timeout;
        let answer = tokio::time::timeout(deadline, self.follow(request))
            .await
            .unwrap_or(Err(HttpError::Timeout));
        match &answer {
            Ok(answer) => {
                tracing::debug!(%method, host, status = answer.status.as_u16(), bytes = answer.body.len(), "outgoing call")
            }
            Err(error) => tracing::debug!(%method, host, %error, "outgoing call failed"),
        }
        answer
    }

    async fn follow(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        adopt_credentials(&mut request);
        for _ in 0..=MAX_REDIRECTS {
            let response = self.once(&request).await?;
            let next = if request.follow {
                redirect::next(&request, response.status(), response.headers())?
            } else {
                None
            };
            let Some(next) = next else {
                return Ok(HttpResponse {
                    status: response.status(),
                    headers: response.headers().clone(),
                    final_url: request.url,
                    body: read_body(response, request.limits.max_body).await?,
                });
            };
            request = next;
        }
        Err(HttpError::TooManyRedirects)
    }

    async fn once(&self, request: &HttpRequest) -> Result<reqwest::Response, HttpError> {
        self.client_for(&request.url)?
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone())
            .send()
            .await
            .map_err(|error| HttpError::from_client(&error))
    }

    /// Listed hosts get the client without the address check; everything else must be https and public.
    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, HttpError> {
        let listed = self.allow.allows(url);
        match url.scheme() {
            "https" => {}
            "http" if listed => {}
            _ => return Err(HttpError::InsecureScheme),
        }
        if listed {
            Ok(&self.listed)
        } else if guard::is_blocked_literal(url) {
            Err(HttpError::BlockedAddress)
        } else {
            Ok(&self.guarded)
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this room is where the outgoing client is built"
)]
fn build(resolver: impl reqwest::dns::Resolve + 'static) -> Result<reqwest::Client, HttpError> {
    reqwest::Client::builder()
        .user_agent(concat!("Meridian/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .dns_resolver(Arc::new(resolver))
        .build()
        .map_err(|_| HttpError::Tls)
}

/// Moves a user name and password out of the URL, so that they cannot show up in logs or in `final_url`.
fn adopt_credentials(request: &mut HttpRequest) {
    let url = &mut request.url;
    if url.username().is_empty() && url.password().is_none() {
        return;
    }
    let value = basic_auth(
        &redirect::percent_decode(url.username()),
        &redirect::percent_decode(url.password().unwrap_or_default()),
    );
    redirect::strip_userinfo(url);
    request.headers.entry(AUTHORIZATION).or_insert(value);
}

/// The `Authorization` value of basic authentication, marked sensitive so that no layer prints it.
pub fn basic_auth(user: &str, password: &str) -> HeaderValue {
    use base64::Engine as _;
    let token = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let mut value =
        HeaderValue::from_str(&format!("Basic {token}")).expect("base64 is always a valid header value");
    value.set_sensitive(true);
    value
}

async fn read_body(mut response: reqwest::Response, max: usize) -> Result<Bytes, HttpError> {
    // The announced length is that of the compressed body; it only tells early that a plain one is too large.
    let plain = !response.headers().contains_key(CONTENT_ENCODING);
    if plain
        && response
            .content_length()
            .is_some_and(|length| length > max as u64)
    {
        return Err(HttpError::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| HttpError::from_client(&error))?
    {
        if body.len() + chunk.len() > max {
            return Err(HttpError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
