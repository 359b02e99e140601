//! Table `booking_pages`: public pages where guests book time.
//!
//! Hours and their zone are in the availability schedule.

use sea_orm::entity::prelude::*;

use crate::enums::BookingHostMode;
use crate::ids::{AvailabilityScheduleId, BookingPageId, CalendarId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "booking_pages")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BookingPageId,
    pub workspace_id: WorkspaceId,
    pub title: String,
    pub slug: String,
    pub description: Option<String>,
    pub is_active: bool,
    pub duration_minutes: i32,
    pub slot_interval_minutes: i32,
    pub buffer_before_minutes: i32,
    pub buffer_after_minutes: i32,
    pub min_notice_minutes: i32,
    pub max_days_ahead: i32,
    pub max_per_day: Option<i32>,
    pub max_per_week: Option<i32>,
    pub availability_schedule_id: AvailabilityScheduleId,
    pub host_mode: BookingHostMode,
    pub calendar_id: CalendarId,
    pub requires_confirmation: bool,
    pub created_by: Option<UserId>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
