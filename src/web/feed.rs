//! `GET /ics/{secret}.ics`: the published feed of a calendar.

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse as _, Response};
use chrono::DateTime;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, ETAG,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::Web;
use super::auth::pay;
use super::client::Client;
use super::failure::Failure;
use crate::features::feeds::{self, Feed};
use crate::kernel::Error;
use crate::platform::limits::Limit;

pub(super) async fn download(
    State(web): State<Web>,
    Extension(client): Extension<Client>,
    file: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    // What is no text is no secret.
    let file = file.map_or_else(|_| String::new(), |Path(name)| name);
    read(&web, &client, &file, &headers)
        .await
        .unwrap_or_else(|failure| failure.answer(&client))
}

async fn read(web: &Web, client: &Client, file: &str, headers: &HeaderMap) -> Result<Response, Failure> {
    pay(web, client, Limit::GuestRequests).await?;
    let secret = file.strip_suffix(".ics").ok_or_else(Error::not_found)?;
    let feed = feeds::get(&web.platform, secret).await?;
    let caching = [
        (ETAG, feed.etag.as_str()),
        (CACHE_CONTROL, "private, no-cache"),
        (VARY, "Accept-Encoding"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    // Headers know whole seconds: within the second of a change there may be another one, so no time is told.
    let is_settled = web.platform.clock.now().timestamp() > feed.changed.timestamp();
    let changed = feed.changed.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let changed: HeaderMap = is_settled
        .then(|| HeaderValue::from_str(&changed).ok())
        .flatten()
        .map(|changed| (LAST_MODIFIED, changed))
        .into_iter()
        .collect();
    if is_known(headers, &feed) {
        return Ok((StatusCode::NOT_MODIFIED, caching, changed).into_response());
    }
    let content = [
        (CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (CONTENT_DISPOSITION, "inline; filename=\"calendar.ics\""),
    ];
    if accepts_gzip(headers) {
        let coding = [(CONTENT_ENCODING, "gzip")];
        return Ok((caching, changed, content, coding, feed.gzip()).into_response());
    }
    Ok((caching, changed, content, feed.plain()?).into_response())
}

/// Whether the client has this state. Tags are exact; times only count when no tag was sent (RFC 9110 13.1.3).
fn is_known(headers: &HeaderMap, feed: &Feed) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(known) = text(IF_NONE_MATCH) {
        let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let wanted = weak(&feed.etag);
        return known
            .split(',')
            .any(|tag| tag.trim() == "*" || weak(tag) == wanted);
    }
    let since = text(IF_MODIFIED_SINCE).and_then(|since| DateTime::parse_from_rfc2822(since).ok());
    since.is_some_and(|since| since.timestamp() >= feed.changed.timestamp())
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let is_refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        is_gzip && !is_refused
    })
}
