//! API tokens: made by their person, seen only once, taken back at once.
//!
//! What happens to a token is in the audit log of the workspace it is limited to, else of its person's own.

use std::fmt;

use chrono::Duration;
use entity::enums::{ApiTokenScope, WorkspaceType};
use entity::ids::{ApiTokenId, TypedId as _, UserId, WorkspaceId};
use entity::{api_token, membership, workspace};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};

use super::caller::{Access, Caller};
use super::secrets::{secret, token_hash};
use crate::kernel::actor::Actor;
use crate::kernel::changes::Topic;
use crate::kernel::text::Checks;
use crate::kernel::time::{Instant, truncate};
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::Platform;
use crate::platform::db::{Audit, Read, Scope, Tx};

/// Start of every API token, so that scanners recognise a leaked one.
const TOKEN_PREFIX: &str = "mrd_";
/// Furthest end of a token.
const LONGEST_LIFE: Duration = Duration::days(366);
/// Most tokens of one person that are not revoked.
const MAX_TOKENS: u64 = 100;

/// An API token to make.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Label chosen by the person.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<ApiTokenScope>,
    /// Workspace it is limited to.
    pub workspace_id: Option<WorkspaceId>,
    /// When it ends; never when `None`.
    pub expires_at: Option<Instant>,
}

/// An API token just made: its secret is only here.
pub struct CreatedToken {
    /// The stored token.
    pub token: api_token::Model,
    /// What a client sends as `Authorization: Bearer`.
    pub secret: String,
}

impl fmt::Debug for CreatedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedToken")
            .field("token", &self.token.id)
            .finish_non_exhaustive()
    }
}

/// Makes an API token for the caller. Needs a session, or a token with the `ADMIN` scope that is not limited itself.
pub async fn create_own_token(access: &Access, new: NewToken) -> Result<CreatedToken> {
    let user_id = access.caller().require_personal(ApiTokenScope::Admin)?;
    if let Some(limit) = new.workspace_id
        && let Err(error) = access.ctx(limit).await
    {
        let message = "There is no such workspace, or you are not a member.";
        let missing = Error::user(UserErrorCode::ReferenceNotFound, "input.workspaceId", message);
        return Err(if error.is_not_found() { missing } else { error });
    }
    create_token(access.platform(), access.caller().actor(), user_id, new).await
}

/// Makes an API token for a person: what [`create_own_token`] does once the caller is allowed, and what the command line does.
pub async fn create_token(
    platform: &Platform,
    actor: Actor,
    user_id: UserId,
    new: NewToken,
) -> Result<CreatedToken> {
    let new = check(new, platform.clock.now())?;
    let secret = format!("{TOKEN_PREFIX}{}", secret()?);
    let home = home_of(platform, user_id, new.workspace_id).await?;
    let body = |tx: Tx| {
        let (new, secret) = (new.clone(), secret.clone());
        async move {
            let mine = tx
                .find_global::<api_token::Entity>()
                .filter(api_token::Column::UserId.eq(user_id));
            if mine
                .filter(api_token::Column::RevokedAt.is_null())
                .count(tx.conn())
                .await?
                >= MAX_TOKENS
            {
                let message = format!("You have {MAX_TOKENS} API tokens. Revoke one first.");
                return Err(Error::user(UserErrorCode::LimitReached, "input", message));
            }
            let token = tx.insert_global(row(&tx, user_id, &new, &secret)?).await?;
            let changes = serde_json::json!({ "scopes": token.scopes, "expiresAt": token.expires_at });
            record(&tx, "api_token.created", token.id, Some(changes));
            Ok(token)
        }
    };
    let token = platform.write(Scope::Workspace(home), actor, body).await?;
    Ok(CreatedToken { token, secret })
}

fn check(mut new: NewToken, now: Instant) -> Result<NewToken> {
    let mut checks = Checks::default();
    new.name = checks.title("input.name", &new.name, 100);
    let mut seen = Vec::new();
    new.scopes.retain(|scope| {
        !seen.contains(scope) && {
            seen.push(*scope);
            true
        }
    });
    checks.require(
        !new.scopes.is_empty(),
        UserErrorCode::Required,
        "input.scopes",
        "Give at least one scope.",
    );
    new.expires_at = new.expires_at.map(truncate);
    if let Some(end) = new.expires_at {
        let message = "The end must be in the future and at most one year ahead.";
        checks.require(
            now < end && end <= now + LONGEST_LIFE,
            UserErrorCode::OutOfRange,
            "input.expiresAt",
            message,
        );
    }
    checks.finish().map(|()| new)
}

fn row(tx: &Tx, user_id: UserId, new: &NewToken, secret: &str) -> Result<api_token::ActiveModel> {
    Ok(api_token::ActiveModel {
        id: Set(tx.ids().next()),
        user_id: Set(user_id),
        workspace_id: Set(new.workspace_id),
        name: Set(new.name.clone()),
        prefix: Set(secret.chars().take(8).collect()),
        token_hash: Set(token_hash(secret)),
        scopes: Set(serde_json::to_value(&new.scopes).map_err(Error::internal)?),
        last_used_at: Set(None),
        expires_at: Set(new.expires_at),
        revoked_at: Set(None),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    })
}

/// What a token may do, in the order it was asked for.
pub fn scopes_of(token: &api_token::Model) -> Vec<ApiTokenScope> {
    serde_json::from_value(token.scopes.clone()).unwrap_or_default()
}

/// Takes an API token of the caller back; its open sockets close. A token may always take itself back.
pub async fn revoke_token(platform: &Platform, caller: &Caller, id: ApiTokenId) -> Result<()> {
    let own = caller.actor().api_token_id == Some(id);
    let user_id = if own {
        caller.require_user()?
    } else {
        caller.require_personal(ApiTokenScope::Admin)?
    };
    let read = platform.db.read(Scope::System).await?;
    let token = mine(&read, user_id)
        .filter(api_token::Column::Id.eq(id))
        .one(&read)
        .await?
        .ok_or_else(Error::not_found)?;
    drop(read);
    let home = home_of(platform, user_id, token.workspace_id).await?;
    let body = |tx: Tx| async move {
        let update = tx
            .update_global::<api_token::Entity>()
            .col_expr(api_token::Column::RevokedAt, Expr::val(tx.now()))
            .col_expr(api_token::Column::UpdatedAt, Expr::val(tx.now()))
            .filter(api_token::Column::Id.eq(id))
            .filter(api_token::Column::RevokedAt.is_null());
        if update.exec(tx.conn()).await?.rows_affected == 0 {
            return Err(Error::not_found());
        }
        record(&tx, "api_token.revoked", id, None);
        tx.announce(Topic::Revoked(user_id), &())
    };
    platform.write(Scope::Workspace(home), caller.actor(), body).await
}

/// API tokens of the caller that are not revoked, newest first. A token that is limited to a workspace is told only those of the same limit.
pub async fn list_tokens(platform: &Platform, caller: &Caller) -> Result<Vec<api_token::Model>> {
    let user_id = caller.require_user()?;
    let read = platform.db.read(Scope::System).await?;
    let mut select = mine(&read, user_id);
    if let Some(limit) = caller.workspace_limit() {
        select = select.filter(api_token::Column::WorkspaceId.eq(limit));
    }
    Ok(select
        .order_by_desc(api_token::Column::CreatedAt)
        .order_by_desc(api_token::Column::Id)
        .all(&read)
        .await?)
}

/// The tokens that exist among these, revoked ones too: for those who may read the audit log that names them.
pub async fn get_tokens(platform: &Platform, ids: &[ApiTokenId]) -> Result<Vec<api_token::Model>> {
    let read = platform.db.read(Scope::System).await?;
    Ok(read
        .find_global::<api_token::Entity>()
        .filter(api_token::Column::Id.is_in(ids.iter().copied()))
        .all(&read)
        .await?)
}

fn mine(read: &Read, user_id: UserId) -> sea_orm::Select<api_token::Entity> {
    let select = read
        .find_global::<api_token::Entity>()
        .filter(api_token::Column::UserId.eq(user_id));
    select.filter(api_token::Column::RevokedAt.is_null())
}

fn record(tx: &Tx, action: &'static str, id: ApiTokenId, changes: Option<serde_json::Value>) {
    tx.audit(Audit {
        action,
        entity_type: "ApiToken",
        entity_id: id.uuid(),
        changes,
    });
}

/// The workspace whose audit log has the token: the one it is limited to, or its person's own.
async fn home_of(platform: &Platform, user_id: UserId, limit: Option<WorkspaceId>) -> Result<WorkspaceId> {
    match limit {
        Some(limit) => Ok(limit),
        None => home(platform, user_id).await,
    }
}

/// A person's own workspace, whose audit log has what happens to them; else the first they belong to.
pub async fn home(platform: &Platform, user_id: UserId) -> Result<WorkspaceId> {
    home_in(&platform.db.read(Scope::System).await?, user_id).await
}

/// [`home`] inside an open read or transaction that is beside all workspaces.
pub async fn home_in(read: &Read, user_id: UserId) -> Result<WorkspaceId> {
    let mine = Query::select()
        .column(membership::Column::WorkspaceId)
        .from(membership::Entity)
        .and_where(membership::Column::UserId.eq(user_id))
        .take();
    let select = read
        .find::<workspace::Entity>()
        .filter(workspace::Column::Id.in_subquery(mine));
    let personal = workspace::Column::Type.eq(WorkspaceType::Personal);
    let select = select
        .select_only()
        .column(workspace::Column::Id)
        .order_by_desc(personal)
        .order_by_asc(workspace::Column::Id);
    let id: Option<WorkspaceId> = select.into_tuple().one(read).await?;
    id.ok_or_else(|| Error::internal("a person without a workspace"))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn the_secret_of_a_token_is_never_printed() {
        let token = api_token::Model {
            id: ApiTokenId(uuid::Uuid::nil()),
            user_id: UserId(uuid::Uuid::nil()),
            workspace_id: None,
            name: "test".into(),
            prefix: "mrd_hunt".into(),
            token_hash: Vec::new(),
            scopes: serde_json::json!(["READ"]),
            last_used_at: None,
            expires_at: None,
            revoked_at: None,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        };
        let created = CreatedToken {
            token,
            secret: "mrd_hunter2".into(),
        };
        assert!(!format!("{created:?}").contains("hunter2"));
    }
}
