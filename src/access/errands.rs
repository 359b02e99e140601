//! The context of somebody who is not there: a job runs what they asked for, with what they may do at that time.

use entity::ids::{UserId, WorkspaceId};
use entity::membership;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use super::ctx::Ctx;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::Scope;

/// The person in the workspace as they are now; NOT_FOUND when they are no member any more.
pub async fn errand_of(platform: &Platform, person: UserId, workspace: WorkspaceId) -> Result<Ctx> {
    let read = platform.db.read(Scope::Workspace(workspace)).await?;
    let select = read
        .find::<membership::Entity>()
        .filter(membership::Column::UserId.eq(person));
    let membership = select.one(&read).await?.ok_or_else(Error::not_found)?;
    Ok(Ctx::of_errand(platform, person, workspace, membership.role))
}
