//! Signing in through providers: a session remembers which one it came from.

use async_trait::async_trait;
use sea_orm_migration::prelude::*;

/// The step.
pub(crate) struct SignIn;

impl MigrationName for SignIn {
    fn name(&self) -> &str {
        "m0011_sign_in"
    }
}

#[async_trait]
impl MigrationTrait for SignIn {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection
            .execute_unprepared("ALTER TABLE sessions ADD COLUMN provider_name text")
            .await
            .map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection
            .execute_unprepared("ALTER TABLE sessions DROP COLUMN provider_name")
            .await
            .map(drop)
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
