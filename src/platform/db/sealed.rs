//! Finding everything that is sealed, by the names of its columns, so that no table can be forgotten when a key is retired.

use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query};
use sea_orm::{ConnectionTrait as _, DbErr};

use super::Read;
use crate::kernel::Result;

/// What the names of such columns begin with.
const SEALED: &str = "sealed_";

/// Every sealed column of the catalogue with how many of its values `is_old` finds.
pub async fn sealed_columns(read: &Read, is_old: impl Fn(&[u8]) -> bool) -> Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    for table in entity::catalog() {
        for column in table
            .columns
            .iter()
            .filter(|column| column.name.starts_with(SEALED))
        {
            let mut select = Query::select();
            select
                .column(Alias::new(column.name.as_str()))
                .from(Alias::new(table.name.as_str()))
                .and_where(Expr::col(Alias::new(column.name.as_str())).is_not_null());
            let rows = read
                .query_all_raw(read.get_database_backend().build(&select))
                .await?;
            let values = rows.iter().map(|row| row.try_get_by_index::<Vec<u8>>(0));
            let values = values.collect::<Result<Vec<_>, DbErr>>()?;
            let old = values.iter().filter(|value| is_old(value)).count();
            found.push((format!("{}.{}", table.name, column.name), old as u64));
        }
    }
    Ok(found)
}
