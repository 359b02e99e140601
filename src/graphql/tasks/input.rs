//! What a client sends to change tasks, and how it becomes words of the feature.

use async_graphql::{ID, InputObject, MaybeUndefined};

use crate::features::people::WorkingHours;
use crate::features::tasks::{BulkPatch, NewTask, TaskPatch};
use crate::graphql::enums::{EnergyLevel, TaskPriority, TaskStatus};
use crate::graphql::ids::{reference, references};
use crate::graphql::preferences::WorkingHoursInput;
use crate::graphql::scalars::{DateTime, RRule};
use crate::graphql::{patch, set};
use crate::kernel;
use crate::kernel::patch::Patch;
use crate::kernel::time::Instant;

/// A new task.
#[derive(InputObject)]
pub struct CreateTaskInput {
    /// Workspace of the task.
    pub(super) workspace_id: ID,
    /// Title.
    title: String,
    /// Description in Markdown.
    description: Option<String>,
    /// Importance.
    #[graphql(default_with = "TaskPriority::Medium")]
    priority: TaskPriority,
    /// Energy the task needs.
    #[graphql(default_with = "EnergyLevel::Medium")]
    energy: EnergyLevel,
    /// Estimated work, 5 to 14400. The viewer's default when omitted.
    duration_minutes: Option<i32>,
    /// Smallest piece when split. Omit to keep the task in one piece.
    min_chunk_minutes: Option<i32>,
    /// Largest piece when split.
    max_chunk_minutes: Option<i32>,
    /// Do not schedule before this instant.
    start_after: Option<DateTime>,
    /// Deadline.
    due_at: Option<DateTime>,
    /// Whether missing the deadline is worse than anything else.
    #[graphql(default = false)]
    is_hard_deadline: bool,
    /// Whether the planner may place this task.
    #[graphql(default = true)]
    is_auto_scheduled: bool,
    /// Hours in which the planner may place this task. The working hours of its assignee when omitted.
    working_hours: Option<Vec<WorkingHoursInput>>,
    /// Labels, at most 20.
    labels: Option<Vec<String>>,
    /// Who does the task. The viewer when omitted.
    assignee_id: Option<ID>,
    /// Parent task.
    parent_id: Option<ID>,
    /// Tasks that must be finished first.
    dependency_ids: Option<Vec<ID>>,
    /// Repeats the task after completion.
    recurrence_rule: Option<RRule>,
}

impl CreateTaskInput {
    pub(super) fn into_model(self) -> kernel::Result<NewTask> {
        Ok(NewTask {
            title: self.title,
            description: self.description,
            priority: self.priority.into(),
            energy: self.energy.into(),
            duration_minutes: self.duration_minutes,
            min_chunk_minutes: self.min_chunk_minutes,
            max_chunk_minutes: self.max_chunk_minutes,
            start_after: self.start_after.map(|at| at.0),
            due_at: self.due_at.map(|at| at.0),
            is_hard_deadline: self.is_hard_deadline,
            is_auto_scheduled: self.is_auto_scheduled,
            working_hours: self.working_hours.map(hours),
            labels: self.labels.unwrap_or_default(),
            assignee_id: self
                .assignee_id
                .map(|id| reference(&id, "input.assigneeId"))
                .transpose()?,
            parent_id: self
                .parent_id
                .map(|id| reference(&id, "input.parentId"))
                .transpose()?,
            dependency_ids: references(&self.dependency_ids.unwrap_or_default(), "input.dependencyIds")?,
            recurrence_rule: self.recurrence_rule.map(|rule| rule.0),
        })
    }
}

/// Changes to a task. Omitted fields stay as they are; null clears optional fields.
#[derive(InputObject)]
pub struct UpdateTaskInput {
    /// Title.
    title: MaybeUndefined<String>,
    /// Description in Markdown.
    description: MaybeUndefined<String>,
    /// State.
    status: MaybeUndefined<TaskStatus>,
    /// Importance.
    priority: MaybeUndefined<TaskPriority>,
    /// Energy the task needs.
    energy: MaybeUndefined<EnergyLevel>,
    /// Estimated work, 5 to 14400.
    duration_minutes: MaybeUndefined<i32>,
    /// Smallest piece when split. Null keeps the task in one piece.
    min_chunk_minutes: MaybeUndefined<i32>,
    /// Largest piece when split.
    max_chunk_minutes: MaybeUndefined<i32>,
    /// Do not schedule before this instant.
    start_after: MaybeUndefined<DateTime>,
    /// Deadline.
    due_at: MaybeUndefined<DateTime>,
    /// Whether missing the deadline is worse than anything else.
    is_hard_deadline: MaybeUndefined<bool>,
    /// Whether the planner may place this task.
    is_auto_scheduled: MaybeUndefined<bool>,
    /// Hours in which the planner may place this task. Null for the working hours of its assignee.
    working_hours: MaybeUndefined<Vec<WorkingHoursInput>>,
    /// Replaces all labels.
    labels: MaybeUndefined<Vec<String>>,
    /// Who does the task.
    assignee_id: MaybeUndefined<ID>,
    /// Parent task.
    parent_id: MaybeUndefined<ID>,
    /// Repeats the task after completion.
    recurrence_rule: MaybeUndefined<RRule>,
    /// Fail with `VERSION_CONFLICT` when the task has another version.
    expected_version: Option<i32>,
}

impl UpdateTaskInput {
    pub(super) fn into_model(self) -> kernel::Result<TaskPatch> {
        Ok(TaskPatch {
            title: set(self.title, "input.title")?,
            description: patch(self.description),
            status: set(self.status, "input.status")?.map(Into::into),
            priority: set(self.priority, "input.priority")?.map(Into::into),
            energy: set(self.energy, "input.energy")?.map(Into::into),
            duration_minutes: set(self.duration_minutes, "input.durationMinutes")?,
            min_chunk_minutes: patch(self.min_chunk_minutes),
            max_chunk_minutes: patch(self.max_chunk_minutes),
            start_after: instant(self.start_after),
            due_at: instant(self.due_at),
            is_hard_deadline: set(self.is_hard_deadline, "input.isHardDeadline")?,
            is_auto_scheduled: set(self.is_auto_scheduled, "input.isAutoScheduled")?,
            working_hours: patch(self.working_hours.map_value(hours)),
            // Null is the empty list: a task without labels.
            labels: match self.labels {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(Vec::new()),
                MaybeUndefined::Value(labels) => Some(labels),
            },
            assignee_id: patch(self.assignee_id).try_map(|id| reference(&id, "input.assigneeId"))?,
            parent_id: patch(self.parent_id).try_map(|id| reference(&id, "input.parentId"))?,
            recurrence_rule: patch(self.recurrence_rule.map_value(|rule| rule.0)),
            expected_version: self.expected_version,
        })
    }
}

fn hours(all: Vec<WorkingHoursInput>) -> Vec<WorkingHours> {
    all.into_iter().map(WorkingHours::from).collect()
}

fn instant(at: MaybeUndefined<DateTime>) -> Patch<Instant> {
    patch(at.map_value(|at| at.0))
}

/// Changes to several tasks. Omitted fields stay as they are.
#[derive(InputObject)]
pub struct BulkUpdateTasksInput {
    /// State.
    status: MaybeUndefined<TaskStatus>,
    /// Importance.
    priority: MaybeUndefined<TaskPriority>,
    /// Deadline. Null clears it.
    due_at: MaybeUndefined<DateTime>,
    /// Who does the tasks. Null clears it.
    assignee_id: MaybeUndefined<ID>,
    /// Labels to add.
    add_labels: Option<Vec<String>>,
    /// Labels to remove.
    remove_labels: Option<Vec<String>>,
}

impl BulkUpdateTasksInput {
    pub(super) fn into_model(self) -> kernel::Result<BulkPatch> {
        Ok(BulkPatch {
            status: set(self.status, "input.status")?.map(Into::into),
            priority: set(self.priority, "input.priority")?.map(Into::into),
            due_at: instant(self.due_at),
            assignee_id: patch(self.assignee_id).try_map(|id| reference(&id, "input.assigneeId"))?,
            add_labels: self.add_labels.unwrap_or_default(),
            remove_labels: self.remove_labels.unwrap_or_default(),
        })
    }
}
