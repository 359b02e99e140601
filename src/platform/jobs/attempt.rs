//! One attempt, from its claim to its recorded outcome. What it promises: whatever the job does (fail, panic, hang, ignore being cancelled),
//! an outcome is recorded once, unless the lease was lost.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use entity::job;
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::ledger::{JobEvent, Outcome, Ticket};
use super::workshop::{Hold, Slot, Workshop};
use super::{JobError, ProgressHandle, RunningJob};
use crate::kernel::changes::Topic;
use crate::kernel::jobs::Payload;
use crate::platform::pubsub::{Signal, Subscription};

/// A wish to stop that is uttered while an attempt begins is heard by nobody; it is looked for after so long.
const UNHEARD: Duration = Duration::from_secs(1);
/// How long a cancelled job may take to stop by itself.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same, when this process has to end.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// Pause between two stored steps of progress.
const PROGRESS_PAUSE: Duration = Duration::from_millis(500);
/// How long an outcome is tried to be recorded; the lease renewed in the meantime keeps others away.
const RECORDING: Duration = Duration::from_secs(25);
/// The same, when this process has to end.
const RECORDING_LAST: Duration = Duration::from_secs(1);

/// Why a running job was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    Cancelled,
    Over,
    Lost,
}

impl Workshop {
    /// Runs a started job and records how it ended. The slot, if there is one, is free when it has ended well or when that is recorded.
    pub(super) async fn attempt(self: &Arc<Self>, job: job::Model, mut slot: Option<Slot>) {
        let ticket = Ticket::from(&job);
        let span = tracing::info_span!("job", id = %job.id, kind = job.kind, attempt = job.attempts);
        let hold = self.hold(ticket);
        async {
            let began = Instant::now();
            let mut kind = "(unknown)";
            let outcome = match serde_json::from_value::<Payload>(job.payload.clone()) {
                Ok(payload) => {
                    kind = payload.kind();
                    self.supervise(&job, payload, &hold).await
                }
                Err(error) => {
                    tracing::warn!(%error, "the payload cannot be read; a newer version may know it");
                    Some(Outcome::Failed {
                        error: "This version does not know the job.".into(),
                        at: None,
                    })
                }
            };
            let metrics = &self.platform.metrics;
            metrics.job(kind, word(outcome.as_ref()), began.elapsed());
            match outcome {
                Some(outcome) => {
                    let is_well = outcome == Outcome::Succeeded;
                    let unwritten = is_well.then(|| self.unwritten.try_acquire().ok()).flatten();
                    if unwritten.is_some() {
                        // All that is left is a line in the ledger. The lease is held until it is written.
                        drop(slot.take());
                    }
                    self.record(ticket, &outcome).await;
                }
                None => tracing::warn!("the lease was lost; another worker decides"),
            }
        }
        .instrument(span)
        .await;
    }

    /// `None` when the lease was lost.
    async fn supervise(self: &Arc<Self>, job: &job::Model, payload: Payload, hold: &Hold) -> Option<Outcome> {
        let cancel = CancellationToken::new();
        let (progress, newest) = ProgressHandle::channel();
        let running = RunningJob {
            id: job.id,
            attempt: job.attempts,
            payload,
            workspace_id: job.workspace_id,
            created_by: job.created_by,
            cancel: cancel.clone(),
            progress,
        };
        let asked = self.platform.pubsub.subscribe(Topic::Job(job.id));
        let runner = self.runner.clone();
        // A task of its own: a job that panics or blocks does not take the worker with it.
        let task = async move { runner.run(running).await }.in_current_span();
        let mut task = AbortOnDropHandle::new(self.platform.tasks.spawn(task));

        let limit = Duration::from_secs(u64::try_from(job.timeout_seconds).unwrap_or(0).max(1));
        let mut deadline = pin!(sleep(limit));
        let mut asked = pin!(self.wait_for_cancel(Ticket::from(job), asked));
        let mut reporting = pin!(self.report(Ticket::from(job), newest));
        let mut stopped = None;
        loop {
            let reason = tokio::select! {
                biased;
                done = &mut task => return outcome(done, stopped),
                () = hold.told.lost.cancelled(), if stopped != Some(Stopped::Lost) => Stopped::Lost,
                () = self.over.cancelled(), if stopped.is_none() => Stopped::Over,
                () = hold.told.cancelled.cancelled(), if stopped.is_none() => Stopped::Cancelled,
                () = &mut asked, if stopped.is_none() => Stopped::Cancelled,
                () = &mut deadline => {
                    task.abort();
                    return ran_out(limit, stopped);
                }
                () = &mut reporting => continue,
            };
            stopped = Some(reason);
            cancel.cancel();
            let patience = if reason == Stopped::Over {
                LAST_WORDS
            } else {
                PATIENCE
            };
            deadline.as_mut().reset(Instant::now() + patience);
        }
    }

    /// Stores progress while it changes. Ends never.
    async fn report(&self, ticket: Ticket, mut newest: watch::Receiver<Option<i32>>) {
        while newest.changed().await.is_ok() {
            let percent = *newest.borrow_and_update();
            if let Some(percent) = percent
                && let Err(error) = self.ledger.progress(ticket, percent).await
            {
                tracing::debug!(%error, "progress was not stored");
            }
            sleep(PROGRESS_PAUSE).await;
        }
        std::future::pending().await
    }

    /// Ends when somebody asks the job to stop.
    async fn wait_for_cancel(&self, ticket: Ticket, mut subscription: Subscription) {
        let mut settled = pin!(sleep(UNHEARD));
        let mut was_settled = false;
        loop {
            let signal = tokio::select! {
                signal = subscription.recv() => signal,
                () = &mut settled, if !was_settled => {
                    was_settled = true;
                    Signal::Resync
                }
            };
            match signal {
                Signal::Message(text) => {
                    if serde_json::from_str::<JobEvent>(&text).is_ok_and(|event| event.cancel_requested) {
                        return;
                    }
                }
                Signal::Resync => match self.ledger.is_to_stop(ticket).await {
                    Ok(true) => return,
                    Ok(false) => {}
                    // Renewing the lease finds it too.
                    Err(error) => tracing::debug!(%error, "whether the job is to stop is not known"),
                },
                Signal::Closed => std::future::pending().await,
            }
        }
    }

    async fn record(&self, ticket: Ticket, outcome: &Outcome) {
        let began = Instant::now();
        loop {
            match self.ledger.finish(ticket, outcome).await {
                Ok(true) => return log(outcome),
                Ok(false) => {
                    return tracing::warn!(?outcome, "the outcome is not recorded: another worker decides");
                }
                Err(error) => {
                    let patience = if self.over.is_cancelled() {
                        RECORDING_LAST
                    } else {
                        RECORDING
                    };
                    if began.elapsed() > patience {
                        let cause = error.cause();
                        return tracing::error!(%error, cause, ?outcome, "the outcome cannot be recorded; the job will run again");
                    }
                    sleep(Duration::from_millis(250)).await;
                }
            }
        }
    }
}

fn outcome(done: Result<Result<(), JobError>, JoinError>, stopped: Option<Stopped>) -> Option<Outcome> {
    let error = match done {
        Ok(Ok(())) => return Some(Outcome::Succeeded),
        Ok(Err(error)) => error,
        // The payload of a panic may hold anything, so it is only in the log.
        Err(error) if error.is_panic() => JobError::Retry("panicked".into()),
        Err(_) => return Some(Outcome::HandedBack),
    };
    match (stopped, error) {
        (Some(Stopped::Lost), _) => None,
        (Some(Stopped::Over), _) => Some(Outcome::HandedBack),
        (Some(Stopped::Cancelled), _) | (None, JobError::Cancelled) => Some(Outcome::Cancelled),
        (None, JobError::Retry(error)) => Some(Outcome::Failed { error, at: None }),
        (None, JobError::RetryAt(error, at)) => Some(Outcome::Failed { error, at: Some(at) }),
        (None, JobError::Fatal(error)) => Some(Outcome::Fatal(error)),
    }
}

fn ran_out(limit: Duration, stopped: Option<Stopped>) -> Option<Outcome> {
    match stopped {
        None => Some(Outcome::Failed {
            error: format!("timed out after {} s", limit.as_secs()),
            at: None,
        }),
        Some(Stopped::Cancelled) => Some(Outcome::Cancelled),
        Some(Stopped::Over) => Some(Outcome::HandedBack),
        Some(Stopped::Lost) => None,
    }
}

/// The outcome as metrics have it.
fn word(outcome: Option<&Outcome>) -> &'static str {
    match outcome {
        None => "lost",
        Some(Outcome::Succeeded) => "succeeded",
        Some(Outcome::Cancelled) => "cancelled",
        Some(Outcome::HandedBack) => "handed_back",
        Some(Outcome::Failed { .. }) => "failed",
        Some(Outcome::Fatal(_)) => "dead",
    }
}

fn log(outcome: &Outcome) {
    match outcome {
        Outcome::Succeeded => tracing::debug!("done"),
        Outcome::Cancelled => tracing::info!("cancelled"),
        Outcome::HandedBack => tracing::info!("handed back"),
        Outcome::Failed { error, .. } => tracing::warn!(error, "the attempt failed"),
        // Whoever ran it has said so, with the names that reports carry.
        Outcome::Fatal(error) => tracing::debug!(error, "the job is dead"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_counts_even_when_the_job_was_told_to_stop() {
        assert_eq!(
            outcome(Ok(Ok(())), Some(Stopped::Cancelled)),
            Some(Outcome::Succeeded)
        );
        assert_eq!(outcome(Ok(Ok(())), Some(Stopped::Over)), Some(Outcome::Succeeded));
    }

    #[test]
    fn what_a_stopped_job_says_does_not_matter() {
        let failed = || Ok(Err(JobError::Retry("connection closed".into())));
        assert_eq!(
            outcome(failed(), Some(Stopped::Cancelled)),
            Some(Outcome::Cancelled)
        );
        assert_eq!(outcome(failed(), Some(Stopped::Over)), Some(Outcome::HandedBack));
        assert_eq!(outcome(failed(), Some(Stopped::Lost)), None);
    }

    #[tokio::test]
    async fn a_panic_does_not_leak_its_payload() {
        let panicked = tokio::task::JoinSet::from_iter([async { panic!("secret") }])
            .join_next()
            .await;
        let done = panicked.map(|result: Result<Result<(), JobError>, _>| outcome(result, None));
        assert_eq!(
            done,
            Some(Some(Outcome::Failed {
                error: "panicked".into(),
                at: None
            }))
        );
    }
}
