//! What a command looks up before it stores a task: the people and tasks that it names, and the values it leaves to others.

use std::collections::HashSet;

use entity::ids::{TaskId, UserId};
use entity::{membership, task};
use sea_orm::{ColumnTrait as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _};

use super::super::rules::{self, MAX_DEPTH};
use crate::access::Ctx;
use crate::features::people;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::{Tx, among};

/// Minutes of a task when neither the input nor the creator's preferences say.
const FALLBACK_MINUTES: i32 = 30;

pub(super) async fn default_minutes(ctx: &Ctx) -> Result<i32> {
    let Some(user_id) = ctx.user_id() else {
        return Ok(FALLBACK_MINUTES);
    };
    match people::look_at_preferences(ctx.platform(), user_id).await {
        Err(error) if error.is_not_found() => Ok(FALLBACK_MINUTES),
        preferences => Ok(preferences?.default_task_duration_minutes),
    }
}

pub(super) async fn check_assignee(tx: &Tx, assignee: Option<UserId>) -> Result<()> {
    let Some(id) = assignee else { return Ok(()) };
    let member = tx
        .find::<membership::Entity>()
        .filter(membership::Column::UserId.eq(id))
        .count(tx.conn())
        .await?;
    if member > 0 {
        return Ok(());
    }
    let message = "This person is not a member of the workspace.";
    Err(Error::user(
        UserErrorCode::ReferenceNotFound,
        "input.assigneeId",
        message,
    ))
}

/// Every id must be a task of this workspace; blames the first that is not.
pub(super) async fn check_exist(tx: &Tx, ids: &[TaskId], path: &str) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let select = tx
        .find::<task::Entity>()
        .filter(among(tx, task::Column::Id, ids.iter().copied()));
    let found: HashSet<TaskId> = select
        .select_only()
        .column(task::Column::Id)
        .into_tuple()
        .all(tx.conn())
        .await?
        .into_iter()
        .collect();
    match ids.iter().position(|id| !found.contains(id)) {
        None => Ok(()),
        Some(index) => {
            let path = if path == "dependsOnId" {
                path.to_owned()
            } else {
                format!("{path}.{index}")
            };
            Err(Error::user(
                UserErrorCode::ReferenceNotFound,
                &path,
                "There is no such task in this workspace.",
            ))
        }
    }
}

/// The parent must exist, must not be the task or one of its descendants, and must leave room for the task's depth.
pub(super) async fn check_parent(tx: &Tx, id: TaskId, parent: TaskId) -> Result<()> {
    tx.lock_workspace().await?;
    let path = "input.parentId";
    let mut next = Some(parent);
    for _ in 0..MAX_DEPTH {
        let Some(current) = next else { return Ok(()) };
        if current == id {
            return Err(rules::cycle(path));
        }
        let row = tx
            .find::<task::Entity>()
            .filter(task::Column::Id.eq(current))
            .one(tx.conn())
            .await?;
        let missing = || {
            Error::user(
                UserErrorCode::ReferenceNotFound,
                path,
                "There is no such task in this workspace.",
            )
        };
        next = row.ok_or_else(missing)?.parent_id;
    }
    let message = format!("Sub-tasks nest at most {MAX_DEPTH} levels deep.");
    Err(Error::user(UserErrorCode::LimitReached, path, message))
}

pub(super) async fn next_position(tx: &Tx, parent: TaskId) -> Result<i32> {
    let select = tx
        .find::<task::Entity>()
        .filter(task::Column::ParentId.eq(parent));
    let last: Option<Option<i32>> = select
        .select_only()
        .column_as(task::Column::Position.max(), "last")
        .into_tuple()
        .one(tx.conn())
        .await?;
    Ok(last.flatten().map_or(0, |last| last + 1))
}
