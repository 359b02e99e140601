//! Failures outside of GraphQL execution, in the same shape as GraphQL errors: `{"errors": [{message, extensions: {code, requestId}}]}`.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::client::Client;
use crate::kernel::{Error, ErrorCode};

/// The status that fits a code when a whole request fails with it.
pub(super) const fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::CsrfFailed => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::IdempotencyConflict => StatusCode::CONFLICT,
        ErrorCode::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::BadUserInput
        | ErrorCode::QueryTooComplex
        | ErrorCode::QueryTooDeep
        | ErrorCode::GraphqlParseFailed
        | ErrorCode::GraphqlValidationFailed
        | ErrorCode::PersistedQueryNotFound
        | ErrorCode::PersistedQueryRequired
        | ErrorCode::CursorExpired => StatusCode::BAD_REQUEST,
    }
}

/// A failed request: the status may be more exact than the code alone would have it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) error: Error,
    /// More headers, for example `Allow`.
    pub(super) headers: Vec<(http::HeaderName, HeaderValue)>,
    /// Media type of the body.
    pub(super) media_type: &'static str,
}

impl Failure {
    pub(super) fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            status,
            ..Self::from(Error::coded(code, message))
        }
    }

    /// A request that cannot be read.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::from(Error::bad_input(message))
    }

    pub(super) fn with_header(mut self, name: http::HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// The answer; the cause of a defect goes to the log here.
    pub(super) fn answer(self, client: &Client) -> Response {
        if let Some(cause) = self.error.cause() {
            tracing::error!(error = %cause, "request failed");
        }
        let mut extensions = json!({ "code": self.error.code().as_str(), "requestId": client.request_id });
        let retry_after = match &self.error {
            Error::Coded { retry_after, .. } => *retry_after,
            Error::User(_) => None,
        };
        if let Some(seconds) = retry_after {
            extensions["retryAfterSeconds"] = seconds.into();
        }
        let body = json!({ "errors": [{ "message": self.error.to_string(), "extensions": extensions }] });
        let mut response = (self.status, body.to_string()).into_response();
        // For whoever counts errors.
        response.extensions_mut().insert(self.error.code());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        headers.extend(self.headers.into_iter().collect::<http::HeaderMap>());
        response
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            status: status(error.code()),
            error,
            headers: Vec::new(),
            media_type: "application/json; charset=utf-8",
        }
    }
}
