//! Everything that a question to the engine is made of, in six statements whatever the number of days: settings, events, their
//! exceptions, tasks, what they wait for, and planned work.

use std::collections::HashSet;

use entity::enums::{ScheduleStatus, TaskStatus};
use entity::ids::{CalendarEventId, ScheduleId, TaskId, UserId};
use entity::{calendar_event, schedule, schedule_slot, task, task_dependency, user_preferences};
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::features::events;
use crate::features::scheduling::question::Sources;
use crate::kernel::time::{Instant, Span};
use crate::kernel::{Error, Result, zones};
use crate::platform::db::{Db, Read, Scope};

/// Most tasks of one question.
pub const MAX_TASKS: u64 = 5_000;

/// Where something is loaded from.
#[derive(Clone, Copy, Debug)]
pub struct Store<'a> {
    /// The workspace.
    pub read: &'a Read,
    /// For when its person is busy, in other workspaces too.
    pub db: &'a Db,
}

/// For whom and for which plan something is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    /// The person.
    pub person: UserId,
    /// The plan that is made anew or about to be applied.
    pub draft: Option<ScheduleId>,
    /// Only these tasks; all open ones of the person otherwise.
    pub only: Option<&'a [TaskId]>,
    /// Planned work that is over by then does not matter.
    pub now: Instant,
}

/// The settings of a person.
pub async fn preferences(read: &Read, person: UserId) -> Result<user_preferences::Model> {
    let select = read
        .find_global::<user_preferences::Entity>()
        .filter(user_preferences::Column::UserId.eq(person));
    select.one(read).await?.ok_or_else(Error::not_found)
}

/// Loads what lies in a span of time.
pub async fn sources(
    Store { read, db }: Store<'_>,
    preferences: user_preferences::Model,
    whose: &Whose<'_>,
    span: Span,
) -> Result<Sources> {
    let zone = zones::zone(&preferences.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let Scope::Workspace(home) = read.scope() else {
        return Err(Error::internal("plans are made in a workspace"));
    };
    let subject = events::Subject {
        person: whose.person,
        home,
    };
    let mut busy = events::busy(&db.beside(read), subject, span, &zone).await?;
    let tasks = read
        .find::<task::Entity>()
        .filter(condition(whose))
        .order_by_asc(task::Column::Id)
        .limit(MAX_TASKS + 1);
    let tasks = tasks.all(read).await?;
    let waits = if tasks.is_empty() {
        Vec::new()
    } else {
        waits(read, whose).await?
    };
    let (draft, applied) = slots(read, whose).await?;
    busy.extend(moved_away(read, &applied, &busy, span).await?);
    Ok(Sources {
        preferences,
        busy,
        tasks,
        waits,
        applied,
        draft,
    })
}

const OPEN: [TaskStatus; 2] = [TaskStatus::Todo, TaskStatus::InProgress];

fn condition(whose: &Whose<'_>) -> Condition {
    let mut whom = Condition::any().add(task::Column::AssigneeId.eq(whose.person));
    if let Some(only) = whose.only {
        whom = whom.add(task::Column::Id.is_in(only.iter().copied()));
    }
    Condition::all().add(task::Column::Status.is_in(OPEN)).add(whom)
}

/// Dependencies of the tasks on others that are not finished.
async fn waits(read: &Read, whose: &Whose<'_>) -> Result<Vec<(TaskId, TaskId)>> {
    use task_dependency::Column;
    let tasks = |condition: Condition| {
        let mut select = Query::select()
            .column(task::Column::Id)
            .from(task::Entity)
            .to_owned();
        inside(&mut select, read, task::Column::WorkspaceId);
        select.cond_where(condition).to_owned()
    };
    let open = Condition::all().add(task::Column::Status.is_in(OPEN));
    let select = read
        .find::<task_dependency::Entity>()
        .select_only()
        .column(Column::TaskId)
        .column(Column::DependsOnId)
        .filter(Column::TaskId.in_subquery(tasks(condition(whose))))
        .filter(Column::DependsOnId.in_subquery(tasks(open)));
    Ok(select.into_tuple().all(read).await?)
}

/// Where planned work is by now that somebody moved out of the span. One statement more, and only then.
async fn moved_away(
    read: &Read,
    applied: &[schedule_slot::Model],
    busy: &[events::Busy],
    span: Span,
) -> Result<Vec<events::Busy>> {
    use calendar_event::Column;
    let seen: HashSet<CalendarEventId> = busy.iter().map(|one| one.event_id).collect();
    let missing: Vec<CalendarEventId> = applied
        .iter()
        .filter(|slot| slot.start_utc < span.end && slot.end_utc > span.start)
        .filter_map(|slot| slot.calendar_event_id)
        .filter(|event| !seen.contains(event))
        .collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let select = read
        .find::<calendar_event::Entity>()
        .select_only()
        .column(Column::Id)
        .column(Column::TaskId)
        .column(Column::StartUtc)
        .column(Column::EndUtc)
        .filter(Column::Id.is_in(missing));
    let found: Vec<(CalendarEventId, Option<TaskId>, Instant, Instant)> =
        select.into_tuple().all(read).await?;
    let found = found
        .into_iter()
        .map(|(event_id, task_id, start, end)| events::Busy {
            event_id,
            task_id,
            start,
            end,
        });
    // Others are here and do not count as busy, as their person wants.
    let is_away = |one: &events::Busy| one.start >= span.end || one.end <= span.start;
    Ok(found.filter(is_away).collect())
}

fn inside(select: &mut SelectStatement, read: &Read, column: impl sea_orm::ColumnTrait) {
    if let Scope::Workspace(id) = read.scope() {
        select.and_where(column.eq(id));
    }
}

/// Slots of the draft, and those of plans in force that are on a calendar, also on other days: what is planned there needs no place here.
async fn slots(
    read: &Read,
    whose: &Whose<'_>,
) -> Result<(Vec<schedule_slot::Model>, Vec<schedule_slot::Model>)> {
    use schedule_slot::Column;
    let mut in_force = Query::select()
        .column(schedule::Column::Id)
        .from(schedule::Entity)
        .and_where(schedule::Column::UserId.eq(whose.person))
        .and_where(schedule::Column::Status.eq(ScheduleStatus::Applied))
        .take();
    inside(&mut in_force, read, schedule::Column::WorkspaceId);
    let applied = Condition::all()
        .add(Column::CalendarEventId.is_not_null())
        .add(Column::EndUtc.gt(whose.now))
        .add(Column::ScheduleId.in_subquery(in_force));
    let draft = whose.draft.map(|id| Column::ScheduleId.eq(id));
    let select = read
        .find::<schedule_slot::Entity>()
        .filter(Condition::any().add(applied).add_option(draft))
        .order_by_asc(Column::StartUtc)
        .order_by_asc(Column::Id);
    let slots = select.all(read).await?;
    Ok(slots
        .into_iter()
        .partition(|slot| Some(slot.schedule_id) == whose.draft))
}
