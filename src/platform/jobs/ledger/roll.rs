//! The roll of the workers: which processes live and what they work on. It decides nothing, since leases do: it is for people who look.

use chrono::TimeDelta;
use entity::enums::JobQueueName;
use entity::job_worker::{self, Column, Entity};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, Set};

use super::Ledger;
use crate::kernel::Result;
use crate::kernel::time::Instant;
use crate::platform::db::Read;

/// A worker that was not heard of for so long is dead, as far as those who look are concerned: it speaks every five seconds.
const SILENT: TimeDelta = TimeDelta::seconds(8);
/// When it is forgotten.
const FORGOTTEN: TimeDelta = TimeDelta::minutes(10);

impl Ledger {
    /// Says that this process lives and how many jobs of each queue it runs at the same time.
    pub(in crate::platform::jobs) async fn present(&self, queues: &[(JobQueueName, usize)]) -> Result<()> {
        if queues.is_empty() {
            return Ok(());
        }
        self.write(|tx| async move {
            let row = |&(queue, slots): &(JobQueueName, usize)| job_worker::ActiveModel {
                name: Set(self.owner.to_string()),
                queue: Set(queue),
                slots: Set(i32::try_from(slots).unwrap_or(i32::MAX)),
                created_at: Set(tx.now()),
                updated_at: Set(tx.now()),
            };
            let renew = OnConflict::columns([Column::Name, Column::Queue])
                .update_columns([Column::Slots, Column::UpdatedAt])
                .to_owned();
            Entity::insert_many(queues.iter().map(row))
                .on_conflict(renew)
                .exec_without_returning(tx.conn())
                .await?;
            tx.delete_global::<Entity>()
                .filter(Column::UpdatedAt.lt(tx.now() - FORGOTTEN))
                .exec(tx.conn())
                .await?;
            Ok(())
        })
        .await
    }

    /// Says that this process ends.
    pub(in crate::platform::jobs) async fn absent(&self) -> Result<()> {
        self.write(|tx| async move {
            tx.delete_global::<Entity>()
                .filter(Column::Name.eq(self.owner.as_ref()))
                .exec(tx.conn())
                .await?;
            Ok(())
        })
        .await
    }
}

/// How many processes work on each queue at `now`; queues that nobody works on are left out.
pub(super) async fn workers(read: &Read, now: Instant) -> Result<Vec<(JobQueueName, i64)>> {
    let live = read
        .find_global::<Entity>()
        .select_only()
        .column(Column::Queue)
        .column_as(Column::Name.count(), "count")
        .filter(Column::UpdatedAt.gt(now - SILENT))
        .group_by(Column::Queue);
    Ok(live.into_tuple().all(read).await?)
}

/// How many processes work on jobs at `now`.
pub async fn live_workers(read: &Read, now: Instant) -> Result<u64> {
    let live = read
        .find_global::<Entity>()
        .select_only()
        .column(Column::Name)
        .distinct()
        .filter(Column::UpdatedAt.gt(now - SILENT));
    let names: Vec<String> = live.into_tuple().all(read).await?;
    Ok(names.len() as u64)
}
