//! Why an outgoing request failed, in words that may be shown to the person who asked for it.
//!
//! Promises: no message carries a path, a query, a header or a body. Knows nothing of what the request was for.

use super::resolve::{BlockedName, UnknownName};

/// A request that got no usable answer. `Display` is a public sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The address is private, local or reserved, and the operator did not allow it.
    #[error("This address is not public, and the operator of this server has not allowed it.")]
    BlockedAddress,
    /// The URL is not https (or not http at all), and the operator did not allow it.
    #[error("Only https addresses are allowed.")]
    InsecureScheme,
    /// The host name does not exist.
    #[error("The host name could not be found.")]
    Dns,
    /// Nothing answered, or the connection broke before the answer.
    #[error("The server could not be reached.")]
    Connect,
    /// The deadline of the call passed.
    #[error("The server took too long to answer.")]
    Timeout,
    /// The answer, once decompressed, is larger than the caller accepts.
    #[error("The server's answer is too large.")]
    TooLarge,
    /// The chain of redirects did not end.
    #[error("The server redirects too many times.")]
    TooManyRedirects,
    /// The certificate or the handshake is not acceptable.
    #[error("A secure connection to the server could not be made.")]
    Tls,
    /// What came back is not HTTP as we know it.
    #[error("The server did not answer in a way that can be understood.")]
    Protocol,
}

impl HttpError {
    /// Finds the cause inside the client's nested error. The original is dropped, because its text holds the URL.
    pub(super) fn from_client(error: &reqwest::Error) -> Self {
        let mut source = std::error::Error::source(error);
        while let Some(mut cause) = source {
            // An I/O error does not name what it wraps as its source: look inside by hand.
            while let Some(inner) = cause.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()) {
                cause = inner;
            }
            if cause.is::<BlockedName>() {
                return Self::BlockedAddress;
            }
            if cause.is::<UnknownName>() {
                return Self::Dns;
            }
            if cause.is::<rustls::Error>() {
                return Self::Tls;
            }
            source = cause.source();
        }
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() || error.is_request() {
            Self::Connect
        } else {
            Self::Protocol
        }
    }
}
