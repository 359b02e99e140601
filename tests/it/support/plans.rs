//! Planning in tests: people with working hours, calendars and tasks, and the work of the planner's worker step by step.

use entity::enums::JobStatus;
use entity::job;
use meridian::features::scheduling;
use meridian::kernel::actor::Actor;
use meridian::kernel::jobs::Payload;
use meridian::platform::db::{Scope, Tx};
use meridian::platform::jobs::{JobError, ProgressHandle, RunningJob};
use sea_orm::{ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, Set};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Answer, Client, TestApp};

/// Everything about a plan that tests look at.
pub const SCHEDULE: &str = "id status startDate endDate score explanation engine error appliedAt \
    slots { id start end kind isLocked previousStart task { id title } calendarEvent { id } reasons { code message } } \
    unscheduledTasks { reason missingMinutes message task { title } relaxations { code message gainedMinutes } } \
    diff { added { id } moved { id } removed { id start task { title } } unchangedCount } \
    stats { objective firstPlanMilliseconds totalMilliseconds placedMinutes moveCount seed }";

/// Sets the working hours, as `("MONDAY", "09:00", "17:00")`, and other preferences.
pub async fn prefer(client: &Client<'_>, hours: &[(&str, &str, &str)], more: Value) {
    let hours: Vec<Value> = hours
        .iter()
        .map(|(weekday, start, end)| json!({ "weekday": weekday, "start": start, "end": end }))
        .collect();
    let mut input = json!({ "workingHours": hours });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let document = "mutation ($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { userErrors { code field message } } }";
    client
        .gql(document, json!({ "input": input }))
        .await
        .succeeded("updatePreferences");
}

/// Monday to Friday from nine to five.
pub fn office() -> Vec<(&'static str, &'static str, &'static str)> {
    ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]
        .map(|day| (day, "09:00", "17:00"))
        .to_vec()
}

/// A calendar of the workspace that gets new events.
pub async fn calendar(client: &Client<'_>, workspace: &str, more: Value) -> String {
    let mut input = json!({ "workspaceId": workspace, "name": "Work" });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let document = "mutation ($input: CreateCalendarInput!) { createCalendar(input: $input) { calendar { id } userErrors { code field } } }";
    let answer = client.gql(document, json!({ "input": input })).await;
    answer
        .succeeded("createCalendar")
        .text("/createCalendar/calendar/id")
}

/// An event between two instants.
pub async fn event(client: &Client<'_>, calendar: &str, start: &str, end: &str, more: Value) -> String {
    let time = json!({ "timed": { "start": start, "end": end } });
    let mut input = json!({ "calendarId": calendar, "title": "Meeting", "time": time });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let document = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { calendarEvent { id } userErrors { code field message } } }";
    let answer = client.gql(document, json!({ "input": input })).await;
    answer
        .succeeded("createCalendarEvent")
        .text("/createCalendarEvent/calendarEvent/id")
}

/// A task of so many minutes.
pub async fn task(client: &Client<'_>, workspace: &str, title: &str, minutes: i32, more: Value) -> String {
    let mut input = json!({ "workspaceId": workspace, "title": title, "durationMinutes": minutes });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let document = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code field message } } }";
    let answer = client.gql(document, json!({ "input": input })).await;
    answer.succeeded("createTask").text("/createTask/task/id")
}

/// Asks for a plan.
pub async fn request(client: &Client<'_>, workspace: &str, first: &str, last: &str, more: Value) -> Answer {
    let mut input = json!({ "workspaceId": workspace, "startDate": first, "endDate": last });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let document = "mutation ($input: GenerateScheduleInput!) { generateSchedule(input: $input) { schedule { id status } job { id queue } userErrors { code field message } } }";
    client.gql(document, json!({ "input": input })).await
}

/// Asks for a plan, makes it, and returns it.
pub async fn plan(client: &Client<'_>, workspace: &str, first: &str, last: &str) -> Value {
    let answer = request(client, workspace, first, last, json!({})).await;
    let id = answer
        .succeeded("generateSchedule")
        .text("/generateSchedule/schedule/id");
    work(client.app).await;
    schedule(client, &id).await
}

/// A plan as its person sees it.
pub async fn schedule(client: &Client<'_>, id: &str) -> Value {
    let document = format!("query ($id: ID!) {{ schedule(id: $id) {{ {SCHEDULE} }} }}");
    client.gql(&document, json!({ "id": id })).await.at("/schedule")
}

/// Runs a command on a plan or a slot.
pub async fn command(client: &Client<'_>, name: &str, arguments: Value) -> Answer {
    let types = [
        ("id", "ID!"),
        ("slotIds", "[ID!]"),
        ("calendarId", "ID"),
        ("start", "DateTime!"),
        ("end", "DateTime"),
        ("isLocked", "Boolean!"),
        ("feedback", "String"),
    ];
    let given: Vec<_> = types
        .iter()
        .filter(|(name, _)| arguments.get(name).is_some())
        .collect();
    let variables: Vec<String> = given.iter().map(|(name, ty)| format!("${name}: {ty}")).collect();
    let passed: Vec<String> = given.iter().map(|(name, _)| format!("{name}: ${name}")).collect();
    let object = if name.contains("Slot") {
        "slot { id start end isLocked reasons { code } }"
    } else {
        "schedule { id status }"
    };
    let document = format!(
        "mutation ({}) {{ {name}({}) {{ {object} userErrors {{ code field message }} }} }}",
        variables.join(", "),
        passed.join(", ")
    );
    client.gql(&document, arguments).await
}

/// Titles and times of the slots, as `Report 2026-03-02T09:00:00Z 60`.
pub fn slots(schedule: &Value) -> Vec<String> {
    let slot = |slot: &Value| {
        let at = |name: &str| {
            slot[name]
                .as_str()
                .unwrap()
                .parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap()
        };
        let minutes = (at("end") - at("start")).num_minutes();
        let start = at("start").format("%Y-%m-%dT%H:%M");
        format!("{} {start} {minutes}", slot["task"]["title"].as_str().unwrap())
    };
    schedule["slots"].as_array().unwrap().iter().map(slot).collect()
}

/// The codes of the reasons of a slot.
pub fn reasons(schedule: &Value, slot: usize) -> Vec<String> {
    let reasons = schedule["slots"][slot]["reasons"].as_array().unwrap();
    reasons
        .iter()
        .map(|reason| reason["code"].as_str().unwrap().to_owned())
        .collect()
}

/// Does all planning that waits, as a worker would.
pub async fn work(app: &TestApp) {
    for job in waiting(app).await {
        run(app, job, CancellationToken::new()).await.unwrap();
    }
}

/// Looks for plans in force around which something changed, and does what follows.
pub async fn sweep(app: &TestApp) {
    let sweep = RunningJob {
        id: app.platform.ids.next(),
        attempt: 1,
        payload: Payload::StartDueReplans,
        workspace_id: None,
        created_by: None,
        cancel: CancellationToken::new(),
        progress: ProgressHandle::channel().0,
    };
    scheduling::start_due(&app.platform, &sweep).await.unwrap();
    work(app).await;
}

/// Runs one job and records how it ended.
pub async fn run(app: &TestApp, job: job::Model, cancel: CancellationToken) -> Result<(), JobError> {
    let payload: Payload = serde_json::from_value(job.payload.clone()).unwrap();
    let running = RunningJob {
        id: job.id,
        attempt: job.attempts + 1,
        payload,
        workspace_id: job.workspace_id,
        created_by: job.created_by,
        cancel,
        progress: ProgressHandle::channel().0,
    };
    let result = match &running.payload {
        Payload::GenerateSchedule { .. } => scheduling::run_generate(&app.platform, &running).await,
        Payload::ReplanSchedule { .. } => scheduling::run_replan(&app.platform, &running).await,
        other => panic!("no planning: {other:?}"),
    };
    let status = match &result {
        Ok(()) => JobStatus::Succeeded,
        Err(JobError::Cancelled) => JobStatus::Cancelled,
        Err(_) => JobStatus::Dead,
    };
    let body = |tx: Tx| {
        let job = job.clone();
        async move {
            let mut row = job.into_active_model();
            row.status = Set(status);
            tx.update(row).await.map(drop)
        }
    };
    app.platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
    result
}

/// The planning that waits.
pub async fn waiting(app: &TestApp) -> Vec<job::Model> {
    let read = app.platform.db.read(Scope::System).await.unwrap();
    read.find::<job::Entity>()
        .filter(job::Column::Kind.is_in(["generate_schedule", "replan_schedule"]))
        .filter(job::Column::Status.is_in([JobStatus::Queued, JobStatus::Retrying]))
        .order_by_asc(job::Column::Id)
        .all(&read)
        .await
        .unwrap()
}
