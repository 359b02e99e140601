//! Table `api_tokens`: bearer tokens for scripts.
//!
//! Only the hash of the secret is kept. Belongs to its user, also when it is limited to one workspace.

use sea_orm::entity::prelude::*;

use crate::ids::{ApiTokenId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiTokenId,
    pub user_id: UserId,
    /// Null when the token reaches all workspaces of its user.
    pub workspace_id: Option<WorkspaceId>,
    pub name: String,
    /// First characters of the secret, to recognise it.
    pub prefix: String,
    pub token_hash: Vec<u8>,
    /// Array of `ApiTokenScope`.
    pub scopes: Json,
    pub last_used_at: Option<DateTimeUtc>,
    pub expires_at: Option<DateTimeUtc>,
    pub revoked_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
