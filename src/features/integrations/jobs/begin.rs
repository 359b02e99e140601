//! The beginning of an attempt: what is synced, and the run that shows it.

use entity::enums::{ChangeAction, IntegrationStatus, JobStatus};
use entity::ids::{IntegrationId, JobId, TypedId as _};
use entity::{calendar, integration, sync_run};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use crate::access::Ctx;
use crate::features::integrations::rules;
use crate::features::integrations::write::{forget_in, new_run, save};
use crate::kernel::Result;
use crate::kernel::changes::{ObjectType, Topic};
use crate::platform::db::{Read, Tx};

/// What an attempt starts from.
pub(super) struct Begun {
    pub(super) integration: integration::Model,
    pub(super) row: sync_run::Model,
    pub(super) calendars: Vec<calendar::Model>,
    pub(super) full: bool,
    pub(super) is_first: bool,
}

/// Marks the integration and its run as running. `None` when there is nothing to sync any more.
pub(super) async fn begin(
    ctx: &Ctx,
    job_id: JobId,
    id: IntegrationId,
    full: bool,
    accept_deletes: bool,
) -> Result<Option<Begun>> {
    ctx.write(|tx| async move {
        let select = tx
            .find::<integration::Entity>()
            .filter(integration::Column::Id.eq(id));
        let Some(mut integration) = select.lock_exclusive().one(tx.conn()).await? else {
            return Ok(None);
        };
        let (mut row, is_new) = run_of(&tx, id, job_id).await?;
        bury(&tx, &row).await?;
        let is_wanted = match integration.status {
            IntegrationStatus::Paused | IntegrationStatus::Pending => false,
            IntegrationStatus::Held => accept_deletes,
            // A former member's credentials are gone.
            _ => integration.sealed_credentials.is_some(),
        };
        let first_attempt = row.status == JobStatus::Queued;
        if is_wanted {
            row.status = JobStatus::Running;
            (row.error, row.finished_at) = (None, None);
        } else {
            row.status = JobStatus::Cancelled;
            row.finished_at = Some(tx.now());
        }
        if first_attempt {
            row.started_at = tx.now();
        }
        row.updated_at = tx.now();
        let model = row.into_active_model().reset_all();
        let row = if is_new {
            tx.insert(model).await?
        } else {
            tx.update(model).await?
        };
        tx.announce(Topic::Sync(id), &row.id)?;
        if !is_wanted {
            return Ok(None);
        }
        // Attempts after the first go on where it stopped.
        let full = full && first_attempt;
        if full {
            forget_in(&tx, id).await?;
        }
        let is_first = integration.last_synced_at.is_none();
        integration.status = IntegrationStatus::Syncing;
        // Should this process die, the clock starts another sync.
        integration.next_sync_at = Some(rules::next_sync(&integration, tx.now()));
        let integration = save(&tx, integration).await?;
        tx.change(ChangeAction::Updated, ObjectType::Integration, id.uuid());
        Ok(Some(Begun {
            calendars: mirrored(&tx, id).await?,
            integration,
            row,
            full,
            is_first,
        }))
    })
    .await
}

/// The run of this job. Jobs that the clock of an older version started have none yet.
async fn run_of(tx: &Tx, id: IntegrationId, job_id: JobId) -> Result<(sync_run::Model, bool)> {
    let select = tx
        .find::<sync_run::Entity>()
        .filter(sync_run::Column::IntegrationId.eq(id))
        .filter(sync_run::Column::JobId.eq(job_id));
    Ok(match select.one(tx.conn()).await? {
        Some(row) => (row, false),
        None => (new_run(tx, id, Some(job_id)), true),
    })
}

/// Ends runs whose job died without a word. Only one sync of an integration is under way at a time.
async fn bury(tx: &Tx, current: &sync_run::Model) -> Result<()> {
    use sync_run::Column;
    tx.update_many::<sync_run::Entity>()
        .col_expr(Column::Status, Expr::value(JobStatus::Dead))
        .col_expr(Column::Error, Expr::value("The sync stopped before its end."))
        .col_expr(Column::FinishedAt, Expr::value(tx.now()))
        .col_expr(Column::UpdatedAt, Expr::value(tx.now()))
        .filter(Column::IntegrationId.eq(current.integration_id))
        .filter(Column::Id.ne(current.id))
        .filter(Column::FinishedAt.is_null())
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// The mirrored calendars of an integration, in the order in which they came.
pub(super) async fn calendars(ctx: &Ctx, id: IntegrationId) -> Result<Vec<calendar::Model>> {
    mirrored(&ctx.read().await?, id).await
}

async fn mirrored(read: &Read, id: IntegrationId) -> Result<Vec<calendar::Model>> {
    let select = read
        .find::<calendar::Entity>()
        .filter(calendar::Column::IntegrationId.eq(id))
        .filter(calendar::Column::IsMirrored.eq(true))
        .order_by_asc(calendar::Column::Id);
    Ok(select.all(read).await?)
}
