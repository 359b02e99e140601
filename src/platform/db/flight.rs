//! A transaction on PostgreSQL that begins inside its scope: the statement that opens it also tells row-level security its workspace, so
//! the two are one flight. Ends with the transaction, as `SET LOCAL` does. Knows statements, not what they are about.

use std::sync::Arc;

use sea_orm::sqlx::{
    AssertSqlSafe, Error, Executor as _, PgConnection, PgPool, Postgres, Transaction, query_with,
};
use sea_orm::{DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values};
use sea_query_sqlx::SqlxValues;
use tokio::sync::Mutex;

use super::scope::Scope;

/// An open transaction. Dropping it rolls it back.
pub(super) struct Flight(Mutex<Transaction<'static, Postgres>>);

impl std::fmt::Debug for Flight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flight").finish_non_exhaustive()
    }
}

impl Flight {
    pub(super) async fn begin(pool: &PgPool, scope: Scope) -> Result<Self, DbErr> {
        let begin = match scope {
            // The id is a UUID that we write ourselves; a statement of several parts takes no parameters.
            Scope::Workspace(id) => format!("BEGIN; SET LOCAL app.workspace_id = '{}'", id.0),
            // The machinery's connections see all as they are.
            Scope::System => "BEGIN".to_owned(),
        };
        let transaction = pool.begin_with(AssertSqlSafe(begin)).await;
        transaction
            .map(|transaction| Self(Mutex::new(transaction)))
            .map_err(while_asking)
    }

    pub(super) async fn execute(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut transaction = self.0.lock().await;
        let connection: &mut PgConnection = &mut transaction;
        let (sql, values) = parts(statement);
        let done = query_with::<Postgres, _>(sql, values).execute(connection).await;
        done.map(Into::into).map_err(while_executing)
    }

    pub(super) async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut transaction = self.0.lock().await;
        let connection: &mut PgConnection = &mut transaction;
        let done = connection.execute(AssertSqlSafe(sql.to_owned())).await;
        done.map(Into::into).map_err(while_executing)
    }

    pub(super) async fn query_one(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut transaction = self.0.lock().await;
        let connection: &mut PgConnection = &mut transaction;
        let (sql, values) = parts(statement);
        let row = query_with::<Postgres, _>(sql, values)
            .fetch_optional(connection)
            .await;
        row.map(|row| row.map(Into::into)).map_err(while_asking)
    }

    pub(super) async fn query_all(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut transaction = self.0.lock().await;
        let connection: &mut PgConnection = &mut transaction;
        let (sql, values) = parts(statement);
        let rows = query_with::<Postgres, _>(sql, values).fetch_all(connection).await;
        rows.map(|rows| rows.into_iter().map(Into::into).collect())
            .map_err(while_asking)
    }

    /// Rows that a statement finds in all workspaces: it alone runs in the role of the machinery. No other statement of this transaction
    /// comes between, and whatever fails ends the transaction, and with it the role.
    pub(super) async fn query_all_beside(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut transaction = self.0.lock().await;
        become_role(&mut transaction, "SET LOCAL ROLE meridian_system").await?;
        let (sql, values) = parts(statement);
        let connection: &mut PgConnection = &mut transaction;
        let rows = query_with::<Postgres, _>(sql, values).fetch_all(connection).await;
        let back = become_role(&mut transaction, "SET LOCAL ROLE meridian_app").await;
        let rows = rows.map_err(while_asking)?;
        back?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    pub(super) async fn commit(self) -> Result<(), DbErr> {
        self.0.into_inner().commit().await.map_err(while_asking)
    }

    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        self.0.into_inner().rollback().await.map_err(while_asking)
    }
}

async fn become_role(connection: &mut PgConnection, role: &'static str) -> Result<(), DbErr> {
    connection.execute(role).await.map(drop).map_err(while_executing)
}

fn parts(statement: Statement) -> (AssertSqlSafe<String>, SqlxValues) {
    let values = statement.values.unwrap_or_else(|| Values(Vec::new()));
    (AssertSqlSafe(statement.sql), SqlxValues(values))
}

fn while_asking(error: Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

fn while_executing(error: Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}
