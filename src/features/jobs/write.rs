//! What people do to jobs and queues. Looking after the installation is for its administrators; members stop what they started. What is done
//! to a job of a workspace is in the audit log of that workspace; jobs and queues of the installation have none, so that is in the log.

use entity::enums::{JobQueueName, JobStatus};
use entity::ids::{JobId, TypedId as _, WorkspaceId};
use entity::job;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};

use super::read;
use crate::access::Access;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::{Error, Result};
use crate::platform::db::{Audit, Scope, Tx};
use crate::platform::jobs::{self, QueueStats};

/// Puts a dead or cancelled job back into its queue with fresh attempts.
pub async fn requeue(access: &Access, id: JobId) -> Result<job::Model> {
    access.caller().require_admin()?;
    let row = read::get(access, id).await?;
    act(access, &row, "job.requeued", |tx| async move {
        jobs::requeue(&tx, id).await
    })
    .await
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
    act(access, &row, "job.cancelled", |tx| async move {
        jobs::cancel(&tx, id).await
    })
    .await
}

/// Deletes a dead job for good.
pub async fn discard(access: &Access, id: JobId) -> Result<JobId> {
    access.caller().require_admin()?;
    let row = read::get(access, id).await?;
    act(access, &row, "job.discarded", |tx| async move {
        jobs::discard(&tx, id).await
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
                audit(&tx, "job.requeued", *id);
            }
            Ok(ids.len() as u64)
        });
        requeued += back.await?;
    }
    let back = platform.write(Scope::System, access.caller().actor(), |tx| async move {
        jobs::requeue_dead_of_nobody(&tx, queue).await
    });
    requeued += back.await?.len() as u64;
    tracing::info!(?queue, requeued, by = ?access.caller().user_id(), "dead jobs were put back");
    Ok(requeued)
}

/// Stops workers from taking jobs of a queue, or lets them again.
pub async fn set_paused(access: &Access, queue: JobQueueName, is_paused: bool) -> Result<QueueStats> {
    access.caller().require_admin()?;
    let switch = |tx: Tx| async move { jobs::set_paused(&tx, queue, is_paused).await };
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

/// Does something to a job, in its workspace when it has one.
async fn act<T, F, Fut>(access: &Access, row: &job::Model, action: &'static str, body: F) -> Result<T>
where
    F: Fn(Tx) -> Fut + Send + Sync,
    Fut: Future<Output = Result<T>> + Send,
    T: Send,
{
    let (id, workspace) = (row.id, row.workspace_id);
    let scope = workspace.map_or(Scope::System, Scope::Workspace);
    let done = access
        .platform()
        .write(scope, access.caller().actor(), |tx| {
            let done = body(tx.clone());
            async move {
                let value = done.await?;
                if workspace.is_some() {
                    audit(&tx, action, id);
                }
                Ok(value)
            }
        })
        .await?;
    tracing::info!(job = %id, action, by = ?access.caller().user_id(), "somebody acted on a job");
    Ok(done)
}

fn audit(tx: &Tx, action: &'static str, id: JobId) {
    tx.audit(Audit {
        action,
        entity_type: "Job",
        entity_id: id.uuid(),
        changes: None,
    });
}
