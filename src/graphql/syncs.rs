//! Runs of a sync, and watching them.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, Object, Result, SimpleObject, Subscription};
use entity::ids::{CalendarId, IntegrationId, WorkspaceId};
use entity::{integration, sync_run};
use futures_util::stream::try_unfold;
use futures_util::{Stream, TryStreamExt as _};

use super::calendars::Calendar;
use super::enums::JobStatus;
use super::errors::expose;
use super::ids::{global, target};
use super::integrations::Integration;
use super::jobs::{Job, job_of};
use super::loaders::{CalendarKey, IntegrationKey};
use super::scalars::DateTime;
use super::{access, loader};
use crate::access::Access;
use crate::features::integrations::{self, StoredProblem, Watch};
use crate::kernel::Error;

/// One run of a calendar sync.
#[derive(Description, Clone)]
pub struct SyncRun(pub Arc<sync_run::Model>);

impl From<sync_run::Model> for SyncRun {
    fn from(row: sync_run::Model) -> Self {
        Self(Arc::new(row))
    }
}

#[Object(use_type_description)]
impl SyncRun {
    /// Globally unique ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Integration that was synced.
    async fn integration(&self, ctx: &Context<'_>) -> Result<Integration> {
        let key = IntegrationKey(self.0.workspace_id, self.0.integration_id);
        let row = loader(ctx).load_one(key).await?;
        row.map(Integration).ok_or_else(|| expose(Error::not_found()))
    }

    /// Job that runs the sync. Null once the job is pruned.
    async fn job(&self, ctx: &Context<'_>) -> Option<Result<Job>> {
        job_of(ctx, self.0.job_id).await
    }

    /// State of the run.
    async fn status(&self) -> JobStatus {
        self.0.status.into()
    }

    /// Events created here.
    async fn created_count(&self) -> i32 {
        self.0.created_count
    }

    /// Events updated here.
    async fn updated_count(&self) -> i32 {
        self.0.updated_count
    }

    /// Events deleted here.
    async fn deleted_count(&self) -> i32 {
        self.0.deleted_count
    }

    /// Local changes sent to the provider.
    async fn pushed_count(&self) -> i32 {
        self.0.pushed_count
    }

    /// Objects that could not be read or written; the others are not affected. At most 100.
    async fn problems(&self) -> Vec<SyncProblem> {
        let workspace = self.0.workspace_id;
        let problems = integrations::problems_of(&self.0);
        problems
            .into_iter()
            .map(|problem| SyncProblem { workspace, problem })
            .collect()
    }

    /// Number of such objects.
    async fn problem_count(&self) -> i32 {
        self.0.problem_count
    }

    /// Explanation of a failure.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// When the run started.
    async fn started_at(&self) -> DateTime {
        DateTime(self.0.started_at)
    }

    /// When the run ended. Null while running.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }
}

/// An object that a sync could not read or write.
#[derive(Description)]
pub struct SyncProblem {
    workspace: WorkspaceId,
    problem: StoredProblem,
}

#[Object(use_type_description)]
impl SyncProblem {
    /// Calendar of the object. Null when it is unknown.
    async fn calendar(&self, ctx: &Context<'_>) -> Option<Result<Calendar>> {
        calendar(ctx, self.workspace, self.problem.calendar_id).await
    }

    /// UID or address of the object at the provider.
    async fn object(&self) -> &str {
        &self.problem.object
    }

    /// Line in the object's text. Null when it does not apply.
    async fn line(&self) -> Option<i32> {
        self.problem.line.and_then(|line| i32::try_from(line).ok())
    }

    /// What is wrong with it.
    async fn message(&self) -> &str {
        &self.problem.message
    }
}

async fn calendar(
    ctx: &Context<'_>,
    workspace: WorkspaceId,
    id: Option<CalendarId>,
) -> Option<Result<Calendar>> {
    let row = loader(ctx).load_one(CalendarKey(workspace, id?)).await;
    row.map(|row| row.map(Calendar)).transpose()
}

/// Progress of a calendar sync.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct SyncProgress {
    /// Run that is in progress.
    run: SyncRun,
    /// Progress from 0 to 100. Null while unknown.
    percent: Option<i32>,
    /// Events processed so far.
    processed_count: i32,
}

#[async_graphql::ComplexObject]
impl SyncProgress {
    /// Calendar that is synced now. Null before the first and after the last.
    async fn calendar(&self, ctx: &Context<'_>) -> Option<Result<Calendar>> {
        let run = &self.run.0;
        calendar(ctx, run.workspace_id, run.calendar_id).await
    }
}

impl From<sync_run::Model> for SyncProgress {
    fn from(run: sync_run::Model) -> Self {
        Self {
            percent: run.percent,
            processed_count: run.processed_count,
            run: run.into(),
        }
    }
}

#[derive(Default)]
pub struct SyncSubscription;

#[Subscription]
impl SyncSubscription {
    /// Progress of syncs of an integration. Sends the current state first and stays open for later syncs.
    async fn sync_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Integration to watch.")] integration_id: ID,
    ) -> Result<impl Stream<Item = Result<SyncProgress>> + use<>> {
        let operation = access(ctx);
        let start = async {
            operation.caller().require_user()?;
            let id: IntegrationId = target(&integration_id)?;
            let entered = operation.ctx_of::<integration::Entity>(id).await?;
            integrations::get(&entered, id).await?;
            Ok((Watch::start(&entered, id), entered.workspace_id()))
        };
        let (watch, workspace) = start.await.map_err(expose)?;
        let (platform, caller) = (operation.platform().clone(), operation.caller().clone());
        let next = move |mut watch: Watch| {
            let (platform, caller) = (platform.clone(), caller.clone());
            async move {
                while watch.changed().await {
                    // Asked again for each message, so that a removed member hears nothing more.
                    let entered = Access::new(platform.clone(), caller.clone())
                        .ctx(workspace)
                        .await?;
                    if let Some(run) = watch.look(&entered).await? {
                        return Ok(Some((SyncProgress::from(run), watch)));
                    }
                }
                Ok::<_, Error>(None)
            }
        };
        Ok(try_unfold(watch, next).map_err(expose))
    }
}
