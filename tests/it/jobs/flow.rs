//! Many short jobs, which are claimed and ended several at a time: what holds for one of them holds for each. Without Redis, so that the
//! workers claim from the ledger themselves; with Redis the same jobs once more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use entity::enums::{JobQueueName, JobStatus};
use entity::ids::JobId;
use meridian::kernel::actor::Actor;
use meridian::kernel::time::Clock;
use meridian::platform::db::{Scope, Tx};
use meridian::platform::jobs::{self, WorkerConfig};
use tokio::time::{Instant, sleep};

use super::bench::{Bench, Workers, number, script};

const SLOTS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(40);

/// How often each job ran, and how many ran at the same time.
#[derive(Default)]
struct Runs {
    of: Mutex<HashMap<JobId, usize>>,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Runs {
    fn all(&self) -> usize {
        self.of.lock().unwrap().values().sum()
    }

    async fn until(&self, count: usize) {
        let began = Instant::now();
        while self.all() < count {
            assert!(began.elapsed() < PATIENCE, "{} of {count} ran", self.all());
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Workers whose jobs take a moment.
fn work(bench: &Bench, moment: impl Fn(u128) -> Duration + Send + Sync + 'static) -> (Workers, Arc<Runs>) {
    let runs = Arc::new(Runs::default());
    let counted = runs.clone();
    let run = script(move |job| {
        let (runs, moment) = (counted.clone(), moment(number(&job)));
        async move {
            *runs.of.lock().unwrap().entry(job.id).or_default() += 1;
            let now = runs.now.fetch_add(1, Ordering::SeqCst) + 1;
            runs.most.fetch_max(now, Ordering::SeqCst);
            if !moment.is_zero() {
                sleep(moment).await;
            }
            runs.now.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    });
    let config = WorkerConfig {
        cron: false,
        concurrency: vec![(JobQueueName::CalendarSync, SLOTS)],
        ..WorkerConfig::default()
    };
    (bench.work_with(run, config), runs)
}

async fn fill(bench: &Bench, count: u128) {
    bench.enqueue_all((0..count).map(Bench::job).collect()).await;
}

async fn until_ended(bench: &Bench, count: u64) {
    let began = Instant::now();
    loop {
        let ended = bench.ended().await;
        if ended == count {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{ended} of {count} have ended");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn run_many(bench: Bench) {
    fill(&bench, 400).await;
    let (workers, runs) = work(&bench, |_| Duration::ZERO);
    until_ended(&bench, 400).await;
    assert_eq!(runs.all(), 400, "each once");
    let most = runs.most.load(Ordering::SeqCst);
    assert!(most <= SLOTS + 1, "{most} at the same time");
    for row in bench.rows().await {
        let held = (row.lease_owner, row.lease_until);
        assert_eq!(
            (row.status, row.attempts, held),
            (JobStatus::Succeeded, 1, (None, None))
        );
        assert!(row.started_at.is_some() && row.finished_at.is_some());
    }
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_short_jobs_run_once_each_and_not_more_at_once_than_there_are_slots() {
    run_many(Bench::with_clock(Clock::system()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_short_jobs_run_once_each_on_either_way_to_the_workers() {
    run_many(Bench::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_jobs_do_not_wait_for_a_long_one_that_began_with_them() {
    const LONG: Duration = Duration::from_secs(6);
    let bench = Bench::with_clock(Clock::system()).await;
    fill(&bench, 60).await;
    let moment = |number: u128| if number == 0 { LONG } else { Duration::ZERO };
    let began = Instant::now();
    let (workers, runs) = work(&bench, moment);
    runs.until(60).await;
    assert!(began.elapsed() < LONG / 2, "{:?}", began.elapsed());
    until_ended(&bench, 60).await;
    workers.stop().await;
    bench.close().await;
}

async fn pause(bench: &Bench, is_paused: bool) {
    let change =
        move |tx: Tx| async move { jobs::set_paused(&tx, JobQueueName::CalendarSync, is_paused).await };
    let platform = &bench.platform;
    platform
        .write(Scope::System, Actor::system(), change)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_paused_in_full_flow_stops() {
    let bench = Bench::with_clock(Clock::system()).await;
    fill(&bench, 1_000).await;
    let (workers, runs) = work(&bench, |_| Duration::from_millis(5));
    runs.until(40).await;
    pause(&bench, true).await;
    // What was claimed before goes on.
    sleep(Duration::from_millis(300)).await;
    let ran = runs.all();
    assert!(ran < 1_000, "there is something left to pause");
    sleep(Duration::from_millis(500)).await;
    assert_eq!(runs.all(), ran);
    let waiting = bench.rows().await.into_iter();
    let waiting = waiting.filter(|row| row.status == JobStatus::Queued);
    assert_eq!(
        waiting.count(),
        1_000 - ran,
        "nothing is claimed that does not run"
    );
    pause(&bench, false).await;
    until_ended(&bench, 1_000).await;
    assert_eq!(runs.all(), 1_000, "each once");
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_are_killed_in_full_flow_lose_nothing() {
    let bench = Bench::with_clock(Clock::system()).await;
    fill(&bench, 600).await;
    let (first, before) = work(&bench, |_| Duration::from_millis(1));
    before.until(100).await;
    first.kill();
    // What was being written when they died is written or not by now.
    sleep(Duration::from_millis(500)).await;
    let held = bench.rows().await.into_iter();
    let held = held.filter(|row| row.status == JobStatus::Running).count();
    assert!(held <= SLOTS + 1 + 64, "{held} attempts of the dead");
    bench.expire_leases().await;
    let (second, after) = work(&bench, |_| Duration::from_millis(1));
    until_ended(&bench, 600).await;
    let ran_before = before.of.lock().unwrap().clone();
    let ran_after = after.of.lock().unwrap().clone();
    for row in bench.rows().await {
        assert!(ran_before.contains_key(&row.id) || ran_after.contains_key(&row.id));
        assert!(row.attempts <= 2, "{row:?}");
    }
    second.stop().await;
    bench.close().await;
}
