//! Storing a plan that was made: slots with their reasons, what found no place, the figures, and how it differs from what is in force.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::enums::{
    ChangeAction, NotificationType, PlannerEngine, SchedulePhase, ScheduleSlotKind, ScheduleStatus,
};
use entity::ids::{ScheduleId, TaskId, TypedId as _, UserId, WorkspaceId};
use entity::{schedule, schedule_slot, unscheduled_task};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QuerySelect as _, Set,
};
use serde_json::json;

use super::make::Made;
use crate::access::Ctx;
use crate::features::notifications::{self, NewNotification};
use crate::features::scheduling::model::{Diff, Progress, Slot, Stats};
use crate::features::scheduling::rules;
use crate::features::scheduling::words::{self, Unplaced, Words};
use crate::kernel::changes::{ObjectType, Topic};
use crate::kernel::ids::IdGen;
use crate::kernel::time::Span;
use crate::kernel::{Error, Result};
use crate::platform::db::{Audit, Tx};

/// A plan as it is stored.
pub struct Finished {
    pub slots: Vec<Slot>,
    pub unplaced: Vec<Unplaced>,
    pub diff: Diff,
    pub changes: schedule::ActiveModel,
}

/// A schedule for these days that was asked for and has nothing yet. The scope of the transaction decides about its workspace.
pub fn requested(tx: &Tx, person: UserId, (start, end): (NaiveDate, NaiveDate)) -> schedule::Model {
    schedule::Model {
        id: tx.ids().next(),
        workspace_id: WorkspaceId(uuid::Uuid::nil()),
        user_id: person,
        status: ScheduleStatus::Generating,
        start_date: start,
        end_date: end,
        engine: PlannerEngine::Solver,
        instructions: None,
        feedback: None,
        wishes: None,
        auto_apply: false,
        task_ids: None,
        base_schedule_id: None,
        calendar_id: None,
        job_id: None,
        score: None,
        explanation: None,
        stats: None,
        diff: None,
        error: None,
        phase: SchedulePhase::Queued,
        percent: 0,
        progress_message: None,
        placed_task_count: 0,
        total_task_count: 0,
        generated_at: None,
        applied_at: None,
        undo: None,
        seen_seq: None,
        seen_at: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

/// Gives a plan its words and figures. Pure but for ids.
pub fn finish(made: &Made, ids: &IdGen) -> Result<Finished> {
    let titles: HashMap<TaskId, &str> = made
        .sources
        .tasks
        .iter()
        .map(|task| (task.id, task.title.as_str()))
        .collect();
    let title = |id: TaskId| titles.get(&id).copied().unwrap_or("another task").to_owned();
    let words = Words {
        question: &made.question,
        window: &made.window,
        title: &title,
        now: made.now,
    };
    let mut slots: Vec<Slot> = Vec::new();
    for piece in &made.question.fixed {
        let is_draft = made.sources.draft.iter().any(|slot| slot.id == piece.slot_id);
        slots.push(Slot {
            id: if is_draft { piece.slot_id } else { ids.next() },
            task_id: piece.task_id,
            span: piece.span,
            is_locked: piece.is_locked,
            reasons: vec![if piece.is_locked {
                words::locked()
            } else {
                words::started()
            }],
            previous: None,
        });
    }
    let explanation = &made.solved.explanation;
    for (placed, work) in made.question.work_of(explanation) {
        slots.push(Slot {
            id: ids.next(),
            task_id: made.question.tasks[placed.task as usize],
            span: made.window.between(work),
            is_locked: false,
            reasons: words.reasons(placed),
            previous: None,
        });
    }
    slots.sort_by_key(|slot| slot.span.start);
    let diff = rules::compare(&made.question.in_force, &mut slots);
    let mut unplaced: Vec<Unplaced> = explanation.missing.iter().map(|one| words.missing(one)).collect();
    let left_out = made.question.left_out.iter().zip(&made.solved.unblocked);
    unplaced.extend(left_out.map(|(one, place)| words.left_out(one, place.as_deref())));

    let problem = &made.question.problem;
    let solution = &made.solved.plan.solution;
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let minutes = |span: Span| (span.end - span.start).num_minutes();
    let placed_minutes: i64 = slots.iter().map(|slot| minutes(slot.span)).sum();
    let millis = |time: std::time::Duration| i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    let stats = Stats {
        objective: made.solved.plan.objective as f64,
        first_plan_ms: millis(made.solved.first),
        total_ms: millis(made.began.elapsed()),
        placed_minutes: i32::try_from(placed_minutes).unwrap_or(i32::MAX),
        move_count: count(diff.moved.len()),
        seed: made.seed,
    };
    let first = made.question.in_force.first();
    let slot = first.and_then(|piece| made.sources.applied.iter().find(|slot| slot.id == piece.slot_id));
    let base = slot.map(|slot| slot.schedule_id);
    let total = made.question.tasks.len() + made.question.left_out.len();
    let placed = solution.chunks.len();
    let score = rules::quality(
        problem,
        solution,
        &made.solved.parts,
        made.question.left_out.len(),
    );
    let wishes = made.wishes.sentence(&made.question, &made.sources, &made.window);
    let explained = std::iter::once(summary(placed, total, diff.moved.len()))
        .chain(wishes)
        .collect::<Vec<_>>()
        .join(" ");
    let changes = schedule::ActiveModel {
        status: Set(ScheduleStatus::Proposed),
        base_schedule_id: Set(base),
        score: Set(Some(score)),
        explanation: Set(Some(explained)),
        stats: Set(Some(serde_json::to_value(&stats).map_err(Error::internal)?)),
        diff: Set(Some(serde_json::to_value(&diff).map_err(Error::internal)?)),
        error: Set(None),
        phase: Set(SchedulePhase::Done),
        percent: Set(100),
        progress_message: Set(None),
        placed_task_count: Set(count(placed)),
        total_task_count: Set(count(total)),
        ..Default::default()
    };
    Ok(Finished {
        slots,
        unplaced,
        diff,
        changes,
    })
}

fn summary(placed: usize, total: usize, moved: usize) -> String {
    let tasks = match (placed, total) {
        (_, 0) => "There is nothing to plan.".to_owned(),
        (placed, total) if placed == total => format!("All {total} tasks have a place."),
        (placed, total) => format!("{placed} of {total} tasks have a place."),
    };
    match moved {
        0 => tasks,
        1 => format!("{tasks} One slot moves."),
        moved => format!("{tasks} {moved} slots move."),
    }
}

/// Stores a plan. `None` when nobody waits for it any more.
pub async fn store(ctx: &Ctx, id: ScheduleId, finished: &Finished) -> Result<Option<schedule::Model>> {
    ctx.write(|tx| async move {
        let row = locked(&tx, id).await?;
        if row.status != ScheduleStatus::Generating {
            return Ok(None);
        }
        store_in(&tx, row, finished).await.map(Some)
    })
    .await
}

/// The plan's row, until the end of the transaction nobody else's.
pub async fn locked(tx: &Tx, id: ScheduleId) -> Result<schedule::Model> {
    let select = tx
        .find::<schedule::Entity>()
        .filter(schedule::Column::Id.eq(id))
        .lock_exclusive();
    select.one(tx.conn()).await?.ok_or_else(Error::not_found)
}

/// The same for a row that is this transaction's.
pub async fn store_in(tx: &Tx, row: schedule::Model, finished: &Finished) -> Result<schedule::Model> {
    let id = row.id;
    replace_slots(tx, id, &finished.slots).await?;
    tx.delete_many::<unscheduled_task::Entity>()
        .filter(unscheduled_task::Column::ScheduleId.eq(id))
        .exec(tx.conn())
        .await?;
    let unplaced = finished.unplaced.iter().map(|one| unplaced(tx, id, one));
    tx.insert_many(unplaced.collect()).await?;
    let mut changes = finished.changes.clone();
    changes.id = Set(id);
    changes.version = Set(row.version + 1);
    changes.generated_at = Set(Some(tx.now()));
    changes.updated_at = Set(tx.now());
    let stored = tx.update(changes).await?;
    let title = if finished.unplaced.is_empty() {
        "Your schedule is ready".to_owned()
    } else {
        format!(
            "Your schedule is ready; {} tasks found no place",
            finished.unplaced.len()
        )
    };
    notify(tx, &stored, title).await?;
    record(
        tx,
        "schedule.generated",
        &stored,
        rules::audit_diff(Some(&row), &stored),
    );
    tx.announce(Topic::Schedule(id), &Progress::from(&stored))?;
    Ok(stored)
}

/// Replaces all slots of a plan.
pub async fn replace_slots(tx: &Tx, id: ScheduleId, slots: &[Slot]) -> Result<()> {
    tx.delete_many::<schedule_slot::Entity>()
        .filter(schedule_slot::Column::ScheduleId.eq(id))
        .exec(tx.conn())
        .await?;
    let mut rows = Vec::with_capacity(slots.len());
    for slot in slots {
        rows.push(schedule_slot::ActiveModel {
            id: Set(slot.id),
            schedule_id: Set(id),
            start_utc: Set(slot.span.start),
            end_utc: Set(slot.span.end),
            kind: Set(ScheduleSlotKind::Task),
            task_id: Set(Some(slot.task_id)),
            calendar_event_id: Set(None),
            is_locked: Set(slot.is_locked),
            previous_start_utc: Set(slot.previous),
            reasons: Set(serde_json::to_value(&slot.reasons).map_err(Error::internal)?),
            created_at: Set(tx.now()),
            updated_at: Set(tx.now()),
            ..Default::default()
        });
    }
    tx.insert_many(rows).await
}

fn unplaced(tx: &Tx, id: ScheduleId, one: &Unplaced) -> unscheduled_task::ActiveModel {
    unscheduled_task::ActiveModel {
        id: Set(tx.ids().next()),
        schedule_id: Set(id),
        task_id: Set(one.task_id),
        reason: Set(one.reason),
        missing_minutes: Set(one.missing_minutes),
        message: Set(one.message.clone()),
        relaxations: Set(json!(one.relaxations)),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    }
}

/// Says that no plan could be made.
pub async fn fail(ctx: &Ctx, id: ScheduleId, message: &str) -> Result<()> {
    ctx.write(|tx| async move {
        let before = locked(&tx, id).await?;
        if before.status != ScheduleStatus::Generating {
            return Ok(());
        }
        fail_in(&tx, before, message).await
    })
    .await
}

/// The same for a row that is this transaction's.
pub async fn fail_in(tx: &Tx, before: schedule::Model, message: &str) -> Result<()> {
    let mut row = before.clone();
    row.status = ScheduleStatus::Failed;
    row.phase = SchedulePhase::Failed;
    row.error = Some(message.to_owned());
    row.generated_at = Some(tx.now());
    row.version += 1;
    row.updated_at = tx.now();
    let stored = tx.update(row.into_active_model().reset_all()).await?;
    notify(tx, &stored, "Your schedule could not be generated".to_owned()).await?;
    let changes = rules::audit_diff(Some(&before), &stored);
    record(tx, "schedule.failed", &stored, changes);
    tx.announce(Topic::Schedule(stored.id), &Progress::from(&stored))
}

async fn notify(tx: &Tx, row: &schedule::Model, title: String) -> Result<()> {
    let new = NewNotification {
        user_id: row.user_id,
        workspace_id: Some(row.workspace_id),
        r#type: NotificationType::ScheduleReady,
        title,
        body: row.error.clone().or_else(|| row.explanation.clone()),
        subject: Some((ObjectType::Schedule, row.id.uuid())),
        dedup_key: Some(format!("schedule:{}:{}", row.id, row.version)),
    };
    notifications::notify_in(tx, new).await.map(drop)
}

/// Audit entry, with what is different, and change of a plan.
pub fn record(tx: &Tx, action: &'static str, row: &schedule::Model, changes: serde_json::Value) {
    tx.audit(Audit {
        action,
        entity_type: "Schedule",
        entity_id: row.id.uuid(),
        changes: Some(changes),
    });
    let change = if action == "schedule.requested" {
        ChangeAction::Created
    } else {
        ChangeAction::Updated
    };
    tx.change(change, ObjectType::Schedule, row.id.uuid());
}
