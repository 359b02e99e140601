//! Table `user_preferences`: personal settings.
//!
//! One row for each user, made with the user.

use sea_orm::entity::prelude::*;

use crate::enums::{EnergyPeriod, Weekday};
use crate::ids::{UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_preferences")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    pub time_zone: String,
    pub locale: String,
    pub week_starts_on: Weekday,
    /// Array of `{weekday, start, end}` in `time_zone`.
    pub working_hours: Json,
    pub default_task_duration_minutes: i32,
    pub default_focus_minutes: i32,
    pub buffer_minutes: i32,
    pub max_daily_task_minutes: i32,
    pub peak_energy: EnergyPeriod,
    pub default_workspace_id: Option<WorkspaceId>,
    /// Wall time `HH:MM` in `time_zone` from which no mail goes out; null for never.
    pub quiet_from: Option<String>,
    /// Wall time at which mail goes out again.
    pub quiet_until: Option<String>,
    /// Wall time at which mails of a day go out as one; null for each at once.
    pub digest_at: Option<String>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
