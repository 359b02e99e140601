//! The commands on jobs and queues, and their payloads.

use async_graphql::{Context, ID, Object, Result};

use super::Job;
use super::queues::JobQueue;
use crate::features::jobs;
use crate::graphql::access;
use crate::graphql::enums::JobQueueName;
use crate::graphql::ids::{global, target};
use crate::graphql::paging::payload;
use crate::graphql::straight::{command, commands, shaped_payload};

payload!(
    RequeueJobPayload,
    "requeueJob",
    /// Background job that does the work. Null when the mutation failed.
    job: Job
);
shaped_payload!(
    RequeueDeadJobsPayload,
    "requeueDeadJobs",
    /// Number of jobs put back. Null when the mutation failed.
    value requeued_count: Option<i32>
);
payload!(
    CancelJobPayload,
    "cancelJob",
    /// Background job that does the work. Null when the mutation failed.
    job: Job
);
shaped_payload!(
    DiscardJobPayload,
    "discardJob",
    /// ID of the discarded job. Null when the mutation failed.
    value discarded_job_id: Option<ID>
);
payload!(
    SetJobQueuePausedPayload,
    "setJobQueuePaused",
    /// The job queue after the change. Null when the mutation failed.
    job_queue: JobQueue
);

commands! {
    RequeueDeadJobs(queue "queue": JobQueueName) -> RequeueDeadJobsPayload, |access| {
        let count = jobs::requeue_dead(access, queue.into()).await?;
        Ok(RequeueDeadJobsPayload::of(i32::try_from(count).unwrap_or(i32::MAX)))
    };
    DiscardJob(id "id": ID) -> DiscardJobPayload, |access| {
        access.caller().require_admin()?;
        let id = jobs::discard(access, target(&id)?).await?;
        Ok(DiscardJobPayload::of(global(id)))
    };
}

#[derive(Default)]
pub struct JobMutation;

#[Object]
impl JobMutation {
    /// Puts a dead or failed job back into its queue with fresh attempts. Requires an installation admin.
    async fn requeue_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<RequeueJobPayload> {
        let result = async {
            access(ctx).caller().require_admin()?;
            jobs::requeue(access(ctx), target(&id)?).await
        };
        RequeueJobPayload::new(result.await, Job::from)
    }

    /// Puts all dead jobs of a queue back. Requires an installation admin.
    async fn requeue_dead_jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Queue to act on.")] queue: JobQueueName,
    ) -> Result<RequeueDeadJobsPayload> {
        command::<RequeueDeadJobs>(ctx, (queue,)).await
    }

    /// Cancels a job that waits or runs. Requires an installation admin, or the member who started it.
    async fn cancel_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<CancelJobPayload> {
        let result = async {
            access(ctx).caller().require_user()?;
            jobs::cancel(access(ctx), target(&id)?).await
        };
        CancelJobPayload::new(result.await, Job::from)
    }

    /// Deletes a dead job for good. Requires an installation admin.
    async fn discard_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<DiscardJobPayload> {
        command::<DiscardJob>(ctx, (id,)).await
    }

    /// Pauses or resumes a queue. Requires an installation admin.
    async fn set_job_queue_paused(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Queue to act on.")] queue: JobQueueName,
        #[graphql(desc = "Whether workers take no new jobs.")] is_paused: bool,
    ) -> Result<SetJobQueuePausedPayload> {
        let result = jobs::set_paused(access(ctx), queue.into(), is_paused).await;
        SetJobQueuePausedPayload::new(result, JobQueue::from)
    }
}
