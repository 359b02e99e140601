//! Commands on tasks. Each is one transaction with its audit entry and its change.

mod checks;
mod dependencies;
mod import;
mod repeat;
mod tell;

use std::collections::{HashMap, HashSet};

use entity::enums::{ChangeAction, TaskStatus};
use entity::ids::{TaskId, TypedId as _, UserId};
use entity::{task, task_dependency, task_label};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QuerySelect as _, Set,
};

use super::model::{BulkPatch, Completed, NewTask, TaskPatch};
use super::rules::{self, MAX_BULK, MAX_DEPENDENCIES};
use crate::access::Ctx;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::changes::ObjectType;
use crate::kernel::text::Checks;
use crate::kernel::time::truncate;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::{Audit, Part, Tx};
use checks::{check_assignee, check_exist, check_parent, default_minutes, next_position};
use dependencies::edge;

pub use dependencies::{add_dependency, remove_dependency};
pub use import::{ImportedTask, TaskImport, import_in, link_in};

/// Creates a task.
pub async fn create(ctx: &Ctx, new: NewTask) -> Result<task::Model> {
    ctx.require(Action::Edit, Resource::Task)?;
    let user_id = ctx.user_id();
    let minutes = match new.duration_minutes {
        Some(minutes) => minutes,
        None => default_minutes(ctx).await?,
    };
    ctx.write(|tx| {
        let new = new.clone();
        async move { create_in(&tx, user_id, minutes, new).await }
    })
    .await
}

async fn create_in(tx: &Tx, user_id: Option<UserId>, minutes: i32, new: NewTask) -> Result<task::Model> {
    let mut checks = Checks::default();
    let labels = rules::labels(&mut checks, "input.labels", &new.labels);
    if new.dependency_ids.len() > MAX_DEPENDENCIES {
        let message = format!("A task waits for at most {MAX_DEPENDENCIES} others.");
        checks.fail(UserErrorCode::TooLong, "input.dependencyIds", message);
    }
    let mut row = task::Model {
        id: tx.ids().next(),
        workspace_id: tx.workspace()?,
        version: 1,
        title: new.title,
        description: new.description,
        status: TaskStatus::Todo,
        priority: new.priority,
        energy: new.energy,
        duration_minutes: minutes,
        completed_minutes: 0,
        min_chunk_minutes: new.min_chunk_minutes,
        max_chunk_minutes: new.max_chunk_minutes,
        start_after: new.start_after.map(truncate),
        due_at: new.due_at.map(truncate),
        is_hard_deadline: new.is_hard_deadline,
        is_auto_scheduled: new.is_auto_scheduled,
        working_hours: rules::working_hours(new.working_hours)?,
        labels: serde_json::json!(labels),
        assignee_id: new.assignee_id.or(user_id),
        created_by: user_id,
        parent_id: new.parent_id,
        position: 0,
        recurrence_rule: new.recurrence_rule,
        series_id: None,
        completed_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    match (rules::check(&mut row), checks.finish()) {
        (Err(Error::User(mut errors)), Err(Error::User(more))) => {
            errors.extend(more);
            return Err(Error::User(errors));
        }
        (first, second) => first.and(second)?,
    }
    repeat::check(tx, &mut row).await?;
    check_assignee(tx, new.assignee_id).await?;
    if let Some(parent) = row.parent_id {
        check_parent(tx, row.id, parent).await?;
        row.position = next_position(tx, parent).await?;
    }
    let dependencies: HashSet<TaskId> = new.dependency_ids.iter().copied().collect();
    check_exist(tx, &new.dependency_ids, "input.dependencyIds").await?;

    // Nothing waits for a new task yet, so its dependencies cannot close a circle.
    let edges: Vec<task_dependency::ActiveModel> = dependencies
        .into_iter()
        .map(|depends_on| edge(tx, row.id, depends_on))
        .collect();
    let mut parts = storing(tx, &row);
    // Rows of other tasks may be locked by those who wait for the workspace's numbers.
    if edges.is_empty() && row.parent_id.is_none() {
        tx.at_last(parts);
    } else {
        parts.extend(tx.storing(edges));
        tx.together(parts).await?;
    }
    record(tx, "task.created", ChangeAction::Created, row.id, None);
    tell::assigned(tx, None, &row).await?;
    Ok(row)
}

/// A new task with its labels, to be stored.
fn storing(tx: &Tx, row: &task::Model) -> Vec<Part> {
    let mut parts = tx.storing(vec![row.clone().into_active_model().reset_all()]);
    parts.extend(tx.storing(label_rows(tx, row)));
    parts
}

/// Changes a task.
pub async fn update(ctx: &Ctx, id: TaskId, patch: TaskPatch) -> Result<task::Model> {
    ctx.require(Action::Edit, Resource::Task)?;
    ctx.write(|tx| {
        let patch = patch.clone();
        async move { update_in(&tx, id, patch).await }
    })
    .await
}

async fn update_in(tx: &Tx, id: TaskId, patch: TaskPatch) -> Result<task::Model> {
    let before = lock(tx, id).await?;
    if patch
        .expected_version
        .is_some_and(|version| version != before.version)
    {
        let message = format!(
            "The task has version {} by now. Read it again and repeat your change.",
            before.version
        );
        return Err(Error::user(
            UserErrorCode::VersionConflict,
            "input.expectedVersion",
            message,
        ));
    }
    let mut row = before.clone();
    row.title = patch.title.unwrap_or(row.title);
    row.description = patch.description.apply(row.description);
    row.priority = patch.priority.unwrap_or(row.priority);
    row.energy = patch.energy.unwrap_or(row.energy);
    row.duration_minutes = patch.duration_minutes.unwrap_or(row.duration_minutes);
    row.min_chunk_minutes = patch.min_chunk_minutes.apply(row.min_chunk_minutes);
    row.max_chunk_minutes = patch.max_chunk_minutes.apply(row.max_chunk_minutes);
    row.start_after = patch.start_after.apply(row.start_after).map(truncate);
    row.due_at = patch.due_at.apply(row.due_at).map(truncate);
    row.is_hard_deadline = patch.is_hard_deadline.unwrap_or(row.is_hard_deadline);
    row.is_auto_scheduled = patch.is_auto_scheduled.unwrap_or(row.is_auto_scheduled);
    if !patch.working_hours.is_keep() {
        row.working_hours = rules::working_hours(patch.working_hours.apply(None))?;
    }
    check_assignee(tx, patch.assignee_id.value().copied()).await?;
    row.assignee_id = patch.assignee_id.apply(row.assignee_id);
    if let Some(labels) = &patch.labels {
        let mut checks = Checks::default();
        row.labels = serde_json::json!(rules::labels(&mut checks, "input.labels", labels));
        checks.finish()?;
    }
    if let Some(&parent) = patch.parent_id.value() {
        check_parent(tx, id, parent).await?;
        row.position = next_position(tx, parent).await?;
    }
    row.parent_id = patch.parent_id.apply(row.parent_id);
    if let Some(status) = patch.status {
        set_status(tx, &mut row, status);
    }
    rules::check(&mut row)?;
    if !patch.recurrence_rule.is_keep() {
        row.recurrence_rule = patch.recurrence_rule.apply(None);
        repeat::check(tx, &mut row).await?;
    }
    repeat::follow(tx, &before, &mut row).await?;
    save(tx, &before, row, "task.updated").await
}

/// Adds minutes of work that was done. A task that is gone meanwhile has no time to keep.
pub async fn add_work_in(tx: &Tx, id: TaskId, minutes: i32) -> Result<()> {
    if minutes <= 0 {
        return Ok(());
    }
    let before = match lock(tx, id).await {
        Err(error) if error.is_not_found() => return Ok(()),
        locked => locked?,
    };
    let mut row = before.clone();
    row.completed_minutes = row.completed_minutes.saturating_add(minutes);
    save(tx, &before, row, "task.worked_on").await.map(drop)
}

/// Marks a task as done. When it repeats, the next one is there at once.
pub async fn complete(ctx: &Ctx, id: TaskId) -> Result<Completed> {
    change_status(ctx, id, TaskStatus::Done, "task.completed", |status| {
        (!rules::is_closed(status))
            .then_some(())
            .ok_or("The task is already done or cancelled.")
    })
    .await
}

/// Opens a done or cancelled task again.
pub async fn reopen(ctx: &Ctx, id: TaskId) -> Result<task::Model> {
    change_status(ctx, id, TaskStatus::Todo, "task.reopened", |status| {
        rules::is_closed(status)
            .then_some(())
            .ok_or("The task is still open.")
    })
    .await
    .map(|changed| changed.task)
}

async fn change_status(
    ctx: &Ctx,
    id: TaskId,
    status: TaskStatus,
    action: &'static str,
    allowed: impl Fn(TaskStatus) -> Result<(), &'static str> + Send + Sync + Copy,
) -> Result<Completed> {
    ctx.require(Action::Edit, Resource::Task)?;
    ctx.write(|tx| async move {
        let before = lock(&tx, id).await?;
        allowed(before.status).map_err(|message| Error::user(UserErrorCode::InvalidState, "id", message))?;
        let mut row = before.clone();
        set_status(&tx, &mut row, status);
        let next = repeat::follow(&tx, &before, &mut row).await?;
        let task = save(&tx, &before, row, action).await?;
        Ok(Completed { task, next })
    })
    .await
}

/// Deletes a task and its sub-tasks; returns the ids of all of them.
pub async fn delete(ctx: &Ctx, id: TaskId) -> Result<Vec<TaskId>> {
    ctx.require(Action::Edit, Resource::Task)?;
    ctx.write(|tx| async move {
        lock(&tx, id).await?;
        let mut doomed = vec![id];
        let mut level = vec![id];
        while !level.is_empty() {
            let children = tx
                .find::<task::Entity>()
                .filter(task::Column::ParentId.is_in(level));
            let children: Vec<TaskId> = children
                .select_only()
                .column(task::Column::Id)
                .into_tuple()
                .all(tx.conn())
                .await?;
            // A circle that an older version wrote leads back to where it began, and is walked once.
            level = children.into_iter().filter(|child| *child != id).collect();
            doomed.extend(&level);
        }
        // Deepest first: a parent cannot go before its children.
        for id in doomed.iter().rev() {
            tx.delete_many::<task::Entity>()
                .filter(task::Column::Id.eq(*id))
                .exec(tx.conn())
                .await?;
        }
        for id in &doomed {
            record(&tx, "task.deleted", ChangeAction::Deleted, *id, None);
        }
        Ok(doomed)
    })
    .await
}

/// Changes several tasks, all or none. Unknown ids fail with their position.
pub async fn bulk_update(ctx: &Ctx, ids: Vec<TaskId>, patch: BulkPatch) -> Result<Vec<task::Model>> {
    ctx.require(Action::Edit, Resource::Task)?;
    if ids.is_empty() || ids.len() > MAX_BULK {
        let message = format!("Give between 1 and {MAX_BULK} tasks.");
        return Err(Error::user(UserErrorCode::OutOfRange, "ids", message));
    }
    ctx.write(|tx| {
        let (ids, patch) = (ids.clone(), patch.clone());
        async move { bulk_update_in(&tx, &ids, patch).await }
    })
    .await
}

async fn bulk_update_in(tx: &Tx, ids: &[TaskId], patch: BulkPatch) -> Result<Vec<task::Model>> {
    check_exist(tx, ids, "ids").await?;
    check_assignee(tx, patch.assignee_id.value().copied()).await?;
    let mut seen = HashSet::new();
    let mut sorted: Vec<TaskId> = ids.iter().copied().filter(|id| seen.insert(*id)).collect();
    let order = sorted.clone();
    // Rows are locked in one order everywhere, so that two bulk updates cannot wait for each other.
    sorted.sort_by_key(|id| id.uuid());
    let mut changed = HashMap::new();
    for id in sorted {
        let before = lock(tx, id).await?;
        let mut row = before.clone();
        row.priority = patch.priority.unwrap_or(row.priority);
        row.due_at = patch.due_at.clone().apply(row.due_at).map(truncate);
        row.assignee_id = patch.assignee_id.clone().apply(row.assignee_id);
        let mut labels = rules::labels_of(&row);
        labels.retain(|label| !patch.remove_labels.contains(label));
        labels.extend(patch.add_labels.iter().cloned());
        let mut checks = Checks::default();
        row.labels = serde_json::json!(rules::labels(&mut checks, "input.addLabels", &labels));
        checks.finish()?;
        if let Some(status) = patch.status {
            set_status(tx, &mut row, status);
        }
        rules::check(&mut row)?;
        repeat::follow(tx, &before, &mut row).await?;
        changed.insert(id, save(tx, &before, row, "task.updated").await?);
    }
    Ok(order.iter().filter_map(|id| changed.remove(id)).collect())
}

fn set_status(tx: &Tx, row: &mut task::Model, status: TaskStatus) {
    row.completed_at = match status {
        TaskStatus::Done => row.completed_at.or(Some(tx.now())),
        _ => None,
    };
    row.status = status;
}

/// Stores a changed task; an update that changes nothing leaves no trace.
async fn save(
    tx: &Tx,
    before: &task::Model,
    mut row: task::Model,
    action: &'static str,
) -> Result<task::Model> {
    if row == *before {
        return Ok(row);
    }
    row.version = before.version + 1;
    row.updated_at = tx.now();
    let labels_changed = row.labels != before.labels;
    let stored = tx.update(row.into_active_model().reset_all()).await?;
    if labels_changed {
        tx.delete_many::<task_label::Entity>()
            .filter(task_label::Column::TaskId.eq(stored.id))
            .exec(tx.conn())
            .await?;
        tx.insert_many(label_rows(tx, &stored)).await?;
    }
    record(
        tx,
        action,
        ChangeAction::Updated,
        stored.id,
        Some(rules::audit_diff(before, &stored)),
    );
    tell::assigned(tx, Some(before), &stored).await?;
    Ok(stored)
}

fn label_rows(tx: &Tx, task: &task::Model) -> Vec<task_label::ActiveModel> {
    let row = |label| task_label::ActiveModel {
        task_id: Set(task.id),
        label: Set(label),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    };
    rules::labels_of(task).into_iter().map(row).collect()
}

fn record(
    tx: &Tx,
    action: &'static str,
    change: ChangeAction,
    id: TaskId,
    changes: Option<serde_json::Value>,
) {
    tx.audit(Audit {
        action,
        entity_type: "Task",
        entity_id: id.uuid(),
        changes,
    });
    tx.change(change, ObjectType::Task, id.uuid());
}

async fn lock(tx: &Tx, id: TaskId) -> Result<task::Model> {
    let select = tx
        .find::<task::Entity>()
        .filter(task::Column::Id.eq(id))
        .lock_exclusive();
    select.one(tx.conn()).await?.ok_or_else(Error::not_found)
}
