//! The commands on tasks and their payloads.

use std::convert::identity;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use entity::ids::TaskId;
use entity::task;

use super::Task;
use super::input::{BulkUpdateTasksInput, CreateTaskInput, UpdateTaskInput};
use crate::access::{Access, Ctx};
use crate::features::tasks;
use crate::graphql::access;
use crate::graphql::errors::{UserError, outcome};
use crate::graphql::ids::{global, reference, references, target, workspace_reference};
use crate::graphql::paging::payload;
use crate::graphql::straight::{command, commands};
use crate::kernel::{self, Error};

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

/// Result of `completeTask`.
#[derive(SimpleObject)]
pub struct CompleteTaskPayload {
    /// The task after the change. Null when the mutation failed.
    task: Option<Task>,
    /// Next instance of a recurring task.
    next_task: Option<Task>,
    /// Expected failures. Empty on success.
    user_errors: Vec<UserError>,
}

/// Enters the workspace of a task that a mutation acts on.
async fn enter(access: &Access, id: &ID) -> kernel::Result<(Ctx, TaskId)> {
    access.caller().require_user()?;
    let id = target(id)?;
    Ok((access.ctx_of::<task::Entity>(id).await?, id))
}

commands! {
    CreateTask(input "input": CreateTaskInput) -> CreateTaskPayload "task": Task, |access| {
        access.caller().require_user()?;
        let path = "input.workspaceId";
        let workspace = reference(&input.workspace_id, path)?;
        let entered = workspace_reference(access.ctx(workspace).await, path)?;
        tasks::create(&entered, input.into_model()?).await.map(Task::from)
    };
    UpdateTask(id "id": ID, input "input": UpdateTaskInput) -> UpdateTaskPayload "task": Task, |access| {
        let (entered, id) = enter(access, &id).await?;
        tasks::update(&entered, id, input.into_model()?).await.map(Task::from)
    };
    ReopenTask(id "id": ID) -> ReopenTaskPayload "task": Task, |access| {
        let (entered, id) = enter(access, &id).await?;
        tasks::reopen(&entered, id).await.map(Task::from)
    };
    AddTaskDependency(task_id "taskId": ID, depends_on_id "dependsOnId": ID) -> AddTaskDependencyPayload "task": Task, |access| {
        let (entered, id) = enter(access, &task_id).await?;
        let depends_on = reference(&depends_on_id, "dependsOnId")?;
        tasks::add_dependency(&entered, id, depends_on).await.map(Task::from)
    };
    RemoveTaskDependency(task_id "taskId": ID, depends_on_id "dependsOnId": ID) -> RemoveTaskDependencyPayload "task": Task, |access| {
        let (entered, id) = enter(access, &task_id).await?;
        let depends_on = reference(&depends_on_id, "dependsOnId")?;
        tasks::remove_dependency(&entered, id, depends_on).await.map(Task::from)
    };
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
        CreateTaskPayload::new(command::<CreateTask>(ctx, (input,)).await, identity)
    }

    /// Changes a task. Omitted fields stay as they are; null clears optional fields.
    async fn update_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Values to use.")] input: UpdateTaskInput,
    ) -> Result<UpdateTaskPayload> {
        UpdateTaskPayload::new(command::<UpdateTask>(ctx, (id, input)).await, identity)
    }

    /// Marks a task as done.
    async fn complete_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<CompleteTaskPayload> {
        let result = async {
            let (entered, id) = enter(access(ctx), &id).await?;
            tasks::complete(&entered, id).await
        };
        let (completed, user_errors) = outcome(result.await)?;
        let (task, next) = completed.map(|done| (done.task, done.next)).unzip();
        Ok(CompleteTaskPayload {
            task: task.map(Task::from),
            next_task: next.flatten().map(Task::from),
            user_errors,
        })
    }

    /// Opens a done or cancelled task again.
    async fn reopen_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<ReopenTaskPayload> {
        ReopenTaskPayload::new(command::<ReopenTask>(ctx, (id,)).await, identity)
    }

    /// Deletes a task and its sub-tasks.
    async fn delete_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<DeleteTaskPayload> {
        let result = async {
            let (entered, id) = enter(access(ctx), &id).await?;
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
        let given = (task_id, depends_on_id);
        AddTaskDependencyPayload::new(command::<AddTaskDependency>(ctx, given).await, identity)
    }

    /// Removes a dependency.
    async fn remove_task_dependency(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Task that waits.")] task_id: ID,
        #[graphql(desc = "Task that must be finished first.")] depends_on_id: ID,
    ) -> Result<RemoveTaskDependencyPayload> {
        let given = (task_id, depends_on_id);
        RemoveTaskDependencyPayload::new(command::<RemoveTaskDependency>(ctx, given).await, identity)
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
            tasks::bulk_update(&entered, ids, input.into_model()?).await
        };
        BulkUpdateTasksPayload::new(result.await, |rows| rows.into_iter().map(Task::from).collect())
    }
}
