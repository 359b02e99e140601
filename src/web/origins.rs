//! Which web pages may act for a signed-in person. Promises: an `Origin` is compared with configured ones, never with what the
//! request says about itself, so that a page under a foreign name cannot vouch for itself.

use std::collections::HashSet;

use http::header::ORIGIN;
use http::{HeaderMap, HeaderValue};
use url::{Host, Url};

use crate::config::Config;

/// A header that pages of other origins cannot send without a preflight.
pub(super) const CSRF_HEADER: &str = "x-meridian-csrf";

/// The pages that are trusted.
pub(super) struct Origins {
    allowed: HashSet<String>,
    /// Port on which any loopback name counts as this server, in development.
    development_port: Option<u16>,
}

impl Origins {
    pub(super) fn new(config: &Config) -> Self {
        let mut allowed: HashSet<String> = config.allowed_origins.iter().cloned().collect();
        allowed.insert(config.public_url.origin().ascii_serialization());
        let development_port = config.env.is_development().then(|| config.listen.port());
        Self {
            allowed,
            development_port,
        }
    }

    /// Whether pages of this origin are trusted.
    pub(super) fn allows(&self, origin: &str) -> bool {
        self.allowed.contains(origin) || self.is_this_machine(origin)
    }

    /// The same for the origin as the header has it.
    pub(super) fn allows_header(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origin| self.allows(origin))
    }

    /// Whether the request comes from no page at all or from a trusted one.
    pub(super) fn allows_request(&self, headers: &HeaderMap) -> bool {
        headers
            .get(ORIGIN)
            .is_none_or(|origin| self.allows_header(origin))
    }

    /// Whether a request that relies on a cookie was really meant: it carries a header that foreign pages cannot send, or the
    /// browser says that it comes from a trusted page.
    pub(super) fn is_intended(&self, headers: &HeaderMap) -> bool {
        if !self.allows_request(headers) {
            return false;
        }
        let same_origin = headers
            .get("sec-fetch-site")
            .is_some_and(|site| site == "same-origin");
        headers.contains_key(CSRF_HEADER) || same_origin || headers.contains_key(ORIGIN)
    }

    fn is_this_machine(&self, origin: &str) -> bool {
        let Some(port) = self.development_port else {
            return false;
        };
        let Ok(url) = Url::parse(origin) else { return false };
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        loopback && url.scheme() == "http" && url.port_or_known_default() == Some(port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(pairs: &[(&str, &str)]) -> Origins {
        let values = pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        Origins::new(&Config::parse(&values).unwrap())
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_configured_pages_are_trusted() {
        let origins = origins(&[("MERIDIAN_ALLOWED_ORIGINS", "https://app.example.org")]);
        assert!(origins.allows("https://app.example.org"));
        assert!(origins.allows("http://127.0.0.1:8000") && origins.allows("http://localhost:8000"));
        for foreign in [
            "https://evil.example",
            "http://app.example.org",
            "http://localhost:3000",
            "http://evil.example:8000",
            "null",
        ] {
            assert!(!origins.allows(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_cookie_alone_is_no_intention() {
        let origins = origins(&[]);
        assert!(!origins.is_intended(&headers(&[])));
        assert!(!origins.is_intended(&headers(&[("sec-fetch-site", "cross-site")])));
        assert!(!origins.is_intended(&headers(&[
            ("origin", "https://evil.example"),
            ("x-meridian-csrf", "1")
        ])));
        assert!(origins.is_intended(&headers(&[("x-meridian-csrf", "1")])));
        assert!(origins.is_intended(&headers(&[("sec-fetch-site", "same-origin")])));
        assert!(origins.is_intended(&headers(&[("origin", "http://127.0.0.1:8000")])));
    }
}
