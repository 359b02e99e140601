//! The clock: starts the syncs whose time has come.

use entity::enums::IntegrationStatus;
use entity::ids::{IntegrationId, WorkspaceId};
use entity::integration::{Column, Entity};
use sea_orm::{
    ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};
use tokio_util::sync::CancellationToken;

use crate::access::Ctx;
use crate::features::integrations::rules;
use crate::features::integrations::write::{Wish, lock, queue_in};
use crate::kernel::Result;
use crate::platform::Platform;
use crate::platform::db::Scope;
use crate::platform::jobs::{JobError, RunningJob};

/// Integrations of one look.
const PAGE: u64 = 500;
/// Looks of one job; what is left waits for the next minute.
const PAGES: usize = 20;

/// States in which the clock starts syncs. One that is syncing for longer than its period has lost its worker.
const STARTS: [IntegrationStatus; 3] = [
    IntegrationStatus::Active,
    IntegrationStatus::Error,
    IntegrationStatus::Syncing,
];

/// Enqueues the syncs that are due: the job of [`crate::kernel::jobs::Payload::StartDueSyncs`].
pub async fn start_due(platform: &Platform, job: &RunningJob) -> Result<(), JobError> {
    start(platform, &job.cancel).await.map(drop)
}

async fn start(platform: &Platform, cancel: &CancellationToken) -> Result<usize, JobError> {
    let mut started = 0;
    for _ in 0..PAGES {
        let page = due(platform).await?;
        let count = page.len();
        for (id, workspace_id) in page {
            if cancel.is_cancelled() {
                return Err(JobError::Cancelled);
            }
            let ctx = Ctx::system(platform, workspace_id);
            match start_one(&ctx, id).await {
                Ok(()) => started += 1,
                // Disconnected since the look.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error.into()),
            }
        }
        if (count as u64) < PAGE {
            break;
        }
    }
    Ok(started)
}

async fn due(platform: &Platform) -> Result<Vec<(IntegrationId, WorkspaceId)>> {
    let now = platform.clock.now();
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find::<Entity>()
        .select_only()
        .column(Column::Id)
        .column(Column::WorkspaceId)
        .filter(Column::NextSyncAt.lte(now))
        .filter(Column::Status.is_in(STARTS))
        .order_by_asc(Column::NextSyncAt)
        .limit(PAGE);
    Ok(select.into_tuple().all(&read).await?)
}

async fn start_one(ctx: &Ctx, id: IntegrationId) -> Result<()> {
    ctx.write(|tx| async move {
        let row = lock(&tx, id).await?;
        // Another replica may have been here first.
        let is_due = row.next_sync_at.is_some_and(|at| at <= tx.now()) && STARTS.contains(&row.status);
        if !is_due {
            return Ok(());
        }
        queue_in(&tx, &row, Wish::Changes).await?;
        let next = rules::next_sync(&row, tx.now());
        let mut row = row.into_active_model();
        row.next_sync_at = Set(Some(next));
        row.updated_at = Set(tx.now());
        tx.update(row).await.map(drop)
    })
    .await
}
