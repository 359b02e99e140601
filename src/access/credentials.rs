//! From a bearer token or a session cookie to a [`Caller`]. Unknown, expired and revoked credentials look alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
use crate::platform::cache::{Group, Kept};
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
    let owner = |known: &Option<Arc<Known>>| Some(Group::Person(known.as_ref()?.user.id));
    let cache = &platform.cache;
    let (found, hash) = match (bearer, session) {
        (Some(token), _) => {
            let hash = token_hash(&token);
            let load = find_token(platform, hash.clone());
            (
                cache
                    .get_owned::<Credential, _>(hash.clone(), owner, load)
                    .await?,
                hash,
            )
        }
        (None, Some(token)) => {
            let hash = token_hash(&token);
            let load = find_session(platform, hash.clone());
            (
                cache
                    .get_owned::<Credential, _>(hash.clone(), owner, load)
                    .await?,
                hash,
            )
        }
        (None, None) => return Ok(Caller::guest(origin)),
    };
    let now = platform.clock.now();
    let known = found
        .filter(|known| known.proof.is_alive(now))
        .ok_or_else(Error::unauthenticated)?;
    if known.touch(platform, &origin, now) {
        // What is kept says that it was not used for longer than is true now.
        cache.forget::<Credential>(&hash);
    }
    Ok(Caller {
        identity: known.identity(),
        origin,
        ends_at: known.proof.ends_at(),
    })
}

/// Credentials that were looked up, by the hash of their secret.
struct Credential;

impl Kept for Credential {
    const NAME: &'static str = "credentials";
    type Key = Vec<u8>;
    type Value = Option<Arc<Known>>;
    const CAPACITY: u64 = 50_000;
    const TIME_TO_LIVE: std::time::Duration = std::time::Duration::from_secs(5);
}

/// A secret that exists, and whose it is.
struct Known {
    user: user::Model,
    proof: Proof,
    /// "Last used" was written since this was looked up.
    touched: AtomicBool,
}

enum Proof {
    Token(api_token::Model, ApiTokenScope),
    Session(session::Model),
}

impl Proof {
    fn is_alive(&self, now: Instant) -> bool {
        match self {
            Self::Token(row, _) => is_token_alive(row, now),
            Self::Session(row) => is_alive(row, now),
        }
    }

    /// When it ends however often it is used.
    fn ends_at(&self) -> Option<Instant> {
        match self {
            Self::Token(row, _) => row.expires_at,
            Self::Session(row) => Some(row.expires_at),
        }
    }
}

impl Known {
    fn identity(&self) -> Identity {
        let (user_id, is_admin) = (self.user.id, self.user.is_admin);
        match &self.proof {
            Proof::Token(row, scope) => Identity::Token {
                user_id,
                token_id: row.id,
                scope: *scope,
                workspace_id: row.workspace_id,
                is_admin,
            },
            Proof::Session(row) => Identity::Session {
                user_id,
                session_id: row.id,
                is_admin,
            },
        }
    }

    /// Notes the use, now and then; tells whether it did.
    fn touch(&self, platform: &Platform, origin: &Origin, now: Instant) -> bool {
        let (what, last) = match &self.proof {
            Proof::Token(row, _) => (Touch::Token(row.id), row.last_used_at),
            Proof::Session(row) => (
                Touch::Session(row.id, origin.ip_address.clone()),
                Some(row.last_used_at),
            ),
        };
        let due = last.is_none_or(|last| now - last > TOUCH_AFTER);
        let touches = due && !self.touched.swap(true, Ordering::Relaxed);
        if touches {
            touch(platform, what, now);
        }
        touches
    }
}

async fn find_token(platform: &Platform, hash: Vec<u8>) -> Result<Option<Arc<Known>>> {
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find_global::<api_token::Entity>()
        .filter(api_token::Column::TokenHash.eq(hash));
    let Some(row) = select.one(&read).await? else {
        return Ok(None);
    };
    let scopes: Vec<ApiTokenScope> = serde_json::from_value(row.scopes.clone()).map_err(Error::internal)?;
    let strongest = [ApiTokenScope::Admin, ApiTokenScope::Write, ApiTokenScope::Read]
        .into_iter()
        .find(|scope| scopes.contains(scope));
    let (Some(scope), Some(user)) = (strongest, find_user(&read, row.user_id).await?) else {
        return Ok(None);
    };
    Ok(Some(Arc::new(Known {
        user,
        proof: Proof::Token(row, scope),
        touched: AtomicBool::new(false),
    })))
}

async fn find_session(platform: &Platform, hash: Vec<u8>) -> Result<Option<Arc<Known>>> {
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find_global::<session::Entity>()
        .filter(session::Column::TokenHash.eq(hash));
    let Some(row) = select.one(&read).await? else {
        return Ok(None);
    };
    let user = find_user(&read, row.user_id).await?;
    Ok(user.map(|user| {
        Arc::new(Known {
            user,
            proof: Proof::Session(row),
            touched: AtomicBool::new(false),
        })
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
