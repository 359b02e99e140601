//! Reading bodies. Promises: at most so many bytes, for at most so long, whatever a client announces, and a coded refusal of everything
//! else. Must not know what is in them.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use super::Web;
use super::client::Client;
use super::failure::Failure;
use crate::kernel::ErrorCode;

/// Bodies of everything but `/graphql`: forms and a few fields of JSON.
const SMALL: usize = 16 * 1024;

/// Reads a body of at most `most` bytes within the time of the settings.
pub(super) async fn read(web: &Web, headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Failure> {
    let too_large = || {
        let message = format!("The body is too large; at most {most} bytes are allowed.");
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::BadUserInput, message)
    };
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    let patience = web.platform.config.limits.body_timeout;
    match timeout(patience, Limited::new(body, most).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Failure::bad_request("The body could not be read.")),
        Err(_) => {
            let message = "The body took too long to arrive.";
            Err(Failure::new(
                StatusCode::REQUEST_TIMEOUT,
                ErrorCode::BadUserInput,
                message,
            ))
        }
    }
}

/// The body of a request to a route that expects little.
pub(super) struct Small(pub(super) Bytes);

impl FromRequest<Web> for Small {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        match read(web, &parts.headers, body, SMALL).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(failure) => match parts.extensions.get::<Client>() {
                Some(client) => Err(failure.answer(client)),
                // Every request passes `identify` first.
                None => Err(failure.status.into_response()),
            },
        }
    }
}
