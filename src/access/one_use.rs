//! One-use secrets: links in e-mails and sign-ins that wait for their provider. Promises: only hashes are stored, a secret works once and
//! for a while, and of two that come at the same time one wins.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Duration;
use entity::enums::VerificationPurpose;
use entity::ids::UserId;
use entity::verification_token::{self, Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, QueryFilter as _, Set};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::secrets::token_hash;
use crate::kernel::actor::Actor;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::{Scope, Tx};

/// A secret to store. It has no `Debug`, so that none is printed.
#[derive(Clone)]
pub struct NewOneUse {
    /// What it is good for.
    pub purpose: VerificationPurpose,
    /// Person it is about, when that is known.
    pub user_id: Option<UserId>,
    /// Address it was sent to.
    pub email: Option<String>,
    /// The secret itself; only its hash is stored.
    pub secret: String,
    /// What the second step needs.
    pub payload: Option<serde_json::Value>,
    /// How long it works.
    pub life: Duration,
}

/// One secret of two halves: what travels in an address, and what stays in the browser.
pub fn bound(travelling: &str, browser: &str) -> String {
    format!("{travelling}.{browser}")
}

/// Stores a secret.
pub async fn store(platform: &Platform, new: NewOneUse) -> Result<()> {
    let body = |tx: Tx| {
        let new = new.clone();
        async move { store_in(&tx, new).await }
    };
    platform.write(Scope::System, Actor::system(), body).await
}

/// [`store`] inside a transaction.
pub async fn store_in(tx: &Tx, new: NewOneUse) -> Result<()> {
    let row = verification_token::ActiveModel {
        id: Set(tx.ids().next()),
        purpose: Set(new.purpose),
        user_id: Set(new.user_id),
        email: Set(new.email),
        token_hash: Set(token_hash(&new.secret)),
        payload: Set(new.payload),
        expires_at: Set(tx.now() + new.life),
        used_at: Set(None),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    };
    tx.insert_global(row).await.map(drop)
}

/// Uses a secret up and returns its row; `None` when it is unknown, over or used.
pub async fn redeem(
    platform: &Platform,
    purpose: VerificationPurpose,
    secret: &str,
) -> Result<Option<verification_token::Model>> {
    let body = |tx: Tx| async move { redeem_in(&tx, purpose, secret).await };
    platform.write(Scope::System, Actor::system(), body).await
}

/// The person whom a secret is about that was not used and is not over.
pub async fn person_of(
    platform: &Platform,
    purpose: VerificationPurpose,
    secret: &str,
) -> Result<Option<UserId>> {
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find_global::<Entity>()
        .filter(Column::TokenHash.eq(token_hash(secret)))
        .filter(Column::Purpose.eq(purpose))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(platform.clock.now()));
    Ok(select.one(&read).await?.and_then(|row| row.user_id))
}

/// [`redeem`] inside a transaction.
pub async fn redeem_in(
    tx: &Tx,
    purpose: VerificationPurpose,
    secret: &str,
) -> Result<Option<verification_token::Model>> {
    let hash = token_hash(secret);
    // The update decides: its condition is looked at under the row's lock.
    let update = tx
        .update_global::<Entity>()
        .col_expr(Column::UsedAt, Expr::val(tx.now()))
        .col_expr(Column::UpdatedAt, Expr::val(tx.now()))
        .filter(Column::TokenHash.eq(hash.clone()))
        .filter(Column::Purpose.eq(purpose))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(tx.now()));
    if update.exec(tx.conn()).await?.rows_affected == 0 {
        return Ok(None);
    }
    let select = tx.find_global::<Entity>().filter(Column::TokenHash.eq(hash));
    Ok(select.one(tx.conn()).await?)
}

/// Seals what must not be readable in the row.
pub fn seal(platform: &Platform, plain: &impl Serialize, context: &[u8]) -> Result<serde_json::Value> {
    let plain = serde_json::to_vec(plain).map_err(Error::internal)?;
    Ok(STANDARD.encode(platform.secrets.seal(&plain, context)?).into())
}

/// Opens what [`seal`] made.
pub fn open<T: DeserializeOwned>(
    platform: &Platform,
    sealed: &serde_json::Value,
    context: &[u8],
) -> Result<T> {
    let text = sealed.as_str().unwrap_or_default();
    let sealed = STANDARD.decode(text).map_err(Error::internal)?;
    serde_json::from_slice(&platform.secrets.open(&sealed, context)?).map_err(Error::internal)
}
