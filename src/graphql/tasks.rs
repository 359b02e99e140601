//! Tasks: the pattern that every other type follows. Here is the object; beside it the list, the inputs, the mutations and the stream.

mod input;
mod list;
mod live;
mod mutation;

use std::sync::Arc;

use async_graphql::{Context, Description, ID, Object, Result};
use entity::task;

use super::enums::{EnergyLevel, TaskPriority, TaskStatus};
use super::ids::{global, target};
use super::loaders::{
    BlockedKey, DependenciesKey, DependentsKey, SubtasksKey, TaskKey, TaskSlotsKey, UserKey,
};
use super::people::User;
use super::preferences::WorkingHours;
use super::scalars::{DateTime, RRule};
use super::schedules::ScheduleSlot;
use super::shape::object;
use super::straight;
use super::workspaces::{Workspace, workspace_field};
use crate::features::tasks;

pub use list::WorkspaceTasks;
pub use live::TaskSubscription;
pub use mutation::TaskMutation;

/// Something to do, with everything the planner needs to place it.
#[derive(Clone, Description)]
pub struct Task(pub Arc<task::Model>);

impl From<task::Model> for Task {
    fn from(row: task::Model) -> Self {
        Self(Arc::new(row))
    }
}

impl Task {
    /// For the `Node` interface.
    pub async fn id(&self, _: &Context<'_>) -> Result<ID> {
        Ok(global(self.0.id))
    }
}

object! {
    Task "Task", task::Column;

    /// Globally unique ID.
    value id [Id] -> ID { |task| global(task.0.id) }
    /// Increases with each change. Send it back as `expectedVersion` to detect concurrent edits.
    value version [Version] -> i32 { |task| task.0.version }
    /// Workspace of the task.
    plain workspace [] -> Result<Workspace> { |task, ctx| workspace_field(ctx, task.0.workspace_id).await }
    /// Title.
    value title [Title] -> &str { |task| &task.0.title }
    /// Description in Markdown.
    value description [Description] -> Option<&str> { |task| task.0.description.as_deref() }
    /// State.
    value status [Status] -> TaskStatus { |task| task.0.status.into() }
    /// Importance.
    value priority [Priority] -> TaskPriority { |task| task.0.priority.into() }
    /// Energy the task needs.
    value energy [Energy] -> EnergyLevel { |task| task.0.energy.into() }
    /// Estimated total work.
    value duration_minutes [DurationMinutes] -> i32 { |task| task.0.duration_minutes }
    /// Work already done, from completed slots and focus sessions.
    value completed_minutes [CompletedMinutes] -> i32 { |task| task.0.completed_minutes }
    /// Smallest piece the planner may split the task into. Null when it must be done in one go.
    value min_chunk_minutes [MinChunkMinutes] -> Option<i32> { |task| task.0.min_chunk_minutes }
    /// Largest piece the planner may place at once. Null for no limit.
    value max_chunk_minutes [MaxChunkMinutes] -> Option<i32> { |task| task.0.max_chunk_minutes }
    /// Do not schedule before this instant.
    value start_after [StartAfter] -> Option<DateTime> { |task| task.0.start_after.map(DateTime) }
    /// Deadline.
    value due_at [DueAt] -> Option<DateTime> { |task| task.0.due_at.map(DateTime) }
    /// Whether missing the deadline is worse than anything else.
    value is_hard_deadline [IsHardDeadline] -> bool { |task| task.0.is_hard_deadline }
    /// Whether the planner may place this task.
    value is_auto_scheduled [IsAutoScheduled] -> bool { |task| task.0.is_auto_scheduled }
    /// Hours in which the planner may place this task. Null for the working hours of its assignee.
    plain working_hours [WorkingHours] -> Option<Vec<WorkingHours>> {
        |task, _ctx| {
            let hours = tasks::working_hours_of(&task.0);
            hours.map(|all| all.into_iter().map(WorkingHours::from).collect())
        }
    }
    /// Whether the deadline has passed and the task is still open.
    value is_overdue [Status DueAt] -> bool { |task, scene| tasks::is_overdue(&task.0, scene.now) }
    /// Labels.
    value labels [Labels] -> Vec<String> { |task| tasks::labels_of(&task.0) }
    /// Who does the task.
    one assignee [AssigneeId] -> Option<Result<User>> { |task| UserKey(task.0.assignee_id?) => User }
    /// Who created the task. Null for a deleted user.
    one created_by [CreatedBy] -> Option<Result<User>> { |task| UserKey(task.0.created_by?) => User }
    /// Parent task. Null for top-level tasks.
    one parent [WorkspaceId ParentId] -> Option<Result<Task>> {
        |task| TaskKey(task.0.workspace_id, task.0.parent_id?) => Task
    }
    /// Sub-tasks, in order.
    many subtasks [WorkspaceId Id] -> Result<Vec<Task>> { |task| SubtasksKey(task.0.workspace_id, task.0.id) => Task }
    /// Tasks that must be finished first.
    many dependencies [WorkspaceId Id] -> Result<Vec<Task>> {
        |task| DependenciesKey(task.0.workspace_id, task.0.id) => Task
    }
    /// Tasks that wait for this one.
    many dependents [WorkspaceId Id] -> Result<Vec<Task>> {
        |task| DependentsKey(task.0.workspace_id, task.0.id) => Task
    }
    /// Whether an unfinished dependency blocks this task.
    found is_blocked [WorkspaceId Id] -> Result<bool> {
        |task| BlockedKey(task.0.workspace_id, task.0.id) => |blocked| blocked.is_some()
    }
    /// Slots of applied schedules for this task, by start.
    many scheduled_slots [WorkspaceId Id] -> Result<Vec<ScheduleSlot>> {
        |task| TaskSlotsKey(task.0.workspace_id, task.0.id) => ScheduleSlot
    }
    /// Repeats the task after completion. Null for one-off tasks.
    value recurrence_rule [RecurrenceRule] -> Option<RRule> { |task| task.0.recurrence_rule.clone().map(RRule) }
    /// When the task was finished.
    value completed_at [CompletedAt] -> Option<DateTime> { |task| task.0.completed_at.map(DateTime) }
    /// When the task was created.
    value created_at [CreatedAt] -> DateTime { |task| DateTime(task.0.created_at) }
    /// When the task last changed.
    value updated_at [UpdatedAt] -> DateTime { |task| DateTime(task.0.updated_at) }
}

#[derive(Default)]
pub struct TaskQuery;

#[Object]
impl TaskQuery {
    /// A task by ID.
    async fn task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the task.")] id: ID,
    ) -> Option<Result<Task>> {
        straight::object(ctx, &id, |access, id, columns| {
            Box::pin(async move { tasks::find(access, target(id)?, columns).await.map(Task::from) })
        })
        .await
    }
}
