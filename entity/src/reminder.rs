//! Table `reminders`: reminders of one person before an event.
//!
//! Tied to the event's version, so that a moved event never fires a stale one. A person may have others for one occurrence of a series, or
//! for one and all that follow.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::enums::NotificationChannel;
use crate::ids::{CalendarEventId, ReminderId, UserId, WorkspaceId};

/// One row. It is written down whole where a change of plans has to be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, DeriveEntityModel)]
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
    /// Version of the event for which the columns below were computed; null for not yet.
    pub planned_version: Option<i32>,
    /// When it fires next; null for never again.
    pub due_at: Option<DateTimeUtc>,
    /// Start of the occurrence that it is about then.
    pub due_start: Option<DateTimeUtc>,
    /// Original start of that occurrence, as the series gives it.
    pub due_original: Option<DateTimeUtc>,
    /// Original start of the occurrence that it is for alone, in the terms of the series as in `event_overrides`; null for all of them.
    #[serde(default)]
    pub original_start: Option<String>,
    /// Whether it is for all later occurrences too.
    #[serde(default)]
    pub holds_for_later: bool,
    /// Stands for no reminder at all, where the series has some.
    #[serde(default)]
    pub is_silent: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
