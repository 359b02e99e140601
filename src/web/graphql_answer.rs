//! What a client sees of an executed operation. Promises: every error has a code and the request id, a defect shows nothing of its
//! cause, and an operation that did not begin has no `data`.

use std::collections::BTreeMap;

use async_graphql::{Name, Response, ServerError, Value};
use http::StatusCode;

use super::failure;
use crate::graphql::arguments::BadValue;
use crate::graphql::guard::GuardError;
use crate::graphql::{take_raw, write_value};
use crate::kernel::{Error, ErrorCode};
use crate::platform::metrics::Metrics;

/// Messages of the executor about values that a resolver could not read; everything else without a code is a defect.
const INPUT_MESSAGES: [&str; 3] = ["Failed to parse", "Invalid value for argument", "Variable "];

/// The body of an answer.
#[derive(Clone)]
pub(super) struct Answer {
    /// Absent when the operation did not begin.
    pub(super) data: Option<Value>,
    pub(super) errors: Vec<ServerError>,
    extensions: BTreeMap<String, Value>,
}

impl Answer {
    /// Completes the errors of a response.
    pub(super) fn new(response: Response, request_id: &str) -> Self {
        let Response {
            data,
            extensions,
            mut errors,
            ..
        } = response;
        // Errors of fields say which field; errors of the whole request do not.
        let began = data != Value::Null || errors.iter().any(|error| !error.path.is_empty());
        for error in &mut errors {
            complete(error, request_id);
        }
        Self {
            data: began.then_some(data),
            errors,
            extensions,
        }
    }

    /// The answer as JSON; what resolvers wrote already is copied.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1_024);
        out.push(b'{');
        if let Some(data) = &self.data {
            out.extend_from_slice(b"\"data\":");
            write_value(data, &mut out);
        }
        if !self.errors.is_empty() {
            begin(&mut out, "errors");
            // Writing to memory cannot fail, and errors have no keys that JSON lacks.
            serde_json::to_writer(&mut out, &self.errors).ok();
        }
        if !self.extensions.is_empty() {
            begin(&mut out, "extensions");
            let extensions = self.extensions.iter();
            let extensions = extensions.map(|(name, value)| (Name::new(name), value.clone()));
            write_value(&Value::Object(extensions.collect()), &mut out);
        }
        out.push(b'}');
        out
    }

    /// [`Self::to_json`] when nobody looks at the data again: a whole answer that resolvers wrote is long, and is not copied.
    pub(super) fn take_json(&mut self) -> Vec<u8> {
        const BEFORE: &str = "{\"data\":";
        let is_whole = self.errors.is_empty() && self.extensions.is_empty();
        let Some(mut text) = self.data.as_mut().filter(|_| is_whole).and_then(take_raw) else {
            return self.to_json();
        };
        text.reserve_exact(BEFORE.len() + 1);
        text.insert_str(0, BEFORE);
        text.push('}');
        text.into_bytes()
    }

    /// The answer as text.
    pub(super) fn json(&self) -> Result<String, ServerError> {
        String::from_utf8(self.to_json()).map_err(|error| {
            tracing::error!(%error, "an answer could not be written as JSON");
            coded(ErrorCode::Internal, Error::internal("unwritable").to_string())
        })
    }

    /// The same answer for another request.
    pub(super) fn addressed(&self, request_id: &str) -> Self {
        let mut answer = self.clone();
        for error in &mut answer.errors {
            complete(error, request_id);
        }
        answer
    }

    /// Whether the operation did not begin.
    pub(super) fn is_request_error(&self) -> bool {
        self.data.is_none()
    }

    /// Whether there is nothing but errors.
    pub(super) fn is_only_errors(&self) -> bool {
        !self.errors.is_empty() && matches!(self.data, None | Some(Value::Null))
    }

    /// The status of an HTTP answer with the media type that tells failures apart.
    pub(super) fn status(&self) -> StatusCode {
        match self.errors.first() {
            Some(error) if self.is_request_error() => {
                code_of(error).map_or(StatusCode::INTERNAL_SERVER_ERROR, failure::status)
            }
            _ => StatusCode::OK,
        }
    }

    /// Counts the errors.
    pub(super) fn count(&self, metrics: &Metrics) {
        for code in self.errors.iter().filter_map(code_of) {
            metrics.error(code);
        }
    }

    /// Seconds to wait, when the caller's budget is spent.
    pub(super) fn retry_after(&self) -> Option<u64> {
        match self
            .errors
            .first()?
            .extensions
            .as_ref()?
            .get("retryAfterSeconds")?
        {
            Value::Number(seconds) => seconds.as_u64(),
            _ => None,
        }
    }
}

fn begin(out: &mut Vec<u8>, key: &str) {
    if out.len() > 1 {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

/// A response that only says why an operation did not begin.
pub(super) fn refusal(error: &Error) -> Response {
    let mut refused = coded(error.code(), error.to_string());
    if let Error::Coded {
        retry_after: Some(seconds),
        ..
    } = error
    {
        refused
            .extensions
            .get_or_insert_default()
            .set("retryAfterSeconds", *seconds);
    }
    Response::from_errors(vec![refused])
}

impl From<GuardError> for ServerError {
    fn from(error: GuardError) -> Self {
        Self {
            locations: error.locations,
            ..coded(error.code, error.message)
        }
    }
}

impl From<BadValue> for ServerError {
    fn from(bad: BadValue) -> Self {
        let mut error = coded(ErrorCode::BadUserInput, bad.message);
        error.locations = vec![bad.location];
        let field = bad.field.into_iter().map(Value::from).collect();
        error
            .extensions
            .get_or_insert_default()
            .set("field", Value::List(field));
        error
    }
}

/// What is left of an operation that panicked.
pub(super) fn panicked() -> Response {
    tracing::error!("a resolver panicked");
    let message = Error::internal("panic").to_string();
    Response::from_errors(vec![coded(ErrorCode::Internal, message)])
}

/// An error with a code.
pub(super) fn coded(code: ErrorCode, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    error
        .extensions
        .get_or_insert_default()
        .set("code", code.as_str());
    error
}

/// The code of an error, when it has one.
pub(super) fn code_of(error: &ServerError) -> Option<ErrorCode> {
    let Some(Value::String(code)) = error.extensions.as_ref()?.get("code") else {
        return None;
    };
    ErrorCode::ALL.into_iter().find(|known| known.as_str() == code)
}

fn complete(error: &mut ServerError, request_id: &str) {
    // The cause was logged where the error was made; it must not leave with the answer.
    error.source = None;
    if code_of(error).is_none() {
        let code = classify(error);
        if code == ErrorCode::Internal {
            tracing::error!(error = %error.message, path = ?error.path, "a resolver failed without a code");
            error.message = Error::internal("unnamed").to_string();
        }
        error
            .extensions
            .get_or_insert_default()
            .set("code", code.as_str());
    }
    error
        .extensions
        .get_or_insert_default()
        .set("requestId", request_id);
}

/// The code of an error that the executor made itself.
fn classify(error: &ServerError) -> ErrorCode {
    let about_input = INPUT_MESSAGES
        .iter()
        .any(|start| error.message.starts_with(start));
    match (error.path.is_empty(), about_input) {
        (true, true) if error.message.starts_with("Invalid value for argument") => ErrorCode::BadUserInput,
        (true, _) => ErrorCode::GraphqlValidationFailed,
        (false, true) => ErrorCode::BadUserInput,
        (false, false) => ErrorCode::Internal,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    use serde_json::{Value as Json, json};

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn number(&self, of: i32) -> i32 {
            of
        }

        async fn broken(&self) -> Option<async_graphql::Result<i32>> {
            Some(Err(async_graphql::Error::new("password=hunter2")))
        }
    }

    async fn answer(query: &str) -> (StatusCode, Json) {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let answer = Answer::new(schema.execute(query).await, "r1");
        (
            answer.status(),
            serde_json::from_slice(&answer.to_json()).unwrap(),
        )
    }

    #[tokio::test]
    async fn an_operation_that_did_not_begin_has_no_data() {
        let (status, body) = answer("{ nothing }").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(body.get("data").is_none());
        assert_eq!(
            body["errors"][0]["extensions"],
            json!({ "code": "GRAPHQL_VALIDATION_FAILED", "requestId": "r1" })
        );
    }

    #[tokio::test]
    async fn wrong_values_are_bad_input() {
        let (status, body) = answer("{ number(of: \"x\") }").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }

    #[tokio::test]
    async fn a_defect_shows_nothing_of_its_cause() {
        let (status, body) = answer("{ broken number(of: 1) }").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(body["data"], json!({ "broken": null, "number": 1 }));
        assert_eq!(body["errors"][0]["extensions"]["code"], "INTERNAL");
        assert!(!body.to_string().contains("hunter2"));
    }
}
