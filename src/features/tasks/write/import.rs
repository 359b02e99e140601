//! Storing tasks of a file, inside the transaction of an import.
//!
//! Promises: a task that is there already by its id is the same one, so that importing a file twice changes nothing; values that cannot be
//! stored are left out or refuse the task with a sentence; nobody is told.

use std::collections::{HashMap, HashSet};

use entity::enums::{ChangeAction, EnergyLevel, TaskPriority, TaskStatus};
use entity::ids::{TaskId, TypedId as _, UserId, WorkspaceId};
use entity::{task, task_dependency, task_label};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _};

use super::checks::check_parent;
use super::dependencies::{edge, reaches};
use super::{label_rows, record, repeat, storing};
use crate::features::tasks::rules::{self, MAX_DEPENDENCIES, MAX_LABELS};
use crate::kernel::text::{MAX_DESCRIPTION, MAX_TITLE};
use crate::kernel::time::{Instant, truncate};
use crate::kernel::{Error, Result};
use crate::platform::db::Tx;

/// Work of a task that says nothing about it, in minutes.
const USUAL_MINUTES: i32 = 30;

/// A task of a file.
#[derive(Clone, Debug)]
pub struct ImportedTask {
    /// Its id here, the same each time the file is imported.
    pub id: TaskId,
    /// Title.
    pub title: String,
    /// Description.
    pub description: Option<String>,
    /// State.
    pub status: TaskStatus,
    /// Importance.
    pub priority: TaskPriority,
    /// Energy it needs.
    pub energy: Option<EnergyLevel>,
    /// Estimated work.
    pub minutes: Option<i32>,
    /// Not before this instant.
    pub start_after: Option<Instant>,
    /// Deadline.
    pub due_at: Option<Instant>,
    /// Whether missing the deadline is worse than anything else.
    pub is_hard_deadline: Option<bool>,
    /// Whether the planner may place it.
    pub is_auto_scheduled: Option<bool>,
    /// Labels.
    pub labels: Vec<String>,
    /// Rule by which it comes again.
    pub recurrence_rule: Option<String>,
    /// When it was finished.
    pub completed_at: Option<Instant>,
}

/// What became of a task of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskImport {
    /// It is new here.
    Created,
    /// It changed.
    Updated,
    /// It is as it was.
    Unchanged,
    /// It was left out, for this reason.
    Refused(String),
}

/// Stores tasks. The answers are in their order, each with notes on what was left out of it.
pub async fn import_in(
    tx: &Tx,
    owner: Option<UserId>,
    tasks: &[ImportedTask],
) -> Result<Vec<(TaskImport, Vec<String>)>> {
    let select = tx
        .find::<task::Entity>()
        .filter(task::Column::Id.is_in(tasks.iter().map(|task| task.id)));
    let mut here: HashMap<TaskId, task::Model> = HashMap::new();
    for row in select.all(tx.conn()).await? {
        here.insert(row.id, row);
    }
    let mut outcomes = Vec::with_capacity(tasks.len());
    for task in tasks {
        let before = here.get(&task.id);
        let mut notes = Vec::new();
        let mut row = drafted(tx, owner, task, before);
        if let Err(error) = rules::check(&mut row) {
            outcomes.push((TaskImport::Refused(sentences(error)?), notes));
            continue;
        }
        if row.recurrence_rule.is_some()
            && before.is_none_or(|before| before.recurrence_rule != row.recurrence_rule)
            && let Err(error) = repeat::check(tx, &mut row).await
        {
            notes.push(format!(
                "{} The task was imported without its rule.",
                sentences(error)?
            ));
            row.recurrence_rule = None;
        }
        let outcome = match before {
            Some(before) if *before == row => TaskImport::Unchanged,
            Some(before) => {
                row.version = before.version + 1;
                row.updated_at = tx.now();
                let row = tx.update(row.into_active_model().reset_all()).await?;
                let old = tx.delete_many::<task_label::Entity>();
                old.filter(task_label::Column::TaskId.eq(row.id))
                    .exec(tx.conn())
                    .await?;
                tx.together(tx.storing(label_rows(tx, &row))).await?;
                let changes = rules::audit_diff(before, &row);
                record(tx, "task.imported", ChangeAction::Updated, row.id, Some(changes));
                TaskImport::Updated
            }
            None => {
                row.workspace_id = tx.workspace()?;
                tx.together(storing(tx, &row)).await?;
                record(tx, "task.imported", ChangeAction::Created, row.id, None);
                here.insert(row.id, row);
                TaskImport::Created
            }
        };
        outcomes.push((outcome, notes));
    }
    Ok(outcomes)
}

/// The task as it would be stored. What a file does not say of a task that is there already stays.
fn drafted(tx: &Tx, owner: Option<UserId>, task: &ImportedTask, before: Option<&task::Model>) -> task::Model {
    let base = before.cloned().unwrap_or_else(|| task::Model {
        id: task.id,
        // Stamped with the scope's workspace when it is stored.
        workspace_id: WorkspaceId::from_uuid(uuid::Uuid::nil()),
        version: 1,
        title: String::new(),
        description: None,
        status: TaskStatus::Todo,
        priority: TaskPriority::Medium,
        energy: EnergyLevel::Medium,
        duration_minutes: USUAL_MINUTES,
        completed_minutes: 0,
        min_chunk_minutes: None,
        max_chunk_minutes: None,
        start_after: None,
        due_at: None,
        is_hard_deadline: false,
        is_auto_scheduled: true,
        working_hours: None,
        labels: serde_json::json!([]),
        assignee_id: owner,
        created_by: owner,
        parent_id: None,
        position: 0,
        recurrence_rule: None,
        series_id: None,
        completed_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    });
    let short = |text: &str, most: usize| -> String {
        let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        clean.collect::<String>().trim().chars().take(most).collect()
    };
    let mut seen = HashSet::new();
    let mut labels: Vec<String> = task.labels.iter().map(|label| short(label, 50)).collect();
    labels.retain(|label| !label.is_empty() && seen.insert(label.clone()));
    labels.truncate(MAX_LABELS);
    let description = task.description.as_deref().map(|text| {
        let clean = text
            .chars()
            .filter(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
        clean.take(MAX_DESCRIPTION).collect::<String>()
    });
    let done = task.completed_at.map(truncate).or(base.completed_at);
    task::Model {
        title: short(&task.title, MAX_TITLE),
        description: description.filter(|text| !text.is_empty()),
        status: task.status,
        priority: task.priority,
        energy: task.energy.unwrap_or(base.energy),
        duration_minutes: task
            .minutes
            .map_or(base.duration_minutes, |minutes| minutes.clamp(5, 14_400)),
        start_after: task.start_after.map(truncate),
        due_at: task.due_at.map(truncate),
        is_hard_deadline: task.is_hard_deadline.unwrap_or(base.is_hard_deadline),
        is_auto_scheduled: task.is_auto_scheduled.unwrap_or(base.is_auto_scheduled),
        labels: serde_json::json!(labels),
        recurrence_rule: task.recurrence_rule.clone(),
        completed_at: (task.status == TaskStatus::Done).then(|| done.unwrap_or(tx.now())),
        ..base
    }
}

/// What a person reads of expected failures; all others go on.
fn sentences(error: Error) -> Result<String> {
    match error {
        Error::User(errors) => Ok(errors
            .iter()
            .map(|error| error.message.as_str())
            .collect::<Vec<_>>()
            .join(" ")),
        other => Err(other),
    }
}

/// Ties an imported task to its parent and to what it waits for, as far as those exist. Returns what was left out.
pub async fn link_in(
    tx: &Tx,
    id: TaskId,
    parent: Option<TaskId>,
    depends_on: &[TaskId],
) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    let select = tx.find::<task::Entity>().filter(task::Column::Id.eq(id));
    let Some(row) = select.one(tx.conn()).await? else {
        return Ok(notes);
    };
    if let Some(parent) = parent
        && row.parent_id != Some(parent)
    {
        match check_parent(tx, id, parent).await {
            Ok(()) => {
                let mut row = row.clone();
                row.parent_id = Some(parent);
                row.version += 1;
                row.updated_at = tx.now();
                tx.update(row.into_active_model().reset_all()).await?;
                record(tx, "task.imported", ChangeAction::Updated, id, None);
            }
            Err(error) => notes.push(sentences(error)?),
        }
    }
    if !depends_on.is_empty() {
        // Two dependencies that are harmless alone can close a circle together.
        tx.lock_workspace().await?;
    }
    let select = tx
        .find::<task_dependency::Entity>()
        .filter(task_dependency::Column::TaskId.eq(id));
    let mut known: HashSet<TaskId> = select
        .all(tx.conn())
        .await?
        .iter()
        .map(|edge| edge.depends_on_id)
        .collect();
    let select = tx
        .find::<task::Entity>()
        .filter(task::Column::Id.is_in(depends_on.iter().copied()));
    let there: HashSet<TaskId> = select.all(tx.conn()).await?.iter().map(|row| row.id).collect();
    for other in depends_on {
        if known.contains(other) {
            continue;
        }
        let message = if !there.contains(other) {
            "The task waits for one that is not in the file; that was left out."
        } else if known.len() >= MAX_DEPENDENCIES {
            "The task waits for too many others; some were left out."
        } else if reaches(tx, *other, id).await? {
            "The tasks would wait for each other in a circle; one dependency was left out."
        } else {
            tx.insert_many(vec![edge(tx, id, *other)]).await?;
            known.insert(*other);
            record(tx, "task.imported", ChangeAction::Updated, id, None);
            continue;
        };
        notes.push(message.to_owned());
    }
    Ok(notes)
}
