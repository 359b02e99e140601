//! Table `reminders`: reminders of one person before an event.
//!
//! Tied to the event's version, so that a moved event never fires a stale one.

use sea_orm::entity::prelude::*;

use crate::enums::NotificationChannel;
use crate::ids::{CalendarEventId, ReminderId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reminders")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReminderId,
    pub workspace_id: WorkspaceId,
    pub event_id: CalendarEventId,
    pub user_id: UserId,
    pub minutes_before: i32,
    pub channel: NotificationChannel,
    pub event_version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
