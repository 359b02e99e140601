//! What Redis may do to jobs and messages: lose everything, go away, and connect replicas. With a server of its own, so that no other test
//! feels it; there is nothing to test without Redis.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use entity::enums::{JobQueueName, JobStatus};
use entity::ids::{JobId, TypedId as _};
use meridian::kernel::changes::Topic;
use meridian::platform::jobs::WorkerConfig;
use meridian::platform::pubsub::{Signal, Subscription};
use tokio::time::{Instant, sleep, timeout};

use super::bench::{Bench, number, production, script};
use crate::support::machines::OwnRedis;

/// After so long jobs run again, whatever Redis did.
const RESUMED: Duration = Duration::from_secs(10);
/// Longest time that a write takes which tells others by Redis: the half second that it waits for an answer, once, and the write itself on a
/// machine that is busy with other tests.
const A_CALL: Duration = Duration::from_millis(1_000);

/// Waits until all of these have ended well, in the time that there is for all of them together.
async fn until_all_ran(bench: &Bench, ids: &[JobId], since: Instant) {
    for id in ids {
        bench.until(*id, JobStatus::Succeeded, RESUMED.as_secs()).await;
    }
    assert!(since.elapsed() < RESUMED, "{:?}", since.elapsed());
}

fn one_at_a_time() -> WorkerConfig {
    WorkerConfig {
        cron: false,
        concurrency: vec![(JobQueueName::CalendarSync, 1)],
        ..WorkerConfig::default()
    }
}

async fn enqueue_many(bench: &Bench, numbers: std::ops::RangeInclusive<u128>) -> Vec<JobId> {
    let mut ids = Vec::new();
    for number in numbers {
        ids.push(bench.enqueue(Bench::job(number)).await);
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn losing_everything_in_redis_loses_no_job_and_doubles_none() {
    if !production() {
        return;
    }
    let server = OwnRedis::start().await;
    let bench = Bench::with_redis(Some(server.url())).await;
    let ran: Arc<Mutex<Vec<u128>>> = Arc::default();
    let log = ran.clone();
    let run = script(move |job| {
        log.lock().unwrap().push(number(&job));
        async {
            sleep(Duration::from_millis(150)).await;
            Ok(())
        }
    });
    let workers = bench.work_with(run, one_at_a_time());
    let ids = enqueue_many(&bench, 1..=30).await;
    bench.until(ids[4], JobStatus::Succeeded, 10).await;
    assert_eq!(server.tell(&["FLUSHALL"]).await.trim(), "OK");
    let before = Instant::now();
    // Five had ended, and two may have been under way.
    until_all_ran(&bench, &ids[7..8], before).await;
    for id in ids {
        bench.until(id, JobStatus::Succeeded, 20).await;
    }
    println!("all jobs ran {:?} after Redis lost everything", before.elapsed());
    let mut ran = ran.lock().unwrap().clone();
    ran.sort();
    assert_eq!(ran, (1..=30).collect::<Vec<_>>());

    // What ran is forgotten by Redis.
    sleep(Duration::from_millis(300)).await;
    let keys = server.tell(&["KEYS", "*"]).await;
    let left: Vec<_> = keys
        .lines()
        .filter(|key| !key.contains(":workers") && !key.starts_with("core:"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_work_is_accepted_quickly_and_runs_soon_after() {
    if !production() {
        return;
    }
    let mut server = OwnRedis::start().await;
    let bench = Bench::with_redis(Some(server.url())).await;
    let workers = bench.work(script(|_| async { Ok(()) }));
    let first = bench.enqueue(Bench::job(1)).await;
    bench.until(first, JobStatus::Succeeded, 10).await;

    let mut watch = bench.platform.pubsub.subscribe(Topic::JobsDue);
    server.stop().await;
    let mut slowest = Duration::ZERO;
    let mut ids = Vec::new();
    for number in 2..12 {
        let before = Instant::now();
        ids.push(bench.enqueue(Bench::job(number)).await);
        slowest = slowest.max(before.elapsed());
        sleep(Duration::from_millis(200)).await;
    }
    println!(
        "slowest enqueue without Redis: {slowest:?}; messages that stayed here: {}",
        bench.platform.pubsub.failures()
    );
    assert!(slowest < A_CALL, "{slowest:?}");
    assert!(
        matches!(watch.recv().await, Signal::Message(_)),
        "local subscribers still hear"
    );

    server.again().await;
    let before = Instant::now();
    until_all_ran(&bench, &ids, before).await;
    println!("all jobs ran {:?} after Redis came back", before.elapsed());
    timeout(Duration::from_secs(5), async {
        while !matches!(watch.recv().await, Signal::Resync) {}
    })
    .await
    .expect("subscribers are told that they may have missed something");
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_holds_nobody_up() {
    if !production() {
        return;
    }
    let server = OwnRedis::start().await;
    let bench = Bench::with_redis(Some(server.url())).await;
    let workers = bench.work(script(|_| async { Ok(()) }));
    let first = bench.enqueue(Bench::job(1)).await;
    bench.until(first, JobStatus::Succeeded, 10).await;

    // The connections stay open, and nobody answers.
    server.signal("STOP").await;
    let mut waits = Vec::new();
    let mut ids = Vec::new();
    for number in 2..22 {
        let before = Instant::now();
        ids.push(bench.enqueue(Bench::job(number)).await);
        waits.push(before.elapsed());
        sleep(Duration::from_millis(300)).await;
    }
    waits.sort();
    println!(
        "enqueue while Redis hangs: {:?} (median), {:?} (worst)",
        waits[10], waits[19]
    );
    assert!(waits[19] < A_CALL, "{waits:?}");
    let redis = bench.platform.redis.as_ref().unwrap();
    for _ in 0..3 {
        // By then Redis does not count as away any more, so it is asked.
        sleep(Duration::from_millis(1_200)).await;
        let before = Instant::now();
        redis.ping().await.expect_err("nobody answers");
        let waited = before.elapsed();
        assert!(
            waited < Duration::from_millis(700),
            "half a second, and a little: {waited:?}"
        );
    }

    server.signal("CONT").await;
    let before = Instant::now();
    until_all_ran(&bench, &ids, before).await;
    println!("all jobs ran {:?} after Redis answered again", before.elapsed());
    workers.stop().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_hear_each_other_once_and_run_each_others_jobs() {
    if !production() {
        return;
    }
    let server = OwnRedis::start().await;
    let here = Bench::with_redis(Some(server.url())).await;
    let there = here.replica().await;
    let topic = Topic::Job(JobId::from_uuid(here.platform.ids.uuid()));
    let mut mine = here.platform.pubsub.subscribe(topic);
    let mut theirs = there.platform.pubsub.subscribe(topic);
    here.platform.pubsub.publish(topic, &"from here").await;
    there.platform.pubsub.publish(topic, &"from there").await;
    for subscription in [&mut mine, &mut theirs] {
        let mut heard = [text(subscription).await, text(subscription).await];
        heard.sort();
        assert_eq!(heard, ["\"from here\"", "\"from there\""]);
        timeout(Duration::from_millis(300), subscription.recv())
            .await
            .expect_err("each message arrives once");
    }

    let workers = there.work(script(|_| async { Ok(()) }));
    sleep(Duration::from_millis(1_500)).await;
    let before = Instant::now();
    let id = here.enqueue(Bench::job(1)).await;
    here.until(id, JobStatus::Succeeded, 10).await;
    println!("another replica ran the job within {:?}", before.elapsed());

    assert_ne!(
        server.tell(&["CLIENT", "KILL", "TYPE", "pubsub"]).await.trim(),
        "0"
    );
    for subscription in [&mut mine, &mut theirs] {
        let signal = timeout(Duration::from_secs(5), subscription.recv())
            .await
            .expect("a signal");
        assert!(matches!(signal, Signal::Resync), "{signal:?}");
    }
    sleep(Duration::from_millis(500)).await;
    here.platform.pubsub.publish(topic, &"again").await;
    assert_eq!(text(&mut theirs).await, "\"again\"");
    workers.stop().await;
    there.close().await;
    here.close().await;
}

async fn text(subscription: &mut Subscription) -> String {
    match timeout(Duration::from_secs(5), subscription.recv())
        .await
        .expect("a message")
    {
        Signal::Message(text) => text.to_string(),
        other => panic!("not a message: {other:?}"),
    }
}
