//! Workers that die in every way, as processes of their own: this test program once more, with jobs that do what the test wants.

use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use entity::enums::JobStatus;
use entity::job;
use meridian::app;
use meridian::kernel::time::Clock;
use meridian::platform::db::Scope;
use meridian::platform::jobs::{JobError, WorkerConfig, live_workers, run_workers};
use meridian::platform::redis::Redis;
use sea_orm::Set;
use tokio::process::{Child, Command};
use tokio::signal::unix::SignalKind;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::has_time;
use crate::jobs::bench::{Bench, number, script};
use crate::support;
use crate::support::machines::signal;

/// Says to this program that it is a worker: where its database is, then where its Redis is and its prefix, then a file to write to.
const WORKER: &str = "MERIDIAN_TEST_WORKER";

/// Ends its process.
const POISON: u128 = 1_000_001;
/// Never ends the first time.
const HANGS: u128 = 1_000_002;
/// Panics.
const PANICS: u128 = 1_000_003;
/// Goes on until it is told to stop.
const LISTENS: u128 = 1_000_004;
/// Goes on whatever it is told, and takes a thread with it.
const DEAF: u128 = 1_000_005;
/// This one and those after it take two seconds.
const SHORT: u128 = 2_000_000;

/// Runs jobs until it is killed or asked to end, when this program was started as a worker. Otherwise it returns at once.
async fn be_a_worker() -> bool {
    let Ok(where_) = std::env::var(WORKER) else {
        return false;
    };
    let parts: Vec<&str> = where_.split('|').collect();
    let [database, redis, prefix, file] = parts[..] else {
        panic!("{where_}");
    };
    let redis = match redis {
        "" => None,
        url => {
            let instance = uuid::Uuid::now_v7().simple().to_string();
            Some(Redis::connect(url, prefix, &instance, 2).await.unwrap())
        }
    };
    let platform = support::platform(database, Clock::system(), redis.clone()).await;
    let stop = CancellationToken::new();
    let (mut asked, told) = (
        tokio::signal::unix::signal(SignalKind::terminate()).unwrap(),
        stop.clone(),
    );
    tokio::spawn(async move {
        asked.recv().await;
        told.cancel();
    });
    let file = file.to_owned();
    let runner = script(move |job| {
        let file = file.clone();
        async move {
            use std::io::Write as _;
            let number = number(&job);
            let mut log = std::fs::File::options()
                .create(true)
                .append(true)
                .open(&file)
                .unwrap();
            // One short write to a file that is appended to is whole, whatever happens to its writer afterwards.
            log.write_all(format!("{number}\n").as_bytes()).unwrap();
            match number {
                POISON => std::process::abort(),
                HANGS if job.attempt == 1 => std::future::pending().await,
                PANICS => panic!("it panics"),
                LISTENS => {
                    job.cancel.cancelled().await;
                    Err(JobError::Cancelled)
                }
                DEAF => {
                    std::thread::sleep(Duration::from_secs(60));
                    Ok(())
                }
                SHORT.. => {
                    sleep(Duration::from_secs(2)).await;
                    Ok(())
                }
                _ => Ok(()),
            }
        }
    });
    let config = WorkerConfig {
        cron: false,
        ..WorkerConfig::default()
    };
    run_workers(platform.clone(), redis, runner, config, stop)
        .await
        .unwrap();
    app::close(&platform).await;
    // As the program does, which waits for no thread.
    std::process::exit(0)
}

/// Starts this program as a worker; `test` is the test that says whether it is one.
fn worker(bench: &Bench, test: &str, file: &std::path::Path) -> Child {
    let (database, redis, prefix) = bench.address();
    let place = format!("{database}|{redis}|{prefix}|{}", file.display());
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("faults::workers::{test}"), "--nocapture"])
        .env(WORKER, place)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn runs(file: &std::path::Path, number: u128) -> usize {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter(|line| *line == number.to_string()).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_ends_its_process_ends_dead_and_all_others_are_done() {
    if be_a_worker().await {
        return;
    }
    let bench = Bench::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ran");
    let later = bench.platform.clock.now() + TimeDelta::seconds(1);
    let poison = bench.enqueue(Bench::job(POISON).at(later)).await;
    let panics = bench.enqueue(Bench::job(PANICS).at(later)).await;
    for id in [poison, panics] {
        let few = job::ActiveModel {
            id: Set(id),
            max_attempts: Set(2),
            ..Default::default()
        };
        bench.tamper(few).await;
    }
    let mut good = Vec::new();
    for number in 1..=40 {
        good.push(bench.enqueue(Bench::job(number)).await);
    }
    let (mut child, mut starts) = (
        worker(
            &bench,
            "a_job_that_ends_its_process_ends_dead_and_all_others_are_done",
            &file,
        ),
        1,
    );
    let began = Instant::now();
    while bench.row(poison).await.status != JobStatus::Dead {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{:?}",
            bench.row(poison).await
        );
        if child.try_wait().unwrap().is_some() {
            // As an operator's supervisor would. The leases of the dead end a little earlier than they would by themselves.
            bench.expire_leases().await;
            child = worker(
                &bench,
                "a_job_that_ends_its_process_ends_dead_and_all_others_are_done",
                &file,
            );
            starts += 1;
        }
        sleep(Duration::from_millis(100)).await;
    }
    let row = bench.row(poison).await;
    assert_eq!((row.attempts, starts), (2, 3), "{row:?}");
    assert_eq!(
        row.last_error.as_deref(),
        Some("The worker died while it ran this job.")
    );
    for id in good {
        bench.until(id, JobStatus::Succeeded, 30).await;
    }
    let row = bench.until(panics, JobStatus::Dead, 30).await;
    assert_eq!(row.attempts, 2, "{row:?}");
    // It may have run beside the one that took the process along, both times.
    let reasons = [Some("panicked"), Some("The worker died while it ran this job.")];
    assert!(reasons.contains(&row.last_error.as_deref()), "{row:?}");
    assert_eq!(runs(&file, POISON), 2);
    // An attempt that ended with its process may not have begun.
    assert!(runs(&file, PANICS) <= 2);
    child.kill().await.unwrap();
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_job_of_a_killed_worker_is_done_elsewhere_within_a_minute() {
    if be_a_worker().await || !has_time() {
        return;
    }
    const TEST: &str = "the_job_of_a_killed_worker_is_done_elsewhere_within_a_minute";
    let bench = Bench::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ran");
    let mut first = worker(&bench, TEST, &file);
    let id = bench.enqueue(Bench::job(HANGS)).await;
    bench.until(id, JobStatus::Running, 20).await;
    let mut second = worker(&bench, TEST, &file);
    sleep(Duration::from_secs(2)).await;
    first.kill().await.unwrap();
    let killed = Instant::now();
    let row = bench.until(id, JobStatus::Succeeded, 60).await;
    println!("done elsewhere {:?} after the kill", killed.elapsed());
    assert_eq!((row.attempts, runs(&file, HANGS)), (2, 2));
    second.kill().await.unwrap();
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_jobs_that_are_due_at_once_are_all_done_once() {
    if be_a_worker().await || !has_time() {
        return;
    }
    const TEST: &str = "twenty_thousand_jobs_that_are_due_at_once_are_all_done_once";
    const JOBS: u128 = 20_000;
    let bench = Bench::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ran");
    let began = Instant::now();
    bench.enqueue_all((1..=JOBS).map(Bench::job).collect()).await;
    println!("{JOBS} jobs enqueued in {:?}", began.elapsed());
    let began = Instant::now();
    let mut workers = vec![worker(&bench, TEST, &file), worker(&bench, TEST, &file)];
    // One of them does not live to see the end.
    while bench.ended().await < 5_000 {
        sleep(Duration::from_millis(200)).await;
    }
    workers.remove(0).kill().await.unwrap();
    let mut left = (u64::MAX, Instant::now());
    loop {
        let open = JOBS as u64 - bench.ended().await;
        if open == 0 {
            break;
        }
        if open < left.0 {
            left = (open, Instant::now());
        }
        // The jobs of the dead one wait for their leases to end, and nothing waits longer.
        assert!(
            left.1.elapsed() < Duration::from_secs(60),
            "{open} jobs are stuck"
        );
        sleep(Duration::from_millis(200)).await;
    }
    let took = began.elapsed();
    println!(
        "{JOBS} jobs done in {took:?}: {:.0} a second",
        JOBS as f64 / took.as_secs_f64()
    );
    let ran = std::fs::read_to_string(&file).unwrap();
    let mut ran: Vec<u128> = ran.lines().map(|line| line.parse().unwrap()).collect();
    let total = ran.len();
    ran.sort_unstable();
    ran.dedup();
    assert_eq!(ran.len() as u128, JOBS, "each ran");
    // Only what the dead one was at may have run again: as many as it had slots, whose outcomes were not recorded.
    assert!(total <= JOBS as usize + 8, "{total} runs");
    workers.remove(0).kill().await.unwrap();
    bench.close().await;
}

/// Waits until so many worker processes have said that they live.
async fn until_alive(bench: &Bench, workers: u64) {
    let began = Instant::now();
    loop {
        let read = bench.platform.db.read(Scope::System).await.unwrap();
        let alive = live_workers(&read, bench.platform.clock.now()).await.unwrap();
        drop(read);
        if alive == workers {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{alive} live");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_asked_to_end_in_mid_job_ends_in_time_and_hands_its_jobs_over() {
    if be_a_worker().await {
        return;
    }
    const TEST: &str = "a_worker_that_is_asked_to_end_in_mid_job_ends_in_time_and_hands_its_jobs_over";
    let bench = Bench::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ran");
    let mut first = worker(&bench, TEST, &file);
    until_alive(&bench, 1).await;
    let mut long = Vec::new();
    for number in [LISTENS, DEAF] {
        let id = bench.enqueue(Bench::job(number)).await;
        bench.until(id, JobStatus::Running, 20).await;
        long.push((number, id));
    }
    let mut second = worker(&bench, TEST, &file);
    until_alive(&bench, 2).await;
    // The first one has two slots left, the second one four.
    let mut short = Vec::new();
    for number in SHORT..SHORT + 6 {
        short.push((number, bench.enqueue(Bench::job(number)).await));
    }
    let began = Instant::now();
    while short.iter().any(|(number, _)| runs(&file, *number) == 0) {
        assert!(began.elapsed() < Duration::from_secs(20), "they do not start");
        sleep(Duration::from_millis(20)).await;
    }

    let asked = Instant::now();
    signal(&first, "TERM").await;
    let status = timeout(Duration::from_secs(30), first.wait())
        .await
        .expect("it ends")
        .unwrap();
    let ended = Instant::now();
    println!("it ended {:?} after it was asked to", ended - asked);
    assert!(status.success(), "{status}");
    assert!(ended - asked <= Duration::from_secs(10), "{:?}", ended - asked);
    for (number, id) in long {
        while runs(&file, number) < 2 {
            assert!(
                ended.elapsed() < Duration::from_secs(5),
                "{number} starts nowhere else: {:?}",
                bench.row(id).await
            );
            sleep(Duration::from_millis(50)).await;
        }
        let row = bench.row(id).await;
        assert_eq!(
            (row.status, row.attempts, row.last_error),
            (JobStatus::Running, 1, None),
            "{number} did not fail"
        );
    }
    for (number, id) in short {
        let row = bench.until(id, JobStatus::Succeeded, 20).await;
        assert_eq!((row.attempts, runs(&file, number)), (1, 1), "{number}");
    }
    second.kill().await.unwrap();
    bench.close().await;
}
