//! The end of an attempt: the state of the integration, the run for the record, and a message to the owner when it needs a person.

use chrono::TimeDelta;
use entity::enums::{ChangeAction, IntegrationStatus, JobStatus, NotificationType};
use entity::ids::TypedId as _;
use entity::{integration, job, sync_run};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::run::{End, Run};
use crate::features::integrations::rules;
use crate::features::integrations::write::{record, save};
use crate::features::notifications::{self, NewNotification};
use crate::kernel::changes::{ObjectType, Topic};
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result};
use crate::platform::db::Tx;
use crate::platform::jobs::{JobError, RunningJob};

/// How long to wait for another run of the same calendar.
const BUSY: TimeDelta = TimeDelta::seconds(15);

/// What is stored at the end of an attempt.
struct Verdict {
    run: JobStatus,
    /// `None` leaves the state of the integration to somebody else.
    integration: Option<IntegrationStatus>,
    /// Explanation for people.
    message: Option<String>,
    /// Whether the clock starts the next sync.
    goes_on: bool,
    /// Whether every calendar was looked at.
    is_whole: bool,
}

/// Stores how an attempt ended and tells the ledger.
pub(super) async fn finish(run: Run, end: End, job: &RunningJob) -> Result<(), JobError> {
    let is_last = job.attempt >= job.payload.max_attempts();
    let now = run.ctx.platform().clock.now();
    let verdict = verdict(&end, is_last);
    let message = verdict.message.clone().unwrap_or_default();
    let stored = run.ctx.write(|tx| {
        let (run, verdict) = (&run, &verdict);
        async move { store(&tx, run, verdict).await }
    });
    let stored = stored.await;
    match end {
        // What went wrong first is what the ledger should know.
        End::Internal(error) => return Err(error.into()),
        _ => stored?,
    }
    match end {
        End::Done { failed, .. } if failed.is_empty() => Ok(()),
        End::Done { .. } | End::Reauth(_) | End::Refused(_) => Err(JobError::Fatal(message)),
        End::Unavailable {
            retry_after: Some(wait),
            ..
        } => Err(JobError::RetryAt(message, later(now, wait))),
        End::Unavailable { .. } | End::Internal(_) => Err(JobError::Retry(message)),
        End::Busy => Err(JobError::RetryAt(message, now + BUSY)),
        End::Cancelled => Err(JobError::Cancelled),
    }
}

fn later(now: Instant, wait: std::time::Duration) -> Instant {
    let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::days(1));
    now.checked_add_signed(wait).unwrap_or(now)
}

fn verdict(end: &End, is_last: bool) -> Verdict {
    let tried = if is_last {
        JobStatus::Dead
    } else {
        JobStatus::Retrying
    };
    let give_up = |status, message: &str| Verdict {
        run: JobStatus::Dead,
        integration: Some(status),
        message: Some(message.to_owned()),
        goes_on: status == IntegrationStatus::Error,
        is_whole: true,
    };
    match end {
        End::Done { held, failed } => {
            let (run, integration) = match (held.is_empty(), failed.is_empty()) {
                (true, true) => (JobStatus::Succeeded, IntegrationStatus::Active),
                (false, true) => (JobStatus::Succeeded, IntegrationStatus::Held),
                (false, false) => (JobStatus::Dead, IntegrationStatus::Held),
                (true, false) => (JobStatus::Dead, IntegrationStatus::Error),
            };
            let sentences: Vec<&str> = held.iter().chain(failed).map(String::as_str).collect();
            Verdict {
                run,
                integration: Some(integration),
                message: (!sentences.is_empty()).then(|| sentences.join(" ")),
                goes_on: integration != IntegrationStatus::Held,
                is_whole: true,
            }
        }
        End::Reauth(message) => give_up(IntegrationStatus::NeedsReauth, message),
        End::Refused(message) => give_up(IntegrationStatus::Error, message),
        End::Unavailable { message, .. } => Verdict {
            run: tried,
            integration: Some(IntegrationStatus::Error),
            message: Some(message.clone()),
            goes_on: true,
            is_whole: is_last,
        },
        End::Internal(error) => Verdict {
            run: tried,
            integration: Some(IntegrationStatus::Error),
            message: Some(error.to_string()),
            goes_on: true,
            is_whole: is_last,
        },
        End::Busy => Verdict {
            run: tried,
            integration: None,
            message: Some("Another sync of this calendar is running.".into()),
            goes_on: true,
            is_whole: false,
        },
        End::Cancelled => Verdict {
            run: JobStatus::Cancelled,
            integration: Some(IntegrationStatus::Active),
            message: None,
            goes_on: true,
            is_whole: false,
        },
    }
}

async fn store(tx: &Tx, run: &Run, verdict: &Verdict) -> Result<()> {
    let select = tx.find::<integration::Entity>();
    let select = select.filter(integration::Column::Id.eq(run.integration.id));
    let Some(before) = select.lock_exclusive().one(tx.conn()).await? else {
        // Disconnected meanwhile; its runs went with it.
        return Ok(());
    };
    let row = close_run(tx, run, verdict).await?;
    let Some(status) = verdict.integration else {
        return Ok(());
    };
    let mut after = before.clone();
    // A person who paused it in the meantime has the last word.
    if before.status != IntegrationStatus::Paused {
        after.status = status;
        after.next_sync_at = verdict.goes_on.then(|| rules::next_sync(&before, tx.now()));
    }
    if verdict.run != JobStatus::Cancelled {
        after.last_error.clone_from(&verdict.message);
    }
    if verdict.is_whole {
        count_failures(&mut after, status == IntegrationStatus::Error, tx.now());
    }
    if verdict.is_whole {
        after.last_synced_at = Some(tx.now());
    }
    let after = save(tx, after).await?;
    if !verdict.is_whole {
        tx.change(ChangeAction::Updated, ObjectType::Integration, after.id.uuid());
        return Ok(());
    }
    let changes = serde_json::json!({
        "status": status,
        "created": row.created_count,
        "updated": row.updated_count,
        "deleted": row.deleted_count,
        "problems": row.problem_count,
    });
    record(
        tx,
        "integration.synced",
        ChangeAction::Updated,
        after.id,
        Some(changes),
    );
    tell(tx, run, &row, &after).await
}

/// The clock tries less and less often what fails again and again, and says so.
fn count_failures(row: &mut integration::Model, failed: bool, now: Instant) {
    const COUNT: &str = "failures";
    let before = row.settings[COUNT].as_u64().unwrap_or_default();
    let Some(settings) = row.settings.as_object_mut() else {
        return;
    };
    if !failed {
        settings.remove(COUNT);
        return;
    }
    settings.insert(COUNT.into(), (before + 1).into());
    if before > 0 && row.next_sync_at.is_some() {
        let pause = rules::pause(row, before);
        row.next_sync_at = Some(now + pause);
        let sentence = rules::next_try(pause);
        row.last_error = row.last_error.take().map(|text| format!("{text} {sentence}"));
    }
}

async fn close_run(tx: &Tx, run: &Run, verdict: &Verdict) -> Result<sync_run::Model> {
    let select = tx
        .find::<sync_run::Entity>()
        .filter(sync_run::Column::Id.eq(run.id()));
    let row = select.one(tx.conn()).await?;
    let mut row = row.ok_or_else(Error::not_found)?;
    row.status = verdict.run;
    row.error.clone_from(&verdict.message);
    row.calendar_id = None;
    if verdict.run == JobStatus::Cancelled && !was_asked_to_stop(tx, run).await? {
        // The process ends: the job is handed back and goes on elsewhere.
        row.status = JobStatus::Retrying;
    }
    if row.status == JobStatus::Succeeded {
        row.percent = Some(100);
    }
    if row.status != JobStatus::Retrying {
        row.finished_at = Some(tx.now());
    }
    row.updated_at = tx.now();
    let row = tx.update(row.into_active_model().reset_all()).await?;
    tx.announce(Topic::Sync(row.integration_id), &row.id)?;
    Ok(row)
}

async fn was_asked_to_stop(tx: &Tx, run: &Run) -> Result<bool> {
    let Some(id) = run.row.job_id else {
        return Ok(false);
    };
    let select = tx.find::<job::Entity>().filter(job::Column::Id.eq(id));
    Ok(select
        .one(tx.conn())
        .await?
        .is_some_and(|job| job.cancel_requested))
}

/// Tells the owner what needs a person, and once that the first sync is done. The same trouble again is not news.
async fn tell(tx: &Tx, run: &Run, row: &sync_run::Model, after: &integration::Model) -> Result<()> {
    let label = &after.account_label;
    let before = previous(tx, row).await?;
    let is_news = before
        .as_ref()
        .is_none_or(|before| before.status != row.status || before.error != row.error);
    let are_news = before.is_none_or(|before| before.problems != row.problems);
    let reason = || after.last_error.clone().unwrap_or_default();
    let (title, body) = match after.status {
        IntegrationStatus::NeedsReauth if is_news => (
            format!("{label} needs a new password"),
            "Connect it again to go on with the sync.".to_owned(),
        ),
        IntegrationStatus::Held => (format!("The sync of {label} waits for your decision"), reason()),
        IntegrationStatus::Error if is_news => (format!("The sync of {label} failed"), reason()),
        IntegrationStatus::Active if run.unread > 0 && are_news => (
            format!("Not everything of {label} could be read"),
            format!(
                "{} objects could not be read. The run lists what is wrong with them.",
                run.unread
            ),
        ),
        IntegrationStatus::Active if run.is_first => (
            format!("{label} is connected"),
            format!("{} events were taken over.", row.created_count),
        ),
        _ => return Ok(()),
    };
    let notification = NewNotification {
        user_id: after.owner_id,
        workspace_id: Some(after.workspace_id),
        r#type: NotificationType::IntegrationProblem,
        title,
        body: Some(body),
        subject: Some((ObjectType::Integration, after.id.uuid())),
        dedup_key: Some(format!("sync:{}", row.id)),
    };
    notifications::notify_in(tx, notification).await.map(drop)
}

/// The run that ended before this one.
async fn previous(tx: &Tx, row: &sync_run::Model) -> Result<Option<sync_run::Model>> {
    use sync_run::Column;
    let select = tx
        .find::<sync_run::Entity>()
        .filter(Column::IntegrationId.eq(row.integration_id))
        .filter(Column::Id.ne(row.id))
        .filter(Column::FinishedAt.is_not_null())
        .order_by_desc(Column::StartedAt)
        .order_by_desc(Column::Id)
        .limit(1);
    Ok(select.one(tx.conn()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_person_stops_the_clock() {
        let held = End::Done {
            held: vec!["a".into()],
            failed: Vec::new(),
        };
        let held = verdict(&held, false);
        assert_eq!(
            (held.run, held.integration),
            (JobStatus::Succeeded, Some(IntegrationStatus::Held))
        );
        assert!(!held.goes_on);
        let reauth = verdict(&End::Reauth("no".into()), false);
        assert_eq!((reauth.run, reauth.goes_on), (JobStatus::Dead, false));
    }

    #[test]
    fn what_passes_by_itself_is_tried_until_the_last_attempt() {
        let away = || End::Unavailable {
            message: "away".into(),
            retry_after: None,
        };
        let first = verdict(&away(), false);
        assert_eq!((first.run, first.is_whole), (JobStatus::Retrying, false));
        let last = verdict(&away(), true);
        assert_eq!(
            (last.run, last.is_whole, last.goes_on),
            (JobStatus::Dead, true, true)
        );
    }

    #[test]
    fn one_bad_calendar_does_not_hide_that_another_waits() {
        let both = End::Done {
            held: vec!["h.".into()],
            failed: vec!["f.".into()],
        };
        let both = verdict(&both, false);
        assert_eq!(both.integration, Some(IntegrationStatus::Held));
        assert_eq!(both.message.as_deref(), Some("h. f."));
    }
}
