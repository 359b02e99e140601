//! Table `accounts`: sign-in identities.
//!
//! An identity is (issuer, subject), never an e-mail address; one person may have several.

use sea_orm::entity::prelude::*;

use crate::enums::AuthProvider;
use crate::ids::{AccountId, UserId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "accounts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccountId,
    pub user_id: UserId,
    pub provider: AuthProvider,
    /// Name in the configuration, for example `google`.
    pub provider_name: String,
    /// Null for e-mail sign-in.
    pub issuer: Option<String>,
    pub subject: String,
    pub email: Option<String>,
    /// Array of granted OAuth scopes.
    pub scopes: Json,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
