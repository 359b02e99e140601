//! What a database error means to the rooms above: a conflict to retry, a unique value taken, a database that is away, or a defect.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

use crate::kernel::Error;

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if is_away(&error) {
            return Self::unavailable("The database is not reachable. Try again in a moment.", error);
        }
        if is_full(&error) {
            return Self::unavailable(
                "The server has no room to store anything. Try again later.",
                error,
            );
        }
        Self::internal(error)
    }
}

fn db_err(error: &Error) -> Option<&DbErr> {
    error.cause()?.downcast_ref()
}

/// Whether a unique index refused the write.
pub fn is_unique_violation(error: &Error) -> bool {
    matches!(
        db_err(error).and_then(DbErr::sql_err),
        Some(SqlErr::UniqueConstraintViolation(_))
    )
}

/// Whether running the same transaction again can succeed.
pub(super) fn is_conflict(error: &Error) -> bool {
    let Some(code) = db_err(error).and_then(database_code) else {
        return false;
    };
    // PostgreSQL: serialisation failure, deadlock, a lock that was waited for too long. SQLite: BUSY, BUSY_SNAPSHOT, LOCKED.
    matches!(code.as_str(), "40001" | "40P01" | "55P03" | "5" | "517" | "6")
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

pub(super) fn database_code(error: &DbErr) -> Option<String> {
    let database = sqlx_error(error)?.as_database_error()?;
    database.code().map(|code| code.into_owned())
}

/// Whether the disk is full, or the limit that is set for it. SQLite: FULL. PostgreSQL: `disk_full`.
fn is_full(error: &DbErr) -> bool {
    database_code(error).is_some_and(|code| matches!(code.as_str(), "13" | "53100"))
}

/// Whether the database is gone, or was: connections that are as old as the one that said so may be gone with it.
pub(super) fn is_away(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) {
        return true;
    }
    match sqlx_error(error) {
        Some(
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Protocol(_),
        ) => true,
        // PostgreSQL class 57P: shutting down, crashed, cannot connect now.
        Some(sqlx::Error::Database(database)) => database.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}
