//! Table `booking_slots`: time of a host that is taken or held.
//!
//! One row for each host of a booking. The database refuses two that overlap unless one is released.

use sea_orm::entity::prelude::*;

use crate::enums::BookingSlotStatus;
use crate::ids::{BookingId, BookingPageId, BookingSlotId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "booking_slots")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BookingSlotId,
    pub workspace_id: WorkspaceId,
    pub page_id: Option<BookingPageId>,
    /// Null while only held.
    pub booking_id: Option<BookingId>,
    pub host_id: UserId,
    pub status: BookingSlotStatus,
    pub start_utc: DateTimeUtc,
    pub end_utc: DateTimeUtc,
    /// End of a hold.
    pub expires_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
