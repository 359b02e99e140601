//! Table `workspace_counters`: sequences of a workspace.
//!
//! One row for each workspace, made with it. Taking a number locks the row, which gives the change log and the audit log
//! their commit order.

use sea_orm::entity::prelude::*;

use crate::ids::WorkspaceId;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_counters")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: WorkspaceId,
    /// Last number given to the change log.
    pub change_seq: i64,
    /// Last number given to the audit log.
    pub audit_seq: i64,
    /// Hash of the last audit entry: the next one chains to it.
    pub audit_hash: Vec<u8>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
