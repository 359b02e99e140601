//! Recurring jobs with two worker processes: no tick twice, and none missed where each counts.

use std::time::Duration;

use meridian::kernel::jobs::{CatchUp, CronEntry, Payload};
use meridian::platform::jobs::WorkerConfig;
use tokio::time::sleep;

use super::bench::{Bench, Workers, script};

fn every_second() -> WorkerConfig {
    let entry = |name, catch_up| CronEntry {
        name,
        every: Duration::from_secs(1),
        catch_up,
        payload: |_| Payload::StartDueSyncs,
    };
    WorkerConfig {
        catalogue: vec![
            entry("each", CatchUp::Each { at_most: 100 }),
            entry("newest", CatchUp::Newest),
        ],
        grace: Duration::from_millis(300),
        ..WorkerConfig::default()
    }
}

/// Two worker processes for so long.
async fn run(bench: &Bench, time: Duration) {
    let other = bench.replica().await;
    let start = |bench: &Bench| -> Workers { bench.work_with(script(|_| async { Ok(()) }), every_second()) };
    let (first, second) = (start(bench), start(&other));
    sleep(time).await;
    first.stop().await;
    second.stop().await;
    other.close().await;
}

/// The ticks of a schedule that became jobs, in their order.
async fn ticks(bench: &Bench, name: &str) -> Vec<i64> {
    let rows = bench.rows().await;
    let keys = rows.iter().filter_map(|row| row.unique_key.as_deref());
    let mut ticks: Vec<i64> = keys
        .filter_map(|key| key.strip_prefix(&format!("cron:{name}:"))?.parse().ok())
        .collect();
    ticks.sort_unstable();
    ticks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_take_each_tick_once_and_make_up_for_those_they_slept_through() {
    let bench = Bench::new().await;
    run(&bench, Duration::from_millis(3_300)).await;
    let before = ticks(&bench, "each").await;
    assert!(before.len() >= 3, "{before:?}");
    // Nobody works for a while.
    sleep(Duration::from_millis(3_200)).await;
    run(&bench, Duration::from_millis(2_300)).await;

    let each = ticks(&bench, "each").await;
    let whole: Vec<i64> = (each[0]..=each[each.len() - 1]).collect();
    assert_eq!(each, whole, "none is missing and none is there twice");
    assert!(each.len() >= before.len() + 5, "{before:?} then {each:?}");

    let newest = ticks(&bench, "newest").await;
    let mut once = newest.clone();
    once.dedup();
    assert_eq!(newest, once, "none is there twice");
    let slept = newest.windows(2).filter(|pair| pair[1] - pair[0] > 2).count();
    assert_eq!(
        slept, 1,
        "the newest stands for those that were missed: {newest:?}"
    );
    assert!(bench.rows().await.iter().all(|row| row.attempts <= 1));
    bench.close().await;
}
