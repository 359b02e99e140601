//! Signs of life: leases are renewed while a job runs, and expired ones are taken from the dead. Also progress, which is a sign too.

use entity::enums::JobStatus;
use entity::job;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{ColumnTrait as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _, Set};

use super::finish::settle;
use super::{LEASE, Ledger, Outcome, PAGE, Ticket, announce, expired};
use crate::kernel::Result;
use crate::platform::db::Scope;

/// What a job says whose worker vanished.
const WORKER_DIED: &str = "The worker died while it ran this job.";

/// What became of the leases of a worker.
#[derive(Debug, Default)]
pub(in crate::platform::jobs) struct Leases {
    /// Attempts that somebody else decides now.
    pub(in crate::platform::jobs) lost: Vec<Ticket>,
    /// Attempts that were asked to stop.
    pub(in crate::platform::jobs) cancelled: Vec<Ticket>,
}

impl Ledger {
    /// Renews the leases of running attempts.
    pub(in crate::platform::jobs) async fn renew(&self, held: &[Ticket]) -> Result<Leases> {
        let ids: Vec<_> = held.iter().map(|ticket| ticket.id).collect();
        let rows = self
            .write(|tx| {
                let ids = ids.clone();
                async move {
                    let lease = job::ActiveModel {
                        lease_until: Set(Some(tx.now() + LEASE)),
                        ..Default::default()
                    };
                    let update = tx
                        .update_many::<job::Entity>()
                        .set(lease)
                        .filter(job::Column::Id.is_in(ids))
                        .filter(job::Column::LeaseOwner.eq(self.owner.as_ref()))
                        .filter(job::Column::Status.eq(JobStatus::Running));
                    Ok(update.exec_with_returning(tx.conn()).await?)
                }
            })
            .await?;
        let kept = |ticket: &Ticket| rows.iter().find(|job| Ticket::from(*job) == *ticket);
        let mut leases = Leases::default();
        for ticket in held {
            match kept(ticket) {
                None => leases.lost.push(*ticket),
                Some(job) if job.cancel_requested => leases.cancelled.push(*ticket),
                Some(_) => {}
            }
        }
        Ok(leases)
    }

    /// Whether somebody asked this attempt to stop.
    pub(in crate::platform::jobs) async fn is_to_stop(&self, ticket: Ticket) -> Result<bool> {
        let read = self.platform.db.read(Scope::System).await?;
        let asked = read
            .find::<job::Entity>()
            .filter(self.mine(ticket))
            .filter(job::Column::CancelRequested.eq(true));
        Ok(asked.count(&read).await? > 0)
    }

    /// Stores and announces progress. Nothing happens when the lease is lost.
    pub(in crate::platform::jobs) async fn progress(&self, ticket: Ticket, percent: i32) -> Result<()> {
        self.write(|tx| async move {
            let row = job::ActiveModel {
                progress_percent: Set(Some(percent)),
                updated_at: Set(tx.now()),
                ..Default::default()
            };
            let rows = tx
                .update_many::<job::Entity>()
                .set(row)
                .filter(self.mine(ticket))
                .exec_with_returning(tx.conn())
                .await?;
            announce(&tx, &rows)
        })
        .await
    }

    /// Puts jobs whose worker vanished back, or ends them when that was the last attempt. Attempts in `held` run in this process: its clock
    /// may have jumped, it is not dead. Returns how many.
    pub(in crate::platform::jobs) async fn rescue(&self, held: &[Ticket]) -> Result<usize> {
        let read = self.platform.db.read(Scope::System).await?;
        let dead = read
            .find::<job::Entity>()
            .filter(expired(self.platform.clock.now()))
            .filter(job::Column::Status.eq(JobStatus::Running))
            .one(&read)
            .await?;
        drop(read);
        if dead.is_none() {
            return Ok(0);
        }
        self.write(|tx| async move {
            let rows = tx
                .find::<job::Entity>()
                .filter(expired(tx.now()))
                .filter(job::Column::Status.eq(JobStatus::Running))
                .filter(job::Column::Id.is_not_in(held.iter().map(|ticket| ticket.id)))
                .limit(PAGE)
                .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                .all(tx.conn())
                .await?;
            for job in &rows {
                let died = Outcome::Failed {
                    error: WORKER_DIED.into(),
                    at: None,
                };
                let update = tx
                    .update_many::<job::Entity>()
                    .set(settle(job, &died, tx.now()))
                    .filter(job::Column::Id.eq(job.id));
                let rows = update.exec_with_returning(tx.conn()).await?;
                announce(&tx, &rows)?;
            }
            Ok(rows.len())
        })
        .await
    }
}
