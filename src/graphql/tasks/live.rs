//! The stream of changed tasks.

use async_graphql::{Context, ID, Result, SimpleObject, Subscription};
use entity::ids::TaskId;
use futures_util::Stream;

use super::Task;
use crate::features::tasks;
use crate::graphql::enums::ChangeAction;
use crate::graphql::ids::global;
use crate::graphql::live::follow;
use crate::kernel::changes::ObjectType;

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
