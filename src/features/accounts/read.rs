//! Questions about accounts. Each caller sees their own only.

use entity::account::{self, Column, Entity};
use entity::ids::AccountId;
use entity::{invitation, membership};
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};

use crate::access::Access;
use crate::access::oidc::Verified;
use crate::kernel::Result;
use crate::kernel::actions::{self, Action, Resource};
use crate::kernel::time::Instant;
use crate::platform::db::{Read, Scope};

/// Accounts of the caller, oldest first. A token that is limited to one workspace is told none.
pub async fn list(access: &Access) -> Result<Vec<account::Model>> {
    let user_id = access.caller().require_user()?;
    if access.caller().workspace_limit().is_some() {
        return Ok(Vec::new());
    }
    let read = access.platform().db.read(Scope::System).await?;
    let select = read.find_global::<Entity>().filter(Column::UserId.eq(user_id));
    Ok(select.order_by_asc(Column::Id).all(&read).await?)
}

/// Those of the caller among these.
pub async fn get_many(access: &Access, ids: &[AccountId]) -> Result<Vec<account::Model>> {
    let mut rows = list(access).await?;
    rows.retain(|row| ids.contains(&row.id));
    Ok(rows)
}

/// The account of an identity, if it was seen before.
pub(super) async fn find(read: &Read, who: &Verified) -> Result<Option<account::Model>> {
    // The kind of an issuer follows from the operator's name for it, which may change; without an issuer the provider is this server.
    let home = match &who.issuer {
        Some(issuer) => Column::Issuer.eq(issuer.as_str()),
        None => Column::Issuer.is_null().and(Column::Provider.eq(who.provider)),
    };
    let select = read.find_global::<Entity>().filter(home);
    Ok(select
        .filter(Column::Subject.eq(who.subject.as_str()))
        .one(read)
        .await?)
}

/// Whether an open invitation waits for this address, from somebody who may still invite.
pub(super) async fn is_invited(read: &Read, email: &str, now: Instant) -> Result<bool> {
    let open = read
        .find::<invitation::Entity>()
        .filter(invitation::Column::Email.eq(email))
        .filter(invitation::Column::AcceptedAt.is_null())
        .filter(invitation::Column::DeclinedAt.is_null())
        .filter(invitation::Column::RevokedAt.is_null())
        .filter(invitation::Column::ExpiresAt.gt(now));
    for row in open.all(read).await? {
        let Some(inviter) = row.invited_by else { continue };
        let select = read
            .find::<membership::Entity>()
            .filter(membership::Column::WorkspaceId.eq(row.workspace_id))
            .filter(membership::Column::UserId.eq(inviter));
        let role = select.one(read).await?.map(|membership| membership.role);
        if role.is_some_and(|role| actions::allows(role, Action::Manage, Resource::Member)) {
            return Ok(true);
        }
    }
    Ok(false)
}
