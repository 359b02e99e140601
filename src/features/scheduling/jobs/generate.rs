//! The job that makes a plan somebody asked for.

use entity::enums::ScheduleStatus;
use entity::ids::ScheduleId;
use entity::schedule;

use super::{credit, listen, make, save};
use crate::access::Ctx;
use crate::features::scheduling::read;
use crate::features::scheduling::solve::How;
use crate::features::scheduling::write;
use crate::kernel::jobs::Payload;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::jobs::{JobError, RunningJob};

/// Makes the plan of a job. What a person can do something about ends in the plan's error; what may pass is tried again.
pub async fn generate(platform: &Platform, job: &RunningJob) -> std::result::Result<(), JobError> {
    let Payload::GenerateSchedule { schedule_id } = &job.payload else {
        return Err(JobError::Fatal("This is no schedule to generate.".into()));
    };
    let Some(workspace) = job.workspace_id else {
        return Err(JobError::Fatal("A schedule belongs to a workspace.".into()));
    };
    let ctx = Ctx::system(platform, workspace);
    let result = run(&ctx, job, *schedule_id).await;
    if job.cancel.is_cancelled() {
        return Err(JobError::Cancelled);
    }
    match result {
        Ok(()) => Ok(()),
        // The plan or its workspace was deleted meanwhile.
        Err(error) if error.is_not_found() => Ok(()),
        Err(error @ Error::User(_)) => Ok(save::fail(&ctx, *schedule_id, &error.to_string()).await?),
        Err(error) if job.attempt >= job.payload.max_attempts() => {
            save::fail(&ctx, *schedule_id, &error.to_string()).await?;
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn run(ctx: &Ctx, job: &RunningJob, id: ScheduleId) -> Result<()> {
    let row = read::get(ctx, id).await?;
    if row.status != ScheduleStatus::Generating {
        return finish_earlier(ctx, job, &row).await;
    }
    let row = listen::listen(ctx, row, &job.cancel).await?;
    credit::credit_of(ctx, row.user_id).await?;
    let made = make::make(ctx, &row, How::Anew, &job.cancel, None).await?;
    if job.cancel.is_cancelled() {
        return Ok(());
    }
    let finished = save::finish(&made, &ctx.platform().ids)?;
    let fits = finished.unplaced.is_empty();
    let Some(stored) = save::store(ctx, id, &finished).await? else {
        return Ok(());
    };
    if stored.auto_apply && fits {
        apply(ctx, &stored).await?;
    }
    Ok(())
}

/// An earlier attempt may have ended after the plan was stored and before it was applied.
async fn finish_earlier(ctx: &Ctx, job: &RunningJob, row: &schedule::Model) -> Result<()> {
    let is_left = job.attempt > 1
        && row.job_id == Some(job.id)
        && row.auto_apply
        && row.status == ScheduleStatus::Proposed;
    if is_left && read::unscheduled_of(ctx, &[row.id]).await?.is_empty() {
        apply(ctx, row).await?;
    }
    Ok(())
}

/// What stands in the way of applying a plan does not take the proposal away.
async fn apply(ctx: &Ctx, row: &schedule::Model) -> Result<()> {
    match write::apply_for(ctx, row.user_id, row.id, None, None).await {
        Ok(_) | Err(Error::User(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
