//! A transaction on PostgreSQL that begins inside its scope: the statement that opens it also tells row-level security its workspace, so
//! the two are one flight. Ends with the transaction, as `SET LOCAL` does. Knows statements, not what they are about.

use std::sync::Arc;

use sea_orm::sqlx::{AssertSqlSafe, Error, Executor as _, PgConnection, Postgres, query_with};
use sea_orm::{DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use tokio::sync::Mutex;

use super::errors::is_away;
use super::ready::{Loan, Ready};
use super::scope::Scope;
use super::source::parts;

/// An open transaction. Dropping it closes its connection, which rolls it back.
pub(super) struct Flight(Mutex<Seat>);

impl std::fmt::Debug for Flight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flight").finish_non_exhaustive()
    }
}

/// The connection of a transaction; it only goes back to the others when the transaction ended as it was told to.
struct Seat(Option<Loan<Postgres>>);

impl Seat {
    fn connection(&mut self) -> Result<&mut PgConnection, DbErr> {
        let gone = || DbErr::Custom("the transaction has ended".into());
        Ok(self.0.as_mut().ok_or_else(gone)?.connection())
    }

    async fn tell(&mut self, sql: String) -> Result<(), DbErr> {
        let told = self.connection()?.execute(AssertSqlSafe(sql)).await;
        told.map(drop).map_err(while_asking)
    }

    async fn query_all_beside(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.tell("SET LOCAL ROLE meridian_system".to_owned()).await?;
        let (sql, values) = parts(statement);
        let query = query_with::<Postgres, _>(sql, values);
        let rows = query.fetch_all(self.connection()?).await;
        let back = self.tell("SET LOCAL ROLE meridian_app".to_owned()).await;
        let rows = rows.map_err(while_asking)?;
        back?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn end(mut self, how: &str) -> Result<(), DbErr> {
        self.tell(how.to_owned()).await?;
        if let Some(loan) = self.0.take() {
            loan.give_back();
        }
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(loan) = self.0.take() {
            loan.close();
        }
    }
}

impl Flight {
    pub(super) async fn begin(ready: &Ready<Postgres>, scope: Scope) -> Result<Self, DbErr> {
        let begin = match scope {
            // The id is a UUID that we write ourselves; a statement of several parts takes no parameters.
            Scope::Workspace(id) => format!("BEGIN; SET LOCAL app.workspace_id = '{}'", id.0),
            // The machinery's connections see all as they are.
            Scope::System => "BEGIN".to_owned(),
        };
        let mut seat = Seat(Some(ready.take().await?));
        let begun = seat.tell(begin).await;
        begun.inspect_err(|error| {
            if is_away(error) {
                ready.doubt();
            }
        })?;
        Ok(Self(Mutex::new(seat)))
    }

    pub(super) async fn execute(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut seat = self.0.lock().await;
        let (sql, values) = parts(statement);
        let query = query_with::<Postgres, _>(sql, values);
        let done = query.execute(seat.connection()?).await;
        done.map(Into::into).map_err(while_executing)
    }

    pub(super) async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut seat = self.0.lock().await;
        let done = seat.connection()?.execute(AssertSqlSafe(sql.to_owned())).await;
        done.map(Into::into).map_err(while_executing)
    }

    pub(super) async fn query_one(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut seat = self.0.lock().await;
        let (sql, values) = parts(statement);
        let query = query_with::<Postgres, _>(sql, values);
        let row = query.fetch_optional(seat.connection()?).await;
        row.map(|row| row.map(Into::into)).map_err(while_asking)
    }

    pub(super) async fn query_all(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut seat = self.0.lock().await;
        let (sql, values) = parts(statement);
        let query = query_with::<Postgres, _>(sql, values);
        let rows = query.fetch_all(seat.connection()?).await;
        rows.map(|rows| rows.into_iter().map(Into::into).collect())
            .map_err(while_asking)
    }

    /// Rows that a statement finds in all workspaces: it alone runs in the role of the machinery. No other statement of this transaction
    /// comes between, and whatever fails ends the transaction, and with it the role. So does whoever stops waiting in between.
    pub(super) async fn query_all_beside(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut seat = self.0.lock().await;
        // Dropped on the way, it is closed.
        let mut beside = Seat(seat.0.take());
        let rows = beside.query_all_beside(statement).await;
        seat.0 = beside.0.take();
        rows
    }

    pub(super) async fn commit(self) -> Result<(), DbErr> {
        self.0.into_inner().end("COMMIT").await
    }

    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        self.0.into_inner().end("ROLLBACK").await
    }
}

pub(super) fn while_asking(error: Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

fn while_executing(error: Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}
