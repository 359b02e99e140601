//! Checks of where things are kept.

use std::time::Instant;

use migration::{Migrator, MigratorTrait as _};

use super::Tried;
use crate::config::Config;
use crate::platform::db::{self, migration_connection, told};

pub(super) async fn data_dir(config: &Config) -> Tried {
    crate::app::prepare_data_dir(config)?;
    let folder = config.data_dir.display();
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
    let server = db::try_server(url).await?;
    Ok(format!(
        "{server} at {} answered in {} ms",
        db::redact_url(url),
        start.elapsed().as_millis()
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
        pending if config.database.auto_migrate => {
            Ok(format!("{pending} pending; the next start applies them"))
        }
        pending => Err(format!("{pending} pending").into()),
    }
}

/// Whether the login may become what the server works as.
pub(super) async fn roles(config: &Config) -> Tried {
    db::try_roles(config.database.url.expose()).await?;
    Ok("the login may work as meridian_app and meridian_system".into())
}
