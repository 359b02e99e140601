//! Plans of bad and of very much data: a clear state or error each time, never a hang.

use std::time::{Duration, Instant};

use entity::enums::{EnergyLevel, TaskPriority, TaskStatus};
use entity::ids::{ScheduleId, TaskId};
use entity::{schedule, task as tasks};
use meridian::kernel::actor::Actor;
use meridian::platform::db::{Scope, Tx, statements};
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _, Set};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::plans::{
    calendar, command, event, office, plan, prefer, request, schedule, slots, task, work,
};
use crate::support::statements::{Heard, Statements};

/// Writes to Ana's workspace what the API would refuse.
async fn write<F, Fut>(app: &TestApp, body: F)
where
    F: Fn(Tx) -> Fut + Send + Sync,
    Fut: Future<Output = meridian::kernel::Result<()>> + Send,
{
    let scope = Scope::Workspace(app.ana.workspace_id);
    app.platform.write(scope, Actor::system(), body).await.unwrap();
}

async fn with_tasks(app: &TestApp, count: usize) {
    let person = app.ana.user_id;
    let row = move |tx: &Tx, number: usize| tasks::Model {
        id: tx.ids().next(),
        workspace_id: entity::ids::WorkspaceId(uuid::Uuid::nil()),
        version: 1,
        title: format!("Task {number}"),
        description: None,
        status: TaskStatus::Todo,
        priority: TaskPriority::Medium,
        energy: EnergyLevel::Medium,
        duration_minutes: 30,
        completed_minutes: 0,
        min_chunk_minutes: None,
        max_chunk_minutes: None,
        start_after: None,
        due_at: None,
        is_hard_deadline: false,
        is_auto_scheduled: true,
        working_hours: None,
        labels: json!([]),
        assignee_id: Some(person),
        created_by: Some(person),
        parent_id: None,
        position: 0,
        recurrence_rule: None,
        series_id: None,
        completed_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    write(app, |tx| async move {
        let rows = (0..count).map(|number| row(&tx, number).into_active_model().reset_all());
        let rows: Vec<tasks::ActiveModel> = rows.collect();
        for page in rows.chunks(500) {
            tx.insert_many(page.to_vec()).await?;
        }
        Ok(())
    })
    .await;
}

async fn made(app: &TestApp, first: &str, last: &str) -> Value {
    let ana = app.ana();
    let asked = request(&ana, &app.ana.workspace(), first, last, json!({})).await;
    let id = asked
        .succeeded("generateSchedule")
        .text("/generateSchedule/schedule/id");
    work(app).await;
    let document = "query ($id: ID!) { schedule(id: $id) { id status error slots { id } unscheduledTasks { reason message } } }";
    ana.gql(document, json!({ "id": id })).await.at("/schedule")
}

#[tokio::test]
async fn five_thousand_tasks_get_an_honest_plan_and_one_more_a_clear_answer() {
    let app = TestApp::start().await;
    let ana = app.ana();
    prefer(&ana, &office(), json!({})).await;
    with_tasks(&app, 5_000).await;
    let began = Instant::now();
    let plan = made(&app, "2026-03-02", "2026-04-01").await;
    // The budget is three seconds; tests run without optimisation on a machine that may have other work.
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(plan["status"], "PROPOSED", "{}", plan["error"]);
    let count = |what: &str| plan[what].as_array().unwrap().len();
    assert!(count("slots") > 100, "{}", count("slots"));
    assert_eq!(count("slots") + count("unscheduledTasks"), 5_000);
    let said =
        |one: &Value| one["reason"] == "NO_CAPACITY" && one["message"].as_str().unwrap().contains("30 min");
    assert!(plan["unscheduledTasks"].as_array().unwrap().iter().all(said));

    with_tasks(&app, 1).await;
    let failed = made(&app, "2026-03-02", "2026-04-01").await;
    assert_eq!(failed["status"], "FAILED");
    assert!(
        failed["error"]
            .as_str()
            .unwrap()
            .contains("more than 5000 open tasks"),
        "{failed:#}"
    );
    assert_eq!(failed["slots"], json!([]));
}

#[tokio::test]
async fn a_year_is_refused_and_one_that_an_older_version_stored_is_planned() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let refused = request(&ana, &place, "2026-03-02", "2027-03-01", json!({})).await;
    assert_eq!(
        refused.user_error("generateSchedule"),
        "OUT_OF_RANGE input.endDate"
    );
    task(
        &ana,
        &place,
        "Report",
        60,
        json!({ "startAfter": "2027-01-04T00:00:00Z" }),
    )
    .await;
    let plan = until(&app, "2027-03-01").await;
    assert_eq!(plan["status"], "PROPOSED", "{plan:#}");
    assert_eq!(slots(&plan), ["Report 2027-01-04T08:00 60"]);
}

/// A plan from Monday to a day that is too far away for the API.
async fn until(app: &TestApp, last: &str) -> Value {
    let ana = app.ana();
    let asked = request(&ana, &app.ana.workspace(), "2026-03-02", "2026-03-06", json!({})).await;
    let id = asked.text("/generateSchedule/schedule/id");
    let (stored, last): (ScheduleId, chrono::NaiveDate) = (id.parse().unwrap(), last.parse().unwrap());
    write(app, |tx| async move {
        let row = schedule::ActiveModel {
            id: Set(stored),
            end_date: Set(last),
            ..Default::default()
        };
        tx.update(row).await.map(drop)
    })
    .await;
    work(app).await;
    schedule(&ana, &id).await
}

/// What a plan is made of, in the order in which it is read.
const SOURCES: [&str; 6] = [
    "user_preferences",
    "calendar_events",
    "event_overrides",
    "tasks",
    "task_dependencies",
    "schedule_slots",
];

/// The statements that load it: from the settings of the person to the slots in force.
fn sources(heard: &[Heard]) -> Vec<String> {
    let texts: Vec<String> = heard.iter().map(|one| one.sql.clone()).collect();
    let reads = |sql: &String, table: &str| sql.contains(&format!("FROM \"{table}\""));
    // The settings are read for other things too; the last time before the events is meant.
    let events = texts
        .iter()
        .position(|sql| reads(sql, "calendar_events"))
        .unwrap();
    let first = texts[..events]
        .iter()
        .rposition(|sql| reads(sql, "user_preferences"))
        .unwrap();
    let slots = texts[events..]
        .iter()
        .position(|sql| reads(sql, "schedule_slots"))
        .unwrap();
    texts[first..=events + slots].to_vec()
}

#[tokio::test]
async fn a_quarter_is_loaded_by_as_few_statements_as_a_day() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let own = calendar(&ana, &place, json!({})).await;
    for day in ["2026-03-03", "2026-04-14", "2026-05-26"] {
        let (start, end) = (format!("{day}T10:00:00Z"), format!("{day}T11:00:00Z"));
        event(&ana, &own, &start, &end, json!({})).await;
    }
    // A series makes the planner look for exceptions, also those of the first day.
    let weekly = json!({ "recurrence": { "rule": "FREQ=WEEKLY" } });
    event(&ana, &own, "2026-03-02T14:00:00Z", "2026-03-02T15:00:00Z", weekly).await;
    let first = task(&ana, &place, "First", 60, json!({})).await;
    task(&ana, &place, "Second", 60, json!({ "dependencyIds": [first] })).await;
    let heard = Statements::listen();
    let asked = async |last: &str| {
        let before = statements();
        heard.take();
        let made = until(&app, last).await;
        assert_eq!(made["slots"].as_array().unwrap().len(), 2, "{made:#}");
        let sources = sources(&heard.take());
        assert!(sources.len() <= 6, "{last}: {sources:#?}");
        for table in SOURCES {
            let is_read = |sql: &String| sql.contains(&format!("FROM \"{table}\""));
            assert!(sources.iter().any(is_read), "{table} until {last}: {sources:#?}");
        }
        statements() - before
    };
    let (day, quarter) = (asked("2026-03-02").await, asked("2026-05-31").await);
    assert_eq!(day, quarter, "whatever the number of days");
}

#[tokio::test]
async fn sizes_that_an_older_version_stored_make_no_trouble() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let change = async |title: &str, change: fn(&mut tasks::ActiveModel)| {
        let id: TaskId = task(&ana, &place, title, 60, json!({})).await.parse().unwrap();
        write(&app, |tx| async move {
            let mut row = tasks::ActiveModel {
                id: Set(id),
                ..Default::default()
            };
            change(&mut row);
            tx.update(row).await.map(drop)
        })
        .await;
    };
    change("Nothing", |row| row.duration_minutes = Set(0)).await;
    change("Less than nothing", |row| row.duration_minutes = Set(-60)).await;
    change("More than done", |row| row.completed_minutes = Set(600)).await;
    change("No piece", |row| row.min_chunk_minutes = Set(Some(0))).await;
    change("Upside down", |row| {
        row.min_chunk_minutes = Set(Some(60));
        row.max_chunk_minutes = Set(Some(30));
    })
    .await;
    change("Strange hours", |row| {
        row.working_hours = Set(Some(json!("always")))
    })
    .await;
    change("No hours", |row| row.working_hours = Set(Some(json!([])))).await;
    let plan = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    assert_eq!(plan["status"], "PROPOSED", "{plan:#}");
    let found = slots(&plan);
    for title in ["No piece", "Upside down", "Strange hours"] {
        assert!(
            found.iter().any(|slot| slot.starts_with(title)),
            "{title}: {found:?}"
        );
    }
    for title in ["Nothing", "Less than nothing", "More than done", "No hours"] {
        assert!(
            !found.iter().any(|slot| slot.starts_with(title)),
            "{title}: {found:?}"
        );
    }
    assert_eq!(plan["unscheduledTasks"].as_array().unwrap().len(), 1);
    assert_eq!(plan["unscheduledTasks"][0]["task"]["title"], "No hours");
    assert_eq!(plan["unscheduledTasks"][0]["reason"], "NO_CAPACITY");
}

#[tokio::test]
async fn a_hard_deadline_in_the_past_and_days_without_hours_are_said() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({})).await;
    let over = json!({ "dueAt": "2026-02-20T12:00:00Z", "isHardDeadline": true });
    task(&ana, &place, "Tax return", 60, over).await;
    let late = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    assert_eq!(
        (&late["status"], &late["slots"]),
        (&json!("PROPOSED"), &json!([]))
    );
    assert_eq!(late["unscheduledTasks"][0]["reason"], "DEADLINE_PASSED");
    prefer(&ana, &[], json!({})).await;
    let failed = plan(&ana, &place, "2026-03-02", "2026-03-06").await;
    assert_eq!(failed["status"], "FAILED");
    assert!(failed["error"].as_str().unwrap().contains("working hours"));
    let refused = command(&ana, "applySchedule", json!({ "id": failed["id"] })).await;
    assert!(
        !refused.user_error("applySchedule").is_empty(),
        "what failed is not applied"
    );
}
