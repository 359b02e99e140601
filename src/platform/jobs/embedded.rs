//! The embedded way: our own Apalis backend over the ledger. Rows are claimed as slots become free, and each queue's worker receives them
//! from a channel, so an idle worker starts a new job without any polling interval.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::context::WorkerContext;
use entity::enums::JobQueueName;
use entity::job;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower::layer::util::Identity;

use super::dispatch::Transport;
use super::ledger::{Outcome, Room, Ticket, Who};
use super::wave::LINGER;
use super::workshop::{Claimed, Workshop};
use crate::kernel::Result;

/// Claims due jobs and hands them to the workers of this process.
pub(super) struct Embedded {
    workshop: Arc<Workshop>,
    lanes: Vec<(JobQueueName, UnboundedSender<Claimed>, Lane)>,
    /// Queues that had at least as many due jobs as there was room for when they were claimed last.
    flowing: Mutex<HashSet<JobQueueName>>,
}

/// Where the worker of one queue receives its jobs. A restarted worker goes on where the last one stopped.
#[derive(Clone)]
pub(super) struct Lane(Arc<Mutex<UnboundedReceiver<Claimed>>>);

impl Embedded {
    pub(super) fn new(workshop: Arc<Workshop>) -> Self {
        let lane = |&(queue, _): &(JobQueueName, usize)| {
            let (sender, receiver) = unbounded_channel();
            (queue, sender, Lane(Arc::new(Mutex::new(receiver))))
        };
        let lanes = workshop.config.concurrency.iter().map(lane).collect();
        Self {
            workshop,
            lanes,
            flowing: Mutex::default(),
        }
    }

    /// The lane of each queue.
    pub(super) fn lanes(&self) -> impl Iterator<Item = (JobQueueName, Lane)> {
        self.lanes.iter().map(|(queue, _, lane)| (*queue, lane.clone()))
    }

    /// Gives back what was claimed but never reached a worker.
    pub(super) async fn hand_back(&self) {
        for (_, _, Lane(receiver)) in &self.lanes {
            let unread: Vec<Claimed> = {
                let mut receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
                std::iter::from_fn(|| receiver.try_recv().ok()).collect()
            };
            for claimed in unread {
                if let Err(error) = self
                    .workshop
                    .ledger
                    .finish(Ticket::from(&claimed.job), &Outcome::HandedBack)
                    .await
                {
                    tracing::warn!(%error, "a job was not handed back; it runs when its lease ends");
                }
            }
        }
    }
}

impl Embedded {
    /// Rooms of queues that had more jobs than there was room for, which need no look before they are claimed, and the others.
    fn rooms(&self) -> (Vec<Room>, Vec<Room>) {
        let flowing = self.flowing();
        let is_sure = |room: &Room| room.who == Who::Anyone && flowing.contains(&room.queue);
        self.workshop.rooms().into_iter().partition(is_sure)
    }

    fn flowing(&self) -> MutexGuard<'_, HashSet<JobQueueName>> {
        self.flowing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers which of these rooms were filled, and begins a wave in each that got something.
    fn filled(&self, rooms: &[Room], claimed: &[job::Model]) {
        let mut flowing = self.flowing();
        for room in rooms {
            let jobs = claimed.iter().filter(|job| job.queue == room.queue).count();
            if jobs > 0 {
                self.workshop.begin_wave(room.queue, jobs);
            }
            if jobs as u64 >= room.jobs {
                flowing.insert(room.queue);
            } else {
                flowing.remove(&room.queue);
            }
        }
    }
}

impl Transport for Embedded {
    async fn pass(&self) -> Result<Option<Duration>> {
        loop {
            let (mut rooms, mut unsure) = self.rooms();
            // All slots of a queue in full flow were taken: those that are free by now may have to wait for their wave.
            let sure = rooms.len();
            rooms.retain(|room| !self.workshop.is_gathering(room.queue));
            let all_looked_at = rooms.is_empty();
            let mut next = (rooms.len() < sure).then_some(LINGER);
            if !unsure.is_empty() {
                let queues: Vec<_> = unsure.iter().map(|room| room.queue).collect();
                let waiting = self.workshop.ledger.waiting(&queues).await?;
                unsure.retain(|room| waiting.due.contains(&room.queue));
                rooms.append(&mut unsure);
                next = [next, waiting.next].into_iter().flatten().min();
            }
            if rooms.is_empty() || self.workshop.stop.is_cancelled() {
                return Ok(next);
            }
            let claimed = self.workshop.ledger.claim(&rooms).await?;
            self.filled(&rooms, &claimed);
            if claimed.is_empty() {
                if all_looked_at {
                    return Ok(next);
                }
                // The flow has ended: when it goes on is not known without a look.
                continue;
            }
            for job in claimed {
                let lane = self.lanes.iter().find(|(queue, ..)| *queue == job.queue);
                let slot = self.workshop.occupy(job.queue);
                if let Some((_, sender, _)) = lane {
                    // The receiver lives as long as this.
                    sender.send(Claimed { job, slot }).ok();
                }
            }
        }
    }

    /// A channel wakes its receiver by itself.
    fn nudge(&self) {}

    async fn resync(&self) -> Result<()> {
        Ok(())
    }
}

impl Backend for Lane {
    type Task = Task<Claimed>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Task<Claimed>, Infallible>>> {
        let mut receiver = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        receiver.poll_recv(context).map(|claimed| {
            claimed.map(|claimed| {
                let id = TaskId::from_string(format!("{}:{}", claimed.job.id, claimed.job.attempts));
                Ok(TaskBuilder::new(claimed).task_id(id).build())
            })
        })
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        // What is left in the lane is handed back after all workers ended.
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for Lane {
    type Args = Claimed;
    type Id = String;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}
