//! What people do to jobs and queues. Looking after the installation is for its administrators; members stop what they started. What is done
//! to a job of a workspace is in the audit log of that workspace; jobs and queues of the installation have none, so that is in the one of
//! the own workspace of who did it. All of it is in the log of the process, too.

use entity::enums::{JobQueueName, JobStatus};
use entity::ids::{JobId, TypedId as _, WorkspaceId};
use entity::{job, job_queue};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};
use serde_json::{Map, Value, json};

use super::read;
use crate::access::{self, Access};
use crate::kernel::actions::{Action, Resource};
use crate::kernel::{Error, Result};
use crate::platform::db::{Audit, Scope, Tx};
use crate::platform::jobs::{self, QueueStats};

/// Puts a dead or cancelled job back into its queue with fresh attempts.
pub async fn requeue(access: &Access, id: JobId) -> Result<job::Model> {
    access.caller().require_admin()?;
    let row = read::get(access, id).await?;
    let back = act(access, &row, "job.requeued", |tx| async move {
        jobs::requeue(&tx, id).await.map(Some)
    });
    back.await?.ok_or_else(Error::not_found)
}

/// Cancels a job that waits, or asks a running one to stop.
pub async fn cancel(access: &Access, id: JobId) -> Result<job::Model> {
    let row = read::get(access, id).await?;
    if !access.caller().is_admin() {
        let workspace = row.workspace_id.ok_or_else(Error::not_found)?;
        access
            .ctx(workspace)
            .await?
            .require(Action::Edit, Resource::Job)?;
        if row.created_by != access.caller().user_id() {
            return Err(Error::forbidden(
                "Only the member who started a job, or an administrator of the installation, may cancel it.",
            ));
        }
    }
    let cancelled = act(access, &row, "job.cancelled", |tx| async move {
        jobs::cancel(&tx, id).await.map(Some)
    });
    cancelled.await?.ok_or_else(Error::not_found)
}

/// Deletes a dead job for good.
pub async fn discard(access: &Access, id: JobId) -> Result<JobId> {
    access.caller().require_admin()?;
    let row = read::get(access, id).await?;
    act(access, &row, "job.discarded", |tx| async move {
        jobs::discard(&tx, id).await.map(|()| None)
    })
    .await?;
    Ok(id)
}

/// Puts all dead jobs of a queue back and returns how many: one transaction for each workspace, whose audit log tells it, and one for the
/// installation. What was put back before a failure stays so, and doing it again does the rest.
pub async fn requeue_dead(access: &Access, queue: JobQueueName) -> Result<u64> {
    access.caller().require_admin()?;
    let platform = access.platform();
    let read = platform.db.read(Scope::System).await?;
    let owners: Vec<Option<WorkspaceId>> = read
        .find::<job::Entity>()
        .select_only()
        .column(job::Column::WorkspaceId)
        .distinct()
        .filter(job::Column::Status.eq(JobStatus::Dead))
        .filter(job::Column::Queue.eq(queue))
        .into_tuple()
        .all(&read)
        .await?;
    drop(read);
    // Only the last transaction answers for the request as a whole.
    let mut actor = access.caller().actor();
    actor.origin.reply = None;
    let mut requeued = 0;
    for workspace in owners.into_iter().flatten() {
        let back = platform.write(Scope::Workspace(workspace), actor.clone(), |tx| async move {
            let ids = jobs::requeue_dead(&tx, queue).await?;
            for id in &ids {
                tx.audit(put_back(*id));
            }
            Ok(ids.len() as u64)
        });
        requeued += back.await?;
    }
    let back = platform.write(Scope::System, access.caller().actor(), |tx| async move {
        let ids = jobs::requeue_dead_of_nobody(&tx, queue).await?;
        record_at_home(&tx, ids.iter().map(|id| put_back(*id)).collect()).await?;
        Ok(ids.len() as u64)
    });
    requeued += back.await?;
    tracing::info!(?queue, requeued, by = ?access.caller().user_id(), "dead jobs were put back");
    Ok(requeued)
}

/// Stops workers from taking jobs of a queue, or lets them again.
pub async fn set_paused(access: &Access, queue: JobQueueName, is_paused: bool) -> Result<QueueStats> {
    access.caller().require_admin()?;
    let switch = |tx: Tx| async move {
        let select = tx
            .find_global::<job_queue::Entity>()
            .filter(job_queue::Column::Name.eq(queue));
        let was_paused = select.one(tx.conn()).await?.is_some_and(|row| row.is_paused);
        jobs::set_paused(&tx, queue, is_paused).await?;
        if was_paused == is_paused {
            return Ok(());
        }
        record_at_home(&tx, vec![switched(&tx, queue, is_paused)?]).await
    };
    access
        .platform()
        .write(Scope::System, access.caller().actor(), switch)
        .await?;
    tracing::info!(?queue, is_paused, by = ?access.caller().user_id(), "a queue was switched");
    let stats = read::queues(access).await?;
    stats
        .into_iter()
        .find(|stats| stats.queue == queue)
        .ok_or_else(|| Error::internal("a queue without numbers"))
}

/// Does something to a job, in its workspace when it has one; what is left of the job.
async fn act<F, Fut>(
    access: &Access,
    row: &job::Model,
    action: &'static str,
    body: F,
) -> Result<Option<job::Model>>
where
    F: Fn(Tx) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Option<job::Model>>> + Send,
{
    let (id, workspace) = (row.id, row.workspace_id);
    let scope = workspace.map_or(Scope::System, Scope::Workspace);
    let done = access
        .platform()
        .write(scope, access.caller().actor(), |tx| {
            let done = body(tx.clone());
            async move {
                // As it is now: it may have ended since it was looked up.
                let select = tx
                    .find::<job::Entity>()
                    .filter(job::Column::Id.eq(id))
                    .lock_exclusive();
                let before = select.one(tx.conn()).await?.ok_or_else(Error::not_found)?;
                let after = done.await?;
                let entry = entry(action, id, differences(&before, after.as_ref()));
                if workspace.is_some() {
                    tx.audit(entry);
                } else {
                    record_at_home(&tx, vec![entry]).await?;
                }
                Ok(after)
            }
        })
        .await?;
    tracing::info!(job = %id, action, by = ?access.caller().user_id(), "somebody acted on a job");
    Ok(done)
}

/// Records in the own workspace of who acts what they did beside all workspaces.
async fn record_at_home(tx: &Tx, entries: Vec<Audit>) -> Result<()> {
    let Some(person) = tx.actor().user_id.filter(|_| !entries.is_empty()) else {
        return Ok(());
    };
    let home = access::home_in(tx, person).await?;
    for entry in entries {
        tx.audit_in(home, entry);
    }
    Ok(())
}

fn entry(action: &'static str, id: JobId, changes: Value) -> Audit {
    Audit {
        action,
        entity_type: "Job",
        entity_id: id.uuid(),
        changes: Some(changes),
    }
}

/// What is different about a job; all of it went when nothing is left.
fn differences(before: &job::Model, after: Option<&job::Model>) -> Value {
    let mut changes = Map::new();
    let mut note = |field: &str, from: Value, to: Value| {
        if from != to {
            changes.insert(field.to_owned(), json!({ "from": from, "to": to }));
        }
    };
    note(
        "status",
        json!(before.status),
        json!(after.map(|after| after.status)),
    );
    if let Some(after) = after {
        note("attempts", json!(before.attempts), json!(after.attempts));
        note(
            "cancelRequested",
            json!(before.cancel_requested),
            json!(after.cancel_requested),
        );
    }
    Value::Object(changes)
}

/// The entry of a dead job that waits again.
fn put_back(id: JobId) -> Audit {
    let status = json!({ "from": JobStatus::Dead, "to": JobStatus::Queued });
    entry("job.requeued", id, json!({ "status": status }))
}

/// The entry of a queue that was switched. Queues have no ids, so it is about the person who did it.
fn switched(tx: &Tx, queue: JobQueueName, is_paused: bool) -> Result<Audit> {
    let person = tx.actor().user_id.ok_or_else(Error::unauthenticated)?;
    Ok(Audit {
        action: if is_paused {
            "job_queue.paused"
        } else {
            "job_queue.resumed"
        },
        entity_type: "User",
        entity_id: person.uuid(),
        changes: Some(json!({ "queue": queue, "isPaused": { "from": !is_paused, "to": is_paused } })),
    })
}
