//! Events whose instants come from other zone rules than those of the program are found by an index.

use sea_orm_migration::prelude::*;

/// Adds the index.
pub(crate) struct Tzdata;

impl MigrationName for Tzdata {
    fn name(&self) -> &str {
        "m0015_tzdata"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tzdata {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = "CREATE INDEX ix_calendar_events_tzdata ON calendar_events (tzdata_version, id)";
        manager.get_connection().execute_unprepared(index).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = "DROP INDEX IF EXISTS ix_calendar_events_tzdata";
        manager.get_connection().execute_unprepared(index).await.map(drop)
    }
}
