//! What callers hand to the room of tasks.

use entity::enums::{EnergyLevel, TaskPriority, TaskStatus};
use entity::ids::{TaskId, UserId};
use entity::task;

use crate::features::people::WorkingHours;
use crate::kernel::patch::Patch;
use crate::kernel::time::Instant;

/// A task to create. The assignee is the creator when left out.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// Title.
    pub title: String,
    /// Description in Markdown.
    pub description: Option<String>,
    /// Importance.
    pub priority: TaskPriority,
    /// Energy the task needs.
    pub energy: EnergyLevel,
    /// Estimated work in minutes; the creator's default when `None`.
    pub duration_minutes: Option<i32>,
    /// Smallest piece; `None` keeps the task in one piece.
    pub min_chunk_minutes: Option<i32>,
    /// Largest piece.
    pub max_chunk_minutes: Option<i32>,
    /// Not before this instant.
    pub start_after: Option<Instant>,
    /// Deadline.
    pub due_at: Option<Instant>,
    /// Whether missing the deadline is worse than anything else.
    pub is_hard_deadline: bool,
    /// Whether the planner may place it.
    pub is_auto_scheduled: bool,
    /// Hours in which it may be planned; those of its person when `None`.
    pub working_hours: Option<Vec<WorkingHours>>,
    /// Labels in the user's order.
    pub labels: Vec<String>,
    /// Who does it.
    pub assignee_id: Option<UserId>,
    /// Parent task.
    pub parent_id: Option<TaskId>,
    /// Tasks that must be finished first.
    pub dependency_ids: Vec<TaskId>,
    /// Rule by which the task comes again once it is done.
    pub recurrence_rule: Option<String>,
}

/// A task that was completed.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The task.
    pub task: task::Model,
    /// The next one, when it repeats.
    pub next: Option<task::Model>,
}

/// Changes to a task.
#[derive(Clone, Debug, Default)]
pub struct TaskPatch {
    /// Title.
    pub title: Option<String>,
    /// Description in Markdown.
    pub description: Patch<String>,
    /// State.
    pub status: Option<TaskStatus>,
    /// Importance.
    pub priority: Option<TaskPriority>,
    /// Energy the task needs.
    pub energy: Option<EnergyLevel>,
    /// Estimated work in minutes.
    pub duration_minutes: Option<i32>,
    /// Smallest piece.
    pub min_chunk_minutes: Patch<i32>,
    /// Largest piece.
    pub max_chunk_minutes: Patch<i32>,
    /// Not before this instant.
    pub start_after: Patch<Instant>,
    /// Deadline.
    pub due_at: Patch<Instant>,
    /// Whether missing the deadline is worse than anything else.
    pub is_hard_deadline: Option<bool>,
    /// Whether the planner may place it.
    pub is_auto_scheduled: Option<bool>,
    /// Hours in which it may be planned.
    pub working_hours: Patch<Vec<WorkingHours>>,
    /// Replaces all labels.
    pub labels: Option<Vec<String>>,
    /// Who does it.
    pub assignee_id: Patch<UserId>,
    /// Parent task.
    pub parent_id: Patch<TaskId>,
    /// Rule by which the task comes again once it is done.
    pub recurrence_rule: Patch<String>,
    /// Fail when the task has another version.
    pub expected_version: Option<i32>,
}

/// Changes to several tasks at once.
#[derive(Clone, Debug, Default)]
pub struct BulkPatch {
    /// State.
    pub status: Option<TaskStatus>,
    /// Importance.
    pub priority: Option<TaskPriority>,
    /// Deadline.
    pub due_at: Patch<Instant>,
    /// Who does the tasks.
    pub assignee_id: Patch<UserId>,
    /// Labels to add.
    pub add_labels: Vec<String>,
    /// Labels to remove.
    pub remove_labels: Vec<String>,
}

/// Conditions of a list; all given ones must hold.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// Any of these states.
    pub statuses: Option<Vec<TaskStatus>>,
    /// Any of these priorities.
    pub priorities: Option<Vec<TaskPriority>>,
    /// Any of these labels.
    pub labels: Option<Vec<String>>,
    /// Any of these people.
    pub assignee_ids: Option<Vec<UserId>>,
    /// Due before this instant.
    pub due_before: Option<Instant>,
    /// Due at or after this instant.
    pub due_after: Option<Instant>,
    /// Overdue or not.
    pub is_overdue: Option<bool>,
    /// Blocked by an unfinished dependency or not.
    pub is_blocked: Option<bool>,
    /// With a slot in an applied schedule or not.
    pub is_scheduled: Option<bool>,
    /// Sub-tasks of this task.
    pub parent_id: Option<TaskId>,
    /// Words in title or description.
    pub search: Option<String>,
}

/// Order of a list.
#[derive(Clone, Copy, Debug)]
pub struct TaskOrder {
    /// Field to sort by.
    pub field: TaskOrderField,
    /// Largest first.
    pub descending: bool,
}

impl TaskOrder {
    /// What cursors of this order are marked with.
    pub(super) fn name(self) -> String {
        let sign = if self.descending { '-' } else { '+' };
        format!("{sign}{:?}", self.field)
    }
}

/// Fields to sort tasks by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskOrderField {
    /// Deadline; tasks without one last.
    DueAt,
    /// Priority.
    Priority,
    /// Time of creation.
    CreatedAt,
    /// Time of the last change.
    UpdatedAt,
    /// Title.
    Title,
}
