//! Pulling calendars: from a real CalDAV server, and from feeds that misbehave.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::TimeDelta;
use entity::{calendar_sync, change_log, external_event_link, notification};
use futures_util::StreamExt as _;
use meridian::features::integrations;
use meridian::kernel::actor::Actor;
use meridian::kernel::jobs::Payload;
use meridian::platform::db::{Scope, Tx};
use meridian::platform::jobs::{JobError, ProgressHandle, RunningJob};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, PaginatorTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::fake_http::FakeHttp;
use crate::support::ics_corpus::{broken_objects, real_looking_objects};
use crate::support::radicale::{Radicale, event};
use crate::support::syncs::{
    ask, connect_caldav, connect_feed, integration, newest_run, sync, titles, waiting, work,
};
use crate::support::{Client, TestApp};

const ALICE: (&str, &str) = ("alice", "wonder land");

/// A server with one calendar, `work`, that holds `count` events.
async fn server(count: usize) -> Radicale {
    let server = Radicale::start(&[ALICE]).await;
    server.add_calendar("alice", "work");
    for index in 0..count {
        put(&server, index, &format!("Event {index}"));
    }
    server
}

fn put(server: &Radicale, index: usize, title: &str) {
    let hour = u32::try_from(index).unwrap();
    server.put(
        "alice",
        "work",
        &format!("{index}.ics"),
        &event(&format!("uid-{index}"), title, hour),
    );
}

/// Connects the account and does the first sync.
async fn mirrored(client: &Client<'_>, server: &Radicale) -> String {
    let url = format!("http://{}/", server.address);
    let workspace = client.app.ana.workspace();
    let answer = connect_caldav(client, &workspace, &url, ALICE).await;
    let id = answer
        .succeeded("connectIntegration")
        .text("/connectIntegration/integration/id");
    work(client.app).await.unwrap();
    id
}

async fn notifications(app: &TestApp) -> Vec<String> {
    let read = app.platform.db.read(Scope::System).await.unwrap();
    let rows = read
        .find_global::<notification::Entity>()
        .all(&read)
        .await
        .unwrap();
    let mut rows: Vec<_> = rows.into_iter().map(|row| (row.id.0, row.title)).collect();
    rows.sort();
    rows.into_iter().map(|(_, title)| title).collect()
}

async fn changes(app: &TestApp, kind: &str) -> u64 {
    let read = app.platform.db.read(Scope::System).await.unwrap();
    let select = read
        .find::<change_log::Entity>()
        .filter(change_log::Column::ObjectType.eq(kind));
    select.count(&read).await.unwrap()
}

fn counts(run: &Value) -> [i64; 4] {
    ["createdCount", "updatedCount", "deletedCount", "problemCount"].map(|name| run[name].as_i64().unwrap())
}

/// The size of the large calendar: `MERIDIAN_TEST_SYNC_EVENTS` measures others.
fn large() -> usize {
    let size = std::env::var("MERIDIAN_TEST_SYNC_EVENTS").ok();
    size.map_or(2_000, |size| size.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_calendar_is_pulled_and_watched_to_the_end() {
    let server = Radicale::start(&[ALICE]).await;
    server.add_calendar("alice", "work");
    let sound = real_looking_objects(large());
    for (name, text) in &sound {
        server.put("alice", "work", name, text);
    }
    server.add_calendar("alice", "awkward");
    let mut awkward = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/ics")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // The files share a UID; in one calendar each object needs its own.
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("UID:1", &format!("UID:{name}"));
        server.put("alice", "awkward", &name, &text);
        awkward += 1;
    }
    let broken: Vec<_> = broken_objects()
        .into_iter()
        .filter(|broken| broken.is_storable)
        .collect();
    for object in &broken {
        server.put("alice", "awkward", &format!("{}.ics", object.name), &object.text);
    }

    let app = TestApp::reaching(&[&server.address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let url = format!("http://{}/", server.address);
    let answer = connect_caldav(&ana, &workspace, &url, ALICE).await;
    let id = answer
        .succeeded("connectIntegration")
        .text("/connectIntegration/integration/id");

    let watched = "subscription ($id: ID!) { syncProgress(integrationId: $id) {
        percent processedCount calendar { name } run { id status createdCount problemCount finishedAt } } }";
    let mut progress = ana.subscribe(watched, json!({ "id": id }));
    let first = progress.next().await.unwrap();
    assert_eq!(first.at("/syncProgress/run/status"), "QUEUED");
    let watching = tokio::spawn(async move {
        let mut seen = vec![];
        while let Some(answer) = progress.next().await {
            let step = answer.at("/syncProgress");
            let is_over = step["run"]["finishedAt"].is_string();
            seen.push(step);
            if is_over {
                break;
            }
        }
        seen
    });
    let began = Instant::now();
    work(&app).await.unwrap();
    let took = began.elapsed();
    let seen = watching.await.unwrap();

    let run = newest_run(&ana, &id).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run:#}");
    assert_eq!(run["pushedCount"], 0);
    let [created, updated, deleted, problems] = counts(&run);
    println!(
        "full sync of {created} objects: {took:?}, {} steps seen",
        seen.len()
    );
    assert!(created as usize >= sound.len() + awkward, "{run:#}");
    assert_eq!((updated, deleted), (0, 0));
    let noted: HashSet<&str> = run["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| {
            assert_eq!(problem["calendar"]["name"], "awkward of alice");
            problem["object"].as_str().unwrap()
        })
        .collect();
    assert!(problems > 0 && !noted.is_empty());
    let all = titles(&ana, &workspace).await;
    assert!(all.len() >= created as usize);

    // Watchers saw it count up to the end, at a bounded pace.
    let percents: Vec<i64> = seen.iter().filter_map(|step| step["percent"].as_i64()).collect();
    assert!(percents.is_sorted(), "{percents:?}");
    assert_eq!(percents.last(), Some(&100));
    assert!(seen.iter().any(|step| step["calendar"]["name"].is_string()));
    assert!(
        seen.len() as f64 <= 12.0 + took.as_secs_f64() * 11.0,
        "{} steps in {took:?}",
        seen.len()
    );

    // The next sync has nothing to do and says so quickly.
    let before = changes(&app, "CalendarEvent").await;
    let began = Instant::now();
    sync(&ana, &id).await.unwrap();
    println!("empty delta: {:?}", began.elapsed());
    assert_eq!(counts(&newest_run(&ana, &id).await)[..3], [0, 0, 0]);
    assert_eq!(changes(&app, "CalendarEvent").await, before);
}

#[tokio::test]
async fn changes_at_the_server_arrive_and_nothing_else_is_touched() {
    let server = server(20).await;
    let app = TestApp::reaching(&[&server.address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let id = mirrored(&ana, &server).await;
    assert_eq!(counts(&newest_run(&ana, &id).await), [20, 0, 0, 0]);
    assert_eq!(notifications(&app).await, ["alice is connected"]);

    put(&server, 3, "Moved to the garden");
    put(&server, 20, "New");
    server.delete("alice", "work", "7.ics");
    let before = changes(&app, "CalendarEvent").await;
    sync(&ana, &id).await.unwrap();
    assert_eq!(counts(&newest_run(&ana, &id).await), [1, 1, 1, 0]);
    assert_eq!(changes(&app, "CalendarEvent").await, before + 3);
    let all = titles(&ana, &workspace).await;
    assert_eq!(all.len(), 20);
    assert!(all.contains(&"Moved to the garden".to_owned()) && !all.contains(&"Event 7".to_owned()));

    // Written again with another etag but the same content.
    server.put(
        "alice",
        "work",
        "5.ics",
        &(event("uid-5", "Event 5", 5).replace("20260101T000000Z", "20260102T000000Z")),
    );
    sync(&ana, &id).await.unwrap();
    assert_eq!(counts(&newest_run(&ana, &id).await), [0, 0, 0, 0]);
    assert_eq!(changes(&app, "CalendarEvent").await, before + 3);
    assert_eq!(notifications(&app).await.len(), 1, "an ordinary sync is no news");
}

#[tokio::test]
async fn a_lost_token_ends_in_a_comparison_and_not_in_a_wipe() {
    let server = server(30).await;
    let app = TestApp::reaching(&[&server.address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let id = mirrored(&ana, &server).await;
    put(&server, 2, "Changed meanwhile");
    server.delete("alice", "work", "4.ics");
    server.forget_tokens("alice", "work");
    sync(&ana, &id).await.unwrap();
    assert_eq!(counts(&newest_run(&ana, &id).await), [0, 1, 1, 0]);
    assert_eq!(titles(&ana, &workspace).await.len(), 29);
}

#[tokio::test]
async fn fetching_everything_again_changes_nothing_that_is_equal() {
    let server = server(15).await;
    let app = TestApp::reaching(&[&server.address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let id = mirrored(&ana, &server).await;
    server.add_calendar("alice", "new");
    server.put("alice", "new", "n.ics", &event("n", "In a new calendar", 1));
    let before = changes(&app, "CalendarEvent").await;
    ask(&ana, &id, true).await.succeeded("syncIntegration");
    work(&app).await.unwrap();
    assert_eq!(counts(&newest_run(&ana, &id).await), [1, 0, 0, 0]);
    assert_eq!(changes(&app, "CalendarEvent").await, before + 1);
    assert!(
        titles(&ana, &workspace)
            .await
            .contains(&"In a new calendar".to_owned())
    );
}

#[tokio::test]
async fn a_calendar_that_is_gone_keeps_its_events_and_the_others_go_on() {
    let server = server(12).await;
    server.add_calendar("alice", "other");
    let app = TestApp::reaching(&[&server.address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let id = mirrored(&ana, &server).await;
    server.delete_calendar("alice", "work");
    server.put("alice", "other", "o.ics", &event("o", "Other", 1));
    let error = sync(&ana, &id).await.unwrap_err();
    assert!(matches!(error, JobError::Fatal(_)), "{error:?}");
    let seen = integration(&ana, &id).await;
    assert_eq!(seen["status"], "ERROR");
    assert!(
        seen["lastError"].as_str().unwrap().contains("work of alice"),
        "{seen:#}"
    );
    assert!(seen["nextSyncAt"].is_string(), "it is tried again");
    assert_eq!(seen["recentSyncs"][0]["status"], "DEAD");
    assert_eq!(titles(&ana, &workspace).await.len(), 13);
    assert_eq!(
        notifications(&app).await,
        ["alice is connected", "The sync of alice failed"]
    );
    // The same trouble again is no news.
    sync(&ana, &id).await.unwrap_err();
    assert_eq!(notifications(&app).await.len(), 2);
}

#[tokio::test]
async fn a_password_that_no_longer_works_waits_for_its_owner() {
    let server = server(3).await;
    let app = TestApp::reaching(&[&server.address]).await;
    let ana = app.ana();
    let id = mirrored(&ana, &server).await;
    server.set_users(&[("alice", "changed")]);
    let error = sync(&ana, &id).await.unwrap_err();
    assert!(matches!(error, JobError::Fatal(_)), "{error:?}");
    let seen = integration(&ana, &id).await;
    assert_eq!(
        (&seen["status"], &seen["nextSyncAt"]),
        (&json!("NEEDS_REAUTH"), &Value::Null)
    );
    sync(&ana, &id).await.unwrap_err();
    assert_eq!(
        notifications(&app).await,
        ["alice is connected", "alice needs a new password"]
    );

    let told = "{ viewer { notifications(first: 1) { nodes { type subject { __typename ... on Integration { id } } } } } }";
    let told = ana.gql(told, json!({})).await.at("/viewer/notifications/nodes/0");
    let subject = json!({ "__typename": "Integration", "id": id });
    assert_eq!(told, json!({ "type": "INTEGRATION_PROBLEM", "subject": subject }));

    let url = format!("http://{}/", server.address);
    let again = connect_caldav(&ana, &app.ana.workspace(), &url, ("alice", "changed")).await;
    assert_eq!(
        again
            .succeeded("connectIntegration")
            .text("/connectIntegration/integration/status"),
        "ACTIVE"
    );
    put(&server, 1, "After the new password");
    work(&app).await.unwrap();
    assert_eq!(counts(&newest_run(&ana, &id).await), [0, 1, 0, 0]);
}

async fn decide(client: &Client<'_>, id: &str, accept: bool) -> crate::support::Answer {
    let document =
        "mutation ($id: ID!, $accept: Boolean!) { confirmSync(integrationId: $id, accept: $accept) {
        integration { status lastError } userErrors { code field } } }";
    client.gql(document, json!({ "id": id, "accept": accept })).await
}

#[tokio::test]
async fn deletions_of_most_of_a_calendar_wait_until_they_are_accepted() {
    let server = server(30).await;
    let app = TestApp::reaching(&[&server.address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let id = mirrored(&ana, &server).await;
    assert_eq!(
        decide(&ana, &id, true).await.user_error("confirmSync"),
        "INVALID_STATE integrationId"
    );
    for index in 0..16 {
        server.delete("alice", "work", &format!("{index}.ics"));
    }
    put(&server, 20, "Changed in the same round");
    sync(&ana, &id).await.unwrap();
    let held = integration(&ana, &id).await;
    assert_eq!(
        (&held["status"], &held["nextSyncAt"]),
        (&json!("HELD"), &Value::Null)
    );
    assert_eq!(
        held["lastError"],
        "16 of 30 events of “work of alice” would be deleted."
    );
    assert_eq!(counts(&held["recentSyncs"][0]), [0, 1, 0, 0]);
    assert_eq!(titles(&ana, &workspace).await.len(), 30, "nothing was deleted");
    assert_eq!(
        notifications(&app).await[1],
        "The sync of alice waits for your decision"
    );
    assert_eq!(
        ask(&ana, &id, false).await.user_error("syncIntegration"),
        "INVALID_STATE id"
    );

    let decided = decide(&ana, &id, true).await.succeeded("confirmSync");
    assert_eq!(
        decided.at("/confirmSync/integration"),
        json!({ "status": "ACTIVE", "lastError": null })
    );
    assert_eq!(
        decide(&ana, &id, true).await.user_error("confirmSync"),
        "INVALID_STATE integrationId"
    );
    work(&app).await.unwrap();
    assert_eq!(counts(&newest_run(&ana, &id).await), [0, 0, 16, 0]);
    assert_eq!(titles(&ana, &workspace).await.len(), 14);
    assert_eq!(integration(&ana, &id).await["status"], "ACTIVE");
}

#[tokio::test]
async fn deletions_that_are_refused_keep_the_events_and_ask_the_server_again() {
    let server = server(30).await;
    let app = TestApp::reaching(&[&server.address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let id = mirrored(&ana, &server).await;
    for index in 0..30 {
        server.delete("alice", "work", &format!("{index}.ics"));
    }
    sync(&ana, &id).await.unwrap();
    assert_eq!(integration(&ana, &id).await["status"], "HELD");
    // A server that is still wrong is held again.
    decide(&ana, &id, false).await.succeeded("confirmSync");
    work(&app).await.unwrap();
    assert_eq!(integration(&ana, &id).await["status"], "HELD");
    assert_eq!(titles(&ana, &workspace).await.len(), 30);
    // One that has found its events is believed.
    for index in 0..29 {
        put(&server, index, &format!("Event {index}"));
    }
    decide(&ana, &id, false).await.succeeded("confirmSync");
    work(&app).await.unwrap();
    assert_eq!(integration(&ana, &id).await["status"], "ACTIVE");
    assert_eq!(counts(&newest_run(&ana, &id).await), [0, 0, 1, 0]);
    assert_eq!(titles(&ana, &workspace).await.len(), 29);
}

/// A feed that answers what the test says at the moment.
async fn feed(answer: &Arc<Mutex<(StatusCode, String)>>) -> FakeHttp {
    let answer = answer.clone();
    FakeHttp::start(move |_, asked| -> Response {
        let (status, body) = answer.lock().unwrap().clone();
        let tag = format!("\"{}-{}\"", status.as_u16(), body.len());
        if asked
            .headers
            .get("if-none-match")
            .is_some_and(|held| *held == tag)
        {
            return StatusCode::NOT_MODIFIED.into_response();
        }
        let retry = [("retry-after", "120"), ("etag", tag.as_str())];
        (status, retry, body).into_response()
    })
    .await
}

fn events(uids: impl IntoIterator<Item = String>) -> String {
    let events: String = uids
        .into_iter()
        .map(|uid| format!("BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260310T090000Z\r\nDURATION:PT1H\r\nSUMMARY:{uid}\r\nEND:VEVENT\r\n"))
        .collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Feeds//EN\r\n{events}END:VCALENDAR\r\n")
}

fn names(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    range.map(|index| format!("day-{index}"))
}

#[tokio::test]
async fn a_feed_is_followed_through_good_and_bad_days() {
    let answer = Arc::new(Mutex::new((StatusCode::OK, events(names(0..250)))));
    let server = feed(&answer).await;
    let address = server.address.to_string();
    let app = TestApp::reaching(&[&address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let connected = connect_feed(&ana, &workspace, &server.url("/feed.ics")).await;
    let id = connected
        .succeeded("connectIntegration")
        .text("/connectIntegration/integration/id");
    let say =
        |status: u16, body: String| *answer.lock().unwrap() = (StatusCode::from_u16(status).unwrap(), body);
    work(&app).await.unwrap();
    assert_eq!(counts(&newest_run(&ana, &id).await), [250, 0, 0, 0]);

    // Nothing new: a conditional request and no more.
    sync(&ana, &id).await.unwrap();
    assert_eq!(counts(&newest_run(&ana, &id).await), [0, 0, 0, 0]);

    // One gone, one changed, one new, one that cannot be read.
    let text = events(names(1..252)).replace("SUMMARY:day-9\r\n", "SUMMARY:Changed\r\n");
    let text = text.replace(
        "UID:day-251\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260310T090000Z",
        "UID:day-251\r\nDTSTART:never",
    );
    say(200, text);
    sync(&ana, &id).await.unwrap();
    let run = newest_run(&ana, &id).await;
    assert_eq!(counts(&run), [1, 1, 1, 1], "{run:#}");
    assert_eq!(run["problems"][0]["object"], "day-251");
    assert!(run["problems"][0]["line"].is_number());
    assert_eq!(
        notifications(&app).await.last().unwrap(),
        "Not everything of 127.0.0.1 could be read"
    );

    // A web page, and then a server in trouble, delete nothing.
    say(200, "<!doctype html><p>Maintenance".into());
    assert!(matches!(sync(&ana, &id).await, Err(JobError::Fatal(_))));
    assert_eq!(integration(&ana, &id).await["status"], "ERROR");
    say(200, events(names(0..3)).replace("END:VCALENDAR", ""));
    sync(&ana, &id).await.unwrap_err();
    say(429, String::new());
    let error = sync(&ana, &id).await.unwrap_err();
    let at = app.platform.clock.now() + TimeDelta::seconds(120);
    assert!(
        matches!(error, JobError::RetryAt(_, when) if when == at),
        "{error:?}"
    );
    assert_eq!(newest_run(&ana, &id).await["status"], "RETRYING");
    assert_eq!(titles(&ana, &workspace).await.len(), 250);

    // The same run goes on when the server is back, and an emptied feed asks first.
    let runs = integration(&ana, &id).await["recentSyncs"]
        .as_array()
        .unwrap()
        .len();
    say(200, events(names(1..4)));
    work(&app).await.unwrap();
    let seen = integration(&ana, &id).await;
    assert_eq!(seen["status"], "HELD");
    assert_eq!(seen["recentSyncs"].as_array().unwrap().len(), runs);
    assert_eq!(titles(&ana, &workspace).await.len(), 250);
    decide(&ana, &id, true).await.succeeded("confirmSync");
    work(&app).await.unwrap();
    assert_eq!(titles(&ana, &workspace).await.len(), 3);
}

#[tokio::test]
async fn an_object_with_several_events_is_followed_event_by_event() {
    let server = server(1).await;
    let (upstream, extras) = (server.address.clone(), Arc::new(Mutex::new(vec!["a", "b"])));
    let more = extras.clone();
    // Radicale keeps to one event for each address; other servers do not.
    let proxy = FakeHttp::start(move |_, asked| {
        let more: String = more
            .lock()
            .unwrap()
            .iter()
            .map(|uid| events([(*uid).to_owned()]))
            .map(|text| {
                text[text.find("BEGIN:VEVENT").unwrap()..text.find("END:VCALENDAR").unwrap()].to_owned()
            })
            .collect();
        forward(&upstream, asked, |body| {
            body.replace("END:VCALENDAR", &format!("{more}END:VCALENDAR"))
        })
    })
    .await;
    let address = proxy.address.to_string();
    let app = TestApp::reaching(&[&address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let connected = connect_caldav(&ana, &workspace, &proxy.url("/"), ALICE).await;
    let id = connected
        .succeeded("connectIntegration")
        .text("/connectIntegration/integration/id");
    let all = async || -> HashSet<String> { titles(&ana, &workspace).await.into_iter().collect() };
    work(&app).await.unwrap();
    assert_eq!(
        all().await,
        HashSet::from(["Event 0", "a", "b"].map(str::to_owned))
    );
    for (title, extra) in [
        ("Again", vec!["b", "c"]),
        ("Alone", vec![]),
        ("Not alone", vec!["d"]),
    ] {
        let mut expected: HashSet<String> = extra.iter().map(|uid| (*uid).to_owned()).collect();
        expected.insert(title.to_owned());
        *extras.lock().unwrap() = extra;
        put(&server, 0, title);
        sync(&ana, &id).await.unwrap();
        assert_eq!(all().await, expected);
    }
}

#[tokio::test]
async fn a_calendar_is_synced_by_one_run_at_a_time() {
    let server = server(2).await;
    let app = TestApp::reaching(&[&server.address]).await;
    let ana = app.ana();
    let id = mirrored(&ana, &server).await;
    let until = app.platform.clock.now() + TimeDelta::seconds(20);
    let body = |tx: Tx| async move {
        tx.update_many::<calendar_sync::Entity>()
            .col_expr(calendar_sync::Column::LeaseOwner, Expr::value("another"))
            .col_expr(calendar_sync::Column::LeaseUntil, Expr::value(until))
            .exec(tx.conn())
            .await?;
        Ok(())
    };
    app.platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
    let error = sync(&ana, &id).await.unwrap_err();
    assert!(matches!(error, JobError::RetryAt(..)), "{error:?}");
    app.advance(TimeDelta::seconds(30));
    work(&app).await.unwrap();
    assert_eq!(newest_run(&ana, &id).await["status"], "SUCCEEDED");
}

#[tokio::test]
async fn a_run_that_broke_off_goes_on_where_it_stopped() {
    let answers = Arc::new(AtomicUsize::new(0));
    let server = server(250).await;
    let upstream = server.address.clone();
    let counted = answers.clone();
    // Stands between, and fails from the third request for contents on.
    let proxy = FakeHttp::start(move |_, asked| {
        let is_fetch = asked.body.contains("calendar-multiget");
        if is_fetch && counted.fetch_add(1, Ordering::SeqCst) == 2 {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        forward(&upstream, asked, |body| body)
    })
    .await;
    let address = proxy.address.to_string();
    let app = TestApp::reaching(&[&address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let connected = connect_caldav(&ana, &workspace, &proxy.url("/"), ALICE).await;
    let id = connected
        .succeeded("connectIntegration")
        .text("/connectIntegration/integration/id");
    let error = work(&app).await.unwrap_err();
    assert!(matches!(error, JobError::Retry(_)), "{error:?}");
    assert_eq!(titles(&ana, &workspace).await.len(), 200, "what came is kept");
    let read = app.platform.db.read(Scope::System).await.unwrap();
    let state = read
        .find::<calendar_sync::Entity>()
        .one(&read)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (state.sync_token, state.lease_owner),
        (None, None),
        "no token before its pages"
    );
    drop(read);
    work(&app).await.unwrap();
    assert_eq!(answers.load(Ordering::SeqCst), 4, "only the rest was fetched");
    assert_eq!(counts(&newest_run(&ana, &id).await)[0], 250);
    let read = app.platform.db.read(Scope::System).await.unwrap();
    assert_eq!(
        read.find::<external_event_link::Entity>()
            .count(&read)
            .await
            .unwrap(),
        250
    );
}

/// Passes a request on to the server and its answer, edited, back.
fn forward(
    upstream: &str,
    asked: &crate::support::fake_http::Asked,
    edit: impl Fn(String) -> String,
) -> Response {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(upstream).unwrap();
    let mut head = format!(
        "{} {} HTTP/1.0\r\nHost: {upstream}\r\nContent-Length: {}\r\n",
        asked.method,
        asked.path,
        asked.body.len()
    );
    for name in ["authorization", "content-type", "depth"] {
        if let Some(value) = asked.headers.get(name) {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
    }
    stream
        .write_all(format!("{head}\r\n{}", asked.body).as_bytes())
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let split = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&answer[..split]).into_owned();
    let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut response = (
        StatusCode::from_u16(status).unwrap(),
        edit(String::from_utf8_lossy(&answer[split + 4..]).into_owned()),
    )
        .into_response();
    for line in head.lines().skip(1) {
        if let Some((name, value)) = line.split_once(": ")
            && ["content-type", "location", "dav", "www-authenticate"]
                .contains(&name.to_ascii_lowercase().as_str())
        {
            let name = axum::http::HeaderName::try_from(name).unwrap();
            response.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    response
}

#[tokio::test]
async fn the_clock_starts_what_is_due_and_nothing_else() {
    let server = server(1).await;
    let app = TestApp::reaching(&[&server.address]).await;
    let ana = app.ana();
    let id = mirrored(&ana, &server).await;
    let tick = || async {
        let job = RunningJob {
            id: app.platform.ids.next(),
            attempt: 1,
            payload: Payload::StartDueSyncs,
            workspace_id: None,
            created_by: None,
            cancel: CancellationToken::new(),
            progress: ProgressHandle::channel().0,
        };
        integrations::start_due(&app.platform, &job).await.unwrap();
        waiting(&app).await.len()
    };
    assert_eq!(tick().await, 0);
    app.advance(TimeDelta::minutes(15));
    assert_eq!(tick().await, 1);
    assert_eq!(tick().await, 1, "once");
    assert_eq!(newest_run(&ana, &id).await["status"], "QUEUED");
    work(&app).await.unwrap();
    let pause = "mutation ($id: ID!) { updateIntegration(id: $id, input: { isPaused: true }) { userErrors { code } } }";
    ana.gql(pause, json!({ "id": id }))
        .await
        .succeeded("updateIntegration");
    app.advance(TimeDelta::hours(5));
    assert_eq!(tick().await, 0);
}

#[tokio::test]
async fn an_integration_that_is_disconnected_meanwhile_leaves_its_job_with_nothing_to_do() {
    let server = server(1).await;
    let app = TestApp::reaching(&[&server.address]).await;
    let ana = app.ana();
    let id = mirrored(&ana, &server).await;
    ask(&ana, &id, false).await.succeeded("syncIntegration");
    let gone = "mutation ($id: ID!) { disconnectIntegration(id: $id) { userErrors { code } } }";
    ana.gql(gone, json!({ "id": id }))
        .await
        .succeeded("disconnectIntegration");
    work(&app).await.unwrap();
    assert!(titles(&ana, &app.ana.workspace()).await.is_empty());
}
