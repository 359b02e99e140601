//! Long events: the few that start well before a range of time and still reach into it. With them out of the way, all others in a
//! range are found by their start alone.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Adds the index.
pub(crate) struct EventWindows;

impl MigrationName for EventWindows {
    fn name(&self) -> &str {
        "m0014_event_windows"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for EventWindows {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Statements repeat this condition word for word.
        let long = match manager.get_database_backend() {
            DbBackend::Postgres => "end_utc - start_utc > interval '144 hours'",
            _ => "julianday(end_utc) - julianday(start_utc) > 6.0",
        };
        let index = format!(
            "CREATE INDEX calendar_events_long_idx ON calendar_events (workspace_id, end_utc, start_utc) WHERE {long}"
        );
        manager
            .get_connection()
            .execute_unprepared(&index)
            .await
            .map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = "DROP INDEX IF EXISTS calendar_events_long_idx";
        manager.get_connection().execute_unprepared(index).await.map(drop)
    }
}
