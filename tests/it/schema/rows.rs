//! Rows for the schema's tests, written through the entities as the application would.

use chrono::{NaiveDate, TimeZone, Utc};
use entity::enums::*;
use entity::ids::*;
use entity::*;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel};
use serde_json::json;
use uuid::Uuid;

/// Ids are small numbers, so that a failure is easy to read.
pub(super) fn id<T: TypedId>(number: u128) -> T {
    T::from_uuid(Uuid::from_u128(number))
}

pub(super) fn at(minute: u32) -> DateTimeUtc {
    Utc.with_ymd_and_hms(2026, 11, 27, 9, minute, 0).unwrap()
}

/// Inserts a whole row.
pub(super) async fn put<E, C>(db: &C, row: E::Model) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
    C: ConnectionTrait,
{
    E::insert(row.into_active_model().reset_all())
        .exec_without_returning(db)
        .await
        .map(drop)
}

pub(super) fn user(number: u128) -> user::Model {
    user::Model {
        id: id(number),
        name: "Ana".into(),
        email: format!("ana{number}@example.org"),
        avatar_url: None,
        email_verified_at: None,
        is_admin: false,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(super) fn workspace(number: u128) -> workspace::Model {
    workspace::Model {
        id: id(number),
        name: "Team".into(),
        slug: format!("team-{number}"),
        r#type: WorkspaceType::Team,
        time_zone: "Europe/Berlin".into(),
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(super) fn calendar(number: u128, workspace: u128) -> calendar::Model {
    calendar::Model {
        id: id(number),
        workspace_id: id(workspace),
        owner_id: None,
        integration_id: None,
        external_id: None,
        name: "Work".into(),
        description: None,
        color: "#336699".into(),
        time_zone: "Europe/Berlin".into(),
        is_default: true,
        is_read_only: false,
        counts_as_busy: true,
        is_mirrored: false,
        feed_secret_hash: Some(vec![0, number as u8]),
        sealed_feed_secret: None,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(super) fn task(number: u128, workspace: u128) -> task::Model {
    task::Model {
        id: id(number),
        workspace_id: id(workspace),
        version: 1,
        title: "Write".into(),
        description: None,
        status: TaskStatus::InProgress,
        priority: TaskPriority::Urgent,
        energy: EnergyLevel::High,
        duration_minutes: 30,
        completed_minutes: 0,
        min_chunk_minutes: None,
        max_chunk_minutes: None,
        start_after: None,
        due_at: Some(at(30)),
        is_hard_deadline: false,
        is_auto_scheduled: true,
        working_hours: None,
        labels: json!(["home"]),
        assignee_id: None,
        created_by: None,
        parent_id: None,
        position: 0,
        recurrence_rule: None,
        series_id: None,
        completed_at: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(super) fn event(number: u128, workspace: u128, calendar: u128) -> calendar_event::Model {
    let day = NaiveDate::from_ymd_opt(2026, 11, 27).unwrap();
    calendar_event::Model {
        id: id(number),
        workspace_id: id(workspace),
        calendar_id: id(calendar),
        version: 1,
        uid: format!("{number}@example.org"),
        title: "Stand-up".into(),
        description: None,
        location: None,
        conference_url: None,
        kind: EventKind::Timed,
        start_local: day.and_hms_opt(10, 0, 0),
        end_local: day.and_hms_opt(10, 30, 0),
        start_zone: Some("Europe/Berlin".into()),
        end_zone: Some("Europe/Berlin".into()),
        start_date: None,
        end_date: None,
        start_utc: at(0),
        end_utc: at(30),
        tzdata_version: Some("2026b".into()),
        time_zone: "Europe/Berlin".into(),
        status: EventStatus::Confirmed,
        transparency: EventTransparency::Busy,
        visibility: EventVisibility::Default,
        rrule: None,
        rdates: json!([]),
        exdates: json!(["2026-12-01T10:00:00"]),
        series_end_utc: None,
        is_recurring: false,
        split_from: None,
        sequence: 0,
        recurrence_id: None,
        organizer_email: None,
        organizer_name: None,
        color: None,
        external_url: None,
        source_ics: None,
        task_id: None,
        booking_id: None,
        created_by: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(super) fn audit(number: u128, workspace: u128) -> audit_log::Model {
    audit_log::Model {
        id: id(number),
        workspace_id: id(workspace),
        seq: number as i64,
        actor_kind: ActorKind::System,
        actor_id: None,
        api_token_id: None,
        action: "task.updated".into(),
        entity_type: "Task".into(),
        entity_id: Uuid::nil(),
        changes: Some(json!({ "title": { "from": "a", "to": "b" } })),
        ip_address: None,
        user_agent: None,
        request_id: None,
        prev_hash: vec![0; 32],
        hash: vec![1; 32],
        created_at: at(0),
    }
}

pub(super) fn booking_slot(
    number: u128,
    workspace: u128,
    host: u128,
    from: u32,
    to: u32,
) -> booking_slot::Model {
    booking_slot::Model {
        id: id(number),
        workspace_id: id(workspace),
        page_id: None,
        booking_id: None,
        host_id: id(host),
        status: BookingSlotStatus::Held,
        start_utc: at(from),
        end_utc: at(to),
        expires_at: Some(at(59)),
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(super) fn availability_schedule(number: u128, workspace: u128) -> availability_schedule::Model {
    availability_schedule::Model {
        id: id(number),
        workspace_id: id(workspace),
        user_id: None,
        name: "Office".into(),
        time_zone: "Europe/Berlin".into(),
        is_default: true,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(super) fn booking_page(
    number: u128,
    workspace: u128,
    schedule: u128,
    calendar: u128,
) -> booking_page::Model {
    booking_page::Model {
        id: id(number),
        workspace_id: id(workspace),
        title: "Talk".into(),
        slug: "talk".into(),
        description: None,
        is_active: true,
        duration_minutes: 30,
        slot_interval_minutes: 15,
        buffer_before_minutes: 0,
        buffer_after_minutes: 0,
        min_notice_minutes: 240,
        max_days_ahead: 60,
        max_per_day: None,
        max_per_week: None,
        availability_schedule_id: id(schedule),
        host_mode: BookingHostMode::Collective,
        calendar_id: id(calendar),
        requires_confirmation: false,
        created_by: None,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// One person and two full workspaces, 1 and 2: calendar 11/12, task 21/22, event 31/32, audit entry 41/42,
/// booking page 61/62 with its hours 71/72.
pub(super) async fn two_workspaces<C: ConnectionTrait>(db: &C) {
    put::<user::Entity, _>(db, user(9)).await.unwrap();
    for number in [1, 2] {
        put::<workspace::Entity, _>(db, workspace(number)).await.unwrap();
        put::<calendar::Entity, _>(db, calendar(10 + number, number))
            .await
            .unwrap();
        let task = task::Model {
            assignee_id: Some(id(9)),
            ..task(20 + number, number)
        };
        put::<task::Entity, _>(db, task).await.unwrap();
        let event = event(30 + number, number, 10 + number);
        let event = calendar_event::Model {
            task_id: Some(id(20 + number)),
            ..event
        };
        put::<calendar_event::Entity, _>(db, event).await.unwrap();
        put::<audit_log::Entity, _>(db, audit(40 + number, number))
            .await
            .unwrap();
        let hours = availability_schedule(70 + number, number);
        put::<availability_schedule::Entity, _>(db, hours).await.unwrap();
        let page = booking_page(60 + number, number, 70 + number, 10 + number);
        put::<booking_page::Entity, _>(db, page).await.unwrap();
    }
}
