//! How an attempt ends. Every outcome is written only while the lease is ours: a worker that was given up for dead changes nothing.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::JobStatus;
use entity::job;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _, Set};

use super::together::by_attempt;
use super::{Ledger, Ticket, announce, jitter, released};
use crate::kernel::Result;
use crate::kernel::jobs::backoff;
use crate::kernel::time::{Instant, truncate};
use crate::platform::db::among;

/// A job that reported progress has made all of it.
const FULL_PROGRESS: &str = "CASE WHEN progress_percent IS NULL THEN NULL ELSE 100 END";
/// Longest error text that is kept.
const MAX_ERROR: usize = 1_000;

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Succeeded,
    /// To be tried again, at the given instant or after the backoff; dead when the attempts are used up.
    Failed {
        /// What to show.
        error: String,
        /// When to try again.
        at: Option<DateTime<Utc>>,
    },
    /// Dead, whatever attempts are left.
    Fatal(String),
    /// It stopped because it was asked to.
    Cancelled,
    /// The worker has to end; the attempt does not count.
    HandedBack,
}

impl Ledger {
    /// Writes the outcome. `false` when the lease was lost, so that somebody else decides.
    pub(in crate::platform::jobs) async fn finish(&self, ticket: Ticket, outcome: &Outcome) -> Result<bool> {
        if *outcome == Outcome::Succeeded {
            // The common end needs no look at the row.
            return self.succeed(ticket).await;
        }
        self.write(|tx| async move {
            let held = tx.find::<job::Entity>().filter(self.mine(ticket));
            let Some(job) = held.lock_exclusive().one(tx.conn()).await? else {
                return Ok(false);
            };
            let update = tx.update_many::<job::Entity>().filter(self.mine(ticket));
            let update = update.set(settle(&job, outcome, tx.now()));
            let rows = update.exec_with_returning(tx.conn()).await?;
            announce(&tx, &rows)?;
            Ok(!rows.is_empty())
        })
        .await
    }

    /// Writes that an attempt ended well, with others that end meanwhile. `false` when the lease was lost.
    async fn succeed(&self, ticket: Ticket) -> Result<bool> {
        let ledger = self.clone();
        let write = move |tickets: Vec<Ticket>| {
            let ledger = ledger.clone();
            async move { ledger.succeed_all(&tickets).await }
        };
        self.ends.ask(&self.platform.tasks, ticket, write).await
    }

    async fn succeed_all(&self, tickets: &[Ticket]) -> Result<HashMap<Ticket, bool>> {
        self.write(|tx| async move {
            let mut rows = Vec::new();
            for (attempt, ids) in by_attempt(tickets) {
                let update = tx
                    .update_many::<job::Entity>()
                    .set(ended(JobStatus::Succeeded, None, tx.now()))
                    .col_expr(job::Column::ProgressPercent, Expr::cust(FULL_PROGRESS))
                    .filter(among(&tx, job::Column::Id, ids))
                    .filter(job::Column::Attempts.eq(attempt))
                    .filter(job::Column::LeaseOwner.eq(self.owner.as_ref()))
                    .filter(job::Column::Status.eq(JobStatus::Running));
                rows.append(&mut update.exec_with_returning(tx.conn()).await?);
            }
            announce(&tx, &rows)?;
            Ok(rows.iter().map(|job| (Ticket::from(job), true)).collect())
        })
        .await
    }
}

fn ended(status: JobStatus, error: Option<String>, now: Instant) -> job::ActiveModel {
    job::ActiveModel {
        status: Set(status),
        last_error: Set(error.map(shorten)),
        finished_at: Set(Some(now)),
        ..released(now)
    }
}

/// The fields that an outcome changes.
pub(super) fn settle(job: &job::Model, outcome: &Outcome, now: Instant) -> job::ActiveModel {
    let ended = |status, error| ended(status, error, now);
    match outcome {
        Outcome::Succeeded => job::ActiveModel {
            progress_percent: Set(job.progress_percent.map(|_| 100)),
            ..ended(JobStatus::Succeeded, None)
        },
        Outcome::Cancelled => ended(JobStatus::Cancelled, job.last_error.clone()),
        Outcome::Failed { error, .. } if job.cancel_requested => {
            ended(JobStatus::Cancelled, Some(error.clone()))
        }
        Outcome::Fatal(error) => ended(JobStatus::Dead, Some(error.clone())),
        Outcome::Failed { error, .. } if job.attempts >= job.max_attempts => {
            ended(JobStatus::Dead, Some(error.clone()))
        }
        Outcome::Failed { error, at } => job::ActiveModel {
            status: Set(JobStatus::Retrying),
            last_error: Set(Some(shorten(error.clone()))),
            run_at: Set(truncate(at.unwrap_or_else(|| now + delay(job.attempts + 1)))),
            ..released(now)
        },
        Outcome::HandedBack if job.cancel_requested => ended(JobStatus::Cancelled, job.last_error.clone()),
        Outcome::HandedBack => job::ActiveModel {
            status: Set(if job.attempts > 1 {
                JobStatus::Retrying
            } else {
                JobStatus::Queued
            }),
            attempts: Set(job.attempts - 1),
            ..released(now)
        },
    }
}

fn delay(next: i32) -> TimeDelta {
    TimeDelta::from_std(backoff(next, jitter())).unwrap_or(TimeDelta::minutes(15))
}

fn shorten(mut text: String) -> String {
    if text.len() > MAX_ERROR {
        let end = (0..=MAX_ERROR)
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or(0);
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use entity::enums::JobQueueName;
    use entity::ids::JobId;
    use sea_orm::ActiveValue;

    use super::*;
    use crate::kernel::ids::IdGen;

    fn now() -> Instant {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn running(attempts: i32, cancel_requested: bool) -> job::Model {
        job::Model {
            id: IdGen::counting().next::<JobId>(),
            queue: JobQueueName::Maintenance,
            kind: "prune_expired".into(),
            workspace_id: None,
            created_by: None,
            payload: serde_json::Value::Null,
            status: JobStatus::Running,
            attempts,
            max_attempts: 3,
            run_at: now(),
            lease_owner: Some("w".into()),
            lease_until: Some(now()),
            priority: 0,
            unique_key: None,
            progress_percent: None,
            last_error: None,
            started_at: Some(now()),
            finished_at: None,
            cancel_requested,
            timeout_seconds: 60,
            created_at: now(),
            updated_at: now(),
        }
    }

    fn failed() -> Outcome {
        Outcome::Failed {
            error: "no".into(),
            at: None,
        }
    }

    #[test]
    fn a_failure_is_tried_again_later_until_the_attempts_are_used_up() {
        let again = settle(&running(2, false), &failed(), now());
        assert_eq!(again.status, Set(JobStatus::Retrying));
        assert!(again.run_at.unwrap() > now());
        assert_eq!(again.lease_owner, Set(None));
        let last = settle(&running(3, false), &failed(), now());
        assert_eq!(last.status, Set(JobStatus::Dead));
        assert_eq!(last.run_at, ActiveValue::NotSet);
    }

    #[test]
    fn a_failure_after_a_cancel_request_is_not_tried_again() {
        assert_eq!(
            settle(&running(1, true), &failed(), now()).status,
            Set(JobStatus::Cancelled)
        );
        assert_eq!(
            settle(&running(1, true), &Outcome::HandedBack, now()).status,
            Set(JobStatus::Cancelled)
        );
        assert_eq!(
            settle(&running(1, true), &Outcome::Succeeded, now()).status,
            Set(JobStatus::Succeeded)
        );
    }

    #[test]
    fn handing_back_does_not_count_the_attempt() {
        let back = settle(&running(1, false), &Outcome::HandedBack, now());
        assert_eq!((back.status, back.attempts), (Set(JobStatus::Queued), Set(0)));
        let back = settle(&running(2, false), &Outcome::HandedBack, now());
        assert_eq!((back.status, back.attempts), (Set(JobStatus::Retrying), Set(1)));
    }

    #[test]
    fn long_errors_are_cut_between_characters() {
        assert_eq!(shorten("ä".repeat(800)).len(), 1_000);
        assert_eq!(shorten("x".repeat(5)), "xxxxx");
    }
}
