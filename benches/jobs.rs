//! What jobs that do nothing take: made one by one, then claimed and completed, and how soon an idle worker starts a new one. The same work as
//! `benches/peers/jobs.mjs` gives to other queues. Prints one line of JSON; `benches/run --jobs` starts both.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement prints what it measured, by the clock of the machine"
)]

#[path = "support/runtime.rs"]
mod runtime;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use entity::enums::JobQueueName;
use entity::ids::{IntegrationId, TypedId as _};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use meridian::app;
use meridian::config::Config;
use meridian::kernel::actor::Actor;
use meridian::kernel::jobs::{NewJob, Payload};
use meridian::platform::Platform;
use meridian::platform::db::{Scope, Tx};
use meridian::platform::jobs::{JobError, Runner, RunningJob, WorkerConfig, queue_stats, run_workers};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

const QUEUE: JobQueueName = JobQueueName::CalendarSync;
const PATIENCE: Duration = Duration::from_secs(300);

/// Counts, and tells of numbered jobs.
struct Nothing {
    done: AtomicU64,
    numbered: mpsc::UnboundedSender<u128>,
}

impl Runner for Nothing {
    fn run(&self, job: RunningJob) -> BoxFuture<'_, Result<(), JobError>> {
        self.done.fetch_add(1, Ordering::Relaxed);
        if let Payload::SyncIntegration { integration_id, .. } = job.payload
            && integration_id.uuid().as_u128() > 0
        {
            self.numbered.send(integration_id.uuid().as_u128()).ok();
        }
        async { Ok(()) }.boxed()
    }
}

/// `--name value` pairs. `cargo bench` adds flags of its own, which mean nothing here.
fn arguments() -> HashMap<String, String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let pairs = words.windows(2).filter(|pair| pair[0].starts_with("--"));
    pairs
        .map(|pair| (pair[0][2..].to_owned(), pair[1].clone()))
        .collect()
}

fn main() {
    let arguments = arguments();
    let Some(row) = arguments.get("row").cloned() else {
        println!("nothing is measured without --row and --database; see benches/run --jobs");
        return;
    };
    runtime::start().block_on(measure(&row, &arguments));
}

async fn measure(row: &str, arguments: &HashMap<String, String>) {
    let number = |name: &str| arguments[name].parse::<u64>().unwrap();
    let (jobs, samples, slots, producers) = (
        number("jobs"),
        number("samples"),
        number("slots"),
        number("producers"),
    );
    let folder = tempfile::tempdir().unwrap();
    let connections = (producers + slots + 2).to_string();
    let mut settings = HashMap::from(
        [
            ("DATABASE_URL", arguments["database"].as_str()),
            ("MERIDIAN_AUTO_MIGRATE", "true"),
            ("MERIDIAN_ENV", "development"),
            ("MERIDIAN_DB_MAX_CONNECTIONS", connections.as_str()),
            ("MERIDIAN_DATA_DIR", folder.path().to_str().unwrap()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    if let Some(redis) = arguments.get("redis") {
        settings.insert("REDIS_URL".into(), redis.clone());
    }
    let config = Config::parse(&settings.into_iter().collect()).unwrap();
    let platform = app::open(config).await.unwrap();

    let enqueue = produce(&platform, jobs, producers).await;

    let (numbered, mut started) = mpsc::unbounded_channel();
    let runner = Arc::new(Nothing {
        done: AtomicU64::new(0),
        numbered,
    });
    let stop = CancellationToken::new();
    let config = WorkerConfig {
        concurrency: vec![(QUEUE, usize::try_from(slots).unwrap())],
        cron: false,
        ..WorkerConfig::default()
    };
    let began = Instant::now();
    let workers = tokio::spawn(run_workers(
        platform.clone(),
        platform.redis.clone(),
        runner.clone(),
        config,
        stop.clone(),
    ));
    while runner.done.load(Ordering::Relaxed) < jobs || unfinished(&platform).await > 0 {
        assert!(began.elapsed() < PATIENCE, "the jobs do not end");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let work = began.elapsed();
    assert_eq!(runner.done.load(Ordering::Relaxed), jobs, "each once");

    let mut latencies = Vec::new();
    for number in 1..=u128::from(samples) {
        let before = Instant::now();
        make(&platform, number).await;
        let heard = tokio::time::timeout(Duration::from_secs(30), started.recv());
        assert_eq!(heard.await.expect("it starts"), Some(number));
        latencies.push(before.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    latencies.sort();
    stop.cancel();
    workers.await.unwrap().unwrap();
    app::close(&platform).await;

    let per_second = |time: Duration| jobs as f64 / time.as_secs_f64();
    let at = |share: f64| {
        let place = (latencies.len() as f64 * share) as usize;
        latencies[place.min(latencies.len() - 1)].as_secs_f64() * 1_000.0
    };
    let report = serde_json::json!({
        "row": row,
        "jobs": jobs,
        "enqueuePerSecond": per_second(enqueue),
        "workPerSecond": per_second(work),
        "throughPerSecond": per_second(enqueue + work),
        "startP50": at(0.5),
        "startP99": at(0.99),
    });
    println!("{report}");
}

/// Makes jobs one by one, so many at a time.
async fn produce(platform: &Platform, jobs: u64, producers: u64) -> Duration {
    let left = Arc::new(AtomicI64::new(i64::try_from(jobs).unwrap()));
    let began = Instant::now();
    let mut ends = Vec::new();
    for _ in 0..producers {
        let (platform, left) = (platform.clone(), left.clone());
        let (told, end) = oneshot::channel();
        tokio::spawn(async move {
            while left.fetch_sub(1, Ordering::Relaxed) > 0 {
                make(&platform, 0).await;
            }
            told.send(()).ok();
        });
        ends.push(end);
    }
    for end in ends {
        end.await.expect("a producer ends well");
    }
    began.elapsed()
}

async fn make(platform: &Platform, number: u128) {
    let integration_id = IntegrationId::from_uuid(uuid::Uuid::from_u128(number));
    let job = NewJob::for_system(Payload::SyncIntegration {
        integration_id,
        full: false,
        accept_deletes: false,
    });
    let body = |tx: Tx| {
        let job = job.clone();
        async move { tx.enqueue(job).await }
    };
    platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
}

async fn unfinished(platform: &Platform) -> i64 {
    let read = platform.db.read(Scope::System).await.unwrap();
    let stats = queue_stats(&read, platform.clock.now()).await.unwrap();
    let of = stats.iter().find(|one| one.queue == QUEUE).unwrap();
    of.queued + of.running + of.retrying + of.dead
}
