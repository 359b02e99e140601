//! Objects that are found by their ids in whichever workspace of the caller they are: one statement may name several workspaces.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::APP_ROLE;

/// Tables whose rows are found by id. Reading only: rows are written inside one workspace.
const TABLES: [&str; 2] = ["tasks", "calendar_events"];

/// Adds the policies.
pub(crate) struct Lookups;

impl MigrationName for Lookups {
    fn name(&self) -> &str {
        "m0013_lookups"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Lookups {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for table in TABLES {
            let named = "workspace_id = ANY (NULLIF(current_setting('app.workspace_ids', true), '')::uuid[])";
            let policy =
                format!("CREATE POLICY {table}_lookup ON {table} FOR SELECT TO {APP_ROLE} USING ({named})");
            manager.get_connection().execute_unprepared(&policy).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for table in TABLES {
            let policy = format!("DROP POLICY IF EXISTS {table}_lookup ON {table}");
            manager.get_connection().execute_unprepared(&policy).await?;
        }
        Ok(())
    }
}
