//! The one error type. It promises a stable code, a sentence that is safe to show, and a private cause that is logged once
//! at the edge. It must not know how an edge renders it.

use std::fmt;

/// Result of anything that can fail in Meridian.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Codes of top-level failures, sent as `extensions.code`. The list in `SETUP.md` is generated from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The request carries no valid credentials.
    Unauthenticated,
    /// The caller is known but may not do this.
    Forbidden,
    /// The object does not exist, or the caller may not see it.
    NotFound,
    /// A scalar, variable or argument cannot be read.
    BadUserInput,
    /// The caller's or the workspace's budget is spent.
    RateLimited,
    /// A cookie-authenticated request did not come from an allowed page.
    CsrfFailed,
    /// The operation costs more points than allowed.
    QueryTooComplex,
    /// The operation nests deeper than allowed.
    QueryTooDeep,
    /// The document is not GraphQL.
    GraphqlParseFailed,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
    /// The persisted document is unknown; send it in full.
    PersistedQueryNotFound,
    /// Only registered documents are accepted.
    PersistedQueryRequired,
    /// The idempotency key was used with another body.
    IdempotencyConflict,
    /// The cursor is older than the change log is kept.
    CursorExpired,
    /// A service that the operation needs is away; try again.
    ServiceUnavailable,
    /// A defect of the server; details are only in its log.
    Internal,
}

impl ErrorCode {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 16] = [
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::BadUserInput,
        Self::RateLimited,
        Self::CsrfFailed,
        Self::QueryTooComplex,
        Self::QueryTooDeep,
        Self::GraphqlParseFailed,
        Self::GraphqlValidationFailed,
        Self::PersistedQueryNotFound,
        Self::PersistedQueryRequired,
        Self::IdempotencyConflict,
        Self::CursorExpired,
        Self::ServiceUnavailable,
        Self::Internal,
    ];

    /// The wire form, for example `NOT_FOUND`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::RateLimited => "RATE_LIMITED",
            Self::CsrfFailed => "CSRF_FAILED",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::QueryTooDeep => "QUERY_TOO_DEEP",
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::PersistedQueryRequired => "PERSISTED_QUERY_REQUIRED",
            Self::IdempotencyConflict => "IDEMPOTENCY_CONFLICT",
            Self::CursorExpired => "CURSOR_EXPIRED",
            Self::ServiceUnavailable => "SERVICE_UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// Machine-readable reasons of an expected failure, sent inside a mutation's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// The object changed since `expectedVersion` was read.
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

/// An expected failure of a command, with the path of the input field that caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// Reason.
    pub code: UserErrorCode,
    /// Path of the field from the mutation's arguments on, for example `["input", "dueAt"]`; empty when no field is to blame.
    pub field: Vec<String>,
    /// Sentence for an end user: what is wrong and what to do.
    pub message: String,
}

impl UserError {
    /// A failure of one field; `path` is dotted, for example `input.dueAt`.
    pub fn new(code: UserErrorCode, path: &str, message: impl Into<String>) -> Self {
        let field = path
            .split('.')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        Self {
            code,
            field,
            message: message.into(),
        }
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why something did not work.
#[derive(Debug)]
pub enum Error {
    /// Outcomes that the person asking can act on.
    User(Vec<UserError>),
    /// Everything else, with a public sentence and a private cause.
    Coded {
        /// Stable code.
        code: ErrorCode,
        /// Sentence that is safe to show to anybody.
        message: String,
        /// Seconds to wait before trying again, when that is known.
        retry_after: Option<u64>,
        /// Cause for the log; never shown.
        cause: Option<Cause>,
    },
}

impl Error {
    /// A failure with a code and a public sentence.
    pub fn coded(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Coded {
            code,
            message: message.into(),
            retry_after: None,
            cause: None,
        }
    }

    /// An expected failure of one field; `path` is dotted, for example `input.dueAt`.
    pub fn user(code: UserErrorCode, path: &str, message: impl Into<String>) -> Self {
        Self::User(vec![UserError::new(code, path, message)])
    }

    /// The answer for missing and for invisible objects alike.
    pub fn not_found() -> Self {
        Self::coded(
            ErrorCode::NotFound,
            "The object does not exist or you may not see it.",
        )
    }

    /// The answer to a caller without credentials.
    pub fn unauthenticated() -> Self {
        Self::coded(ErrorCode::Unauthenticated, "Sign in or send a valid API token.")
    }

    /// The answer to a caller whose role or token does not allow the action.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::coded(ErrorCode::Forbidden, message)
    }

    /// A value that cannot be read at all.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::coded(ErrorCode::BadUserInput, message)
    }

    /// A defect: the cause goes to the log, the public sentence says nothing about it.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Coded {
            code: ErrorCode::Internal,
            message: "Something went wrong on the server.".into(),
            retry_after: None,
            cause: Some(cause.into()),
        }
    }

    /// A service that is away for now.
    pub fn unavailable(message: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Coded {
            code: ErrorCode::ServiceUnavailable,
            message: message.into(),
            retry_after: Some(1),
            cause: Some(cause.into()),
        }
    }

    /// The code that an edge reports; expected failures count as bad input when nothing can carry them as data.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::User(_) => ErrorCode::BadUserInput,
            Self::Coded { code, .. } => *code,
        }
    }

    /// The private cause, for the log.
    pub fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        match self {
            Self::User(_) => None,
            Self::Coded { cause, .. } => cause.as_deref(),
        }
    }

    /// Whether this is the answer for missing and invisible objects.
    pub fn is_not_found(&self) -> bool {
        self.code() == ErrorCode::NotFound
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(errors) => {
                for (index, error) in errors.iter().enumerate() {
                    let separator = if index == 0 { "" } else { " " };
                    write!(f, "{separator}{}", error.message)?;
                }
                Ok(())
            }
            Self::Coded { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause()
            .map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}
