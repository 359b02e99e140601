//! Clocks that jump: forward by hours and back again, while jobs run and recurring ones come due. And machines that do not agree about the
//! time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use entity::enums::JobStatus;
use futures_util::future::join_all;
use meridian::kernel::time::Clock;
use meridian::platform::jobs::WorkerConfig;
use tokio::time::sleep;

use crate::jobs::bench::{Bench, counted, production, script};
use crate::support::start_of_tests;

/// Workers look for jobs of the dead every five seconds.
const A_SWEEP: Duration = Duration::from_millis(5_800);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_job_does_not_care_about_a_clock_that_jumps() {
    let bench = Bench::with_clock(Clock::manual(start_of_tests())).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let workers = bench.work(counted(&runs, A_SWEEP * 2 + Duration::from_secs(1)));
    let id = bench.enqueue(Bench::job(1)).await;
    bench.until(id, JobStatus::Running, 5).await;
    bench.platform.clock.advance(TimeDelta::hours(3));
    sleep(A_SWEEP).await;
    assert_eq!(bench.row(id).await.status, JobStatus::Running);
    bench.platform.clock.advance(TimeDelta::hours(-6));
    let row = bench.until(id, JobStatus::Succeeded, 15).await;
    assert_eq!((row.attempts, runs.load(Ordering::SeqCst)), (1, 1));
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_from_a_clock_that_was_wrong_keeps_nobody_waiting() {
    let bench = Bench::with_clock(Clock::manual(start_of_tests())).await;
    let first = bench.work(script(|_| std::future::pending()));
    bench.platform.clock.advance(TimeDelta::hours(9));
    let id = bench.enqueue(Bench::job(1)).await;
    bench.until(id, JobStatus::Running, 5).await;
    first.kill();
    // The clock is put right: the dead worker's lease ends in nine hours.
    bench.platform.clock.advance(TimeDelta::hours(-9));
    let second = bench.work(script(|_| async { Ok(()) }));
    let again = async {
        // Its next attempt waits for a clock that stands still.
        for _ in 0..30 {
            sleep(Duration::from_millis(500)).await;
            bench.platform.clock.advance(TimeDelta::seconds(2));
        }
    };
    let done = bench.until(id, JobStatus::Succeeded, 15);
    let row = tokio::select! {
        row = done => row,
        () = again => panic!("it is stuck: {:?}", bench.row(id).await),
    };
    assert_eq!(row.attempts, 2);
    second.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recurring_jobs_run_once_for_a_tick_that_comes_twice() {
    let bench = Bench::with_clock(Clock::manual(start_of_tests())).await;
    let ran: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let log = ran.clone();
    let runner = script(move |job| {
        let kind = job.payload.kind();
        *log.lock().unwrap().entry(kind.to_owned()).or_default() += 1;
        async { Ok(()) }
    });
    let workers = bench.work_with(runner, WorkerConfig::default());
    // One look at the clock takes up to five seconds.
    let look = Duration::from_millis(5_500);
    // Further back than ten minutes the schedules would start anew, as after a clock that was wrong.
    for minutes in [0, 120, -5] {
        bench.platform.clock.advance(TimeDelta::minutes(minutes));
        sleep(look).await;
    }
    let mut keys: BTreeMap<String, usize> = BTreeMap::new();
    for row in bench.rows().await {
        *keys.entry(row.unique_key.expect("a tick")).or_default() += 1;
    }
    assert!(keys.values().all(|jobs| *jobs == 1), "{keys:?}");
    let ran = ran.lock().unwrap().clone();
    let hourly = keys.keys().filter(|key| key.contains("prune-expired")).count();
    assert_eq!(
        (hourly, ran["prune_expired"]),
        (2, 2),
        "at nine, and at eleven: {ran:?}"
    );
    workers.stop().await;
    bench.close().await;
}

/// Who runs the job.
#[derive(Clone, Copy, Debug)]
enum Whose {
    Right,
    Wrong,
}

/// Two machines, one of which has a wrong clock; the job of one of them outlasts several looks of the other and the renewal of its lease.
async fn beside_a_wrong_clock(wrong: TimeDelta, whose: Whose) {
    let right = Bench::new().await;
    let clock = Clock::system();
    clock.correct(wrong);
    let other = right.replica_at(clock.clone()).await;
    let (first, second) = match whose {
        Whose::Right => (&right, &other),
        Whose::Wrong => (&other, &right),
    };
    let runs = Arc::new(AtomicUsize::new(0));
    let work = |bench: &Bench| bench.work(counted(&runs, A_SWEEP * 2 + Duration::from_secs(3)));
    let one = work(first);
    let id = right.enqueue(Bench::job(1)).await;
    right.until(id, JobStatus::Running, 10).await;
    let two = work(second);
    sleep(Duration::from_secs(2)).await;
    // Somebody sets it wrong again.
    clock.correct(wrong);
    let row = right.until(id, JobStatus::Succeeded, 40).await;
    assert_eq!(
        (row.attempts, runs.load(Ordering::SeqCst)),
        (1, 1),
        "a clock wrong by {wrong}, and the job with the {whose:?}: {row:?}"
    );
    for workers in [one, two] {
        workers.stop().await;
    }
    other.close().await;
    right.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machines_that_do_not_agree_about_the_time_run_nothing_twice() {
    // The clock of SQLite is the machine's.
    if !production() {
        return;
    }
    let cases = [
        (90, Whose::Right),
        (90, Whose::Wrong),
        (-90, Whose::Right),
        (-90, Whose::Wrong),
    ];
    let cases = cases.map(|(seconds, whose)| beside_a_wrong_clock(TimeDelta::seconds(seconds), whose));
    join_all(cases).await;
}
