//! Table `bookings`: bookings made by guests.
//!
//! The event on the calendar points here; who hosts is in `booking_slot`.

use sea_orm::entity::prelude::*;

use crate::enums::BookingStatus;
use crate::ids::{BookingId, BookingPageId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bookings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BookingId,
    pub workspace_id: WorkspaceId,
    /// Null after the page was deleted.
    pub page_id: Option<BookingPageId>,
    pub status: BookingStatus,
    pub start_utc: DateTimeUtc,
    pub end_utc: DateTimeUtc,
    pub guest_name: String,
    pub guest_email: String,
    pub guest_time_zone: String,
    pub notes: Option<String>,
    pub guest_token_hash: Vec<u8>,
    pub idempotency_key: Option<String>,
    pub cancellation_reason: Option<String>,
    pub conference_url: Option<String>,
    pub sequence: i32,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
