//! How failures reach a client: expected ones as `userErrors` of a payload, all others as errors with `extensions.code`.

use async_graphql::{Enum, ErrorExtensions as _, SimpleObject};

use crate::kernel::{self, Error, ErrorCode};

/// Machine-readable reasons of a `UserError`.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "kernel::UserErrorCode")]
pub enum UserErrorCode {
    /// The value is missing or empty.
    Required,
    /// The value has the wrong format or is not allowed.
    Invalid,
    /// The text or list is too long.
    TooLong,
    /// The number, date or range is outside the allowed limits.
    OutOfRange,
    /// The end is not after the start.
    InvalidTimeRange,
    /// The recurrence rule cannot be parsed or expands to nothing.
    InvalidRecurrence,
    /// Another object already uses this unique value.
    Taken,
    /// A referenced object does not exist in this workspace.
    ReferenceNotFound,
    /// The object changed since `expectedVersion` was read. Refetch and try again.
    VersionConflict,
    /// The task dependency would create a cycle.
    DependencyCycle,
    /// The object's current state does not allow this action.
    InvalidState,
    /// The requested time is no longer free.
    SlotUnavailable,
    /// The token is unknown, already used or expired.
    TokenInvalid,
    /// The calendar is read-only at its provider.
    ReadOnly,
    /// The external provider refused or did not answer.
    ProviderError,
    /// The workspace must keep at least one owner.
    LastOwner,
    /// A limit of the workspace was reached.
    LimitReached,
    /// The AI planner is not configured or over its budget.
    AiUnavailable,
}

/// An expected failure of a mutation: invalid input or a violated business rule. Unexpected failures (authentication, permission, not
/// found, rate limit, internal) are top-level GraphQL errors with `extensions.code`.
#[derive(SimpleObject, Clone, Debug)]
pub struct UserError {
    /// Machine-readable reason.
    code: UserErrorCode,
    /// Path to the offending input field, for example `["input", "dueAt"]`. Null when the failure is not about one field.
    field: Option<Vec<String>>,
    /// Human-readable explanation in English, safe to show to an end user.
    message: String,
}

impl From<kernel::UserError> for UserError {
    fn from(error: kernel::UserError) -> Self {
        let field = (!error.field.is_empty()).then_some(error.field);
        Self {
            code: error.code.into(),
            field,
            message: error.message,
        }
    }
}

/// The error as a client sees it; the cause goes to the log, once, here.
pub fn expose(error: Error) -> async_graphql::Error {
    if let Some(cause) = error.cause() {
        match error.code() {
            ErrorCode::Internal => tracing::error!(error = %chain(cause), "request failed"),
            _ => tracing::warn!(error = %chain(cause), "request failed"),
        }
    }
    let code = error.code();
    let retry_after = match &error {
        Error::Coded { retry_after, .. } => *retry_after,
        Error::User(_) => None,
    };
    async_graphql::Error::new(error.to_string()).extend_with(|_, extensions| {
        extensions.set("code", code.as_str());
        if let Some(seconds) = retry_after {
            extensions.set("retryAfterSeconds", seconds);
        }
    })
}

fn chain(cause: &(dyn std::error::Error + Send + Sync)) -> String {
    let mut text = cause.to_string();
    let mut next = cause.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = source.source();
    }
    text
}

/// Splits a command's result: the value or the expected failures, and everything else as an error.
pub fn outcome<T>(result: kernel::Result<T>) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    match result {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(Error::User(errors)) => Ok((None, errors.into_iter().map(UserError::from).collect())),
        Err(error) => Err(expose(error)),
    }
}

/// The answer of a look-up: a missing or invisible object is null, not an error.
///
/// A failing nullable field is `Option<Result<T>>`: as `Result<Option<T>>` this version of async-graphql drops the key from the answer.
pub fn lookup<T>(result: kernel::Result<T>) -> Option<async_graphql::Result<T>> {
    match result {
        Ok(value) => Some(Ok(value)),
        Err(error) if error.is_not_found() => None,
        Err(error) => Some(Err(expose(error))),
    }
}
