//! The loops of a worker process: looking for due jobs, listening for new ones, renewing leases and rescuing jobs of dead workers.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};

use super::workshop::Workshop;
use crate::kernel::Result;
use crate::kernel::changes::Topic;
use crate::platform::pubsub::Signal;

/// Longest time between two looks: other processes without Redis cannot ring.
const TICK: Duration = Duration::from_secs(1);
/// Time between two looks for jobs of dead workers.
const SWEEP: Duration = Duration::from_secs(5);
/// Leases are renewed at every second sweep.
const RENEW_EVERY: u32 = 2;

/// The way from the ledger to the workers.
pub(super) trait Transport: Send + Sync {
    /// Moves due jobs to the workers. Returns the time until the next job is due, when that is known.
    fn pass(&self) -> impl Future<Output = Result<Option<Duration>>> + Send;

    /// Jobs may have reached the workers: they look.
    fn nudge(&self);

    /// Messages may have been missed, or the transport may have lost what it carried.
    fn resync(&self) -> impl Future<Output = Result<()>> + Send;
}

/// Moves due jobs whenever the bell rings, a job becomes due, or a tick has passed. Ends with the shutdown.
pub(super) async fn dispatch(workshop: &Workshop, transport: &impl Transport) {
    let mut wait = Duration::ZERO;
    while !workshop.stop.is_cancelled() {
        tokio::select! {
            () = workshop.stop.cancelled() => return,
            () = workshop.bell.notified() => {}
            () = workshop.lull() => {}
            () = sleep(wait) => {}
        }
        wait = match transport.pass().await {
            Ok(next) => {
                workshop.config.beat.beat(workshop.platform.clock.now());
                next.unwrap_or(TICK).min(workshop.patience(TICK))
            }
            Err(error) => {
                let cause = error.cause();
                tracing::warn!(%error, cause, "due jobs cannot be looked up");
                TICK
            }
        };
    }
}

/// Rings the bell when somebody enqueued a job. Ends when messages end.
pub(super) async fn listen(workshop: &Workshop, transport: &impl Transport) {
    let mut due = workshop.platform.pubsub.subscribe(Topic::JobsDue);
    loop {
        match due.recv().await {
            Signal::Message(_) => {}
            Signal::Resync => {
                if let Err(error) = transport.resync().await {
                    tracing::warn!(%error, "jobs that were on their way are looked at again only when their lease ends");
                }
            }
            Signal::Closed => return,
        }
        transport.nudge();
        workshop.bell.notify_one();
    }
}

/// Renews the leases of running jobs, and takes jobs from the dead. Ends never.
pub(super) async fn keep(workshop: &Arc<Workshop>) {
    let mut ticks = interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sweeps = 0_u32;
    loop {
        ticks.tick().await;
        // Before anybody is taken for dead.
        set_clock(workshop).await;
        if let Err(error) = workshop.ledger.present(&workshop.config.concurrency).await {
            tracing::debug!(%error, "this worker cannot say that it lives");
        }
        if sweeps.is_multiple_of(RENEW_EVERY) {
            renew(workshop).await;
        }
        sweeps = sweeps.wrapping_add(1);
        match workshop.ledger.rescue(&workshop.tickets()).await {
            Ok(0) => {}
            Ok(rescued) => {
                tracing::warn!(rescued, "jobs of dead workers were put back");
                workshop.bell.notify_one();
            }
            Err(error) => tracing::warn!(%error, "jobs of dead workers cannot be looked up"),
        }
    }
}

/// Longest wait for the database's time.
const CLOCK_PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// Leases are judged by all processes, so all of them keep the time of the database.
pub(super) async fn set_clock(workshop: &Workshop) {
    let platform = &workshop.platform;
    // Leases are renewed after this, so it must not wait as long as a full pool would let it.
    match tokio::time::timeout(CLOCK_PATIENCE, platform.db.set_clock(&platform.clock)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the database does not say what time it is"),
        Err(_) => tracing::debug!("the database does not say in time what time it is"),
    }
}

async fn renew(workshop: &Workshop) {
    let tickets = workshop.tickets();
    if tickets.is_empty() {
        return;
    }
    match workshop.ledger.renew(&tickets).await {
        Ok(leases) => {
            leases
                .lost
                .iter()
                .for_each(|ticket| workshop.tell(ticket, |held| held.lost.cancel()));
            leases
                .cancelled
                .iter()
                .for_each(|ticket| workshop.tell(ticket, |held| held.cancelled.cancel()));
        }
        Err(error) => tracing::warn!(%error, "leases cannot be renewed"),
    }
}
