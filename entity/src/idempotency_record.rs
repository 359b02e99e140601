//! Table `idempotency_records`: answers to repeated requests.
//!
//! The answer of a mutation by caller and key, kept for a day. A second request with another body is a conflict.

use sea_orm::entity::prelude::*;

use crate::ids::WorkspaceId;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_records")]
pub struct Model {
    /// The id of the person as clients know it, and after it which of their credentials asked.
    #[sea_orm(primary_key, auto_increment = false)]
    pub caller: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub workspace_id: Option<WorkspaceId>,
    pub body_hash: Vec<u8>,
    /// The exact bytes sent, sealed, as Base64; empty when they were lost, null until the first request has some.
    pub answer: Option<String>,
    pub expires_at: DateTimeUtc,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
