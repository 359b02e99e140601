//! Table `attendees`: guests and organizers of events.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::enums::AttendeeResponse;
use crate::ids::{AttendeeId, CalendarEventId, UserId, WorkspaceId};

/// One row. It is written down whole where a change of plans has to be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "attendees")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttendeeId,
    pub workspace_id: WorkspaceId,
    pub event_id: CalendarEventId,
    pub email: String,
    pub name: Option<String>,
    /// Set when the address is that of a member.
    pub user_id: Option<UserId>,
    pub response: AttendeeResponse,
    pub comment: Option<String>,
    pub is_optional: bool,
    pub is_organizer: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
