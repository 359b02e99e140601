//! What is deleted when its time is over, and what is not.

use std::collections::BTreeSet;

use axum::response::IntoResponse as _;
use chrono::Duration;
use entity::enums::NotificationType;
use entity::{change_log, notification, schedule_slot, session};
use meridian::features::notifications::{NewNotification, notify_in};
use meridian::features::upkeep;
use meridian::kernel::actor::Actor;
use meridian::platform::db::{Scope, Tx};
use sea_orm::{PaginatorTrait as _, QueryOrder as _};
use serde_json::{Value, json};

use crate::support::fake_http::FakeHttp;
use crate::support::radicale::event;
use crate::support::syncs::{connect_feed, integration};
use crate::support::{Client, TestApp, plans, syncs};

/// Why a table does not grow for ever.
const BOUNDED: [(&str, &[&str]); 6] = [
    (
        "its rows go when their time is over",
        &[
            "audit_logs",
            "change_log",
            "data_transfers",
            "idempotency_records",
            "job_workers",
            "jobs",
            "notifications",
            "processes",
            "schedules",
            "sent_letters",
            "sessions",
            "sync_runs",
            "verification_tokens",
            "withdrawals",
        ],
    ),
    (
        "its rows go with those that they belong to",
        &[
            "attendees",
            "event_overrides",
            "external_event_links",
            "reminders",
            "schedule_slots",
            "task_dependencies",
            "task_labels",
            "transfer_chunks",
            "unscheduled_tasks",
        ],
    ),
    (
        "there is one row for each of something else",
        &[
            "audit_cuts",
            "calendar_settings",
            "calendar_syncs",
            "job_queues",
            "job_ticks",
            "memberships",
            "notification_preferences",
            "task_notices",
            "user_preferences",
            "workspace_counters",
        ],
    ),
    (
        "people make its rows one by one, and keep them as long as they like",
        &[
            "accounts",
            "api_tokens",
            "calendars",
            "focus_sessions",
            "integrations",
            "invitations",
            "tasks",
            "users",
            "workspaces",
        ],
    ),
    ("people and their services make its rows", &["calendar_events"]),
    (
        "nothing writes to it yet",
        &[
            "availability_rules",
            "availability_schedules",
            "booking_page_hosts",
            "booking_pages",
            "booking_slots",
            "bookings",
            "webhook_endpoints",
        ],
    ),
];

#[test]
fn of_every_table_is_known_why_it_does_not_grow_for_ever() {
    let named = BOUNDED.iter().flat_map(|(_, tables)| tables.iter());
    let named: Vec<String> = named.map(|name| (*name).to_owned()).collect();
    let known: BTreeSet<String> = named.iter().cloned().collect();
    assert_eq!(known.len(), named.len(), "a table is named twice");
    let all: BTreeSet<String> = entity::catalog().into_iter().map(|table| table.name).collect();
    assert_eq!(known, all);
}

#[tokio::test]
async fn runs_of_syncs_go_after_a_while() {
    let feed = FakeHttp::start(|_, _| event("a", "From a feed", 1).into_response()).await;
    let app = TestApp::reaching(&[&feed.address.to_string()]).await;
    let ana = app.ana();
    let answer = connect_feed(&ana, &app.ana.workspace(), &feed.url("/feed.ics")).await;
    let id = answer
        .succeeded("connectIntegration")
        .text("/connectIntegration/integration/id");
    syncs::work(&app).await.unwrap();
    app.advance(upkeep::KEEP_RUNS + Duration::seconds(1));
    syncs::sync(&ana, &id).await.unwrap();
    let runs = async || {
        integration(&ana, &id).await["recentSyncs"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(runs().await, 2);
    upkeep::prune(&app.platform).await.unwrap();
    assert_eq!(runs().await, 1);
}

#[tokio::test]
async fn notifications_go_after_a_year() {
    let app = TestApp::start().await;
    let tell = async |title: &str| {
        let new = NewNotification {
            user_id: app.ana.user_id,
            workspace_id: Some(app.ana.workspace_id),
            r#type: NotificationType::TaskAssigned,
            title: title.into(),
            body: None,
            subject: None,
            dedup_key: None,
        };
        let body = |tx: Tx| {
            let new = new.clone();
            async move { notify_in(&tx, new).await }
        };
        let scope = Scope::Workspace(app.ana.workspace_id);
        let told = app.platform.write(scope, Actor::system(), body).await;
        assert!(told.unwrap().is_some());
    };
    tell("old").await;
    app.advance(upkeep::KEEP_NOTIFICATIONS + Duration::seconds(1));
    tell("new").await;
    upkeep::prune(&app.platform).await.unwrap();
    let read = app.platform.db.read(Scope::System).await.unwrap();
    let left = read
        .find_global::<notification::Entity>()
        .all(&read)
        .await
        .unwrap();
    let left: Vec<&str> = left.iter().map(|row| row.title.as_str()).collect();
    assert_eq!(left, ["new"]);
}

#[tokio::test]
async fn old_plans_go_with_their_slots_unless_they_are_in_force() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    plans::prefer(&ana, &plans::office(), json!({})).await;
    let calendar = plans::calendar(&ana, &place, json!({})).await;
    plans::task(&ana, &place, "Report", 60, json!({})).await;
    let id = |plan: &Value| plan["id"].as_str().unwrap().to_owned();
    let proposed = id(&plans::plan(&ana, &place, "2026-03-02", "2026-03-06").await);
    let applied = id(&plans::plan(&ana, &place, "2026-03-02", "2026-03-06").await);
    let which = json!({ "id": applied, "calendarId": calendar });
    plans::command(&ana, "applySchedule", which)
        .await
        .succeeded("applySchedule");
    let slots = async || {
        let read = app.platform.db.read(Scope::System).await.unwrap();
        read.find::<schedule_slot::Entity>().count(&read).await.unwrap()
    };
    app.advance(upkeep::KEEP_OLD_PLANS);
    upkeep::prune(&app.platform).await.unwrap();
    assert_eq!(
        plans::schedule(&ana, &proposed).await["status"],
        "PROPOSED",
        "its days are not over for long enough"
    );
    let before = slots().await;
    app.advance(Duration::days(7));
    upkeep::prune(&app.platform).await.unwrap();
    assert_eq!(plans::schedule(&ana, &proposed).await, Value::Null);
    assert_eq!(plans::schedule(&ana, &applied).await["status"], "APPLIED");
    let after = slots().await;
    assert!(0 < after && after < before, "{before} {after}");
}

#[tokio::test]
async fn old_plans_stay_while_one_in_force_may_give_back_what_it_took() {
    let app = TestApp::start().await;
    let (ana, place) = (app.ana(), app.ana.workspace());
    plans::prefer(&ana, &plans::office(), json!({})).await;
    let calendar = plans::calendar(&ana, &place, json!({})).await;
    plans::task(&ana, &place, "Report", 60, json!({})).await;
    let apply = async |last: &str| {
        let made = plans::plan(&ana, &place, "2026-03-02", last).await;
        let id = made["id"].as_str().unwrap().to_owned();
        let which = json!({ "id": id, "calendarId": calendar });
        plans::command(&ana, "applySchedule", which)
            .await
            .succeeded("applySchedule");
        id
    };
    let week = apply("2026-03-06").await;
    let month = apply("2026-03-29").await;
    assert_eq!(plans::schedule(&ana, &week).await["status"], "SUPERSEDED");
    app.advance(upkeep::KEEP_OLD_PLANS + Duration::days(9));
    upkeep::prune(&app.platform).await.unwrap();
    assert_eq!(plans::schedule(&ana, &week).await["status"], "SUPERSEDED");
    app.advance(Duration::days(20));
    upkeep::prune(&app.platform).await.unwrap();
    assert_eq!(plans::schedule(&ana, &week).await, Value::Null);
    assert_eq!(plans::schedule(&ana, &month).await["status"], "APPLIED");
}

async fn create(client: &Client<'_>, workspace: &str, title: &str) {
    let document =
        "mutation ($input: CreateTaskInput!) { createTask(input: $input) { userErrors { code } } }";
    let input = json!({ "workspaceId": workspace, "title": title });
    client
        .gql(document, json!({ "input": input }))
        .await
        .succeeded("createTask");
}

async fn sequence(app: &TestApp) -> Vec<i64> {
    let read = app
        .platform
        .db
        .read(Scope::Workspace(app.ana.workspace_id))
        .await
        .unwrap();
    let rows = read
        .find::<change_log::Entity>()
        .order_by_asc(change_log::Column::Seq)
        .all(&read)
        .await
        .unwrap();
    rows.iter().map(|row| row.seq).collect()
}

#[tokio::test]
async fn the_change_log_is_cut_from_its_beginning_only() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let cursor = "query ($id: ID!) { workspace(id: $id) { changeCursor } }";
    let changes = "query ($id: ID!, $after: String!) { workspace(id: $id) { changes(after: $after) { nodes { cursor } } } }";
    let newest = async || {
        ana.gql(cursor, json!({ "id": workspace }))
            .await
            .text("/workspace/changeCursor")
    };
    let after = async |cursor: &str| {
        ana.gql(changes, json!({ "id": workspace, "after": cursor }))
            .await
    };

    create(&ana, &workspace, "first").await;
    let old = newest().await;
    create(&ana, &workspace, "second").await;
    app.advance(upkeep::KEEP_CHANGES + Duration::seconds(1));
    let recent = newest().await;
    create(&ana, &workspace, "third").await;
    let before = sequence(&app).await;

    assert!(upkeep::prune(&app.platform).await.unwrap() >= 2);
    assert_eq!(sequence(&app).await, before[before.len() - 1..]);
    assert_eq!(after(&old).await.error_code(), "CURSOR_EXPIRED");
    assert_eq!(
        after(&recent)
            .await
            .at("/workspace/changes/nodes")
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        upkeep::prune(&app.platform).await.unwrap(),
        0,
        "nothing is left to delete"
    );
}

#[tokio::test]
async fn sessions_go_a_while_after_they_have_ended() {
    let app = TestApp::start().await;
    let count = async || {
        let read = app.platform.db.read(Scope::System).await.unwrap();
        read.find_global::<session::Entity>().count(&read).await.unwrap()
    };
    let before = count().await;
    assert!(before > 0);
    app.advance(Duration::days(31));
    upkeep::prune(&app.platform).await.unwrap();
    assert_eq!(
        count().await,
        before,
        "an ended session is kept for those who look into an incident"
    );
    app.advance(Duration::days(31));
    upkeep::prune(&app.platform).await.unwrap();
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn one_use_secrets_go_a_day_after_their_end() {
    use entity::enums::VerificationPurpose;
    use meridian::access::one_use::{self, NewOneUse};
    let app = TestApp::start().await;
    let secret = |life| NewOneUse {
        purpose: VerificationPurpose::SignInLink,
        user_id: None,
        email: None,
        secret: format!("secret for {life}"),
        payload: None,
        life,
    };
    one_use::store(&app.platform, secret(Duration::minutes(15)))
        .await
        .unwrap();
    one_use::store(&app.platform, secret(Duration::hours(12)))
        .await
        .unwrap();
    app.advance(Duration::minutes(16) + Duration::days(1));
    assert_eq!(upkeep::prune(&app.platform).await.unwrap(), 1);
}
