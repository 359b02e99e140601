//! Table `users`: people who can sign in.
//!
//! Facts about a person that are the same in every workspace. The e-mail address is stored lower-case and is unique; it
//! identifies nobody at sign-in, that is what `account` is for.

use sea_orm::entity::prelude::*;

use crate::ids::UserId;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub avatar_url: Option<String>,
    pub email_verified_at: Option<DateTimeUtc>,
    /// May look after jobs of the whole installation.
    pub is_admin: bool,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
