//! Table `integrations`: connected calendar services.
//!
//! Credentials are sealed; nothing readable about them is stored.

use sea_orm::entity::prelude::*;

use crate::enums::{IntegrationProvider, IntegrationStatus};
use crate::ids::{IntegrationId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "integrations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: IntegrationId,
    pub workspace_id: WorkspaceId,
    /// Whose credentials are used.
    pub owner_id: UserId,
    pub provider: IntegrationProvider,
    pub account_label: String,
    pub status: IntegrationStatus,
    pub server_url: Option<String>,
    pub username: Option<String>,
    pub sealed_credentials: Option<Vec<u8>>,
    pub settings: Json,
    pub refresh_minutes: i32,
    pub last_synced_at: Option<DateTimeUtc>,
    /// Null when paused.
    pub next_sync_at: Option<DateTimeUtc>,
    pub last_error: Option<String>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
