//! Questions about tasks.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use entity::enums::TaskStatus;
use entity::ids::{TaskId, TypedId as _, WorkspaceId};
use entity::{schedule, schedule_slot, task, task_dependency, task_label};
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, JoinType, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, Select, Statement, Value,
};

use super::model::{TaskFilter, TaskOrder, TaskOrderField};
use crate::access::{Access, Ctx};
use crate::kernel::page::{Cursor, Page, PageRequest};
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result};
use crate::platform::db::{
    Key, Partial as _, Texts, among, among_list, fetched, has_word, id_list, keyset, reading,
};

/// One task; NOT_FOUND when it does not exist in this workspace.
pub async fn get(ctx: &Ctx, id: TaskId) -> Result<task::Model> {
    get_many(ctx, &[id]).await?.pop().ok_or_else(Error::not_found)
}

/// A task in whichever workspace of the caller it is; NOT_FOUND when there is none. `columns` are bits of the columns that are needed of
/// it, `None` for all.
pub async fn find(access: &Access, id: TaskId, columns: Option<u64>) -> Result<task::Model> {
    access.caller().require_user()?;
    let always = [task::Column::Id];
    Ok(access.find::<task::Entity>(id, columns, &always).await?.1)
}

/// The tasks that exist among these.
pub async fn get_many(ctx: &Ctx, ids: &[TaskId]) -> Result<Vec<task::Model>> {
    get_many_in_part(ctx, ids, None).await
}

/// As [`get_many`]. `columns` are bits of the columns that are needed of each, `None` for all.
pub async fn get_many_in_part(ctx: &Ctx, ids: &[TaskId], columns: Option<u64>) -> Result<Vec<task::Model>> {
    let read = ctx.read().await?;
    // What loaders look at, whatever is asked for.
    let columns = task::Entity::columns_in(columns, &[task::Column::Id, task::Column::WorkspaceId]);
    let list = id_list(&read, ids.iter().copied());
    let make = || -> Result<Statement> {
        let these = among_list(&read, task::Column::Id, list.clone());
        let select = read.find::<task::Entity>().filter(these);
        Ok(reading(select, &columns, &read))
    };
    let key = (read.is_postgres(), task::Entity::mask_of(&columns));
    let given: [Value; 2] = [ctx.workspace_id().into(), list.clone()];
    let statement = SOME.statement(key, &given, make)?;
    fetched::<task::Entity, task::Model>(statement, &columns, &read).await
}

/// Statements of [`get_many_in_part`] by the database and the columns.
static SOME: LazyLock<Texts<(bool, u64)>> = LazyLock::new(Texts::default);

/// The database and the columns, and the order.
type PlainPage = ((bool, u64), (u8, bool, bool));

/// Statements of pages of all tasks.
static PLAIN: LazyLock<Texts<PlainPage>> = LazyLock::new(Texts::default);

/// One page of the tasks that match.
pub async fn page(
    ctx: &Ctx,
    filter: &TaskFilter,
    order: TaskOrder,
    request: &PageRequest,
) -> Result<Page<Arc<task::Model>>> {
    let now = ctx.platform().clock.now();
    let read = ctx.read().await?;
    let condition = condition(ctx.workspace_id(), filter, now);
    // Most pages begin at the beginning, of all tasks.
    let is_plain = condition.is_empty() && request.after.is_none() && request.before.is_none();
    // Made only where it is needed: most statements of pages are kept.
    let select = || read.find::<task::Entity>().filter(condition.clone());
    let total = if request.count {
        Some(select().count(&read).await?)
    } else {
        None
    };
    let name = order.name();
    let request = &request.in_order(&name)?;
    // What cursors and loaders look at, whatever is asked for.
    let always = [
        task::Column::Id,
        task::Column::WorkspaceId,
        key_column(order.field),
    ];
    let columns = task::Entity::columns_in(request.columns, &always);
    let make = || -> Result<Statement> {
        let select = keyset(select(), &keys(order), request)?;
        Ok(reading(select, &columns, &read))
    };
    let statement = if is_plain {
        let key = (
            (read.is_postgres(), task::Entity::mask_of(&columns)),
            (order.field as u8, order.descending, request.backward),
        );
        let given: [Value; 2] = [ctx.workspace_id().into(), (request.limit + 1).into()];
        PLAIN.statement(key, &given, make)?
    } else {
        make()?
    };
    let rows = fetched::<task::Entity, Arc<task::Model>>(statement, &columns, &read).await?;
    Ok(Page::from_rows(request, rows, total, |row| {
        cursor(row, order.field, &name)
    }))
}

fn condition(workspace: WorkspaceId, filter: &TaskFilter, now: Instant) -> Condition {
    use task::Column;
    let closed = [TaskStatus::Done, TaskStatus::Cancelled];
    let overdue = || {
        Condition::all()
            .add(Column::Status.is_not_in(closed))
            .add(Column::DueAt.lt(now))
    };
    // A comparison with a missing deadline is neither true nor false, so "not overdue" is spelled out.
    let not_overdue = || {
        Condition::any()
            .add(Column::Status.is_in(closed))
            .add(Column::DueAt.is_null())
            .add(Column::DueAt.gte(now))
    };
    let blocked = || Column::Id.in_subquery(blocked_ids(workspace));
    let scheduled = || Column::Id.in_subquery(scheduled_ids(workspace));
    let label = |labels: &Vec<String>| {
        let ids = Query::select()
            .column(task_label::Column::TaskId)
            .from(task_label::Entity)
            .and_where(task_label::Column::WorkspaceId.eq(workspace))
            .and_where(task_label::Column::Label.is_in(labels.clone()))
            .take();
        Column::Id.in_subquery(ids)
    };
    Condition::all()
        .add_option(
            filter
                .statuses
                .as_ref()
                .map(|any| Column::Status.is_in(any.clone())),
        )
        .add_option(
            filter
                .priorities
                .as_ref()
                .map(|any| Column::Priority.is_in(any.clone())),
        )
        .add_option(filter.labels.as_ref().map(label))
        .add_option(
            filter
                .assignee_ids
                .as_ref()
                .map(|any| Column::AssigneeId.is_in(any.clone())),
        )
        .add_option(filter.due_before.map(|at| Column::DueAt.lt(at)))
        .add_option(filter.due_after.map(|at| Column::DueAt.gte(at)))
        .add_option(
            filter
                .is_overdue
                .map(|yes| if yes { overdue() } else { not_overdue() }),
        )
        .add_option(
            filter
                .is_blocked
                .map(|yes| if yes { blocked() } else { blocked().not() }),
        )
        .add_option(
            filter
                .is_scheduled
                .map(|yes| if yes { scheduled() } else { scheduled().not() }),
        )
        .add_option(filter.parent_id.map(|id| Column::ParentId.eq(id)))
        .add_option(filter.search.as_deref().map(words))
}

/// Ids of tasks with an unfinished dependency. Both ends of a dependency share their workspace, which is named so that the databases begin
/// there.
fn blocked_ids(workspace: WorkspaceId) -> sea_orm::sea_query::SelectStatement {
    let first = (task::Entity, task::Column::Id);
    Query::select()
        .column((task_dependency::Entity, task_dependency::Column::TaskId))
        .from(task_dependency::Entity)
        .inner_join(
            task::Entity,
            Expr::col(first).equals((task_dependency::Entity, task_dependency::Column::DependsOnId)),
        )
        .and_where(task_dependency::Column::WorkspaceId.eq(workspace))
        .and_where(task::Column::Status.is_not_in([TaskStatus::Done, TaskStatus::Cancelled]))
        .take()
}

/// Ids of tasks with a slot of an applied plan on a calendar. Both ends of a slot share the workspace of their plan.
fn scheduled_ids(workspace: WorkspaceId) -> sea_orm::sea_query::SelectStatement {
    let plan = (schedule::Entity, schedule::Column::Id);
    Query::select()
        .column((schedule_slot::Entity, schedule_slot::Column::TaskId))
        .from(schedule_slot::Entity)
        .inner_join(
            schedule::Entity,
            Expr::col(plan).equals((schedule_slot::Entity, schedule_slot::Column::ScheduleId)),
        )
        .and_where(schedule::Column::WorkspaceId.eq(workspace))
        .and_where(schedule_slot::Column::WorkspaceId.eq(workspace))
        .and_where(schedule::Column::Status.eq(entity::enums::ScheduleStatus::Applied))
        .and_where(schedule_slot::Column::CalendarEventId.is_not_null())
        .and_where(schedule_slot::Column::TaskId.is_not_null())
        .take()
}

/// Every word must appear in the title or the description, in any case.
fn words(search: &str) -> Condition {
    let columns = [task::Column::Title, task::Column::Description];
    let words = search.split_whitespace().take(10);
    words.fold(Condition::all(), |all, word| all.add(has_word(&columns, word)))
}

fn instant(json: &serde_json::Value) -> Option<Value> {
    let at = chrono::DateTime::parse_from_rfc3339(json.as_str()?).ok()?;
    Some(at.to_utc().into())
}

fn keys(order: TaskOrder) -> [Key; 2] {
    use task::Column;
    let text: fn(&serde_json::Value) -> Option<Value> = |json| json.as_str().map(Into::into);
    let small: fn(&serde_json::Value) -> Option<Value> =
        |json| i16::try_from(json.as_i64()?).ok().map(Into::into);
    let (value, nullable) = match order.field {
        TaskOrderField::DueAt => (instant as fn(&serde_json::Value) -> Option<Value>, true),
        TaskOrderField::Priority => (small, false),
        TaskOrderField::CreatedAt | TaskOrderField::UpdatedAt => (instant as _, false),
        TaskOrderField::Title => (text, false),
    };
    let id = |json: &serde_json::Value| Some(json.as_str()?.parse::<TaskId>().ok()?.into());
    let key = |column: Column, value, nullable| Key {
        expr: Expr::col((task::Entity, column)),
        descending: order.descending,
        value,
        nullable,
    };
    [
        key(key_column(order.field), value, nullable),
        key(Column::Id, id, false),
    ]
}

fn key_column(field: TaskOrderField) -> task::Column {
    match field {
        TaskOrderField::DueAt => task::Column::DueAt,
        TaskOrderField::Priority => task::Column::Priority,
        TaskOrderField::CreatedAt => task::Column::CreatedAt,
        TaskOrderField::UpdatedAt => task::Column::UpdatedAt,
        TaskOrderField::Title => task::Column::Title,
    }
}

fn cursor(row: &task::Model, field: TaskOrderField, order: &str) -> Cursor {
    let time = |at: Instant| serde_json::Value::from(at.to_rfc3339());
    let first = match field {
        TaskOrderField::DueAt => row.due_at.map_or(serde_json::Value::Null, time),
        TaskOrderField::Priority => row.priority.rank().into(),
        TaskOrderField::CreatedAt => time(row.created_at),
        TaskOrderField::UpdatedAt => time(row.updated_at),
        TaskOrderField::Title => row.title.clone().into(),
    };
    Cursor::in_order(order, vec![first, row.id.to_string().into()])
}

/// Sub-tasks of each of these, in order.
pub async fn subtasks_of(ctx: &Ctx, ids: &[TaskId]) -> Result<HashMap<TaskId, Vec<task::Model>>> {
    let read = ctx.read().await?;
    let select =
        read.find::<task::Entity>()
            .filter(among(&read, task::Column::ParentId, ids.iter().copied()));
    let rows = select
        .order_by_asc(task::Column::Position)
        .order_by_asc(task::Column::Id)
        .all(&read)
        .await?;
    let mut children: HashMap<TaskId, Vec<task::Model>> = HashMap::new();
    for row in rows {
        if let Some(parent) = row.parent_id {
            children.entry(parent).or_default().push(row);
        }
    }
    Ok(children)
}

/// What each of these waits for.
pub async fn dependencies_of(ctx: &Ctx, ids: &[TaskId]) -> Result<HashMap<TaskId, Vec<task::Model>>> {
    linked(ctx, task_dependency::Column::TaskId, ids, |edge| {
        (edge.task_id, edge.depends_on_id)
    })
    .await
}

/// What waits for each of these.
pub async fn dependents_of(ctx: &Ctx, ids: &[TaskId]) -> Result<HashMap<TaskId, Vec<task::Model>>> {
    linked(ctx, task_dependency::Column::DependsOnId, ids, |edge| {
        (edge.depends_on_id, edge.task_id)
    })
    .await
}

async fn linked(
    ctx: &Ctx,
    near: task_dependency::Column,
    ids: &[TaskId],
    ends: impl Fn(&task_dependency::Model) -> (TaskId, TaskId),
) -> Result<HashMap<TaskId, Vec<task::Model>>> {
    let read = ctx.read().await?;
    let edges: Select<task_dependency::Entity> =
        read.find::<task_dependency::Entity>()
            .filter(among(&read, near, ids.iter().copied()));
    let edges = edges.all(&read).await?;
    if edges.is_empty() {
        return Ok(HashMap::new());
    }
    let far: HashSet<TaskId> = edges.iter().map(|edge| ends(edge).1).collect();
    let rows = read
        .find::<task::Entity>()
        .filter(among(&read, task::Column::Id, far))
        .all(&read)
        .await?;
    let rows: HashMap<TaskId, task::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    let mut linked: HashMap<TaskId, Vec<task::Model>> = HashMap::new();
    for (near, far) in edges.iter().map(ends) {
        linked.entry(near).or_default().extend(rows.get(&far).cloned());
    }
    linked
        .values_mut()
        .for_each(|tasks| tasks.sort_by_key(|task| task.id.uuid()));
    Ok(linked)
}

/// Which of these an unfinished dependency blocks.
pub async fn blocked(ctx: &Ctx, ids: &[TaskId]) -> Result<HashSet<TaskId>> {
    use sea_orm::QuerySelect as _;
    let read = ctx.read().await?;
    let first = task_dependency::Entity::belongs_to(task::Entity)
        .from(task_dependency::Column::DependsOnId)
        .to(task::Column::Id);
    let select = read
        .find::<task_dependency::Entity>()
        .join(JoinType::InnerJoin, first.into())
        .select_only()
        .column(task_dependency::Column::TaskId)
        .filter(among(&read, task_dependency::Column::TaskId, ids.iter().copied()))
        .filter(task::Column::Status.is_not_in([TaskStatus::Done, TaskStatus::Cancelled]));
    Ok(select
        .into_tuple::<TaskId>()
        .all(&read)
        .await?
        .into_iter()
        .collect())
}
