//! Commands on invitations. Whoever changes who may come in holds the workspace's lock.

use entity::enums::{ApiTokenScope, NotificationChannel, NotificationType, WorkspaceRole, WorkspaceType};
use entity::ids::{InvitationId, TypedId as _, UserId, WorkspaceId};
use entity::invitation::{self, Column, Entity};
use entity::{membership, user};
use sea_orm::{ColumnTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, Set};
use serde_json::json;

use super::{read, rules};
use crate::access::{Access, Ctx, secret, token_hash};
use crate::features::letters::{self, Letter, Sealed};
use crate::features::notifications::{self, NewNotification};
use crate::features::{people, workspaces};
use crate::kernel::actions::{self, Action, Resource};
use crate::kernel::changes::ObjectType;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::{Audit, Scope, Tx};

/// Somebody to invite, with the letter they get.
#[derive(Clone)]
struct Guest {
    email: String,
    token: String,
    letter: Sealed,
    /// Who they are here, when somebody has proven the address.
    known: Option<UserId>,
}

/// Invites people by e-mail. An address that is invited already gets a new letter, and only that one counts.
pub async fn invite(ctx: &Ctx, emails: &[String], role: WorkspaceRole) -> Result<Vec<invitation::Model>> {
    ctx.require(Action::Manage, Resource::Member)?;
    workspaces::check_power(ctx.role(), role, None)?;
    let emails = rules::addresses(emails)?;
    let refuse = |message: &str| Err(Error::user(UserErrorCode::InvalidState, "input", message));
    if !letters::can_send(ctx.platform()) {
        return refuse("This server cannot send e-mail. Its operator sets MERIDIAN_SMTP_URL.");
    }
    let workspace = workspaces::get(ctx).await?;
    if workspace.r#type == WorkspaceType::Personal {
        return refuse("A personal workspace has no other members.");
    }
    let inviter = match ctx.user_id() {
        Some(id) => people::find(ctx.platform(), id).await?,
        None => None,
    };
    let mut guests = Vec::with_capacity(emails.len());
    for email in emails {
        letters::spare(ctx.platform(), &email).await?;
        guests.push(guest(ctx, email, &workspace.name, inviter.as_ref()).await?);
    }
    let title = match &inviter {
        Some(inviter) => format!("{} invites you to {}", inviter.name, workspace.name),
        None => format!("You are invited to {}", workspace.name),
    };
    ctx.write(|tx| {
        let (guests, title) = (guests.clone(), title.clone());
        async move {
            tx.lock_workspace().await?;
            let mut stored = Vec::with_capacity(guests.len());
            for (index, guest) in guests.into_iter().enumerate() {
                if is_member(&tx, guest.known).await? {
                    let path = format!("input.emails.{index}");
                    return Err(Error::user(
                        UserErrorCode::Taken,
                        &path,
                        "This person is a member already.",
                    ));
                }
                stored.push(invite_in(&tx, &guest, role).await?);
                letters::enqueue_in(&tx, &guest.letter, Some(ctx.workspace_id())).await?;
                if let Some(user_id) = guest.known {
                    // Their letter is the invitation itself.
                    let told = notification(user_id, &title, stored.last());
                    notifications::notify_over_in(&tx, told, NotificationChannel::InApp).await?;
                }
            }
            let open = tx.find::<Entity>().filter(read::is_open(tx.now()));
            if open.count(tx.conn()).await? > rules::MAX_OPEN {
                let message = format!(
                    "There are {} open invitations. Withdraw some first.",
                    rules::MAX_OPEN
                );
                return Err(Error::user(UserErrorCode::LimitReached, "input.emails", message));
            }
            Ok(stored)
        }
    })
    .await
}

async fn guest(ctx: &Ctx, email: String, workspace: &str, inviter: Option<&user::Model>) -> Result<Guest> {
    let token = secret()?;
    let letter = Letter::Invitation {
        link: ctx
            .platform()
            .config
            .sign_in
            .app_link("invitation", &token)
            .into(),
        workspace: workspace.to_owned(),
        inviter: inviter.map(|person| person.name.clone()),
        days: rules::LIFE.num_days(),
    };
    let letter = letters::seal(ctx.platform(), &email, None, letter)?;
    let known = people::find_by_email(ctx.platform(), &email).await?;
    Ok(Guest {
        email,
        token,
        letter,
        known: known
            .filter(|person| person.email_verified_at.is_some())
            .map(|person| person.id),
    })
}

async fn is_member(tx: &Tx, person: Option<UserId>) -> Result<bool> {
    let Some(person) = person else { return Ok(false) };
    let select = tx
        .find::<membership::Entity>()
        .filter(membership::Column::UserId.eq(person));
    Ok(select.one(tx.conn()).await?.is_some())
}

async fn invite_in(tx: &Tx, guest: &Guest, role: WorkspaceRole) -> Result<invitation::Model> {
    let same = tx.find::<Entity>().filter(Column::Email.eq(guest.email.as_str()));
    let earlier = same.filter(read::unanswered()).one(tx.conn()).await?;
    let stored = match earlier {
        Some(row) => {
            let mut row = row.into_active_model();
            row.role = Set(role);
            row.invited_by = Set(tx.actor().user_id);
            row.token_hash = Set(token_hash(&guest.token));
            row.expires_at = Set(tx.now() + rules::LIFE);
            row.updated_at = Set(tx.now());
            tx.update(row).await?
        }
        None => {
            let row = invitation::ActiveModel {
                id: Set(tx.ids().next()),
                email: Set(guest.email.clone()),
                role: Set(role),
                invited_by: Set(tx.actor().user_id),
                token_hash: Set(token_hash(&guest.token)),
                expires_at: Set(tx.now() + rules::LIFE),
                accepted_at: Set(None),
                declined_at: Set(None),
                revoked_at: Set(None),
                created_at: Set(tx.now()),
                updated_at: Set(tx.now()),
                ..Default::default()
            };
            tx.insert(row).await?
        }
    };
    record(tx, "invitation.sent", &stored);
    Ok(stored)
}

fn notification(user_id: UserId, title: &str, invitation: Option<&invitation::Model>) -> NewNotification {
    NewNotification {
        user_id,
        // Who is invited cannot enter it yet.
        workspace_id: None,
        r#type: NotificationType::WorkspaceInvitation,
        title: title.to_owned(),
        body: None,
        subject: invitation.map(|row| (ObjectType::WorkspaceInvitation, row.id.uuid())),
        dedup_key: invitation.map(|row| format!("invitation:{}", row.id)),
    }
}

fn record(tx: &Tx, action: &'static str, row: &invitation::Model) {
    tx.audit(Audit {
        action,
        entity_type: "WorkspaceInvitation",
        entity_id: row.id.uuid(),
        changes: Some(json!({ "role": row.role })),
    });
}

/// Withdraws an open invitation.
pub async fn revoke(ctx: &Ctx, id: InvitationId) -> Result<()> {
    ctx.require(Action::Manage, Resource::Member)?;
    ctx.write(|tx| async move {
        tx.lock_workspace().await?;
        let select = tx
            .find::<Entity>()
            .filter(Column::Id.eq(id))
            .filter(read::unanswered());
        let row = select.one(tx.conn()).await?.ok_or_else(Error::not_found)?;
        let mut row = row.into_active_model();
        row.revoked_at = Set(Some(tx.now()));
        row.updated_at = Set(tx.now());
        record(&tx, "invitation.revoked", &tx.update(row).await?);
        Ok(())
    })
    .await
}

/// Joins the workspace of an invitation; returns it.
pub async fn accept(access: &Access, token: &str) -> Result<WorkspaceId> {
    let user_id = access.caller().require_personal(ApiTokenScope::Admin)?;
    let (workspace, id) = find(access, token).await?;
    let body = |tx: Tx| async move {
        tx.lock_workspace().await?;
        let row = open_in(&tx, id, token).await?;
        may_still_be_given(&tx, &row).await?;
        if !is_member(&tx, Some(user_id)).await? {
            workspaces::join_in(&tx, user_id, row.role).await?;
        }
        let mut row = row.into_active_model();
        row.accepted_at = Set(Some(tx.now()));
        row.updated_at = Set(tx.now());
        record(&tx, "invitation.accepted", &tx.update(row).await?);
        Ok(())
    };
    access
        .platform()
        .write(Scope::Workspace(workspace), access.caller().actor(), body)
        .await?;
    access.refresh().await;
    Ok(workspace)
}

/// Turns an invitation down; returns which.
pub async fn decline(access: &Access, token: &str) -> Result<InvitationId> {
    access.caller().require_personal(ApiTokenScope::Admin)?;
    let (workspace, id) = find(access, token).await?;
    let body = |tx: Tx| async move {
        tx.lock_workspace().await?;
        let mut row = open_in(&tx, id, token).await?.into_active_model();
        row.declined_at = Set(Some(tx.now()));
        row.updated_at = Set(tx.now());
        record(&tx, "invitation.declined", &tx.update(row).await?);
        Ok(id)
    };
    access
        .platform()
        .write(Scope::Workspace(workspace), access.caller().actor(), body)
        .await
}

async fn find(access: &Access, token: &str) -> Result<(WorkspaceId, InvitationId)> {
    let read = access.platform().db.read(Scope::System).await?;
    let found = read::by_token(&read, token, access.platform().clock.now()).await?;
    let found = found.ok_or_else(rules::invalid)?;
    Ok((found.workspace_id, found.id))
}

/// The invitation under the workspace's lock: still open, and not sent anew since.
async fn open_in(tx: &Tx, id: InvitationId, token: &str) -> Result<invitation::Model> {
    let found = read::by_token(tx, token, tx.now()).await?;
    found.filter(|row| row.id == id).ok_or_else(rules::invalid)
}

/// An invitation gives what whoever sent it may give now: nothing, once they have left or lost their role.
async fn may_still_be_given(tx: &Tx, row: &invitation::Model) -> Result<()> {
    let inviter = row.invited_by.ok_or_else(rules::invalid)?;
    let select = tx
        .find::<membership::Entity>()
        .filter(membership::Column::UserId.eq(inviter));
    let role = select.one(tx.conn()).await?.ok_or_else(rules::invalid)?.role;
    let may = actions::allows(role, Action::Manage, Resource::Member)
        && workspaces::check_power(role, row.role, None).is_ok();
    if may { Ok(()) } else { Err(rules::invalid()) }
}
