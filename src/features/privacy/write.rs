//! Erasing a person: out of their teams one after the other, each leaving its trace there, then everything that is theirs at once.

mod inside;

use entity::enums::{ApiTokenScope, WorkspaceRole, WorkspaceType};
use entity::ids::{MembershipId, UserId, WorkspaceId};
use entity::{job, membership, user, workspace};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, PaginatorTrait as _, QueryFilter as _, Statement};

use super::read::{comparison, home_in};
use super::registry::{Concern, TABLES};
use crate::access::{Access, Ctx};
use crate::features::{letters, people, workspaces};
use crate::kernel::actor::Actor;
use crate::kernel::changes::Topic;
use crate::kernel::text;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::Platform;
use crate::platform::db::{Read, Scope, Tx};

/// Letters that one statement deletes.
const LETTERS: usize = 500;

/// Deletes the caller. `confirm_email` must be their address.
pub async fn delete_viewer(access: &Access, confirm_email: &str) -> Result<UserId> {
    let user_id = access.caller().require_personal(ApiTokenScope::Admin)?;
    let platform = access.platform();
    let person = people::find(platform, user_id)
        .await?
        .ok_or_else(Error::unauthenticated)?;
    if text::email(confirm_email).as_deref() != Some(person.email.as_str()) {
        let message = "This is not your e-mail address.";
        return Err(Error::user(UserErrorCode::Invalid, "confirmEmail", message));
    }
    let teams = teams_to_leave(platform, user_id).await?;
    for (workspace, membership) in teams {
        // Only the last transaction answers for the request as a whole.
        let part = access.ctx(workspace).await?.in_part();
        workspaces::remove_member(&part, membership).await?;
    }
    access.refresh().await;
    erase_rest(platform, access.caller().actor(), user_id).await?;
    Ok(user_id)
}

/// Deletes a person on behalf of the operator.
pub async fn erase(platform: &Platform, user_id: UserId) -> Result<()> {
    people::find(platform, user_id)
        .await?
        .ok_or_else(Error::not_found)?;
    for (workspace, membership) in teams_to_leave(platform, user_id).await? {
        workspaces::remove_member(&Ctx::system(platform, workspace), membership).await?;
    }
    erase_rest(platform, Actor::system(), user_id).await
}

/// The memberships in teams; LAST_OWNER when one would be left without an owner, before anything is done.
async fn teams_to_leave(platform: &Platform, user_id: UserId) -> Result<Vec<(WorkspaceId, MembershipId)>> {
    let read = platform.db.read(Scope::System).await?;
    let mine = read
        .find::<membership::Entity>()
        .filter(membership::Column::UserId.eq(user_id));
    let mut teams = Vec::new();
    let mut orphans = Vec::new();
    for row in mine.all(&read).await? {
        let place = read
            .find::<workspace::Entity>()
            .filter(workspace::Column::Id.eq(row.workspace_id));
        let Some(place) = place
            .one(&read)
            .await?
            .filter(|place| place.r#type == WorkspaceType::Team)
        else {
            continue;
        };
        if row.role == WorkspaceRole::Owner && !has_other_owner(&read, &row).await? {
            orphans.push(place.slug);
        }
        teams.push((row.workspace_id, row.id));
    }
    if orphans.is_empty() {
        return Ok(teams);
    }
    let message = format!(
        "You are the only owner of {}. Make somebody else an owner or delete it first.",
        orphans.join(", ")
    );
    Err(Error::user(UserErrorCode::LastOwner, "", message))
}

async fn has_other_owner(read: &Read, own: &membership::Model) -> Result<bool> {
    let others = read
        .find::<membership::Entity>()
        .filter(membership::Column::WorkspaceId.eq(own.workspace_id))
        .filter(membership::Column::Role.eq(WorkspaceRole::Owner))
        .filter(membership::Column::Id.ne(own.id));
    Ok(others.count(read).await? > 0)
}

/// What is left once the teams are left, in one transaction.
async fn erase_rest(platform: &Platform, actor: Actor, user_id: UserId) -> Result<()> {
    let person = people::find(platform, user_id)
        .await?
        .ok_or_else(Error::not_found)?;
    // Opened before the transaction, which may hold up everybody else.
    let letters = letters::jobs_about(platform, &person.email, &person.name).await?;
    let letters = letters.as_slice();
    let body = |tx: Tx| async move {
        let select = tx
            .find_global::<user::Entity>()
            .filter(user::Column::Id.eq(user_id));
        let person = select.one(tx.conn()).await?.ok_or_else(Error::not_found)?;
        let mine = tx
            .find::<membership::Entity>()
            .filter(membership::Column::UserId.eq(user_id));
        let home = home_in(&tx, user_id).await?;
        if mine.count(tx.conn()).await? > u64::from(home.is_some()) {
            // Somebody made them a member again in the meantime: to be tried again.
            let message = "You have joined a workspace in the meantime. Try again.";
            return Err(Error::user(UserErrorCode::InvalidState, "", message));
        }
        if let Some(home) = home {
            let delete = tx.delete_many::<workspace::Entity>();
            delete
                .filter(workspace::Column::Id.eq(home))
                .exec(tx.conn())
                .await?;
        }
        for ids in letters.chunks(LETTERS) {
            let delete = tx.delete_many::<job::Entity>();
            delete
                .filter(job::Column::Id.is_in(ids.iter().copied()))
                .exec(tx.conn())
                .await?;
        }
        inside::forget(&tx, user_id, &person.email).await?;
        for table in TABLES {
            for concern in table.concerns {
                let what = match *concern {
                    Concern::Deleted(_)
                    | Concern::DeletedByAddress(_)
                    | Concern::DeletedByStart(..)
                    | Concern::Caused(_) => format!("DELETE FROM {}", table.name),
                    Concern::Emptied(_, columns) => {
                        format!("UPDATE {} SET {} = NULL", table.name, columns.join(" = NULL, "))
                    }
                    Concern::Goes(_)
                    | Concern::Cleared(_)
                    | Concern::DeletedByLetter(_)
                    | Concern::Kept(..) => continue,
                };
                let Some((text, value)) = comparison(*concern, user_id, &person.email) else {
                    continue;
                };
                let place = if tx.is_postgres() { "$1" } else { "?" };
                let sql = format!("{what} WHERE {text} = {place}");
                let backend = tx.conn().get_database_backend();
                tx.conn()
                    .execute_raw(Statement::from_sql_and_values(backend, sql, [value]))
                    .await?;
            }
        }
        let delete = tx
            .delete_global::<user::Entity>()
            .filter(user::Column::Id.eq(user_id));
        delete.exec(tx.conn()).await?;
        tx.announce(Topic::Revoked(user_id), &())
    };
    platform.write(Scope::System, actor, body).await?;
    tracing::info!(user = %user_id, "a person was erased");
    Ok(())
}
