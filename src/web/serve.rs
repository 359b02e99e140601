//! The listener: connections with a deadline for the head of each request, and an end in good order. Promises: after the signal no
//! accepted request is lost, and nothing is waited for longer than the grace.

use std::future::pending;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::Web;
use super::client::Peer;
use super::lane::Lane;
use super::routes::router;

/// After the signal connections are still accepted for a moment, so that balancers can read from `/readyz` that they should go.
const DRAIN: Duration = Duration::from_millis(500);
/// Pause when the process has no file descriptors left.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// Serves until the shutdown signal, then ends: running requests get the configured grace.
pub async fn serve(listener: TcpListener, web: Web) {
    let router = router(web.clone());
    let drained = drained(&web);
    tokio::pin!(drained);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut drained => break,
        };
        match accepted {
            Ok((stream, address)) => {
                let connection = connection(stream, Peer::new(address), router.clone(), web.clone());
                web.platform.spawn(connection);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(EXHAUSTED).await;
            }
        }
    }
}

/// Ends a moment after the shutdown signal.
async fn drained(web: &Web) {
    web.platform.shutdown.cancelled().await;
    sleep(DRAIN).await;
}

/// Serves one connection to its end.
pub(super) async fn connection(stream: TcpStream, peer: Peer, router: Router, web: Web) {
    // Answers are written at once, so waiting for more to send only costs time.
    stream.set_nodelay(true).ok();
    let service = TowerToHyperService::new(Lane::new(web.clone(), peer.clone(), router));
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(web.platform.config.limits.header_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .max_concurrent_streams(100);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = silence(&peer, web.platform.config.limits.header_timeout) => {
            tracing::debug!("a connection asked for nothing");
            return;
        }
        () = drained(&web) => {
            connection.as_mut().graceful_shutdown();
            timeout(web.platform.config.shutdown_grace, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// Ends when nothing was asked for in the time for the head of a request. The deadlines for heads begin only once it is clear which version
/// of HTTP is spoken, so that whoever says nothing at all, or half a greeting, would stay for ever.
async fn silence(peer: &Peer, patience: Duration) {
    sleep(patience).await;
    if peer.has_asked() {
        pending::<()>().await;
    }
}
