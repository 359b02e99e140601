//! Checks of where things are kept.

use std::time::Instant;

use migration::{Migrator, MigratorTrait as _};

use super::Tried;
use crate::config::Config;
use crate::platform::db::{self, migration_connection, told};

/// The oldest PostgreSQL that the migrations are written for.
const OLDEST_POSTGRES: i64 = 15;

pub(super) async fn data_dir(config: &Config) -> Tried {
    let folder = config.data_dir.display();
    crate::app::prepare_data_dir(config).map_err(|error| format!("{folder}: {error}"))?;
    let probe = config.data_dir.join(".doctor");
    let written = async {
        tokio::fs::write(&probe, b"").await?;
        tokio::fs::remove_file(&probe).await
    };
    written.await.map_err(|error| format!("{folder}: {error}"))?;
    Ok(format!("{folder} can be written"))
}

pub(super) fn secret_key(config: &Config) -> Tried {
    let keys = config.secret_keys()?;
    Ok(match keys.len() {
        1 => "one is in use".into(),
        count => format!("{count} are in use; the first one seals"),
    })
}

pub(super) async fn database(config: &Config) -> Tried {
    let url = config.database.url.expose();
    let start = Instant::now();
    let connection = migration_connection(url).await.map_err(|error| told(&error))?;
    let version = db::server_version(&connection).await;
    let latency = start.elapsed().as_millis();
    connection.close().await?;
    let version = version.map_err(|error| told(&error))?;
    if let Some(postgres) = version.postgres
        && postgres < OLDEST_POSTGRES
    {
        return Err(format!("PostgreSQL {postgres} is too old: {OLDEST_POSTGRES} or newer is needed").into());
    }
    Ok(format!(
        "{} at {} answered in {latency} ms",
        version.text,
        db::redact_url(url)
    ))
}

pub(super) async fn migrations(config: &Config) -> Tried {
    let connection = migration_connection(config.database.url.expose())
        .await
        .map_err(|error| told(&error))?;
    let pending = Migrator::get_pending_migrations(&connection).await;
    connection.close().await?;
    match pending.map_err(|error| told(&error))?.len() {
        0 => Ok("up to date".into()),
        pending if config.database.auto_migrate => Ok(format!("{pending} pending; the next start applies them")),
        pending => Err(format!("{pending} pending").into()),
    }
}

/// Whether the login may become what the server works as.
pub(super) async fn roles(config: &Config) -> Tried {
    let tried = async {
        let db = db::connect(config.database.url.expose(), 2).await?;
        let pinged = db.ping().await;
        db.close().await;
        pinged
    };
    tried.await.map_err(|error| match error.cause() {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    })?;
    Ok("the login may work as meridian_app and meridian_system".into())
}
