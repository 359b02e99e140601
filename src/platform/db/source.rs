//! Where statements outside of transactions get their connections, of either database. Knows statements, not what they are about.

use std::time::Duration;

use futures_util::future::FutureExt as _;
use futures_util::stream::{BoxStream, StreamExt as _};
use sea_orm::sqlx::sqlite::SqliteRow;
use sea_orm::sqlx::{AssertSqlSafe, Database, Error, Postgres, Sqlite, query_with};
use sea_orm::{DatabaseConnection, DbBackend, DbErr, QueryResult, Statement, Values};
use sea_query_sqlx::SqlxValues;
use tokio::time::sleep;

use super::errors::is_away;
use super::flight::while_asking;
use super::ready::Ready;

/// Rows of SQLite that are taken as they come, while nobody else asks: more than a page usually has. Where others ask too, what they wait
/// for is the processor.
const FEW: usize = 64;
/// How long those behind them gather. The runtime's timers know nothing shorter.
const NAP: Duration = Duration::from_millis(1);

/// The connections of one pool. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Postgres(Ready<Postgres>),
    Sqlite(Ready<Sqlite>),
}

impl Source {
    /// Takes over a pool: from now on nobody else may take connections from it.
    pub(super) fn of(pool: &DatabaseConnection) -> Self {
        match pool.get_database_backend() {
            DbBackend::Postgres => Self::Postgres(Ready::new(pool.get_postgres_connection_pool().clone())),
            _ => Self::Sqlite(Ready::new(pool.get_sqlite_connection_pool().clone())),
        }
    }

    pub(super) fn backend(&self) -> DbBackend {
        match self {
            Self::Postgres(_) => DbBackend::Postgres,
            Self::Sqlite(_) => DbBackend::Sqlite,
        }
    }

    /// The first row that a statement finds.
    pub(super) async fn query_one(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let (sql, values) = parts(statement);
        match self {
            Self::Postgres(ready) => {
                let mut loan = ready.take().await?;
                let query = query_with::<Postgres, _>(sql, values);
                let row = query.fetch_optional(loan.connection()).await;
                let row = row.map_err(|error| failed(ready, error))?;
                loan.give_back();
                Ok(row.map(Into::into))
            }
            Self::Sqlite(ready) => {
                let mut loan = ready.take().await?;
                let query = query_with::<Sqlite, _>(sql, values);
                let row = query.fetch_optional(loan.connection()).await;
                let row = row.map_err(|error| failed(ready, error))?;
                loan.give_back();
                Ok(row.map(Into::into))
            }
        }
    }

    /// All rows that a statement finds.
    pub(super) async fn query_all(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let (sql, values) = parts(statement);
        match self {
            Self::Postgres(ready) => {
                let mut loan = ready.take().await?;
                let query = query_with::<Postgres, _>(sql, values);
                let rows = query.fetch_all(loan.connection()).await;
                let rows = rows.map_err(|error| failed(ready, error))?;
                loan.give_back();
                Ok(rows.into_iter().map(Into::into).collect())
            }
            Self::Sqlite(ready) => {
                let mut loan = ready.take().await?;
                let query = query_with::<Sqlite, _>(sql, values);
                let few = if ready.is_shared() { 1 } else { FEW };
                let rows = gathered(query.fetch(loan.connection()), few).await;
                let rows = rows.map_err(|error| failed(ready, error))?;
                loan.give_back();
                Ok(rows.into_iter().map(Into::into).collect())
            }
        }
    }

    /// Gives what nobody needed lately to the driver's pool.
    pub(super) fn tidy(&self) {
        match self {
            Self::Postgres(ready) => ready.tidy(),
            Self::Sqlite(ready) => ready.tidy(),
        }
    }

    /// Closes every connection.
    pub(super) async fn close(&self) {
        match self {
            Self::Postgres(ready) => ready.close().await,
            Self::Sqlite(ready) => ready.close().await,
        }
    }
}

/// Rows that a thread of SQLite finds. It would wake us for each of them, which takes about as long as to find the next one; those behind
/// the first `few` are left to gather, as far as its buffer goes.
async fn gathered(
    mut rows: BoxStream<'_, Result<SqliteRow, Error>>,
    few: usize,
) -> Result<Vec<SqliteRow>, Error> {
    let mut found = Vec::new();
    loop {
        let next = if found.len() < few {
            rows.next().await
        } else if let Some(next) = rows.next().now_or_never() {
            next
        } else {
            sleep(NAP).await;
            continue;
        };
        let Some(row) = next else { return Ok(found) };
        found.push(row?);
    }
}

/// Where one connection broke, the others may have broken with it.
fn failed<D: Database>(ready: &Ready<D>, error: Error) -> DbErr {
    let error = while_asking(error);
    if is_away(&error) {
        ready.doubt();
    }
    error
}

/// A statement as the driver takes it.
pub(super) fn parts(statement: Statement) -> (AssertSqlSafe<String>, SqlxValues) {
    let values = statement.values.unwrap_or_else(|| Values(Vec::new()));
    (AssertSqlSafe(statement.sql), SqlxValues(values))
}
