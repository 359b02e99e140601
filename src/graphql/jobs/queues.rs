//! The queues and their numbers.

use async_graphql::{Context, Object, Result, SimpleObject};

use crate::features::jobs;
use crate::graphql::access;
use crate::graphql::enums::JobQueueName;
use crate::graphql::errors::expose;
use crate::platform::jobs::QueueStats;

/// Current numbers of a job queue.
#[derive(SimpleObject)]
pub struct JobQueue {
    /// Name of the queue.
    name: JobQueueName,
    /// Jobs that wait.
    queued_count: i32,
    /// Jobs that run.
    running_count: i32,
    /// Jobs that wait for another attempt.
    retrying_count: i32,
    /// Jobs in the dead letters.
    dead_count: i32,
    /// Jobs that ended well in the last 24 hours.
    succeeded_last_day: i32,
    /// Age of the oldest waiting job in seconds. Null when none waits.
    oldest_queued_seconds: Option<i32>,
    /// Live workers.
    worker_count: i32,
    /// Whether workers take no new jobs.
    is_paused: bool,
}

impl From<QueueStats> for JobQueue {
    fn from(stats: QueueStats) -> Self {
        let int = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            name: stats.queue.into(),
            queued_count: int(stats.queued),
            running_count: int(stats.running),
            retrying_count: int(stats.retrying),
            dead_count: int(stats.dead),
            succeeded_last_day: int(stats.succeeded_last_day),
            oldest_queued_seconds: stats
                .oldest_queued_at
                .map(|at| int((stats.at - at).num_seconds().max(0))),
            worker_count: int(stats.workers),
            is_paused: stats.is_paused,
        }
    }
}

#[derive(Default)]
pub struct JobQueueQuery;

#[Object]
impl JobQueueQuery {
    /// All job queues. Requires an installation admin.
    async fn job_queues(&self, ctx: &Context<'_>) -> Result<Vec<JobQueue>> {
        let stats = jobs::queues(access(ctx)).await.map_err(expose)?;
        Ok(stats.into_iter().map(JobQueue::from).collect())
    }
}
