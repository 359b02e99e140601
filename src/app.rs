//! The composition root: from settings to machines, from machines to a running server, and its orderly end. Decides nothing else.

mod runner;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use entity::enums::{JobQueueName, ProcessRole};
use migration::{Migrator, MigratorTrait as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::access;
use crate::config::Config;
use crate::features::changes;
use crate::graphql::{self, ApiSchema};
use crate::kernel::Error;
use crate::kernel::ids::IdGen;
use crate::kernel::time::Clock;
use crate::platform::cache::Cache;
use crate::platform::db::Scope;
use crate::platform::http::{HttpClient, OutboundAllow};
use crate::platform::jobs::{self, Beat, WorkerConfig, run_workers};
use crate::platform::limits::Limits;
use crate::platform::llm::Llm;
use crate::platform::mail::Mailer;
use crate::platform::metrics::Metrics;
use crate::platform::presence::Presence;
use crate::platform::processes::Processes;
use crate::platform::pubsub::PubSub;
use crate::platform::redis::Redis;
use crate::platform::secrets::Secrets;
use crate::platform::uses::Uses;
use crate::platform::{Parts, Platform, db};
use crate::web::admin::{self, Admin};
use crate::web::health::{Health, Probe};
use crate::web::{self, Documents, Web};

/// Connections to Redis for commands.
const REDIS_CONNECTIONS: usize = 4;

/// Time for tasks to end once API and workers have ended.
const LAST_TASKS: Duration = Duration::from_secs(1);
/// Time for the database to close when some of them did not: they may hold connections for as long as they like. With the grace, and what
/// the workers and Redis take at the end, it is less than the ten seconds after which supervisors kill.
const LAST_CLOSE: Duration = Duration::from_millis(300);

/// What can go wrong before a server runs, as a sentence for its operator.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Makes the folder for the server's own files where any are kept: for its owner alone, since a database full of people's plans is one of
/// them. A folder that is there keeps its rights.
pub fn prepare_data_dir(config: &Config) -> io::Result<()> {
    if !config.keeps_files() {
        return Ok(());
    }
    let folder = &config.data_dir;
    let mut new = std::fs::DirBuilder::new();
    new.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut new, 0o700);
    new.create(folder).map_err(|error| {
        let message = format!("{} (MERIDIAN_DATA_DIR): {error}", folder.display());
        io::Error::new(error.kind(), message)
    })
}

/// Opens every machine. The database is migrated on the way when the settings say so, which they do for SQLite unless they say otherwise.
pub async fn open(config: Config) -> Result<Platform, StartError> {
    prepare_data_dir(&config)?;
    migrate(&config).await?;
    let url = config.database.url.expose();
    let db = db::connect(url, config.database.max_connections).await?;
    let keys = config.secret_keys()?;
    let (clock, ids) = (Clock::system(), IdGen::random());
    db.set_clock(&clock).await?;
    let redis = open_redis(&config, &ids).await?;
    let pubsub = match &redis {
        Some(redis) => PubSub::redis(redis).await?,
        None => PubSub::local(),
    };
    let limits = Limits::new(&config.rates, clock.clone()).shared(redis.clone());
    let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
    let http = HttpClient::new(OutboundAllow::new(&config.outbound_allow))?;
    Ok(Platform::new(Parts {
        db,
        cache: if config.cache {
            Cache::new(pubsub.clone())
        } else {
            Cache::forgetful(pubsub.clone())
        },
        presence: Presence::new(
            pubsub.clone(),
            redis.clone(),
            clock.clone(),
            tasks.clone(),
            shutdown.clone(),
        ),
        pubsub,
        redis,
        llm: config
            .llm
            .as_ref()
            .map(|settings| Llm::new(settings, &http, clock.clone())),
        http,
        mail: Mailer::new(&config)?,
        secrets: Secrets::new(&keys),
        limits,
        uses: Uses::default(),
        metrics: Metrics::new()?,
        config,
        clock,
        ids,
        tasks,
        shutdown,
    }))
}

async fn migrate(config: &Config) -> Result<(), StartError> {
    let connection = db::open_as_owner(config.database.url.expose()).await?;
    if config.database.auto_migrate {
        // Replicas that start together wait for the first of them.
        db::lock_migrations(&connection).await?;
        Migrator::up(&connection, None).await?;
    } else if !Migrator::get_pending_migrations(&connection).await?.is_empty() {
        return Err(
            "the database is not at the version of this program. Run `meridian migrate up`, or set \
                    MERIDIAN_AUTO_MIGRATE=true."
                .into(),
        );
    }
    connection.close().await?;
    Ok(())
}

async fn open_redis(config: &Config, ids: &IdGen) -> Result<Option<Redis>, StartError> {
    let Some(settings) = &config.redis else {
        return Ok(None);
    };
    let instance = ids.uuid().simple().to_string();
    Ok(Some(
        Redis::connect(
            settings.url.expose(),
            &settings.prefix,
            &instance,
            REDIS_CONNECTIONS,
        )
        .await?,
    ))
}

/// Which parts of the server a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// API and workers.
    Everything,
    /// The API only.
    Api,
    /// Background workers only.
    Worker,
}

impl Role {
    fn has_api(self) -> bool {
        matches!(self, Self::Everything | Self::Api)
    }

    fn has_workers(self) -> bool {
        matches!(self, Self::Everything | Self::Worker)
    }

    /// As the other processes know it.
    fn known(self) -> ProcessRole {
        match self {
            Self::Everything => ProcessRole::Serve,
            Self::Api => ProcessRole::Api,
            Self::Worker => ProcessRole::Worker,
        }
    }
}

/// Runs until the process is asked to stop, then ends in order: no new work, a grace for what runs, everything closed. `ready` is called
/// once requests are accepted, with the address that is listened on.
pub async fn run(
    platform: Platform,
    role: Role,
    ready: impl FnOnce(Option<SocketAddr>),
) -> Result<(), StartError> {
    let mut workers = WorkerConfig {
        grace: platform.config.shutdown_grace,
        ..WorkerConfig::default()
    };
    for (queue, slots) in &mut workers.concurrency {
        if *queue != JobQueueName::Maintenance {
            *slots = platform.config.workers.concurrency;
        }
    }
    let processes = Processes::new(&platform, role.known());
    let mut probes = probes(&platform, role, workers.beat.clone());
    probes.push(probe_others(&processes));
    let health = Health::new(probes);
    let documents = Documents::load(&platform.config)?;
    let listener = if role.has_api() {
        let listen = platform.config.listen;
        let bound = TcpListener::bind(listen).await;
        Some(bound.map_err(|error| format!("cannot listen on {listen} (MERIDIAN_LISTEN): {error}"))?)
    } else {
        None
    };
    let operators = admin_listener(&platform).await?;
    let address = listener.as_ref().map(TcpListener::local_addr).transpose()?;

    let stop = platform.shutdown.clone();
    platform.spawn(async move {
        asked_to_stop().await;
        tracing::info!("shutting down");
        stop.cancel();
    });
    let sweeper = platform.clone();
    platform.spawn(async move {
        tokio::select! {
            () = sweeper.limits.sweep_forever() => {}
            () = sweeper.shutdown.cancelled() => {}
        }
    });

    // Until everything has ended: it lives while it shuts down.
    let watch = processes.clone();
    let watching = AbortOnDropHandle::new(platform.tasks.spawn(async move { watch.watch().await }));

    if let Some(listener) = operators {
        let admin = Admin::new(platform.clone(), health.clone());
        platform.spawn(admin::serve(listener, admin));
    }

    let api = async {
        if let Some(listener) = listener {
            let followed = platform.clone();
            platform.spawn(async move { changes::look_after(&followed).await });
            let watched = platform.clone();
            platform.spawn(async move { access::look_after_withdrawals(&watched).await });
            web::serve(
                listener,
                Web::new(web::Parts {
                    platform: platform.clone(),
                    schema: schema(&platform),
                    health,
                    documents,
                }),
            )
            .await;
        }
    };
    let work = async {
        if !role.has_workers() {
            return Ok(());
        }
        let runner = Arc::new(runner::Features::new(platform.clone()));
        run_workers(
            platform.clone(),
            platform.redis.clone(),
            runner,
            workers,
            platform.shutdown.clone(),
        )
        .await
    };
    ready(address);
    let ((), worked) = tokio::join!(api, work);
    drop(watching);
    platform.spawn(async move { processes.farewell().await });
    close(&platform).await;
    Ok(worked?)
}

/// The listener for operators. The usual address may be taken, by another process of ours beside this one; one that somebody chose may not.
async fn admin_listener(platform: &Platform) -> Result<Option<TcpListener>, StartError> {
    let settings = platform.config.admin;
    let Some(listen) = settings.listen else {
        return Ok(None);
    };
    match TcpListener::bind(listen).await {
        Ok(bound) => Ok(Some(bound)),
        Err(error) if settings.is_required => {
            Err(format!("cannot listen on {listen} (MERIDIAN_ADMIN_LISTEN): {error}").into())
        }
        Err(error) => {
            tracing::warn!(%error, "no metrics: {listen} is taken. Set MERIDIAN_ADMIN_LISTEN");
            Ok(None)
        }
    }
}

fn schema(platform: &Platform) -> ApiSchema {
    let builder = graphql::builder();
    if platform.config.introspection {
        builder.finish()
    } else {
        builder.disable_introspection().disable_suggestions().finish()
    }
}

fn probes(platform: &Platform, role: Role, beat: Arc<Beat>) -> Vec<Probe> {
    let db = platform.db.clone();
    let name = if db.is_postgres() { "postgresql" } else { "sqlite" };
    let mut probes = vec![Probe::new("database", name, move || {
        let db = db.clone();
        async move { db.ping().await }
    })];
    if let Some(redis) = platform.redis.clone() {
        let redis = Probe::new("redis", "redis", move || {
            let redis = redis.clone();
            async move { redis.ping().await }
        });
        // Requests go on without it: each replica decides about budgets alone, and streams catch up from the log.
        probes.push(redis.of_others());
    }
    if role.has_workers() {
        let clock = platform.clock.clone();
        let transport = if platform.redis.is_some() {
            "redis"
        } else {
            "embedded"
        };
        let workers = Probe::new("workers", transport, move || {
            let last = beat.last();
            let silent = last.is_none_or(|last| clock.now() - last > chrono::Duration::seconds(30));
            async move {
                if silent {
                    Err(Error::unavailable("The workers are silent.", "no sign of life"))
                } else {
                    Ok(())
                }
            }
        });
        // A process that also takes requests goes on taking them.
        probes.push(if role.has_api() {
            workers.of_others()
        } else {
            workers
        });
    } else {
        let (db, clock) = (platform.db.clone(), platform.clock.clone());
        let look = move || {
            let (db, clock) = (db.clone(), clock.clone());
            async move {
                let read = db.read(Scope::System).await?;
                match jobs::live_workers(&read, clock.now()).await? {
                    0 => Err(Error::unavailable("Nobody works on jobs.", "no worker lives")),
                    _ => Ok(()),
                }
            }
        };
        // Other processes: this one serves without them, and jobs wait.
        probes.push(Probe::new("workers", "other processes", look).of_others());
    }
    probes
}

/// The other processes of the installation: this one serves without them, but somebody should look.
fn probe_others(processes: &Processes) -> Probe {
    let processes = processes.clone();
    let look = move || {
        let missing = processes.missing();
        async move {
            match missing {
                0 => Ok(()),
                _ => Err(Error::unavailable(
                    "A process is gone.",
                    "it did not say good-bye",
                )),
            }
        }
    };
    Probe::new("processes", "all of the installation", look).of_others()
}

/// Waits for SIGTERM or Ctrl-C.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupted = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be heard");
            interrupted.await.ok();
        }
    }
}

/// Closes every machine. What still runs gets a moment, then it is left behind.
pub async fn close(platform: &Platform) {
    platform.shutdown.cancel();
    platform.tasks.close();
    let ended = tokio::time::timeout(LAST_TASKS, platform.tasks.wait()).await;
    if ended.is_err() {
        tracing::warn!(tasks = platform.tasks.len(), "some tasks did not end in time");
    }
    platform.pubsub.close();
    if let Some(redis) = &platform.redis {
        redis.quit().await;
    }
    let closing = platform.db.close();
    if ended.is_ok() {
        closing.await;
    } else if tokio::time::timeout(LAST_CLOSE, closing).await.is_err() {
        tracing::debug!("the database was not told");
    }
}
