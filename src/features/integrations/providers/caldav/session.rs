//! One account on one server: how a WebDAV request gets there and back.
//!
//! Promises: the password goes to the server it was given for (and hosts of the same service) and nowhere else. Request
//! bodies and headers come from libdav; the answers are read by `multistatus`.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode, Uri};
use libdav::requests::DavRequest;
use url::Url;

use super::href;
use crate::features::integrations::providers::{Credentials, ProviderError};
use crate::platform::http::{HttpClient, HttpRequest, HttpResponse, Limits, basic_auth};

/// For questions with short answers.
pub(super) const SMALL: Limits = Limits {
    timeout: Duration::from_secs(20),
    max_body: 4 * MIB,
};
/// For the list of a whole calendar: some 100,000 objects. Servers may have to read each of them to answer.
pub(super) const LISTING: Limits = Limits {
    timeout: Duration::from_secs(120),
    max_body: 48 * MIB,
};
/// For a batch of objects.
pub(super) const BATCH: Limits = Limits {
    timeout: Duration::from_secs(60),
    max_body: 16 * MIB,
};

const MIB: usize = 1024 * 1024;

/// libdav wants a path for every request; only the method, headers and body it makes are used.
pub(super) const NO_PATH: &str = "/";

pub(super) struct Session {
    http: HttpClient,
    base: Url,
    auth: Option<HeaderValue>,
}

impl Session {
    pub(super) fn new(http: HttpClient, base: Url, credentials: Option<&Credentials>) -> Self {
        let auth = credentials.map(|given| basic_auth(&given.username, &given.password));
        Self { http, base, auth }
    }

    /// The address that was connected.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// Sends a request and returns the answer whatever its status.
    pub(super) async fn send<R: DavRequest>(
        &self,
        request: &R,
        url: &Url,
        limits: Limits,
    ) -> Result<HttpResponse, ProviderError> {
        let prepared = request
            .prepare_request(Uri::from_static("http://unused.invalid"))
            .map_err(|_| ProviderError::Protocol("The request could not be built.".into()))?;
        let (parts, body) = prepared.into_parts();
        let mut outgoing = HttpRequest::new(parts.method, url.clone())
            .body(body)
            .limits(limits);
        outgoing.headers = parts.headers;
        outgoing.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/xml; charset=utf-8"),
        );
        let answer = self.http.send(self.with_auth(outgoing.clone())).await?;
        // A redirect to another host of the same service arrives there without the password: knock again with it.
        let moved = answer.final_url.origin() != url.origin();
        if answer.status == StatusCode::UNAUTHORIZED && moved && self.may_know_password(&answer.final_url) {
            outgoing.url = answer.final_url;
            return Ok(self.http.send(self.with_auth(outgoing)).await?);
        }
        Ok(answer)
    }

    fn with_auth(&self, mut request: HttpRequest) -> HttpRequest {
        if let Some(auth) = &self.auth
            && self.may_know_password(&request.url)
        {
            request.headers.insert(AUTHORIZATION, auth.clone());
        }
        request
    }

    fn may_know_password(&self, url: &Url) -> bool {
        self.auth.is_some() && href::trusts(&self.base, url)
    }
}
