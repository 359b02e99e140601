//! Plans whose job is over without having said so: it was cancelled by itself, it died with its worker, or it took too long each time.
//!
//! Promises: no plan is being made for ever. One that another job makes by now goes on.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use entity::enums::{JobQueueName, JobStatus, ScheduleStatus};
use entity::ids::{JobId, ScheduleId};
use entity::{job, schedule};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::save;
use crate::access::Ctx;
use crate::kernel::Result;
use crate::kernel::jobs::Payload;
use crate::platform::Platform;
use crate::platform::db::Scope;

/// How long the end of a job is looked at: much longer than servers stand still.
const FRESH: TimeDelta = TimeDelta::days(1);
/// Jobs that are looked at together, those that ended last.
const PAGE: u64 = 500;

/// Says of each such plan that it could not be made.
pub(super) async fn tell_ended(platform: &Platform) -> Result<()> {
    let read = platform.db.read(Scope::System).await?;
    let jobs = read
        .find::<job::Entity>()
        .filter(job::Column::Status.is_in([JobStatus::Dead, JobStatus::Cancelled]))
        .filter(job::Column::Queue.eq(JobQueueName::ScheduleGeneration))
        .filter(job::Column::FinishedAt.gt(platform.clock.now() - FRESH))
        .order_by_desc(job::Column::FinishedAt)
        .limit(PAGE);
    let mut ended: HashMap<JobId, JobStatus> = HashMap::new();
    let mut plans: HashSet<ScheduleId> = HashSet::new();
    for job in jobs.all(&read).await? {
        if let Ok(Payload::GenerateSchedule { schedule_id }) = serde_json::from_value(job.payload) {
            ended.insert(job.id, job.status);
            plans.insert(schedule_id);
        }
    }
    if plans.is_empty() {
        return Ok(());
    }
    let rows = read
        .find::<schedule::Entity>()
        .filter(schedule::Column::Id.is_in(plans))
        .filter(schedule::Column::Status.eq(ScheduleStatus::Generating));
    for row in rows.all(&read).await? {
        let message = match row.job_id.and_then(|id| ended.get(&id)) {
            Some(JobStatus::Cancelled) => "The job that was to make this schedule was cancelled.",
            Some(_) => "The job that was to make this schedule did not come to its end. Generate it again.",
            None => continue,
        };
        fail(&Ctx::system(platform, row.workspace_id), &row, message).await?;
    }
    Ok(())
}

async fn fail(ctx: &Ctx, row: &schedule::Model, message: &str) -> Result<()> {
    let body = ctx.write(|tx| async move {
        let before = save::locked(&tx, row.id).await?;
        if before.status != ScheduleStatus::Generating || before.job_id != row.job_id {
            // Its person did something about it meanwhile.
            return Ok(());
        }
        save::fail_in(&tx, before, message).await
    });
    match body.await {
        // It went with its workspace.
        Err(error) if error.is_not_found() => Ok(()),
        done => done,
    }
}
