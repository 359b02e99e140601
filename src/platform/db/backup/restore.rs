//! From a file into an empty database, in one transaction: everything or nothing. References between rows are checked at the end, so rows
//! come in any order.

use std::collections::VecDeque;
use std::io::Read;

use sea_orm::sea_query::{Alias, Query, SimpleExpr};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, Statement,
    TransactionTrait as _,
};

use super::{Contents, Failure, Header, Line, Reader, value};

/// Values of one statement; SQLite takes 32,766.
const VALUES: usize = 5_000;

/// The table that triggers fill; it comes after the tables that have them, as all do in the order of their names.
const SIGNS: &str = "withdrawals";

/// A foreign key that has to wait.
struct Reference {
    table: String,
    name: String,
}

/// Fills an empty database with these migrations. The digest was checked by [`super::verify`]; it is checked again while reading, and the
/// transaction is only committed when it is right.
pub async fn restore<R: Read + Send>(
    connection: &DatabaseConnection,
    schema: &[String],
    input: R,
) -> Result<Contents, Failure> {
    let mut reader = Reader::open(input)?;
    same_schema(&reader.header, schema)?;
    let target = connection.begin().await?;
    let references = wait_with_references(&target).await?;
    refuse_rows(&target).await?;
    let mut known: VecDeque<entity::Table> = entity::catalog().into();
    let (mut tables, mut all) = (0, 0);
    while let Some(line) = reader.next()? {
        let Line::Table { table, columns } = line else {
            return Err("the backup is damaged: a table was expected".into());
        };
        let position = known.iter().position(|known| known.name == table);
        let into = position
            .and_then(|position| known.remove(position))
            .ok_or_else(|| format!("the backup has a table `{table}` that this program does not"))?;
        if into.columns.iter().map(|column| &column.name).ne(&columns) {
            return Err(format!("the columns of `{table}` are others in this program").into());
        }
        if into.name == SIGNS {
            // Triggers have left some for the rows before, which are those of the backup and nobody's news.
            let sql = format!("DELETE FROM {SIGNS}");
            target.execute_unprepared(&sql).await?;
        }
        all += fill(&target, &into, &mut reader).await?;
        tables += 1;
    }
    if let Some(missing) = known.front() {
        return Err(format!("the backup lacks the table `{}`", missing.name).into());
    }
    check_references(&target, &references).await?;
    target.commit().await?;
    Ok(Contents {
        header: reader.header,
        tables,
        rows: all,
    })
}

fn same_schema(header: &Header, schema: &[String]) -> Result<(), Failure> {
    if header.schema == schema {
        return Ok(());
    }
    let newest = |schema: &[String]| schema.last().cloned().unwrap_or_else(|| "(none)".into());
    let message = format!(
        "the backup has the schema {}, this program {}. Restore with the program that made it ({}), then update and run `meridian migrate up`.",
        newest(&header.schema),
        newest(schema),
        header.program
    );
    Err(message.into())
}

async fn fill<R: Read>(
    target: &DatabaseTransaction,
    into: &entity::Table,
    reader: &mut Reader<R>,
) -> Result<u64, Failure> {
    let page = (VALUES / into.columns.len()).max(1);
    let mut waiting = Vec::new();
    let mut rows = 0;
    loop {
        match reader.next()? {
            Some(Line::Row(cells)) if cells.len() == into.columns.len() => {
                let cells = cells.into_iter().zip(&into.columns);
                let cells = cells.map(|(cell, column)| value::decode(cell, &column.kind));
                waiting.push(cells.collect::<Result<Vec<_>, _>>()?);
                rows += 1;
                if waiting.len() == page {
                    insert(target, into, &mut waiting).await?;
                }
            }
            Some(Line::End { rows: expected }) if expected == rows => {
                insert(target, into, &mut waiting).await?;
                return Ok(rows);
            }
            _ => return Err(format!("the backup is damaged in the table `{}`", into.name).into()),
        }
    }
}

async fn insert(
    target: &DatabaseTransaction,
    into: &entity::Table,
    rows: &mut Vec<Vec<sea_orm::Value>>,
) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut insert = Query::insert();
    insert
        .into_table(Alias::new(into.name.as_str()))
        .columns(into.columns.iter().map(|column| Alias::new(column.name.as_str())));
    for row in rows.drain(..) {
        insert.values(row.into_iter().map(SimpleExpr::from))?;
    }
    let statement = target.get_database_backend().build(&insert);
    target
        .execute_raw(statement)
        .await
        .map_err(|error| format!("rows of `{}` cannot be stored: {error}", into.name))?;
    Ok(())
}

/// Lets every reference wait for the end of the transaction, and takes the role that sees all workspaces.
async fn wait_with_references(target: &DatabaseTransaction) -> Result<Vec<Reference>, Failure> {
    if target.get_database_backend() != DbBackend::Postgres {
        target
            .execute_unprepared("PRAGMA defer_foreign_keys = ON")
            .await?;
        return Ok(Vec::new());
    }
    let keys = "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint \
                WHERE contype = 'f' AND NOT condeferrable AND connamespace = current_schema()::regnamespace \
                AND conparentid = 0 ORDER BY 1, 2";
    let rows = target
        .query_all_raw(Statement::from_string(DbBackend::Postgres, keys))
        .await?;
    let mut references = Vec::new();
    for row in rows {
        let (table, name): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let wait = format!("ALTER TABLE {table} ALTER CONSTRAINT {name} DEFERRABLE INITIALLY DEFERRED");
        target.execute_unprepared(&wait).await?;
        references.push(Reference { table, name });
    }
    target
        .execute_unprepared("SET LOCAL ROLE meridian_system")
        .await?;
    Ok(references)
}

/// Checks all references now and lets them be checked at once again.
async fn check_references(target: &DatabaseTransaction, references: &[Reference]) -> Result<(), Failure> {
    if target.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    target.execute_unprepared("SET LOCAL ROLE NONE").await?;
    target.execute_unprepared("SET CONSTRAINTS ALL IMMEDIATE").await?;
    for Reference { table, name } in references {
        let at_once = format!("ALTER TABLE {table} ALTER CONSTRAINT {name} NOT DEFERRABLE");
        target.execute_unprepared(&at_once).await?;
    }
    Ok(())
}

/// What is there would be mixed with what comes, so nothing may be there.
async fn refuse_rows(target: &DatabaseTransaction) -> Result<(), Failure> {
    for table in entity::catalog() {
        let mut any = Query::select();
        any.expr(SimpleExpr::from(1))
            .from(Alias::new(table.name.as_str()))
            .limit(1);
        let statement = target.get_database_backend().build(&any);
        if target.query_one_raw(statement).await?.is_some() {
            let message = format!(
                "the database is not empty: `{}` has rows. Restore into a new one.",
                table.name
            );
            return Err(message.into());
        }
    }
    Ok(())
}
