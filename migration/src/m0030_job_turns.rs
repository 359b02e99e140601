//! Whose turn it is in a queue: waiting jobs by urgency and by workspace, so that the next one of any workspace is found without
//! looking at those of the others.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Adds the index.
pub(crate) struct JobTurns;

impl MigrationName for JobTurns {
    fn name(&self) -> &str {
        "m0030_job_turns"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for JobTurns {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Statements repeat these expressions word for word. The installation counts as one more workspace.
        let nobody = match manager.get_database_backend() {
            DbBackend::Postgres => "'00000000-0000-0000-0000-000000000000'::uuid",
            _ => "x'00000000000000000000000000000000'",
        };
        let index = format!(
            "CREATE INDEX jobs_turns_idx ON jobs (queue, (CASE WHEN priority > 0 THEN 1 ELSE 0 END), \
             (COALESCE(workspace_id, {nobody})), run_at, id) WHERE status IN ('queued', 'retrying')"
        );
        manager
            .get_connection()
            .execute_unprepared(&index)
            .await
            .map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = "DROP INDEX IF EXISTS jobs_turns_idx";
        manager.get_connection().execute_unprepared(index).await.map(drop)
    }
}
