//! How people are told: what waits to be mailed, what was sent, when reminders are due, and hours in which no mail goes out.

use async_trait::async_trait;
use sea_orm_migration::prelude::*;

use crate::schema::table::{Kind, Table};

/// New optional columns.
const COLUMNS: &[(&str, &str, Kind)] = &[
    ("notifications", "mail_due_at", Kind::Time),
    ("notifications", "mailed_at", Kind::Time),
    ("notifications", "mail_only_since", Kind::Time),
    ("user_preferences", "quiet_from", Kind::Text),
    ("user_preferences", "quiet_until", Kind::Text),
    ("user_preferences", "digest_at", Kind::Text),
    ("reminders", "planned_version", Kind::Int),
    ("reminders", "due_at", Kind::Time),
    ("reminders", "due_start", Kind::Time),
    ("reminders", "due_original", Kind::Time),
];

/// New indexes on old tables: name, and what it is on.
const INDEXES: &[(&str, &str)] = &[
    (
        "notifications_user_id_mail_due_at_idx",
        "notifications (user_id, mail_due_at) WHERE mail_due_at IS NOT NULL",
    ),
    (
        "reminders_due_at_idx",
        "reminders (due_at, id) WHERE due_at IS NOT NULL",
    ),
    (
        "reminders_unplanned_idx",
        "reminders (id) WHERE planned_version IS NULL OR planned_version <> event_version",
    ),
    (
        "tasks_due_open_idx",
        "tasks (due_at) WHERE due_at IS NOT NULL AND assignee_id IS NOT NULL AND completed_at IS NULL",
    ),
];

/// The step.
pub(crate) struct Delivery;

impl MigrationName for Delivery {
    fn name(&self) -> &str {
        "m0019_delivery"
    }
}

#[async_trait]
impl MigrationTrait for Delivery {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column, kind) in COLUMNS {
            let mut definition = ColumnDef::new(*column);
            match kind {
                Kind::Int => definition.integer(),
                Kind::Time => definition.timestamp_with_time_zone(),
                _ => definition.text(),
            };
            let mut statement = sea_query::Table::alter();
            statement.table(*table).add_column(definition.null());
            manager.alter_table(statement).await?;
        }
        for (name, on) in INDEXES {
            let statement = format!("CREATE INDEX {name} ON {on}");
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        for table in tables() {
            table.create(manager).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables().into_iter().rev() {
            table.drop(manager).await?;
        }
        let connection = manager.get_connection();
        for (name, _) in INDEXES {
            connection
                .execute_unprepared(&format!("DROP INDEX {name}"))
                .await?;
        }
        for (table, column, _) in COLUMNS.iter().rev() {
            let statement = format!("ALTER TABLE {table} DROP COLUMN {column}");
            connection.execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn tables() -> Vec<Table> {
    vec![sent_letters(), task_notices()]
}

/// One row for each letter that was ever tried, so that none goes out twice.
fn sent_letters() -> Table {
    Table::bare("sent_letters")
        .cols(Kind::Text, &["key", "message_id"])
        .cols(Kind::Int, &["attempts"])
        .opts(Kind::Time, &["sending_until", "sent_at", "refused_at"])
        .opts(Kind::Text, &["refusal"])
        .key(&["key"])
        .index(&["updated_at"])
}

/// Of which due date the assignee of a task was told.
fn task_notices() -> Table {
    Table::bare("task_notices")
        .workspace()
        .belongs("task_id", "tasks")
        .owner("user_id")
        .cols(Kind::Time, &["due_at"])
        .key(&["task_id"])
}
