//! A database (and Redis), workers that run what a test tells them, and ways to look at the ledger. Embedded unless
//! `MERIDIAN_TEST_BACKEND=production`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use entity::enums::JobStatus;
use entity::ids::{IntegrationId, JobId, TypedId as _};
use entity::job;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use meridian::kernel::actor::Actor;
use meridian::kernel::ids::IdGen;
use meridian::kernel::jobs::{NewJob, Payload};
use meridian::kernel::time::Clock;
use meridian::platform::Platform;
use meridian::platform::db::{self, Scope};
use meridian::platform::jobs::{JobError, Runner, RunningJob, WorkerConfig, run_workers};
use meridian::platform::redis::Redis;
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, QueryFilter as _, QueryOrder as _};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{self, Backend, Database};

type Script = dyn Fn(RunningJob) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync;

/// Runs what a test wrote down.
struct Scripted(Box<Script>);

impl Runner for Scripted {
    fn run(&self, job: RunningJob) -> BoxFuture<'_, Result<(), JobError>> {
        (self.0)(job)
    }
}

/// A runner out of a closure.
pub fn script<F, Fut>(run: F) -> Arc<dyn Runner>
where
    F: Fn(RunningJob) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), JobError>> + Send + 'static,
{
    Arc::new(Scripted(Box::new(move |job| run(job).boxed())))
}

/// A runner that counts its runs, each of which lasts so long.
pub fn counted(runs: &Arc<AtomicUsize>, lasting: Duration) -> Arc<dyn Runner> {
    let runs = runs.clone();
    script(move |_| {
        runs.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::time::sleep(lasting).await;
            Ok(())
        }
    })
}

/// The number that [`Bench::job`] put into a payload.
pub fn number(job: &RunningJob) -> u128 {
    match &job.payload {
        Payload::SyncIntegration { integration_id, .. } => integration_id.uuid().as_u128(),
        _ => 0,
    }
}

pub struct Bench {
    pub platform: Platform,
    home: Arc<Home>,
}

/// Where the data of an installation is.
struct Home {
    database: Database,
    redis_url: Option<String>,
    prefix: String,
}

pub struct Workers {
    stop: CancellationToken,
    task: JoinHandle<meridian::kernel::Result<()>>,
}

impl Workers {
    /// Asks them to stop, and waits.
    pub async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(15), self.task)
            .await
            .expect("workers end in time")
            .unwrap()
            .unwrap();
    }

    /// Ends them like `kill -9` would: nothing is written any more.
    pub fn kill(self) {
        self.task.abort();
    }
}

/// Whether the suite runs on PostgreSQL and Redis.
pub fn production() -> bool {
    Backend::from_env() != Backend::Embedded
}

impl Bench {
    /// A database of its own, and Redis where the suite runs in production.
    pub async fn new() -> Self {
        Self::with_redis(match Backend::from_env() {
            Backend::Embedded => None,
            Backend::Production { redis_url, .. } => Some(redis_url),
        })
        .await
    }

    /// The same with another Redis server.
    pub async fn with_redis(redis_url: Option<String>) -> Self {
        Self::on(Database::create().await, redis_url).await
    }

    /// The same on this database.
    pub async fn on(database: Database, redis_url: Option<String>) -> Self {
        let prefix = format!("jobs-{}", IdGen::random().uuid().simple());
        Self::open(Arc::new(Home {
            database,
            redis_url,
            prefix,
        }))
        .await
    }

    /// The same with this clock, without Redis.
    pub async fn with_clock(clock: Clock) -> Self {
        let home = Arc::new(Home {
            database: Database::create().await,
            redis_url: None,
            prefix: String::new(),
        });
        Self::open_with(home, clock).await
    }

    /// Another process of the same installation.
    pub async fn replica(&self) -> Self {
        self.replica_at(self.platform.clock.clone()).await
    }

    /// The same on a machine with this clock.
    pub async fn replica_at(&self, clock: Clock) -> Self {
        Self::open_with(self.home.clone(), clock).await
    }

    /// Where the database and Redis are, and the prefix there; Redis is nowhere when there is none.
    pub fn address(&self) -> (&str, &str, &str) {
        let redis = self.home.redis_url.as_deref().unwrap_or_default();
        (&self.home.database.url, redis, &self.home.prefix)
    }

    async fn open(home: Arc<Home>) -> Self {
        Self::open_with(home, Clock::system()).await
    }

    async fn open_with(home: Arc<Home>, clock: Clock) -> Self {
        let instance = IdGen::random().uuid().simple().to_string();
        let redis = match &home.redis_url {
            Some(url) => Some(Redis::connect(url, &home.prefix, &instance, 2).await.unwrap()),
            None => None,
        };
        let platform = support::platform(&home.database.url, clock, redis).await;
        Self { platform, home }
    }

    /// Closes everything.
    pub async fn close(self) {
        self.platform.db.close().await;
        if let Some(redis) = &self.platform.redis {
            redis.quit().await;
        }
    }

    /// Starts a worker process without recurring jobs.
    pub fn work(&self, runner: Arc<dyn Runner>) -> Workers {
        self.work_with(
            runner,
            WorkerConfig {
                cron: false,
                ..WorkerConfig::default()
            },
        )
    }

    pub fn work_with(&self, runner: Arc<dyn Runner>, config: WorkerConfig) -> Workers {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run_workers(
            self.platform.clone(),
            self.platform.redis.clone(),
            runner,
            config,
            stop.clone(),
        ));
        Workers { stop, task }
    }

    /// A job that carries a number.
    pub fn job(number: u128) -> NewJob {
        let integration_id = IntegrationId::from_uuid(Uuid::from_u128(number));
        NewJob::for_system(Payload::SyncIntegration {
            integration_id,
            full: false,
            accept_deletes: false,
        })
    }

    pub async fn enqueue(&self, job: NewJob) -> JobId {
        let enqueue = |tx: db::Tx| {
            let job = job.clone();
            async move { tx.enqueue(job).await }
        };
        self.platform
            .write(Scope::System, Actor::system(), enqueue)
            .await
            .unwrap()
    }

    /// Many jobs, some hundreds in a transaction.
    pub async fn enqueue_all(&self, jobs: Vec<NewJob>) {
        for page in jobs.chunks(500) {
            let enqueue = |tx: db::Tx| async move {
                for job in page {
                    tx.enqueue(job.clone()).await?;
                }
                Ok(())
            };
            self.platform
                .write(Scope::System, Actor::system(), enqueue)
                .await
                .unwrap();
        }
    }

    /// How many jobs have ended well.
    pub async fn ended(&self) -> u64 {
        use sea_orm::PaginatorTrait as _;
        let read = self.platform.db.read(Scope::System).await.unwrap();
        read.find::<job::Entity>()
            .filter(job::Column::Status.eq(JobStatus::Succeeded))
            .count(&read)
            .await
            .unwrap()
    }

    /// Everybody who runs a job is taken for dead at the next look.
    pub async fn expire_leases(&self) {
        let past = self.platform.clock.now() - chrono::TimeDelta::seconds(1);
        let expire = |tx: db::Tx| async move {
            let lease = job::ActiveModel {
                lease_until: sea_orm::Set(Some(past)),
                ..Default::default()
            };
            tx.update_many::<job::Entity>()
                .set(lease)
                .filter(job::Column::Status.eq(JobStatus::Running))
                .exec(tx.conn())
                .await?;
            Ok(())
        };
        self.platform
            .write(Scope::System, Actor::system(), expire)
            .await
            .unwrap();
    }

    pub async fn row(&self, id: JobId) -> job::Model {
        let read = self.platform.db.read(Scope::System).await.unwrap();
        read.find::<job::Entity>()
            .filter(job::Column::Id.eq(id))
            .one(&read)
            .await
            .unwrap()
            .expect("the job exists")
    }

    pub async fn rows(&self) -> Vec<job::Model> {
        let read = self.platform.db.read(Scope::System).await.unwrap();
        read.find::<job::Entity>()
            .order_by_asc(job::Column::Id)
            .all(&read)
            .await
            .unwrap()
    }

    /// Changes a row behind the ledger's back.
    pub async fn tamper(&self, row: job::ActiveModel) {
        let change = |tx: db::Tx| {
            let row = row.clone();
            async move { Ok(row.update(tx.conn()).await?) }
        };
        self.platform
            .write(Scope::System, Actor::system(), change)
            .await
            .unwrap();
    }

    /// Waits until the job has this state.
    pub async fn until(&self, id: JobId, status: JobStatus, seconds: u64) -> job::Model {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(seconds);
        loop {
            let row = self.row(id).await;
            if row.status == status {
                return row;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "not {status:?} in time: {row:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
