//! Sessions of browsers: made at sign-in, listed to their person, ended by them or by time. That one began and was ended is in the audit
//! log of its person's own workspace.

use std::fmt;

use chrono::Duration;
use entity::enums::ApiTokenScope;
use entity::ids::{SessionId, TypedId as _, UserId};
use entity::{account, session, user};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set};
use serde_json::json;

use super::caller::Caller;
use super::secrets::{secret, token_hash};
use super::tokens::{home, home_in};
use crate::kernel::actor::{Actor, Origin};
use crate::kernel::changes::Topic;
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::Platform;
use crate::platform::db::{Audit, Hold as _, Scope, Tx};

/// Sessions end after this time, used or not.
const SESSION_LIFE: Duration = Duration::days(30);
/// A session that was not used for this long is over.
const SESSION_IDLE: Duration = Duration::days(7);

/// A fresh session: the cookie's value is only here.
pub struct NewSession {
    /// The session.
    pub id: SessionId,
    /// Value for the cookie.
    pub secret: String,
    /// When it ends at the latest.
    pub expires_at: Instant,
}

impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSession")
            .field("id", &self.id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Whether a session still stands.
pub(super) fn is_alive(row: &session::Model, now: Instant) -> bool {
    is_alive_since(row, row.last_used_at, now)
}

/// [`is_alive`], when it is known that the session was used at `last`.
pub(super) fn is_alive_since(row: &session::Model, last: Instant, now: Instant) -> bool {
    row.revoked_at.is_none() && row.expires_at > now && now - last <= SESSION_IDLE
}

fn alive(now: Instant) -> Condition {
    use session::Column;
    Condition::all()
        .add(Column::RevokedAt.is_null())
        .add(Column::ExpiresAt.gt(now))
        .add(Column::LastUsedAt.gte(now - SESSION_IDLE))
}

/// Signs a person in.
pub async fn create_session(platform: &Platform, user_id: UserId, origin: Origin) -> Result<NewSession> {
    create_session_from(platform, user_id, None, origin).await
}

/// Signs a person in whom this provider of the configuration vouches for. NOT_FOUND when they have no account there any more: unlinking one
/// ends its sessions, and one that begins at the same moment must not outlive it.
pub async fn create_session_from(
    platform: &Platform,
    user_id: UserId,
    provider_name: Option<&str>,
    origin: Origin,
) -> Result<NewSession> {
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
        provider_name: Set(provider_name.map(str::to_owned)),
        user_agent: Set(origin.user_agent.clone()),
        ip_address: Set(origin.ip_address.clone()),
        last_used_at: Set(now),
        expires_at: Set(new.expires_at),
        revoked_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let body = |tx: Tx| {
        let row = row.clone();
        async move {
            if let Some(provider_name) = provider_name {
                still_vouches(&tx, user_id, provider_name).await?;
            }
            let stored = tx.insert_global(row).await?;
            let changes = json!({ "provider": stored.provider_name, "expiresAt": stored.expires_at });
            let entry = Audit {
                action: "session.created",
                entity_type: "Session",
                entity_id: stored.id.uuid(),
                changes: Some(changes),
            };
            tx.audit_in(home_in(&tx, user_id).await?, entry);
            Ok(())
        }
    };
    platform
        .write(Scope::System, Actor::person(user_id, origin), body)
        .await?;
    Ok(new)
}

/// NOT_FOUND unless the person has an account with this provider, and keeps it until the end of the transaction.
async fn still_vouches(tx: &Tx, user_id: UserId, provider_name: &str) -> Result<()> {
    // Whoever unlinks an account holds this row, too.
    tx.find_global::<user::Entity>()
        .filter(user::Column::Id.eq(user_id))
        .hold()
        .one(tx.conn())
        .await?;
    let account = tx
        .find_global::<account::Entity>()
        .filter(account::Column::UserId.eq(user_id))
        .filter(account::Column::ProviderName.eq(provider_name));
    account
        .one(tx.conn())
        .await?
        .map(drop)
        .ok_or_else(Error::not_found)
}

/// The provider that a session came from.
pub async fn session_provider(platform: &Platform, id: SessionId) -> Result<Option<String>> {
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find_global::<session::Entity>()
        .filter(session::Column::Id.eq(id));
    Ok(select.one(&read).await?.and_then(|row| row.provider_name))
}

/// Sessions of the caller that stand, most recently used first. A token that is limited to one workspace is told none: they say where
/// its person is.
pub async fn list_sessions(platform: &Platform, caller: &Caller) -> Result<Vec<session::Model>> {
    let user_id = caller.require_user()?;
    if caller.workspace_limit().is_some() {
        return Ok(Vec::new());
    }
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find_global::<session::Entity>()
        .filter(session::Column::UserId.eq(user_id))
        .filter(alive(platform.clock.now()));
    Ok(select
        .order_by_desc(session::Column::LastUsedAt)
        .order_by_desc(session::Column::Id)
        .all(&read)
        .await?)
}

/// Signs another session of the caller out; its open sockets close.
pub async fn revoke_other_session(platform: &Platform, caller: &Caller, id: SessionId) -> Result<()> {
    let user_id = caller.require_personal(ApiTokenScope::Admin)?;
    if caller.session_id() == Some(id) {
        let message = "This is the session you are using. Sign out instead.";
        return Err(Error::user(UserErrorCode::InvalidState, "id", message));
    }
    match revoke(
        platform,
        caller.actor(),
        user_id,
        Condition::all().add(session::Column::Id.eq(id)),
    )
    .await?
    {
        0 => Err(Error::not_found()),
        _ => Ok(()),
    }
}

/// Signs all sessions of the caller out except the one in use; returns how many.
pub async fn revoke_other_sessions(platform: &Platform, caller: &Caller) -> Result<u64> {
    let user_id = caller.require_personal(ApiTokenScope::Admin)?;
    let others = Condition::all().add_option(caller.session_id().map(|id| session::Column::Id.ne(id)));
    revoke(platform, caller.actor(), user_id, others).await
}

/// Signs a session out, the one in use too, at a request of its person from this origin; its open sockets close.
pub async fn revoke_session(
    platform: &Platform,
    user_id: UserId,
    id: SessionId,
    origin: Origin,
) -> Result<()> {
    match revoke(
        platform,
        Actor::person(user_id, origin),
        user_id,
        Condition::all().add(session::Column::Id.eq(id)),
    )
    .await?
    {
        0 => Err(Error::not_found()),
        _ => Ok(()),
    }
}

/// Signs a person out wherever this provider vouched for them, except in the session `kept`, as part of a transaction in their own
/// workspace.
pub async fn revoke_sessions_from_in(
    tx: &Tx,
    user_id: UserId,
    provider_name: &str,
    kept: Option<SessionId>,
) -> Result<u64> {
    let which = Condition::all()
        .add(session::Column::ProviderName.eq(provider_name))
        .add_option(kept.map(|id| session::Column::Id.ne(id)));
    revoke_in(tx, user_id, which).await
}

/// Ends sessions of a person. The audit log of their own workspace has each.
async fn revoke(platform: &Platform, actor: Actor, user_id: UserId, which: Condition) -> Result<u64> {
    let home = home(platform, user_id).await?;
    let body = |tx: Tx| {
        let which = which.clone();
        async move { revoke_in(&tx, user_id, which).await }
    };
    platform.write(Scope::Workspace(home), actor, body).await
}

async fn revoke_in(tx: &Tx, user_id: UserId, which: Condition) -> Result<u64> {
    let mine = tx
        .find_global::<session::Entity>()
        .filter(session::Column::UserId.eq(user_id))
        .filter(alive(tx.now()))
        .filter(which);
    let ids: Vec<SessionId> = mine
        .select_only()
        .column(session::Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(tx.conn())
        .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let update = tx
        .update_global::<session::Entity>()
        .col_expr(session::Column::RevokedAt, Expr::val(tx.now()))
        .col_expr(session::Column::UpdatedAt, Expr::val(tx.now()))
        .filter(session::Column::Id.is_in(ids.iter().copied()));
    let revoked = update.exec(tx.conn()).await?.rows_affected;
    for id in ids {
        tx.audit(Audit {
            action: "session.revoked",
            entity_type: "Session",
            entity_id: id.uuid(),
            changes: None,
        });
    }
    tx.announce(Topic::Revoked(user_id), &())?;
    Ok(revoked)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn the_secret_of_a_session_is_never_printed() {
        let new = NewSession {
            id: SessionId(uuid::Uuid::nil()),
            secret: "hunter2".into(),
            expires_at: DateTime::UNIX_EPOCH,
        };
        assert!(!format!("{new:?}").contains("hunter2"));
    }
}
