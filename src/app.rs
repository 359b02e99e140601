//! The composition root: from settings to machines, from machines to a running server, and its orderly end. Decides nothing else.

use std::io;

use migration::{Migrator, MigratorTrait as _};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::kernel::ids::IdGen;
use crate::kernel::time::Clock;
use crate::platform::http::{HttpClient, OutboundAllow};
use crate::platform::limits::Limits;
use crate::platform::pubsub::PubSub;
use crate::platform::redis::Redis;
use crate::platform::secrets::Secrets;
use crate::platform::{Parts, Platform, db};

/// Connections to Redis for commands.
const REDIS_CONNECTIONS: usize = 4;

/// What can go wrong before a server runs, as a sentence for its operator.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Makes the folder for the server's own files.
pub fn prepare_data_dir(config: &Config) -> io::Result<()> {
    std::fs::create_dir_all(&config.data_dir)
}

/// Opens every machine. SQLite is migrated on the way; PostgreSQL only when the settings say so.
pub async fn open(config: Config) -> Result<Platform, StartError> {
    prepare_data_dir(&config)?;
    migrate(&config).await?;
    let url = config.database.url.expose();
    let db = db::connect(url, config.database.max_connections).await?;
    let keys = config.secret_keys()?;
    let (clock, ids) = (Clock::system(), IdGen::random());
    let redis = open_redis(&config, &ids).await?;
    let pubsub = match &redis {
        Some(redis) => PubSub::redis(redis).await?,
        None => PubSub::local(),
    };
    Ok(Platform::new(Parts {
        db,
        pubsub,
        redis,
        http: HttpClient::new(OutboundAllow::new(&config.outbound_allow))?,
        secrets: Secrets::new(&keys),
        limits: Limits::new(&config.rates, clock.clone()),
        config,
        clock,
        ids,
        tasks: TaskTracker::new(),
        shutdown: CancellationToken::new(),
    }))
}

async fn migrate(config: &Config) -> Result<(), StartError> {
    let connection = db::migration_connection(config.database.url.expose()).await?;
    if config.database.is_sqlite() || config.database.auto_migrate {
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

/// Closes every machine.
pub async fn close(platform: &Platform) {
    platform.tasks.close();
    platform.tasks.wait().await;
    platform.pubsub.close();
    if let Some(redis) = &platform.redis {
        redis.quit().await;
    }
    platform.db.close().await;
}
