//! Planned time that is over counts as work on its task.
//!
//! Promises: each slot counts once, where its event lies by now; an event that was deleted or called off counts nothing; time after the
//! task was done counts nothing; a focus session inside a slot counts with the session alone.

use std::collections::{BTreeMap, HashMap};

use entity::enums::{EventStatus, TaskStatus};
use entity::ids::{CalendarEventId, ScheduleId, ScheduleSlotId, TaskId, TypedId as _, UserId, WorkspaceId};
use entity::{calendar_event, focus_session, schedule, schedule_slot, task};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::access::Ctx;
use crate::features::tasks;
use crate::kernel::Result;
use crate::kernel::time::{Instant, Span};
use crate::platform::Platform;
use crate::platform::db::{Read, Scope, Tx};

/// Slots of one transaction.
const PAGE: u64 = 200;

/// Counts all planned time that is over.
pub async fn credit_all(platform: &Platform) -> Result<()> {
    let mut after = None;
    loop {
        let read = platform.db.read(Scope::System).await?;
        let page = uncounted(&read, platform.clock.now(), None, after).await?;
        drop(read);
        let mut by_place: BTreeMap<WorkspaceId, Vec<ScheduleSlotId>> = BTreeMap::new();
        for slot in &page {
            by_place.entry(slot.workspace_id).or_default().push(slot.id);
        }
        for (workspace, ids) in by_place {
            count(&Ctx::system(platform, workspace), &ids).await?;
        }
        match page.last() {
            Some(last) if page.len() as u64 == PAGE => after = Some((last.end_utc, last.id)),
            _ => return Ok(()),
        }
    }
}

/// The same for one person, before a plan is made for them.
pub async fn credit_of(ctx: &Ctx, person: UserId) -> Result<()> {
    let mut after = None;
    loop {
        let now = ctx.platform().clock.now();
        let page = uncounted(&ctx.read().await?, now, Some(person), after).await?;
        let ids: Vec<ScheduleSlotId> = page.iter().map(|slot| slot.id).collect();
        if !ids.is_empty() {
            count(ctx, &ids).await?;
        }
        match page.last() {
            Some(last) if page.len() as u64 == PAGE => after = Some((last.end_utc, last.id)),
            _ => return Ok(()),
        }
    }
}

/// Slots on a calendar whose time is over and was not counted, in pages.
async fn uncounted(
    read: &Read,
    now: Instant,
    person: Option<UserId>,
    after: Option<(Instant, ScheduleSlotId)>,
) -> Result<Vec<schedule_slot::Model>> {
    use schedule_slot::Column;
    let theirs = person.map(|person| {
        let mut of_person = Query::select()
            .column(schedule::Column::Id)
            .from(schedule::Entity)
            .and_where(schedule::Column::UserId.eq(person))
            .take();
        if let Scope::Workspace(id) = read.scope() {
            of_person.and_where(schedule::Column::WorkspaceId.eq(id));
        }
        Column::ScheduleId.in_subquery(of_person)
    });
    let later = after.map(|(end, id)| {
        let same = Condition::all()
            .add(Column::EndUtc.eq(end))
            .add(Column::Id.gt(id));
        Condition::any().add(Column::EndUtc.gt(end)).add(same)
    });
    let select = read
        .find::<schedule_slot::Entity>()
        .filter(Column::CalendarEventId.is_not_null())
        .filter(Column::CreditedAt.is_null())
        .filter(Column::EndUtc.lte(now))
        .filter(Condition::all().add_option(theirs).add_option(later))
        .order_by_asc(Column::EndUtc)
        .order_by_asc(Column::Id)
        .limit(PAGE);
    Ok(select.all(read).await?)
}

async fn count(ctx: &Ctx, ids: &[ScheduleSlotId]) -> Result<()> {
    ctx.write(|tx| async move { count_in(&tx, ids).await }).await
}

async fn count_in(tx: &Tx, ids: &[ScheduleSlotId]) -> Result<()> {
    use schedule_slot::Column;
    let slots = tx
        .find::<schedule_slot::Entity>()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .filter(Column::CreditedAt.is_null())
        .filter(Column::CalendarEventId.is_not_null())
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?;
    let known = Known::load(tx, &slots).await?;
    let mut done: BTreeMap<uuid::Uuid, (TaskId, i64)> = BTreeMap::new();
    let mut counted = Vec::with_capacity(slots.len());
    for slot in &slots {
        let Some(minutes) = known.minutes(slot, tx.now()) else {
            continue;
        };
        counted.push(slot.id);
        if let Some(id) = slot.task_id {
            done.entry(id.uuid()).or_insert((id, 0)).1 += minutes;
        }
    }
    if counted.is_empty() {
        return Ok(());
    }
    // In the order of ids, so that two of these never wait for each other.
    for (task, minutes) in done.into_values() {
        tasks::add_work_in(tx, task, i32::try_from(minutes).unwrap_or(i32::MAX)).await?;
    }
    tx.update_many::<schedule_slot::Entity>()
        .col_expr(Column::CreditedAt, Expr::val(tx.now()))
        .filter(Column::Id.is_in(counted))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// What the value of slots depends on.
struct Known {
    events: HashMap<CalendarEventId, calendar_event::Model>,
    tasks: HashMap<TaskId, task::Model>,
    people: HashMap<ScheduleId, UserId>,
    sessions: Vec<focus_session::Model>,
}

impl Known {
    async fn load(tx: &Tx, slots: &[schedule_slot::Model]) -> Result<Self> {
        let events = tx
            .find::<calendar_event::Entity>()
            .filter(calendar_event::Column::Id.is_in(slots.iter().filter_map(|slot| slot.calendar_event_id)));
        let tasks = tx
            .find::<task::Entity>()
            .filter(task::Column::Id.is_in(slots.iter().filter_map(|slot| slot.task_id)));
        let people = tx
            .find::<schedule::Entity>()
            .filter(schedule::Column::Id.is_in(slots.iter().map(|slot| slot.schedule_id)));
        let events = events.all(tx.conn()).await?;
        let people = people.all(tx.conn()).await?;
        let begin = events.iter().map(|event| event.start_utc).min();
        let end = events.iter().map(|event| event.end_utc).max();
        let sessions = match begin.zip(end) {
            Some((begin, end)) => {
                use focus_session::Column;
                let sessions = tx
                    .find::<focus_session::Entity>()
                    .filter(Column::UserId.is_in(people.iter().map(|row| row.user_id)))
                    .filter(Column::TaskId.is_in(slots.iter().filter_map(|slot| slot.task_id)))
                    .filter(Column::StartedAt.lt(end))
                    .filter(
                        Condition::any()
                            .add(Column::EndedAt.is_null())
                            .add(Column::EndedAt.gt(begin)),
                    );
                sessions.all(tx.conn()).await?
            }
            None => Vec::new(),
        };
        Ok(Self {
            events: events.into_iter().map(|row| (row.id, row)).collect(),
            tasks: tasks
                .all(tx.conn())
                .await?
                .into_iter()
                .map(|row| (row.id, row))
                .collect(),
            people: people.into_iter().map(|row| (row.id, row.user_id)).collect(),
            sessions,
        })
    }

    /// The minutes that a slot counts; `None` while its event is not over, because somebody moved it.
    fn minutes(&self, slot: &schedule_slot::Model, now: Instant) -> Option<i64> {
        let event = slot.calendar_event_id.and_then(|id| self.events.get(&id));
        let (Some(event), Some(task)) = (event, slot.task_id.and_then(|id| self.tasks.get(&id))) else {
            return Some(0);
        };
        if event.end_utc > now {
            return None;
        }
        let closed = match task.status {
            TaskStatus::Cancelled => Some(event.start_utc),
            TaskStatus::Done => task.completed_at,
            TaskStatus::Todo | TaskStatus::InProgress => None,
        };
        let end = closed.map_or(event.end_utc, |closed| event.end_utc.min(closed));
        let Some(span) = Span::new(event.start_utc, end) else {
            return Some(0);
        };
        if event.status == EventStatus::Cancelled {
            return Some(0);
        }
        let person = self.people.get(&slot.schedule_id);
        let sessions = self
            .sessions
            .iter()
            .filter(|session| session.task_id == slot.task_id && Some(&session.user_id) == person);
        Some(worked(span, sessions.map(|session| Session::of(session, now))))
    }
}

/// A focus session on the task of a slot.
#[derive(Clone, Copy, Debug)]
struct Session {
    span: Option<Span>,
    focused: i64,
}

impl Session {
    fn of(row: &focus_session::Model, now: Instant) -> Self {
        let running = row
            .running_since
            .map_or(0, |since| (now - since).num_seconds().max(0));
        Self {
            span: Span::new(row.started_at, row.ended_at.unwrap_or(now)),
            focused: (i64::from(row.focused_seconds) + running) / 60,
        }
    }
}

/// Whole minutes of planned time without those that focus sessions give the task themselves. When a session had pauses nobody knows where
/// they were; then its minutes are taken to lie in the planned time, so that none counts twice.
fn worked(planned: Span, sessions: impl Iterator<Item = Session>) -> i64 {
    let shared = |session: Session| {
        let Some(span) = session.span.filter(|span| span.overlaps(&planned)) else {
            return 0;
        };
        let common = (span.end.min(planned.end) - span.start.max(planned.start)).num_minutes();
        common.min(session.focused)
    };
    let own: i64 = sessions.map(shared).sum();
    ((planned.end - planned.start).num_minutes() - own).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    fn at(minutes: i64) -> Instant {
        Instant::UNIX_EPOCH + Duration::minutes(minutes)
    }

    fn span(start: i64, end: i64) -> Span {
        Span::new(at(start), at(end)).unwrap()
    }

    fn session(start: i64, end: i64, focused: i64) -> Session {
        Session {
            span: Some(span(start, end)),
            focused,
        }
    }

    #[test]
    fn planned_time_and_sessions_together_are_the_time_that_passed() {
        let planned = span(60, 120);
        for (sessions, minutes) in [
            (vec![], 60),
            (vec![session(60, 120, 60)], 0),
            (vec![session(75, 150, 75)], 15),
            (vec![session(0, 60, 60), session(120, 180, 60)], 60),
            (vec![session(60, 80, 20), session(100, 110, 10)], 30),
            // Twenty minutes of an hour with pauses.
            (vec![session(60, 120, 20)], 40),
            (vec![session(0, 180, 180)], 0),
        ] {
            assert_eq!(
                worked(planned, sessions.clone().into_iter()),
                minutes,
                "{sessions:?}"
            );
        }
    }
}
