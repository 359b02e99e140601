//! `/api/test-infrastructure`: uses every service for real and says what came of it and how long it took. For a developer who has just set
//! something up; production has no such route. Promises: one run at a time, each try ends, nothing is left behind, and the reasons of failures
//! that may hold names of hosts stay in the log.

mod socket;
mod tries;

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::Web;
use crate::kernel::Error;

/// Longest try of one service.
const PATIENCE: Duration = Duration::from_secs(8);

/// What a try of a service came to.
type Tried = Result<Worked, Failed>;

/// A service that did what it should, or one that is not set up.
enum Worked {
    Passed(String),
    Skipped(&'static str),
}

/// Why a try failed, in a sentence for the developer.
struct Failed(String);

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        tracing::warn!(error = ?error, "a try of the infrastructure failed");
        Self(error.to_string())
    }
}

impl From<&str> for Failed {
    fn from(why: &str) -> Self {
        Self(why.to_owned())
    }
}

/// The answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// `ok` when no try failed.
    status: &'static str,
    /// The same in words.
    summary: String,
    passed: usize,
    failed: usize,
    skipped: usize,
    duration_ms: f64,
    checks: Vec<Check>,
}

/// One try.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    name: &'static str,
    /// `passed`, `failed` or `skipped`.
    status: &'static str,
    detail: String,
    duration_ms: f64,
}

/// `GET /api/test-infrastructure`.
pub(super) async fn test(State(web): State<Web>) -> Response {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    let _turn = ONE_AT_A_TIME.lock().await;
    let report = run(&web).await;
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    let status = if report.failed == 0 {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    match serde_json::to_string_pretty(&report) {
        Ok(body) => (status, headers, body + "\n").into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// One service after the other, so that no try disturbs another.
async fn run(web: &Web) -> Report {
    let began = Instant::now();
    let platform = &web.platform;
    let nonce = platform.ids.uuid();
    let checks = vec![
        check("database", tries::database(platform, nonce)).await,
        check("cache", tries::cache(platform, nonce)).await,
        check("limiter", tries::limiter(platform, nonce)).await,
        check("jobs", tries::job(platform)).await,
        check("realtime", socket::change(web, nonce)).await,
        check("mail", tries::mail(platform, nonce)).await,
        check("sentry", tries::report(platform)).await,
    ];
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    let (passed, failed, skipped) = (count("passed"), count("failed"), count("skipped"));
    let duration_ms = millis(began);
    Report {
        status: if failed == 0 { "ok" } else { "failed" },
        summary: format!("{passed} passed, {failed} failed, {skipped} skipped in {duration_ms} ms"),
        passed,
        failed,
        skipped,
        duration_ms,
        checks,
    }
}

async fn check(name: &'static str, work: impl Future<Output = Tried>) -> Check {
    let began = Instant::now();
    let tried = timeout(PATIENCE, work).await;
    let late = || {
        Err(Failed(format!(
            "There was no answer within {} seconds.",
            PATIENCE.as_secs()
        )))
    };
    let (status, detail) = match tried.unwrap_or_else(|_| late()) {
        Ok(Worked::Passed(detail)) => ("passed", detail),
        Ok(Worked::Skipped(why)) => ("skipped", why.to_owned()),
        Err(Failed(why)) => ("failed", why),
    };
    Check {
        name,
        status,
        detail,
        duration_ms: millis(began),
    }
}

fn millis(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 100_000.0).round() / 100.0
}
