//! Tasks: the pattern that every other type follows. Here is the object; beside it the list, the inputs, the mutations and the stream.

mod input;
mod list;
mod live;
mod mutation;

use std::sync::Arc;

use async_graphql::{Context, Description, ID, Object, Result};
use entity::ids::TaskId;
use entity::task;

use super::enums::{EnergyLevel, TaskPriority, TaskStatus};
use super::errors::lookup;
use super::ids::{global, target};
use super::loaders::{BlockedKey, DependenciesKey, DependentsKey, SubtasksKey, TaskKey};
use super::people::{User, user_of};
use super::scalars::DateTime;
use super::workspaces::{Workspace, workspace_field};
use super::{access, loader};
use crate::access::Access;
use crate::features::tasks;
use crate::kernel;

pub use list::WorkspaceTasks;
pub use live::TaskSubscription;
pub use mutation::TaskMutation;

/// Something to do, with everything the planner needs to place it.
#[derive(Clone, Description)]
pub struct Task(pub Arc<task::Model>);

impl Task {
    /// Finds a task in whichever workspace of the caller it is.
    pub async fn load(access: &Access, id: TaskId) -> kernel::Result<Self> {
        let ctx = access.ctx_of::<task::Entity>(id).await?;
        tasks::get(&ctx, id).await.map(Self::from)
    }
}

impl From<task::Model> for Task {
    fn from(row: task::Model) -> Self {
        Self(Arc::new(row))
    }
}

#[Object(use_type_description)]
impl Task {
    /// Globally unique ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Increases with each change. Send it back as `expectedVersion` to detect concurrent edits.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Workspace of the task.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Workspace> {
        workspace_field(ctx, self.0.workspace_id).await
    }

    /// Title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Description in Markdown.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// State.
    async fn status(&self) -> TaskStatus {
        self.0.status.into()
    }

    /// Importance.
    async fn priority(&self) -> TaskPriority {
        self.0.priority.into()
    }

    /// Energy the task needs.
    async fn energy(&self) -> EnergyLevel {
        self.0.energy.into()
    }

    /// Estimated total work.
    async fn duration_minutes(&self) -> i32 {
        self.0.duration_minutes
    }

    /// Work already done, from completed slots and focus sessions.
    async fn completed_minutes(&self) -> i32 {
        self.0.completed_minutes
    }

    /// Smallest piece the planner may split the task into. Null when it must be done in one go.
    async fn min_chunk_minutes(&self) -> Option<i32> {
        self.0.min_chunk_minutes
    }

    /// Largest piece the planner may place at once. Null for no limit.
    async fn max_chunk_minutes(&self) -> Option<i32> {
        self.0.max_chunk_minutes
    }

    /// Do not schedule before this instant.
    async fn start_after(&self) -> Option<DateTime> {
        self.0.start_after.map(DateTime)
    }

    /// Deadline.
    async fn due_at(&self) -> Option<DateTime> {
        self.0.due_at.map(DateTime)
    }

    /// Whether missing the deadline is worse than anything else.
    async fn is_hard_deadline(&self) -> bool {
        self.0.is_hard_deadline
    }

    /// Whether the planner may place this task.
    async fn is_auto_scheduled(&self) -> bool {
        self.0.is_auto_scheduled
    }

    /// Whether the deadline has passed and the task is still open.
    async fn is_overdue(&self, ctx: &Context<'_>) -> bool {
        tasks::is_overdue(&self.0, access(ctx).platform().clock.now())
    }

    /// Labels.
    async fn labels(&self) -> Vec<String> {
        tasks::labels_of(&self.0)
    }

    /// Who does the task.
    async fn assignee(&self, ctx: &Context<'_>) -> Option<Result<User>> {
        user_of(ctx, self.0.assignee_id).await
    }

    /// Who created the task. Null for a deleted user.
    async fn created_by(&self, ctx: &Context<'_>) -> Option<Result<User>> {
        user_of(ctx, self.0.created_by).await
    }

    /// Parent task. Null for top-level tasks.
    async fn parent(&self, ctx: &Context<'_>) -> Option<Result<Task>> {
        let key = TaskKey(self.0.workspace_id, self.0.parent_id?);
        loader(ctx)
            .load_one(key)
            .await
            .map(|row| row.map(Task))
            .transpose()
    }

    /// Sub-tasks, in order.
    async fn subtasks(&self, ctx: &Context<'_>) -> Result<Vec<Task>> {
        let rows = loader(ctx)
            .load_one(SubtasksKey(self.0.workspace_id, self.0.id))
            .await?;
        Ok(rows.unwrap_or_default().into_iter().map(Task).collect())
    }

    /// Tasks that must be finished first.
    async fn dependencies(&self, ctx: &Context<'_>) -> Result<Vec<Task>> {
        let rows = loader(ctx)
            .load_one(DependenciesKey(self.0.workspace_id, self.0.id))
            .await?;
        Ok(rows.unwrap_or_default().into_iter().map(Task).collect())
    }

    /// Tasks that wait for this one.
    async fn dependents(&self, ctx: &Context<'_>) -> Result<Vec<Task>> {
        let rows = loader(ctx)
            .load_one(DependentsKey(self.0.workspace_id, self.0.id))
            .await?;
        Ok(rows.unwrap_or_default().into_iter().map(Task).collect())
    }

    /// Whether an unfinished dependency blocks this task.
    async fn is_blocked(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(loader(ctx)
            .load_one(BlockedKey(self.0.workspace_id, self.0.id))
            .await?
            .is_some())
    }

    /// When the task was finished.
    async fn completed_at(&self) -> Option<DateTime> {
        self.0.completed_at.map(DateTime)
    }

    /// When the task was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When the task last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }
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
        lookup(async { Task::load(access(ctx), target(&id)?).await }.await)
    }
}
