//! Where a redirect leads, and what of the request goes along.
//!
//! Promises: the method and body survive except where HTTP says otherwise (303, and POST answered by 301 or 302), so that
//! WebDAV methods work through `/.well-known/`; credentials never cross to another origin.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, PROXY_AUTHORIZATION};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::{HttpError, HttpRequest};

/// The request that follows this answer, or `None` when the answer is final.
pub(super) fn next(
    request: &HttpRequest,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<HttpRequest>, HttpError> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = headers.get(LOCATION) else {
        return Ok(None);
    };
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| HttpError::Protocol)?;
    let mut next = request.clone();
    next.url = request.url.join(location).map_err(|_| HttpError::Protocol)?;
    strip_userinfo(&mut next.url);
    if next.url.origin() != request.url.origin() {
        for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
            next.headers.remove(name);
        }
    }
    let becomes_get = match status.as_u16() {
        303 => next.method != Method::HEAD,
        301 | 302 => next.method == Method::POST,
        _ => false,
    };
    if becomes_get {
        next.method = Method::GET;
        next.body = Bytes::new();
        next.headers.remove(CONTENT_TYPE);
    }
    Ok(Some(next))
}

/// Removes a user name and password from a URL.
pub(super) fn strip_userinfo(url: &mut Url) {
    // Both only fail on URLs that cannot have them, which then have none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

/// Undoes percent-encoding, for showing a part of a URL to a person.
pub fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes
            .get(at + 1..at + 3)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match hex.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
