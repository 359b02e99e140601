//! From a bearer token or a session cookie to a [`Caller`]. Unknown, expired and revoked credentials look alike.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::Duration;
use entity::enums::ApiTokenScope;
use entity::ids::{ApiTokenId, SessionId};
use entity::{api_token, session, user};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, JoinType, QueryFilter as _, QuerySelect as _};

use super::caller::{Caller, Identity};
use super::secrets::token_hash;
use super::sessions::{is_alive, is_alive_since};
use crate::kernel::actor::{Actor, Origin};
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::cache::{Group, Kept};
use crate::platform::db::{Scope, Tx, among};
use crate::platform::uses::Use;

/// "Last used" is written at most this often.
const TOUCH_AFTER: Duration = Duration::seconds(60);
/// How long uses are gathered before they are written.
const GATHER: std::time::Duration = std::time::Duration::from_millis(250);

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
    let found = match (bearer, session) {
        (Some(token), _) => {
            let hash = token_hash(&token);
            let wanted = hash.clone();
            // Boxed when it is needed: what is moved with every request stays small.
            let load = async move { Box::pin(find_token(platform, wanted)).await };
            cache.get_owned::<Credential, _>(hash, owner, load).await?
        }
        (None, Some(token)) => {
            let hash = token_hash(&token);
            let wanted = hash.clone();
            let load = async move { Box::pin(find_session(platform, wanted)).await };
            cache.get_owned::<Credential, _>(hash, owner, load).await?
        }
        (None, None) => return Ok(Caller::guest(origin)),
    };
    let now = platform.clock.now();
    let known = found
        .filter(|known| known.is_alive(now))
        .ok_or_else(Error::unauthenticated)?;
    known.touch(platform, &origin, now);
    Ok(Caller {
        identity: known.identity(),
        origin,
        ends_at: known.ends_at(),
    })
}

/// Credentials that were looked up, by the hash of their secret.
struct Credential;

impl Kept for Credential {
    const NAME: &'static str = "credentials";
    type Key = Vec<u8>;
    type Value = Option<Arc<Known>>;
    const CAPACITY: u64 = 50_000;
    const TIME_TO_LIVE: std::time::Duration = super::withdrawals::KEPT;
    const WATCHED: bool = true;
}

/// A secret that exists, and whose it is.
struct Known {
    user: user::Model,
    proof: Proof,
    /// When the use was noted since this was looked up, in microseconds of Unix time; zero when it was not.
    noted: AtomicI64,
}

enum Proof {
    Token(api_token::Model, ApiTokenScope),
    Session(session::Model),
}

impl Known {
    fn is_alive(&self, now: Instant) -> bool {
        match &self.proof {
            Proof::Token(row, _) => is_token_alive(row, now),
            Proof::Session(row) => {
                let noted = self.noted().unwrap_or(row.last_used_at);
                is_alive_since(row, row.last_used_at.max(noted), now)
            }
        }
    }

    /// When it ends however often it is used.
    fn ends_at(&self) -> Option<Instant> {
        match &self.proof {
            Proof::Token(row, _) => row.expires_at,
            Proof::Session(row) => Some(row.expires_at),
        }
    }

    fn noted(&self) -> Option<Instant> {
        let noted = self.noted.load(Ordering::Relaxed);
        Instant::from_timestamp_micros(noted).filter(|_| noted != 0)
    }

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

    /// Notes the use, now and then.
    fn touch(&self, platform: &Platform, origin: &Origin, now: Instant) {
        let (what, last) = match &self.proof {
            Proof::Token(row, _) => (Use::Token(row.id), row.last_used_at),
            Proof::Session(row) => (
                Use::Session(row.id, origin.ip_address.clone()),
                Some(row.last_used_at),
            ),
        };
        let before = self.noted.load(Ordering::Relaxed);
        let last = last.max(self.noted());
        let due = last.is_none_or(|last| now - last > TOUCH_AFTER);
        let mine = || {
            let (set, kept) = (Ordering::Relaxed, Ordering::Relaxed);
            let exchanged = self
                .noted
                .compare_exchange(before, now.timestamp_micros(), set, kept);
            exchanged.is_ok()
        };
        if due && mine() {
            note(platform, what, now);
        }
    }
}

async fn find_token(platform: &Platform, hash: Vec<u8>) -> Result<Option<Arc<Known>>> {
    let read = platform.db.read(Scope::System).await?;
    let person = api_token::Entity::belongs_to(user::Entity)
        .from(api_token::Column::UserId)
        .to(user::Column::Id);
    let select = read
        .find_global::<api_token::Entity>()
        .filter(api_token::Column::TokenHash.eq(hash))
        .join(JoinType::InnerJoin, person.into())
        .select_also(user::Entity);
    let Some((row, user)) = select.one(&read).await? else {
        return Ok(None);
    };
    let scopes: Vec<ApiTokenScope> = serde_json::from_value(row.scopes.clone()).map_err(Error::internal)?;
    let strongest = [ApiTokenScope::Admin, ApiTokenScope::Write, ApiTokenScope::Read]
        .into_iter()
        .find(|scope| scopes.contains(scope));
    let (Some(scope), Some(user)) = (strongest, user) else {
        return Ok(None);
    };
    Ok(Some(Arc::new(Known {
        user,
        proof: Proof::Token(row, scope),
        noted: AtomicI64::new(0),
    })))
}

async fn find_session(platform: &Platform, hash: Vec<u8>) -> Result<Option<Arc<Known>>> {
    let read = platform.db.read(Scope::System).await?;
    let person = session::Entity::belongs_to(user::Entity)
        .from(session::Column::UserId)
        .to(user::Column::Id);
    let select = read
        .find_global::<session::Entity>()
        .filter(session::Column::TokenHash.eq(hash))
        .join(JoinType::InnerJoin, person.into())
        .select_also(user::Entity);
    let Some((row, user)) = select.one(&read).await? else {
        return Ok(None);
    };
    Ok(user.map(|user| {
        Arc::new(Known {
            user,
            proof: Proof::Session(row),
            noted: AtomicI64::new(0),
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

/// Writes "last used" beside the request, which does not wait for it, together with what else is used meanwhile.
fn note(platform: &Platform, what: Use, now: Instant) {
    if !platform.uses.note(what, now) {
        // Whoever was first takes this along.
        return;
    }
    let writer = platform.clone();
    platform.spawn(async move {
        tokio::select! {
            () = tokio::time::sleep(GATHER) => {}
            () = writer.shutdown.cancelled() => {}
        }
        if let Err(error) = write_down(&writer, writer.uses.take()).await {
            tracing::warn!(%error, "could not note the use of a credential");
        }
    });
}

async fn write_down(platform: &Platform, uses: Vec<(Use, Instant)>) -> Result<()> {
    let Some(now) = uses.iter().map(|(_, at)| *at).max() else {
        return Ok(());
    };
    let mut tokens: Vec<ApiTokenId> = Vec::new();
    // In the order of all replicas: two that note the same sessions the other way round would wait for each other.
    let mut sessions: BTreeMap<Option<String>, Vec<SessionId>> = BTreeMap::new();
    for (what, _) in uses {
        match what {
            Use::Token(id) => tokens.push(id),
            Use::Session(id, address) => sessions.entry(address).or_default().push(id),
        }
    }
    let (tokens, sessions) = (&tokens, &sessions);
    let body = |tx: Tx| async move {
        if !tokens.is_empty() {
            let these = among(tx.conn(), api_token::Column::Id, tokens.iter().copied());
            tx.update_global::<api_token::Entity>()
                .col_expr(api_token::Column::LastUsedAt, Expr::val(now))
                .filter(these)
                .exec(tx.conn())
                .await?;
        }
        for (address, ids) in sessions {
            let these = among(tx.conn(), session::Column::Id, ids.iter().copied());
            tx.update_global::<session::Entity>()
                .col_expr(session::Column::LastUsedAt, Expr::val(now))
                .col_expr(session::Column::IpAddress, Expr::val(address.clone()))
                .filter(these)
                .exec(tx.conn())
                .await?;
        }
        Ok(())
    };
    platform.write(Scope::System, Actor::system(), body).await
}
