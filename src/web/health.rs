//! Whether the services work: `/api/health` for people and monitors, `/livez` and `/readyz` for orchestrators. Promises: services
//! are asked at most once a second however often somebody looks, and a hung one is reported, not waited for.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::Web;
use crate::kernel::Result;

const CACHED: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(2);

/// A service that can be asked whether it works. The text says how it runs, for example `sqlite`.
pub struct Probe {
    name: &'static str,
    detail: String,
    check: Box<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>,
}

impl Probe {
    /// A probe; `check` is given up after two seconds.
    pub fn new<F, Fut>(name: &'static str, detail: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        Self {
            name,
            detail: detail.into(),
            check: Box::new(move || check().boxed()),
        }
    }
}

/// The services of this process and how they were when last asked. Cheap to clone.
#[derive(Clone)]
pub struct Health(Arc<Inner>);

struct Inner {
    probes: Vec<Probe>,
    last: Mutex<Option<(Instant, Report)>>,
}

/// The answer of `/api/health`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `ok` when every service works.
    pub status: &'static str,
    /// Version of the server.
    pub version: &'static str,
    /// The services.
    pub services: Vec<Service>,
}

/// One service.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// What it is.
    pub name: &'static str,
    /// `up` or `down`.
    pub status: &'static str,
    /// How it runs.
    pub detail: String,
    /// How long it took to answer.
    pub latency_ms: f64,
}

impl Health {
    /// Health of these services.
    pub fn new(probes: Vec<Probe>) -> Self {
        Self(Arc::new(Inner {
            probes,
            last: Mutex::new(None),
        }))
    }

    /// How the services are, asked now or less than a second ago.
    pub async fn report(&self) -> Report {
        // Whoever comes while somebody asks waits for the same answer.
        let mut last = self.0.last.lock().await;
        if let Some((asked, report)) = &*last
            && asked.elapsed() < CACHED
        {
            return report.clone();
        }
        let services = join_all(self.0.probes.iter().map(ask)).await;
        let is_ok = services.iter().all(|service| service.status == "up");
        let status = if is_ok { "ok" } else { "unavailable" };
        let report = Report {
            status,
            version: env!("CARGO_PKG_VERSION"),
            services,
        };
        *last = Some((Instant::now(), report.clone()));
        report
    }
}

async fn ask(probe: &Probe) -> Service {
    let start = Instant::now();
    let status = match timeout(PATIENCE, (probe.check)()).await {
        Ok(Ok(())) => "up",
        Ok(Err(error)) => {
            // The cause may name hosts and users, so it stays in the log.
            tracing::warn!(service = probe.name, error = ?error, "a service does not work");
            "down"
        }
        Err(_) => {
            tracing::warn!(service = probe.name, "a service does not answer");
            "down"
        }
    };
    let latency_ms = (start.elapsed().as_secs_f64() * 100_000.0).round() / 100.0;
    Service {
        name: probe.name,
        status,
        detail: probe.detail.clone(),
        latency_ms,
    }
}

/// `GET /api/health`.
pub(super) async fn health(State(web): State<Web>) -> Response {
    answer(&web.health).await
}

/// The report as an answer.
pub(super) async fn answer(health: &Health) -> Response {
    let report = health.report().await;
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    match serde_json::to_string(&report) {
        Ok(body) if report.status == "ok" => (headers, body).into_response(),
        Ok(body) => (
            StatusCode::SERVICE_UNAVAILABLE,
            [(RETRY_AFTER, "1")],
            headers,
            body,
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// `GET /livez`: the process answers.
pub(super) async fn live() -> &'static str {
    "ok"
}

/// `GET /readyz`: the process wants requests. Not while it shuts down, and not while a service is away.
pub(super) async fn ready(State(web): State<Web>) -> Response {
    if web.platform.shutdown.is_cancelled() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            [(RETRY_AFTER, "1")],
            "shutting down",
        )
            .into_response();
    }
    match web.health.report().await.status {
        "ok" => "ok".into_response(),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            [(RETRY_AFTER, "1")],
            "a service is away",
        )
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::kernel::Error;

    #[tokio::test]
    async fn a_broken_or_hung_service_is_reported_and_keeps_its_secrets() {
        let health = Health::new(vec![
            Probe::new("works", "local", || async { Ok(()) }),
            Probe::new("broken", "remote", || async {
                Err(Error::internal("password=hunter2"))
            }),
            Probe::new("hung", "remote", std::future::pending),
        ]);
        let report = health.report().await;
        assert_eq!(report.status, "unavailable");
        assert_eq!(
            report
                .services
                .iter()
                .map(|service| service.status)
                .collect::<Vec<_>>(),
            ["up", "down", "down"]
        );
        assert!(!serde_json::to_string(&report).unwrap().contains("hunter2"));
    }

    #[tokio::test]
    async fn services_are_asked_once_a_second() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        let works = move || {
            counter.fetch_add(1, Ordering::SeqCst);
            async { Ok(()) }
        };
        let health = Health::new(vec![Probe::new("works", "local", works)]);
        assert_eq!(health.report().await.status, "ok");
        health.report().await;
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        tokio::time::sleep(CACHED).await;
        health.report().await;
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}
