//! From a bearer token or a session cookie to a [`Caller`]. Unknown, expired and revoked credentials look alike.

use chrono::Duration;
use entity::enums::ApiTokenScope;
use entity::{api_token, session, user};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use super::caller::{Caller, Identity};
use super::secrets::token_hash;
use super::sessions::is_alive;
use crate::kernel::actor::{Actor, Origin};
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::{Read, Scope};

/// "Last used" is written at most this often.
const TOUCH_AFTER: Duration = Duration::seconds(60);

/// What a request carries.
#[derive(Clone, Default)]
pub struct Credentials {
    /// Token of `Authorization: Bearer`.
    pub bearer: Option<String>,
    /// Value of the session cookie.
    pub session: Option<String>,
}

/// Finds out who is calling. Credentials that are sent but not valid are refused, not ignored; none at all is a guest.
pub async fn authenticate(platform: &Platform, credentials: Credentials, origin: Origin) -> Result<Caller> {
    let Credentials { bearer, session } = credentials;
    if bearer.is_none() && session.is_none() {
        return Ok(Caller::guest(origin));
    }
    let read = platform.db.read(Scope::System).await?;
    let now = platform.clock.now();
    let identity = match (bearer, session) {
        (Some(token), _) => by_token(platform, &read, &token, now).await?,
        (None, Some(token)) => by_session(platform, &read, &token, &origin, now).await?,
        (None, None) => None,
    };
    let identity = identity.ok_or_else(Error::unauthenticated)?;
    Ok(Caller { identity, origin })
}

async fn by_token(platform: &Platform, read: &Read, token: &str, now: Instant) -> Result<Option<Identity>> {
    let select = read
        .find_global::<api_token::Entity>()
        .filter(api_token::Column::TokenHash.eq(token_hash(token)));
    let Some(row) = select.one(read).await? else {
        return Ok(None);
    };
    if !is_token_alive(&row, now) {
        return Ok(None);
    }
    let scopes: Vec<ApiTokenScope> = serde_json::from_value(row.scopes.clone()).map_err(Error::internal)?;
    let strongest = [ApiTokenScope::Admin, ApiTokenScope::Write, ApiTokenScope::Read]
        .into_iter()
        .find(|scope| scopes.contains(scope));
    let (Some(scope), Some(user)) = (strongest, find_user(read, row.user_id).await?) else {
        return Ok(None);
    };
    if row.last_used_at.is_none_or(|last| now - last > TOUCH_AFTER) {
        touch(platform, Touch::Token(row.id), now);
    }
    Ok(Some(Identity::Token {
        user_id: user.id,
        token_id: row.id,
        scope,
        workspace_id: row.workspace_id,
        is_admin: user.is_admin,
    }))
}

async fn by_session(
    platform: &Platform,
    read: &Read,
    token: &str,
    origin: &Origin,
    now: Instant,
) -> Result<Option<Identity>> {
    let select = read
        .find_global::<session::Entity>()
        .filter(session::Column::TokenHash.eq(token_hash(token)));
    let Some(row) = select.one(read).await? else {
        return Ok(None);
    };
    if !is_alive(&row, now) {
        return Ok(None);
    }
    let Some(user) = find_user(read, row.user_id).await? else {
        return Ok(None);
    };
    if now - row.last_used_at > TOUCH_AFTER {
        touch(platform, Touch::Session(row.id, origin.ip_address.clone()), now);
    }
    Ok(Some(Identity::Session {
        user_id: user.id,
        session_id: row.id,
        is_admin: user.is_admin,
    }))
}

fn is_token_alive(row: &api_token::Model, now: Instant) -> bool {
    row.revoked_at.is_none() && row.expires_at.is_none_or(|end| now < end)
}

/// UNAUTHENTICATED when the session or token of a caller was taken away or has ended since they came in: for streams that outlive the
/// request that started them.
pub async fn still_valid(platform: &Platform, caller: &Caller) -> Result<()> {
    let read = platform.db.read(Scope::System).await?;
    let now = platform.clock.now();
    let valid = match caller.identity {
        Identity::Guest => false,
        Identity::Session { session_id, .. } => {
            let select = read
                .find_global::<session::Entity>()
                .filter(session::Column::Id.eq(session_id));
            select.one(&read).await?.is_some_and(|row| is_alive(&row, now))
        }
        Identity::Token { token_id, .. } => {
            let select = read
                .find_global::<api_token::Entity>()
                .filter(api_token::Column::Id.eq(token_id));
            select
                .one(&read)
                .await?
                .is_some_and(|row| is_token_alive(&row, now))
        }
    };
    if valid {
        Ok(())
    } else {
        Err(Error::unauthenticated())
    }
}

async fn find_user(read: &Read, id: entity::ids::UserId) -> Result<Option<user::Model>> {
    Ok(read
        .find_global::<user::Entity>()
        .filter(user::Column::Id.eq(id))
        .one(read)
        .await?)
}

enum Touch {
    Token(entity::ids::ApiTokenId),
    /// With the address it is used from.
    Session(entity::ids::SessionId, Option<String>),
}

/// Writes "last used" beside the request, which does not wait for it.
fn touch(platform: &Platform, what: Touch, now: Instant) {
    let writer = platform.clone();
    platform.spawn(async move {
        let what = &what;
        let body = |tx: crate::platform::db::Tx| async move {
            match what {
                Touch::Token(id) => {
                    tx.update_global::<api_token::Entity>()
                        .col_expr(api_token::Column::LastUsedAt, Expr::val(now))
                        .filter(api_token::Column::Id.eq(*id))
                        .exec(tx.conn())
                        .await?;
                }
                Touch::Session(id, address) => {
                    tx.update_global::<session::Entity>()
                        .col_expr(session::Column::LastUsedAt, Expr::val(now))
                        .col_expr(session::Column::IpAddress, Expr::val(address.clone()))
                        .filter(session::Column::Id.eq(*id))
                        .exec(tx.conn())
                        .await?;
                }
            }
            Ok(())
        };
        if let Err(error) = writer.write(Scope::System, Actor::system(), body).await {
            tracing::warn!(%error, "could not note the use of a credential");
        }
    });
}
