//! Opening the database. SQLite: a pool of readers and one writer on a WAL file. PostgreSQL: one pool whose connections drop to the
//! application role, so that row-level security holds even when the URL names the owner; the machinery has a few connections of its own
//! in the system role, so that its reads need no transaction to change roles.

use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{Connection as _, Executor as _};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, DbErr};

use super::source::Source;
use super::{Db, Pools};
use crate::kernel::Result;

const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Rows that a thread of SQLite reads ahead: the largest page, or all series of a full calendar, so that it never waits for the reader
/// within those. Room is only taken by rows that are there.
const ROW_BUFFER: usize = 1_024;
/// Sees the workspace that a statement names. Statements have one shape each whatever they are asked for, so one plan serves all:
/// left to itself, PostgreSQL plans every page anew, because it values the known number of rows above the time that planning takes.
const APP: &str = "SET ROLE meridian_app; SET plan_cache_mode = force_generic_plan";
/// Sees all workspaces.
const SYSTEM: &str = "SET ROLE meridian_system";

/// Opens the database for the application.
pub async fn connect(url: &str, max_connections: u32) -> Result<Db> {
    if is_sqlite(url) {
        let write = Database::connect(sqlite(url, 1)).await?;
        let read = Source::of(&Database::connect(sqlite(url, max_connections)).await?);
        return Ok(Db::new(Pools {
            system_read: read.clone(),
            read,
            write,
            backend: DbBackend::Sqlite,
            clock: tokio::sync::Mutex::default(),
        }));
    }
    let machinery = (max_connections * 2 / 5).max(1);
    let app = Database::connect(postgres(
        url,
        max_connections.saturating_sub(machinery).max(1),
        Some(APP),
    ))
    .await?;
    let system = Database::connect(postgres(url, machinery, Some(SYSTEM))).await?;
    Ok(Db::new(Pools {
        read: Source::of(&app),
        system_read: Source::of(&system),
        write: app,
        backend: DbBackend::Postgres,
        clock: tokio::sync::Mutex::default(),
    }))
}

/// A connection with the rights of the URL itself, for migrations only.
pub async fn migration_connection(url: &str) -> Result<DatabaseConnection, DbErr> {
    if is_sqlite(url) {
        return Database::connect(sqlite(url, 1)).await;
    }
    Database::connect(postgres(url, 1, None)).await
}

/// Makes everybody else who calls this on the same PostgreSQL database wait until the connection is closed. SQLite has its file lock.
pub async fn lock_migrations(connection: &DatabaseConnection) -> Result<(), DbErr> {
    if connection.get_database_backend() == DbBackend::Postgres {
        // The pool has one connection, so the lock belongs to whoever migrates through it.
        let lock = "SELECT pg_advisory_lock(hashtext('meridian migrations'))";
        connection.execute_unprepared(lock).await?;
    }
    Ok(())
}

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

fn base(url: &str, max_connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false);
    options
}

fn sqlite(url: &str, max_connections: u32) -> ConnectOptions {
    let mut options = base(url, max_connections);
    // The other end is a thread of ours: what works when it is given back works when it is taken.
    options.test_before_acquire(false);
    options.map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .row_buffer_size(ROW_BUFFER)
    });
    // A full disk ends a transaction inside SQLite while the driver believes that it goes on, and then no other can begin on the
    // connection: it is closed, and whoever comes next gets a new one.
    options.map_sqlx_sqlite_pool_opts(|pool| {
        pool.after_release(|connection, _| {
            Box::pin(async move {
                if connection.is_in_transaction() {
                    // One that was dropped is rolled back before this is answered.
                    connection.ping().await?;
                }
                Ok(!connection.is_in_transaction())
            })
        })
    });
    options
}

fn postgres(url: &str, max_connections: u32, become_role: Option<&'static str>) -> ConnectOptions {
    let mut options = base(url, max_connections);
    // Seldom, as only what rested for long or is in doubt comes from the driver's pool; most others are lent again without it.
    options.test_before_acquire(true);
    options.map_sqlx_postgres_opts(|postgres| {
        postgres
            .application_name("meridian")
            .statement_cache_capacity(500)
    });
    if let Some(become_role) = become_role {
        options.map_sqlx_postgres_pool_opts(move |pool| {
            pool.after_connect(move |connection, _| {
                Box::pin(async move {
                    connection.execute(become_role).await?;
                    Ok(())
                })
            })
        });
    }
    options
}

/// The URL without its password, for people.
pub fn redact_url(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            if parsed.set_password(Some("***")).is_err() {
                return "(hidden)".into();
            }
            parsed.to_string()
        }
        Ok(_) => url.to_owned(),
        Err(_) => "(not a URL)".into(),
    }
}
