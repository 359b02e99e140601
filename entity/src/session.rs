//! Table `sessions`: signed-in browsers and devices.
//!
//! Only the hash of the cookie's secret is kept. A row stays after it is revoked or expired until maintenance removes it.

use sea_orm::entity::prelude::*;

use crate::ids::{SessionId, UserId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    pub user_id: UserId,
    pub token_hash: Vec<u8>,
    /// Provider of this sign-in in the configuration, so that signing out can go there too. Null when it was none.
    pub provider_name: Option<String>,
    pub user_agent: Option<String>,
    pub ip_address: Option<String>,
    pub last_used_at: DateTimeUtc,
    /// Absolute end; the idle limit counts from `last_used_at`.
    pub expires_at: DateTimeUtc,
    pub revoked_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
