//! Puts the loops and one Apalis worker per queue under one monitor, and takes them down in order: no new jobs, a grace for running ones,
//! then what still runs is handed back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use apalis::layers::limit::ConcurrencyLimitLayer;
use apalis_core::backend::ext::BackendExt as _;
use apalis_core::error::BoxDynError;
use apalis_core::monitor::Monitor;
use apalis_core::worker::builder::WorkerBuilder;
use entity::enums::JobQueueName;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::dispatch::{self, Transport};
use super::embedded::Embedded;
use super::redis::{Brokered, Lane, Pushed};
use super::workshop::{Claimed, UNWRITTEN, Workshop};
use super::{Runner, WorkerConfig, cron};
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::redis::Redis;

/// Time for running jobs to end and be recorded after the grace; then the workers are given up.
const LAST_RESORT: Duration = Duration::from_millis(1_500);
/// Time for telling others that this process ends.
const GOOD_BYE: Duration = Duration::from_millis(500);
/// When Redis forgets its workers or is away, they all stop, some of them again and again: one line for all of that.
const QUIET: Duration = Duration::from_secs(60);

/// Works on jobs until `shutdown` fires and everything that ran has ended or was handed back. With Redis, jobs travel through it, so that
/// any replica's worker runs any replica's job; without, the workers of this process claim from the ledger themselves.
pub async fn run_workers(
    platform: Platform,
    redis: Option<Redis>,
    runner: Arc<dyn Runner>,
    config: WorkerConfig,
    shutdown: CancellationToken,
) -> Result<()> {
    let workshop = Workshop::new(platform, runner, config, shutdown);
    dispatch::set_clock(&workshop).await;
    let ended = match redis {
        Some(redis) => brokered(&workshop, redis).await,
        None => embedded(&workshop).await,
    };
    if let Ok(Err(error)) = timeout(GOOD_BYE, workshop.ledger.absent()).await {
        tracing::debug!(%error, "others learn of the end of this worker when it stays silent");
    }
    ended
}

async fn embedded(workshop: &Arc<Workshop>) -> Result<()> {
    let transport = Embedded::new(workshop.clone());
    let mut monitor = monitor(workshop);
    for (queue, lane) in transport.lanes() {
        let shared = workshop.clone();
        monitor = monitor.register(move |restarts| {
            let workshop = shared.clone();
            WorkerBuilder::new(workshop.worker_name(queue, restarts))
                .backend(lane.clone())
                // What has ended and is not written yet has given its slot to another.
                .layer(ConcurrencyLimitLayer::new(places(&workshop, queue) + UNWRITTEN))
                .build(move |claimed: Claimed| run_claimed(workshop.clone(), claimed))
        });
    }
    let result = supervise(workshop, &transport, monitor).await;
    transport.hand_back().await;
    result
}

async fn brokered(workshop: &Arc<Workshop>, redis: Redis) -> Result<()> {
    let transport = Brokered::new(workshop.clone(), redis);
    let mut monitor = monitor(workshop);
    for lane in transport.lanes() {
        let shared = workshop.clone();
        monitor = monitor.register(move |restarts| {
            let (workshop, lane) = (shared.clone(), lane.clone());
            let name = workshop.worker_name(lane.queue, restarts);
            WorkerBuilder::new(name.clone())
                .backend(lane.storage().poll_with_strategy(lane.pace()))
                .layer(ConcurrencyLimitLayer::new(places(&workshop, lane.queue)))
                .build(move |pushed: Pushed| run_pushed(workshop.clone(), lane.clone(), name.clone(), pushed))
        });
    }
    supervise(workshop, &transport, monitor).await
}

/// Jobs that a worker takes at the same time: one for each slot, and the one more that whoever has nothing running gets when all are taken.
fn places(workshop: &Workshop, queue: JobQueueName) -> usize {
    workshop.slots(queue) + 1
}

/// Apalis is always told that all is well: retries are the ledger's business.
async fn run_claimed(workshop: Arc<Workshop>, claimed: Claimed) -> Result<(), BoxDynError> {
    let Claimed { job, slot } = claimed;
    workshop.attempt(job, Some(slot)).await;
    Ok(())
}

async fn run_pushed(
    workshop: Arc<Workshop>,
    lane: Lane,
    worker: String,
    pushed: Pushed,
) -> Result<(), BoxDynError> {
    lane.deliver(workshop, &worker, pushed).await;
    Ok(())
}

fn monitor(workshop: &Workshop) -> Monitor {
    let stop = workshop.stop.clone();
    let told: Mutex<Option<Instant>> = Mutex::default();
    Monitor::new().should_restart(move |worker, error| {
        tracing::debug!(worker = worker.name(), %error, restarts = worker.restarts(), "a worker stopped");
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if !stop.is_cancelled() && told.is_none_or(|at| at.elapsed() > QUIET) {
            *told = Some(Instant::now());
            tracing::warn!(%error, "workers lost their place in the queue and start again; no job is lost");
        }
        !stop.is_cancelled()
    })
}

async fn supervise(workshop: &Arc<Workshop>, transport: &impl Transport, monitor: Monitor) -> Result<()> {
    let stop = workshop.stop.clone();
    let workers = monitor.run_with_signal(async move {
        stop.cancelled().await;
        Ok(())
    });
    tokio::select! {
        ended = workers => match ended {
            Err(error) if workshop.stop.is_cancelled() => {
                tracing::warn!(%error, "a worker did not say good-bye to Redis");
                Ok(())
            }
            other => other.map_err(|error| Error::internal(error.to_string())),
        },
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
