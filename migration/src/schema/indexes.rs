//! A migration that adds one index, on both databases.

use sea_orm_migration::prelude::*;

/// An index and the migration that adds it.
pub(crate) struct AddIndex {
    migration: &'static str,
    index: &'static str,
    on: &'static str,
}

impl AddIndex {
    /// `on` is the table with its columns in brackets.
    pub(crate) fn boxed(
        migration: &'static str,
        index: &'static str,
        on: &'static str,
    ) -> Box<dyn MigrationTrait> {
        Box::new(Self { migration, index, on })
    }
}

impl MigrationName for AddIndex {
    fn name(&self) -> &str {
        self.migration
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddIndex {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = format!("CREATE INDEX {} ON {}", self.index, self.on);
        manager.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = format!("DROP INDEX IF EXISTS {}", self.index);
        manager.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }
}
