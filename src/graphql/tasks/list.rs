//! The list of a workspace's tasks: filter, order, pages.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use entity::ids::{TaskId, UserId};

use super::Task;
use crate::access::Ctx;
use crate::features::tasks;
use crate::graphql::enums::{OrderDirection, TaskPriority, TaskStatus};
use crate::graphql::ids::parse;
use crate::graphql::paging::{PageParts, page_args, page_request, shaped_connection};
use crate::graphql::scalars::DateTime;
use crate::graphql::shape::PagePlan;
use crate::graphql::straight::{Given, Listed};
use crate::kernel;
use crate::kernel::page::PageArgs;

shaped_connection!(
    /// A page of tasks.
    TaskConnection "TaskConnection", TaskEdge "TaskEdge", Task, "tasks"
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
    /// Only tasks with (`true`) or without (`false`) a slot in an applied schedule.
    is_scheduled: Option<bool>,
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
            is_scheduled: self.is_scheduled,
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
        let page = PageArgs {
            first,
            after,
            last,
            before,
        };
        let asked = AskedTasks {
            filter,
            order_by,
            page,
        };
        TaskConnection::answer(ctx, &self.0, asked).await
    }
}

/// The arguments of `Workspace.tasks`.
struct AskedTasks {
    filter: Option<TaskFilter>,
    order_by: Option<TaskOrder>,
    page: PageArgs,
}

impl Listed for AskedTasks {
    type Node = Task;

    fn given(given: &Given<'_>) -> Option<Self> {
        Some(Self {
            filter: given.read("filter")?,
            order_by: given.read("orderBy")?,
            page: page_args(given)?,
        })
    }

    async fn page(
        self,
        ctx: &Ctx,
        plan: Option<&PagePlan<Task>>,
        counts: bool,
    ) -> kernel::Result<PageParts<Task>> {
        let order = self.order_by.unwrap_or_default();
        let order = tasks::TaskOrder {
            field: order.field.into(),
            descending: order.direction == OrderDirection::Desc,
        };
        let filter = self.filter.map(TaskFilter::into_model).unwrap_or_default();
        let request = page_request(self.page, plan, counts)?;
        let page = tasks::page(ctx, &filter, order, &request).await?;
        Ok(PageParts::new(page, Task))
    }
}
