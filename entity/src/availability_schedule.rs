//! Table `availability_schedules`: named sets of availability rules.
//!
//! One model for working hours, booking pages and focus time.

use sea_orm::entity::prelude::*;

use crate::ids::{AvailabilityScheduleId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "availability_schedules")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AvailabilityScheduleId,
    pub workspace_id: WorkspaceId,
    /// Null when it belongs to the workspace.
    pub user_id: Option<UserId>,
    pub name: String,
    pub time_zone: String,
    pub is_default: bool,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
