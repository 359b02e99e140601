//! How the values of a row are read, each into its place in the row of a table.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use sea_orm::sqlx::{Decode, Postgres, Row as _, Sqlite, ValueRef as _};
use sea_orm::{DbErr, QueryResult, TryGetable};
use uuid::Uuid;

use crate::platform::db::flight::while_asking;
use crate::platform::db::instants;

/// Whether there is no value. To ask first is cheaper than to read: a missing value is told as an error with a text of its own.
pub(super) fn is_null(row: &QueryResult, index: usize) -> bool {
    if let Some(row) = row.try_as_pg_row() {
        return row.try_get_raw(index).is_ok_and(|value| value.is_null());
    }
    row.try_as_sqlite_row()
        .is_some_and(|row| row.try_get_raw(index).is_ok_and(|value| value.is_null()))
}

/// Where a value of a row goes. Times have a way of their own; a method of the type itself comes before that of a trait.
pub(super) struct Slot<'a, T>(pub(super) &'a mut T);

/// How everything else is read.
pub(super) trait Fill {
    fn fill(self, row: &QueryResult, index: usize) -> Result<(), DbErr>;
}

impl<T: TryGetable> Fill for Slot<'_, T> {
    fn fill(self, row: &QueryResult, index: usize) -> Result<(), DbErr> {
        *self.0 = row.try_get_by(index)?;
        Ok(())
    }
}

/// A text of SQLite that has the usual form of a time.
fn time_of<T>(row: &QueryResult, index: usize, read: fn(&str) -> Option<T>) -> Option<T> {
    // What is no text is not touched: a value must not be looked at in two ways.
    read(row.try_as_sqlite_row()?.try_get::<&str, _>(index).ok()?)
}

/// A value whose type in the database is what the migrations say: to compare the type that came takes longer than to decode the value.
fn decoded<T>(row: &QueryResult, index: usize) -> Result<T, DbErr>
where
    T: TryGetable + for<'r> Decode<'r, Postgres> + for<'r> Decode<'r, Sqlite>,
{
    if let Some(row) = row.try_as_pg_row() {
        return row.try_get_unchecked(index).map_err(while_asking);
    }
    match row.try_as_sqlite_row() {
        // SQLite makes a number or a text of a missing value.
        Some(some) if !is_null(row, index) => some.try_get_unchecked(index).map_err(while_asking),
        _ => Ok(row.try_get_by(index)?),
    }
}

macro_rules! values {
    ($($value:ty),+ $(,)?) => {
        $(
            impl Slot<'_, $value> {
                pub(in crate::platform::db) fn fill(self, row: &QueryResult, index: usize) -> Result<(), DbErr> {
                    *self.0 = decoded(row, index)?;
                    Ok(())
                }
            }
        )+
    };
}

macro_rules! ids {
    ($($id:ident),+ $(,)?) => {
        $(
            impl Slot<'_, entity::ids::$id> {
                pub(in crate::platform::db) fn fill(self, row: &QueryResult, index: usize) -> Result<(), DbErr> {
                    *self.0 = entity::ids::$id(decoded::<Uuid>(row, index)?);
                    Ok(())
                }
            }
        )+
    };
}

macro_rules! optional_ids {
    ($($id:ident),+ $(,)?) => {
        $(
            impl Slot<'_, Option<entity::ids::$id>> {
                pub(in crate::platform::db) fn fill(self, row: &QueryResult, index: usize) -> Result<(), DbErr> {
                    *self.0 = decoded::<Option<Uuid>>(row, index)?.map(entity::ids::$id);
                    Ok(())
                }
            }
        )+
    };
}

macro_rules! times {
    ($($time:ty: $read:path),+ $(,)?) => {
        $(
            impl Slot<'_, $time> {
                pub(in crate::platform::db) fn fill(self, row: &QueryResult, index: usize) -> Result<(), DbErr> {
                    if let Some(row) = row.try_as_pg_row() {
                        *self.0 = row.try_get_unchecked(index).map_err(while_asking)?;
                        return Ok(());
                    }
                    match time_of(row, index, |text| $read(text).map(From::from)) {
                        Some(time) => *self.0 = time,
                        None => *self.0 = row.try_get_by(index)?,
                    }
                    Ok(())
                }
            }
        )+
    };
}

values!(String, Option<String>, bool, i32, Option<i32>);
ids!(CalendarEventId, CalendarId, TaskId, UserId, WorkspaceId);
optional_ids!(BookingId, CalendarEventId, TaskId, UserId);

// Wall times and days that every row has occur in none of the tables below.
times!(
    DateTime<Utc>: instants::instant,
    Option<DateTime<Utc>>: instants::instant,
    Option<NaiveDateTime>: instants::local,
    Option<NaiveDate>: instants::day,
);
