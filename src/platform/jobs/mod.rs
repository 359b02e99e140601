//! Background jobs. The row in the ledger is the job; queues only carry ids. Reading order:
//!
//! - `ledger/`: each step of a job as one short transaction: claim, renew, finish, rescue, and what a person may do
//! - `runner`: what a job sees, and what it may answer
//! - `workshop`: what all workers of one process share: slots, leases, shutdown
//! - `wave`: which free slots wait a moment for others
//! - `attempt`: one attempt from its claim to its recorded outcome: panics, time limit, cancellation, progress
//! - `dispatch`: the loop that looks for due jobs, and the signs of life
//! - `embedded` · `redis`: the two ways from the ledger to an Apalis worker
//! - `cron`: recurring jobs, one for each tick whatever the number of replicas
//! - `workers`: puts it all under one Apalis monitor
//!
//! What it promises: a committed job runs at least once, is retried with backoff, and ends; attempts are counted before they run, so that
//! a job that kills its worker ends dead; nothing is lost when Redis loses everything. It knows no payload's meaning.

mod attempt;
mod cron;
mod dispatch;
mod embedded;
mod ledger;
mod redis;
mod runner;
mod wave;
mod workers;
mod workshop;

use std::sync::Arc;
use std::time::Duration;

use entity::enums::JobQueueName;

use crate::kernel;
use crate::kernel::jobs::CronEntry;

pub use ledger::{
    JobEvent, Listed, QueueStats, RATE_MINUTES, Ticket, cancel, discard, ended_lately, hasten, live_workers,
    newest, prune, queue_stats, requeue, requeue_dead, requeue_dead_of_nobody, set_paused,
};
pub use runner::{JobError, ProgressHandle, Runner, RunningJob};
pub use workers::run_workers;
pub use workshop::Beat;

/// How one process works on jobs.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Jobs that run at the same time, for each queue; a missing queue is not worked on.
    pub concurrency: Vec<(JobQueueName, usize)>,
    /// How long running jobs may go on after the shutdown began.
    pub grace: Duration,
    /// Whether this process also starts recurring jobs.
    pub cron: bool,
    /// The recurring jobs.
    pub catalogue: Vec<CronEntry>,
    /// Signs of life, for health checks.
    pub beat: Arc<Beat>,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        use JobQueueName::{
            CalendarSync, DataTransfer, Email, Maintenance, Notification, ScheduleGeneration,
        };
        let concurrency = vec![
            (CalendarSync, 4),
            (Email, 4),
            (ScheduleGeneration, 2),
            (Notification, 4),
            (DataTransfer, 2),
            (Maintenance, 1),
        ];
        Self {
            concurrency,
            grace: Duration::from_secs(6),
            cron: true,
            catalogue: kernel::jobs::cron(),
            beat: Arc::default(),
        }
    }
}
