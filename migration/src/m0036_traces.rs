//! What is left of a person where nobody looks for it: their name in what others were told, which goes with whoever caused it, and the words
//! of deleted texts in the search index of SQLite, which FTS5 keeps until it happens to merge them away.

use async_trait::async_trait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Adds the column, and has the search index forget at once.
pub(crate) struct Traces;

impl MigrationName for Traces {
    fn name(&self) -> &str {
        "m0036_traces"
    }
}

#[async_trait]
impl MigrationTrait for Traces {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // No foreign key: SQLite could not drop the column again.
        let mut actor = ColumnDef::new("actor_id");
        actor.uuid().null();
        let mut add = sea_query::Table::alter();
        add.table("notifications").add_column(actor);
        manager.alter_table(add).await?;
        let db = manager.get_connection();
        db.execute_unprepared(
            "CREATE INDEX notifications_actor_id_idx ON notifications (actor_id) WHERE actor_id IS NOT NULL",
        )
        .await?;
        if manager.get_database_backend() != DbBackend::Postgres {
            db.execute_unprepared(
                "INSERT INTO search_texts (search_texts, rank) VALUES ('secure-delete', 1)",
            )
            .await?;
            // What was deleted before is merged away.
            db.execute_unprepared("INSERT INTO search_texts (search_texts) VALUES ('optimize')")
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if manager.get_database_backend() != DbBackend::Postgres {
            db.execute_unprepared(
                "INSERT INTO search_texts (search_texts, rank) VALUES ('secure-delete', 0)",
            )
            .await?;
        }
        db.execute_unprepared("DROP INDEX notifications_actor_id_idx")
            .await?;
        db.execute_unprepared("ALTER TABLE notifications DROP COLUMN actor_id")
            .await
            .map(drop)
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
