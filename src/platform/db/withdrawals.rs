//! Signs that something of a person changed that processes keep in memory. Triggers of the database leave them; this reads and deletes them.
//! What follows from them is decided elsewhere.

use entity::ids::UserId;
use entity::withdrawal::{Column, Entity};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, DbErr, QueryFilter as _, QueryResult, Statement};

use super::read::Read;
use super::tx::Tx;
use crate::kernel::Result;
use crate::kernel::time::Instant;

/// Signs in the order of numbers, and the number from which the next question has to go on.
pub struct Withdrawals {
    /// What commits from now on, and what is being committed, has this number or a later one.
    pub from: i64,
    /// Numbers and people. A sign at or behind [`Self::from`] is found by the next question, too.
    pub signs: Vec<(i64, UserId)>,
}

/// On PostgreSQL the number of a sign is that of its transaction, and transactions end in another order than they begin. All before the
/// oldest one that runs have ended, and what they did is in this very snapshot.
const POSTGRES: &str = "SELECT seen.horizon, signs.number, signs.user_id \
     FROM (SELECT txid_snapshot_xmin(txid_current_snapshot()) AS horizon) AS seen \
     LEFT JOIN withdrawals AS signs ON signs.number >= $1";
/// SQLite has one writer, so the order of numbers is that of commits.
const SQLITE: &str = "SELECT seen.horizon, signs.number, signs.user_id \
     FROM (SELECT coalesce(max(number), 0) + 1 AS horizon FROM withdrawals) AS seen \
     LEFT JOIN withdrawals AS signs ON signs.number >= ?";

impl Read {
    /// The signs with this number and later ones, in one statement.
    pub async fn withdrawals(&self, from: i64) -> Result<Withdrawals> {
        let sql = if self.is_postgres() { POSTGRES } else { SQLITE };
        let backend = self.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, [from.into()]);
        let rows = self.query_all_raw(statement).await?;
        let Some(first) = rows.first() else {
            // There is always a row for the horizon.
            return Err(DbErr::RecordNotFound("the horizon of withdrawals".into()).into());
        };
        let from: i64 = first.try_get_by_index(0)?;
        let sign = |row: &QueryResult| -> std::result::Result<Option<(i64, UserId)>, DbErr> {
            let number: Option<i64> = row.try_get_by_index(1)?;
            let user_id: Option<UserId> = row.try_get_by_index(2)?;
            Ok(number.zip(user_id))
        };
        let mut signs = Vec::new();
        for row in &rows {
            signs.extend(sign(row)?);
        }
        Ok(Withdrawals { from, signs })
    }
}

impl Tx {
    /// Deletes signs that were left before this instant. The newest one stays, from which SQLite counts on. Returns how many.
    pub async fn forget_withdrawals(&self, before: Instant) -> Result<u64> {
        let newest = Query::select().expr(Column::Number.max()).from(Entity).take();
        let delete = self
            .delete_global::<Entity>()
            .filter(Column::CreatedAt.lt(before))
            .filter(Column::Number.not_in_subquery(newest));
        Ok(delete.exec(self.conn()).await?.rows_affected)
    }
}
