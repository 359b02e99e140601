//! Table `calendars`: calendars, local or mirrored.
//!
//! A mirrored calendar goes with its integration unless it is made local first.

use sea_orm::entity::prelude::*;

use crate::ids::{CalendarId, IntegrationId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "calendars")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CalendarId,
    pub workspace_id: WorkspaceId,
    /// Null for calendars of the workspace.
    pub owner_id: Option<UserId>,
    pub integration_id: Option<IntegrationId>,
    /// Address at the provider.
    pub external_id: Option<String>,
    pub name: String,
    pub description: Option<String>,
    pub color: String,
    pub time_zone: String,
    pub is_default: bool,
    pub is_read_only: bool,
    pub counts_as_busy: bool,
    /// Whether the sync reads it; false for external calendars that were not chosen.
    pub is_mirrored: bool,
    /// Finds the calendar of a feed address.
    pub feed_secret_hash: Option<Vec<u8>>,
    /// Shows the feed address again to those who manage the calendar.
    pub sealed_feed_secret: Option<Vec<u8>>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
