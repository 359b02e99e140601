//! Decisions about focus sessions that need no database.

use entity::enums::FocusSessionStatus;
use entity::focus_session;
use serde_json::{Map, Value, json};

use crate::kernel::time::Instant;
use crate::kernel::{Error, Result, UserErrorCode};

/// Nobody concentrates for longer: a session that was forgotten counts so much and no more.
pub(super) const LONGEST_SECONDS: i64 = 12 * 3_600;
/// Shortest and longest plan, in minutes.
pub(super) const PLANNED: std::ops::RangeInclusive<i32> = 5..=240;

/// Whether the session has not ended.
pub(super) fn is_open(row: &focus_session::Model) -> bool {
    matches!(
        row.status,
        FocusSessionStatus::Active | FocusSessionStatus::Paused
    )
}

/// Focused time up to an instant, without pauses.
pub(super) fn focused_seconds(row: &focus_session::Model, now: Instant) -> i32 {
    let running = row
        .running_since
        .map_or(0, |since| (now - since).num_seconds().max(0));
    let total = i64::from(row.focused_seconds)
        .saturating_add(running)
        .clamp(0, LONGEST_SECONDS);
    i32::try_from(total).unwrap_or(i32::MAX)
}

/// Whole focused minutes up to an instant, without pauses.
pub fn focused_minutes(row: &focus_session::Model, now: Instant) -> i32 {
    focused_seconds(row, now) / 60
}

/// The refusal of what a session's state does not allow.
fn wrong_state(message: &str) -> Error {
    Error::user(UserErrorCode::InvalidState, "id", message)
}

/// Stops the clock.
pub(super) fn pause(row: &mut focus_session::Model, now: Instant) -> Result<()> {
    match row.status {
        FocusSessionStatus::Active => {}
        FocusSessionStatus::Paused => return Err(wrong_state("The session is already paused.")),
        _ => return Err(wrong_state("The session has ended.")),
    }
    row.focused_seconds = focused_seconds(row, now);
    row.running_since = None;
    row.status = FocusSessionStatus::Paused;
    Ok(())
}

/// Starts the clock again.
pub(super) fn resume(row: &mut focus_session::Model, now: Instant) -> Result<()> {
    match row.status {
        FocusSessionStatus::Paused => {}
        FocusSessionStatus::Active => return Err(wrong_state("The session is running.")),
        _ => return Err(wrong_state("The session has ended.")),
    }
    row.running_since = Some(now);
    row.status = FocusSessionStatus::Active;
    Ok(())
}

/// Counts an interruption.
pub(super) fn interrupt(row: &mut focus_session::Model) -> Result<()> {
    if !is_open(row) {
        return Err(wrong_state("The session has ended."));
    }
    row.interruption_count = row.interruption_count.saturating_add(1);
    Ok(())
}

/// Ends a session; as planned when the planned minutes were reached, to the nearest minute.
pub(super) fn end(row: &mut focus_session::Model, now: Instant) -> Result<()> {
    if !is_open(row) {
        return Err(wrong_state("The session has already ended."));
    }
    row.focused_seconds = focused_seconds(row, now);
    row.running_since = None;
    row.ended_at = Some(now);
    row.status = if row.focused_seconds + 30 >= row.planned_minutes * 60 {
        FocusSessionStatus::Completed
    } else {
        FocusSessionStatus::Abandoned
    };
    Ok(())
}

/// What is different about a session, of which there may have been nothing before; of its notes only that they are.
pub(super) fn audit_diff(before: Option<&focus_session::Model>, after: &focus_session::Model) -> Value {
    let mut changes = Map::new();
    let mut note = |field: &str, of: fn(&focus_session::Model) -> Value| {
        let (from, to) = (before.map_or(Value::Null, of), of(after));
        if from != to {
            changes.insert(field.to_owned(), json!({ "from": from, "to": to }));
        }
    };
    note("status", |row| json!(row.status));
    note("taskId", |row| json!(row.task_id));
    note("plannedMinutes", |row| json!(row.planned_minutes));
    note("focusedSeconds", |row| json!(row.focused_seconds));
    note("interruptionCount", |row| json!(row.interruption_count));
    note("endedAt", |row| json!(row.ended_at));
    if before.and_then(|row| row.notes.as_ref()) != after.notes.as_ref() {
        changes.insert("notes".into(), json!({ "changed": true }));
    }
    Value::Object(changes)
}

#[cfg(test)]
mod tests;
