//! What a database says about itself, for those who set up an installation or look for what is wrong with one. Unlike a pool, which waits for
//! a server that refuses, these tell its first answer.

use std::time::Duration;

use sea_orm::sqlx::{self, Connection as _, Executor as _, PgConnection};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, Statement};

use super::connect::{migration_connection, redact_url};
use super::errors::database_code;

/// The oldest PostgreSQL that the migrations are written for.
const OLDEST_POSTGRES: u32 = 15;
const PATIENCE: Duration = Duration::from_secs(5);

/// [`migration_connection`] for commands. A pool waits for a server that refuses, and then says no more than that it has waited.
pub async fn open_as_owner(url: &str) -> Result<DatabaseConnection, String> {
    let error = match migration_connection(url).await {
        Ok(connection) => return Ok(connection),
        Err(error) => error,
    };
    let why = match try_server(url).await {
        Err(why) => why,
        Ok(_) => told(&error),
    };
    let url = redact_url(url);
    Err(format!("{url}: {why}. `meridian doctor` says what cures it"))
}

/// Opens one connection and asks for name and version of the server, or tells what is wrong, its code in parentheses.
pub async fn try_server(url: &str) -> Result<String, String> {
    if url.starts_with("sqlite:") {
        return sqlite(url).await.map_err(|error| told(&error));
    }
    let mut connection = postgres(url).await?;
    let version: String = sqlx::query_scalar("SHOW server_version")
        .fetch_one(&mut connection)
        .await
        .map_err(|error| said(&error))?;
    connection.close().await.map_err(|error| said(&error))?;
    let version = version.split(' ').next().unwrap_or_default();
    let major = version.split(|c: char| !c.is_ascii_digit()).next();
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(major) if major < OLDEST_POSTGRES => Err(format!(
            "PostgreSQL {version} is too old: {OLDEST_POSTGRES} or newer is needed"
        )),
        _ => Ok(format!("PostgreSQL {version}")),
    }
}

/// Whether the login of a PostgreSQL may become what the server works as, or what is wrong.
pub async fn try_roles(url: &str) -> Result<(), String> {
    let mut connection = postgres(url).await?;
    for become_role in ["SET ROLE meridian_app", "RESET ROLE", "SET ROLE meridian_system"] {
        let became = connection.execute(become_role).await;
        became.map_err(|error| said(&error))?;
    }
    connection.close().await.map_err(|error| said(&error))
}

async fn sqlite(url: &str) -> Result<String, DbErr> {
    let connection = migration_connection(url).await?;
    let sql = "SELECT sqlite_version() AS version, sqlite_compileoption_used('ENABLE_MEMORY_MANAGEMENT') \
        OR NOT sqlite_compileoption_used('ENABLE_QPSG') AS is_slow";
    let statement = Statement::from_string(DbBackend::Sqlite, sql);
    let row = connection.query_one_raw(statement).await?;
    let (version, is_slow): (String, i64) = match row {
        Some(row) => (row.try_get("", "version")?, row.try_get("", "is_slow")?),
        None => return Err(DbErr::RecordNotFound("the version of the database".into())),
    };
    connection.close().await?;
    // Right but slow: nobody notices, unless it is said.
    let build = if is_slow == 0 {
        ""
    } else {
        " (this program was built without the flags in .cargo/config.toml: reading is slow)"
    };
    Ok(format!("SQLite {version}{build}"))
}

async fn postgres(url: &str) -> Result<PgConnection, String> {
    match tokio::time::timeout(PATIENCE, PgConnection::connect(url)).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(said(&error)),
        Err(_) => Err(format!(
            "the connection timed out after {} seconds",
            PATIENCE.as_secs()
        )),
    }
}

fn said(error: &sqlx::Error) -> String {
    match error.as_database_error().and_then(|database| database.code()) {
        Some(code) => format!("{error} ({code})"),
        None => error.to_string(),
    }
}

/// What the database says is wrong, its code in parentheses at the end.
pub fn told(error: &DbErr) -> String {
    match database_code(error) {
        Some(code) => format!("{error} ({code})"),
        None => error.to_string(),
    }
}
