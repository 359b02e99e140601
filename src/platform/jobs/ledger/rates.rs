//! How fast the queues are, for the dashboard. Ended jobs are found by the index of their ends.

use chrono::TimeDelta;
use entity::enums::{JobQueueName, JobStatus};
use entity::job;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};

use crate::kernel::Result;
use crate::kernel::time::Instant;
use crate::platform::db::Read;

/// Minutes that [`ended_lately`] looks back.
pub const RATE_MINUTES: i64 = 5;

/// How many jobs of each queue ended in each final state in the last [`RATE_MINUTES`].
pub async fn ended_lately(read: &Read, now: Instant) -> Result<Vec<(JobQueueName, JobStatus, i64)>> {
    let ended = read
        .find::<job::Entity>()
        .select_only()
        .columns([job::Column::Queue, job::Column::Status])
        .column_as(job::Column::Id.count(), "count")
        .filter(job::Column::FinishedAt.gt(now - TimeDelta::minutes(RATE_MINUTES)))
        .group_by(job::Column::Queue)
        .group_by(job::Column::Status);
    Ok(ended.into_tuple().all(read).await?)
}
