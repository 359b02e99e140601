//! The dashboard of the jobs as files. Everything it loads is in this binary and comes from this listener; the policy allows nothing else, no
//! inline script and no markup made from text. The files hold no data: that comes from `desk`, which asks who is there.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderName;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};

use super::Admin;

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const HTML: (&str, &str) = ("text/html; charset=utf-8", include_str!("assets/jobs.html"));
const SCRIPT: (&str, &str) = ("text/javascript; charset=utf-8", include_str!("assets/jobs.js"));
const STYLE: (&str, &str) = ("text/css; charset=utf-8", include_str!("assets/jobs.css"));

/// The routes of the page.
pub(super) fn routes() -> Router<Admin> {
    Router::new()
        .route("/admin/jobs", get(|| async { file(HTML) }))
        .route("/admin/jobs.js", get(|| async { file(SCRIPT) }))
        .route("/admin/jobs.css", get(|| async { file(STYLE) }))
}

fn file((content_type, text): (&'static str, &'static str)) -> Response {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, CSP),
        (CACHE_CONTROL, "no-cache"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    (headers, text).into_response()
}
