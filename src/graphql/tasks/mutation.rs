//! The commands on tasks and their payloads.

use async_graphql::{Context, ID, Object, Result};
use entity::ids::TaskId;
use entity::task;

use super::Task;
use super::input::{BulkUpdateTasksInput, CreateTaskInput, UpdateTaskInput};
use crate::access::{Access, Ctx};
use crate::features::tasks;
use crate::graphql::ids::{global, reference, references, target, workspace_reference};
use crate::graphql::straight::{command, commands, shaped_payload};
use crate::kernel::{self, Error};

shaped_payload!(
    CreateTaskPayload,
    "createTask",
    /// The task after the change. Null when the mutation failed.
    one task: Option<Task>
);
shaped_payload!(
    UpdateTaskPayload,
    "updateTask",
    /// The task after the change. Null when the mutation failed.
    one task: Option<Task>
);
shaped_payload!(
    CompleteTaskPayload,
    "completeTask",
    /// The task after the change. Null when the mutation failed.
    one task: Option<Task>,
    /// Next instance of a recurring task.
    one next_task: Option<Task>
);
shaped_payload!(
    ReopenTaskPayload,
    "reopenTask",
    /// The task after the change. Null when the mutation failed.
    one task: Option<Task>
);
shaped_payload!(
    DeleteTaskPayload,
    "deleteTask",
    /// ID of the deleted object, to evict caches. Null when the mutation failed.
    value deleted_task_id: Option<ID>
);
shaped_payload!(
    AddTaskDependencyPayload,
    "addTaskDependency",
    /// The task after the change. Null when the mutation failed.
    one task: Option<Task>
);
shaped_payload!(
    RemoveTaskDependencyPayload,
    "removeTaskDependency",
    /// The task after the change. Null when the mutation failed.
    one task: Option<Task>
);
shaped_payload!(
    BulkUpdateTasksPayload,
    "bulkUpdateTasks",
    /// The tasks after the change. Null when the mutation failed.
    many tasks: Option<Vec<Task>>
);

/// Enters the workspace of a task that a mutation acts on.
async fn enter(access: &Access, id: &ID) -> kernel::Result<(Ctx, TaskId)> {
    access.caller().require_user()?;
    let id = target(id)?;
    Ok((access.ctx_of::<task::Entity>(id).await?, id))
}

commands! {
    CreateTask(input "input": CreateTaskInput) -> CreateTaskPayload, |access| {
        access.caller().require_user()?;
        let path = "input.workspaceId";
        let workspace = reference(&input.workspace_id, path)?;
        let entered = workspace_reference(access.ctx(workspace).await, path)?;
        let created = tasks::create(&entered, input.into_model()?).await;
        created.map(Task::from).map(CreateTaskPayload::of)
    };
    UpdateTask(id "id": ID, input "input": UpdateTaskInput) -> UpdateTaskPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        let updated = tasks::update(&entered, id, input.into_model()?).await;
        updated.map(Task::from).map(UpdateTaskPayload::of)
    };
    CompleteTask(id "id": ID) -> CompleteTaskPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        let done = tasks::complete(&entered, id).await?;
        Ok(CompleteTaskPayload::of(Task::from(done.task), done.next.map(Task::from)))
    };
    ReopenTask(id "id": ID) -> ReopenTaskPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        tasks::reopen(&entered, id).await.map(Task::from).map(ReopenTaskPayload::of)
    };
    DeleteTask(id "id": ID) -> DeleteTaskPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        tasks::delete(&entered, id).await.map(|_| DeleteTaskPayload::of(global(id)))
    };
    AddTaskDependency(task_id "taskId": ID, depends_on_id "dependsOnId": ID) -> AddTaskDependencyPayload, |access| {
        let (entered, id) = enter(access, &task_id).await?;
        let depends_on = reference(&depends_on_id, "dependsOnId")?;
        let waiting = tasks::add_dependency(&entered, id, depends_on).await;
        waiting.map(Task::from).map(AddTaskDependencyPayload::of)
    };
    RemoveTaskDependency(task_id "taskId": ID, depends_on_id "dependsOnId": ID) -> RemoveTaskDependencyPayload, |access| {
        let (entered, id) = enter(access, &task_id).await?;
        let depends_on = reference(&depends_on_id, "dependsOnId")?;
        let freed = tasks::remove_dependency(&entered, id, depends_on).await;
        freed.map(Task::from).map(RemoveTaskDependencyPayload::of)
    };
    BulkUpdateTasks(ids "ids": Vec<ID>, input "input": BulkUpdateTasksInput) -> BulkUpdateTasksPayload, |access| {
        access.caller().require_user()?;
        let ids: Vec<TaskId> = references(&ids, "ids")?;
        let Some(first) = ids.first() else {
            return Err(Error::user(
                kernel::UserErrorCode::Required,
                "ids",
                "Give at least one task.",
            ));
        };
        let entered = access.ctx_of::<task::Entity>(*first).await?;
        let rows = tasks::bulk_update(&entered, ids, input.into_model()?).await?;
        let tasks: Vec<Task> = rows.into_iter().map(Task::from).collect();
        Ok(BulkUpdateTasksPayload::of(tasks))
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
        command::<CreateTask>(ctx, (input,)).await
    }

    /// Changes a task. Omitted fields stay as they are; null clears optional fields.
    async fn update_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Values to use.")] input: UpdateTaskInput,
    ) -> Result<UpdateTaskPayload> {
        command::<UpdateTask>(ctx, (id, input)).await
    }

    /// Marks a task as done.
    async fn complete_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<CompleteTaskPayload> {
        command::<CompleteTask>(ctx, (id,)).await
    }

    /// Opens a done or cancelled task again.
    async fn reopen_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<ReopenTaskPayload> {
        command::<ReopenTask>(ctx, (id,)).await
    }

    /// Deletes a task and its sub-tasks.
    async fn delete_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<DeleteTaskPayload> {
        command::<DeleteTask>(ctx, (id,)).await
    }

    /// Makes a task wait for another.
    async fn add_task_dependency(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Task that waits.")] task_id: ID,
        #[graphql(desc = "Task that must be finished first.")] depends_on_id: ID,
    ) -> Result<AddTaskDependencyPayload> {
        command::<AddTaskDependency>(ctx, (task_id, depends_on_id)).await
    }

    /// Removes a dependency.
    async fn remove_task_dependency(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Task that waits.")] task_id: ID,
        #[graphql(desc = "Task that must be finished first.")] depends_on_id: ID,
    ) -> Result<RemoveTaskDependencyPayload> {
        command::<RemoveTaskDependency>(ctx, (task_id, depends_on_id)).await
    }

    /// Changes several tasks at once, all or none. At most 100.
    async fn bulk_update_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "IDs of the objects.")] ids: Vec<ID>,
        #[graphql(desc = "Values to use.")] input: BulkUpdateTasksInput,
    ) -> Result<BulkUpdateTasksPayload> {
        command::<BulkUpdateTasks>(ctx, (ids, input)).await
    }
}
