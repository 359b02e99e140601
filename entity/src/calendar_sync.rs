//! Table `calendar_syncs`: where the sync of a calendar stands.
//!
//! One row for each mirrored calendar. The lease lets one worker at a time sync it; the fence tells a late one that it lost.

use sea_orm::entity::prelude::*;

use crate::enums::SyncState;
use crate::ids::{CalendarId, IntegrationId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_syncs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub calendar_id: CalendarId,
    pub workspace_id: WorkspaceId,
    pub integration_id: IntegrationId,
    pub state: SyncState,
    pub sync_token: Option<String>,
    pub ctag: Option<String>,
    pub page_cursor: Option<String>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub lease_owner: Option<String>,
    pub lease_until: Option<DateTimeUtc>,
    pub lease_fence: i64,
    pub last_success_at: Option<DateTimeUtc>,
    pub last_error: Option<String>,
    /// What waits for `confirmSync`.
    pub held_deletes: Option<Json>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
