//! Background jobs.

mod commands;
mod queues;

use std::sync::Arc;

use async_graphql::{Context, Description, ID, InputObject, Object, Result, Subscription};
use entity::job;
use futures_util::stream::{Stream, TryStreamExt as _, try_unfold};

use super::access;
use super::enums::{JobQueueName, JobStatus};
use super::errors::{expose, lookup};
use super::ids::{global, parse, target};
use super::loader;
use super::loaders::JobKey;
use super::paging::{connection, wants_total};
use super::ranges::DateTimeRangeInput;
use super::scalars::{DateTime, Json};
use super::workspaces::{Workspace, workspace_of};
use crate::access::Access;
use crate::features::jobs::{self, Feed, Watch};
use crate::kernel;
use crate::kernel::page::PageArgs;

pub use commands::JobMutation;
pub use queues::JobQueueQuery;

/// A background job.
#[derive(Description, Clone)]
pub struct Job(pub Arc<job::Model>);

impl From<job::Model> for Job {
    fn from(row: job::Model) -> Self {
        Self(Arc::new(row))
    }
}

#[Object(use_type_description)]
impl Job {
    /// Globally unique ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Queue of the job.
    async fn queue(&self) -> JobQueueName {
        self.0.queue.into()
    }

    /// State.
    async fn status(&self) -> JobStatus {
        self.0.status.into()
    }

    /// Workspace the job works for. Null for system jobs.
    async fn workspace(&self, ctx: &Context<'_>) -> Option<Result<Workspace>> {
        workspace_of(ctx, self.0.workspace_id).await
    }

    /// Arguments with secrets removed. Requires an installation admin; null otherwise.
    async fn payload(&self, ctx: &Context<'_>) -> Option<Json> {
        // Payloads carry ids and switches only, so there is nothing to remove.
        access(ctx)
            .caller()
            .is_admin()
            .then(|| Json(self.0.payload.clone()))
    }

    /// Progress from 0 to 100. Null when the job reports none.
    async fn progress_percent(&self) -> Option<i32> {
        self.0.progress_percent
    }

    /// Attempts so far.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// Attempts before the job is moved to the dead letters.
    async fn max_attempts(&self) -> i32 {
        self.0.max_attempts
    }

    /// Error of the last attempt. Null when it succeeded or never ran.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// When the job was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// Earliest start of the next attempt, after backoff.
    async fn run_at(&self) -> DateTime {
        DateTime(self.0.run_at)
    }

    /// When the last attempt started. Null when none did.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// When the job ended for good. Null while it may still run.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }
}

connection!(
    /// A page of jobs.
    JobConnection, JobEdge, Job, "jobs"
);

/// Filter for jobs. All given conditions must hold.
#[derive(InputObject)]
pub struct JobFilter {
    /// Only jobs of these queues.
    queues: Option<Vec<JobQueueName>>,
    /// Only jobs with these states.
    statuses: Option<Vec<JobStatus>>,
    /// Only jobs of this workspace.
    workspace_id: Option<ID>,
    /// Only jobs created in this range.
    range: Option<DateTimeRangeInput>,
}

impl JobFilter {
    /// An id that nobody has matches nothing.
    fn into_model(self) -> kernel::Result<jobs::JobFilter> {
        let nobody = || entity::ids::WorkspaceId(Default::default());
        Ok(jobs::JobFilter {
            queues: self.queues.map(|any| any.into_iter().map(Into::into).collect()),
            statuses: self.statuses.map(|any| any.into_iter().map(Into::into).collect()),
            workspace_id: self.workspace_id.map(|id| parse(&id).unwrap_or_else(nobody)),
            range: self.range.map(|range| range.span("filter.range")).transpose()?,
        })
    }
}

/// A job that a row refers to; null when it is gone or not for the viewer's eyes.
pub async fn job_of(ctx: &Context<'_>, id: Option<entity::ids::JobId>) -> Option<Result<Job>> {
    loader(ctx)
        .load_one(JobKey(id?))
        .await
        .map(|row| row.map(Job))
        .transpose()
}

#[derive(Default)]
pub struct JobQuery;

#[Object]
impl JobQuery {
    /// A job by ID. Members see jobs of their workspaces; installation admins see all.
    async fn job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the job.")] id: ID,
    ) -> Option<Result<Job>> {
        lookup(async { jobs::get(access(ctx), target(&id)?).await.map(Job::from) }.await)
    }

    /// Jobs, newest first. Requires an installation admin.
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only jobs that match.")] filter: Option<JobFilter>,
        #[graphql(
            desc = "Page size from the start, at most 100. 50 when neither `first` nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Continue before this cursor.")] before: Option<String>,
    ) -> Result<JobConnection> {
        let page = async {
            let request = PageArgs {
                first,
                after,
                last,
                before,
            }
            .check(50, wants_total(ctx))?;
            let filter = filter.map(JobFilter::into_model).transpose()?.unwrap_or_default();
            jobs::page(access(ctx), &filter, &request).await
        };
        Ok(JobConnection::new(page.await.map_err(expose)?, Job::from))
    }
}

#[derive(Default)]
pub struct JobSubscription;

#[Subscription]
impl JobSubscription {
    /// All job state changes, for the admin dashboard. Requires an installation admin.
    async fn job_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only jobs of these queues.")] queues: Option<Vec<JobQueueName>>,
    ) -> Result<impl Stream<Item = Result<Job>> + use<>> {
        let queues = queues.map(|any| any.into_iter().map(Into::into).collect());
        let feed = Feed::start(access(ctx), queues).map_err(expose)?;
        let next =
            async |mut feed: Feed| kernel::Result::Ok(feed.next().await?.map(|row| (Job::from(row), feed)));
        Ok(try_unfold(feed, next).map_err(expose))
    }

    /// Progress of one job. Sends the current state first and completes when it ends.
    async fn job_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Job to watch.")] job_id: ID,
    ) -> Result<impl Stream<Item = Result<Job>> + use<>> {
        let (platform, caller) = (access(ctx).platform().clone(), access(ctx).caller().clone());
        let start = async {
            let id = jobs::get(access(ctx), target(&job_id)?).await?.id;
            Ok(Watch::start(&platform, id))
        };
        let watch = start.await.map_err(expose)?;
        let next = move |mut watch: Watch| {
            let (platform, caller) = (platform.clone(), caller.clone());
            async move {
                let row = watch
                    .next(|| Access::new(platform.clone(), caller.clone()))
                    .await?;
                Ok(row.map(|row| (Job::from(row), watch)))
            }
        };
        Ok(try_unfold(watch, next).map_err(expose))
    }
}
