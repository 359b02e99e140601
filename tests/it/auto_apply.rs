//! Plans that are applied without review: when all tasks fit, and only then.

use entity::job;
use entity::schedule as schedules;
use meridian::kernel::actor::Actor;
use meridian::platform::db::{Scope, Tx};
use sea_orm::Set;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::plans::{calendar, office, prefer, request, run, schedule, task, waiting, work};
use crate::support::{Client, TestApp};

async fn asked(ana: &Client<'_>, more: Value) -> String {
    let place = ana.app.ana.workspace();
    let answer = request(ana, &place, "2026-03-03", "2026-03-03", more).await;
    answer
        .succeeded("generateSchedule")
        .text("/generateSchedule/schedule/id")
}

#[tokio::test]
async fn a_plan_in_which_all_fits_is_applied_at_once_and_another_waits_for_its_person() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({ "timeZone": "UTC" })).await;
    calendar(&ana, &place, json!({})).await;
    task(&ana, &place, "Report", 60, json!({})).await;
    let id = asked(&ana, json!({ "autoApply": true })).await;
    work(&app).await;
    let made = schedule(&ana, &id).await;
    assert_eq!(made["status"], "APPLIED", "{made:#}");
    assert!(made["slots"][0]["calendarEvent"]["id"].is_string());

    task(&ana, &place, "Thesis", 600, json!({})).await;
    let id = asked(&ana, json!({ "autoApply": true })).await;
    work(&app).await;
    let made = schedule(&ana, &id).await;
    assert_eq!(made["status"], "PROPOSED", "{made:#}");
    assert_eq!(made["unscheduledTasks"][0]["task"]["title"], "Thesis");
}

#[tokio::test]
async fn what_a_worker_died_before_applying_the_next_one_applies() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    prefer(&ana, &office(), json!({ "timeZone": "UTC" })).await;
    calendar(&ana, &place, json!({})).await;
    task(&ana, &place, "Report", 60, json!({})).await;
    // As a worker leaves it that dies between the two.
    let id = asked(&ana, json!({})).await;
    let first = waiting(&app).await.remove(0);
    work(&app).await;
    let stored: entity::ids::ScheduleId = id.parse().unwrap();
    let body = |tx: Tx| async move {
        let row = schedules::ActiveModel {
            id: Set(stored),
            auto_apply: Set(true),
            ..Default::default()
        };
        tx.update(row).await.map(drop)
    };
    let scope = Scope::Workspace(app.ana.workspace_id);
    app.platform.write(scope, Actor::system(), body).await.unwrap();
    run(&app, first.clone(), CancellationToken::new()).await.unwrap();
    let same = schedule(&ana, &id).await;
    assert_eq!(
        same["status"], "PROPOSED",
        "a message that came twice does nothing"
    );

    let second = job::Model { attempts: 1, ..first };
    run(&app, second, CancellationToken::new()).await.unwrap();
    assert_eq!(schedule(&ana, &id).await["status"], "APPLIED");
}
