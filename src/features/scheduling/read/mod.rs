//! Questions about plans. Every member sees the plans of a workspace.

mod load;

use std::collections::HashMap;

use entity::enums::ScheduleStatus;
use entity::ids::{ScheduleId, ScheduleSlotId, TaskId};
use entity::{schedule, schedule_slot, unscheduled_task};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait as _, Condition, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, Value};

use super::model::ScheduleFilter;
use super::window::date_of;
use crate::access::{Access, Ctx};
use crate::features::people;
use crate::kernel::page::{Cursor, Page, PageRequest};
use crate::kernel::{Error, Result, zones};
use crate::platform::db::{Key, among, keyset};

pub use load::{MAX_TASKS, Store, Whose, preferences, sources};

/// One plan; NOT_FOUND when it does not exist in this workspace.
pub async fn get(ctx: &Ctx, id: ScheduleId) -> Result<schedule::Model> {
    get_many(ctx, &[id]).await?.pop().ok_or_else(Error::not_found)
}

/// A plan in whichever workspace of the caller it is; NOT_FOUND when there is none.
pub async fn find(access: &Access, id: ScheduleId) -> Result<(Ctx, schedule::Model)> {
    access.caller().require_user()?;
    let ctx = access.ctx_of::<schedule::Entity>(id).await?;
    let row = get(&ctx, id).await?;
    Ok((ctx, row))
}

/// The plans that exist among these.
pub async fn get_many(ctx: &Ctx, ids: &[ScheduleId]) -> Result<Vec<schedule::Model>> {
    let read = ctx.read().await?;
    let select =
        read.find::<schedule::Entity>()
            .filter(among(&read, schedule::Column::Id, ids.iter().copied()));
    Ok(select.all(&read).await?)
}

/// The plan of the viewer that is applied for today, the newest when there are several; else the next one that is applied.
pub async fn active(ctx: &Ctx) -> Result<Option<schedule::Model>> {
    let Some(person) = ctx.user_id() else {
        return Ok(None);
    };
    let preferences = people::preferences(ctx.platform(), person).await?;
    let zone = zones::zone(&preferences.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let today = date_of(ctx.platform().clock.now(), &zone);
    let read = ctx.read().await?;
    let select = read
        .find::<schedule::Entity>()
        .filter(schedule::Column::UserId.eq(person))
        .filter(schedule::Column::Status.eq(ScheduleStatus::Applied))
        .filter(schedule::Column::EndDate.gte(today));
    let mut rows = select.all(&read).await?;
    rows.sort_by_key(|row| {
        let begun = row.start_date <= today;
        (
            begun,
            if begun { row.applied_at } else { None },
            std::cmp::Reverse(row.start_date),
        )
    });
    Ok(rows.pop())
}

/// One page of the plans that match, newest first.
pub async fn page(
    ctx: &Ctx,
    filter: &ScheduleFilter,
    request: &PageRequest,
) -> Result<Page<schedule::Model>> {
    use schedule::Column;
    let condition = Condition::all()
        .add_option(
            filter
                .statuses
                .as_ref()
                .map(|any| Column::Status.is_in(any.clone())),
        )
        .add_option(filter.user_id.map(|id| Column::UserId.eq(id)))
        .add_option(filter.date.map(|date| Column::StartDate.lte(date)))
        .add_option(filter.date.map(|date| Column::EndDate.gte(date)));
    let read = ctx.read().await?;
    let select = read.find::<schedule::Entity>().filter(condition);
    let total = if request.count {
        Some(select.clone().count(&read).await?)
    } else {
        None
    };
    let rows = keyset(select, &newest_first(), request)?.all(&read).await?;
    Ok(Page::from_rows(request, rows, total, |row| {
        Cursor(vec![
            row.created_at.to_rfc3339().into(),
            row.id.to_string().into(),
        ])
    }))
}

fn newest_first() -> [Key; 2] {
    let at = |json: &serde_json::Value| -> Option<Value> {
        let at = chrono::DateTime::parse_from_rfc3339(json.as_str()?).ok()?;
        Some(at.to_utc().into())
    };
    let id = |json: &serde_json::Value| -> Option<Value> {
        Some(json.as_str()?.parse::<ScheduleId>().ok()?.into())
    };
    let key = |column, value| Key {
        expr: Expr::col((schedule::Entity, column)),
        descending: true,
        value,
        nullable: false,
    };
    [
        key(schedule::Column::CreatedAt, at as _),
        key(schedule::Column::Id, id as _),
    ]
}

/// Slots of each of these plans, by start.
pub async fn slots_of(
    ctx: &Ctx,
    ids: &[ScheduleId],
) -> Result<HashMap<ScheduleId, Vec<schedule_slot::Model>>> {
    let read = ctx.read().await?;
    let select = read
        .find::<schedule_slot::Entity>()
        .filter(among(
            &read,
            schedule_slot::Column::ScheduleId,
            ids.iter().copied(),
        ))
        .order_by_asc(schedule_slot::Column::StartUtc)
        .order_by_asc(schedule_slot::Column::Id);
    let mut slots: HashMap<ScheduleId, Vec<schedule_slot::Model>> = HashMap::new();
    for row in select.all(&read).await? {
        slots.entry(row.schedule_id).or_default().push(row);
    }
    Ok(slots)
}

/// The slots that exist among these.
pub async fn get_slots(ctx: &Ctx, ids: &[ScheduleSlotId]) -> Result<Vec<schedule_slot::Model>> {
    let read = ctx.read().await?;
    let select = read.find::<schedule_slot::Entity>().filter(among(
        &read,
        schedule_slot::Column::Id,
        ids.iter().copied(),
    ));
    Ok(select.all(&read).await?)
}

/// Slots of each of these tasks that are on a calendar, by start.
pub async fn slots_of_tasks(ctx: &Ctx, ids: &[TaskId]) -> Result<HashMap<TaskId, Vec<schedule_slot::Model>>> {
    use schedule_slot::Column;
    let applied = Query::select()
        .column(schedule::Column::Id)
        .from(schedule::Entity)
        .and_where(schedule::Column::WorkspaceId.eq(ctx.workspace_id()))
        .and_where(schedule::Column::Status.eq(ScheduleStatus::Applied))
        .take();
    let read = ctx.read().await?;
    let select = read
        .find::<schedule_slot::Entity>()
        .filter(among(&read, Column::TaskId, ids.iter().copied()))
        .filter(Column::ScheduleId.in_subquery(applied))
        .order_by_asc(Column::StartUtc)
        .order_by_asc(Column::Id);
    let mut slots: HashMap<TaskId, Vec<schedule_slot::Model>> = HashMap::new();
    // Nearly all of an applied plan are; asked in the statement, it leads SQLite to the slots of all tasks.
    let on_calendar = |row: &schedule_slot::Model| row.calendar_event_id.is_some();
    for row in select.all(&read).await?.into_iter().filter(on_calendar) {
        if let Some(task) = row.task_id {
            slots.entry(task).or_default().push(row);
        }
    }
    Ok(slots)
}

/// What found no place in each of these plans, in the order of the planner.
pub async fn unscheduled_of(
    ctx: &Ctx,
    ids: &[ScheduleId],
) -> Result<HashMap<ScheduleId, Vec<unscheduled_task::Model>>> {
    let read = ctx.read().await?;
    let select = read.find::<unscheduled_task::Entity>().filter(among(
        &read,
        unscheduled_task::Column::ScheduleId,
        ids.iter().copied(),
    ));
    // Put in order here: asked in the statement, it leads SQLite through the whole workspace.
    let mut rows = select.all(&read).await?;
    rows.sort_unstable_by_key(|row| row.id);
    let mut found: HashMap<ScheduleId, Vec<unscheduled_task::Model>> = HashMap::new();
    for row in rows {
        found.entry(row.schedule_id).or_default().push(row);
    }
    Ok(found)
}
