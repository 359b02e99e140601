//! Checks of where things are kept.

use std::time::Instant;

use migration::{Migrator, MigratorTrait as _};

use super::Tried;
use crate::config::Config;
use crate::platform::db::{self, Scope, migration_connection, sealed_columns, told};
use crate::platform::secrets::Secrets;

/// Said of a database that has all tables of this program.
pub(super) const UP_TO_DATE: &str = "up to date";

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
        0 => Ok(UP_TO_DATE.into()),
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

/// Whether there is a key for all that is sealed. A wrong one is noticed by nobody until a calendar is to be read.
pub(super) async fn sealed(config: &Config) -> Tried {
    let secrets = Secrets::new(&config.secret_keys()?);
    // One connection for what sees a workspace, one for what sees all.
    let db = db::connect(config.database.url.expose(), 2).await?;
    let read = db.read(Scope::System).await?;
    let lost = sealed_columns(&read, |sealed| !secrets.knows(sealed)).await;
    drop(read);
    db.close().await;
    match lost?.as_slice() {
        [] => Ok("there is a key for everything that is sealed".into()),
        lost => Err(format!("there is no key for {}", lost.join(", ")).into()),
    }
}
