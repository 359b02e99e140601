//! Who gets which job. Embedded, a claim starts the attempt at once. With a transport it is two steps: the relay lends the row to the queue for
//! a few seconds ("pushed", nothing counted yet), and the worker that receives the id takes it over, which counts the attempt.

use std::collections::HashMap;
use std::time::Duration;

use entity::enums::{JobQueueName, JobStatus};
use entity::ids::JobId;
use entity::{job, job_queue};
use sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait as _, Query, SelectStatement, UnionType};
use sea_orm::{
    ActiveEnum as _, ColumnTrait as _, ConnectionTrait as _, Order, QueryFilter as _, QuerySelect as _, Set,
};

use super::pick::Picked;
use super::together::by_attempt;
use super::{LEASE, Ledger, PAGE, PUSH_LEASE, PUSHED, Room, Ticket, WAITING, announce, unleased};
use crate::kernel::Result;
use crate::kernel::time::Instant;
use crate::platform::db::{Scope, Tx, among};

/// What waits in some queues.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::platform::jobs) struct Waiting {
    /// Queues with a job that may start now.
    pub(in crate::platform::jobs) due: Vec<JobQueueName>,
    /// Time until the next job of the other queues.
    pub(in crate::platform::jobs) next: Option<Duration>,
}

/// What the transport has of a queue.
#[derive(Debug, Default)]
pub(in crate::platform::jobs) struct Lent {
    /// Jobs that it had already.
    pub(in crate::platform::jobs) before: u64,
    /// Those that it gets now, in the order of their turns.
    pub(in crate::platform::jobs) tickets: Vec<Ticket>,
}

impl Ledger {
    /// Looks, without locking anything, which of `queues` have work. Those that are paused have none.
    pub(in crate::platform::jobs) async fn waiting(&self, queues: &[JobQueueName]) -> Result<Waiting> {
        let read = self.platform.db.read(Scope::System).await?;
        let now = self.platform.clock.now();
        let mut waiting = Waiting::default();
        let Some(statement) = earliest(queues, now) else {
            return Ok(waiting);
        };
        for row in read.query_all(&statement).await? {
            let (queue, at): (JobQueueName, Instant) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            if at > now {
                let wait = (at - now).to_std().unwrap_or_default();
                waiting.next = Some(waiting.next.map_or(wait, |known| known.min(wait)));
            } else if !waiting.due.contains(&queue) {
                waiting.due.push(queue);
            }
        }
        Ok(waiting)
    }

    /// Starts due jobs of each queue that there is room in: the attempts are counted and the leases are ours when this returns.
    pub(in crate::platform::jobs) async fn claim(&self, rooms: &[Room]) -> Result<Vec<job::Model>> {
        let (claimed, turns) = self
            .write(|tx| async move {
                let (mut claimed, mut turns) = (Vec::new(), Vec::new());
                for room in rooms {
                    let jobs = Ord::min(room.jobs, PAGE);
                    let picked = self.pick(&tx, Room { jobs, ..*room }).await?;
                    let ids = &picked.ids;
                    if !ids.is_empty() {
                        let these = among(&tx, job::Column::Id, ids.iter().copied());
                        let mut rows = self.start(&tx, Condition::all().add(these)).await?;
                        rows.sort_by_key(|job| ids.iter().position(|id| *id == job.id));
                        claimed.append(&mut rows);
                    }
                    turns.push(picked);
                }
                announce(&tx, &claimed)?;
                Ok((claimed, turns))
            })
            .await?;
        turns.iter().for_each(|picked| self.turned(picked));
        Ok(claimed)
    }

    /// Lends due jobs of a queue to the transport, so that it has as many as there is room for. Each is named by the attempt it will be.
    pub(in crate::platform::jobs) async fn lend(&self, room: Room) -> Result<Lent> {
        let (lent, picked) = self
            .write(|tx| async move {
                let lent = tx
                    .find::<job::Entity>()
                    .select_only()
                    .column(job::Column::Id)
                    .filter(job::Column::Queue.eq(room.queue))
                    .filter(job::Column::LeaseOwner.eq(PUSHED))
                    .filter(job::Column::LeaseUntil.gt(tx.now()))
                    .limit(room.jobs)
                    .into_tuple::<JobId>()
                    .all(tx.conn())
                    .await?;
                let mut given = Lent {
                    before: lent.len() as u64,
                    tickets: Vec::new(),
                };
                let jobs = Ord::min(room.jobs.saturating_sub(given.before), PAGE);
                if jobs == 0 {
                    return Ok((given, Picked::default()));
                }
                let picked = self.pick(&tx, Room { jobs, ..room }).await?;
                let ids = &picked.ids;
                if ids.is_empty() {
                    return Ok((given, picked));
                }
                let lease = job::ActiveModel {
                    lease_owner: Set(Some(PUSHED.to_owned())),
                    lease_until: Set(Some(tx.now() + PUSH_LEASE)),
                    ..Default::default()
                };
                let rows = tx
                    .update_many::<job::Entity>()
                    .set(lease)
                    .filter(among(&tx, job::Column::Id, ids.iter().copied()))
                    .exec_with_returning(tx.conn())
                    .await?;
                given.tickets = rows
                    .iter()
                    .map(|job| Ticket {
                        id: job.id,
                        attempt: job.attempts + 1,
                    })
                    .collect();
                given
                    .tickets
                    .sort_by_key(|ticket| ids.iter().position(|id| *id == ticket.id));
                Ok((given, picked))
            })
            .await?;
        self.turned(&picked);
        Ok(lent)
    }

    /// Takes jobs back from a transport that lost them, or that never got them: all of them, or only `tickets`.
    pub(in crate::platform::jobs) async fn reclaim(&self, tickets: Option<&[Ticket]>) -> Result<()> {
        self.write(|tx| async move {
            let back = job::ActiveModel {
                lease_owner: Set(None),
                lease_until: Set(None),
                ..Default::default()
            };
            let mut update = tx
                .update_many::<job::Entity>()
                .set(back)
                .filter(job::Column::LeaseOwner.eq(PUSHED));
            if let Some(tickets) = tickets {
                update = update.filter(job::Column::Id.is_in(tickets.iter().map(|ticket| ticket.id)));
            }
            update.exec(tx.conn()).await?;
            Ok(())
        })
        .await
    }

    /// Starts the attempt that the transport delivered, with others that are delivered meanwhile. `None` when it is not due any more:
    /// delivered twice, cancelled, paused or done.
    pub(in crate::platform::jobs) async fn take(&self, ticket: Ticket) -> Result<Option<job::Model>> {
        let ledger = self.clone();
        let write = move |tickets: Vec<Ticket>| {
            let ledger = ledger.clone();
            async move { ledger.take_all(&tickets).await }
        };
        self.takes.ask(&self.platform.tasks, ticket, write).await
    }

    async fn take_all(&self, tickets: &[Ticket]) -> Result<HashMap<Ticket, Option<job::Model>>> {
        let rows = self
            .write(|tx| async move {
                let mut rows = Vec::new();
                for (attempt, ids) in by_attempt(tickets) {
                    let these = Condition::all()
                        .add(among(&tx, job::Column::Id, ids))
                        .add(job::Column::Attempts.eq(attempt - 1))
                        .add(job::Column::Status.is_in(WAITING))
                        .add(job::Column::RunAt.lte(tx.now()))
                        .add(job::Column::Queue.not_in_subquery(paused()));
                    rows.append(&mut self.start(&tx, these).await?);
                }
                announce(&tx, &rows)?;
                Ok(rows)
            })
            .await?;
        let taken = rows.into_iter().map(|job| (Ticket::from(&job), Some(job)));
        Ok(taken.collect())
    }

    /// Counts the attempts and takes the leases. Whoever calls announces it.
    async fn start(&self, tx: &Tx, which: Condition) -> Result<Vec<job::Model>> {
        let running = job::ActiveModel {
            status: Set(JobStatus::Running),
            lease_owner: Set(Some(self.owner.to_string())),
            lease_until: Set(Some(tx.now() + LEASE)),
            started_at: Set(Some(tx.now())),
            updated_at: Set(tx.now()),
            ..Default::default()
        };
        let rows = tx
            .update_many::<job::Entity>()
            .set(running)
            .col_expr(job::Column::Attempts, Expr::col(job::Column::Attempts).add(1))
            .filter(which)
            .exec_with_returning(tx.conn())
            .await?;
        Ok(rows)
    }
}

/// The names of paused queues.
fn paused() -> SelectStatement {
    Query::select()
        .column(job_queue::Column::Name)
        .from(job_queue::Entity)
        .and_where(Expr::col(job_queue::Column::IsPaused).eq(true))
        .to_owned()
}

/// The earliest waiting job of each queue and state, in one statement that only touches the first entry of each index range. Paused queues
/// are left out at the end: that is one look at them, not one for each range.
fn earliest(queues: &[JobQueueName], now: Instant) -> Option<SelectStatement> {
    let mut parts = queues
        .iter()
        .flat_map(|queue| WAITING.map(|status| (*queue, status)))
        .map(|(queue, status)| {
            let first = Query::select()
                .columns([job::Column::Queue, job::Column::RunAt])
                .from(job::Entity)
                .and_where(Expr::col(job::Column::Status).eq(status.to_value()))
                .and_where(Expr::col(job::Column::Queue).eq(queue.to_value()))
                .cond_where(unleased(now))
                .order_by(job::Column::RunAt, Order::Asc)
                .limit(1)
                .to_owned();
            Query::select()
                .columns([job::Column::Queue, job::Column::RunAt])
                .from_subquery(first, Alias::new("first"))
                .to_owned()
        });
    let mut all = parts.next()?;
    parts.for_each(|part| {
        all.union(UnionType::All, part);
    });
    let open = Query::select()
        .columns([job::Column::Queue, job::Column::RunAt])
        .from_subquery(all, Alias::new("earliest"))
        .and_where(Expr::col(job::Column::Queue).not_in_subquery(paused()))
        .to_owned();
    Some(open)
}
