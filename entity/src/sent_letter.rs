//! Table `sent_letters`: which letters went out, so that none goes out twice.
//!
//! Has no address and no text. The key names the cause of the letter.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sent_letters")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// Message-ID of all attempts.
    pub message_id: String,
    pub attempts: i32,
    /// Until when the attempt that runs has the letter for itself.
    pub sending_until: Option<DateTimeUtc>,
    pub sent_at: Option<DateTimeUtc>,
    /// When the mail server refused it for good.
    pub refused_at: Option<DateTimeUtc>,
    /// Why, without the address.
    pub refusal: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
