//! Reading in a scope. On PostgreSQL a read is a transaction that knows its workspace; on SQLite it is a pooled connection.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryFilter as _,
    QueryResult, Select, Statement, TransactionTrait as _, Value,
};

use super::scope::{Global, Scope, WorkspaceOwned, scope_filter};
use crate::kernel::Result;

/// An open read. Dropping it ends it.
#[derive(Debug)]
pub struct Read {
    handle: Handle,
    scope: Scope,
}

#[derive(Debug)]
pub(super) enum Handle {
    Pool(DatabaseConnection),
    Transaction(DatabaseTransaction),
}

impl Read {
    pub(super) async fn open(pool: &DatabaseConnection, scope: Scope) -> Result<Self> {
        if pool.get_database_backend() != DbBackend::Postgres {
            return Ok(Self {
                handle: Handle::Pool(pool.clone()),
                scope,
            });
        }
        let transaction = pool.begin().await?;
        enter_scope(&transaction, scope).await?;
        Ok(Self::inside(transaction, scope))
    }

    pub(super) fn inside(transaction: DatabaseTransaction, scope: Scope) -> Self {
        Self {
            handle: Handle::Transaction(transaction),
            scope,
        }
    }

    pub(super) fn into_transaction(self) -> Option<DatabaseTransaction> {
        match self.handle {
            Handle::Transaction(transaction) => Some(transaction),
            Handle::Pool(_) => None,
        }
    }

    /// The scope that every finder applies.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Whether statements run on PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.get_database_backend() == DbBackend::Postgres
    }

    /// Rows of a workspace-owned table: those of the scope's workspace, or all in the system scope.
    #[expect(
        clippy::disallowed_methods,
        reason = "the scoped finder is built on the unscoped one"
    )]
    pub fn find<E: WorkspaceOwned>(&self) -> Select<E> {
        E::find().filter(scope_filter::<E>(self.scope))
    }

    /// Rows of a table that belongs to people or to the installation.
    #[expect(clippy::disallowed_methods, reason = "these tables have no workspace")]
    pub fn find_global<E: Global>(&self) -> Select<E> {
        E::find()
    }
}

/// Tells PostgreSQL which rows this transaction may see.
pub(super) async fn enter_scope(transaction: &DatabaseTransaction, scope: Scope) -> Result<(), DbErr> {
    if transaction.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let (sql, value): (_, Value) = match scope {
        Scope::Workspace(id) => (
            "SELECT set_config('app.workspace_id', $1, true)",
            id.0.to_string().into(),
        ),
        Scope::System => ("SELECT set_config('role', $1, true)", "meridian_system".into()),
    };
    transaction
        .execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [value]))
        .await
        .map(drop)
}

#[async_trait::async_trait]
impl ConnectionTrait for Read {
    fn get_database_backend(&self) -> DbBackend {
        match &self.handle {
            Handle::Pool(pool) => pool.get_database_backend(),
            Handle::Transaction(transaction) => transaction.get_database_backend(),
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match &self.handle {
            Handle::Pool(pool) => pool.execute_raw(statement).await,
            Handle::Transaction(transaction) => transaction.execute_raw(statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match &self.handle {
            Handle::Pool(pool) => pool.execute_unprepared(sql).await,
            Handle::Transaction(transaction) => transaction.execute_unprepared(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match &self.handle {
            Handle::Pool(pool) => pool.query_one_raw(statement).await,
            Handle::Transaction(transaction) => transaction.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.handle {
            Handle::Pool(pool) => pool.query_all_raw(statement).await,
            Handle::Transaction(transaction) => transaction.query_all_raw(statement).await,
        }
    }
}
