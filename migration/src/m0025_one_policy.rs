//! One policy a table again: with two, PostgreSQL reads whole workspaces where it could walk an index, because policies are joined
//! by OR. Objects that are found by id are looked for in one workspace of the caller after the other instead.

use sea_orm_migration::prelude::*;

use crate::m0013_lookups::Lookups;

/// Takes the policies of [`Lookups`] away.
pub(crate) struct OnePolicy;

impl MigrationName for OnePolicy {
    fn name(&self) -> &str {
        "m0025_one_policy"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OnePolicy {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Lookups.down(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Lookups.up(manager).await
    }
}
