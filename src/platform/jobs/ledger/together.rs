//! Writing the common end of many attempts together: while one transaction is under way, those that end meanwhile gather, and whoever comes
//! next writes for all of them. Nobody waits for company: a lone one is written at once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use entity::enums::JobStatus;
use entity::job;
use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{ColumnTrait as _, QueryFilter as _};
use tokio::sync::MutexGuard;
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::finish::{FULL_PROGRESS, ended};
use super::{Ledger, Ticket, announce};
use crate::kernel::Result;

/// Attempts of one transaction.
const MOST: usize = 200;

/// What becomes of one that waits.
enum Turn<'a> {
    /// Somebody wrote for it: whether the lease was still ours.
    Told(bool),
    /// Whoever wrote for it failed or was stopped.
    Alone,
    /// It writes for all.
    Write(MutexGuard<'a, ()>),
}

/// Attempts that ended well and are not written yet.
#[derive(Debug, Default)]
pub(super) struct Together {
    gathered: Mutex<Vec<(Ticket, oneshot::Sender<bool>)>>,
    writing: tokio::sync::Mutex<()>,
}

impl Together {
    fn gather(&self, ticket: Ticket) -> oneshot::Receiver<bool> {
        let (told, answer) = oneshot::channel();
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.push((ticket, told));
        answer
    }

    fn take(&self) -> Vec<(Ticket, oneshot::Sender<bool>)> {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let most = gathered.len().min(MOST);
        gathered.drain(..most).collect()
    }
}

impl Ledger {
    /// Writes that an attempt ended well. `false` when the lease was lost.
    pub(super) async fn succeed(&self, ticket: Ticket) -> Result<bool> {
        let mut answer = self.together.gather(ticket);
        loop {
            let turn = tokio::select! {
                biased;
                told = &mut answer => told.map_or(Turn::Alone, Turn::Told),
                turn = self.together.writing.lock() => match answer.try_recv() {
                    Ok(is_ours) => Turn::Told(is_ours),
                    Err(TryRecvError::Closed) => Turn::Alone,
                    Err(TryRecvError::Empty) => Turn::Write(turn),
                },
            };
            match turn {
                Turn::Told(is_ours) => return Ok(is_ours),
                Turn::Alone => return Ok(self.write_ends(&[ticket]).await?.contains(&ticket)),
                Turn::Write(_turn) => {
                    let group = self.together.take();
                    let tickets: Vec<Ticket> = group.iter().map(|(ticket, _)| *ticket).collect();
                    let ours = self.write_ends(&tickets).await?;
                    for (ticket, told) in group {
                        // The answer to this very one is read at the head of the loop.
                        told.send(ours.contains(&ticket)).ok();
                    }
                }
            }
        }
    }

    async fn write_ends(&self, tickets: &[Ticket]) -> Result<HashSet<Ticket>> {
        self.write(|tx| async move {
            let any = tickets.iter().fold(Condition::any(), |any, ticket| {
                let this = Condition::all()
                    .add(job::Column::Id.eq(ticket.id))
                    .add(job::Column::Attempts.eq(ticket.attempt));
                any.add(this)
            });
            let rows = tx
                .update_many::<job::Entity>()
                .set(ended(JobStatus::Succeeded, None, tx.now()))
                .col_expr(job::Column::ProgressPercent, Expr::cust(FULL_PROGRESS))
                .filter(any)
                .filter(job::Column::LeaseOwner.eq(self.owner.as_ref()))
                .filter(job::Column::Status.eq(JobStatus::Running))
                .exec_with_returning(tx.conn())
                .await?;
            announce(&tx, &rows)?;
            Ok(rows.iter().map(Ticket::from).collect())
        })
        .await
    }
}
