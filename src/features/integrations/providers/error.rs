//! How talking to a calendar system fails, sorted by what has to happen next.
//!
//! Promises: every `Display` is a sentence for the person who connected the calendar, without addresses or secrets.

use std::time::Duration;

use http::StatusCode;
use http::header::{DATE, RETRY_AFTER};
use jiff::fmt::rfc2822;

use crate::platform::http::{HttpError, HttpResponse};

/// Waiting longer than this because a server says so would look like a dead connection.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A run or a listing that could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// A person has to give a new password.
    #[error("The server does not accept this user name and password.")]
    Unauthorized,
    /// The calendar or the address does not exist, or not for this person.
    #[error("There is no calendar at this address, or it is not shared with this account.")]
    NotFound,
    /// Something answers, but it is not what was asked for.
    #[error("{0}")]
    NotACalendar(&'static str),
    /// Too many calls; try again later.
    #[error("The server asks to slow down.")]
    RateLimited {
        /// How long the server wants to be left alone, when it says so.
        retry_after: Option<Duration>,
    },
    /// Probably passes by itself; try again later.
    #[error("{message}")]
    Unavailable {
        /// What happened.
        message: String,
        /// How long the server wants to be left alone, when it says so.
        retry_after: Option<Duration>,
    },
    /// The address may not be reached from this server.
    #[error("{0}")]
    Blocked(HttpError),
    /// The server keeps forgetting the token that it just gave.
    #[error("The server does not remember what was synchronised before.")]
    TokenLost,
    /// The server breaks the protocol.
    #[error("{0}")]
    Protocol(String),
    /// What the caller holds could not be read: not the provider's fault.
    #[error("The stored calendar could not be read.")]
    Local(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<HttpError> for ProviderError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::BlockedAddress | HttpError::InsecureScheme => Self::Blocked(error),
            HttpError::Dns | HttpError::Connect | HttpError::Timeout | HttpError::Tls => Self::Unavailable {
                message: error.to_string(),
                retry_after: None,
            },
            HttpError::TooLarge | HttpError::TooManyRedirects | HttpError::Protocol => {
                Self::Protocol(error.to_string())
            }
        }
    }
}

impl ProviderError {
    /// What a status means that is neither success nor handled by the caller.
    pub(super) fn from_status(response: &HttpResponse) -> Self {
        let status = response.status;
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => Self::Unauthorized,
            // Who may not see a calendar is told the same as who asks for one that is not there.
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => Self::NotFound,
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited {
                retry_after: retry_after(response),
            },
            _ if status.is_server_error() => Self::Unavailable {
                message: format!("The server reports an error ({}).", status.as_u16()),
                retry_after: retry_after(response),
            },
            _ => Self::Protocol(format!(
                "The server answers with an unexpected status ({}).",
                status.as_u16()
            )),
        }
    }
}

/// `Retry-After` in seconds, or as a date relative to the answer's own `Date`, so that no clock is needed.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let value = response.header(RETRY_AFTER)?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = |text: &str| rfc2822::parse(text.trim()).ok().map(|zoned| zoned.timestamp());
            let seconds = date(value)?.as_second() - date(response.header(DATE)?)?.as_second();
            Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests;
