//! Events of a calendar by their UIDs, as imports and syncs ask for them with every page. The unique indexes with UIDs are two, each over a part
//! of the rows, so that neither answers; without this one SQLite looks at the whole calendar each time.

use sea_orm_migration::prelude::*;

const NAME: &str = "calendar_events_ws_calendar_id_uid_idx";

/// Adds the index.
pub(crate) struct EventsByUid;

impl MigrationName for EventsByUid {
    fn name(&self) -> &str {
        "m0038_events_by_uid"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for EventsByUid {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = format!("CREATE INDEX {NAME} ON calendar_events (workspace_id, calendar_id, uid)");
        manager.get_connection().execute_unprepared(&index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = format!("DROP INDEX IF EXISTS {NAME}");
        manager.get_connection().execute_unprepared(&index).await?;
        Ok(())
    }
}
