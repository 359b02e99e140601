//! Plans whose job ended without a word: nobody waits for them for ever.

use entity::enums::JobStatus;
use entity::ids::JobId;
use entity::job;
use meridian::kernel::actor::Actor;
use meridian::platform::db::{Scope, Tx};
use sea_orm::Set;
use serde_json::json;

use crate::support::plans::{command, office, prefer, request, schedule, slots, sweep, task, waiting};
use crate::support::{Client, TestApp};

/// A plan that was asked for, and its job.
async fn asked(ana: &Client<'_>) -> (String, String) {
    let place = ana.app.ana.workspace();
    let answer = request(ana, &place, "2026-03-03", "2026-03-04", json!({}))
        .await
        .succeeded("generateSchedule");
    (
        answer.text("/generateSchedule/schedule/id"),
        answer.text("/generateSchedule/job/id"),
    )
}

/// What happens to a job whose worker was killed each time.
async fn die(app: &TestApp, id: JobId) {
    let body = |tx: Tx| async move {
        let row = job::ActiveModel {
            id: Set(id),
            status: Set(JobStatus::Dead),
            finished_at: Set(Some(tx.now())),
            ..Default::default()
        };
        tx.update(row).await.map(drop)
    };
    app.platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_plan_whose_job_was_cancelled_or_died_is_said_to_have_failed_and_can_be_made_again() {
    let app = TestApp::start().await;
    let ana = app.ana();
    prefer(&ana, &office(), json!({ "timeZone": "UTC" })).await;
    task(&ana, &app.ana.workspace(), "Report", 60, json!({})).await;

    let (cancelled, job) = asked(&ana).await;
    let document =
        "mutation ($id: ID!) { cancelJob(id: $id) { job { status } userErrors { code field message } } }";
    ana.gql(document, json!({ "id": job }))
        .await
        .succeeded("cancelJob");
    let (dead, job) = asked(&ana).await;
    die(&app, job.parse().unwrap()).await;
    assert!(waiting(&app).await.is_empty());
    assert_eq!(schedule(&ana, &dead).await["status"], "GENERATING");

    sweep(&app).await;
    for (id, reason) in [(&cancelled, "was cancelled"), (&dead, "did not come to its end")] {
        let failed = schedule(&ana, id).await;
        assert_eq!(failed["status"], "FAILED", "{failed:#}");
        assert!(failed["error"].as_str().unwrap().contains(reason), "{failed:#}");
    }

    // Another job makes it by now, and the old one is not held against it.
    command(&ana, "regenerateSchedule", json!({ "id": dead }))
        .await
        .succeeded("regenerateSchedule");
    sweep(&app).await;
    let made = schedule(&ana, &dead).await;
    assert_eq!(
        (&made["status"], &made["error"]),
        (&json!("PROPOSED"), &json!(null))
    );
    assert_eq!(slots(&made), ["Report 2026-03-03T09:00 60"]);
}
