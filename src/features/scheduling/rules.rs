//! Decisions about plans that need no database: how long to think, what a plan is worth to a person, and how it differs from what is in
//! force.

use std::collections::HashMap;
use std::time::Duration;

use entity::ids::{ScheduleSlotId, TaskId};
use entity::{schedule, schedule_slot, unscheduled_task};
use serde_json::{Map, Value, json};

use super::engine::{Parts, Problem, Solution};
use super::model::{Diff, Slot, Stats};
use super::question::Piece;
use super::words::{StoredReason, StoredRelaxation};
use crate::kernel::time::Instant;

/// How much thought a plan gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Most changes that are tried: what is reached first ends the search.
    pub iterations: u64,
    /// Most time.
    pub time: Duration,
    /// Most time for looking for changes that would let left out tasks in.
    pub advice: Duration,
}

/// A week is planned while its person waits: in some 100 ms, or five times that in a build without optimisation, which gets not nearly as
/// far. Larger plans get three seconds, less when the search knows that no plan is better.
pub fn effort(tasks: usize) -> Effort {
    let (iterations, millis, advice) = match tasks {
        0..=25 => (40_000, if cfg!(debug_assertions) { 550 } else { 110 }, 60),
        _ => (2_000_000, 3_000, 500),
    };
    Effort {
        iterations,
        time: Duration::from_millis(millis),
        advice: Duration::from_millis(advice),
    }
}

/// For mending a plan after a change. Nobody waits for it: the iterations end it after some ten milliseconds, and a machine that is busy
/// may take longer over the same plan instead of moving more than it must. A build without optimisation needs ten times as long for them.
pub fn small_effort() -> Effort {
    Effort {
        iterations: 4_000,
        time: Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 }),
        advice: Duration::from_millis(60),
    }
}

/// Quality from 0 to 100: 70 for work that has a place, by importance; 20 for deadlines that are met; 10 for suitable times of day.
pub fn quality(problem: &Problem, solution: &Solution, parts: &Parts, left_out: usize) -> i32 {
    let weight =
        |task: &super::engine::Task| problem.weights.prio.get(task.prio).copied().unwrap_or(1) * task.dur;
    let is_placed = |task: &super::engine::Task| solution.chunks.contains_key(&task.id);
    let asked: i64 = problem.tasks.iter().map(weight).sum();
    let placed: i64 = problem
        .tasks
        .iter()
        .filter(|task| is_placed(task))
        .map(weight)
        .sum();
    let share = |part: f64, whole: f64| {
        if whole > 0.0 {
            (part / whole).clamp(0.0, 1.0)
        } else {
            1.0
        }
    };
    // What the engine was not asked about counts like a task of average weight.
    let others = left_out as f64 * (asked as f64 / problem.tasks.len().max(1) as f64).max(1.0);
    let dated = problem
        .tasks
        .iter()
        .filter(|task| is_placed(task) && task.due.is_some());
    let in_time = dated.clone().filter(|task| {
        let end = solution.chunks[&task.id].last().map_or(0, |chunk| chunk.1);
        task.due.is_some_and(|due| end <= due)
    });
    let worst: i64 = problem
        .tasks
        .iter()
        .filter(|task| is_placed(task))
        .map(|task| {
            let most = problem
                .profiles
                .get(&task.profile)
                .and_then(|profile| profile.iter().max());
            task.dur * problem.weights.pref * most.copied().unwrap_or(0)
        })
        .sum();
    let discomfort = if worst > 0 {
        share(parts.pref as f64, worst as f64)
    } else {
        0.0
    };
    let points = 70.0 * share(placed as f64, asked as f64 + others)
        + 20.0 * share(in_time.count() as f64, dated.count() as f64)
        + 10.0 * (1.0 - discomfort);
    points.round() as i32
}

/// Pairs the slots of a plan with the pieces in force: the same times first, then the rest of each task in order.
pub fn compare(in_force: &[Piece], slots: &mut [Slot]) -> Diff {
    let mut diff = Diff::default();
    let mut before: HashMap<TaskId, Vec<&Piece>> = HashMap::new();
    for piece in in_force {
        before.entry(piece.task_id).or_default().push(piece);
    }
    for slot in slots.iter_mut() {
        slot.previous = None;
        let pieces = before.entry(slot.task_id).or_default();
        if let Some(at) = pieces.iter().position(|piece| piece.span == slot.span) {
            pieces.remove(at);
            slot.previous = Some(slot.span.start);
            diff.unchanged += 1;
        }
    }
    for slot in slots.iter_mut().filter(|slot| slot.previous.is_none()) {
        let pieces = before.entry(slot.task_id).or_default();
        if pieces.is_empty() {
            diff.added.push(slot.id);
        } else {
            slot.previous = Some(pieces.remove(0).span.start);
            diff.moved.push(slot.id);
        }
    }
    let mut removed: Vec<&Piece> = before.into_values().flatten().collect();
    removed.sort_by_key(|piece| piece.span.start);
    diff.removed = removed.iter().map(|piece| piece.slot_id).collect();
    diff
}

/// The diff after one slot was moved by hand.
pub fn compare_moved(diff: &mut Diff, slot: ScheduleSlotId, previous: Option<Instant>, start: Instant) {
    let listed = diff.added.len() + diff.moved.len();
    diff.added.retain(|id| *id != slot);
    diff.moved.retain(|id| *id != slot);
    if listed == diff.added.len() + diff.moved.len() {
        diff.unchanged -= 1;
    }
    match previous {
        None => diff.added.push(slot),
        Some(previous) if previous == start => diff.unchanged += 1,
        Some(_) => diff.moved.push(slot),
    }
}

/// What is different about a plan, of which there may have been nothing before, for the audit log. Of wishes, and of what was placed where,
/// only that they are.
pub fn audit_diff(before: Option<&schedule::Model>, after: &schedule::Model) -> Value {
    let mut changes = Map::new();
    let mut note = |field: &str, of: fn(&schedule::Model) -> Value| {
        let (from, to) = (before.map_or(Value::Null, of), of(after));
        if from != to {
            changes.insert(field.to_owned(), json!({ "from": from, "to": to }));
        }
    };
    note("status", |row| json!(row.status));
    note("startDate", |row| json!(row.start_date));
    note("endDate", |row| json!(row.end_date));
    note("engine", |row| json!(row.engine));
    note("autoApply", |row| json!(row.auto_apply));
    note("taskIds", |row| json!(row.task_ids));
    note("baseScheduleId", |row| json!(row.base_schedule_id));
    note("calendarId", |row| json!(row.calendar_id));
    note("jobId", |row| json!(row.job_id));
    note("score", |row| json!(row.score));
    note("placedTaskCount", |row| json!(row.placed_task_count));
    note("totalTaskCount", |row| json!(row.total_task_count));
    note("appliedAt", |row| json!(row.applied_at));
    let mut touched = |field: &str, of: fn(&schedule::Model) -> Value| {
        if before.map_or(Value::Null, of) != of(after) {
            changes.insert(field.to_owned(), json!({ "changed": true }));
        }
    };
    touched("instructions", |row| json!(row.instructions));
    touched("feedback", |row| json!(row.feedback));
    touched("diff", |row| json!(row.diff));
    touched("error", |row| json!(row.error));
    Value::Object(changes)
}

/// The stored diff; `None` until the plan is made.
pub fn diff_of(row: &schedule::Model) -> Option<Diff> {
    serde_json::from_value(row.diff.clone()?).ok()
}

/// The stored figures; `None` until the plan is made.
pub fn stats_of(row: &schedule::Model) -> Option<Stats> {
    serde_json::from_value(row.stats.clone()?).ok()
}

/// The stored reasons of a slot, most important first.
pub fn reasons_of(row: &schedule_slot::Model) -> Vec<StoredReason> {
    serde_json::from_value(row.reasons.clone()).unwrap_or_default()
}

/// The stored relaxations of a task that found no place, cheapest first.
pub fn relaxations_of(row: &unscheduled_task::Model) -> Vec<StoredRelaxation> {
    serde_json::from_value(row.relaxations.clone()).unwrap_or_default()
}
