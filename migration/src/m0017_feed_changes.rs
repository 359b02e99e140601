//! The last change of a calendar's events, which tells whether a published feed is still as it was.

use async_trait::async_trait;
use sea_orm_migration::prelude::*;

/// The step.
pub(crate) struct FeedChanges;

impl MigrationName for FeedChanges {
    fn name(&self) -> &str {
        "m0017_feed_changes"
    }
}

#[async_trait]
impl MigrationTrait for FeedChanges {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection
            .execute_unprepared(
                "CREATE INDEX change_log_calendar ON change_log (workspace_id, calendar_id, seq) WHERE calendar_id IS NOT NULL",
            )
            .await
            .map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection
            .execute_unprepared("DROP INDEX change_log_calendar")
            .await
            .map(drop)
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
