//! Recurring jobs in the ledger: each tick becomes a job once, whatever the number of replicas and however short the job. Who moves the row of
//! a schedule forward enqueues its jobs in the same transaction; the others find it moved.

use entity::{job, job_tick};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, Set, TryInsertResult};

use super::super::cron::due_ticks;
use super::{Ledger, WAITING};
use crate::kernel::Result;
use crate::kernel::jobs::{CatchUp, CronEntry, NewJob};
use crate::kernel::time::Instant;
use crate::platform::db::Tx;

impl Ledger {
    /// Takes the ticks of a schedule up to `newest` that nobody took before. Returns how many.
    pub(in crate::platform::jobs) async fn take_ticks(
        &self,
        entry: &CronEntry,
        newest: Instant,
        now: Instant,
    ) -> Result<usize> {
        self.write(|tx| async move {
            let known = tx
                .find_global::<job_tick::Entity>()
                .filter(job_tick::Column::Name.eq(entry.name))
                .lock_exclusive()
                .one(tx.conn())
                .await?;
            if known.is_none() && !begin(&tx, entry, newest).await? {
                // Another replica began at this very moment, with the newest tick.
                return Ok(0);
            }
            let ticks = due_ticks(entry, known.map(|row| row.last_tick), newest, now);
            let Some(last) = ticks.last() else { return Ok(0) };
            if entry.catch_up != CatchUp::Newest || !is_waiting(&tx, entry, newest).await? {
                for tick in &ticks {
                    let key = format!("{}{}", prefix(entry), tick.timestamp());
                    let job = NewJob::for_system((entry.payload)(*tick));
                    tx.enqueue(job.at(*tick).unique(key)).await?;
                }
            }
            let moved = job_tick::ActiveModel {
                last_tick: Set(*last),
                updated_at: Set(tx.now()),
                ..Default::default()
            };
            tx.update_global::<job_tick::Entity>()
                .set(moved)
                .filter(job_tick::Column::Name.eq(entry.name))
                .exec(tx.conn())
                .await?;
            Ok(ticks.len())
        })
        .await
    }
}

fn prefix(entry: &CronEntry) -> String {
    format!("cron:{}:", entry.name)
}

/// Makes the row of a schedule. `false` when somebody else just did.
async fn begin(tx: &Tx, entry: &CronEntry, newest: Instant) -> Result<bool> {
    let row = job_tick::ActiveModel {
        name: Set(entry.name.to_owned()),
        last_tick: Set(newest),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    };
    let insert = job_tick::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert();
    let made = insert.exec_without_returning(tx.conn()).await?;
    Ok(matches!(made, TryInsertResult::Inserted(1..)))
}

/// Whether the job of an earlier tick has not begun yet: it will see what this one would.
async fn is_waiting(tx: &Tx, entry: &CronEntry, tick: Instant) -> Result<bool> {
    let earlier = tx
        .find::<job::Entity>()
        .filter(job::Column::Status.is_in(WAITING))
        .filter(job::Column::Queue.eq((entry.payload)(tick).queue()))
        .filter(job::Column::UniqueKey.starts_with(prefix(entry)))
        .one(tx.conn());
    Ok(earlier.await?.is_some())
}
