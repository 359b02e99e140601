//! Puts the loops and one Apalis worker per queue under one monitor, and takes them down in order: no new jobs, a grace for running ones,
//! then what still runs is handed back.

use std::sync::Arc;
use std::time::Duration;

use apalis::layers::limit::ConcurrencyLimitLayer;
use apalis_core::error::BoxDynError;
use apalis_core::monitor::Monitor;
use apalis_core::worker::builder::WorkerBuilder;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::dispatch::{self, Transport};
use super::embedded::Embedded;
use super::workshop::{Claimed, Workshop};
use super::{Runner, WorkerConfig, cron};
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::redis::Redis;

/// Time for running jobs to end and be recorded after the grace; then the workers are given up.
const LAST_RESORT: Duration = Duration::from_millis(1_500);

/// Works on jobs until `shutdown` fires and everything that ran has ended or was handed back.
pub async fn run_workers(
    platform: Platform,
    redis: Option<Redis>,
    runner: Arc<dyn Runner>,
    config: WorkerConfig,
    shutdown: CancellationToken,
) -> Result<()> {
    let workshop = Workshop::new(platform, runner, config, shutdown);
    let embedded = Embedded::new(workshop.clone());
    let mut monitor = monitor();
    for (queue, lane) in embedded.lanes() {
        let shared = workshop.clone();
        let concurrency = workshop
            .config
            .concurrency
            .iter()
            .find(|(name, _)| *name == queue)
            .map_or(1, |(_, slots)| *slots);
        monitor = monitor.register(move |restarts| {
            let workshop = shared.clone();
            WorkerBuilder::new(format!("{queue:?}-{restarts}-{}", workshop.name).as_str())
                .backend(lane.clone())
                .layer(ConcurrencyLimitLayer::new(concurrency))
                .build(move |claimed: Claimed| run(workshop.clone(), claimed))
        });
    }
    let result = supervise(&workshop, &embedded, monitor).await;
    embedded.hand_back().await;
    result
}

/// Apalis is always told that all is well: retries are the ledger's business.
async fn run(workshop: Arc<Workshop>, claimed: Claimed) -> Result<(), BoxDynError> {
    let Claimed { job, slot } = claimed;
    workshop.attempt(job).await;
    drop(slot);
    Ok(())
}

fn monitor() -> Monitor {
    Monitor::new().should_restart(|worker, error| {
        tracing::warn!(worker = worker.name(), %error, restarts = worker.restarts(), "a worker stopped and is started again");
        true
    })
}

async fn supervise(workshop: &Arc<Workshop>, transport: &impl Transport, monitor: Monitor) -> Result<()> {
    let stop = workshop.stop.clone();
    let workers = monitor.run_with_signal(async move {
        stop.cancelled().await;
        Ok(())
    });
    tokio::select! {
        ended = workers => ended.map_err(|error| Error::internal(error.to_string())),
        () = loops(workshop, transport) => {
            tracing::warn!("jobs did not end in time; they run again when their leases end");
            Ok(())
        }
    }
}

/// Everything beside the workers. Ends only when the workers did not.
async fn loops(workshop: &Arc<Workshop>, transport: &impl Transport) {
    let recurring = async {
        if workshop.config.cron {
            tokio::select! {
                () = cron::tick(workshop) => {}
                () = workshop.stop.cancelled() => {}
            }
        }
    };
    let exit = async {
        workshop.stop.cancelled().await;
        sleep(workshop.config.grace).await;
        workshop.over.cancel();
        sleep(LAST_RESORT).await;
    };
    let background = async {
        tokio::join!(
            dispatch::dispatch(workshop, transport),
            dispatch::listen(workshop, transport),
            dispatch::keep(workshop),
            recurring
        );
    };
    tokio::select! {
        () = background => {}
        () = exit => {}
    }
}
