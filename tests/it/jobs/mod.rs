//! Background jobs with real workers, on both ways of running.

pub mod bench;
mod copies;
mod flow;
mod outage;
mod ticks;
mod turns;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bench::{Bench, number, script};
use chrono::TimeDelta;
use entity::enums::{JobQueueName, JobStatus};
use entity::ids::JobId;
use entity::job;
use meridian::kernel::actor::Actor;
use meridian::kernel::changes::Topic;
use meridian::platform::db::{Scope, Tx};
use meridian::platform::jobs::{self, JobError, JobEvent, WorkerConfig};
use meridian::platform::pubsub::Signal;
use sea_orm::Set;
use tokio::time::{Instant, sleep, timeout};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_runs_once_and_is_watched_to_its_end() {
    let bench = Bench::new().await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let workers = bench.work(script(move |job| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            job.progress.percent(40);
            sleep(Duration::from_millis(300)).await;
            Ok(())
        }
    }));
    sleep(Duration::from_millis(500)).await;
    let id = bench
        .enqueue(Bench::job(7).at(bench.platform.clock.now() + TimeDelta::milliseconds(200)))
        .await;
    let mut watch = bench.platform.pubsub.subscribe(Topic::Job(id));
    let mut seen = Vec::new();
    while seen.last() != Some(&(JobStatus::Succeeded, Some(100))) {
        match timeout(Duration::from_secs(10), watch.recv())
            .await
            .expect("the job ends")
        {
            Signal::Message(text) => {
                let event: JobEvent = serde_json::from_str(&text).unwrap();
                seen.push((event.status, event.progress_percent));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        seen[..2],
        [(JobStatus::Running, None), (JobStatus::Running, Some(40))]
    );
    let row = bench.until(id, JobStatus::Succeeded, 5).await;
    assert_eq!((row.attempts, row.lease_owner, row.last_error), (1, None, None));
    assert!(row.started_at.is_some() && row.finished_at.is_some());
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_job_is_tried_again_later_and_ends_dead() {
    let bench = Bench::new().await;
    let workers = bench.work(script(|job| async move {
        match number(&job) {
            1 if job.attempt == 1 => Err(JobError::Retry("not yet".into())),
            2 => Err(JobError::Fatal("never".into())),
            3 => panic!("the password is hunter2"),
            4 => std::future::pending().await,
            _ => Ok(()),
        }
    }));
    let again = bench.enqueue(Bench::job(1)).await;
    let fatal = bench.enqueue(Bench::job(2)).await;
    let panics = bench
        .enqueue(Bench::job(3).at(bench.platform.clock.now() + TimeDelta::seconds(1)))
        .await;
    bench
        .tamper(job::ActiveModel {
            id: Set(panics),
            max_attempts: Set(2),
            ..Default::default()
        })
        .await;

    let later = bench.platform.clock.now() + TimeDelta::seconds(1);
    let hangs = bench.enqueue(Bench::job(4).at(later)).await;
    bench
        .tamper(job::ActiveModel {
            id: Set(hangs),
            timeout_seconds: Set(1),
            ..Default::default()
        })
        .await;
    let unknown = bench.enqueue(Bench::job(5).at(later)).await;
    let payload = serde_json::json!({ "kind": "made_by_a_newer_version" });
    bench
        .tamper(job::ActiveModel {
            id: Set(unknown),
            payload: Set(payload),
            ..Default::default()
        })
        .await;

    let row = bench.until(fatal, JobStatus::Dead, 5).await;
    assert_eq!((row.attempts, row.last_error.as_deref()), (1, Some("never")));

    let row = bench.until(again, JobStatus::Retrying, 5).await;
    assert_eq!(row.last_error.as_deref(), Some("not yet"));
    let wait = row.run_at - row.updated_at;
    assert!(
        wait >= TimeDelta::seconds(1) && wait <= TimeDelta::seconds(3),
        "{wait}"
    );
    let row = bench.until(again, JobStatus::Succeeded, 10).await;
    assert_eq!((row.attempts, row.last_error), (2, None));

    let row = bench.until(panics, JobStatus::Dead, 10).await;
    assert_eq!((row.attempts, row.last_error.as_deref()), (2, Some("panicked")));
    for (id, error) in [
        (hangs, "timed out after 1 s"),
        (unknown, "This version does not know the job."),
    ] {
        let row = bench.until(id, JobStatus::Retrying, 10).await;
        assert_eq!(row.last_error.as_deref(), Some(error));
    }
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_of_a_dead_worker_runs_elsewhere_until_its_attempts_are_used_up() {
    let bench = Bench::new().await;
    let first = bench.work(script(|_| std::future::pending()));
    let id = bench.enqueue(Bench::job(1)).await;
    let poison = bench.enqueue(Bench::job(2)).await;
    for id in [id, poison] {
        bench.until(id, JobStatus::Running, 5).await;
    }
    first.kill();
    // The leases run out without anybody renewing them.
    let past = bench.platform.clock.now() - TimeDelta::seconds(1);
    bench
        .tamper(job::ActiveModel {
            id: Set(id),
            lease_until: Set(Some(past)),
            ..Default::default()
        })
        .await;
    bench
        .tamper(job::ActiveModel {
            id: Set(poison),
            lease_until: Set(Some(past)),
            attempts: Set(5),
            ..Default::default()
        })
        .await;

    let second = bench.work(script(|_| async { Ok(()) }));
    let row = bench.until(poison, JobStatus::Dead, 10).await;
    assert_eq!(
        row.last_error.as_deref(),
        Some("The worker died while it ran this job.")
    );
    let row = bench.until(id, JobStatus::Succeeded, 10).await;
    assert_eq!(row.attempts, 2);
    second.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_lost_its_lease_changes_nothing() {
    let bench = Bench::new().await;
    let workers = bench.work(script(|_| async {
        sleep(Duration::from_millis(600)).await;
        Ok(())
    }));
    let id = bench.enqueue(Bench::job(1)).await;
    bench.until(id, JobStatus::Running, 5).await;
    bench
        .tamper(job::ActiveModel {
            id: Set(id),
            lease_owner: Set(Some("somebody else".into())),
            ..Default::default()
        })
        .await;
    sleep(Duration::from_millis(1_200)).await;
    let row = bench.row(id).await;
    assert_eq!(
        (row.status, row.lease_owner.as_deref()),
        (JobStatus::Running, Some("somebody else"))
    );
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unique_key_is_free_again_after_the_job_ended() {
    let bench = Bench::new().await;
    let first = bench.enqueue(Bench::job(1).unique("sync:1")).await;
    assert_eq!(bench.enqueue(Bench::job(1).unique("sync:1")).await, first);
    let workers = bench.work(script(|_| async { Ok(()) }));
    bench.until(first, JobStatus::Succeeded, 5).await;
    let second = bench.enqueue(Bench::job(1).unique("sync:1")).await;
    assert_ne!(second, first);
    bench.until(second, JobStatus::Succeeded, 5).await;
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delayed_job_waits_and_a_new_one_starts_at_once() {
    let bench = Bench::new().await;
    let started: Arc<Mutex<Vec<(JobId, Instant)>>> = Arc::default();
    let log = started.clone();
    let workers = bench.work(script(move |job| {
        log.lock().unwrap().push((job.id, Instant::now()));
        async { Ok(()) }
    }));
    sleep(Duration::from_millis(1_500)).await;
    let enqueued = Instant::now();
    let delayed = bench
        .enqueue(Bench::job(1).at(bench.platform.clock.now() + TimeDelta::seconds(2)))
        .await;
    let mut latencies = Vec::new();
    for number in 2..12 {
        let before = Instant::now();
        let id = bench.enqueue(Bench::job(number)).await;
        bench.until(id, JobStatus::Succeeded, 5).await;
        let at = started
            .lock()
            .unwrap()
            .iter()
            .find(|(started, _)| *started == id)
            .expect("it ran")
            .1;
        latencies.push(at - before);
    }
    latencies.sort();
    // Measured, printed for the reader of a slow run, and only checked for the order of magnitude.
    println!(
        "an idle worker starts a new job after {:?} (median), {:?} (worst)",
        latencies[5], latencies[9]
    );
    assert!(latencies[5] < Duration::from_secs(1), "{latencies:?}");
    bench.until(delayed, JobStatus::Succeeded, 10).await;
    let at = started
        .lock()
        .unwrap()
        .iter()
        .find(|(started, _)| *started == delayed)
        .expect("it ran")
        .1;
    assert!(
        at - enqueued >= Duration::from_millis(1_900),
        "{:?}",
        at - enqueued
    );
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_tick_of_a_recurring_job_runs_once_whatever_the_number_of_workers() {
    let bench = Bench::new().await;
    let config = WorkerConfig::default;
    let first = bench.work_with(script(|_| async { Ok(()) }), config());
    let second = bench.work_with(script(|_| async { Ok(()) }), config());
    sleep(Duration::from_millis(1_500)).await;
    // A third one comes when the ticks are already done.
    let third = bench.work_with(script(|_| async { Ok(()) }), config());
    sleep(Duration::from_millis(1_000)).await;
    let rows = bench.rows().await;
    let mut keys: Vec<_> = rows.iter().filter_map(|row| row.unique_key.clone()).collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all, "{keys:?}");
    assert!(all >= 2 && rows.iter().all(|row| row.attempts <= 1), "{rows:?}");
    for workers in [first, second, third] {
        workers.stop().await;
    }
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_lets_short_jobs_end_and_hands_long_ones_back() {
    let bench = Bench::new().await;
    let config = WorkerConfig {
        cron: false,
        grace: Duration::from_millis(800),
        ..WorkerConfig::default()
    };
    let workers = bench.work_with(
        script(|job| async move {
            sleep(Duration::from_secs(if number(&job) == 1 { 0 } else { 60 }) + Duration::from_millis(400))
                .await;
            Ok(())
        }),
        config,
    );
    let short = bench.enqueue(Bench::job(1)).await;
    let long = bench.enqueue(Bench::job(2)).await;
    bench.until(short, JobStatus::Running, 5).await;
    bench.until(long, JobStatus::Running, 5).await;
    let before = Instant::now();
    workers.stop().await;
    assert!(
        before.elapsed() < Duration::from_secs(4),
        "{:?}",
        before.elapsed()
    );
    assert_eq!(bench.row(short).await.status, JobStatus::Succeeded);
    let row = bench.row(long).await;
    assert_eq!(
        (row.status, row.attempts, row.lease_owner),
        (JobStatus::Queued, 0, None)
    );
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_to_stop_that_nobody_heard_is_found_soon() {
    let bench = Bench::new().await;
    let workers = bench.work(script(|job| async move {
        job.cancel.cancelled().await;
        Err(JobError::Cancelled)
    }));
    let running = bench.enqueue(Bench::job(1)).await;
    bench.until(running, JobStatus::Running, 5).await;
    bench
        .tamper(job::ActiveModel {
            id: Set(running),
            cancel_requested: Set(true),
            ..Default::default()
        })
        .await;
    bench.until(running, JobStatus::Cancelled, 4).await;
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_pauses_cancels_and_requeues() {
    let bench = Bench::new().await;
    let workers = bench.work(script(|job| async move {
        if number(&job) == 3 {
            return Err(JobError::Fatal("no".into()));
        }
        job.cancel.cancelled().await;
        Err(JobError::Cancelled)
    }));
    let platform = &bench.platform;
    let paused = |is_paused: bool| {
        platform.write(Scope::System, Actor::system(), move |tx: Tx| async move {
            jobs::set_paused(&tx, JobQueueName::CalendarSync, is_paused).await
        })
    };
    paused(true).await.unwrap();
    let waiting = bench.enqueue(Bench::job(1)).await;
    let running = bench.enqueue(Bench::job(2)).await;
    sleep(Duration::from_millis(1_300)).await;
    assert_eq!(bench.row(running).await.status, JobStatus::Queued);
    let cancel = |id: JobId| {
        platform.write(Scope::System, Actor::system(), move |tx: Tx| async move {
            jobs::cancel(&tx, id).await
        })
    };
    assert_eq!(cancel(waiting).await.unwrap().status, JobStatus::Cancelled);
    cancel(waiting).await.expect_err("it has ended");

    paused(false).await.unwrap();
    bench.until(running, JobStatus::Running, 5).await;
    cancel(running).await.unwrap();
    bench.until(running, JobStatus::Cancelled, 3).await;

    let dead = bench.enqueue(Bench::job(3)).await;
    bench.until(dead, JobStatus::Dead, 5).await;
    let requeue = |tx: Tx| async move { jobs::requeue_dead(&tx, JobQueueName::CalendarSync).await };
    assert_eq!(
        platform
            .write(Scope::System, Actor::system(), requeue)
            .await
            .unwrap(),
        [dead]
    );
    assert_eq!(bench.until(dead, JobStatus::Dead, 5).await.attempts, 1);
    let read = platform.db.read(Scope::System).await.unwrap();
    let stats = jobs::queue_stats(&read, platform.clock.now()).await.unwrap();
    drop(read);
    let sync = stats
        .iter()
        .find(|stats| stats.queue == JobQueueName::CalendarSync)
        .unwrap();
    assert_eq!(
        (sync.dead, sync.running, sync.queued, sync.workers, sync.is_paused),
        (1, 0, 0, 1, false)
    );
    let discard = |tx: Tx| async move { jobs::discard(&tx, dead).await };
    platform
        .write(Scope::System, Actor::system(), discard)
        .await
        .unwrap();

    let old = platform.clock.now() - TimeDelta::days(8);
    bench
        .tamper(job::ActiveModel {
            id: Set(running),
            finished_at: Set(Some(old)),
            ..Default::default()
        })
        .await;
    assert_eq!(jobs::prune(platform).await.unwrap(), 1);
    assert_eq!(bench.rows().await.len(), 1);
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_jobs_at_once_all_run_once() {
    let bench = Bench::new().await;
    let runs: Arc<Mutex<Vec<u128>>> = Arc::default();
    let enqueue = |tx: Tx| async move {
        for number in 1..=300 {
            tx.enqueue(Bench::job(number)).await?;
        }
        Ok(())
    };
    bench
        .platform
        .write(Scope::System, Actor::system(), enqueue)
        .await
        .unwrap();
    let workers: Vec<_> = [runs.clone(), runs.clone()]
        .into_iter()
        .map(|log| {
            bench.work(script(move |job| {
                log.lock().unwrap().push(number(&job));
                async { Ok(()) }
            }))
        })
        .collect();
    let deadline = Instant::now() + Duration::from_secs(60);
    while bench
        .rows()
        .await
        .iter()
        .any(|row| row.status != JobStatus::Succeeded)
    {
        assert!(Instant::now() < deadline, "{} ran", runs.lock().unwrap().len());
        sleep(Duration::from_millis(100)).await;
    }
    let mut ran = runs.lock().unwrap().clone();
    ran.sort();
    assert_eq!(ran, (1..=300).collect::<Vec<_>>());
    for workers in workers {
        workers.stop().await;
    }
    bench.close().await;
}
