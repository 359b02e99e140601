//! What a person may do to jobs and queues. Each joins the caller's transaction, in its scope: a job of another workspace is not found.

use std::collections::HashSet;

use entity::enums::{JobQueueName, JobStatus};
use entity::ids::JobId;
use entity::{job, job_queue};
use sea_orm::sea_query::{Condition, Expr, IntoCondition as _, OnConflict};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set};

use super::{PAGE, WAITING, announce, released};
use crate::kernel::changes::Topic;
use crate::kernel::error::UserErrorCode;
use crate::kernel::jobs::Urgency;
use crate::kernel::{Error, Result};
use crate::platform::db::{KEEPS_KEY, Tx};

async fn locked(tx: &Tx, id: JobId) -> Result<job::Model> {
    let found = tx
        .find::<job::Entity>()
        .filter(job::Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await?;
    found.ok_or_else(Error::not_found)
}

async fn save(tx: &Tx, id: JobId, row: job::ActiveModel) -> Result<job::Model> {
    let rows = tx
        .update_many::<job::Entity>()
        .set(row)
        .filter(job::Column::Id.eq(id))
        .exec_with_returning(tx.conn())
        .await?;
    let job = rows.into_iter().next().ok_or_else(Error::not_found)?;
    announce(tx, std::slice::from_ref(&job))?;
    Ok(job)
}

fn refused(message: &str) -> Error {
    Error::user(UserErrorCode::InvalidState, "id", message)
}

/// Fields of a job that starts over.
fn fresh(tx: &Tx) -> job::ActiveModel {
    job::ActiveModel {
        status: Set(JobStatus::Queued),
        attempts: Set(0),
        run_at: Set(tx.now()),
        cancel_requested: Set(false),
        progress_percent: Set(None),
        finished_at: Set(None),
        ..released(tx.now())
    }
}

/// Whether another unfinished job has this job's unique key.
async fn replaced(tx: &Tx, job: &job::Model) -> Result<bool> {
    let Some(key) = &job.unique_key else {
        return Ok(false);
    };
    let same = tx
        .find::<job::Entity>()
        .filter(job::Column::UniqueKey.eq(key.as_str()))
        .filter(Expr::cust(KEEPS_KEY));
    Ok(same.one(tx.conn()).await?.is_some())
}

/// Lets a job that waits for its time or after a failure run now, before what nobody waits for. One that runs, or is on its way to a worker, stays as it is.
pub async fn hasten(tx: &Tx, id: JobId) -> Result<()> {
    let job = locked(tx, id).await?;
    let urgent = Urgency::Interactive.priority();
    let is_waiting = matches!(job.status, JobStatus::Queued | JobStatus::Retrying);
    if is_waiting && (job.run_at > tx.now() || job.priority < urgent) {
        tx.announce(Topic::JobsDue, &())?;
        let row = job::ActiveModel {
            run_at: Set(job.run_at.min(tx.now())),
            priority: Set(job.priority.max(urgent)),
            updated_at: Set(tx.now()),
            ..Default::default()
        };
        save(tx, id, row).await?;
    }
    Ok(())
}

/// Puts a dead or cancelled job back into its queue with fresh attempts.
pub async fn requeue(tx: &Tx, id: JobId) -> Result<job::Model> {
    let job = locked(tx, id).await?;
    if !matches!(job.status, JobStatus::Dead | JobStatus::Cancelled) {
        return Err(refused("Only a dead or cancelled job can be put back."));
    }
    if replaced(tx, &job).await? {
        return Err(refused("A newer job does the same work already."));
    }
    tx.announce(Topic::JobsDue, &())?;
    save(tx, id, fresh(tx)).await
}

/// Puts all dead jobs of a queue back, except those whose work a newer job does already. Returns those put back.
pub async fn requeue_dead(tx: &Tx, queue: JobQueueName) -> Result<Vec<JobId>> {
    requeue_all(tx, job::Column::Queue.eq(queue).into_condition()).await
}

/// The same with those that belong to no workspace only.
pub async fn requeue_dead_of_nobody(tx: &Tx, queue: JobQueueName) -> Result<Vec<JobId>> {
    let nobody = job::Column::WorkspaceId.is_null();
    requeue_all(tx, job::Column::Queue.eq(queue).into_condition().add(nobody)).await
}

/// Page by page, three statements each, newest first: of several dead jobs with one unique key only the newest comes back.
async fn requeue_all(tx: &Tx, which: Condition) -> Result<Vec<JobId>> {
    let mut requeued = Vec::new();
    let mut before: Option<JobId> = None;
    loop {
        let page: Vec<(JobId, Option<String>)> = tx
            .find::<job::Entity>()
            .select_only()
            .columns([job::Column::Id, job::Column::UniqueKey])
            .filter(which.clone())
            .filter(job::Column::Status.eq(JobStatus::Dead))
            .filter(Condition::all().add_option(before.map(|id| job::Column::Id.lt(id))))
            .order_by_desc(job::Column::Id)
            .limit(PAGE)
            .lock_exclusive()
            .into_tuple()
            .all(tx.conn())
            .await?;
        let Some((last, _)) = page.last() else { break };
        before = Some(*last);
        let keys: Vec<String> = page.iter().filter_map(|(_, key)| key.clone()).collect();
        let mut taken: HashSet<String> = if keys.is_empty() {
            HashSet::new()
        } else {
            let live = tx
                .find::<job::Entity>()
                .select_only()
                .column(job::Column::UniqueKey)
                .filter(job::Column::UniqueKey.is_in(keys))
                .filter(Expr::cust(KEEPS_KEY));
            live.into_tuple().all(tx.conn()).await?.into_iter().collect()
        };
        let free = |(id, key): (JobId, Option<String>)| key.is_none_or(|key| taken.insert(key)).then_some(id);
        let ids: Vec<JobId> = page.into_iter().filter_map(free).collect();
        let rows = tx
            .update_many::<job::Entity>()
            .set(fresh(tx))
            .filter(job::Column::Id.is_in(ids))
            .exec_with_returning(tx.conn())
            .await?;
        announce(tx, &rows)?;
        requeued.extend(rows.iter().map(|job| job.id));
    }
    tx.announce(Topic::JobsDue, &())?;
    Ok(requeued)
}

/// Cancels a job that waits, or asks a running one to stop.
pub async fn cancel(tx: &Tx, id: JobId) -> Result<job::Model> {
    let job = locked(tx, id).await?;
    let row = if WAITING.contains(&job.status) {
        job::ActiveModel {
            status: Set(JobStatus::Cancelled),
            cancel_requested: Set(true),
            finished_at: Set(Some(tx.now())),
            ..released(tx.now())
        }
    } else if job.status == JobStatus::Running {
        job::ActiveModel {
            cancel_requested: Set(true),
            updated_at: Set(tx.now()),
            ..Default::default()
        }
    } else {
        return Err(refused("The job has already ended."));
    };
    save(tx, id, row).await
}

/// Deletes a dead job for good.
pub async fn discard(tx: &Tx, id: JobId) -> Result<()> {
    let job = locked(tx, id).await?;
    if job.status != JobStatus::Dead {
        return Err(refused("Only a dead job can be discarded."));
    }
    tx.delete_many::<job::Entity>()
        .filter(job::Column::Id.eq(id))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// Stops workers from taking jobs of a queue, or lets them again. Running jobs go on.
pub async fn set_paused(tx: &Tx, queue: JobQueueName, is_paused: bool) -> Result<()> {
    let row = job_queue::ActiveModel {
        name: Set(queue),
        is_paused: Set(is_paused),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    };
    let replace = OnConflict::column(job_queue::Column::Name)
        .update_columns([job_queue::Column::IsPaused, job_queue::Column::UpdatedAt])
        .to_owned();
    job_queue::Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(tx.conn())
        .await?;
    tx.announce(Topic::JobsDue, &())
}
