//! Deliveries that Redis has more than once, as relays leave them that know nothing of each other: the job runs once, and every copy is
//! taken from the queue and forgotten. With a Redis of its own; there is nothing to test without.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use entity::enums::JobStatus;
use entity::ids::TypedId as _;
use tokio::time::{Instant, sleep};

use super::bench::{Bench, counted, production, script};
use crate::support::machines::OwnRedis;

/// Longest time for a hundred copies to be looked at by two workers.
const DRAINED: Duration = Duration::from_secs(15);

/// Puts a delivery into the queue so many times, each under a name of its own, with what apalis-redis keeps beside it.
const AGAIN: &str = "for i = 1, tonumber(ARGV[3]) do \
    local task = ARGV[1] .. ':1:' .. ARGV[2] .. i \
    redis.call('HSET', KEYS[1], task, cjson.encode({job = ARGV[1], attempt = 1, task = task})) \
    redis.call('HSET', KEYS[2] .. ':' .. task, 'attempts', 0, 'max_attempts', 25, 'status', 'Pending') \
    redis.call('RPUSH', KEYS[3], task) end return ARGV[3]";

/// The queue of [`Bench::job`], as Redis has it.
struct Queue<'a> {
    server: &'a OwnRedis,
    name: String,
}

impl Queue<'_> {
    async fn deliver_a_hundred_times(&self, id: &str, mark: &str) {
        let key = |part: &str| format!("{}:{part}", self.name);
        let (data, meta, active) = (key("data"), key("meta"), key("active"));
        let said = self
            .server
            .tell(&["EVAL", AGAIN, "3", &data, &meta, &active, id, mark, "100"])
            .await;
        assert_eq!(said.trim(), "100");
    }

    /// What the queue has: copies that wait, that workers have taken, and what is kept beside them.
    async fn left(&self) -> Vec<String> {
        let keys = self.server.tell(&["KEYS", &format!("{}:*", self.name)]).await;
        // Names of workers are kept for a day.
        let is_delivery = |key: &&str| !key.is_empty() && !key.contains(":workers");
        keys.lines().filter(is_delivery).map(str::to_owned).collect()
    }

    async fn until_drained(&self) {
        let began = Instant::now();
        loop {
            let left = self.left().await;
            if left.is_empty() {
                return;
            }
            assert!(
                began.elapsed() < DRAINED,
                "{} keys are left: {left:?}",
                left.len()
            );
            sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_delivered_a_hundred_times_runs_once_and_leaves_nothing() {
    if !production() {
        return;
    }
    let server = OwnRedis::start().await;
    let bench = Bench::with_redis(Some(server.url())).await;
    let other = bench.replica().await;
    let (_, _, prefix) = bench.address();
    let queue = Queue {
        server: &server,
        name: format!("{prefix}:jobs:calendar_sync"),
    };
    let runs = Arc::new(AtomicUsize::new(0));
    let work = |bench: &Bench| bench.work(counted(&runs, Duration::from_millis(300)));

    // Workers of two replicas take the copies, and some of them while the job runs.
    let id = bench.enqueue(Bench::job(1)).await;
    // As it travels: the way that clients write it.
    let written = id.to_string();
    queue.deliver_a_hundred_times(&written, "before").await;
    let workers = [work(&bench), work(&other)];
    let row = bench.until(id, JobStatus::Succeeded, DRAINED.as_secs()).await;
    assert_eq!((row.attempts, runs.load(Ordering::SeqCst)), (1, 1));
    queue.until_drained().await;

    // It has ended by now, and the queue still works.
    queue.deliver_a_hundred_times(&written, "after").await;
    let next = bench.enqueue(Bench::job(2)).await;
    bench.until(next, JobStatus::Succeeded, DRAINED.as_secs()).await;
    queue.until_drained().await;
    let row = bench.row(id).await;
    assert_eq!((row.status, row.attempts), (JobStatus::Succeeded, 1));
    assert_eq!(runs.load(Ordering::SeqCst), 2, "one for each job");
    for workers in workers {
        workers.stop().await;
    }
    other.close().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_with_an_id_that_nobody_can_read_hold_nobody_up() {
    if !production() {
        return;
    }
    let server = OwnRedis::start().await;
    let bench = Bench::with_redis(Some(server.url())).await;
    let (_, _, prefix) = bench.address();
    let queue = Queue {
        server: &server,
        name: format!("{prefix}:jobs:calendar_sync"),
    };
    let id = bench.enqueue(Bench::job(1)).await;
    // Of a version that wrote ids another way: none of ours.
    let strange = id.uuid().to_string();
    queue.deliver_a_hundred_times(&strange, "strange").await;
    let workers = bench.work(script(|_| async { Ok(()) }));
    let row = bench.until(id, JobStatus::Succeeded, DRAINED.as_secs()).await;
    assert_eq!(row.attempts, 1);
    queue.until_drained().await;
    workers.stop().await;
    bench.close().await;
}
