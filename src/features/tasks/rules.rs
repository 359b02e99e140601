//! Decisions about tasks that need no database.

use std::collections::{BTreeMap, HashMap, HashSet};

use entity::enums::TaskStatus;
use entity::ids::TaskId;
use entity::task;
use serde_json::{Value, json};

use crate::features::people::{self, WorkingHours};
use crate::kernel::text::{Checks, MAX_DESCRIPTION, MAX_TITLE};
use crate::kernel::{Error, Result, UserErrorCode};

/// Most labels of one task.
pub(super) const MAX_LABELS: usize = 20;
/// Most tasks that one task waits for.
pub(super) const MAX_DEPENDENCIES: usize = 50;
/// Deepest nesting of sub-tasks.
pub(super) const MAX_DEPTH: usize = 10;
/// Most tasks in one bulk update.
pub(super) const MAX_BULK: usize = 100;

/// Whether work on the task is over.
pub(super) fn is_closed(status: TaskStatus) -> bool {
    matches!(status, TaskStatus::Done | TaskStatus::Cancelled)
}

/// Whether the deadline has passed and the task is still open.
pub fn is_overdue(row: &task::Model, now: crate::kernel::time::Instant) -> bool {
    !is_closed(row.status) && row.due_at.is_some_and(|due| due < now)
}

/// The labels of a task in the user's order.
pub fn labels_of(row: &task::Model) -> Vec<String> {
    <Vec<String> as serde::Deserialize>::deserialize(&row.labels).unwrap_or_default()
}

/// The hours in which a task may be planned; `None` for those of its person.
pub fn working_hours_of(row: &task::Model) -> Option<Vec<WorkingHours>> {
    serde_json::from_value(row.working_hours.clone()?).ok()
}

/// Hours as they are stored. None at all would be a task that is never planned, for which there is a switch.
pub(super) fn working_hours(hours: Option<Vec<WorkingHours>>) -> Result<Option<Value>> {
    let Some(hours) = hours else { return Ok(None) };
    let path = "input.workingHours";
    let mut checks = Checks::default();
    checks.require(
        !hours.is_empty(),
        UserErrorCode::Required,
        path,
        "Give at least one range, or null for the working hours of whoever does the task.",
    );
    let sorted = people::check_hours(&mut checks, path, &hours);
    checks.finish()?;
    Ok(Some(json!(sorted)))
}

/// Trims labels, drops repeated ones and keeps the order.
pub(super) fn labels(checks: &mut Checks, path: &str, labels: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut clean = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let label = checks.title(&format!("{path}.{index}"), label, 50);
        if seen.insert(label.clone()) {
            clean.push(label);
        }
    }
    if clean.len() > MAX_LABELS {
        let message = format!("A task has at most {MAX_LABELS} labels.");
        checks.fail(UserErrorCode::TooLong, path, message);
    }
    clean
}

/// Checks a task as it would be stored. Paths begin with `input`.
pub(super) fn check(row: &mut task::Model) -> Result<()> {
    let mut checks = Checks::default();
    row.title = checks.title("input.title", &row.title, MAX_TITLE);
    row.description = row
        .description
        .take()
        .map(|text| checks.prose("input.description", &text, MAX_DESCRIPTION));
    checks.range("input.durationMinutes", row.duration_minutes, 5, 14_400);
    if let Some(min) = row.min_chunk_minutes {
        checks.range("input.minChunkMinutes", min, 5, 14_400);
    }
    if let Some(max) = row.max_chunk_minutes {
        checks.range("input.maxChunkMinutes", max, 5, 14_400);
    }
    if let (Some(min), Some(max)) = (row.min_chunk_minutes, row.max_chunk_minutes) {
        let message = "The largest piece must not be smaller than the smallest.";
        checks.require(
            min <= max,
            UserErrorCode::OutOfRange,
            "input.maxChunkMinutes",
            message,
        );
    }
    if let (Some(start), Some(due)) = (row.start_after, row.due_at) {
        let message = "The deadline must be after `startAfter`.";
        checks.require(
            start < due,
            UserErrorCode::InvalidTimeRange,
            "input.dueAt",
            message,
        );
    }
    checks.finish()
}

/// Whether following `edges` from `from` leads to `target`.
pub(super) fn reaches(edges: &HashMap<TaskId, Vec<TaskId>>, from: TaskId, target: TaskId) -> bool {
    let mut stack = vec![from];
    let mut seen = HashSet::new();
    while let Some(id) = stack.pop() {
        if id == target {
            return true;
        }
        if seen.insert(id) {
            stack.extend(edges.get(&id).into_iter().flatten());
        }
    }
    false
}

/// The refusal of a circle.
pub(super) fn cycle(path: &str) -> Error {
    Error::user(
        UserErrorCode::DependencyCycle,
        path,
        "The tasks would wait for each other in a circle.",
    )
}

/// Changed fields for the audit log: plain values and ids; of texts only the fact, they can hold anything about anybody.
pub(super) fn audit_diff(before: &task::Model, after: &task::Model) -> Value {
    let mut changes = BTreeMap::new();
    let mut note = |field: &'static str, from: Value, to: Value| {
        if from != to {
            changes.insert(field, json!({ "from": from, "to": to }));
        }
    };
    note("status", json!(before.status), json!(after.status));
    note("priority", json!(before.priority), json!(after.priority));
    note("energy", json!(before.energy), json!(after.energy));
    note(
        "durationMinutes",
        json!(before.duration_minutes),
        json!(after.duration_minutes),
    );
    note(
        "minChunkMinutes",
        json!(before.min_chunk_minutes),
        json!(after.min_chunk_minutes),
    );
    note(
        "maxChunkMinutes",
        json!(before.max_chunk_minutes),
        json!(after.max_chunk_minutes),
    );
    note("startAfter", json!(before.start_after), json!(after.start_after));
    note("dueAt", json!(before.due_at), json!(after.due_at));
    note(
        "isHardDeadline",
        json!(before.is_hard_deadline),
        json!(after.is_hard_deadline),
    );
    note(
        "isAutoScheduled",
        json!(before.is_auto_scheduled),
        json!(after.is_auto_scheduled),
    );
    note(
        "completedMinutes",
        json!(before.completed_minutes),
        json!(after.completed_minutes),
    );
    note(
        "recurrenceRule",
        json!(before.recurrence_rule),
        json!(after.recurrence_rule),
    );
    note("assigneeId", json!(before.assignee_id), json!(after.assignee_id));
    note("parentId", json!(before.parent_id), json!(after.parent_id));
    let mut touched = |field: &'static str, differs: bool| {
        if differs {
            changes.insert(field, json!({ "changed": true }));
        }
    };
    touched("title", before.title != after.title);
    touched("description", before.description != after.description);
    touched("labels", before.labels != after.labels);
    // Hours tell how somebody lives; those of people are not in the log either.
    touched("workingHours", before.working_hours != after.working_hours);
    json!(changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::ids::TypedId as _;

    fn id(n: u128) -> TaskId {
        TaskId::from_uuid(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn a_circle_is_found_however_long_it_is() {
        let edges: HashMap<_, _> = (1..1_000).map(|n| (id(n), vec![id(n + 1)])).collect();
        assert!(reaches(&edges, id(1), id(1_000)));
        assert!(!reaches(&edges, id(1_000), id(1)));
        assert!(reaches(&edges, id(7), id(7)));
    }

    #[test]
    fn labels_are_trimmed_and_unique() {
        let mut checks = Checks::default();
        let given = [" home ", "work", "home"].map(String::from);
        assert_eq!(labels(&mut checks, "input.labels", &given), ["home", "work"]);
        assert!(checks.finish().is_ok());
    }
}
