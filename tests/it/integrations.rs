//! Connecting, choosing, pausing and disconnecting calendar services through the API.

use axum::response::IntoResponse as _;
use entity::enums::WorkspaceRole;
use entity::integration;
use meridian::platform::db::Scope;
use serde_json::{Value, json};

use crate::support::fake_http::FakeHttp;
use crate::support::radicale::{Radicale, event};
use crate::support::syncs::{self, connect, connect_caldav, connect_feed};
use crate::support::{Client, TestApp, join};

const ALICE: (&str, &str) = ("alice", "wonder land");

async fn server() -> Radicale {
    let server = Radicale::start(&[ALICE]).await;
    server.add_calendar("alice", "work");
    server.add_calendar("alice", "private");
    server.put("alice", "work", "a.ics", &event("a", "Stand-up", 1));
    server.put("alice", "private", "b.ics", &event("b", "Dentist", 2));
    server
}

fn url(server: &Radicale) -> String {
    format!("http://{}/", server.address)
}

async fn connected(client: &Client<'_>, workspace: &str, server: &Radicale) -> Value {
    let answer = connect_caldav(client, workspace, &url(server), ALICE).await;
    answer
        .succeeded("connectIntegration")
        .at("/connectIntegration/integration")
}

async fn update(client: &Client<'_>, id: &Value, input: Value) -> crate::support::Answer {
    let document =
        "mutation ($id: ID!, $input: UpdateIntegrationInput!) { updateIntegration(id: $id, input: $input) {
        integration { id status nextSyncAt calendars { name } } userErrors { code field message } } }";
    client.gql(document, json!({ "id": id, "input": input })).await
}

async fn calendar_names(client: &Client<'_>, workspace: &str) -> Vec<String> {
    let document = "query ($id: ID!) { workspace(id: $id) { calendars { name isReadOnly } } }";
    let answer = client.gql(document, json!({ "id": workspace })).await;
    let rows = answer.at("/workspace/calendars");
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| format!("{} {}", row["name"].as_str().unwrap(), row["isReadOnly"]))
        .collect()
}

async fn stored(app: &TestApp) -> Vec<integration::Model> {
    let read = app.platform.db.read(Scope::System).await.unwrap();
    read.find::<integration::Entity>().all(&read).await.unwrap()
}

#[tokio::test]
async fn an_account_is_connected_with_its_calendars_and_a_first_sync() {
    let server = server().await;
    let app = TestApp::reaching(&[&server.address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let found = connected(&ana, &workspace, &server).await;
    assert_eq!(found["provider"], "CALDAV");
    assert_eq!(found["accountLabel"], "alice");
    assert_eq!(found["status"], "ACTIVE");
    assert_eq!(found["owner"]["name"], "Ana");
    assert_eq!(found["nextSyncAt"], "2026-03-02T09:15:00Z");
    assert_eq!(found["lastSyncedAt"], Value::Null);
    let names: Vec<&str> = found["calendars"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            assert_eq!(row["isReadOnly"], true);
            assert_eq!(row["color"], "#33aa66");
            assert_eq!(row["timeZone"], "Europe/Berlin");
            assert_eq!(row["integration"]["id"], found["id"]);
            row["name"].as_str().unwrap()
        })
        .collect();
    assert_eq!(names, ["private of alice", "work of alice"]);

    let run = syncs::newest_run(&ana, found["id"].as_str().unwrap()).await;
    assert_eq!(run["status"], "QUEUED");
    let waiting = syncs::waiting(&app).await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].created_by, Some(app.ana.user_id));
    assert!(!waiting[0].payload.to_string().contains("wonder"));

    let row = stored(&app).await.remove(0);
    assert!(!row.settings.to_string().contains("alice"));
    let sealed = row.sealed_credentials.unwrap();
    assert!(!sealed.windows(6).any(|window| window == b"wonder"));

    let node = "query ($id: ID!) { node(id: $id) { __typename id } }";
    let node = ana.gql(node, json!({ "id": found["id"] })).await;
    assert_eq!(node.at("/node/__typename"), "Integration");
    let listed =
        "query ($id: ID!) { workspace(id: $id) { integrations { id } changes: integrations { status } } }";
    let listed = ana.gql(listed, json!({ "id": workspace })).await;
    assert_eq!(listed.at("/workspace/integrations/0/id"), found["id"]);
}

#[tokio::test]
async fn what_the_service_refuses_is_blamed_on_its_field_and_stores_nothing() {
    let server = server().await;
    let page = FakeHttp::start(|_, _| "<!doctype html><title>Sign in</title>".into_response()).await;
    let page_address = page.address.to_string();
    let dead = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let app = TestApp::reaching(&[&server.address, &page_address, &dead]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let caldav = |url: &str, user: &str, password: &str| json!({ "caldav": { "serverUrl": url, "username": user, "password": password } });
    let feed = |url: &str, name: &str, minutes: i32| json!({ "icsFeed": { "url": url, "name": name, "refreshMinutes": minutes } });
    let cases = [
        (
            caldav(&url(&server), "alice", "wrong"),
            "PROVIDER_ERROR input.service.caldav.password",
        ),
        (
            caldav(&format!("http://{dead}/"), "alice", "x"),
            "PROVIDER_ERROR input.service.caldav.serverUrl",
        ),
        (
            caldav(&page.url("/"), "alice", "x"),
            "PROVIDER_ERROR input.service.caldav.serverUrl",
        ),
        (
            caldav("http://127.0.0.1:9/", "alice", "x"),
            "INVALID input.service.caldav.serverUrl",
        ),
        (
            caldav("https://10.0.0.1/", "alice", "x"),
            "INVALID input.service.caldav.serverUrl",
        ),
        (
            caldav(&url(&server), " ", "x"),
            "REQUIRED input.service.caldav.username",
        ),
        (
            caldav(&url(&server), "alice", ""),
            "REQUIRED input.service.caldav.password",
        ),
        (
            caldav(&url(&server), "alice", &"x".repeat(501)),
            "TOO_LONG input.service.caldav.password",
        ),
        (
            feed(&page.url("/feed.ics"), "Feed", 60),
            "PROVIDER_ERROR input.service.icsFeed.url",
        ),
        (
            feed(&format!("http://{dead}/x.ics"), "Feed", 60),
            "PROVIDER_ERROR input.service.icsFeed.url",
        ),
        (
            feed("http://169.254.169.254/latest", "Feed", 60),
            "INVALID input.service.icsFeed.url",
        ),
        (
            feed(&page.url("/feed.ics"), "", 60),
            "REQUIRED input.service.icsFeed.name",
        ),
        (
            feed(&page.url("/feed.ics"), "Feed", 4),
            "OUT_OF_RANGE input.service.icsFeed.refreshMinutes",
        ),
    ];
    for (service, expected) in cases {
        let answer = connect(&ana, &workspace, service.clone()).await;
        assert_eq!(answer.user_error("connectIntegration"), expected, "{service}");
        assert_eq!(answer.at("/connectIntegration/integration"), Value::Null);
        assert!(!answer.0.to_string().contains("wrong"));
    }
    let both = json!({ "caldav": { "serverUrl": url(&server), "username": "a", "password": "b" }, "icsFeed": { "url": url(&server), "name": "x" } });
    for service in [
        both,
        json!({}),
        json!({ "icsFeed": { "url": "not a url", "name": "x" } }),
    ] {
        let answer = connect(&ana, &workspace, service.clone()).await;
        assert!(answer.0["errors"][0]["message"].is_string(), "{service}");
    }
    assert!(stored(&app).await.is_empty() && syncs::waiting(&app).await.is_empty());
}

#[tokio::test]
async fn only_administrators_connect_and_all_members_see() {
    let server = server().await;
    let app = TestApp::reaching(&[&server.address]).await;
    let workspace = app.ana.workspace();
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    let refused = connect_caldav(&app.ben(), &workspace, &url(&server), ALICE).await;
    assert_eq!(refused.error_code(), "FORBIDDEN");
    let found = connected(&app.ana(), &workspace, &server).await;
    let id = found["id"].as_str().unwrap();
    assert_eq!(syncs::integration(&app.ben(), id).await["status"], "ACTIVE");
    assert_eq!(
        update(&app.ben(), &found["id"], json!({ "isPaused": true }))
            .await
            .error_code(),
        "FORBIDDEN"
    );
    assert_eq!(syncs::ask(&app.ben(), id, false).await.error_code(), "FORBIDDEN");
    let guest = connect_caldav(&app.guest(), &workspace, &url(&server), ALICE).await;
    assert_eq!(guest.error_code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn strangers_find_nothing() {
    let server = server().await;
    let app = TestApp::reaching(&[&server.address]).await;
    let found = connected(&app.ana(), &app.ana.workspace(), &server).await;
    let ben = app.ben();
    let refused = connect_caldav(&ben, &app.ana.workspace(), &url(&server), ALICE).await;
    assert_eq!(
        refused.user_error("connectIntegration"),
        "REFERENCE_NOT_FOUND input.workspaceId"
    );
    for id in [
        found["id"].clone(),
        json!("integration_01jdb2k9x4e5vb4pex5vsknk08"),
        json!("x"),
    ] {
        let id_text = id.as_str().unwrap();
        let seen = "query ($id: ID!) { integration(id: $id) { id } node(id: $id) { id } }";
        let seen = ben.gql(seen, json!({ "id": id })).await;
        assert_eq!(
            (seen.at("/integration"), seen.at("/node")),
            (Value::Null, Value::Null)
        );
        assert_eq!(update(&ben, &id, json!({})).await.error_code(), "NOT_FOUND");
        assert_eq!(syncs::ask(&ben, id_text, false).await.error_code(), "NOT_FOUND");
        let gone = "mutation ($id: ID!) { disconnectIntegration(id: $id) { disconnectedIntegrationId } }";
        assert_eq!(ben.gql(gone, json!({ "id": id })).await.error_code(), "NOT_FOUND");
        let confirm =
            "mutation ($id: ID!) { confirmSync(integrationId: $id, accept: true) { integration { id } } }";
        assert_eq!(
            ben.gql(confirm, json!({ "id": id })).await.error_code(),
            "NOT_FOUND"
        );
    }
    assert_eq!(stored(&app).await.len(), 1);
}

#[tokio::test]
async fn connecting_the_same_account_again_renews_its_password() {
    let server = server().await;
    let app = TestApp::reaching(&[&server.address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let first = connected(&ana, &workspace, &server).await;
    let before = stored(&app).await.remove(0);
    server.set_users(&[("alice", "new secret")]);
    server.add_calendar("alice", "garden");
    let again = connect_caldav(&ana, &workspace, &url(&server), ("alice", "new secret")).await;
    let again = again
        .succeeded("connectIntegration")
        .at("/connectIntegration/integration");
    assert_eq!(again["id"], first["id"]);
    assert_eq!(again["calendars"].as_array().unwrap().len(), 3);
    let after = stored(&app).await.remove(0);
    assert_ne!(after.sealed_credentials, before.sealed_credentials);
    assert_eq!(
        syncs::waiting(&app).await.len(),
        1,
        "the sync that waits is not doubled"
    );
    assert!(syncs::work(&app).await.is_ok());
}

#[tokio::test]
async fn pausing_stops_the_clock_and_resuming_starts_a_sync() {
    let server = server().await;
    let app = TestApp::reaching(&[&server.address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let found = connected(&ana, &workspace, &server).await;
    let id = found["id"].as_str().unwrap();
    let paused = update(&ana, &found["id"], json!({ "isPaused": true }))
        .await
        .succeeded("updateIntegration");
    assert_eq!(paused.at("/updateIntegration/integration/status"), "PAUSED");
    assert_eq!(
        paused.at("/updateIntegration/integration/nextSyncAt"),
        Value::Null
    );
    assert_eq!(
        syncs::ask(&ana, id, false).await.user_error("syncIntegration"),
        "INVALID_STATE id"
    );
    // The sync that waited already ends without touching anything.
    assert!(syncs::work(&app).await.is_ok());
    assert_eq!(syncs::newest_run(&ana, id).await["status"], "CANCELLED");
    assert!(syncs::titles(&ana, &workspace).await.is_empty());

    let resumed = update(&ana, &found["id"], json!({ "isPaused": false }))
        .await
        .succeeded("updateIntegration");
    assert_eq!(resumed.at("/updateIntegration/integration/status"), "ACTIVE");
    assert!(syncs::work(&app).await.is_ok());
    assert_eq!(syncs::titles(&ana, &workspace).await, ["Stand-up", "Dentist"]);
}

#[tokio::test]
async fn calendars_are_chosen_and_the_events_of_others_go() {
    let server = server().await;
    let app = TestApp::reaching(&[&server.address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let found = connected(&ana, &workspace, &server).await;
    assert!(syncs::work(&app).await.is_ok());
    let (private, work) = (
        found["calendars"][0]["id"].clone(),
        found["calendars"][1]["id"].clone(),
    );
    let foreign = update(
        &ana,
        &found["id"],
        json!({ "calendarIds": [work, "calendar_01jdb2k9x4e5vb4pex5vsknk08"] }),
    )
    .await;
    assert_eq!(
        foreign.user_error("updateIntegration"),
        "REFERENCE_NOT_FOUND input.calendarIds.1"
    );
    assert_eq!(
        syncs::titles(&ana, &workspace).await.len(),
        2,
        "nothing was changed"
    );

    let chosen = update(&ana, &found["id"], json!({ "calendarIds": [work] }))
        .await
        .succeeded("updateIntegration");
    assert_eq!(
        chosen.at("/updateIntegration/integration/calendars"),
        json!([{ "name": "work of alice" }])
    );
    assert_eq!(syncs::titles(&ana, &workspace).await, ["Stand-up"]);
    assert!(syncs::waiting(&app).await.is_empty());

    let both = update(&ana, &found["id"], json!({ "calendarIds": [private, work] })).await;
    both.succeeded("updateIntegration");
    assert!(syncs::work(&app).await.is_ok());
    assert_eq!(syncs::titles(&ana, &workspace).await, ["Stand-up", "Dentist"]);
}

#[tokio::test]
async fn disconnecting_removes_the_mirror_or_makes_it_local() {
    let server = server().await;
    let app = TestApp::reaching(&[&server.address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let own = calendar_names(&ana, &workspace).await;
    let disconnect =
        "mutation ($id: ID!, $keep: Boolean!) { disconnectIntegration(id: $id, keepEvents: $keep) {
        disconnectedIntegrationId userErrors { code } } }";
    for (keep, expected, left) in [(false, 0, 0), (true, 2, 2)] {
        let found = connected(&ana, &workspace, &server).await;
        assert!(syncs::work(&app).await.is_ok());
        assert_eq!(syncs::titles(&ana, &workspace).await.len(), 2);
        let answer = ana
            .gql(disconnect, json!({ "id": found["id"], "keep": keep }))
            .await;
        let answer = answer.succeeded("disconnectIntegration");
        assert_eq!(
            answer.at("/disconnectIntegration/disconnectedIntegrationId"),
            found["id"]
        );
        assert_eq!(syncs::titles(&ana, &workspace).await.len(), expected);
        let names = calendar_names(&ana, &workspace).await;
        assert_eq!(names.len(), own.len() + left);
        assert!(
            names.iter().all(|name| name.ends_with("false")),
            "local calendars can be edited: {names:?}"
        );
        assert!(stored(&app).await.is_empty(), "the credentials are gone");
    }
}

#[tokio::test]
async fn a_feed_becomes_one_calendar_with_the_name_it_was_given() {
    let feed = FakeHttp::start(|_, _| event("a", "New Year", 0).into_response()).await;
    let address = feed.address.to_string();
    let app = TestApp::reaching(&[&address]).await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let answer = connect_feed(&ana, &workspace, &feed.url("/secret-key/feed.ics")).await;
    let found = answer
        .succeeded("connectIntegration")
        .at("/connectIntegration/integration");
    assert_eq!(found["provider"], "ICS_FEED");
    assert_eq!(
        found["accountLabel"], "127.0.0.1",
        "the path of a feed may be a secret"
    );
    assert_eq!(found["calendars"][0]["name"], "Holidays");
    assert_eq!(found["nextSyncAt"], "2026-03-02T10:00:00Z");
    let row = stored(&app).await.remove(0);
    assert!(row.server_url.is_none() && !row.settings.to_string().contains("secret-key"));
    assert!(syncs::work(&app).await.is_ok());
    assert_eq!(syncs::titles(&ana, &workspace).await, ["New Year"]);
}
