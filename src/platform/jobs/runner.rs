//! What a job sees while it runs, and what it may answer. The rooms implement [`Runner`] through the app; nothing here knows them.

use std::fmt;

use chrono::{DateTime, Utc};
use entity::ids::{JobId, UserId, WorkspaceId};
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::kernel::jobs::Payload;
use crate::kernel::{self, ErrorCode};

/// Runs payloads. There is one for the whole process.
pub trait Runner: Send + Sync + 'static {
    /// Runs one attempt. It may be run again after a crash, so its effects carry keys that make them happen once.
    fn run(&self, job: RunningJob) -> BoxFuture<'_, Result<(), JobError>>;
}

/// One attempt of a job.
#[derive(Debug)]
pub struct RunningJob {
    /// The job.
    pub id: JobId,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// What to do.
    pub payload: Payload,
    /// Workspace it works for; `None` for the installation.
    pub workspace_id: Option<WorkspaceId>,
    /// Who started it; `None` for the system.
    pub created_by: Option<UserId>,
    /// Fires when somebody cancels the job, when another worker took it over, or when this process has to end.
    pub cancel: CancellationToken,
    /// Where progress is reported.
    pub progress: ProgressHandle,
}

/// Why an attempt did not succeed. Messages are stored and shown: no secrets, no internals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobError {
    /// Try again after a backoff, until the attempts are used up.
    Retry(String),
    /// Try again at this instant, until the attempts are used up.
    RetryAt(String, DateTime<Utc>),
    /// Trying again is pointless.
    Fatal(String),
    /// The job stopped because it was asked to.
    Cancelled,
}

impl From<kernel::Error> for JobError {
    fn from(error: kernel::Error) -> Self {
        let cause = error.cause().map(tracing::field::display);
        let code = error.code();
        // A defect is one whatever comes of the next attempt; all else may pass by itself.
        match code {
            ErrorCode::Internal => tracing::error!(%error, cause, code = code.as_str(), "the attempt failed"),
            _ => tracing::warn!(%error, cause, code = code.as_str(), "the attempt failed"),
        }
        Self::Retry(error.to_string())
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry(message) | Self::RetryAt(message, _) | Self::Fatal(message) => f.write_str(message),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

/// Reports progress. Cheap to call often: it is stored and announced at most twice a second.
#[derive(Clone, Debug)]
pub struct ProgressHandle(watch::Sender<Option<i32>>);

impl ProgressHandle {
    /// A handle, and where its newest value is read.
    pub fn channel() -> (Self, watch::Receiver<Option<i32>>) {
        let (sender, receiver) = watch::channel(None);
        (Self(sender), receiver)
    }

    /// Sets the progress, from 0 to 100.
    pub fn percent(&self, percent: i32) {
        let percent = Some(percent.clamp(0, 100));
        self.0
            .send_if_modified(|current| std::mem::replace(current, percent) != percent);
    }

    /// Sets the progress to `done` of `total`; nothing is known while `total` is zero.
    pub fn of(&self, done: u64, total: u64) {
        if let Some(percent) = (done.min(total) * 100).checked_div(total) {
            self.percent(i32::try_from(percent).unwrap_or(100));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_stays_between_nothing_and_everything() {
        let (progress, newest) = ProgressHandle::channel();
        progress.of(1, 0);
        assert_eq!(*newest.borrow(), None);
        progress.of(1, 3);
        assert_eq!(*newest.borrow(), Some(33));
        progress.of(9, 3);
        assert_eq!(*newest.borrow(), Some(100));
        progress.percent(-5);
        assert_eq!(*newest.borrow(), Some(0));
    }

    #[test]
    fn an_error_of_the_kernel_is_tried_again_with_its_public_sentence_only() {
        let error = JobError::from(kernel::Error::internal("password=hunter2"));
        assert_eq!(
            error,
            JobError::Retry("Something went wrong on the server.".into())
        );
    }
}
