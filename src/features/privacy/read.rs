//! What is known about a person, made from the registry.

use entity::enums::WorkspaceType;
use entity::ids::{TypedId as _, UserId, WorkspaceId};
use entity::{membership, workspace};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, QueryFilter as _, Statement, Value};
use serde_json::{Map, Value as Json, json};

use super::registry::{Class, Concern, TABLES, Table};
use crate::features::people;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::{Read, Scope};

/// Everything about a person as JSON: by table, the columns that nobody keeps secret. All values are text, as the database has them.
pub async fn export(platform: &Platform, user_id: UserId) -> Result<Json> {
    let person = people::find(platform, user_id)
        .await?
        .ok_or_else(Error::not_found)?;
    let read = platform.db.read(Scope::System).await?;
    let home = home_in(&read, user_id).await?;
    let mut tables = Map::new();
    for table in TABLES {
        let rows = rows_of(&read, table, user_id, &person.email, home).await?;
        if !rows.is_empty() {
            tables.insert(table.name.into(), rows.into());
        }
    }
    Ok(json!({
        "exportedAt": platform.clock.now(),
        "person": { "id": user_id.to_string(), "name": person.name, "email": person.email },
        "tables": tables,
    }))
}

/// The personal workspace of somebody.
pub(super) async fn home_in(read: &Read, user_id: UserId) -> Result<Option<WorkspaceId>> {
    let mine = read
        .find::<membership::Entity>()
        .filter(membership::Column::UserId.eq(user_id));
    let mine: Vec<WorkspaceId> = mine.all(read).await?.iter().map(|row| row.workspace_id).collect();
    let select = read
        .find::<workspace::Entity>()
        .filter(workspace::Column::Id.is_in(mine))
        .filter(workspace::Column::Type.eq(WorkspaceType::Personal));
    Ok(select.one(read).await?.map(|row| row.id))
}

async fn rows_of(
    read: &Read,
    table: &Table,
    user_id: UserId,
    email: &str,
    home: Option<WorkspaceId>,
) -> Result<Vec<Json>> {
    let is_postgres = read.is_postgres();
    let mut conditions = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut place = |value: Value| {
        values.push(value);
        if is_postgres {
            format!("${}", values.len())
        } else {
            "?".into()
        }
    };
    for concern in table.concerns {
        // What is only for somebody else to read is not told.
        if matches!(concern, Concern::Caused(_) | Concern::Emptied(..)) {
            continue;
        }
        let Some((text, value)) = comparison(*concern, user_id, email) else {
            continue;
        };
        let is_theirs = format!("{text} = {}", place(value));
        conditions.push(match concern {
            // Others go on writing it, so whoever has left its workspace is not told.
            Concern::Cleared(_) if table.has_workspace() => {
                let person = place(user_id.uuid().into());
                format!("({is_theirs} AND (workspace_id IS NULL OR workspace_id IN (SELECT workspace_id FROM memberships WHERE user_id = {person})))")
            }
            _ => is_theirs,
        });
    }
    if let Some(home) = home {
        let home: Value = home.uuid().into();
        if table.name == "workspaces" {
            conditions.push(format!("id = {}", place(home)));
        } else if table.has_workspace() {
            conditions.push(format!("workspace_id = {}", place(home)));
        }
    }
    if conditions.is_empty() {
        return Ok(Vec::new());
    }
    let shown: Vec<&str> = table
        .columns()
        .filter(|(_, class)| *class != Class::Secret)
        .map(|(name, _)| name)
        .collect();
    let columns: Vec<String> = shown.iter().map(|name| as_text(read, name)).collect();
    let sql = format!(
        "SELECT {} FROM {} WHERE {}",
        columns.join(", "),
        table.name,
        conditions.join(" OR ")
    );
    let statement = Statement::from_sql_and_values(read.get_database_backend(), sql, values);
    let mut rows = Vec::new();
    for row in read.query_all_raw(statement).await? {
        let mut object = Map::new();
        for (index, name) in shown.iter().enumerate() {
            let text: Option<String> = row.try_get_by_index(index)?;
            object.insert((*name).to_owned(), text.into());
        }
        rows.push(object.into());
    }
    Ok(rows)
}

/// What of a row equals what when it concerns a person. `None` when only the key of sealed letters can tell.
pub(super) fn comparison(concern: Concern, user_id: UserId, email: &str) -> Option<(String, Value)> {
    let id = || Value::from(user_id.uuid());
    Some(match concern {
        Concern::Goes(column)
        | Concern::Cleared(column)
        | Concern::Deleted(column)
        | Concern::Caused(column) => (column.to_owned(), id()),
        Concern::DeletedByAddress(column) => (column.to_owned(), email.into()),
        Concern::DeletedByStart(column, words) => {
            let start = format!("{words}{user_id}");
            (format!("substr({column}, 1, {})", start.len()), start.into())
        }
        // What was imported has addresses as somebody else wrote them.
        Concern::Emptied(column, _) | Concern::Kept(column, _) if is_address(column) => {
            (format!("lower({column})"), email.into())
        }
        Concern::Emptied(column, _) | Concern::Kept(column, _) => (column.to_owned(), id()),
        Concern::DeletedByLetter(_) => return None,
    })
}

fn is_address(column: &str) -> bool {
    column.ends_with("email")
}

/// A column as text, whatever it is. SQLite keeps ids as bytes.
fn as_text(read: &Read, column: &str) -> String {
    if read.is_postgres() {
        format!("CAST({column} AS text)")
    } else {
        format!("CASE typeof({column}) WHEN 'blob' THEN lower(hex({column})) ELSE CAST({column} AS TEXT) END")
    }
}
