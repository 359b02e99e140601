//! Table `verification_tokens`: one-use secrets.
//!
//! Links sent by e-mail and sign-ins that wait for their provider. Only the hash is kept, and a row is used once.

use sea_orm::entity::prelude::*;

use crate::enums::VerificationPurpose;
use crate::ids::{UserId, VerificationTokenId};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "verification_tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VerificationTokenId,
    pub purpose: VerificationPurpose,
    /// Null before it is known who signs in.
    pub user_id: Option<UserId>,
    pub email: Option<String>,
    pub token_hash: Vec<u8>,
    /// What the second step needs, for example a sealed PKCE verifier.
    pub payload: Option<Json>,
    pub expires_at: DateTimeUtc,
    pub used_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
