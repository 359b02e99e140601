//! Table `booking_page_hosts`: who hosts a booking page.

use sea_orm::entity::prelude::*;

use crate::ids::{BookingPageId, UserId, WorkspaceId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "booking_page_hosts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub page_id: BookingPageId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    pub workspace_id: WorkspaceId,
    pub position: i32,
    /// The least recently booked host comes first.
    pub last_booked_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
