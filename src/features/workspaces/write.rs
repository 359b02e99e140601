//! Commands on a workspace itself; beside it those that found one and those on its members.

mod found;
mod members;

use entity::enums::{ChangeAction, WorkspaceType};
use entity::ids::TypedId as _;
use entity::{membership, workspace, workspace_counter};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QuerySelect as _,
};

use super::model::WorkspacePatch;
use super::rules;
use crate::access::Ctx;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::changes::{Committed, ObjectType, Topic};
use crate::kernel::text::Checks;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::{Audit, Hold as _, Tx, is_unique_violation};

pub use found::{create, create_personal, sign_up};
pub use members::{add_member, insert as join_in, remove as remove_member, update_role};
/// Changes a workspace.
pub async fn update(ctx: &Ctx, patch: WorkspacePatch) -> Result<workspace::Model> {
    ctx.require(Action::Edit, Resource::Workspace)?;
    let mut checks = Checks::default();
    let name = patch
        .name
        .as_deref()
        .map(|name| checks.title("input.name", name, rules::MAX_NAME));
    if let Some(slug) = &patch.slug {
        rules::check_slug(&mut checks, "input.slug", slug);
    }
    checks.finish()?;
    let patch = WorkspacePatch { name, ..patch };
    let result = ctx.write(|tx| {
        let patch = patch.clone();
        async move { update_in(&tx, patch).await }
    });
    result.await.map_err(|error| {
        if is_unique_violation(&error) {
            rules::slug_taken()
        } else {
            error
        }
    })
}

async fn update_in(tx: &Tx, patch: WorkspacePatch) -> Result<workspace::Model> {
    let mine = tx.find::<workspace::Entity>().hold();
    let before = mine.one(tx.conn()).await?.ok_or_else(Error::not_found)?;
    let mut row = before.clone();
    row.name = patch.name.unwrap_or(row.name);
    row.slug = patch.slug.unwrap_or(row.slug);
    row.time_zone = patch.time_zone.unwrap_or(row.time_zone);
    if row == before {
        return Ok(row);
    }
    row.version += 1;
    row.updated_at = tx.now();
    let stored = tx.update(row.into_active_model().reset_all()).await?;
    let (entity_id, changes) = (stored.id.uuid(), Some(rules::audit_diff(&before, &stored)));
    tx.audit(Audit {
        action: "workspace.updated",
        entity_type: "Workspace",
        entity_id,
        changes,
    });
    tx.change(ChangeAction::Updated, ObjectType::Workspace, entity_id);
    Ok(stored)
}

/// Deletes a team workspace with all its data. `confirm_slug` must be its URL name.
pub async fn delete(ctx: &Ctx, confirm_slug: &str) -> Result<()> {
    ctx.require(Action::Destroy, Resource::Workspace)?;
    ctx.write(|tx| async move {
        let row = lock(&tx).await?;
        if row.r#type == WorkspaceType::Personal {
            let message = "A personal workspace goes only with its person.";
            return Err(Error::user(UserErrorCode::InvalidState, "id", message));
        }
        if row.slug != confirm_slug {
            let message = "This is not the URL name of the workspace.";
            return Err(Error::user(UserErrorCode::Invalid, "confirmSlug", message));
        }
        let members = tx.find::<membership::Entity>().all(tx.conn()).await?;
        let counter = tx
            .find::<workspace_counter::Entity>()
            .one(tx.conn())
            .await?
            .ok_or_else(Error::not_found)?;
        tx.delete_many::<workspace::Entity>()
            .filter(workspace::Column::Id.eq(row.id))
            .exec(tx.conn())
            .await?;
        // Its logs went with it, so nothing is recorded here; the line below is what remains. Open streams look for changes after this one
        // and find no workspace.
        tx.announce(
            Topic::Changes(row.id),
            &Committed {
                last_seq: counter.change_seq + 1,
                changes: Vec::new(),
            },
        )?;
        for member in members {
            tx.announce(Topic::Revoked(member.user_id), &())?;
        }
        Ok(())
    })
    .await?;
    tracing::info!(workspace = %ctx.workspace_id(), by = ?ctx.user_id().map(|id| id.to_string()), "workspace deleted");
    Ok(())
}

async fn lock(tx: &Tx) -> Result<workspace::Model> {
    tx.find::<workspace::Entity>()
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(Error::not_found)
}
