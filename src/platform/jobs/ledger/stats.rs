//! Numbers of the queues, for the dashboard.

use chrono::TimeDelta;
use entity::enums::{JobQueueName, JobStatus};
use entity::{job, job_queue};
use sea_orm::{ColumnTrait as _, Iterable as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::kernel::Result;
use crate::kernel::time::Instant;
use crate::platform::db::Read;

/// Current numbers of one queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueStats {
    /// The queue.
    pub queue: JobQueueName,
    /// Jobs that wait.
    pub queued: i64,
    /// Jobs that run.
    pub running: i64,
    /// Jobs that wait for another attempt.
    pub retrying: i64,
    /// Jobs in the dead letters.
    pub dead: i64,
    /// Jobs that ended well in the last 24 hours.
    pub succeeded_last_day: i64,
    /// Start of the oldest wait.
    pub oldest_queued_at: Option<Instant>,
    /// Processes that work on it.
    pub workers: i64,
    /// Whether workers take no new jobs.
    pub is_paused: bool,
    /// When the numbers were true.
    pub at: Instant,
}

/// Numbers of every queue at `now`, in the order of the catalogue.
pub async fn queue_stats(read: &Read, now: Instant) -> Result<Vec<QueueStats>> {
    let kept = [
        JobStatus::Queued,
        JobStatus::Running,
        JobStatus::Retrying,
        JobStatus::Dead,
    ];
    let counts: Vec<(JobQueueName, JobStatus, i64, Option<Instant>)> = read
        .find::<job::Entity>()
        .select_only()
        .columns([job::Column::Queue, job::Column::Status])
        .column_as(job::Column::Id.count(), "count")
        .column_as(job::Column::RunAt.min(), "oldest")
        .filter(job::Column::Status.is_in(kept))
        .group_by(job::Column::Queue)
        .group_by(job::Column::Status)
        .into_tuple()
        .all(read)
        .await?;
    let succeeded: Vec<(JobQueueName, i64)> = read
        .find::<job::Entity>()
        .select_only()
        .column(job::Column::Queue)
        .column_as(job::Column::Id.count(), "count")
        .filter(job::Column::Status.eq(JobStatus::Succeeded))
        .filter(job::Column::FinishedAt.gt(now - TimeDelta::days(1)))
        .group_by(job::Column::Queue)
        .into_tuple()
        .all(read)
        .await?;
    let workers = super::roll::workers(read, now).await?;
    let switches = read
        .find_global::<job_queue::Entity>()
        .order_by_asc(job_queue::Column::Name)
        .all(read)
        .await?;

    let row = |queue, status| counts.iter().find(|row| row.0 == queue && row.1 == status);
    let count = |queue, status| row(queue, status).map_or(0, |row| row.2);
    let stats = JobQueueName::iter().map(|queue| QueueStats {
        queue,
        queued: count(queue, JobStatus::Queued),
        running: count(queue, JobStatus::Running),
        retrying: count(queue, JobStatus::Retrying),
        dead: count(queue, JobStatus::Dead),
        succeeded_last_day: succeeded.iter().find(|row| row.0 == queue).map_or(0, |row| row.1),
        oldest_queued_at: row(queue, JobStatus::Queued)
            .and_then(|row| row.3)
            .filter(|at| *at <= now),
        workers: workers.iter().find(|row| row.0 == queue).map_or(0, |row| row.1),
        at: now,
        is_paused: switches
            .iter()
            .any(|switch| switch.name == queue && switch.is_paused),
    });
    Ok(stats.collect())
}
