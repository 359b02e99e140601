//! What comes after a task that is done.

use entity::enums::{EnergyLevel, TaskPriority, TaskStatus};
use entity::ids::{TaskId, TypedId as _, WorkspaceId};
use uuid::Uuid;

use super::*;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn berlin() -> TimeZone {
    zones::zone("Europe/Berlin").unwrap()
}

fn task(rule: &str, start_after: Option<&str>, due_at: Option<&str>) -> task::Model {
    task::Model {
        id: TaskId::from_uuid(Uuid::nil()),
        workspace_id: WorkspaceId::from_uuid(Uuid::nil()),
        version: 1,
        title: "Water the plants".into(),
        description: None,
        status: TaskStatus::Todo,
        priority: TaskPriority::Medium,
        energy: EnergyLevel::Medium,
        duration_minutes: 30,
        completed_minutes: 0,
        min_chunk_minutes: None,
        max_chunk_minutes: None,
        start_after: start_after.map(at),
        due_at: due_at.map(at),
        is_hard_deadline: false,
        is_auto_scheduled: true,
        working_hours: None,
        labels: serde_json::json!([]),
        assignee_id: None,
        created_by: None,
        parent_id: None,
        position: 0,
        recurrence_rule: Some(rule.into()),
        series_id: None,
        completed_at: None,
        created_at: at("2026-03-02T09:00:00Z"),
        updated_at: at("2026-03-02T09:00:00Z"),
    }
}

fn dates(row: &task::Model, now: &str) -> Option<(String, Option<String>, Option<String>)> {
    let next = next(row, &berlin(), at(now))?;
    let text = |at: Option<Instant>| at.map(|at| at.format("%Y-%m-%dT%H:%MZ").to_string());
    Some((next.rule, text(next.start_after), text(next.due_at)))
}

#[test]
fn the_next_deadline_has_the_same_wall_time() {
    // Clocks go forward on 29 March.
    let row = task("FREQ=WEEKLY", None, Some("2026-03-27T16:00:00Z"));
    let expected = ("FREQ=WEEKLY".into(), None, Some("2026-04-03T15:00Z".into()));
    assert_eq!(dates(&row, "2026-03-26T09:00:00Z"), Some(expected));
}

#[test]
fn what_was_missed_does_not_pile_up() {
    let row = task("FREQ=DAILY", None, Some("2026-03-02T17:00:00Z"));
    let next = dates(&row, "2026-03-09T18:00:00Z").unwrap();
    assert_eq!(next.2.as_deref(), Some("2026-03-10T17:00Z"));
    let early = dates(&row, "2026-03-01T08:00:00Z").unwrap();
    assert_eq!(early.2.as_deref(), Some("2026-03-03T17:00Z"));
}

#[test]
fn counted_rules_end() {
    let mut row = task("FREQ=DAILY;COUNT=3", None, Some("2026-03-02T17:00:00Z"));
    let mut seen = Vec::new();
    while let Some(next) = next(&row, &berlin(), row.due_at.unwrap()) {
        seen.push(next.rule.clone());
        (row.recurrence_rule, row.due_at) = (Some(next.rule), next.due_at);
    }
    assert_eq!(seen, ["FREQ=DAILY;COUNT=2", "FREQ=DAILY;COUNT=1"]);
    // Two were skipped: they count too.
    let row = task("FREQ=DAILY;COUNT=4", None, Some("2026-03-02T17:00:00Z"));
    let next = dates(&row, "2026-03-04T18:00:00Z").unwrap();
    assert_eq!(next.0, "FREQ=DAILY;COUNT=1");
    let ended = task(
        "FREQ=DAILY;UNTIL=20260305T170000Z",
        None,
        Some("2026-03-05T17:00:00Z"),
    );
    assert_eq!(dates(&ended, "2026-03-05T18:00:00Z"), None);
}

#[test]
fn a_task_appears_as_long_before_its_deadline_as_before() {
    let row = task(
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        Some("2026-03-28T08:00:00Z"),
        Some("2026-03-31T15:00:00Z"),
    );
    let next = dates(&row, "2026-03-30T09:00:00Z").unwrap();
    // Before the change of clocks it was 9:00 in Berlin.
    assert_eq!(next.1.as_deref(), Some("2026-04-27T07:00Z"));
    assert_eq!(next.2.as_deref(), Some("2026-04-30T15:00Z"));
}

#[test]
fn without_dates_the_day_of_completion_counts() {
    let row = task("FREQ=DAILY;INTERVAL=3", None, None);
    let next = dates(&row, "2026-03-02T20:30:00Z").unwrap();
    assert_eq!((next.1.as_deref(), next.2), (Some("2026-03-04T23:00Z"), None));
    let row = task("FREQ=DAILY", Some("2026-03-02T05:00:00Z"), None);
    let next = dates(&row, "2026-03-02T20:30:00Z").unwrap();
    assert_eq!((next.1.as_deref(), next.2), (Some("2026-03-03T05:00Z"), None));
}

#[test]
fn rules_are_checked_and_stored_in_one_form() {
    let row = task("", None, Some("2026-03-02T17:00:00Z"));
    let checked = |text| check(text, &row, &berlin(), at("2026-03-01T00:00:00Z"));
    assert_eq!(
        checked("rrule:byday=fr,mo;freq=weekly").unwrap(),
        "FREQ=WEEKLY;BYDAY=MO,FR"
    );
    for bad in [
        "",
        "weekly",
        "FREQ=HOURLY",
        "FREQ=SECONDLY;COUNT=3",
        "FREQ=DAILY;UNTIL=20260101",
    ] {
        let Err(Error::User(errors)) = checked(bad) else {
            panic!("{bad} is no rule");
        };
        assert_eq!(errors[0].code, UserErrorCode::InvalidRecurrence, "{bad}");
    }
}

#[test]
fn sub_tasks_move_in_wall_time() {
    let week = SignedDuration::from_hours(7 * 24);
    let moved = moved(at("2026-03-25T08:00:00Z"), week, &berlin()).unwrap();
    assert_eq!(moved, at("2026-04-01T07:00:00Z"));
}
