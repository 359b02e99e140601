//! Questions about workspaces.

use entity::ids::WorkspaceId;
use entity::workspace;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use crate::access::{Access, Ctx};
use crate::kernel::{Error, Result};
use crate::platform::db::Scope;

/// The workspace of the context.
pub async fn get(ctx: &Ctx) -> Result<workspace::Model> {
    let read = ctx.read().await?;
    read.find::<workspace::Entity>()
        .one(&read)
        .await?
        .ok_or_else(Error::not_found)
}

/// All workspaces of the caller, personal one first, then by name.
pub async fn get_many(access: &Access) -> Result<Vec<workspace::Model>> {
    let ids: Vec<WorkspaceId> = access
        .memberships()
        .await?
        .iter()
        .map(|membership| membership.workspace_id)
        .collect();
    let read = access.platform().db.read(Scope::System).await?;
    let mut rows = read
        .find::<workspace::Entity>()
        .filter(workspace::Column::Id.is_in(ids))
        .all(&read)
        .await?;
    rows.sort_by_key(|row| {
        (
            row.r#type != entity::enums::WorkspaceType::Personal,
            row.name.to_lowercase(),
            row.id,
        )
    });
    Ok(rows)
}

/// The workspace with this URL name, if the caller is a member.
pub async fn find_by_slug(access: &Access, slug: &str) -> Result<Ctx> {
    access.caller().require_user()?;
    let read = access.platform().db.read(Scope::System).await?;
    let row = read
        .find::<workspace::Entity>()
        .filter(workspace::Column::Slug.eq(slug))
        .one(&read)
        .await?;
    access.ctx(row.ok_or_else(Error::not_found)?.id).await
}
