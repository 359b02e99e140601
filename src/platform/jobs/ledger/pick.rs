//! Finding the next jobs by turns. Each step is a probe of the index `jobs_turns_idx`, so a claim costs the same however many jobs wait. On
//! PostgreSQL a ring is one statement, see `walk`; SQLite takes the same steps one by one, which costs it no flights.

use entity::enums::JobQueueName;
use entity::ids::{JobId, TypedId as _};
use sea_orm::{ActiveEnum as _, ConnectionTrait as _, DbBackend, Statement, Value};
use uuid::Uuid;

use super::turns::{END, after, deal};
use super::walk::Walked;
use super::{ABSURD, Ledger};
use crate::kernel::Result;
use crate::kernel::jobs::Urgency;
use crate::platform::db::Tx;

/// Workspaces that one statement looks at: those whose jobs lie in the future are passed over one by one.
pub(super) const PROBES: usize = 64;
/// Most such statements of one claim; the next claim goes on where this one stopped.
pub(super) const STEPS: usize = 16;

/// Whose jobs are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::platform::jobs) enum Who {
    /// Everybody's, by turns.
    Anyone,
    /// Those of workspaces of which nothing runs or is on its way to a worker, by turns.
    Newcomers,
}

/// Room for some jobs of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::platform::jobs) struct Room {
    pub(in crate::platform::jobs) queue: JobQueueName,
    /// How many.
    pub(in crate::platform::jobs) jobs: u64,
    pub(in crate::platform::jobs) who: Who,
}

/// What was picked, and where the rings stand then. It counts when the transaction is committed.
#[derive(Debug, Default)]
pub(super) struct Picked {
    /// The jobs, in the order of their turns, locked.
    pub(super) ids: Vec<JobId>,
    moves: Vec<(Urgency, Uuid)>,
    queue: Option<JobQueueName>,
}

impl Ledger {
    /// Locks as many due jobs as there is room for, of those that nobody holds. PostgreSQL skips what others look at; SQLite has one writer.
    pub(super) async fn pick(&self, tx: &Tx, room: Room) -> Result<Picked> {
        let Room {
            queue,
            jobs: limit,
            who,
        } = room;
        let mut picked = Picked {
            queue: Some(queue),
            ..Picked::default()
        };
        let reserved = self.turns.reserved(queue, limit).min(limit);
        let first = limit - reserved;
        let rounds = [
            (Urgency::Interactive, first),
            (Urgency::Background, limit),
            // The background did not want its turn. Where the first round had some, the next claim brings the rest.
            (Urgency::Interactive, if first == 0 { limit } else { 0 }),
        ];
        for (ring, upto) in rounds {
            let left = upto.min(limit - picked.ids.len() as u64);
            if left > 0 {
                let places = Places { tx, queue, ring, who };
                self.pick_ring(&places, left, &mut picked).await?;
            }
        }
        Ok(picked)
    }

    /// Goes on from here in the rings. Called after the commit.
    pub(super) fn turned(&self, picked: &Picked) {
        let Some(queue) = picked.queue else { return };
        for (ring, last) in &picked.moves {
            self.turns.served(queue, *ring, *last);
        }
        self.turns.count(queue, picked.ids.len() as u64);
    }

    async fn pick_ring(&self, places: &Places<'_>, limit: u64, picked: &mut Picked) -> Result<()> {
        let start = self.turns.next(places.queue, places.ring);
        let limit = limit as usize;
        let walked = if places.tx.is_postgres() {
            places.walk(start, limit).await?
        } else {
            places.step(start, limit).await?
        };
        // Where the ring stands is the place of everybody: looking for newcomers in vain does not move it.
        if places.who == Who::Anyone || !walked.parties.is_empty() {
            picked.moves.push((places.ring, walked.last));
        }
        picked.ids.extend(deal(&walked.parties, &walked.found, limit));
        Ok(())
    }
}

/// One ring of one queue.
pub(super) struct Places<'a> {
    pub(super) tx: &'a Tx,
    queue: JobQueueName,
    ring: Urgency,
    who: Who,
}

impl Places<'_> {
    /// The walk in steps.
    async fn step(&self, start: Uuid, limit: usize) -> Result<Walked> {
        let (parties, last) = self.due(start, limit).await?;
        let found = if parties.is_empty() {
            Vec::new()
        } else {
            self.jobs(&parties, limit.div_ceil(parties.len())).await?
        };
        Ok(Walked { parties, found, last })
    }

    /// The next parties with due jobs in the order of the ring, and after whom the ring goes on.
    async fn due(&self, start: Uuid, limit: usize) -> Result<(Vec<Uuid>, Uuid)> {
        let (mut parties, mut last) = (Vec::new(), END);
        let (mut from, mut is_second_half) = (start, start.is_nil());
        for _ in 0..STEPS {
            let probes = self.probe(from).await?;
            let is_rest = probes.len() < PROBES;
            for (place, (party, is_due)) in probes.iter().enumerate() {
                if is_second_half && !start.is_nil() && *party >= start {
                    return Ok((parties, END));
                }
                last = *party;
                if *is_due {
                    parties.push(*party);
                }
                if parties.len() == limit {
                    // When this was everybody, the ring begins anew, and one look is enough to see the whole of it.
                    let is_all = self.who == Who::Anyone
                        && start.is_nil()
                        && is_rest
                        && !probes[place + 1..].iter().any(|(_, due)| *due);
                    return Ok((parties, if is_all { END } else { last }));
                }
            }
            if !is_rest {
                from = after(last);
            } else if is_second_half {
                return Ok((parties, END));
            } else {
                (from, is_second_half) = (Uuid::nil(), true);
            }
        }
        Ok((parties, last))
    }

    /// The next parties from here on that have waiting jobs, and whether one of those may start and is wanted.
    async fn probe(&self, from: Uuid) -> Result<Vec<(Uuid, bool)>> {
        let (waiting, party, free) = (self.waiting(), self.party(), FREE);
        let wanted = self.wanted("ring.party");
        let sql = format!(
            "WITH RECURSIVE ring(party, step) AS (\
               SELECT (SELECT {party} FROM jobs WHERE {waiting} AND {party} >= $3 AND {OPEN} ORDER BY {party} LIMIT 1), 1 \
               UNION ALL \
               SELECT (SELECT {party} FROM jobs WHERE {waiting} AND {party} > ring.party ORDER BY {party} LIMIT 1), ring.step + 1 \
               FROM ring WHERE ring.party IS NOT NULL AND ring.step < {PROBES}) \
             SELECT party, (SELECT 1 FROM jobs WHERE {waiting} AND {party} = ring.party AND {free} LIMIT 1) IS NOT NULL{wanted} \
             FROM ring WHERE party IS NOT NULL ORDER BY step"
        );
        let values = self.values(from.into());
        let mut found = Vec::new();
        for row in self.tx.query_all_raw(self.statement(sql, values)).await? {
            found.push((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
        }
        Ok(found)
    }

    /// The oldest due jobs of each of these parties, at most `share` of each.
    async fn jobs(&self, parties: &[Uuid], share: usize) -> Result<Vec<(Uuid, JobId)>> {
        let (waiting, party, free) = (self.waiting(), self.party(), FREE);
        let oldest = format!(
            "SELECT id FROM jobs WHERE {waiting} AND {party} = $3 AND {free} ORDER BY run_at, id LIMIT {share}"
        );
        let mut found = Vec::new();
        for party in parties {
            let statement = self.statement(oldest.clone(), self.values((*party).into()));
            for row in self.tx.query_all_raw(statement).await? {
                let id: Uuid = row.try_get_by_index(0)?;
                found.push((*party, JobId::from_uuid(id)));
            }
        }
        Ok(found)
    }

    /// The queue, now, whatever the statement asks about, and what no lease ends after.
    pub(super) fn values(&self, third: Value) -> Vec<Value> {
        let now = self.tx.now();
        vec![
            self.queue.to_value().into(),
            now.into(),
            third,
            (now + ABSURD).into(),
        ]
    }

    pub(super) fn statement(&self, sql: String, values: Vec<Value>) -> Statement {
        let backend = if self.tx.is_postgres() {
            DbBackend::Postgres
        } else {
            DbBackend::Sqlite
        };
        Statement::from_sql_and_values(backend, sql, values)
    }

    /// What else must be true of this party. Few jobs are held, and they are read once for all parties.
    pub(super) fn wanted(&self, whose: &str) -> String {
        let party = self.party();
        match self.who {
            Who::Anyone => String::new(),
            Who::Newcomers => {
                format!(" AND {whose} NOT IN (SELECT {party} FROM jobs WHERE queue = $1 AND {HELD})")
            }
        }
    }

    /// Waiting jobs of this ring, in the words of the index. Words of ours, never of callers.
    pub(super) fn waiting(&self) -> String {
        let ring = i32::from(self.ring == Urgency::Interactive);
        format!(
            "queue = $1 AND (CASE WHEN priority > 0 THEN 1 ELSE 0 END) = {ring} AND status IN ('queued', 'retrying')"
        )
    }

    pub(super) fn party(&self) -> &'static str {
        if self.tx.is_postgres() {
            "(COALESCE(workspace_id, '00000000-0000-0000-0000-000000000000'::uuid))"
        } else {
            "(COALESCE(workspace_id, x'00000000000000000000000000000000'))"
        }
    }
}

/// A job that may start now and is in nobody's hands, as `unleased` has it.
pub(super) const FREE: &str =
    "run_at <= $2 AND (lease_until IS NULL OR lease_until <= $2 OR lease_until > $4)";
/// A job that runs or is on its way to a worker: the opposite, as far as leases go.
const HELD: &str = "lease_until > $2 AND lease_until <= $4";
/// The queue is not paused. Asked once for a statement, where the ring begins: so whoever has just looked at the queue need not look again.
pub(super) const OPEN: &str = "NOT EXISTS (SELECT 1 FROM job_queues WHERE name = $1 AND is_paused)";
