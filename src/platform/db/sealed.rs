//! Everything that is sealed: found by the names of its columns, so that no table can be forgotten when a key is retired, and sealed anew
//! table by table.

use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbErr, ModelTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Value,
};

use super::{Read, Scope, Tx, WorkspaceOwned};
use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::platform::Platform;
use crate::platform::secrets::Resealed;

/// What the names of such columns begin with.
const SEALED: &str = "sealed_";
/// Rows that are sealed anew in one transaction.
const PAGE: u64 = 100;

/// The sealed columns of the catalogue with values that `is_meant` finds, each with their number, for people.
pub async fn sealed_columns(read: &Read, is_meant: impl Fn(&[u8]) -> bool) -> Result<Vec<String>> {
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
            match values.iter().filter(|value| is_meant(value)).count() {
                0 => {}
                meant => found.push(format!("{}.{} ({meant})", table.name, column.name)),
            }
        }
    }
    Ok(found)
}

/// Seals what is in `sealed` of every row with the current key, a page of rows in each transaction. `anew` opens, seals and stores one row,
/// and says whether it could: what no key opens stays as it is.
pub async fn reseal<E, F, Fut>(
    platform: &Platform,
    (id, sealed): (E::Column, E::Column),
    anew: F,
) -> Result<Resealed>
where
    E: WorkspaceOwned,
    E::Model: Sync,
    F: Fn(Tx, E::Model) -> Fut + Send + Sync,
    Fut: Future<Output = Result<bool>> + Send,
{
    let mut all = Resealed::default();
    let mut after: Option<Value> = None;
    loop {
        let body = |tx: Tx| {
            let (after, anew) = (after.clone(), &anew);
            async move {
                let mut select = tx.find::<E>().filter(sealed.is_not_null());
                if let Some(after) = after {
                    select = select.filter(id.gt(after));
                }
                let select = select.order_by_asc(id).limit(PAGE).lock_exclusive();
                let rows: Vec<E::Model> = select.all(tx.conn()).await?;
                let last = rows.last().map(|row| row.get(id));
                let mut page = Resealed::default();
                for row in rows {
                    let Value::Bytes(Some(value)) = row.get(sealed) else {
                        continue;
                    };
                    if platform.secrets.is_current(&value) {
                        continue;
                    }
                    match anew(tx.clone(), row).await? {
                        true => page.done += 1,
                        false => page.lost += 1,
                    }
                }
                Ok((page, last))
            }
        };
        let (page, last) = platform.write(Scope::System, Actor::system(), body).await?;
        all.done += page.done;
        all.lost += page.lost;
        match last {
            Some(last) => after = Some(last),
            None => return Ok(all),
        }
    }
}
