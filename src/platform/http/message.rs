//! What goes out and what comes back: plain data around one outgoing call.
//!
//! Promises: `Debug` of a request shows method and host, never headers, path, query or body.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

/// How long and how much a call may take. Both count the whole call, redirects included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the first lookup to the last byte of the body.
    pub timeout: Duration,
    /// Largest body accepted, in bytes after decompression.
    pub max_body: usize,
}

impl Default for Limits {
    /// 10 seconds and 5 MiB.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            max_body: 5 * 1024 * 1024,
        }
    }
}

/// One outgoing call.
#[derive(Clone)]
pub struct HttpRequest {
    /// Any HTTP method, those of WebDAV included.
    pub method: Method,
    /// Absolute URL. A user name and password in it are sent as basic authentication and nowhere else.
    pub url: Url,
    /// Headers to send. `Authorization` and `Cookie` are dropped when a redirect leaves the origin.
    pub headers: HeaderMap,
    /// Empty for none.
    pub body: Bytes,
    /// Deadline and size.
    pub limits: Limits,
    /// Whether redirects are followed; otherwise they are the answer.
    pub follow: bool,
}

impl HttpRequest {
    /// A call without headers and body, under the default limits.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            limits: Limits::default(),
            follow: true,
        }
    }

    /// Takes a redirect for the answer instead of following it.
    #[must_use]
    pub fn without_redirects(mut self) -> Self {
        self.follow = false;
        self
    }

    /// Sets one header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Replaces the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// The answer at the end of the redirects, whatever its status.
#[derive(Clone)]
pub struct HttpResponse {
    /// Status of the last answer.
    pub status: StatusCode,
    /// Headers of the last answer.
    pub headers: HeaderMap,
    /// Body, decompressed and within the limit.
    pub body: Bytes,
    /// Where the answer came from.
    pub final_url: Url,
}

impl HttpResponse {
    /// A header as text, when it is there and readable.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
