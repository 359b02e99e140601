//! The job ledger: table `jobs` is the truth, and every step of a job is one short transaction here. What it promises: an attempt is counted
//! before it runs; only the holder of the lease writes its outcome; whoever dies is noticed by its lease. It knows no transport.

mod claim;
mod desk;
mod finish;
mod keep;
mod list;
mod pick;
mod rates;
mod retention;
mod roll;
mod stats;
mod tick;
mod together;
mod turns;
mod walk;

use std::sync::Arc;

use chrono::TimeDelta;
use entity::enums::{JobQueueName, JobStatus};
use entity::ids::JobId;
use entity::job;
use sea_orm::sea_query::Condition;
use sea_orm::{ActiveEnum as _, ColumnTrait as _, Set};
use serde::{Deserialize, Serialize};

pub use desk::{cancel, discard, hasten, requeue, requeue_dead, requeue_dead_of_nobody, set_paused};
pub use finish::Outcome;
pub use list::{Listed, newest};
pub(super) use pick::{Room, Who};
pub use rates::{RATE_MINUTES, ended_lately};
pub use retention::prune;
pub use roll::live_workers;
pub use stats::{QueueStats, queue_stats};

use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::kernel::changes::Topic;
use crate::kernel::ids::random_bytes;
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::db::{Scope, Tx};

/// How long a claim holds without a sign of life.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How long a job that was handed to the queue waits there before it counts as lost. Jobs go on within ten seconds after Redis lost them, and
/// then it still has to be found, handed over again and asked for.
pub(super) const PUSH_LEASE: TimeDelta = TimeDelta::seconds(5);
/// A lease that ends later than this was not given by this clock: its giver's was wrong, or ours was, and nobody knows who is alive.
const ABSURD: TimeDelta = TimeDelta::minutes(5);
/// Lease owner of jobs that were handed to the queue.
const PUSHED: &str = "pushed";
/// Rows of one sweep.
const PAGE: u64 = 500;

/// Access to the ledger in the name of one worker process.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    platform: Platform,
    owner: Arc<str>,
    /// Whose turn comes next.
    turns: Arc<turns::Turns>,
    /// Attempts that end well at the same time.
    ends: together::Together<bool>,
    /// Attempts that the transport delivers at the same time.
    takes: together::Together<Option<job::Model>>,
}

/// The right to write the outcome of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// The job.
    pub id: JobId,
    /// The attempt, from 1.
    pub attempt: i32,
}

impl From<&job::Model> for Ticket {
    fn from(job: &job::Model) -> Self {
        Self {
            id: job.id,
            attempt: job.attempts,
        }
    }
}

/// What travels on [`Topic::Job`] after each step of a job, and with the others of its transaction on [`Topic::Jobs`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEvent {
    /// The job.
    pub id: JobId,
    /// Its queue.
    pub queue: JobQueueName,
    /// Its state now.
    pub status: JobStatus,
    /// Its progress, when it reports one.
    pub progress_percent: Option<i32>,
    /// Whether it was asked to stop.
    pub cancel_requested: bool,
}

/// Announces steps after the commit. Every change of a job's state goes through here.
fn announce(tx: &Tx, jobs: &[job::Model]) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let event = |job: &job::Model| JobEvent {
        id: job.id,
        queue: job.queue,
        status: job.status,
        progress_percent: job.progress_percent,
        cancel_requested: job.cancel_requested,
    };
    let events: Vec<JobEvent> = jobs.iter().map(event).collect();
    for event in &events {
        tx.announce(Topic::Job(event.id), event)?;
    }
    // Whoever watches all of them hears of a transaction once.
    tx.announce(Topic::Jobs, &events)
}

impl Ledger {
    pub(super) fn new(platform: Platform, owner: &str) -> Self {
        Self {
            platform,
            owner: owner.into(),
            turns: Arc::default(),
            ends: Default::default(),
            takes: Default::default(),
        }
    }

    async fn write<T, F, Fut>(&self, body: F) -> Result<T>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T>> + Send,
        T: Send,
    {
        self.platform.write(Scope::System, Actor::system(), body).await
    }

    /// The row of this attempt, as long as the lease is ours.
    fn mine(&self, ticket: Ticket) -> Condition {
        Condition::all()
            .add(job::Column::Id.eq(ticket.id))
            .add(job::Column::Attempts.eq(ticket.attempt))
            .add(job::Column::LeaseOwner.eq(self.owner.as_ref()))
            .add(job::Column::Status.eq(JobStatus::Running))
    }
}

/// Jobs that nobody holds at `now`.
fn unleased(now: Instant) -> Condition {
    Condition::any()
        .add(job::Column::LeaseUntil.is_null())
        .add(job::Column::LeaseUntil.lte(now))
        .add(job::Column::LeaseUntil.gt(now + ABSURD))
}

/// Leases that hold no longer.
fn expired(now: Instant) -> Condition {
    Condition::any()
        .add(job::Column::LeaseUntil.lt(now))
        .add(job::Column::LeaseUntil.gt(now + ABSURD))
}

/// The stored word of a queue.
pub(super) fn word(queue: JobQueueName) -> String {
    queue.to_value()
}

const WAITING: [JobStatus; 2] = [JobStatus::Queued, JobStatus::Retrying];

/// Fields of a job that nobody holds.
fn released(now: Instant) -> job::ActiveModel {
    job::ActiveModel {
        lease_owner: Set(None),
        lease_until: Set(None),
        updated_at: Set(now),
        ..Default::default()
    }
}

/// A number in 0..1, to spread retries. A machine without randomness retries in step.
fn jitter() -> f64 {
    random_bytes::<2>().map_or(0.5, |bytes| f64::from(u16::from_le_bytes(bytes)) / 65_536.0)
}
