//! Reminders of one occurrence of a series, and of one and all that follow: whoever sets them sets them for these alone, and for nobody else.

use async_trait::async_trait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Makes room for reminders that are not those of a whole series.
pub(crate) struct OwnReminders;

impl MigrationName for OwnReminders {
    fn name(&self) -> &str {
        "m0037_own_reminders"
    }
}

const UP: [&str; 5] = [
    "ALTER TABLE reminders ADD COLUMN original_start TEXT",
    "ALTER TABLE reminders ADD COLUMN holds_for_later BOOLEAN NOT NULL DEFAULT FALSE",
    "ALTER TABLE reminders ADD COLUMN is_silent BOOLEAN NOT NULL DEFAULT FALSE",
    "DROP INDEX reminders_event_id_user_id_minutes_before_channel_key",
    // Those of the series have no original start, and of two nulls neither equals the other.
    "CREATE UNIQUE INDEX reminders_event_id_start_user_id_minutes_before_channel_key ON reminders \
     (event_id, COALESCE(original_start, ''), holds_for_later, user_id, minutes_before, channel)",
];

const DOWN: [&str; 6] = [
    "DROP INDEX reminders_event_id_start_user_id_minutes_before_channel_key",
    "DELETE FROM reminders WHERE original_start IS NOT NULL",
    "CREATE UNIQUE INDEX reminders_event_id_user_id_minutes_before_channel_key ON reminders \
     (event_id, user_id, minutes_before, channel)",
    "ALTER TABLE reminders DROP COLUMN is_silent",
    "ALTER TABLE reminders DROP COLUMN holds_for_later",
    "ALTER TABLE reminders DROP COLUMN original_start",
];

#[async_trait]
impl MigrationTrait for OwnReminders {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let [index, delete, rest @ ..] = &DOWN;
        run(manager, &[*index]).await?;
        // The owner of a table passes its policies only as one of the roles that they are for.
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        if is_postgres {
            run(manager, &["SET LOCAL ROLE meridian_system"]).await?;
        }
        run(manager, &[*delete]).await?;
        if is_postgres {
            run(manager, &["RESET ROLE"]).await?;
        }
        run(manager, rest).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    for statement in statements {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
