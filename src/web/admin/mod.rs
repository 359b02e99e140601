//! The listener for operators: numbers for monitors and the health of this process, also of one that only runs workers. Promises: what
//! it shows holds no personal data and no secrets, and asking often costs the database nothing. Its address is private. Metrics and health
//! have no sign-in; the dashboard of the jobs asks for the token of an administrator.

mod desk;
mod gauges;
mod page;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout};

use super::health::{self, Health};
use crate::platform::Platform;

/// The version of the text format that Prometheus reads.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How often what was recorded is moved into its buckets.
const UPKEEP: Duration = Duration::from_secs(5);
/// Nobody sends anything here.
const SMALL_BODY: usize = 1_024;
/// Time for the last answers after the shutdown signal.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct Admin(Arc<Inner>);

struct Inner {
    platform: Platform,
    health: Health,
    /// When the database was last asked for numbers, and how many workers lived then.
    asked: tokio::sync::Mutex<Option<(Instant, u64)>>,
}

impl Admin {
    /// The numbers and the health of this process.
    pub fn new(platform: Platform, health: Health) -> Self {
        Self(Arc::new(Inner {
            platform,
            health,
            asked: tokio::sync::Mutex::default(),
        }))
    }
}

/// Every route for operators.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/api/health", get(healthy))
        .route("/livez", get(health::live))
        .merge(page::routes())
        .merge(desk::routes(&admin))
        .layer(DefaultBodyLimit::max(SMALL_BODY))
        .with_state(admin)
}

/// Serves until the shutdown signal.
pub async fn serve(listener: TcpListener, admin: Admin) {
    let platform = admin.0.platform.clone();
    let stop = platform.shutdown.clone();
    let upkeep = async {
        loop {
            sleep(UPKEEP).await;
            platform.metrics.upkeep();
        }
    };
    let stopped = stop.clone().cancelled_owned();
    let service = router(admin).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(stopped);
    let serving = async move {
        let mut serving = std::pin::pin!(serving.into_future());
        tokio::select! {
            served = &mut serving => Some(served),
            () = stop.cancelled() => timeout(LAST_ANSWERS, serving).await.ok(),
        }
    };
    // Every end of the serving ends the upkeep: a pattern that only failures fit would leave that running for ever.
    tokio::select! {
        served = serving => {
            if let Some(Err(error)) = served {
                tracing::warn!(%error, "the listener for operators ended");
            }
        }
        () = upkeep => {}
    }
}

/// `GET /metrics`.
async fn metrics(State(admin): State<Admin>) -> Response {
    gauges::refresh(&admin.0).await;
    let headers = [(CONTENT_TYPE, TEXT), (CACHE_CONTROL, "no-store")];
    (StatusCode::OK, headers, admin.0.platform.metrics.render()).into_response()
}

/// `GET /api/health`.
async fn healthy(State(admin): State<Admin>) -> Response {
    health::answer(&admin.0.health).await
}
