//! Table `event_overrides`: changed or cancelled occurrences of a series.
//!
//! Keyed by the original start. The patch holds only what was changed, so that later edits of the series reach the rest.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{CalendarEventId, EventOverrideId, WorkspaceId};

/// One row. It is written down whole where a change of plans has to be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "event_overrides")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventOverrideId,
    pub workspace_id: WorkspaceId,
    pub event_id: CalendarEventId,
    pub original_start_utc: DateTimeUtc,
    /// In local time, as the rule gives it.
    pub original_start: String,
    pub cancelled: bool,
    pub patch: Json,
    /// Set when the occurrence was moved.
    pub start_utc: Option<DateTimeUtc>,
    pub end_utc: Option<DateTimeUtc>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
