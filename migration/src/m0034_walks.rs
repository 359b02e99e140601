//! What is asked of some objects of a workspace must not read those of all. SQLite chooses its ways without knowing how many rows there are
//! and takes the workspace for the better half of a condition; with both halves in one index it need not choose. PostgreSQL knows better and
//! has no use for these, but sorts tasks by their deadlines, latest first, only with an index that has those without one at the same end.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Name, table and columns.
const SQLITE: [(&str, &str, &str); 6] = [
    ("attendees_ws_event_id_idx", "attendees", "workspace_id, event_id"),
    (
        "reminders_ws_event_id_user_id_idx",
        "reminders",
        "workspace_id, event_id, user_id",
    ),
    (
        "event_overrides_ws_event_id_idx",
        "event_overrides",
        "workspace_id, event_id",
    ),
    (
        "calendar_syncs_ws_calendar_id_idx",
        "calendar_syncs",
        "workspace_id, calendar_id",
    ),
    (
        "unscheduled_tasks_ws_schedule_id_idx",
        "unscheduled_tasks",
        "workspace_id, schedule_id",
    ),
    (
        "calendars_ws_integration_id_idx",
        "calendars",
        "workspace_id, integration_id",
    ),
];
const POSTGRES: [(&str, &str, &str); 1] = [(
    "tasks_ws_due_at_desc_id_idx",
    "tasks",
    "workspace_id, due_at DESC NULLS LAST, id DESC",
)];

/// Adds the indexes.
pub(crate) struct Walks;

impl MigrationName for Walks {
    fn name(&self) -> &str {
        "m0034_walks"
    }
}

fn indexes(manager: &SchemaManager) -> &'static [(&'static str, &'static str, &'static str)] {
    match manager.get_database_backend() {
        DbBackend::Postgres => &POSTGRES,
        _ => &SQLITE,
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Walks {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, table, columns) in indexes(manager) {
            let index = format!("CREATE INDEX {name} ON {table} ({columns})");
            manager.get_connection().execute_unprepared(&index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _, _) in indexes(manager) {
            let index = format!("DROP INDEX IF EXISTS {name}");
            manager.get_connection().execute_unprepared(&index).await?;
        }
        Ok(())
    }
}
