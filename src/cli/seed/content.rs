//! What the seed holds: two people, a week of events and a list of tasks with everything a front end wants to show.

use std::collections::HashMap;

use chrono::{Datelike as _, Duration, NaiveTime};
use entity::enums::{EnergyLevel, EventStatus, EventTransparency, EventVisibility, TaskPriority};
use entity::ids::{CalendarEventId, CalendarId, TaskId, UserId, WorkspaceId};
use entity::user;

use crate::access::{Access, Caller, Ctx, Identity};
use crate::app::StartError;
use crate::features::events::{self, EventFilter, EventOrder, EventOrderField, NewEvent, NewGuest, When};
use crate::features::people::{self, NewPerson};
use crate::features::tasks::{self, NewTask, TaskFilter, TaskOrder, TaskOrderField};
use crate::features::{calendars, workspaces};
use crate::kernel::Error;
use crate::kernel::actor::Origin;
use crate::kernel::page::PageArgs;
use crate::kernel::time::Instant;
use crate::platform::Platform;

/// A person of the seed.
pub(super) struct Persona {
    pub(super) name: &'static str,
    pub(super) email: &'static str,
    time_zone: &'static str,
    is_admin: bool,
}

/// Both people. The first may also look after the installation's jobs.
pub(super) const PERSONAS: [Persona; 2] = [
    Persona {
        name: "Ada Marlow",
        email: "ada@example.com",
        time_zone: "Europe/Berlin",
        is_admin: true,
    },
    Persona {
        name: "Grace Okafor",
        email: "grace@example.com",
        time_zone: "America/New_York",
        is_admin: false,
    },
];

/// Title, day of the week from Monday, hour, minutes, guest.
const EVENTS: [(&str, i64, u32, i64, Option<&str>); 8] = [
    ("Team stand-up", 0, 8, 15, Some("team@example.com")),
    ("Design review", 0, 13, 60, Some("lena@example.com")),
    ("One-to-one with Sam", 1, 9, 30, Some("sam@example.com")),
    ("Dentist", 1, 15, 45, None),
    ("Customer call", 2, 10, 60, Some("buyer@example.net")),
    ("Lunch with Ines", 3, 11, 75, Some("ines@example.com")),
    ("Sprint planning", 3, 8, 90, Some("team@example.com")),
    ("Demo", 4, 14, 45, Some("team@example.com")),
];

/// Title, minutes, days until due, priority, energy, label, title of what has to be finished first.
type SeedTask = (
    &'static str,
    i32,
    Option<i64>,
    TaskPriority,
    EnergyLevel,
    &'static str,
    Option<&'static str>,
);

const TASKS: [SeedTask; 10] = [
    (
        "Write the project brief",
        120,
        Some(3),
        TaskPriority::High,
        EnergyLevel::High,
        "work",
        None,
    ),
    (
        "Collect figures for the brief",
        60,
        Some(2),
        TaskPriority::High,
        EnergyLevel::Medium,
        "work",
        None,
    ),
    (
        "Send the brief to the team",
        15,
        Some(4),
        TaskPriority::Medium,
        EnergyLevel::Low,
        "work",
        Some("Write the project brief"),
    ),
    (
        "Book train tickets",
        20,
        Some(6),
        TaskPriority::Medium,
        EnergyLevel::Low,
        "travel",
        None,
    ),
    (
        "Prepare the demo",
        180,
        Some(4),
        TaskPriority::Urgent,
        EnergyLevel::High,
        "work",
        None,
    ),
    (
        "Answer the tax letter",
        45,
        Some(-1),
        TaskPriority::Urgent,
        EnergyLevel::Medium,
        "home",
        None,
    ),
    (
        "Read the paper on scheduling",
        90,
        None,
        TaskPriority::Low,
        EnergyLevel::High,
        "reading",
        None,
    ),
    (
        "Water the plants",
        10,
        Some(1),
        TaskPriority::Low,
        EnergyLevel::Low,
        "home",
        None,
    ),
    (
        "Plan the offsite",
        150,
        Some(12),
        TaskPriority::Medium,
        EnergyLevel::Medium,
        "work",
        None,
    ),
    (
        "Renew the passport",
        40,
        Some(30),
        TaskPriority::Low,
        EnergyLevel::Low,
        "home",
        None,
    ),
];

/// What a person has after the seed.
pub(super) struct Planted {
    pub(super) user_id: UserId,
    pub(super) workspace_id: WorkspaceId,
    pub(super) calendar_id: CalendarId,
    pub(super) event_id: CalendarEventId,
    pub(super) task_id: TaskId,
}

/// Creates what is missing of one person.
pub(super) async fn plant(platform: &Platform, persona: &Persona) -> Result<Planted, StartError> {
    let person = person(platform, persona).await?;
    let identity = Identity::Session {
        user_id: person.id,
        session_id: platform.ids.next(),
        is_admin: person.is_admin,
    };
    let access = Access::new(
        platform.clone(),
        Caller {
            identity,
            origin: Origin::default(),
            ends_at: None,
        },
    );
    // A personal workspace comes first.
    let workspace = workspaces::all(&access)
        .await?
        .into_iter()
        .next()
        .ok_or_else(Error::not_found)?;
    let ctx = access.ctx(workspace.id).await?;
    let calendar = calendars::default_of_viewer(&ctx)
        .await?
        .ok_or_else(Error::not_found)?;
    let event_id = plant_events(&ctx, calendar.id).await?;
    let task_id = plant_tasks(&ctx).await?;
    Ok(Planted {
        user_id: person.id,
        workspace_id: workspace.id,
        calendar_id: calendar.id,
        event_id,
        task_id,
    })
}

async fn person(platform: &Platform, persona: &Persona) -> Result<user::Model, StartError> {
    if let Some(person) = people::find_by_email(platform, persona.email).await? {
        return Ok(person);
    }
    let new = NewPerson {
        name: persona.name.into(),
        email: persona.email.into(),
        is_email_verified: true,
        is_admin: persona.is_admin,
        time_zone: persona.time_zone.into(),
        locale: "en-GB".into(),
    };
    Ok(workspaces::create_personal(platform, new).await?.0)
}

/// The events of the current week that are not there yet; returns the first.
async fn plant_events(ctx: &Ctx, calendar: CalendarId) -> Result<CalendarEventId, StartError> {
    let request = PageArgs::default().check(100, false)?;
    let order = EventOrder {
        field: EventOrderField::Start,
        descending: false,
    };
    let page = events::page(ctx, &EventFilter::default(), order, &request).await?;
    let mut known: HashMap<String, CalendarEventId> = page
        .items
        .into_iter()
        .map(|(_, event)| (event.row.title.clone(), event.row.id))
        .collect();
    let monday = monday(ctx.platform().clock.now());
    for (title, day, hour, minutes, guest) in EVENTS {
        if known.contains_key(title) {
            continue;
        }
        let start = monday + Duration::days(day) + Duration::hours(i64::from(hour));
        let new = NewEvent {
            title: title.into(),
            when: When::Timed {
                start,
                end: start + Duration::minutes(minutes),
            },
            time_zone: None,
            recurrence: None,
            description: None,
            location: None,
            conference_url: None,
            status: EventStatus::Confirmed,
            transparency: EventTransparency::Busy,
            visibility: EventVisibility::Default,
            guests: guest
                .map(|email| NewGuest {
                    email: email.into(),
                    name: None,
                    is_optional: false,
                })
                .into_iter()
                .collect(),
            reminders: None,
            color: None,
        };
        let event = events::create(ctx, calendar, new).await?;
        known.insert(title.into(), event.row.id);
    }
    Ok(*known.get(EVENTS[0].0).ok_or_else(Error::not_found)?)
}

fn monday(now: Instant) -> Instant {
    let day = now.date_naive() - Duration::days(i64::from(now.weekday().num_days_from_monday()));
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The tasks that are not there yet; returns the first.
async fn plant_tasks(ctx: &Ctx) -> Result<TaskId, StartError> {
    let request = PageArgs::default().check(100, false)?;
    let order = TaskOrder {
        field: TaskOrderField::CreatedAt,
        descending: false,
    };
    let page = tasks::page(ctx, &TaskFilter::default(), order, &request).await?;
    let mut known: HashMap<String, TaskId> = page
        .items
        .into_iter()
        .map(|(_, task)| (task.title.clone(), task.id))
        .collect();
    let now = ctx.platform().clock.now();
    for (title, minutes, due, priority, energy, label, first) in TASKS {
        if known.contains_key(title) {
            continue;
        }
        let new = NewTask {
            title: title.into(),
            description: None,
            priority,
            energy,
            duration_minutes: Some(minutes),
            min_chunk_minutes: (minutes >= 60).then_some(30),
            max_chunk_minutes: None,
            start_after: None,
            due_at: due.map(|days| now + Duration::days(days)),
            is_hard_deadline: priority == TaskPriority::Urgent,
            is_auto_scheduled: true,
            working_hours: None,
            labels: vec![label.into()],
            assignee_id: None,
            parent_id: None,
            recurrence_rule: None,
            dependency_ids: first
                .and_then(|first| known.get(first).copied())
                .into_iter()
                .collect(),
        };
        let task = tasks::create(ctx, new).await?;
        known.insert(title.into(), task.id);
    }
    Ok(*known.get(TASKS[0].0).ok_or_else(Error::not_found)?)
}
