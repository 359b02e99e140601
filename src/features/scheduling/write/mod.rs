//! Commands on plans. Each is one transaction with its audit entry and its change.

mod apply;
mod mend;
mod revert;
mod slots;

pub use apply::{apply, apply_for};
pub use revert::revert;
pub use slots::{move_slot, set_lock};

use std::collections::HashSet;

use chrono::{Duration, NaiveDate};
use entity::enums::{PlannerEngine, SchedulePhase, ScheduleStatus, TaskStatus};
use entity::ids::{JobId, ScheduleId, TaskId, UserId};
use entity::{schedule, task};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _,
    QuerySelect as _,
};

use super::jobs::{locked, record, requested};
use super::model::{NewSchedule, Progress};
use super::rules;
use super::window::date_of;
use super::wishes::Wishes;
use crate::access::Ctx;
use crate::features::people;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::changes::Topic;
use crate::kernel::jobs::{NewJob, Payload};
use crate::kernel::text::Checks;
use crate::kernel::{Error, Result, UserErrorCode, zones};
use crate::platform::db::Tx;
use crate::platform::jobs;

/// Longest plan: this many days after the first.
const MAX_DAYS: i64 = 30;
/// Longest wishes, in characters.
const MAX_WISHES: usize = 2_000;
/// Most tasks that are named.
const MAX_NAMED: usize = 1_000;
/// Most plans of one person that are made at the same time.
const MAX_RUNNING: u64 = 5;

/// Asks for a plan; a job makes it.
pub async fn generate(ctx: &Ctx, new: NewSchedule) -> Result<(schedule::Model, JobId)> {
    ctx.require(Action::Edit, Resource::Schedule)?;
    let person = ctx.require_person()?;
    let preferences = people::preferences(ctx.platform(), person).await?;
    let zone = zones::zone(&preferences.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let today = date_of(ctx.platform().clock.now(), &zone);
    let mut checks = Checks::default();
    check_days(&mut checks, &new, today);
    let instructions = new.instructions.as_deref();
    let instructions = instructions.map(|text| checks.prose("input.instructions", text, MAX_WISHES));
    checks.require(
        new.task_ids
            .as_ref()
            .is_none_or(|ids| (1..=MAX_NAMED).contains(&ids.len())),
        UserErrorCode::OutOfRange,
        "input.taskIds",
        format!("Name between 1 and {MAX_NAMED} tasks, or leave them out for all."),
    );
    let has_model = ctx.platform().llm.is_some();
    if new.engine == Some(PlannerEngine::Ai) && !has_model {
        checks.fail(
            UserErrorCode::AiUnavailable,
            "input.engine",
            "No language model is configured. Use `SOLVER`.",
        );
    }
    checks.finish()?;
    let engine = new.engine.unwrap_or(if has_model {
        PlannerEngine::Ai
    } else {
        PlannerEngine::Solver
    });
    ctx.write(|tx| {
        let (new, instructions) = (new.clone(), instructions.clone());
        async move {
            check_running(&tx, person).await?;
            check_tasks(&tx, new.task_ids.as_deref().unwrap_or_default()).await?;
            request_in(&tx, person, new, (engine, instructions)).await
        }
    })
    .await
}

fn check_days(checks: &mut Checks, new: &NewSchedule, today: NaiveDate) {
    checks.require(
        new.start_date <= new.end_date,
        UserErrorCode::InvalidTimeRange,
        "input.endDate",
        "The last day must not be before the first.",
    );
    checks.require(
        new.end_date - new.start_date <= Duration::days(MAX_DAYS),
        UserErrorCode::OutOfRange,
        "input.endDate",
        format!("The last day is at most {MAX_DAYS} days after the first."),
    );
    checks.require(
        new.end_date >= today,
        UserErrorCode::OutOfRange,
        "input.endDate",
        "These days are over.",
    );
    checks.require(
        new.start_date <= today + Duration::days(3_660),
        UserErrorCode::OutOfRange,
        "input.startDate",
        "This is more than ten years ahead.",
    );
}

async fn check_running(tx: &Tx, person: UserId) -> Result<()> {
    let running = tx
        .find::<schedule::Entity>()
        .filter(schedule::Column::UserId.eq(person))
        .filter(schedule::Column::Status.eq(ScheduleStatus::Generating));
    if running.count(tx.conn()).await? < MAX_RUNNING {
        return Ok(());
    }
    let message = "Several schedules are being generated for you already. Wait for one, or cancel one.";
    Err(Error::user(UserErrorCode::LimitReached, "", message))
}

/// Every named task must exist and be open; blames the first that is not.
async fn check_tasks(tx: &Tx, ids: &[TaskId]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let select = tx
        .find::<task::Entity>()
        .select_only()
        .column(task::Column::Id)
        .column(task::Column::Status)
        .filter(task::Column::Id.is_in(ids.iter().copied()));
    let found: Vec<(TaskId, TaskStatus)> = select.into_tuple().all(tx.conn()).await?;
    for (index, id) in ids.iter().enumerate() {
        let path = format!("input.taskIds.{index}");
        match found.iter().find(|(known, _)| known == id) {
            None => {
                let message = "There is no such task in this workspace.";
                return Err(Error::user(UserErrorCode::ReferenceNotFound, &path, message));
            }
            Some((_, TaskStatus::Done | TaskStatus::Cancelled)) => {
                let message = "This task is done or cancelled.";
                return Err(Error::user(UserErrorCode::InvalidState, &path, message));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

async fn request_in(
    tx: &Tx,
    person: UserId,
    new: NewSchedule,
    (engine, instructions): (PlannerEngine, Option<String>),
) -> Result<(schedule::Model, JobId)> {
    let mut seen = HashSet::new();
    let task_ids = new
        .task_ids
        .map(|ids| ids.into_iter().filter(|id| seen.insert(*id)).collect::<Vec<_>>());
    let id: ScheduleId = tx.ids().next();
    let job = enqueue(tx, id).await?;
    let row = schedule::Model {
        id,
        engine,
        instructions,
        auto_apply: new.auto_apply,
        task_ids: task_ids.map(|ids| serde_json::json!(ids)),
        job_id: Some(job),
        ..requested(tx, person, (new.start_date, new.end_date))
    };
    let stored = tx.insert(row.into_active_model().reset_all()).await?;
    let changes = rules::audit_diff(None, &stored);
    record(tx, "schedule.requested", &stored, changes);
    Ok((stored, job))
}

async fn enqueue(tx: &Tx, id: ScheduleId) -> Result<JobId> {
    let crate::platform::db::Scope::Workspace(workspace) = tx.scope() else {
        return Err(Error::internal("a schedule outside of a workspace"));
    };
    let payload = Payload::GenerateSchedule { schedule_id: id };
    tx.enqueue(NewJob::for_workspace(workspace, payload).by(tx.actor().user_id))
        .await
}

/// Makes a proposal again; locked slots stay where they are.
pub async fn regenerate(
    ctx: &Ctx,
    id: ScheduleId,
    feedback: Option<String>,
) -> Result<(schedule::Model, JobId)> {
    ctx.require(Action::Edit, Resource::Schedule)?;
    let mut checks = Checks::default();
    let feedback = feedback.map(|text| checks.prose("feedback", &text, MAX_WISHES));
    checks.finish()?;
    let today = date_of(ctx.platform().clock.now(), &jiff::tz::TimeZone::UTC) - Duration::days(1);
    ctx.write(|tx| {
        let feedback = feedback.clone();
        async move {
            let before = own(&tx, ctx, id).await?;
            let allowed = matches!(
                before.status,
                ScheduleStatus::Proposed | ScheduleStatus::Failed | ScheduleStatus::Discarded
            );
            if !allowed {
                return Err(refused("Only a proposal can be generated again."));
            }
            if before.end_date < today {
                return Err(refused("The days of this schedule are over."));
            }
            let job = enqueue(&tx, id).await?;
            let mut row = before.clone();
            row.status = ScheduleStatus::Generating;
            row.phase = SchedulePhase::Queued;
            row.percent = 0;
            row.progress_message = None;
            row.error = None;
            if let Some(feedback) = feedback {
                row.feedback = Some(with_earlier(row.feedback.as_deref(), &feedback));
                // Read by the job. What it understood of earlier texts stays: their `tomorrow` is not that of today.
                row.wishes = Wishes::with_unread(&row, &feedback);
            }
            row.job_id = Some(job);
            Ok((save(&tx, &before, row, "schedule.regenerated").await?, job))
        }
    })
    .await
}

/// What somebody says about a plan adds to what they said before, as far as there is room; the newest counts most.
fn with_earlier(earlier: Option<&str>, newest: &str) -> String {
    let mut lines: Vec<&str> = earlier.into_iter().flat_map(str::lines).collect();
    let room = MAX_WISHES.saturating_sub(newest.chars().count());
    while lines.iter().map(|line| line.chars().count() + 1).sum::<usize>() > room {
        lines.remove(0);
    }
    lines.push(newest);
    lines.join("\n")
}

/// Stops a running generation. What its job finds from then on is thrown away.
pub async fn cancel(ctx: &Ctx, id: ScheduleId) -> Result<schedule::Model> {
    ctx.require(Action::Edit, Resource::Schedule)?;
    ctx.write(|tx| async move {
        let before = own(&tx, ctx, id).await?;
        if before.status != ScheduleStatus::Generating {
            return Err(refused("This schedule is not being generated."));
        }
        if let Some(job) = before.job_id {
            match jobs::cancel(&tx, job).await {
                // It has ended, or was pruned: nothing is left to stop.
                Ok(_) | Err(Error::User(_)) => {}
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        let mut row = before.clone();
        row.status = ScheduleStatus::Discarded;
        row.phase = SchedulePhase::Failed;
        row.progress_message = Some("The generation was cancelled.".into());
        let stored = save(&tx, &before, row, "schedule.cancelled").await?;
        tx.announce(Topic::Schedule(id), &Progress::from(&stored))?;
        Ok(stored)
    })
    .await
}

/// Rejects a proposal.
pub async fn discard(ctx: &Ctx, id: ScheduleId) -> Result<schedule::Model> {
    ctx.require(Action::Edit, Resource::Schedule)?;
    ctx.write(|tx| async move {
        let before = own(&tx, ctx, id).await?;
        if !matches!(before.status, ScheduleStatus::Proposed | ScheduleStatus::Failed) {
            return Err(refused("Only a proposal can be discarded."));
        }
        let mut row = before.clone();
        row.status = ScheduleStatus::Discarded;
        save(&tx, &before, row, "schedule.discarded").await
    })
    .await
}

/// A plan that the caller may change.
async fn own(tx: &Tx, ctx: &Ctx, id: ScheduleId) -> Result<schedule::Model> {
    let row = locked(tx, id).await?;
    if ctx.user_id().is_none_or(|person| person == row.user_id) {
        return Ok(row);
    }
    Err(Error::forbidden("This is the schedule of another member."))
}

async fn save(
    tx: &Tx,
    before: &schedule::Model,
    row: schedule::Model,
    action: &'static str,
) -> Result<schedule::Model> {
    let changes = rules::audit_diff(Some(before), &row);
    store(tx, row, action, changes).await
}

/// Stores a changed plan; the entry says these changes, which may be those of a slot.
async fn store(
    tx: &Tx,
    mut row: schedule::Model,
    action: &'static str,
    changes: serde_json::Value,
) -> Result<schedule::Model> {
    row.version += 1;
    row.updated_at = tx.now();
    let stored = tx.update(row.into_active_model().reset_all()).await?;
    record(tx, action, &stored, changes);
    Ok(stored)
}

fn refused(message: &str) -> Error {
    Error::user(UserErrorCode::InvalidState, "id", message)
}
