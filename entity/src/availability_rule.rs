//! Table `availability_rules`: hours of a weekday or of a date.
//!
//! Minutes count from midnight and may end on the next day. A dated rule replaces the weekly ones of its day.

use sea_orm::entity::prelude::*;

use crate::enums::Weekday;
use crate::ids::{AvailabilityRuleId, AvailabilityScheduleId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "availability_rules")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AvailabilityRuleId,
    pub workspace_id: WorkspaceId,
    pub schedule_id: AvailabilityScheduleId,
    /// Either this or `date`.
    pub weekday: Option<Weekday>,
    pub date: Option<Date>,
    pub start_minute: i32,
    /// At most 2880.
    pub end_minute: i32,
    pub is_available: bool,
    pub effective_from: Option<Date>,
    /// Included.
    pub effective_until: Option<Date>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
