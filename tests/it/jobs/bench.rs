//! A database (and Redis), workers that run what a test tells them, and ways to look at the ledger. Embedded unless
//! `MERIDIAN_TEST_BACKEND=production`.

use std::sync::Arc;
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
use meridian::platform::db::{self, Scope, migration_connection};
use meridian::platform::jobs::{JobError, Runner, RunningJob, WorkerConfig, run_workers};
use meridian::platform::redis::Redis;
use migration::{Migrator, MigratorTrait as _};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait as _, QueryFilter as _, QueryOrder as _,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support;

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

/// The number that [`Bench::job`] put into a payload.
pub fn number(job: &RunningJob) -> u128 {
    match &job.payload {
        Payload::SyncIntegration { integration_id, .. } => integration_id.uuid().as_u128(),
        _ => 0,
    }
}

pub struct Bench {
    pub platform: Platform,
    pub redis: Option<Redis>,
    _dir: Option<tempfile::TempDir>,
    database: Option<(String, String)>,
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

#[expect(clippy::disallowed_methods, reason = "tests are told where the services are")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Bench {
    pub async fn new() -> Self {
        let ids = IdGen::random();
        let mut bench = if setting("MERIDIAN_TEST_BACKEND").as_deref() == Some("production") {
            let admin = setting("MERIDIAN_TEST_PG_ADMIN_URL").expect("the URL of a PostgreSQL superuser");
            let name = format!("jobs_{}", ids.uuid().simple());
            migration_connection(&admin)
                .await
                .unwrap()
                .execute_unprepared(&format!("CREATE DATABASE {name}"))
                .await
                .unwrap();
            let mut url = url::Url::parse(&admin).unwrap();
            url.set_path(&name);
            let redis_url = setting("MERIDIAN_TEST_REDIS_URL").expect("the URL of a Redis server");
            let redis = Redis::connect(&redis_url, &name, &ids.uuid().simple().to_string(), 2)
                .await
                .unwrap();
            Self::open(url.as_str(), Some(redis), None).await
        } else {
            let dir = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}", dir.path().join("jobs.db").display());
            Self::open(&url, None, Some(dir)).await
        };
        if let Some(redis) = &bench.redis {
            let admin = setting("MERIDIAN_TEST_PG_ADMIN_URL").unwrap_or_default();
            bench.database = Some((admin, redis.prefix().to_owned()));
        }
        bench
    }

    async fn open(url: &str, redis: Option<Redis>, dir: Option<tempfile::TempDir>) -> Self {
        let connection = migration_connection(url).await.unwrap();
        Migrator::up(&connection, None).await.unwrap();
        connection.close().await.unwrap();
        let platform = support::platform(url, Clock::system(), redis.clone()).await;
        Self {
            platform,
            redis,
            _dir: dir,
            database: None,
        }
    }

    /// Closes everything; on PostgreSQL the database is dropped.
    pub async fn close(self) {
        self.platform.db.close().await;
        if let Some(redis) = &self.redis {
            redis.quit().await;
        }
        if let Some((admin, name)) = self.database {
            let admin = migration_connection(&admin).await.unwrap();
            admin
                .execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)"))
                .await
                .unwrap();
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

    #[expect(clippy::disallowed_methods, reason = "a test ends its own tasks")]
    pub fn work_with(&self, runner: Arc<dyn Runner>, config: WorkerConfig) -> Workers {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run_workers(
            self.platform.clone(),
            self.redis.clone(),
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
