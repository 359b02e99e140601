//! Connecting again, failing again and asking again.

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use chrono::{DateTime, TimeDelta, Utc};
use entity::job;
use meridian::kernel::actor::Actor;
use meridian::platform::db::{Scope, Tx};
use sea_orm::{ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, Set};
use serde_json::json;

use crate::support::TestApp;
use crate::support::fake_http::FakeHttp;
use crate::support::radicale::{Radicale, event};
use crate::support::syncs::{ask, connect, connect_caldav, integration, sync, waiting, work};

#[tokio::test]
async fn a_feed_with_another_password_and_name_is_the_same_feed() {
    let server = FakeHttp::start(|_, _| event("x", "One", 1).into_response()).await;
    let app = TestApp::reaching(&[&server.address.to_string()]).await;
    let ana = app.ana();
    let workspace = app.ana.workspace();
    let feed = async |user: &str, name: &str| {
        let url = format!("http://{user}{}/feed.ics", server.address);
        let answer = connect(
            &ana,
            &workspace,
            json!({ "icsFeed": { "url": url, "name": name } }),
        )
        .await;
        answer
            .succeeded("connectIntegration")
            .at("/connectIntegration/integration")
    };
    let first = feed("", "Holidays").await;
    let second = feed("u:p@", "Days off").await;
    assert_eq!(first["id"], second["id"]);
    assert_eq!(second["calendars"][0]["id"], first["calendars"][0]["id"]);
    assert_eq!(second["calendars"][0]["name"], "Days off");
    work(&app).await.unwrap();
    let sent = server
        .asked()
        .last()
        .unwrap()
        .headers
        .contains_key("authorization");
    assert!(sent, "the new password is used");
}

#[tokio::test]
async fn what_fails_again_and_again_is_tried_less_often() {
    let server = Radicale::start(&[("alice", "pw")]).await;
    server.add_calendar("alice", "work");
    server.put("alice", "work", "1.ics", &event("1", "One", 1));
    let app = TestApp::reaching(&[&server.address]).await;
    let ana = app.ana();
    let url = format!("http://{}/", server.address);
    let answer = connect_caldav(&ana, &app.ana.workspace(), &url, ("alice", "pw")).await;
    let id = answer
        .succeeded("connectIntegration")
        .text("/connectIntegration/integration/id");
    work(&app).await.unwrap();
    server.delete_calendar("alice", "work");
    let wait = async || {
        let seen = integration(&ana, &id).await;
        let next: DateTime<Utc> = seen["nextSyncAt"].as_str().unwrap().parse().unwrap();
        let error = seen["lastError"].as_str().unwrap_or_default().to_owned();
        ((next - app.platform.clock.now()).num_minutes(), error)
    };
    for (minutes, sentence) in [
        (15, "this account."),
        (30, "The next automatic try is in 30 minutes."),
        (60, "The next automatic try is in 1 hour."),
        (120, "The next automatic try is in 2 hours."),
    ] {
        sync(&ana, &id).await.unwrap_err();
        let (wait, error) = wait().await;
        assert_eq!(wait, minutes);
        assert!(error.ends_with(sentence), "{error}");
    }
    server.add_calendar("alice", "work");
    sync(&ana, &id).await.unwrap();
    assert_eq!(wait().await, (15, String::new()));
}

#[tokio::test]
async fn asking_for_a_sync_ends_its_wait() {
    let server = FakeHttp::start(|number, _| match number {
        0 => event("x", "One", 1).into_response(),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    })
    .await;
    let app = TestApp::reaching(&[&server.address.to_string()]).await;
    let ana = app.ana();
    let service = json!({ "icsFeed": { "url": server.url("/feed.ics"), "name": "Feed" } });
    let answer = connect(&ana, &app.ana.workspace(), service).await;
    let id = answer
        .succeeded("connectIntegration")
        .text("/connectIntegration/integration/id");
    work(&app).await.unwrap_err();
    let later = app.platform.clock.now() + TimeDelta::hours(1);
    let wait = |tx: Tx| async move {
        let select = tx
            .find::<job::Entity>()
            .filter(job::Column::Kind.eq("sync_integration"));
        let mut row = select.one(tx.conn()).await?.unwrap().into_active_model();
        row.run_at = Set(later);
        tx.update(row).await.map(drop)
    };
    app.platform
        .write(Scope::System, Actor::system(), wait)
        .await
        .unwrap();
    ask(&ana, &id, false).await.succeeded("syncIntegration");
    let jobs = waiting(&app).await;
    assert_eq!(jobs.len(), 1);
    assert!(jobs[0].run_at <= app.platform.clock.now());
}
