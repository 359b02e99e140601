//! What the tables themselves refuse, and what goes with what, the same on both databases.

use entity::enums::BookingSlotStatus;
use entity::ids::TaskId;
use entity::*;
use sea_orm::{ConnectionTrait, DatabaseConnection, EntityTrait};

use super::rows::*;
use super::{count, literal, on_postgres, on_sqlite, refused};

async fn rows_come_back_as_they_went_in(db: DatabaseConnection) {
    two_workspaces(&db).await;
    let tasks = task::Entity::find_by_id(id::<TaskId>(21)).one(&db).await.unwrap();
    assert_eq!(
        tasks,
        Some(task::Model {
            assignee_id: Some(id(9)),
            ..task(21, 1)
        })
    );
    let events = calendar_event::Entity::find_by_id(id::<ids::CalendarEventId>(31))
        .one(&db)
        .await
        .unwrap();
    assert_eq!(
        events,
        Some(calendar_event::Model {
            task_id: Some(id(21)),
            ..event(31, 1, 11)
        })
    );
    let calendars = calendar::Entity::find_by_id(id::<ids::CalendarId>(11))
        .one(&db)
        .await
        .unwrap();
    assert_eq!(calendars, Some(calendar(11, 1)));
    let entries = audit_log::Entity::find_by_id(id::<ids::AuditLogId>(41))
        .one(&db)
        .await
        .unwrap();
    assert_eq!(entries, Some(audit(41, 1)));
}

async fn a_link_across_workspaces_cannot_be_written(db: DatabaseConnection) {
    two_workspaces(&db).await;
    let required = put::<calendar_event::Entity, _>(&db, event(33, 1, 12)).await;
    assert!(
        required
            .unwrap_err()
            .to_string()
            .to_lowercase()
            .contains("foreign key")
    );
    let optional = calendar_event::Model {
        task_id: Some(id(22)),
        ..event(34, 1, 11)
    };
    let optional = put::<calendar_event::Entity, _>(&db, optional).await;
    assert!(
        optional
            .unwrap_err()
            .to_string()
            .to_lowercase()
            .contains("foreign key")
    );
    let parent = task::Model {
        parent_id: Some(id(22)),
        ..task(23, 1)
    };
    let parent = put::<task::Entity, _>(&db, parent).await;
    assert!(
        parent
            .unwrap_err()
            .to_string()
            .to_lowercase()
            .contains("foreign key")
    );
}

async fn links_are_cleared_and_parts_go_with_the_whole(db: DatabaseConnection) {
    two_workspaces(&db).await;
    put::<task::Entity, _>(
        &db,
        task::Model {
            parent_id: Some(id(21)),
            ..task(23, 1)
        },
    )
    .await
    .unwrap();
    let split = calendar_event::Model {
        split_from: Some(id(31)),
        ..event(33, 1, 11)
    };
    put::<calendar_event::Entity, _>(&db, split).await.unwrap();

    task::Entity::delete_by_id(id::<TaskId>(21))
        .exec(&db)
        .await
        .unwrap();
    assert_eq!(count(&db, "tasks").await, 1, "the sub-task went with its parent");
    assert_eq!(count(&db, "calendar_events WHERE task_id IS NOT NULL").await, 1);
    calendar_event::Entity::delete_by_id(id::<ids::CalendarEventId>(31))
        .exec(&db)
        .await
        .unwrap();
    assert_eq!(
        count(&db, "calendar_events WHERE split_from IS NOT NULL").await,
        0
    );

    user::Entity::delete_by_id(id::<ids::UserId>(9))
        .exec(&db)
        .await
        .unwrap();
    assert_eq!(count(&db, "tasks WHERE assignee_id IS NOT NULL").await, 0);
    assert_eq!(count(&db, "tasks").await, 1, "work outlives the person");

    let used = calendar::Entity::delete_by_id(id::<ids::CalendarId>(11))
        .exec(&db)
        .await;
    assert!(
        used.unwrap_err()
            .to_string()
            .to_lowercase()
            .contains("foreign key"),
        "a booking page needs it"
    );
    db.execute_unprepared("DELETE FROM booking_pages").await.unwrap();
    calendar::Entity::delete_by_id(id::<ids::CalendarId>(11))
        .exec(&db)
        .await
        .unwrap();
    assert_eq!(
        count(&db, "calendar_events").await,
        1,
        "events went with their calendar"
    );
}

async fn the_audit_log_only_grows_until_its_workspace_goes(db: DatabaseConnection) {
    two_workspaces(&db).await;
    refused(&db, "UPDATE audit_logs SET action = 'task.read'", "append-only").await;
    refused(&db, "DELETE FROM audit_logs", "append-only").await;
    refused(&db, "DELETE FROM audit_logs WHERE seq = 41", "append-only").await;
    assert_eq!(count(&db, "audit_logs").await, 2);

    workspace::Entity::delete_by_id(id::<ids::WorkspaceId>(1))
        .exec(&db)
        .await
        .unwrap();
    for table in entity::catalog().iter().filter(|table| table.has_workspace()) {
        let one = literal(&db, uuid::Uuid::from_u128(1));
        assert_eq!(
            count(&db, &format!("{} WHERE workspace_id = {one}", table.name)).await,
            0,
            "{}",
            table.name
        );
    }
    assert_eq!(count(&db, "audit_logs").await, 1);
}

async fn broken_rows_are_refused(db: DatabaseConnection) {
    two_workspaces(&db).await;
    refused(&db, "UPDATE tasks SET status = 'someday'", "check").await;
    refused(&db, "UPDATE tasks SET priority = 4", "check").await;
    refused(&db, "UPDATE users SET email = 'Ana@example.org'", "check").await;
    refused(
        &db,
        "UPDATE calendar_events SET end_utc = '2026-11-26T00:00:00+00:00'",
        "check",
    )
    .await;
    refused(&db, "UPDATE calendar_events SET kind = 'all_day'", "check").await;
    refused(&db, "UPDATE calendar_events SET start_zone = NULL", "check").await;
    refused(
        &db,
        "UPDATE calendar_events SET uid = 'x', calendar_id = NULL",
        "null",
    )
    .await;
    let same_uid = calendar_event::Model {
        uid: "31@example.org".into(),
        ..event(35, 1, 11)
    };
    assert!(put::<calendar_event::Entity, _>(&db, same_uid).await.is_err());
    let orphan = |number| calendar_event::Model {
        uid: "31@example.org".into(),
        recurrence_id: Some("20261127T100000".into()),
        ..event(number, 1, 11)
    };
    put::<calendar_event::Entity, _>(&db, orphan(36)).await.unwrap();
    assert!(put::<calendar_event::Entity, _>(&db, orphan(37)).await.is_err());
}

macro_rules! on_both {
    ($($rule:ident)+) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $rule() {
                super::on_sqlite(super::$rule).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $rule() {
                super::on_postgres(super::$rule).await;
            })+
        }
    };
}

on_both! {
    rows_come_back_as_they_went_in
    a_link_across_workspaces_cannot_be_written
    links_are_cleared_and_parts_go_with_the_whole
    the_audit_log_only_grows_until_its_workspace_goes
    broken_rows_are_refused
}

#[tokio::test]
async fn postgres_refuses_two_bookings_of_one_person_at_one_time() {
    on_postgres(|db| async move {
        two_workspaces(&db).await;
        put::<booking_slot::Entity, _>(&db, booking_slot(51, 1, 9, 0, 30))
            .await
            .unwrap();
        put::<booking_slot::Entity, _>(&db, booking_slot(52, 1, 9, 30, 45))
            .await
            .expect("back to back is no overlap");
        let elsewhere = put::<booking_slot::Entity, _>(&db, booking_slot(53, 2, 9, 20, 40)).await;
        assert!(
            elsewhere
                .unwrap_err()
                .to_string()
                .contains("booking_slots_overlap"),
            "a person is one in all workspaces"
        );
        let released = booking_slot::Model {
            status: BookingSlotStatus::Released,
            expires_at: None,
            ..booking_slot(54, 1, 9, 0, 30)
        };
        put::<booking_slot::Entity, _>(&db, released).await.unwrap();
        db.execute_unprepared("UPDATE booking_slots SET status = 'released'")
            .await
            .unwrap();
        put::<booking_slot::Entity, _>(&db, booking_slot(55, 1, 9, 0, 30))
            .await
            .expect("the time is free again");
    })
    .await;
}
