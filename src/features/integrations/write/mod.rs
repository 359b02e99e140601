//! Commands on integrations. Each is one transaction with its audit entry, its changes and its job.

mod connect;
mod disconnect;
mod mirror;
mod reseal;

use entity::enums::{ChangeAction, IntegrationStatus, JobStatus};
use entity::ids::{CalendarId, IntegrationId, JobId, SyncRunId, TypedId as _, WorkspaceId};
use entity::{calendar, calendar_sync, external_event_link, integration, sync_run};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _,
    QuerySelect as _,
};

pub use connect::connect;
pub use disconnect::disconnect;
pub(super) use mirror::add_calendars;
use mirror::rename;
pub use reseal::reseal;

use super::model::{IntegrationPatch, Queued};
use super::rules;
use crate::access::Ctx;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::changes::{ObjectType, Topic};
use crate::kernel::jobs::{NewJob, Payload};
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::{Audit, Tx};
use crate::platform::jobs;

/// Pauses, resumes, or chooses the calendars to mirror.
pub async fn update(ctx: &Ctx, id: IntegrationId, patch: IntegrationPatch) -> Result<integration::Model> {
    ctx.require(Action::Manage, Resource::Integration)?;
    ctx.write(|tx| {
        let patch = patch.clone();
        async move { update_in(&tx, id, patch).await }
    })
    .await
}

async fn update_in(tx: &Tx, id: IntegrationId, patch: IntegrationPatch) -> Result<integration::Model> {
    let before = lock(tx, id).await?;
    let chosen = match &patch.calendar_ids {
        Some(ids) => Some(mirror::choose(tx, &before, ids).await?),
        None => None,
    };
    let mut row = before.clone();
    match patch.is_paused {
        Some(true) => (row.status, row.next_sync_at) = (IntegrationStatus::Paused, None),
        Some(false) if row.status == IntegrationStatus::Paused => {
            row.status = match is_held(tx, id).await? {
                true => IntegrationStatus::Held,
                false => IntegrationStatus::Active,
            };
        }
        _ => {}
    }
    let resumed = before.status == IntegrationStatus::Paused && row.status == IntegrationStatus::Active;
    let added = chosen.as_ref().is_some_and(|chosen| chosen.added);
    if row.status == IntegrationStatus::Active && (resumed || added) {
        queue_in(tx, &row, Wish::Changes).await?;
        row.next_sync_at = Some(rules::next_sync(&row, tx.now()));
    }
    if row == before && chosen.is_none_or(|chosen| !chosen.added && !chosen.removed) {
        return Ok(before);
    }
    let changes = serde_json::json!({
        "status": { "from": before.status, "to": row.status },
        "calendars": { "changed": patch.calendar_ids.is_some() },
    });
    let stored = save(tx, row).await?;
    record(
        tx,
        "integration.updated",
        ChangeAction::Updated,
        id,
        Some(changes),
    );
    Ok(stored)
}

/// Starts a sync now. With `full` everything is fetched again instead of only changes.
pub async fn sync_now(ctx: &Ctx, id: IntegrationId, full: bool) -> Result<Queued> {
    ctx.require(Action::Manage, Resource::Integration)?;
    ctx.write(|tx| async move {
        let row = lock(&tx, id).await?;
        rules::check_may_sync(&row)?;
        let wish = if full { Wish::Everything } else { Wish::Changes };
        let job_id = queue_in(&tx, &row, wish).await?;
        // One that waits out a failure need not wait any longer.
        jobs::hasten(&tx, job_id).await?;
        let changes = serde_json::json!({ "full": full });
        record(
            &tx,
            "integration.sync_requested",
            ChangeAction::Updated,
            id,
            Some(changes),
        );
        Ok(Queued {
            integration: row,
            job_id,
        })
    })
    .await
}

/// Decides about deletions that a sync held back: apply them, or keep the events and fetch everything again.
pub async fn confirm(ctx: &Ctx, id: IntegrationId, accept: bool) -> Result<Queued> {
    ctx.require(Action::Manage, Resource::Integration)?;
    ctx.write(|tx| async move {
        let mut row = lock(&tx, id).await?;
        if row.status != IntegrationStatus::Held {
            let message = "No sync of this integration waits for a decision.";
            return Err(Error::user(UserErrorCode::InvalidState, "integrationId", message));
        }
        if !accept {
            tx.update_many::<calendar_sync::Entity>()
                .col_expr(
                    calendar_sync::Column::HeldDeletes,
                    Expr::value(Option::<serde_json::Value>::None),
                )
                .filter(calendar_sync::Column::IntegrationId.eq(id))
                .exec(tx.conn())
                .await?;
        }
        let wish = if accept { Wish::Deletions } else { Wish::Everything };
        let job_id = queue_in(&tx, &row, wish).await?;
        row.status = IntegrationStatus::Active;
        row.last_error = None;
        row.next_sync_at = Some(rules::next_sync(&row, tx.now()));
        let integration = save(&tx, row).await?;
        let changes = serde_json::json!({ "accept": accept });
        record(
            &tx,
            "integration.sync_confirmed",
            ChangeAction::Updated,
            id,
            Some(changes),
        );
        Ok(Queued { integration, job_id })
    })
    .await
}

/// What a sync is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Fetch what changed.
    Changes,
    /// Fetch everything again.
    Everything,
    /// Fetch what changed and apply deletions that were held back.
    Deletions,
}

/// Enqueues a sync together with the run that shows its progress. A sync that waits or runs already is not doubled.
pub(super) async fn queue_in(tx: &Tx, row: &integration::Model, wish: Wish) -> Result<JobId> {
    let payload = Payload::SyncIntegration {
        integration_id: row.id,
        full: wish == Wish::Everything,
        accept_deletes: wish == Wish::Deletions,
    };
    let job = NewJob::for_workspace(row.workspace_id, payload)
        .by(tx.actor().user_id)
        .unique(format!("sync:{}", row.id.uuid().simple()));
    let job_id = tx.enqueue(job).await?;
    let runs = tx
        .find::<sync_run::Entity>()
        .filter(sync_run::Column::JobId.eq(job_id));
    if runs.count(tx.conn()).await? > 0 {
        if wish == Wish::Everything {
            // The sync that is under way was asked for less.
            forget_in(tx, row.id).await?;
        }
        return Ok(job_id);
    }
    let run = new_run(tx, row.id, Some(job_id));
    let id: SyncRunId = run.id;
    tx.insert(run.into_active_model().reset_all()).await?;
    tx.announce(Topic::Sync(row.id), &id)?;
    Ok(job_id)
}

/// A run that waits.
pub(super) fn new_run(tx: &Tx, integration_id: IntegrationId, job_id: Option<JobId>) -> sync_run::Model {
    sync_run::Model {
        id: tx.ids().next(),
        // The scope of the transaction decides; `insert` stores its workspace.
        workspace_id: WorkspaceId::from_uuid(uuid::Uuid::nil()),
        integration_id,
        job_id,
        status: JobStatus::Queued,
        created_count: 0,
        updated_count: 0,
        deleted_count: 0,
        pushed_count: 0,
        problem_count: 0,
        problems: serde_json::json!([]),
        error: None,
        calendar_id: None,
        processed_count: 0,
        percent: None,
        started_at: tx.now(),
        finished_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

/// Forgets where the syncs of an integration stand and what versions it holds, so that the next run fetches everything. Events stay.
pub(super) async fn forget_in(tx: &Tx, id: IntegrationId) -> Result<()> {
    use calendar_sync::Column;
    let nothing = || Expr::value(Option::<String>::None);
    tx.update_many::<calendar_sync::Entity>()
        .col_expr(Column::SyncToken, nothing())
        .col_expr(Column::Ctag, nothing())
        .col_expr(Column::PageCursor, nothing())
        .col_expr(Column::Etag, nothing())
        .col_expr(Column::LastModified, nothing())
        .filter(Column::IntegrationId.eq(id))
        .exec(tx.conn())
        .await?;
    let calendars = tx
        .find::<calendar::Entity>()
        .select_only()
        .column(calendar::Column::Id);
    let calendars: Vec<CalendarId> = calendars
        .filter(calendar::Column::IntegrationId.eq(id))
        .into_tuple()
        .all(tx.conn())
        .await?;
    tx.update_many::<external_event_link::Entity>()
        .col_expr(
            external_event_link::Column::Etag,
            Expr::value(Option::<String>::None),
        )
        .filter(external_event_link::Column::CalendarId.is_in(calendars))
        .exec(tx.conn())
        .await?;
    Ok(())
}

async fn is_held(tx: &Tx, id: IntegrationId) -> Result<bool> {
    let held = tx
        .find::<calendar_sync::Entity>()
        .filter(calendar_sync::Column::IntegrationId.eq(id))
        .filter(calendar_sync::Column::HeldDeletes.is_not_null());
    Ok(held.count(tx.conn()).await? > 0)
}

pub(super) async fn lock(tx: &Tx, id: IntegrationId) -> Result<integration::Model> {
    let select = tx
        .find::<integration::Entity>()
        .filter(integration::Column::Id.eq(id));
    let row = select.lock_exclusive().one(tx.conn()).await?;
    row.ok_or_else(Error::not_found)
}

pub(super) async fn save(tx: &Tx, mut row: integration::Model) -> Result<integration::Model> {
    row.version += 1;
    row.updated_at = tx.now();
    tx.update(row.into_active_model().reset_all()).await
}

pub(super) fn record(
    tx: &Tx,
    action: &'static str,
    change: ChangeAction,
    id: IntegrationId,
    changes: Option<serde_json::Value>,
) {
    tx.audit(Audit {
        action,
        entity_type: "Integration",
        entity_id: id.uuid(),
        changes,
    });
    tx.change(change, ObjectType::Integration, id.uuid());
}
