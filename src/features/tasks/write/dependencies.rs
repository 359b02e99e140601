//! What waits for what: edges between tasks, which never close a circle.

use std::collections::{HashMap, HashSet};

use entity::enums::ChangeAction;
use entity::ids::{TaskId, TypedId as _};
use entity::{task, task_dependency};
use sea_orm::{ColumnTrait as _, QueryFilter as _, Set};

use super::super::rules::{self, MAX_DEPENDENCIES};
use super::checks::check_exist;
use super::lock;
use crate::access::Ctx;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::changes::ObjectType;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::{Audit, Tx};

/// Makes a task wait for another. Waiting twice is waiting once.
pub async fn add_dependency(ctx: &Ctx, id: TaskId, depends_on: TaskId) -> Result<task::Model> {
    ctx.require(Action::Edit, Resource::Task)?;
    ctx.write(|tx| async move {
        // Two dependencies that are harmless alone can close a circle together, so only one is added at a time.
        tx.lock_workspace().await?;
        let row = lock(&tx, id).await?;
        check_exist(&tx, &[depends_on], "dependsOnId").await?;
        if reaches(&tx, depends_on, id).await? {
            return Err(rules::cycle("dependsOnId"));
        }
        let existing = tx
            .find::<task_dependency::Entity>()
            .filter(task_dependency::Column::TaskId.eq(id))
            .all(tx.conn())
            .await?;
        if existing.iter().any(|edge| edge.depends_on_id == depends_on) {
            return Ok(row);
        }
        if existing.len() >= MAX_DEPENDENCIES {
            let message = format!("A task waits for at most {MAX_DEPENDENCIES} others.");
            return Err(Error::user(UserErrorCode::LimitReached, "dependsOnId", message));
        }
        tx.insert_many(vec![edge(&tx, id, depends_on)]).await?;
        record_dependency(&tx, "task.dependency_added", id, depends_on);
        Ok(row)
    })
    .await
}

/// Removes a dependency. Removing one that is not there changes nothing.
pub async fn remove_dependency(ctx: &Ctx, id: TaskId, depends_on: TaskId) -> Result<task::Model> {
    ctx.require(Action::Edit, Resource::Task)?;
    ctx.write(|tx| async move {
        let row = lock(&tx, id).await?;
        check_exist(&tx, &[depends_on], "dependsOnId").await?;
        let delete = tx
            .delete_many::<task_dependency::Entity>()
            .filter(task_dependency::Column::TaskId.eq(id))
            .filter(task_dependency::Column::DependsOnId.eq(depends_on));
        if delete.exec(tx.conn()).await?.rows_affected > 0 {
            record_dependency(&tx, "task.dependency_removed", id, depends_on);
        }
        Ok(row)
    })
    .await
}

pub(super) fn edge(tx: &Tx, task_id: TaskId, depends_on_id: TaskId) -> task_dependency::ActiveModel {
    task_dependency::ActiveModel {
        task_id: Set(task_id),
        depends_on_id: Set(depends_on_id),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    }
}

fn record_dependency(tx: &Tx, action: &'static str, id: TaskId, depends_on: TaskId) {
    let changes = serde_json::json!({ "dependsOnId": depends_on.to_string() });
    tx.audit(Audit {
        action,
        entity_type: "Task",
        entity_id: id.uuid(),
        changes: Some(changes),
    });
    // Both ends look different now: one is blocked, the other has a dependent.
    tx.change(ChangeAction::Updated, ObjectType::Task, id.uuid());
    tx.change(ChangeAction::Updated, ObjectType::Task, depends_on.uuid());
}

/// Whether `from` already waits for `target`, directly or through others. Reads the graph level by level.
pub(super) async fn reaches(tx: &Tx, from: TaskId, target: TaskId) -> Result<bool> {
    let mut edges: HashMap<TaskId, Vec<TaskId>> = HashMap::new();
    let mut level = vec![from];
    while !level.is_empty() {
        let rows = tx
            .find::<task_dependency::Entity>()
            .filter(task_dependency::Column::TaskId.is_in(level));
        let rows = rows.all(tx.conn()).await?;
        let known: HashSet<TaskId> = edges.keys().copied().collect();
        level = rows
            .iter()
            .map(|edge| edge.depends_on_id)
            .filter(|id| !known.contains(id))
            .collect();
        for row in rows {
            edges.entry(row.task_id).or_default().push(row.depends_on_id);
        }
    }
    Ok(rules::reaches(&edges, from, target))
}
