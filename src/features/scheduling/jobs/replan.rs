//! Plans in force, compared with what changed around them: a sweep finds them, a job mends each as its person wants.
//!
//! A sweep instead of a job with every write: however many changes come together they make one comparison, and no write pays for plans.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use entity::enums::{ReplanPolicy, ScheduleStatus};
use entity::ids::{ScheduleId, TaskId, TypedId as _, UserId, WorkspaceId};
use entity::{
    calendar, calendar_event, change_log, membership, schedule, user_preferences, workspace_counter,
};
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set};

use super::make::Prepared;
use super::{credit, ended, make, save, suggest};
use crate::access::Ctx;
use crate::features::scheduling::engine::Problem;
use crate::features::scheduling::fit::{Chunk, days, misplaced};
use crate::features::scheduling::question::Base;
use crate::features::scheduling::read::{self, Store};
use crate::features::scheduling::rules;
use crate::features::scheduling::solve::{How, cancelled};
use crate::features::scheduling::write;
use crate::kernel::actor::Actor;
use crate::kernel::jobs::{NewJob, Payload};
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::{Read, Scope, Tx};
use crate::platform::jobs::{JobError, RunningJob};

/// Plans that are looked at, and enqueued, together.
const PAGE: u64 = 500;
/// What is changed elsewhere has the time at which its transaction began, by the clock of another process perhaps: what is this old when
/// it is compared may not have been there yet, and is compared once more.
const WRITING: chrono::Duration = chrono::Duration::seconds(5);

/// Counts planned time that is over as work and ends plans that nobody makes any more, then enqueues a comparison for each plan in force whose workspace, or whose person's settings
/// or calendars elsewhere, changed since the last one.
pub async fn start_due(platform: &Platform, job: &RunningJob) -> std::result::Result<(), JobError> {
    credit::credit_all(platform).await?;
    ended::tell_ended(platform).await?;
    let mut after = None;
    loop {
        if job.cancel.is_cancelled() {
            return Err(JobError::Cancelled);
        }
        let page = in_force(platform, after).await?;
        let due = due(platform, &page).await?;
        if !due.is_empty() {
            enqueue(platform, &due).await?;
        }
        match page.last() {
            Some(last) if page.len() as u64 == PAGE => after = Some((last.end_date, last.id)),
            _ => return Ok(()),
        }
    }
}

async fn enqueue(platform: &Platform, due: &[(WorkspaceId, ScheduleId)]) -> Result<()> {
    let body = |tx: Tx| async move {
        for (workspace, id) in due {
            let payload = Payload::ReplanSchedule { schedule_id: *id };
            let key = format!("replan:{}", id.uuid().simple());
            tx.enqueue(NewJob::for_workspace(*workspace, payload).unique(key))
                .await?;
        }
        Ok(())
    };
    platform.write(Scope::System, Actor::system(), body).await
}

/// A page of the plans in force that are not over, those that end first before.
async fn in_force(
    platform: &Platform,
    after: Option<(NaiveDate, ScheduleId)>,
) -> Result<Vec<schedule::Model>> {
    use schedule::Column;
    let read = platform.db.read(Scope::System).await?;
    // A day for those who are behind UTC.
    let today = (platform.clock.now() - chrono::Duration::days(1)).date_naive();
    let later = after.map(|(end, id)| {
        let same = Condition::all()
            .add(Column::EndDate.eq(end))
            .add(Column::Id.gt(id));
        Condition::any().add(Column::EndDate.gt(end)).add(same)
    });
    let first = after.map_or(today, |(end, _)| end);
    let plans = read
        .find::<schedule::Entity>()
        // The condition of their index, word for word: no database sees in a value that it may use that.
        .filter(Expr::cust(r#""schedules"."status" = 'applied'"#))
        .filter(Column::EndDate.gte(first))
        .filter(Condition::all().add_option(later))
        .order_by_asc(Column::EndDate)
        .order_by_asc(Column::Id)
        .limit(PAGE);
    Ok(plans.all(&read).await?)
}

/// Those of a page around which something changed.
async fn due(platform: &Platform, plans: &[schedule::Model]) -> Result<Vec<(WorkspaceId, ScheduleId)>> {
    if plans.is_empty() {
        return Ok(Vec::new());
    }
    let read = platform.db.read(Scope::System).await?;
    let people: HashSet<UserId> = plans.iter().map(|row| row.user_id).collect();
    let settings = read
        .find_global::<user_preferences::Entity>()
        .filter(user_preferences::Column::UserId.is_in(people))
        .filter(user_preferences::Column::ReplanPolicy.ne(ReplanPolicy::Off));
    let settings = settings.all(&read).await?;
    let settings: HashMap<UserId, Instant> = settings
        .into_iter()
        .map(|one| (one.user_id, one.updated_at))
        .collect();
    let places: HashSet<WorkspaceId> = plans.iter().map(|row| row.workspace_id).collect();
    let counters = read
        .find::<workspace_counter::Entity>()
        .filter(workspace_counter::Column::WorkspaceId.is_in(places));
    let counters = counters.all(&read).await?;
    let newest: HashMap<WorkspaceId, i64> = counters
        .into_iter()
        .map(|one| (one.workspace_id, one.change_seq))
        .collect();
    let elsewhere = touched_elsewhere(&read, plans.iter().map(|row| row.id)).await?;
    let is_due = |row: &&schedule::Model| {
        settings.get(&row.user_id).is_some_and(|updated| {
            let newest = newest.get(&row.workspace_id);
            newest.is_some_and(|newest| *newest > row.seen_seq.unwrap_or(0))
                || elsewhere.contains(&row.id)
                || row.seen_at.is_none_or(|seen| *updated > seen)
        })
    };
    let due = plans.iter().filter(is_due);
    Ok(due.map(|row| (row.workspace_id, row.id)).collect())
}

/// Those of these plans whose person has an event in another workspace that is new or was changed since the last comparison. An event that
/// is gone gives time back, and breaks no plan.
async fn touched_elsewhere(
    read: &Read,
    plans: impl Iterator<Item = ScheduleId>,
) -> Result<HashSet<ScheduleId>> {
    use calendar_event::Column;
    let person = (schedule::Entity, schedule::Column::UserId);
    let theirs = Query::select()
        .column(membership::Column::WorkspaceId)
        .from(membership::Entity)
        .and_where(Expr::col((membership::Entity, membership::Column::UserId)).equals(person))
        .take();
    let counting = Query::select()
        .column(calendar::Column::Id)
        .from(calendar::Entity)
        .and_where(Expr::col((calendar::Entity, calendar::Column::OwnerId)).equals(person))
        .and_where(calendar::Column::CountsAsBusy.eq(true))
        .take();
    let changed = Query::select()
        .expr(Expr::val(1))
        .from(calendar_event::Entity)
        .and_where(Column::WorkspaceId.in_subquery(theirs))
        .and_where(
            Expr::col((calendar_event::Entity, Column::WorkspaceId))
                .not_equals((schedule::Entity, schedule::Column::WorkspaceId)),
        )
        .and_where(Column::CalendarId.in_subquery(counting))
        .and_where(
            Expr::col((calendar_event::Entity, Column::UpdatedAt))
                .gt(Expr::col((schedule::Entity, schedule::Column::SeenAt))),
        )
        .take();
    let select = read
        .find::<schedule::Entity>()
        .select_only()
        .column(schedule::Column::Id)
        .filter(schedule::Column::Id.is_in(plans))
        .filter(Expr::exists(changed));
    let found: Vec<ScheduleId> = select.into_tuple().all(read).await?;
    Ok(found.into_iter().collect())
}

/// Compares a plan in force with the calendar and mends it.
pub async fn replan(platform: &Platform, job: &RunningJob) -> std::result::Result<(), JobError> {
    let Payload::ReplanSchedule { schedule_id } = &job.payload else {
        return Err(JobError::Fatal("This is no schedule to mend.".into()));
    };
    let Some(workspace) = job.workspace_id else {
        return Err(JobError::Fatal("A schedule belongs to a workspace.".into()));
    };
    let ctx = Ctx::system(platform, workspace);
    let mended = mend(&ctx, job, *schedule_id).await;
    if job.cancel.is_cancelled() {
        return Err(JobError::Cancelled);
    }
    match mended {
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(()),
    }
}

async fn mend(ctx: &Ctx, job: &RunningJob, id: ScheduleId) -> Result<()> {
    let row = read::get(ctx, id).await?;
    if row.status != ScheduleStatus::Applied {
        return Ok(());
    }
    // Looked up first: what changes meanwhile is compared next time.
    let newest = newest(&ctx.read().await?).await?;
    let policy = read::preferences(&ctx.read().await?, row.user_id).await?;
    if policy.replan_policy == ReplanPolicy::Off {
        return Ok(());
    }
    let now = ctx.platform().clock.now();
    let settings_changed = row.seen_at.is_none_or(|seen| policy.updated_at > seen);
    let all = ctx.platform().db.read(Scope::System).await?;
    if settings_changed
        || is_touched(&ctx.read().await?, row.seen_seq.unwrap_or(0)).await?
        || !touched_elsewhere(&all, std::iter::once(id)).await?.is_empty()
    {
        credit::credit_of(ctx, row.user_id).await?;
        let store = Store {
            read: &ctx.read().await?,
            db: &ctx.platform().db,
        };
        let prepared = make::prepare(store, &row_anew(&row), now, Base::Applied).await?;
        if make::check(&prepared).is_ok() && is_broken(&prepared, now) {
            propose(ctx, job, &row, policy.replan_policy).await?;
        }
    }
    ctx.write(|tx| async move {
        let seen = schedule::ActiveModel {
            id: Set(id),
            seen_seq: Set(Some(newest)),
            seen_at: Set(Some(now - WRITING)),
            ..Default::default()
        };
        tx.update(seen).await.map(drop)
    })
    .await
}

/// The same days and tasks without slots of its own.
fn row_anew(row: &schedule::Model) -> schedule::Model {
    schedule::Model {
        id: ScheduleId(uuid::Uuid::nil()),
        ..row.clone()
    }
}

async fn newest(read: &Read) -> Result<i64> {
    let counter = read.find::<workspace_counter::Entity>().one(read).await?;
    Ok(counter.map_or(0, |counter| counter.change_seq))
}

/// Whether an event or a task changed after this position.
async fn is_touched(read: &Read, seq: i64) -> Result<bool> {
    let select = read
        .find::<change_log::Entity>()
        .filter(change_log::Column::Seq.gt(seq))
        .filter(change_log::Column::ObjectType.is_in(["Task", "CalendarEvent", "Calendar"]))
        .order_by_asc(change_log::Column::Seq)
        .limit(1);
    Ok(select.one(read).await?.is_some())
}

/// Whether work in force no longer fits the calendar, the hours, the limits or the order of the tasks, or a task has less or more planned
/// than is left to do.
fn is_broken(prepared: &Prepared, now: Instant) -> bool {
    let question = &prepared.question;
    // What is left of a task is not known while it is worked on: a focus session may give it minutes of the slot before the slot does.
    let is_under_way = |task: TaskId| {
        let mut own = question.fixed.iter().filter(|piece| piece.task_id == task);
        own.any(|piece| piece.span.start <= now)
    };
    let problem = &question.problem;
    let mut planned: Vec<Chunk> = Vec::new();
    let mut waited_for: Vec<Chunk> = Vec::new();
    for (task, id) in problem.tasks.iter().zip(&question.tasks) {
        let chunk = |range| Chunk { task: task.id, range };
        planned.extend(task.prior.iter().flatten().copied().map(chunk));
        // Nobody knows how much of it is still to come.
        waited_for.extend(is_under_way(*id).then_some(chunk((0, 0))));
    }
    waited_for.extend(&planned);
    if misplaced(question, &days(question, &prepared.window), &planned, &waited_for).contains(&true) {
        return true;
    }
    let mut tasks = problem.tasks.iter().zip(&question.tasks);
    tasks.any(|(task, id)| {
        let prior = task.prior.as_deref().unwrap_or_default();
        let planned: i64 = prior.iter().map(|(start, end)| end - start).sum();
        (planned != task.dur && !is_under_way(*id)) || prior.iter().any(|chunk| !fits(problem, *chunk))
    }) || question.in_force.iter().any(|piece| {
        let is_known = question.tasks.contains(&piece.task_id);
        !is_known && !question.fixed.contains(piece)
    })
}

/// Whether nothing else takes this time. Hours, days and deadlines are judged with all chunks together.
fn fits(problem: &Problem, (start, end): (i64, i64)) -> bool {
    let overlaps =
        |(from, to, before, after): &(i64, i64, i64, i64)| start < to + after && from - before < end;
    !problem.busy.iter().any(overlaps) && !problem.fixed.iter().any(|(from, to)| start < *to && *from < end)
}

/// Mends the plan: stored as a proposal, and applied when its person wants that and all that was planned keeps a place.
async fn propose(ctx: &Ctx, job: &RunningJob, row: &schedule::Model, policy: ReplanPolicy) -> Result<()> {
    let effort = Some(rules::small_effort());
    let made = make::make(ctx, &row_anew(row), How::Mend, &job.cancel, effort).await?;
    let mut finished = save::finish(&made, &ctx.platform().ids)?;
    // Work of other plans may come first in it, but this is the one that is mended.
    finished.changes.base_schedule_id = Set(Some(row.id));
    // What found no place before and finds none now is no news.
    let is_same =
        finished.diff.added.is_empty() && finished.diff.moved.is_empty() && finished.diff.removed.is_empty();
    if job.cancel.is_cancelled() {
        // Else the changes would count as seen, and nobody would look at them again.
        return Err(cancelled());
    }
    if is_same {
        return Ok(());
    }
    let lost = |id: &entity::ids::TaskId| made.question.in_force.iter().any(|piece| piece.task_id == *id);
    let keeps_all = !finished.unplaced.iter().any(|one| lost(&one.task_id));
    let is_applied = policy == ReplanPolicy::Apply && keeps_all;
    if !is_applied && suggest::is_pending(ctx, row, &finished.slots).await? {
        return Ok(());
    }
    // A proposal that is only half there would wait for its plan for ever.
    let finished = &finished;
    let stored = ctx
        .write(|tx| async move {
            let anew = suggest::request(&tx, row).await?;
            save::store_in(&tx, anew, finished).await
        })
        .await?;
    if is_applied {
        match write::apply_for(ctx, row.user_id, stored.id, None, row.calendar_id).await {
            // The proposal stays for its person to decide.
            Ok(_) | Err(Error::User(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
