//! A transaction on PostgreSQL that begins inside its scope: the statement that opens it also tells row-level security its workspace, so
//! the two are one flight. Ends with the transaction, as `SET LOCAL` does. It is opened when the first statement comes: who refuses an input
//! needs none, and one statement that is all there is to do is a transaction by itself. Knows statements, not what they are about.

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
struct Seat {
    loan: Option<Loan<Postgres>>,
    stage: Stage,
    ready: Ready<Postgres>,
}

enum Stage {
    /// What opens the transaction when a statement needs it.
    Untouched(String),
    /// Being opened, or carried out as a whole. Whoever stops waiting leaves it so, and then nothing more is sent.
    Between,
    Open,
    /// One statement was the whole transaction.
    Done,
}

fn ended() -> DbErr {
    DbErr::Custom("the transaction has ended".into())
}

impl Seat {
    fn bare(&mut self) -> Result<&mut PgConnection, DbErr> {
        Ok(self.loan.as_mut().ok_or_else(ended)?.connection())
    }

    /// The connection inside the transaction.
    async fn connection(&mut self) -> Result<&mut PgConnection, DbErr> {
        if !matches!(self.stage, Stage::Open) {
            self.open().await?;
        }
        self.bare()
    }

    async fn open(&mut self) -> Result<(), DbErr> {
        let begin = self.leave_untouched()?;
        let begun = self.tell(begin).await;
        begun.inspect_err(|error| self.broke(error))?;
        self.stage = Stage::Open;
        Ok(())
    }

    fn leave_untouched(&mut self) -> Result<String, DbErr> {
        match std::mem::replace(&mut self.stage, Stage::Between) {
            Stage::Untouched(begin) => Ok(begin),
            other => {
                self.stage = other;
                Err(ended())
            }
        }
    }

    /// Nothing more is sent where it cannot be known what is open.
    fn broke(&mut self, error: &DbErr) {
        if is_away(error) {
            self.ready.doubt();
        }
        if let Some(loan) = self.loan.take() {
            loan.close();
        }
    }

    async fn tell(&mut self, sql: String) -> Result<(), DbErr> {
        let told = self.bare()?.execute(AssertSqlSafe(sql)).await;
        told.map(drop).map_err(while_asking)
    }

    async fn query_all_beside(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.tell("SET LOCAL ROLE meridian_system".to_owned()).await?;
        let (sql, values) = parts(statement);
        let query = query_with::<Postgres, _>(sql, values);
        let rows = query.fetch_all(self.bare()?).await;
        let back = self.tell("SET LOCAL ROLE meridian_app".to_owned()).await;
        let rows = rows.map_err(while_asking)?;
        back?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn end(mut self, how: &str) -> Result<(), DbErr> {
        if matches!(self.stage, Stage::Between) {
            return Err(ended());
        }
        if matches!(self.stage, Stage::Open) {
            self.tell(how.to_owned()).await?;
        }
        if let Some(loan) = self.loan.take() {
            loan.give_back();
        }
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(loan) = self.loan.take() {
            loan.close();
        }
    }
}

impl Flight {
    /// Takes a connection. The transaction is opened with its first statement.
    pub(super) async fn begin(ready: &Ready<Postgres>, scope: Scope) -> Result<Self, DbErr> {
        let begin = match scope {
            // The id is a UUID that we write ourselves; a statement of several parts takes no parameters.
            Scope::Workspace(id) => format!("BEGIN; SET LOCAL app.workspace_id = '{}'", id.0),
            // The machinery's connections see all as they are.
            Scope::System => "BEGIN".to_owned(),
        };
        Ok(Self(Mutex::new(Seat {
            loan: Some(ready.take().await?),
            stage: Stage::Untouched(begin),
            ready: ready.clone(),
        })))
    }

    /// Opens the transaction at once.
    pub(super) async fn open(&self) -> Result<(), DbErr> {
        let mut seat = self.0.lock().await;
        seat.open().await
    }

    /// Whether no statement needed the transaction yet.
    pub(super) fn is_untouched(&self) -> bool {
        let seat = self.0.try_lock();
        seat.is_ok_and(|seat| matches!(seat.stage, Stage::Untouched(_)))
    }

    /// Runs a statement that is the whole transaction: it is carried out when this has an answer.
    pub(super) async fn query_alone(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut seat = self.0.lock().await;
        seat.leave_untouched()?;
        let (sql, values) = parts(statement);
        let query = query_with::<Postgres, _>(sql, values);
        // All, although there is one: the commit may still fail after the last of them.
        let rows = query.fetch_all(seat.bare()?).await.map_err(while_asking);
        seat.stage = Stage::Done;
        match rows {
            Ok(rows) => Ok(rows.into_iter().next().map(Into::into)),
            Err(error) => {
                if is_away(&error) {
                    seat.broke(&error);
                }
                Err(error)
            }
        }
    }

    pub(super) async fn execute(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut seat = self.0.lock().await;
        let (sql, values) = parts(statement);
        let query = query_with::<Postgres, _>(sql, values);
        let done = query.execute(seat.connection().await?).await;
        done.map(Into::into).map_err(while_executing)
    }

    pub(super) async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut seat = self.0.lock().await;
        let done = seat
            .connection()
            .await?
            .execute(AssertSqlSafe(sql.to_owned()))
            .await;
        done.map(Into::into).map_err(while_executing)
    }

    pub(super) async fn query_one(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut seat = self.0.lock().await;
        let (sql, values) = parts(statement);
        let query = query_with::<Postgres, _>(sql, values);
        let row = query.fetch_optional(seat.connection().await?).await;
        row.map(|row| row.map(Into::into)).map_err(while_asking)
    }

    pub(super) async fn query_all(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut seat = self.0.lock().await;
        let (sql, values) = parts(statement);
        let query = query_with::<Postgres, _>(sql, values);
        let rows = query.fetch_all(seat.connection().await?).await;
        rows.map(|rows| rows.into_iter().map(Into::into).collect())
            .map_err(while_asking)
    }

    /// Rows that a statement finds in all workspaces: it alone runs in the role of the machinery. No other statement of this transaction
    /// comes between, and whatever fails ends the transaction, and with it the role. So does whoever stops waiting in between.
    pub(super) async fn query_all_beside(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut seat = self.0.lock().await;
        seat.connection().await?;
        // Dropped on the way, it is closed.
        let mut beside = Seat {
            loan: seat.loan.take(),
            stage: Stage::Open,
            ready: seat.ready.clone(),
        };
        let rows = beside.query_all_beside(statement).await;
        seat.loan = beside.loan.take();
        rows
    }

    pub(super) async fn commit(self) -> Result<(), DbErr> {
        self.0.into_inner().end("COMMIT").await
    }

    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        let seat = self.0.into_inner();
        if seat.loan.is_none() {
            // It was closed, and rolled back with that.
            return Ok(());
        }
        seat.end("ROLLBACK").await
    }
}

pub(super) fn while_asking(error: Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

fn while_executing(error: Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}
