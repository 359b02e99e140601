//! Making and ending credentials. Secrets are 256 bits of randomness, returned once and stored as a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use entity::enums::ApiTokenScope;
use entity::ids::{ApiTokenId, SessionId, UserId, WorkspaceId};
use entity::{api_token, session};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, QueryFilter as _, Set};
use sha2::{Digest as _, Sha256};

use crate::kernel::actor::{Actor, Origin};
use crate::kernel::changes::Topic;
use crate::kernel::ids::random_bytes;
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::Scope;

/// Sessions end after this time, used or not.
const SESSION_LIFE: Duration = Duration::days(30);
/// Start of every API token, so that scanners recognise a leaked one.
const TOKEN_PREFIX: &str = "mrd_";

/// SHA-256 of a secret. The secrets have 256 bits, so a slow hash would add nothing.
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

fn secret() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes::<32>()?))
}

/// A fresh session: the cookie's value is only here.
#[derive(Debug)]
pub struct NewSession {
    /// The session.
    pub id: SessionId,
    /// Value for the cookie.
    pub secret: String,
    /// When it ends at the latest.
    pub expires_at: Instant,
}

/// Signs a person in.
pub async fn create_session(platform: &Platform, user_id: UserId, origin: Origin) -> Result<NewSession> {
    let secret = secret()?;
    let now = platform.clock.now();
    let new = NewSession {
        id: platform.ids.next(),
        secret,
        expires_at: now + SESSION_LIFE,
    };
    let row = session::ActiveModel {
        id: Set(new.id),
        user_id: Set(user_id),
        token_hash: Set(token_hash(&new.secret)),
        user_agent: Set(origin.user_agent.clone()),
        ip_address: Set(origin.ip_address.clone()),
        last_used_at: Set(now),
        expires_at: Set(new.expires_at),
        revoked_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let body = |tx: crate::platform::db::Tx| {
        let row = row.clone();
        async move { tx.insert_global(row).await.map(drop) }
    };
    platform.write(Scope::System, Actor::system(), body).await?;
    Ok(new)
}

/// Signs a session out; its open sockets close.
pub async fn revoke_session(platform: &Platform, user_id: UserId, id: SessionId) -> Result<()> {
    let body = |tx: crate::platform::db::Tx| async move {
        let update = tx
            .update_global::<session::Entity>()
            .col_expr(session::Column::RevokedAt, Expr::val(tx.now()))
            .filter(session::Column::Id.eq(id))
            .filter(session::Column::UserId.eq(user_id))
            .filter(session::Column::RevokedAt.is_null());
        if update.exec(tx.conn()).await?.rows_affected == 0 {
            return Err(Error::not_found());
        }
        tx.announce(Topic::Revoked(user_id), &())
    };
    platform.write(Scope::System, Actor::system(), body).await
}

/// Makes an API token and returns it; only its hash is kept.
pub async fn create_token(
    platform: &Platform,
    user_id: UserId,
    name: &str,
    scopes: &[ApiTokenScope],
    workspace_id: Option<WorkspaceId>,
) -> Result<(ApiTokenId, String)> {
    let token = format!("{TOKEN_PREFIX}{}", secret()?);
    let id: ApiTokenId = platform.ids.next();
    let now = platform.clock.now();
    let row = api_token::ActiveModel {
        id: Set(id),
        user_id: Set(user_id),
        workspace_id: Set(workspace_id),
        name: Set(name.to_owned()),
        prefix: Set(token.chars().take(8).collect()),
        token_hash: Set(token_hash(&token)),
        scopes: Set(serde_json::to_value(scopes).map_err(Error::internal)?),
        last_used_at: Set(None),
        expires_at: Set(None),
        revoked_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let body = |tx: crate::platform::db::Tx| {
        let row = row.clone();
        async move { tx.insert_global(row).await.map(drop) }
    };
    platform.write(Scope::System, Actor::system(), body).await?;
    Ok((id, token))
}
