//! A migration that is nothing but tables: created in order, dropped in reverse.

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use super::table::Table;

/// A named group of tables.
pub(crate) struct Area {
    name: &'static str,
    tables: fn() -> Vec<Table>,
}

impl Area {
    /// The group as a step of the migrator. The name is stored in the database: it never changes.
    pub(crate) fn boxed(name: &'static str, tables: fn() -> Vec<Table>) -> Box<dyn MigrationTrait> {
        Box::new(Self { name, tables })
    }
}

impl MigrationName for Area {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait]
impl MigrationTrait for Area {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in (self.tables)() {
            table.create(manager).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in (self.tables)().into_iter().rev() {
            table.drop(manager).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
