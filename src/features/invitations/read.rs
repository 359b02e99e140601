//! Questions about invitations.

use entity::ids::{InvitationId, WorkspaceId};
use entity::invitation::{self, Column, Entity};
use entity::{user, workspace};
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QueryOrder as _};

use crate::access::{Access, Ctx, token_hash};
use crate::features::people;
use crate::kernel::Result;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::time::Instant;
use crate::platform::db::{Read, Scope, among};

/// What makes an invitation open.
pub(super) fn is_open(now: Instant) -> Condition {
    unanswered().add(Column::ExpiresAt.gt(now))
}

/// Neither accepted, declined nor revoked; perhaps over.
pub(super) fn unanswered() -> Condition {
    Condition::all()
        .add(Column::AcceptedAt.is_null())
        .add(Column::DeclinedAt.is_null())
        .add(Column::RevokedAt.is_null())
}

/// Open invitations to a workspace, oldest first.
pub async fn open(ctx: &Ctx) -> Result<Vec<invitation::Model>> {
    ctx.require(Action::Manage, Resource::Member)?;
    let read = ctx.read().await?;
    let select = read.find::<Entity>().filter(is_open(ctx.platform().clock.now()));
    Ok(select.order_by_asc(Column::Id).all(&read).await?)
}

/// Open invitations to the caller's own proven address, oldest first.
pub async fn of_viewer(access: &Access) -> Result<Vec<invitation::Model>> {
    let Some(person) = proven(access).await? else {
        return Ok(Vec::new());
    };
    let read = access.platform().db.read(Scope::System).await?;
    let select = read
        .find::<Entity>()
        .filter(Column::Email.eq(person.email))
        .filter(is_open(access.platform().clock.now()));
    Ok(select.order_by_asc(Column::Id).all(&read).await?)
}

/// The caller, when their address is proven and their credentials reach beyond one workspace.
async fn proven(access: &Access) -> Result<Option<user::Model>> {
    let user_id = access.caller().require_user()?;
    if access.caller().workspace_limit().is_some() {
        return Ok(None);
    }
    let person = people::find(access.platform(), user_id).await?;
    Ok(person.filter(|person| person.email_verified_at.is_some()))
}

/// The open invitations among these that the caller may see, with the workspaces they lead to: their own, and those of workspaces whose
/// members they manage.
pub async fn get_many(access: &Access, ids: &[InvitationId]) -> Result<Vec<invitation::Model>> {
    let own = proven(access).await?.map(|person| person.email);
    // Before it is known whether there is anything: looking for what others have must not cost more.
    access.memberships().await?;
    let rows = {
        let read = access.platform().db.read(Scope::System).await?;
        let select = read
            .find::<Entity>()
            .filter(among(&read, Column::Id, ids.iter().copied()));
        select
            .filter(is_open(access.platform().clock.now()))
            .all(&read)
            .await?
    };
    let mut visible = Vec::new();
    for row in rows {
        if own.as_deref() == Some(row.email.as_str()) || manages(access, row.workspace_id).await? {
            visible.push(row);
        }
    }
    Ok(visible)
}

async fn manages(access: &Access, workspace: WorkspaceId) -> Result<bool> {
    match access.ctx(workspace).await {
        Ok(ctx) => Ok(ctx.may(Action::Manage, Resource::Member)),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// The workspaces that invitations lead to, as far as the caller may see the invitations.
pub async fn workspaces_of(
    access: &Access,
    ids: &[InvitationId],
) -> Result<Vec<(InvitationId, workspace::Model)>> {
    let visible = get_many(access, ids).await?;
    let wanted = visible.iter().map(|row| row.workspace_id);
    let read = access.platform().db.read(Scope::System).await?;
    let select = read
        .find::<workspace::Entity>()
        .filter(workspace::Column::Id.is_in(wanted));
    let found = select.all(&read).await?;
    let place = |row: &invitation::Model| {
        let workspace = found.iter().find(|workspace| workspace.id == row.workspace_id);
        workspace.map(|workspace| (row.id, workspace.clone()))
    };
    Ok(visible.iter().filter_map(place).collect())
}

/// The open invitation with this token.
pub(super) async fn by_token(read: &Read, token: &str, now: Instant) -> Result<Option<invitation::Model>> {
    let select = read
        .find::<Entity>()
        .filter(Column::TokenHash.eq(token_hash(token)));
    Ok(select.filter(is_open(now)).one(read).await?)
}
