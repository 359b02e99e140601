//! Tasks: the pattern that every other type follows.

use std::sync::Arc;

use async_graphql::{
    Context, Enum, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject, Subscription,
};
use entity::ids::{TaskId, UserId};
use entity::task;
use futures_util::Stream;

use super::enums::{ChangeAction, EnergyLevel, OrderDirection, TaskPriority, TaskStatus};
use super::errors::{expose, lookup};
use super::ids::{global, parse, reference, references, target, workspace_reference};
use super::live::follow;
use super::loaders::{BlockedKey, DependenciesKey, DependentsKey, SubtasksKey, TaskKey};
use super::paging::{connection, payload, wants_total};
use super::people::{User, user_of};
use super::scalars::DateTime;
use super::workspaces::{Workspace, workspace_of};
use super::{access, loader, patch};
use crate::access::{Access, Ctx};
use crate::features::tasks::{self, BulkPatch, NewTask, TaskPatch};
use crate::kernel::changes::ObjectType;
use crate::kernel::page::PageArgs;
use crate::kernel::patch::Patch;
use crate::kernel::{self, Error};

/// Something to do, with everything the planner needs to place it.
#[derive(Clone)]
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

#[Object]
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
        workspace_of(ctx, Some(self.0.workspace_id))
            .await
            .unwrap_or_else(|| Err(expose(Error::not_found())))
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

connection!(
    /// A page of tasks.
    TaskConnection, TaskEdge, Task, "tasks"
);

/// Filter for tasks. All given conditions must hold.
#[derive(InputObject)]
pub struct TaskFilter {
    /// Only tasks with these states.
    statuses: Option<Vec<TaskStatus>>,
    /// Only tasks with these priorities.
    priorities: Option<Vec<TaskPriority>>,
    /// Only tasks with any of these labels.
    labels: Option<Vec<String>>,
    /// Only tasks of these users.
    assignee_ids: Option<Vec<ID>>,
    /// Only tasks due before this instant.
    due_before: Option<DateTime>,
    /// Only tasks due at or after this instant.
    due_after: Option<DateTime>,
    /// Only overdue (`true`) or not overdue (`false`) tasks.
    is_overdue: Option<bool>,
    /// Only tasks that an unfinished dependency blocks (`true`) or not (`false`).
    is_blocked: Option<bool>,
    /// Only sub-tasks of this task.
    parent_id: Option<ID>,
    /// Words that appear in title or description.
    search: Option<String>,
}

impl TaskFilter {
    /// Ids that nobody has match nothing.
    fn into_model(self) -> tasks::TaskFilter {
        let nobody = || TaskId(Default::default());
        tasks::TaskFilter {
            statuses: self.statuses.map(|any| any.into_iter().map(Into::into).collect()),
            priorities: self
                .priorities
                .map(|any| any.into_iter().map(Into::into).collect()),
            labels: self.labels,
            assignee_ids: self
                .assignee_ids
                .map(|ids| ids.iter().filter_map(parse::<UserId>).collect()),
            due_before: self.due_before.map(|at| at.0),
            due_after: self.due_after.map(|at| at.0),
            is_overdue: self.is_overdue,
            is_blocked: self.is_blocked,
            parent_id: self.parent_id.map(|id| parse(&id).unwrap_or_else(nobody)),
            search: self.search,
        }
    }
}

/// Sort order of tasks.
#[derive(InputObject)]
pub struct TaskOrder {
    /// Field to sort by.
    field: TaskOrderField,
    /// Direction.
    #[graphql(default)]
    direction: OrderDirection,
}

impl Default for TaskOrder {
    fn default() -> Self {
        Self {
            field: TaskOrderField::DueAt,
            direction: OrderDirection::Asc,
        }
    }
}

/// Fields to sort tasks by.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "tasks::TaskOrderField")]
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

/// The fields that tasks hang on a workspace.
pub struct WorkspaceTasks(pub Arc<Ctx>);

#[Object]
impl WorkspaceTasks {
    /// Tasks of the workspace.
    #[expect(clippy::too_many_arguments, reason = "arguments of a GraphQL field")]
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only tasks that match.")] filter: Option<TaskFilter>,
        #[graphql(desc = "Sort order.", default_with = "Some(TaskOrder::default())")] order_by: Option<
            TaskOrder,
        >,
        #[graphql(
            desc = "Page size from the start, at most 100. 50 when neither `first` nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Continue before this cursor.")] before: Option<String>,
    ) -> Result<TaskConnection> {
        let order = order_by.unwrap_or_default();
        let order = tasks::TaskOrder {
            field: order.field.into(),
            descending: order.direction == OrderDirection::Desc,
        };
        let filter = filter.map(TaskFilter::into_model).unwrap_or_default();
        let page = async {
            let request = PageArgs {
                first,
                after,
                last,
                before,
            }
            .check(50, wants_total(ctx))?;
            tasks::page(&self.0, &filter, order, &request).await
        };
        Ok(TaskConnection::new(page.await.map_err(expose)?, Task::from))
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

/// A new task.
#[derive(InputObject)]
pub struct CreateTaskInput {
    /// Workspace of the task.
    workspace_id: ID,
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
    /// Labels, at most 20.
    labels: Option<Vec<String>>,
    /// Who does the task. The viewer when omitted.
    assignee_id: Option<ID>,
    /// Parent task.
    parent_id: Option<ID>,
    /// Tasks that must be finished first.
    dependency_ids: Option<Vec<ID>>,
}

impl CreateTaskInput {
    fn into_model(self) -> kernel::Result<NewTask> {
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
        })
    }
}

/// Changes to a task. Omitted fields stay as they are; null clears optional fields.
#[derive(InputObject)]
pub struct UpdateTaskInput {
    /// Title.
    title: Option<String>,
    /// Description in Markdown.
    description: MaybeUndefined<String>,
    /// State.
    status: Option<TaskStatus>,
    /// Importance.
    priority: Option<TaskPriority>,
    /// Energy the task needs.
    energy: Option<EnergyLevel>,
    /// Estimated work, 5 to 14400.
    duration_minutes: Option<i32>,
    /// Smallest piece when split. Null keeps the task in one piece.
    min_chunk_minutes: MaybeUndefined<i32>,
    /// Largest piece when split.
    max_chunk_minutes: MaybeUndefined<i32>,
    /// Do not schedule before this instant.
    start_after: MaybeUndefined<DateTime>,
    /// Deadline.
    due_at: MaybeUndefined<DateTime>,
    /// Whether missing the deadline is worse than anything else.
    is_hard_deadline: Option<bool>,
    /// Whether the planner may place this task.
    is_auto_scheduled: Option<bool>,
    /// Replaces all labels.
    labels: MaybeUndefined<Vec<String>>,
    /// Who does the task.
    assignee_id: MaybeUndefined<ID>,
    /// Parent task.
    parent_id: MaybeUndefined<ID>,
    /// Fail with `VERSION_CONFLICT` when the task has another version.
    expected_version: Option<i32>,
}

impl UpdateTaskInput {
    fn into_model(self) -> kernel::Result<TaskPatch> {
        Ok(TaskPatch {
            title: self.title,
            description: patch(self.description),
            status: self.status.map(Into::into),
            priority: self.priority.map(Into::into),
            energy: self.energy.map(Into::into),
            duration_minutes: self.duration_minutes,
            min_chunk_minutes: patch(self.min_chunk_minutes),
            max_chunk_minutes: patch(self.max_chunk_minutes),
            start_after: instant(self.start_after),
            due_at: instant(self.due_at),
            is_hard_deadline: self.is_hard_deadline,
            is_auto_scheduled: self.is_auto_scheduled,
            // Null is the empty list: a task without labels.
            labels: match self.labels {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(Vec::new()),
                MaybeUndefined::Value(labels) => Some(labels),
            },
            assignee_id: patch(self.assignee_id).try_map(|id| reference(&id, "input.assigneeId"))?,
            parent_id: patch(self.parent_id).try_map(|id| reference(&id, "input.parentId"))?,
            expected_version: self.expected_version,
        })
    }
}

fn instant(at: MaybeUndefined<DateTime>) -> Patch<crate::kernel::time::Instant> {
    patch(at.map_value(|at| at.0))
}

/// Changes to several tasks. Omitted fields stay as they are.
#[derive(InputObject)]
pub struct BulkUpdateTasksInput {
    /// State.
    status: Option<TaskStatus>,
    /// Importance.
    priority: Option<TaskPriority>,
    /// Deadline. Null clears it.
    due_at: MaybeUndefined<DateTime>,
    /// Who does the tasks. Null clears it.
    assignee_id: MaybeUndefined<ID>,
    /// Labels to add.
    add_labels: Option<Vec<String>>,
    /// Labels to remove.
    remove_labels: Option<Vec<String>>,
}

payload!(
    CreateTaskPayload,
    "createTask",
    /// The task after the change. Null when the mutation failed.
    task: Task
);
payload!(
    UpdateTaskPayload,
    "updateTask",
    /// The task after the change. Null when the mutation failed.
    task: Task
);
payload!(
    CompleteTaskPayload,
    "completeTask",
    /// The task after the change. Null when the mutation failed.
    task: Task
);
payload!(
    ReopenTaskPayload,
    "reopenTask",
    /// The task after the change. Null when the mutation failed.
    task: Task
);
payload!(
    DeleteTaskPayload,
    "deleteTask",
    /// ID of the deleted object, to evict caches. Null when the mutation failed.
    deleted_task_id: ID
);
payload!(
    AddTaskDependencyPayload,
    "addTaskDependency",
    /// The task after the change. Null when the mutation failed.
    task: Task
);
payload!(
    RemoveTaskDependencyPayload,
    "removeTaskDependency",
    /// The task after the change. Null when the mutation failed.
    task: Task
);
payload!(
    BulkUpdateTasksPayload,
    "bulkUpdateTasks",
    /// The tasks after the change. Null when the mutation failed.
    tasks: Vec<Task>
);

/// Enters the workspace of a task that a mutation acts on.
async fn enter(ctx: &Context<'_>, id: &ID) -> kernel::Result<(Ctx, TaskId)> {
    access(ctx).caller().require_user()?;
    let id = target(id)?;
    Ok((access(ctx).ctx_of::<task::Entity>(id).await?, id))
}

#[derive(Default)]
pub struct TaskMutation;

#[Object]
impl TaskMutation {
    /// Creates a task.
    async fn create_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: CreateTaskInput,
    ) -> Result<CreateTaskPayload> {
        let result = async {
            access(ctx).caller().require_user()?;
            let path = "input.workspaceId";
            let workspace = reference(&input.workspace_id, path)?;
            let entered = workspace_reference(access(ctx).ctx(workspace).await, path)?;
            tasks::create(&entered, input.into_model()?).await
        };
        CreateTaskPayload::new(result.await, Task::from)
    }

    /// Changes a task. Omitted fields stay as they are; null clears optional fields.
    async fn update_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Values to use.")] input: UpdateTaskInput,
    ) -> Result<UpdateTaskPayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            tasks::update(&entered, id, input.into_model()?).await
        };
        UpdateTaskPayload::new(result.await, Task::from)
    }

    /// Marks a task as done. A recurring task gets its next instance.
    async fn complete_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<CompleteTaskPayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            tasks::complete(&entered, id).await
        };
        CompleteTaskPayload::new(result.await, Task::from)
    }

    /// Opens a done or cancelled task again.
    async fn reopen_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<ReopenTaskPayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            tasks::reopen(&entered, id).await
        };
        ReopenTaskPayload::new(result.await, Task::from)
    }

    /// Deletes a task and its sub-tasks.
    async fn delete_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<DeleteTaskPayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            tasks::delete(&entered, id).await.map(|_| id)
        };
        DeleteTaskPayload::new(result.await, global)
    }

    /// Makes a task wait for another.
    async fn add_task_dependency(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Task that waits.")] task_id: ID,
        #[graphql(desc = "Task that must be finished first.")] depends_on_id: ID,
    ) -> Result<AddTaskDependencyPayload> {
        let result = async {
            let (entered, id) = enter(ctx, &task_id).await?;
            tasks::add_dependency(&entered, id, reference(&depends_on_id, "dependsOnId")?).await
        };
        AddTaskDependencyPayload::new(result.await, Task::from)
    }

    /// Removes a dependency.
    async fn remove_task_dependency(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Task that waits.")] task_id: ID,
        #[graphql(desc = "Task that must be finished first.")] depends_on_id: ID,
    ) -> Result<RemoveTaskDependencyPayload> {
        let result = async {
            let (entered, id) = enter(ctx, &task_id).await?;
            tasks::remove_dependency(&entered, id, reference(&depends_on_id, "dependsOnId")?).await
        };
        RemoveTaskDependencyPayload::new(result.await, Task::from)
    }

    /// Changes several tasks at once, all or none. At most 100.
    async fn bulk_update_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "IDs of the objects.")] ids: Vec<ID>,
        #[graphql(desc = "Values to use.")] input: BulkUpdateTasksInput,
    ) -> Result<BulkUpdateTasksPayload> {
        let result = async {
            access(ctx).caller().require_user()?;
            let ids: Vec<TaskId> = references(&ids, "ids")?;
            let Some(first) = ids.first() else {
                return Err(Error::user(
                    kernel::UserErrorCode::Required,
                    "ids",
                    "Give at least one task.",
                ));
            };
            let entered = access(ctx).ctx_of::<task::Entity>(*first).await?;
            let patch = BulkPatch {
                status: input.status.map(Into::into),
                priority: input.priority.map(Into::into),
                due_at: instant(input.due_at),
                assignee_id: patch(input.assignee_id).try_map(|id| reference(&id, "input.assigneeId"))?,
                add_labels: input.add_labels.unwrap_or_default(),
                remove_labels: input.remove_labels.unwrap_or_default(),
            };
            tasks::bulk_update(&entered, ids, patch).await
        };
        BulkUpdateTasksPayload::new(result.await, |rows| rows.into_iter().map(Task::from).collect())
    }
}

/// A change of a task.
#[derive(SimpleObject)]
pub struct TaskChange {
    /// Position of this change in the workspace's change log. Pass it as `after` to resume without a gap.
    cursor: String,
    /// What happened.
    action: ChangeAction,
    /// ID of the task, also after it was deleted.
    task_id: ID,
    /// The task. Null after it was deleted.
    task: Option<Task>,
}

#[derive(Default)]
pub struct TaskSubscription;

#[Subscription]
impl TaskSubscription {
    /// Tasks of a workspace that are created, changed or deleted.
    async fn task_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Workspace to watch.")] workspace_id: ID,
        #[graphql(
            desc = "Resume after this cursor: changes missed since are sent first, in order. Live only when omitted."
        )]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<TaskChange>> + use<>> {
        follow(
            ctx,
            &workspace_id,
            after,
            |change| change.object_type == ObjectType::Task,
            |entered, cursor, change| async move {
                let id = TaskId(change.object_id);
                let task = tasks::get_many(&entered, &[id]).await?.pop().map(Task::from);
                Ok(TaskChange {
                    cursor,
                    action: change.action.into(),
                    task_id: global(id),
                    task,
                })
            },
        )
        .await
    }
}
