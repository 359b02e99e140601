//! From a job's payload to the room that does it.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sentry::{Hub, SentryFutureExt as _};

use crate::features::{
    audit, events, integrations, letters, notifications, scheduling, tasks, transfers, upkeep,
};
use crate::kernel::jobs::Payload;
use crate::platform::Platform;
use crate::platform::jobs::{self, JobError, Runner, RunningJob};

/// Runs every payload of the catalogue.
pub(super) struct Features {
    platform: Platform,
}

impl Features {
    pub(super) fn new(platform: Platform) -> Self {
        Self { platform }
    }

    async fn dispatch(&self, job: RunningJob) -> Result<(), JobError> {
        match job.payload {
            Payload::SyncIntegration { .. } => integrations::sync(&self.platform, &job).await,
            Payload::SendMail { .. } => letters::run(&self.platform, &job).await,
            Payload::GenerateSchedule { .. } => scheduling::run_generate(&self.platform, &job).await,
            Payload::ReplanSchedule { .. } => scheduling::run_replan(&self.platform, &job).await,
            Payload::StartDueReplans => scheduling::start_due(&self.platform, &job).await,
            Payload::MailNotifications { .. } => notifications::mail(&self.platform, &job).await,
            Payload::Remind { .. } => events::remind(&self.platform, &job).await,
            Payload::TellGuests { .. } => events::tell_guests(&self.platform, &job).await,
            Payload::TellWhatIsDue => {
                events::plan_reminders(&self.platform, &job).await?;
                tasks::tell_due(&self.platform, &job).await
            }
            Payload::TransferData { .. } => transfers::run(&self.platform, &job).await,
            Payload::StartDueSyncs => integrations::start_due(&self.platform, &job).await,
            Payload::TryQueue => Ok(()),
            Payload::RenewTimes => {
                let done = events::renew_times(&self.platform).await?;
                tracing::info!(
                    looked_at = done.looked_at,
                    moved = done.moved,
                    tzdata = crate::kernel::zones::tzdata_version(),
                    "instants of events derived from the zone rules of this version"
                );
                Ok(())
            }
            Payload::PruneExpired => {
                let rows = upkeep::prune(&self.platform).await?
                    + letters::prune(&self.platform).await?
                    + audit::prune(&self.platform).await?
                    + transfers::prune(&self.platform).await?;
                let jobs = jobs::prune(&self.platform).await?;
                tracing::info!(rows, jobs, "old rows deleted");
                Ok(())
            }
        }
    }
}

impl Features {
    /// Runs a job, and says when it is given up: here, where a report knows which job it was. An attempt that is followed by another one is
    /// no error yet.
    async fn attempt(&self, job: RunningJob) -> Result<(), JobError> {
        let is_last = job.attempt >= job.payload.max_attempts();
        let done = self.dispatch(job).await;
        match &done {
            Err(JobError::Fatal(error)) => tracing::error!(error, "the job is dead"),
            Err(JobError::Retry(error) | JobError::RetryAt(error, _)) if is_last => {
                tracing::error!(error, "the job is dead after its last attempt");
            }
            Err(_) | Ok(()) => {}
        }
        done
    }
}

impl Runner for Features {
    fn run(&self, job: RunningJob) -> BoxFuture<'_, Result<(), JobError>> {
        if self.platform.config.reports.is_none() {
            return self.attempt(job).boxed();
        }
        let hub = Arc::new(Hub::new_from_top(Hub::main()));
        hub.configure_scope(|scope| {
            scope.set_tag("job", job.id);
            scope.set_tag("kind", job.payload.kind());
            scope.set_tag("attempt", job.attempt);
            if let Some(workspace) = job.workspace_id {
                scope.set_tag("workspace", workspace);
            }
        });
        self.attempt(job).bind_hub(hub).boxed()
    }
}
