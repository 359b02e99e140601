//! Which plans are in force is asked with every page of tasks; old plans stay, so it must not be found by looking at all of them.

use sea_orm_migration::prelude::*;

const NAME: &str = "schedules_ws_status_idx";

/// Adds the index.
pub(crate) struct PlansByStatus;

impl MigrationName for PlansByStatus {
    fn name(&self) -> &str {
        "m0035_plans_by_status"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for PlansByStatus {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = format!("CREATE INDEX {NAME} ON schedules (workspace_id, status)");
        manager.get_connection().execute_unprepared(&index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = format!("DROP INDEX IF EXISTS {NAME}");
        manager.get_connection().execute_unprepared(&index).await?;
        Ok(())
    }
}
