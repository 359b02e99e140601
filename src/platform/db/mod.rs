//! The database behind two small types: [`Read`] and [`Tx`]. Both carry a [`Scope`]; the finders add the workspace filter and, on
//! PostgreSQL, row-level security backs them. Only `features/*/write.rs` and the machinery open write transactions. Knows no rules.

mod among;
mod audit;
pub mod backup;
mod beside;
mod bulk;
mod clock;
mod columns;
mod connect;
mod enqueue;
mod errors;
mod flight;
mod hold;
mod instants;
mod keyset;
mod logs;
mod part;
mod pools;
mod processes;
mod read;
mod ready;
mod reply;
mod scope;
mod sealed;
mod server;
mod source;
mod texts;
mod together;
mod tx;
mod withdrawals;
mod words;

use std::sync::Arc;
use std::time::Duration;

use entity::ids::WorkspaceId;
use futures_util::future::BoxFuture;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};

pub use among::{among, among_list, among_texts, id_list};
pub use audit::{Audit, audit_hash};
pub use beside::Beside;
pub use columns::{Holder, Partial, fetch_all, fetched, reading};
pub use connect::{connect, lock_migrations, migration_connection, redact_url};
pub use enqueue::KEEPS_KEY;
pub use errors::is_unique_violation;
pub use hold::Hold;
pub use keyset::{Key, keyset};
pub use part::Part;
pub use pools::PoolState;
pub use read::{Read, statements};
pub use reply::REPLY_LOST;
pub use scope::{Global, Scope, WorkspaceOwned};
pub use sealed::{reseal, sealed_columns};
pub use server::{open_as_owner, told, try_roles, try_server};
pub use texts::Texts;
pub use tx::{Outcome, Tx, TxEnv};
pub use words::has_word;

use crate::kernel::{Error, Result};
use source::Source;

/// Tries of one write before a conflict is reported.
const WRITE_ATTEMPTS: u32 = 6;

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db(Arc<Pools>);

#[derive(Debug)]
struct Pools {
    /// Many readers; on PostgreSQL they write, too.
    read: Source,
    /// As above, for [`Scope::System`]; on SQLite the same.
    system_read: Source,
    /// SQLite has one writer. On PostgreSQL nobody may take connections from here; see [`Source`].
    write: DatabaseConnection,
    backend: DbBackend,
    /// Held while the clock is put right: two who saw the same mistake would correct it twice.
    clock: tokio::sync::Mutex<()>,
}

impl Pools {
    fn source(&self, scope: Scope) -> &Source {
        match scope {
            Scope::Workspace(_) => &self.read,
            Scope::System => &self.system_read,
        }
    }
}

impl Db {
    fn new(pools: Pools) -> Self {
        Self(Arc::new(pools))
    }

    /// Whether this is PostgreSQL; SQLite otherwise.
    pub fn is_postgres(&self) -> bool {
        self.0.backend == DbBackend::Postgres
    }

    /// Opens a read in this scope.
    pub async fn read(&self, scope: Scope) -> Result<Read> {
        Ok(Read::open(self.0.source(scope), scope))
    }

    /// The row with this id in one of these workspaces, which the caller must have checked. `columns` and `always` as in
    /// [`Partial::columns_in`].
    pub async fn find_in<E: WorkspaceOwned + Partial>(
        &self,
        workspaces: &[WorkspaceId],
        id: sea_orm::Value,
        columns: Option<u64>,
        always: &[E::Column],
    ) -> Result<Option<E::Model>> {
        let always: Vec<E::Column> = always.iter().copied().chain([E::WORKSPACE]).collect();
        let columns = E::columns_in(columns, &always);
        read::find_in::<E>(&self.0.read, workspaces, id, &columns).await
    }

    /// Opens a read inside one workspace.
    pub async fn read_workspace(&self, id: WorkspaceId) -> Result<Read> {
        self.read(Scope::Workspace(id)).await
    }

    /// Runs `body` in one transaction: its rows, audit entries, changes and jobs are committed together or not at all. The body
    /// is run again when the database reports a conflict between transactions, so it must only touch the database.
    pub async fn write<T, F, Fut>(&self, env: &TxEnv, scope: Scope, body: F) -> Result<(T, Outcome)>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T>> + Send,
        T: Send,
    {
        let mut attempt = 1;
        loop {
            // On the heap, as whatever writes is made of layers that would each carry it.
            let result = Box::pin(self.write_once(env, scope, &body, attempt)).await;
            match result {
                Err(error) if attempt < WRITE_ATTEMPTS && errors::is_conflict(&error) => {
                    tracing::debug!(attempt, "transaction conflict, trying again");
                    tokio::time::sleep(Duration::from_millis(5 << attempt)).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn write_once<T, F, Fut>(
        &self,
        env: &TxEnv,
        scope: Scope,
        body: &F,
        attempt: u32,
    ) -> Result<(T, Outcome)>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T>> + Send,
    {
        let tx = Tx::begin(self.0.source(scope), &self.0.write, scope, env.clone()).await?;
        if attempt > 1 {
            // Where others write much, it waits for its turn as long as it may, which only a transaction does.
            tx.conn().open_now().await?;
        }
        // On the heap, once: the futures around this one would each hold it, and the stack of a thread is not made for that. Without its
        // type, too: the compiler would look through every body again for each future around it.
        let running: BoxFuture<'_, Result<T>> = Box::pin(body(tx.clone()));
        match running.await {
            Ok(value) => Ok((value, tx.commit().await?)),
            Err(error) => {
                tx.rollback().await;
                Err(error)
            }
        }
    }

    /// A round trip, for health checks.
    pub async fn ping(&self) -> Result<()> {
        let statement = Statement::from_string(self.0.backend, "SELECT 1");
        let pools = &self.0;
        let answered = match &pools.read {
            Source::Postgres(_) => pools.read.query_one(statement).await,
            // The writer: it is the one that others may hold.
            Source::Sqlite(_) => pools.write.query_one_raw(statement).await,
        };
        answered.map(drop).map_err(Error::from)
    }

    /// Closes every connection.
    pub async fn close(&self) {
        let pools = &self.0;
        pools.read.close().await;
        pools.system_read.close().await;
        if let Err(error) = pools.write.clone().close().await {
            tracing::warn!(%error, "closing the database failed");
        }
    }
}
