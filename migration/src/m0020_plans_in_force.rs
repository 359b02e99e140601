//! Plans in force: how to take one back, how far one was compared with the calendar, and what its person wants to happen then.

use async_trait::async_trait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// The step.
pub(crate) struct PlansInForce;

impl MigrationName for PlansInForce {
    fn name(&self) -> &str {
        "m0020_plans_in_force"
    }
}

#[async_trait]
impl MigrationTrait for PlansInForce {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (json, time) = match manager.get_database_backend() {
            DbBackend::Postgres => ("jsonb", "timestamp with time zone"),
            _ => ("jsonb_text", "timestamp_with_timezone_text"),
        };
        let statements = [
            format!("ALTER TABLE schedules ADD COLUMN undo {json}"),
            "ALTER TABLE schedules ADD COLUMN seen_seq bigint".to_owned(),
            format!("ALTER TABLE schedules ADD COLUMN seen_at {time}"),
            // The look for plans around which something changed reads these alone.
            "CREATE INDEX schedules_in_force ON schedules (end_date) WHERE status = 'applied'".to_owned(),
            "ALTER TABLE user_preferences ADD COLUMN replan_policy text NOT NULL DEFAULT 'off' \
             CHECK (replan_policy IN ('off', 'suggest', 'apply'))"
                .to_owned(),
        ];
        for statement in statements {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in [
            "DROP INDEX schedules_in_force",
            "ALTER TABLE user_preferences DROP COLUMN replan_policy",
            "ALTER TABLE schedules DROP COLUMN seen_at",
            "ALTER TABLE schedules DROP COLUMN seen_seq",
            "ALTER TABLE schedules DROP COLUMN undo",
        ] {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
