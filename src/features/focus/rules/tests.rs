//! What may follow what in a focus session.

use super::*;
use chrono::Duration;
use entity::ids::{FocusSessionId, TypedId as _, UserId, WorkspaceId};
use uuid::Uuid;

fn at(minutes: i64) -> Instant {
    Instant::UNIX_EPOCH + Duration::minutes(minutes)
}

fn session() -> focus_session::Model {
    focus_session::Model {
        id: FocusSessionId::from_uuid(Uuid::nil()),
        workspace_id: WorkspaceId::from_uuid(Uuid::nil()),
        user_id: UserId::from_uuid(Uuid::nil()),
        task_id: None,
        status: FocusSessionStatus::Active,
        planned_minutes: 25,
        focused_seconds: 0,
        running_since: Some(at(0)),
        interruption_count: 0,
        started_at: at(0),
        ended_at: None,
        notes: None,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

#[test]
fn pauses_do_not_count() {
    let mut row = session();
    pause(&mut row, at(10)).unwrap();
    assert_eq!(focused_minutes(&row, at(500)), 10);
    assert!(pause(&mut row, at(11)).is_err());
    resume(&mut row, at(60)).unwrap();
    assert!(resume(&mut row, at(61)).is_err());
    assert_eq!(focused_minutes(&row, at(65)), 15);
    end(&mut row, at(75)).unwrap();
    assert_eq!(row.focused_seconds, 25 * 60);
    assert_eq!(row.status, FocusSessionStatus::Completed);
    assert!(end(&mut row, at(76)).is_err());
    assert!(interrupt(&mut row).is_err());
}

#[test]
fn ending_early_is_told_apart_to_the_nearest_minute() {
    for (seconds, status) in [
        (25 * 60 - 30, FocusSessionStatus::Completed),
        (25 * 60 - 31, FocusSessionStatus::Abandoned),
        (0, FocusSessionStatus::Abandoned),
    ] {
        let mut row = session();
        end(&mut row, at(0) + Duration::seconds(seconds)).unwrap();
        assert_eq!(row.status, status, "{seconds}");
    }
}

#[test]
fn a_forgotten_session_counts_half_a_day_and_a_clock_that_went_back_nothing() {
    let row = session();
    assert_eq!(focused_minutes(&row, at(100_000)), 720);
    assert_eq!(focused_minutes(&row, at(-10)), 0);
}
