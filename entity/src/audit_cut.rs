//! Table `audit_cuts`: where the beginning of a workspace's audit log was cut off.
//!
//! Written by retention before it deletes; entries behind a cut cannot be deleted, and the chain of the rest begins at its hash.

use sea_orm::entity::prelude::*;

use crate::ids::WorkspaceId;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_cuts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: WorkspaceId,
    /// Number of the last entry that went.
    pub seq: i64,
    /// Its hash: the next entry chains to it.
    pub hash: Vec<u8>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
