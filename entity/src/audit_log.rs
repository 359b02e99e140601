//! Table `audit_logs`: who did what.
//!
//! Append-only: the database refuses updates, and deletes while the workspace exists. Ids are opaque and have no foreign
//! keys, so that a person can be erased without breaking the hash chain.

use sea_orm::entity::prelude::*;

use crate::enums::ActorKind;
use crate::ids::{ApiTokenId, AuditLogId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_logs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditLogId,
    pub workspace_id: WorkspaceId,
    pub seq: i64,
    pub actor_kind: ActorKind,
    pub actor_id: Option<UserId>,
    pub api_token_id: Option<ApiTokenId>,
    /// Dotted lower case, for example `task.updated`.
    pub action: String,
    pub entity_type: String,
    pub entity_id: Uuid,
    /// `{field: {from, to}}`
    pub changes: Option<Json>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
    pub prev_hash: Vec<u8>,
    pub hash: Vec<u8>,
    pub created_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
