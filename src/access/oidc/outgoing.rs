//! The guarded client in the shape that the protocol crate wants. Promises: no redirects, five seconds and one mebibyte a call.

use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use url::Url;

use crate::platform::http::{self, HttpClient, HttpError, Limits};

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(5),
    max_body: 1024 * 1024,
};

/// Calls to a provider.
pub(super) struct Outgoing<'a>(pub(super) &'a HttpClient);

impl Outgoing<'_> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| HttpError::Protocol)?;
        let mut outgoing = http::HttpRequest::new(parts.method, url)
            .body(body)
            .limits(LIMITS)
            .without_redirects();
        outgoing.headers = parts.headers;
        let answer = self.0.send(outgoing).await?;
        let mut response = HttpResponse::new(answer.body.to_vec());
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Outgoing<'_> {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
