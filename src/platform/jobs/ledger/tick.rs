//! Recurring jobs in the ledger: each tick becomes a job once, whatever the number of replicas and however short the job.

use entity::job;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, QueryFilter as _};

use super::Ledger;
use crate::kernel::Result;
use crate::kernel::jobs::NewJob;
use crate::kernel::time::Instant;

/// Makes replicas that enqueue ticks wait for each other; any number that nothing else uses. SQLite has one writer.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7305809151)";

impl Ledger {
    /// Enqueues the job of a tick unless it was enqueued before. The unique index only knows unfinished jobs, so an ended one with the key
    /// is looked for too; the lock keeps that look and the insert together.
    pub(in crate::platform::jobs) async fn enqueue_tick(&self, job: NewJob, tick: Instant) -> Result<()> {
        self.write(|tx| {
            let job = job.clone();
            async move {
                if tx.is_postgres() {
                    tx.execute_unprepared(LOCK).await?;
                }
                let same = tx
                    .find::<job::Entity>()
                    .filter(job::Column::CreatedAt.gte(tick))
                    .filter(job::Column::UniqueKey.eq(job.unique_key.as_deref()))
                    .one(tx.conn())
                    .await?;
                if same.is_none() {
                    tx.enqueue(job).await?;
                }
                Ok(())
            }
        })
        .await
    }
}
