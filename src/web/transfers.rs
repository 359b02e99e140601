//! `POST /api/import` and `GET /api/export/{secret}`: files that are too long for a GraphQL request, on their way in and out. Promises: a file
//! is never in memory as a whole; a slow or endless upload ends.

use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse as _, Response};
use entity::enums::DataFormat;
use entity::ids::{CalendarId, WorkspaceId};
use futures_util::TryStreamExt as _;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode, request};
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::time::{Instant, timeout, timeout_at};

use super::Web;
use super::auth::{caller, credentials, csrf_failed, only, pay};
use super::client::Client;
use super::failure::Failure;
use crate::access::{Access, still_valid};
use crate::features::transfers::{self, NewImport, Upload};
use crate::kernel::{Error, ErrorCode, UserErrorCode};
use crate::platform::limits::{Charge, Key, Limit};

/// How long an upload may take altogether.
const LONGEST: Duration = Duration::from_secs(900);

/// What the address says about an upload.
struct Wanted {
    workspace: WorkspaceId,
    new: NewImport,
}

/// `POST /api/import?workspaceId=…&format=ICS&calendarId=…` with the file as body.
pub(super) async fn upload(
    State(web): State<Web>,
    Extension(client): Extension<Client>,
    request: http::Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    receive(&web, &client, &parts, body)
        .await
        .unwrap_or_else(|failure| failure.answer(&client))
}

async fn receive(
    web: &Web,
    client: &Client,
    parts: &request::Parts,
    body: Body,
) -> Result<Response, Failure> {
    let credentials = credentials(&parts.headers, &web.platform.config)?;
    if credentials.session.is_some() && !web.origins().is_intended(&parts.headers) {
        return Err(csrf_failed());
    }
    let caller = caller(web, client, credentials).await?;
    let person = caller.require_user()?;
    if !client.is_internal {
        // A file is dear, so it has the small budget.
        let name = format!("import:{person}");
        let key = Key::Name(&name);
        let kind = Limit::SignIns;
        let [decision] = web.platform.limits.spend([Charge { kind, key, cost: 1 }]).await;
        decision.into_result()?;
    }
    let media_type = media_type(&parts.headers)?;
    let wanted = wanted(parts.uri.query(), &media_type)?;
    let most = web.platform.config.limits.import_bytes;
    let announced =
        only(&parts.headers, CONTENT_LENGTH)?.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        let message = format!("The file is too large; at most {most} bytes are allowed. Split it.");
        return refused(Error::user(UserErrorCode::TooLong, "content", message));
    }
    let access = Access::new(web.platform.clone(), caller);
    let ctx = access.ctx(wanted.workspace).await?;
    let mut upload = match transfers::begin_upload(&ctx, wanted.new).await {
        Ok(upload) => upload,
        Err(error) => return refused(error),
    };
    match copy(web, body, &mut upload).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            upload.give_up().await?;
            return refused(error);
        }
        Err(failure) => {
            upload.give_up().await?;
            return Err(failure);
        }
    }
    // What the caller had when the file set out may have been taken away while it was on its way.
    if let Err(error) = still_allowed(&access, wanted.workspace).await {
        upload.give_up().await?;
        return Err(error.into());
    }
    match upload.finish().await {
        Ok(row) => {
            let body =
                json!({ "dataTransfer": { "id": row.id.to_string(), "status": "QUEUED" }, "userErrors": [] });
            answer(StatusCode::ACCEPTED, &body)
        }
        Err(error) => {
            upload.give_up().await?;
            refused(error)
        }
    }
}

/// Whether the credentials and the membership still hold.
async fn still_allowed(access: &Access, workspace: WorkspaceId) -> Result<(), Error> {
    still_valid(access.platform(), access.caller()).await?;
    access.refresh().await;
    access.ctx(workspace).await.map(drop)
}

/// Moves the body into the upload. The inner error is the file's fault, the outer one the connection's.
async fn copy(web: &Web, mut body: Body, upload: &mut Upload) -> Result<Result<(), Error>, Failure> {
    let pause = web.platform.config.limits.body_timeout;
    let end = Instant::now() + LONGEST;
    let slow = || {
        let message = "The file took too long to arrive.";
        Failure::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::BadUserInput, message)
    };
    loop {
        let next = timeout_at(end, timeout(pause, body.frame()));
        let frame = match next.await {
            Ok(Ok(Some(Ok(frame)))) => frame,
            Ok(Ok(None)) => return Ok(Ok(())),
            Ok(Ok(Some(Err(_)))) => return Err(Failure::bad_request("The file broke off.")),
            Ok(Err(_)) | Err(_) => return Err(slow()),
        };
        let Ok(bytes) = frame.into_data() else { continue };
        if let Err(error) = upload.push(&bytes).await {
            return Ok(Err(error));
        }
    }
}

/// Expected failures as a payload of GraphQL has them; all others as they are everywhere.
fn refused(error: Error) -> Result<Response, Failure> {
    let errors = match error {
        Error::User(errors) => errors,
        other => return Err(other.into()),
    };
    let is_large = errors.iter().any(|error| error.code == UserErrorCode::TooLong);
    let status = match is_large {
        true => StatusCode::PAYLOAD_TOO_LARGE,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let errors: Vec<_> = errors
        .iter()
        .map(|error| json!({ "code": word(error.code), "field": error.field, "message": error.message }))
        .collect();
    answer(status, &json!({ "dataTransfer": null, "userErrors": errors }))
}

/// The code as GraphQL has it.
fn word(code: UserErrorCode) -> String {
    let mut word = String::new();
    for (index, letter) in format!("{code:?}").char_indices() {
        if letter.is_uppercase() && index > 0 {
            word.push('_');
        }
        word.extend(letter.to_uppercase());
    }
    word
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Result<Response, Failure> {
    let headers = [
        (CONTENT_TYPE, "application/json; charset=utf-8"),
        (CACHE_CONTROL, "private, no-store"),
    ];
    Ok((status, headers, body.to_string()).into_response())
}

/// The type of the file. Forms of web pages are not taken.
fn media_type(headers: &HeaderMap) -> Result<String, Failure> {
    let unsupported = |message: &str| {
        Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorCode::BadUserInput,
            message,
        )
    };
    if only(headers, CONTENT_ENCODING)?.is_some() {
        return Err(unsupported("Send the file as it is, without `Content-Encoding`."));
    }
    let value = only(headers, CONTENT_TYPE)?;
    let value = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let value = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match value.as_str() {
        "text/calendar" | "application/json" | "text/csv" | "application/octet-stream" => Ok(value),
        _ => Err(unsupported(
            "Send the file as body, with `Content-Type: text/calendar`, `application/json`, `text/csv` or `application/octet-stream`.",
        )),
    }
}

fn wanted(query: Option<&str>, media_type: &str) -> Result<Wanted, Failure> {
    let (mut workspace, mut calendar_id, mut format) = (None, None, None);
    for (name, text) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*name {
            "workspaceId" => {
                let id: WorkspaceId = text.parse().map_err(|_| Error::not_found())?;
                workspace = Some(id);
            }
            "calendarId" => {
                let id: Option<CalendarId> = text.parse().ok();
                // An id that nobody has.
                calendar_id = Some(id.unwrap_or(CalendarId(uuid::Uuid::nil())));
            }
            "format" => {
                format = Some(match text.to_ascii_uppercase().as_str() {
                    "ICS" => DataFormat::Ics,
                    "JSON" => DataFormat::Json,
                    "CSV" => DataFormat::Csv,
                    _ => return Err(Failure::bad_request("`format` is ICS, JSON or CSV.")),
                });
            }
            _ => {
                return Err(Failure::bad_request(
                    "Only `workspaceId`, `calendarId` and `format` may stand in the address.",
                ));
            }
        }
    }
    let by_type = || match media_type {
        "text/calendar" => Ok(DataFormat::Ics),
        "application/json" => Ok(DataFormat::Json),
        "text/csv" => Ok(DataFormat::Csv),
        _ => Err(Failure::bad_request(
            "Say what the file is: `format=ICS`, `JSON` or `CSV`.",
        )),
    };
    Ok(Wanted {
        workspace: workspace.ok_or_else(|| Failure::bad_request("Say where to: `workspaceId=…`."))?,
        new: NewImport {
            calendar_id,
            format: format.map_or_else(by_type, Ok)?,
        },
    })
}

/// `GET /api/export/{secret}`: the file of an export, for whoever has its address.
pub(super) async fn download(
    State(web): State<Web>,
    Extension(client): Extension<Client>,
    secret: Result<Path<String>, PathRejection>,
) -> Response {
    // What is no text is no secret.
    let secret = secret.map_or_else(|_| String::new(), |Path(text)| text);
    send(&web, &client, &secret)
        .await
        .unwrap_or_else(|failure| failure.answer(&client))
}

async fn send(web: &Web, client: &Client, secret: &str) -> Result<Response, Failure> {
    pay(web, client, Limit::GuestRequests).await?;
    let file = transfers::download(&web.platform, secret).await?;
    let (media_type, name) = file.file_name();
    let headers = [
        (CONTENT_TYPE, media_type.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (CONTENT_LENGTH, file.size.to_string()),
        (CACHE_CONTROL, "private, no-store".to_owned()),
        (HeaderName::from_static("x-robots-tag"), "noindex".to_owned()),
    ];
    let pieces = file.pieces(web.platform.clone());
    // A file that goes while it is being sent breaks off, which its length tells.
    let pieces = pieces.map_err(|error| {
        tracing::warn!(
            error = error.cause().map(tracing::field::display),
            "a file broke off"
        );
        std::io::Error::other("the file broke off")
    });
    Ok((headers, Body::from_stream(pieces)).into_response())
}
