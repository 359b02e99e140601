//! What all workers of one process share: the slots of each queue, the attempts that run now, and the way to the exit.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use entity::enums::JobQueueName;
use entity::job;
use tokio::sync::{Notify, Semaphore};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::ledger::{Ledger, Room, Ticket, Who, word};
use super::wave::{LINGER, Wave};
use super::{Runner, WorkerConfig};
use crate::kernel::time::Instant;
use crate::platform::Platform;

/// All slots of a queue were busy for so long: its jobs are long ones, and whoever waits for a slot may wait for minutes. Short jobs make room
/// all the time.
const LONG: Duration = Duration::from_millis(250);
/// Attempts that ended well and gave their slots to others before that was written. When the ledger is slower than the jobs, the next ones
/// keep their slots until it has caught up.
pub(super) const UNWRITTEN: usize = 64;

/// Signs of life of the workers of this process, for health checks.
#[derive(Debug, Default)]
pub struct Beat {
    last_micros: AtomicI64,
    running: AtomicUsize,
}

impl Beat {
    /// When the ledger was last looked at without an error; `None` before the first time.
    pub fn last(&self) -> Option<Instant> {
        match self.last_micros.load(Ordering::Relaxed) {
            0 => None,
            micros => Instant::from_timestamp_micros(micros),
        }
    }

    /// Jobs that run now.
    pub fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    pub(super) fn beat(&self, now: Instant) {
        self.last_micros.store(now.timestamp_micros(), Ordering::Relaxed);
    }
}

pub(super) struct Workshop {
    pub(super) platform: Platform,
    pub(super) ledger: Ledger,
    pub(super) runner: Arc<dyn Runner>,
    pub(super) config: WorkerConfig,
    /// Name of this process among the workers.
    pub(super) name: String,
    /// Rings when a job may be due or a slot is free. One listener.
    pub(super) bell: Notify,
    /// Rings when a slot is free that waits for others.
    hush: Notify,
    /// One for each of [`UNWRITTEN`].
    pub(super) unwritten: Semaphore,
    /// Fires when no new jobs are to be started.
    pub(super) stop: CancellationToken,
    /// Fires when running jobs have to end now.
    pub(super) over: CancellationToken,
    held: Mutex<HashMap<Ticket, Held>>,
    taken: Mutex<HashMap<JobQueueName, Taken>>,
}

/// The slots of a queue that are taken.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    jobs: usize,
    /// When the last one became free.
    freed: Option<tokio::time::Instant>,
    wave: Wave,
}

/// How an attempt that runs here is told something.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// Somebody cancelled the job.
    pub(super) cancelled: CancellationToken,
    /// Another worker decides the job now.
    pub(super) lost: CancellationToken,
}

/// A started job on its way to a worker, with the slot it takes.
pub(super) struct Claimed {
    pub(super) job: job::Model,
    pub(super) slot: Slot,
}

/// A place among the jobs that run at the same time. Free again when dropped, which rings the bell, at the latest after [`LINGER`].
pub(super) struct Slot {
    workshop: Arc<Workshop>,
    queue: JobQueueName,
    is_quiet: bool,
}

impl Slot {
    /// Frees it without the bell: there is something for whoever comes next.
    pub(super) fn leave_quietly(mut self) {
        self.is_quiet = true;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut waits = false;
        if let Some(taken) = self.workshop.taken().get_mut(&self.queue) {
            let now = tokio::time::Instant::now();
            taken.jobs = taken.jobs.saturating_sub(1);
            taken.freed = Some(now);
            waits = taken.wave.ends(now);
        }
        if waits {
            self.workshop.hush.notify_one();
        } else if !self.is_quiet {
            self.workshop.bell.notify_one();
        }
    }
}

/// An attempt is held until this is dropped.
pub(super) struct Hold {
    workshop: Arc<Workshop>,
    ticket: Ticket,
    pub(super) told: Held,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.workshop.held().remove(&self.ticket);
        self.workshop.config.beat.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Workshop {
    pub(super) fn new(
        platform: Platform,
        runner: Arc<dyn Runner>,
        config: WorkerConfig,
        stop: CancellationToken,
    ) -> Arc<Self> {
        let name = format!("worker-{}", platform.ids.uuid().simple());
        Arc::new(Self {
            ledger: Ledger::new(platform.clone(), &name),
            platform,
            runner,
            config,
            name,
            bell: Notify::new(),
            hush: Notify::new(),
            unwritten: Semaphore::new(UNWRITTEN),
            stop,
            over: CancellationToken::new(),
            held: Mutex::default(),
            taken: Mutex::default(),
        })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Ticket, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<JobQueueName, Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Jobs of a queue that may run at the same time, without the one more of [`Self::room`].
    pub(super) fn slots(&self, queue: JobQueueName) -> usize {
        self.config
            .concurrency
            .iter()
            .find(|(name, _)| *name == queue)
            .map_or(1, |(_, slots)| (*slots).max(1))
    }

    /// Name of a queue's worker; another one after each restart, so that it is not taken for its dead self.
    pub(super) fn worker_name(&self, queue: JobQueueName, restarts: usize) -> String {
        format!("{}:{}:{restarts}", self.name, word(queue))
    }

    /// What may start in a queue now: as many jobs as it has free slots. When it has none, and its jobs are long, one more of somebody who
    /// has nothing running, so that no workspace waits for the jobs of another.
    pub(super) fn room(&self, queue: JobQueueName) -> Option<Room> {
        let taken = self.taken().get(&queue).copied().unwrap_or_default();
        let is_long = taken.freed.is_none_or(|freed| freed.elapsed() >= LONG);
        let room = |jobs, who| Some(Room { queue, jobs, who });
        match self.slots(queue).checked_sub(taken.jobs)? {
            0 if is_long => room(1, Who::Newcomers),
            0 => None,
            free => room(free as u64, Who::Anyone),
        }
    }

    /// The room of every queue that has some.
    pub(super) fn rooms(&self) -> Vec<Room> {
        let queues = self.config.concurrency.iter();
        queues.filter_map(|(queue, _)| self.room(*queue)).collect()
    }

    /// How soon to look at the queues again when nobody rings: soon where a newcomer may wait for room.
    pub(super) fn patience(&self, usual: Duration) -> Duration {
        let mut queues = self.config.concurrency.iter();
        let is_full = queues.any(|(queue, _)| {
            let taken = self.taken().get(queue).copied().unwrap_or_default();
            taken.jobs == self.slots(*queue)
        });
        if is_full { usual.min(LONG) } else { usual }
    }

    /// Ends when a free slot has waited for others as long as it may.
    pub(super) async fn lull(&self) {
        self.hush.notified().await;
        sleep(LINGER).await;
    }

    /// So many jobs of a queue begin at once. Their slots are taken next.
    pub(super) fn begin_wave(&self, queue: JobQueueName, jobs: usize) {
        let wave = Wave::begin(jobs, tokio::time::Instant::now());
        self.taken().entry(queue).or_default().wave = wave;
    }

    /// Whether free slots of a queue wait for others.
    pub(super) fn is_gathering(&self, queue: JobQueueName) -> bool {
        let now = tokio::time::Instant::now();
        self.taken()
            .get(&queue)
            .is_some_and(|taken| taken.wave.is_awaited(now))
    }

    /// Takes a slot.
    pub(super) fn occupy(self: &Arc<Self>, queue: JobQueueName) -> Slot {
        self.taken().entry(queue).or_default().jobs += 1;
        Slot {
            workshop: self.clone(),
            queue,
            is_quiet: false,
        }
    }

    /// Holds an attempt: its lease is renewed from now on.
    pub(super) fn hold(self: &Arc<Self>, ticket: Ticket) -> Hold {
        let told = Held::default();
        self.held().insert(ticket, told.clone());
        self.config.beat.running.fetch_add(1, Ordering::Relaxed);
        Hold {
            workshop: self.clone(),
            ticket,
            told,
        }
    }

    /// The attempts that run here.
    pub(super) fn tickets(&self) -> Vec<Ticket> {
        self.held().keys().copied().collect()
    }

    /// Tells a running attempt something.
    pub(super) fn tell(&self, ticket: &Ticket, what: impl Fn(&Held)) {
        if let Some(held) = self.held().get(ticket) {
            what(held);
        }
    }
}
