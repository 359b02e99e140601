//! Serves the playground and the schema as text. Both can be switched off; then they do not exist.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};

use super::{Web, graphiql};

const SETTINGS: &str = r#"{"graphqlUrl":"/graphql","wsUrl":"/graphql","title":"Meridian"}"#;

/// `GET /graphiql`.
pub(super) async fn page() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, graphiql::CSP),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, graphiql::page(SETTINGS)).into_response()
}

/// `GET /graphiql/assets/{name}`.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = graphiql::asset(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let accepted = headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !graphiql::accepts_brotli(accepted) {
        return (
            StatusCode::NOT_ACCEPTABLE,
            "This file is only available with `Accept-Encoding: br`.",
        )
            .into_response();
    }
    let caching = [
        (ETAG, asset.etag),
        (CACHE_CONTROL, asset.cache_control),
        (VARY, "Accept-Encoding"),
    ];
    if is_known(&headers, asset.etag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    // Workers obey the policy of their own file, not that of the page.
    let content = [
        (CONTENT_TYPE, asset.content_type),
        (CONTENT_ENCODING, asset.encoding),
        (CONTENT_SECURITY_POLICY, graphiql::CSP),
    ];
    (caching, content, asset.bytes).into_response()
}

/// `GET /schema.graphql`.
pub(super) async fn schema(State(web): State<Web>, headers: HeaderMap) -> Response {
    let hash = Sha256::digest(web.sdl());
    let etag = format!(
        "\"{:x}\"",
        u64::from_be_bytes([
            hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]
        ])
    );
    let caching = [(ETAG, etag.clone()), (CACHE_CONTROL, "public, max-age=60".into())];
    if is_known(&headers, &etag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (
        caching,
        [(CONTENT_TYPE, "text/plain; charset=utf-8")],
        web.sdl().to_owned(),
    )
        .into_response()
}

fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    known
        .split(',')
        .any(|tag| tag.trim().trim_start_matches("W/") == etag)
}
