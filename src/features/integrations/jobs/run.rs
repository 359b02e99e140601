//! One attempt to sync an integration.

use std::time::Duration;

use entity::ids::SyncRunId;
use entity::{calendar, integration, sync_run};
use tokio_util::sync::CancellationToken;

use super::begin::begin;
use super::calendar::{self as one, Place, Pulled, Stop};
use super::finish;
use crate::access::Ctx;
use crate::features::integrations::credentials::Account;
use crate::features::integrations::providers::{Provider, ProviderError};
use crate::features::integrations::rules;
use crate::features::integrations::write::add_calendars;
use crate::kernel::jobs::Payload;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::jobs::{JobError, ProgressHandle, RunningJob};

/// What an attempt works with.
pub(super) struct Run {
    pub(super) ctx: Ctx,
    pub(super) integration: integration::Model,
    /// As it was last stored.
    pub(super) row: sync_run::Model,
    pub(super) calendars: Vec<calendar::Model>,
    /// Everything is fetched again, and calendars that are new at the service are taken over.
    pub(super) full: bool,
    /// Deletions that were held back are applied.
    pub(super) accept_deletes: bool,
    /// No sync of this integration has ended before.
    pub(super) is_first: bool,
    /// Objects that could not be read; the problems also count what was read with a correction.
    pub(super) unread: u32,
    pub(super) cancel: CancellationToken,
    pub(super) progress: ProgressHandle,
    /// When watchers were last told. Not the time of the domain: only the pace of messages depends on it.
    pub(super) announced: Option<tokio::time::Instant>,
}

impl Run {
    pub(super) fn id(&self) -> SyncRunId {
        self.row.id
    }
}

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum End {
    /// Every calendar was looked at. Each text is a sentence about one of them.
    Done {
        /// Those with deletions that wait.
        held: Vec<String>,
        /// Those that could not be read.
        failed: Vec<String>,
    },
    /// The service wants another password.
    Reauth(String),
    /// The service cannot be used like this.
    Refused(String),
    /// Probably passes by itself.
    Unavailable {
        message: String,
        retry_after: Option<Duration>,
    },
    /// Another run works on a calendar.
    Busy,
    /// Asked to stop.
    Cancelled,
    /// Not the service's fault.
    Internal(Error),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Internal(error)
    }
}

impl From<ProviderError> for End {
    fn from(error: ProviderError) -> Self {
        let message = error.to_string();
        match error {
            ProviderError::Unauthorized => Self::Reauth(message),
            ProviderError::RateLimited { retry_after } | ProviderError::Unavailable { retry_after, .. } => {
                Self::Unavailable { message, retry_after }
            }
            ProviderError::Local(cause) => Self::Internal(Error::internal(cause)),
            ProviderError::NotFound
            | ProviderError::NotACalendar(_)
            | ProviderError::Blocked(_)
            | ProviderError::TokenLost
            | ProviderError::Protocol(_) => Self::Refused(message),
        }
    }
}

/// Syncs an integration: the job of [`Payload::SyncIntegration`].
pub async fn sync(platform: &Platform, job: &RunningJob) -> Result<(), JobError> {
    let Some(workspace_id) = job.workspace_id else {
        return Err(JobError::Fatal("A sync belongs to a workspace.".into()));
    };
    let Payload::SyncIntegration {
        integration_id,
        full,
        accept_deletes,
    } = job.payload
    else {
        return Err(JobError::Fatal("This job is not a sync.".into()));
    };
    let ctx = Ctx::system(platform, workspace_id);
    // Gone or paused meanwhile: there is nothing left to do.
    let Some(begun) = begin(&ctx, job.id, integration_id, full, accept_deletes).await? else {
        return Ok(());
    };
    let mut run = Run {
        ctx,
        integration: begun.integration,
        row: begun.row,
        calendars: begun.calendars,
        full: begun.full,
        accept_deletes,
        is_first: begun.is_first,
        unread: 0,
        cancel: job.cancel.clone(),
        progress: job.progress.clone(),
        announced: None,
    };
    let end = match pull(&mut run).await {
        Ok(end) | Err(end) => end,
    };
    finish::finish(run, end, job).await
}

async fn pull(run: &mut Run) -> Result<End, End> {
    let account = Account::unseal(&run.ctx.platform().secrets, &run.integration)?;
    let provider = account.open(run.ctx.platform())?;
    if run.full {
        take_over_new(run, &*provider).await?;
    }
    let (mut held, mut failed) = (Vec::new(), Vec::new());
    let calendars = run.calendars.clone();
    for (done, calendar) in calendars.iter().enumerate() {
        let place = Place {
            done,
            of: calendars.len(),
        };
        match one::pull(run, &*provider, calendar, place).await {
            Ok(Pulled::Done | Pulled::Gone) => {}
            Ok(Pulled::Held { doomed, stored }) => held.push(format!(
                "{doomed} of {stored} events of “{}” would be deleted.",
                calendar.name
            )),
            Ok(Pulled::Busy) => return Ok(End::Busy),
            Ok(Pulled::Cancelled) => return Ok(End::Cancelled),
            Err(Stop::Internal(error)) => return Err(error.into()),
            Err(Stop::Provider(error)) => match End::from(error) {
                End::Refused(message) => failed.push(format!("“{}”: {message}", calendar.name)),
                other => return Ok(other),
            },
        }
    }
    Ok(End::Done { held, failed })
}

/// Mirrors calendars that came into being at the service since it was connected.
async fn take_over_new(run: &mut Run, provider: &dyn Provider) -> Result<(), End> {
    let mut found = provider.list_calendars().await?;
    found.truncate(rules::MAX_CALENDARS);
    if run.integration.provider == entity::enums::IntegrationProvider::IcsFeed {
        return Ok(());
    }
    let integration = &run.integration;
    let added = run.ctx.write(|tx| {
        let found = &found;
        async move { add_calendars(&tx, integration, found).await }
    });
    if added.await? > 0 {
        run.calendars = super::begin::calendars(&run.ctx, run.integration.id).await?;
    }
    Ok(())
}
