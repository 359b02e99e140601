//! Commands on memberships. Whatever changes who owns a workspace holds its lock, so that two owners cannot leave at once.

use entity::enums::{ChangeAction, IntegrationStatus, WorkspaceRole, WorkspaceType};
use entity::ids::{MembershipId, TypedId as _, UserId};
use entity::{integration, membership, user_preferences, workspace};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, Set,
};
use serde_json::{Value, json};

use super::super::rules;
use crate::access::Ctx;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::changes::{ObjectType, Topic};
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::{Audit, Tx};

/// Makes somebody a member of a team workspace. Returns the membership that exists when they are one already.
pub async fn add_member(ctx: &Ctx, user_id: UserId, role: WorkspaceRole) -> Result<membership::Model> {
    ctx.require(Action::Manage, Resource::Member)?;
    rules::check_power(ctx.role(), role, None)?;
    ctx.write(|tx| async move {
        tx.lock_workspace().await?;
        let workspace = tx
            .find::<workspace::Entity>()
            .one(tx.conn())
            .await?
            .ok_or_else(Error::not_found)?;
        if workspace.r#type == WorkspaceType::Personal {
            let message = "A personal workspace has no other members.";
            return Err(Error::user(UserErrorCode::InvalidState, "", message));
        }
        let existing = tx
            .find::<membership::Entity>()
            .filter(membership::Column::UserId.eq(user_id));
        match existing.one(tx.conn()).await? {
            Some(member) => Ok(member),
            None => insert(&tx, user_id, role).await,
        }
    })
    .await
}

/// Stores a membership as part of a transaction that holds the workspace's lock.
pub async fn insert(tx: &Tx, user_id: UserId, role: WorkspaceRole) -> Result<membership::Model> {
    let row = membership::ActiveModel {
        id: Set(tx.ids().next()),
        user_id: Set(user_id),
        role: Set(role),
        joined_at: Set(tx.now()),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    };
    let member = tx.insert(row).await?;
    let changes = json!({ "userId": user_id, "role": { "from": null, "to": role } });
    record(tx, "member.added", ChangeAction::Created, member.id, changes);
    Ok(member)
}

/// Changes the role of a member.
pub async fn update_role(ctx: &Ctx, id: MembershipId, role: WorkspaceRole) -> Result<membership::Model> {
    ctx.require(Action::Manage, Resource::Member)?;
    ctx.write(|tx| async move {
        tx.lock_workspace().await?;
        let before = find(&tx, id).await?;
        rules::check_power(ctx.role(), before.role, Some(role))?;
        if before.role == role {
            return Ok(before);
        }
        if before.role == WorkspaceRole::Owner {
            require_other_owner(&tx, id).await?;
        }
        let mut row = before.clone();
        row.role = role;
        row.version += 1;
        row.updated_at = tx.now();
        let stored = tx.update(row.into_active_model().reset_all()).await?;
        let changes = json!({ "userId": stored.user_id, "role": { "from": before.role, "to": role } });
        record(&tx, "member.role_changed", ChangeAction::Updated, id, changes);
        Ok(stored)
    })
    .await
}

/// Removes a member; people may always remove themselves. Their open sockets check at once what they may still see.
pub async fn remove(ctx: &Ctx, id: MembershipId) -> Result<()> {
    // What an API token may not do to others, it may not do to its own person either.
    ctx.require_scope(Action::Manage, Resource::Member)?;
    ctx.write(|tx| async move {
        tx.lock_workspace().await?;
        let member = find(&tx, id).await?;
        if ctx.user_id() != Some(member.user_id) {
            ctx.require(Action::Manage, Resource::Member)?;
            rules::check_power(ctx.role(), member.role, None)?;
        }
        if member.role == WorkspaceRole::Owner {
            require_other_owner(&tx, id).await?;
        }
        tx.delete_many::<membership::Entity>()
            .filter(membership::Column::Id.eq(id))
            .exec(tx.conn())
            .await?;
        tx.update_global::<user_preferences::Entity>()
            .col_expr(
                user_preferences::Column::DefaultWorkspaceId,
                Expr::val(None::<uuid::Uuid>),
            )
            .filter(user_preferences::Column::UserId.eq(member.user_id))
            .filter(user_preferences::Column::DefaultWorkspaceId.eq(ctx.workspace_id()))
            .exec(tx.conn())
            .await?;
        drop_credentials(&tx, member.user_id).await?;
        let changes = json!({ "userId": member.user_id, "role": { "from": member.role, "to": null } });
        record(&tx, "member.removed", ChangeAction::Deleted, id, changes);
        tx.announce(Topic::Revoked(member.user_id), &())
    })
    .await
}

/// Credentials are personal: what a former member connected stops syncing until a member connects it again.
async fn drop_credentials(tx: &Tx, user_id: UserId) -> Result<()> {
    use integration::{Column, Entity};
    let theirs = tx.find::<Entity>().filter(Column::OwnerId.eq(user_id));
    for row in theirs.all(tx.conn()).await? {
        let mut row = row.into_active_model();
        row.status = Set(IntegrationStatus::NeedsReauth);
        row.sealed_credentials = Set(None);
        row.next_sync_at = Set(None);
        row.last_error = Set(Some(
            "Who connected this calendar has left the workspace. Connect it again.".into(),
        ));
        row.version = Set(row.version.take().unwrap_or_default() + 1);
        row.updated_at = Set(tx.now());
        let row = tx.update(row).await?;
        let id = row.id.uuid();
        let changes = json!({ "status": { "to": row.status } });
        tx.audit(Audit {
            action: "integration.cut_off",
            entity_type: "Integration",
            entity_id: id,
            changes: Some(changes),
        });
        tx.change(ChangeAction::Updated, ObjectType::Integration, id);
    }
    Ok(())
}

async fn find(tx: &Tx, id: MembershipId) -> Result<membership::Model> {
    let select = tx
        .find::<membership::Entity>()
        .filter(membership::Column::Id.eq(id));
    select.one(tx.conn()).await?.ok_or_else(Error::not_found)
}

async fn require_other_owner(tx: &Tx, id: MembershipId) -> Result<()> {
    let others = tx
        .find::<membership::Entity>()
        .filter(membership::Column::Role.eq(WorkspaceRole::Owner))
        .filter(membership::Column::Id.ne(id));
    if others.count(tx.conn()).await? == 0 {
        Err(rules::last_owner())
    } else {
        Ok(())
    }
}

fn record(tx: &Tx, action: &'static str, change: ChangeAction, id: MembershipId, changes: Value) {
    tx.audit(Audit {
        action,
        entity_type: "WorkspaceMember",
        entity_id: id.uuid(),
        changes: Some(changes),
    });
    tx.change(change, ObjectType::WorkspaceMember, id.uuid());
}
