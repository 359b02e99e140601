//! The production way: apalis-redis carries ids from any relay to any worker. The ledger stays the truth: the relay only lends a row for a
//! few seconds, the worker takes it over by compare-and-swap, and what Redis loses or delivers twice changes nothing. Apalis is always told
//! that all is well, so its own retries, which know neither backoff nor a limit, are never used.

mod connection;
mod flow;
mod pace;

use std::sync::Arc;
use std::time::Duration;

use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::TaskId;
use apalis_redis::queries::push_tasks;
use apalis_redis::{Config, RedisStorage};
use entity::enums::JobQueueName;
use entity::ids::JobId;
use fred::interfaces::LuaInterface as _;
use serde::{Deserialize, Deserializer, Serialize};

use self::connection::Connection;
use self::flow::Flow;
use self::pace::{Nudge, Pace};
use super::dispatch::Transport;
use super::ledger::{Room, Ticket, Who, word};
use super::workshop::Workshop;
use crate::kernel::changes::Topic;
use crate::kernel::{Error, Result};
use crate::platform::redis::Redis;

/// A worker that did not show itself for this many heartbeats is dead.
const HEARTBEAT: Duration = Duration::from_secs(10);
const MISSED: usize = 3;
/// A row that is lent again within this many seconds is the same task to Redis, so that it is not queued twice; after that it is
/// another one, so that a task whose data survived but whose place in the queue did not cannot block it.
const SAME_TASK: i64 = 15;

/// Forgets a delivered task, unless another worker got it meanwhile. The name of the worker is kept for a day.
const FORGET: &str = "if redis.call('SREM', KEYS[1], ARGV[1]) == 1 then \
    redis.call('HDEL', KEYS[2], ARGV[1]) redis.call('DEL', KEYS[3]) end \
    redis.call('EXPIRE', KEYS[4], 86400) return 1";

/// What travels. Unknown and missing fields are fine, and ids of another version: an undecodable task would stop the worker, and the next
/// one that gets it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Pushed {
    #[serde(deserialize_with = "if_readable")]
    job: Option<JobId>,
    attempt: i32,
    task: String,
}

fn if_readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<JobId>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_str().and_then(|text| text.parse().ok()))
}

/// Lends due jobs to Redis, and receives them.
pub(super) struct Brokered {
    workshop: Arc<Workshop>,
    redis: Redis,
    lanes: Vec<Lane>,
}

/// The way of one queue through Redis.
#[derive(Clone)]
pub(super) struct Lane {
    pub(super) queue: JobQueueName,
    redis: Redis,
    config: Config,
    nudge: Arc<Nudge>,
    flow: Arc<Flow>,
}

impl Brokered {
    pub(super) fn new(workshop: Arc<Workshop>, redis: Redis) -> Self {
        let lane = |&(queue, slots): &(JobQueueName, usize)| Lane {
            queue,
            redis: redis.clone(),
            config: Config::default()
                .queue(redis.key(format_args!("jobs:{}", word(queue))))
                .batch_size(1)
                .heartbeat_interval(HEARTBEAT)
                .missed_heartbeats(MISSED)
                .lock_tasks(false)
                .persist_results(false)
                .emit_events(false),
            nudge: Arc::default(),
            flow: Arc::new(Flow::new(slots)),
        };
        let lanes = workshop.config.concurrency.iter().map(lane).collect();
        Self {
            workshop,
            redis,
            lanes,
        }
    }

    pub(super) fn lanes(&self) -> impl Iterator<Item = Lane> {
        self.lanes.iter().cloned()
    }

    /// How many jobs of a queue Redis may have: some ahead while they are short, otherwise what finds a place to run at once.
    fn room(&self, lane: &Lane) -> Option<Room> {
        let ahead = lane.flow.window().map(|jobs| Room {
            queue: lane.queue,
            jobs,
            who: Who::Anyone,
        });
        ahead.or_else(|| self.workshop.room(lane.queue))
    }
}

impl Transport for Brokered {
    async fn pass(&self) -> Result<Option<Duration>> {
        let queues: Vec<_> = self.lanes.iter().map(|lane| lane.queue).collect();
        loop {
            if !self.redis.is_up() {
                return Ok(None);
            }
            let waiting = self.workshop.ledger.waiting(&queues).await?;
            let mut lent = false;
            for lane in self.lanes.iter().filter(|lane| waiting.due.contains(&lane.queue)) {
                let Some(room) = self.room(lane) else { continue };
                let given = self.workshop.ledger.lend(room).await?;
                let tickets = given.tickets;
                lane.flow.filled(given.before + tickets.len() as u64);
                if tickets.is_empty() {
                    continue;
                }
                if let Err(error) = lane
                    .push(&tickets, self.workshop.platform.clock.now().timestamp())
                    .await
                {
                    self.workshop.ledger.reclaim(Some(&tickets)).await?;
                    return Err(error);
                }
                lent = true;
                lane.nudge.nudge();
            }
            if !lent {
                return Ok(waiting.next);
            }
            // Workers of other replicas look too.
            self.workshop.platform.pubsub.publish(Topic::JobsDue, &()).await;
        }
    }

    fn nudge(&self) {
        self.lanes.iter().for_each(|lane| lane.nudge.nudge());
    }

    async fn resync(&self) -> Result<()> {
        self.workshop.ledger.reclaim(None).await
    }
}

impl Lane {
    /// The Apalis backend of the queue's worker.
    pub(super) fn storage(&self) -> RedisStorage<Pushed, Connection> {
        RedisStorage::new(Connection(self.redis.clone())).with_config(self.config.clone())
    }

    /// When the worker asks for work.
    pub(super) fn pace(&self) -> Pace {
        Pace::new(self.nudge.clone())
    }

    async fn push(&self, tickets: &[Ticket], now: i64) -> Result<()> {
        let task = |ticket: &Ticket| -> Result<Task<Vec<u8>>> {
            let task = format!("{}:{}:{}", ticket.id, ticket.attempt, now / SAME_TASK);
            let pushed = Pushed {
                job: Some(ticket.id),
                attempt: ticket.attempt,
                task: task.clone(),
            };
            let bytes = serde_json::to_vec(&pushed).map_err(Error::internal)?;
            Ok(TaskBuilder::new(bytes).task_id(TaskId::from_string(task)).build())
        };
        let tasks = tickets.iter().map(task).collect::<Result<Vec<_>>>()?;
        push_tasks(&mut Connection(self.redis.clone()), &self.config, &tasks)
            .await
            .map_err(away)?;
        Ok(())
    }

    /// Runs what was delivered to `worker`, if it is still to be run.
    pub(super) async fn deliver(&self, workshop: Arc<Workshop>, worker: &str, pushed: Pushed) {
        let slot = workshop.occupy(self.queue);
        let is_low = self.flow.delivered();
        if let Some(id) = pushed.job {
            let ticket = Ticket {
                id,
                attempt: pushed.attempt,
            };
            if workshop.stop.is_cancelled() {
                if let Err(error) = workshop.ledger.reclaim(Some(&[ticket])).await {
                    tracing::debug!(%error, "a delivered job is lent again only when its lease ends");
                }
            } else {
                match workshop.ledger.take(ticket).await {
                    Ok(Some(job)) => {
                        if is_low {
                            workshop.bell.notify_one();
                        }
                        // The ledger has it: Redis need not remember it while it runs.
                        tokio::join!(self.forget(worker, &pushed.task), workshop.attempt(job, None));
                        if !self.flow.is_low() {
                            slot.leave_quietly();
                        }
                        return;
                    }
                    Ok(None) => tracing::debug!(job = %id, "delivered, but there is nothing to do"),
                    Err(error) => {
                        tracing::warn!(%error, job = %id, "a delivered job cannot be taken over; it is lent again")
                    }
                }
            }
        }
        self.forget(worker, &pushed.task).await;
    }

    async fn forget(&self, worker: &str, task: &str) {
        let keys = vec![
            format!("{}:{worker}", self.config.inflight_jobs_set()),
            self.config.job_data_hash(),
            format!("{}:{task}", self.config.job_meta_hash()),
            format!("{}:workers:metadata:{worker}", self.config.queue.as_ref()),
        ];
        let task = task.to_owned();
        let forgotten = self
            .redis
            .call(|client| async move { client.eval::<i64, _, _, _>(FORGET, keys, task).await });
        if let Err(error) = forgotten.await {
            tracing::debug!(%error, "Redis delivers a task again; nothing will come of it");
        }
    }
}

fn away(error: apalis_redis::Error) -> Error {
    Error::unavailable("Redis is not reachable. Try again in a moment.", error)
}
