//! Which of many people are still members: one question for all who watch the same workspace.

use std::collections::HashMap;

use entity::enums::WorkspaceRole;
use entity::ids::{UserId, WorkspaceId};
use entity::membership;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use crate::kernel::Result;
use crate::platform::Platform;
use crate::platform::db::Scope;

/// People asked about in one statement.
const PAGE: usize = 500;

/// Roles of these people in a workspace, as the database has them now. Whoever is no member is missing.
pub async fn roles(
    platform: &Platform,
    workspace_id: WorkspaceId,
    people: &[UserId],
) -> Result<HashMap<UserId, WorkspaceRole>> {
    let read = platform.db.read(Scope::Workspace(workspace_id)).await?;
    let mut roles = HashMap::with_capacity(people.len());
    for page in people.chunks(PAGE) {
        let select = read
            .find::<membership::Entity>()
            .filter(membership::Column::UserId.is_in(page.iter().copied()));
        let rows = select.all(&read).await?;
        roles.extend(rows.into_iter().map(|row| (row.user_id, row.role)));
    }
    Ok(roles)
}
