//! What was understood of the wishes about a plan, hours of single tasks, and which planned time was counted as work.

use async_trait::async_trait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// The step.
pub(crate) struct WishesAndWork;

impl MigrationName for WishesAndWork {
    fn name(&self) -> &str {
        "m0029_wishes_and_work"
    }
}

#[async_trait]
impl MigrationTrait for WishesAndWork {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (json, time) = match manager.get_database_backend() {
            DbBackend::Postgres => ("jsonb", "timestamp with time zone"),
            _ => ("jsonb_text", "timestamp_with_timezone_text"),
        };
        let statements = [
            format!("ALTER TABLE schedules ADD COLUMN wishes {json}"),
            format!("ALTER TABLE tasks ADD COLUMN working_hours {json}"),
            format!("ALTER TABLE schedule_slots ADD COLUMN credited_at {time}"),
            // The look for planned time that is over reads these alone.
            "CREATE INDEX schedule_slots_uncredited ON schedule_slots (end_utc, id) \
             WHERE calendar_event_id IS NOT NULL AND credited_at IS NULL"
                .to_owned(),
            // The look for plans around which something changed goes on after the last one it saw.
            "DROP INDEX schedules_in_force".to_owned(),
            "CREATE INDEX schedules_in_force ON schedules (end_date, id) WHERE status = 'applied'".to_owned(),
        ];
        for statement in statements {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in [
            "DROP INDEX schedules_in_force",
            "CREATE INDEX schedules_in_force ON schedules (end_date) WHERE status = 'applied'",
            "DROP INDEX schedule_slots_uncredited",
            "ALTER TABLE schedule_slots DROP COLUMN credited_at",
            "ALTER TABLE tasks DROP COLUMN working_hours",
            "ALTER TABLE schedules DROP COLUMN wishes",
        ] {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
