//! Table `external_event_links`: which stored event is which object at a provider.
//!
//! One row for each object. It outlives its event as a tombstone until the provider has confirmed the deletion.

use sea_orm::entity::prelude::*;

use crate::ids::{CalendarEventId, CalendarId, ExternalEventLinkId, SyncRunId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "external_event_links")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExternalEventLinkId,
    pub workspace_id: WorkspaceId,
    pub calendar_id: CalendarId,
    /// Null for a tombstone.
    pub event_id: Option<CalendarEventId>,
    pub href: String,
    pub uid: String,
    pub etag: Option<String>,
    /// Canonical form at the last agreement: recognises the echo of our own write.
    pub content_hash: Option<Vec<u8>>,
    /// Fields at the last agreement, the base of a three-way merge.
    pub base: Option<Json>,
    /// Version of the event that the provider has.
    pub pushed_version: Option<i32>,
    /// Mark of mark-and-sweep; no foreign key, runs are pruned.
    pub last_seen_run: Option<SyncRunId>,
    pub tombstoned_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
