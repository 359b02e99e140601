//! Presence through the API: who is here, on one replica and on several that share a Redis.

use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use entity::enums::{ApiTokenScope, WorkspaceRole};
use futures_util::{Stream, StreamExt as _};
use meridian::access::Identity;
use meridian::platform::Platform;
use meridian::platform::redis::Redis;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::support::server::Server;
use crate::support::{Answer, Backend, Client, TestApp, join, platform};

const WATCH: &str =
    "subscription ($id: ID!) { presenceChanged(workspaceId: $id) { user { name } status location } }";
const LIST: &str =
    "query ($id: ID!) { workspace(id: $id) { presence { user { name } status location lastSeenAt } } }";
const UPDATE: &str = "mutation ($id: ID!, $status: PresenceStatus!, $location: String) {
    updatePresence(workspaceId: $id, status: $status, location: $location) {
        presence { user { name } status location } userErrors { code field } } }";

async fn both() -> TestApp {
    let app = TestApp::start().await;
    let workspace = app.ana.workspace_id;
    join(&app.platform, &app.ben, workspace, WorkspaceRole::Viewer).await;
    app
}

async fn update(client: &Client<'_>, status: &str, location: Value) -> Answer {
    let id = client.app.ana.workspace();
    let variables = json!({ "id": id, "status": status, "location": location });
    client.gql(UPDATE, variables).await
}

async fn list(client: &Client<'_>) -> Value {
    let answer = client
        .gql(LIST, json!({ "id": client.app.ana.workspace() }))
        .await;
    answer.at("/workspace/presence")
}

fn watch(client: &Client<'_>) -> impl Stream<Item = Answer> + Unpin + 'static {
    client.subscribe(WATCH, json!({ "id": client.app.ana.workspace() }))
}

async fn heard(stream: &mut (impl Stream<Item = Answer> + Unpin)) -> Value {
    let answer = timeout(Duration::from_secs(5), stream.next())
        .await
        .expect("news in time");
    answer.expect("an open stream").at("/presenceChanged")
}

fn seen(name: &str, status: &str, location: Value) -> Value {
    json!({ "user": { "name": name }, "status": status, "location": location })
}

#[tokio::test]
async fn members_see_each_other_come_move_and_go() {
    let app = both().await;
    assert_eq!(list(&app.ana()).await, json!([]));
    let mut stream = watch(&app.ana());
    assert_eq!(heard(&mut stream).await, seen("Ana", "ONLINE", Value::Null));
    let done = update(&app.ben(), "FOCUSING", json!("task:1"))
        .await
        .succeeded("updatePresence");
    assert_eq!(
        done.at("/updatePresence/presence"),
        seen("Ben", "FOCUSING", json!("task:1"))
    );
    assert_eq!(heard(&mut stream).await, seen("Ben", "FOCUSING", json!("task:1")));
    let all = list(&app.ben()).await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(all[0]["user"]["name"], "Ben", "the most lively first");
    assert_eq!(all[1]["lastSeenAt"], "2026-03-02T09:00:00Z");
    app.advance(TimeDelta::seconds(80));
    let news = [heard(&mut stream).await, heard(&mut stream).await];
    assert!(news.contains(&seen("Ana", "AWAY", Value::Null)), "{news:?}");
    assert!(news.contains(&seen("Ben", "OFFLINE", Value::Null)), "{news:?}");
    update(&app.ana(), "OFFLINE", Value::Null)
        .await
        .succeeded("updatePresence");
    assert_eq!(heard(&mut stream).await, seen("Ana", "OFFLINE", Value::Null));
    assert_eq!(list(&app.ben()).await, json!([]));
}

#[tokio::test]
async fn strangers_see_nothing_and_a_removed_member_nothing_more() {
    let app = both().await;
    let carl = crate::support::create_person(&app.platform, "Carl", "carl@example.org").await;
    let stranger = app.client(&carl);
    assert_eq!(
        update(&stranger, "ONLINE", Value::Null).await.error_code(),
        "NOT_FOUND"
    );
    assert_eq!(
        update(&app.guest(), "ONLINE", Value::Null).await.error_code(),
        "UNAUTHENTICATED"
    );
    let mut stream = watch(&stranger);
    assert_eq!(stream.next().await.unwrap().error_code(), "NOT_FOUND");
    let long = update(&app.ben(), "ONLINE", json!("x".repeat(201))).await;
    assert_eq!(long.user_error("updatePresence"), "TOO_LONG location");
    let reader = app.client_as(Identity::Token {
        user_id: app.ben.user_id,
        token_id: app.platform.ids.next(),
        scope: ApiTokenScope::Read,
        workspace_id: None,
        is_admin: false,
    });
    assert_eq!(
        update(&reader, "ONLINE", Value::Null).await.error_code(),
        "FORBIDDEN"
    );

    let mut stream = watch(&app.ben());
    assert_eq!(heard(&mut stream).await["user"]["name"], "Ben");
    let members = "query ($id: ID!) { workspace(id: $id) { members { nodes { id user { name } } } } }";
    let members = app.ana().gql(members, json!({ "id": app.ana.workspace() })).await;
    let members = members.at("/workspace/members/nodes");
    let ben = members
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["user"]["name"] == "Ben")
        .unwrap();
    let remove = "mutation ($id: ID!) { removeMember(memberId: $id) { userErrors { code } } }";
    app.ana()
        .gql(remove, json!({ "id": ben["id"] }))
        .await
        .succeeded("removeMember");
    let end = timeout(Duration::from_secs(1), stream.next())
        .await
        .expect("within a second");
    assert_eq!(end.unwrap().error_code(), "NOT_FOUND");
    drop(stream);
    assert_eq!(list(&app.ana()).await, json!([]));
}

/// Another replica on the same database and Redis.
async fn replica(app: &TestApp) -> Option<Platform> {
    let Backend::Production { redis_url, .. } = Backend::from_env() else {
        return None;
    };
    let prefix = app.platform.redis.as_ref().unwrap().prefix().to_owned();
    let instance = uuid::Uuid::now_v7().simple().to_string();
    let redis = Redis::connect(&redis_url, &prefix, &instance, 2).await.unwrap();
    Some(platform(app.database_url(), app.platform.clock.clone(), Some(redis)).await)
}

#[tokio::test]
async fn replicas_see_the_people_of_each_other() {
    let app = both().await;
    let Some(other) = replica(&app).await else { return };
    let mut stream = watch(&app.ana());
    heard(&mut stream).await;
    let caller = app.ben().caller;
    let access = meridian::access::Access::new(other.clone(), caller.clone());
    let ctx = access.ctx(app.ana.workspace_id).await.unwrap();
    let say = |status| {
        meridian::features::presence::update(&ctx, &caller, status, Some("task:7")).unwrap();
    };
    use meridian::kernel::presence::Status;
    say(Status::Online);
    assert_eq!(heard(&mut stream).await, seen("Ben", "ONLINE", json!("task:7")));
    let there = meridian::features::presence::list(&ctx).await.unwrap();
    assert_eq!(there.len(), 2, "{there:?}");
    say(Status::Offline);
    assert_eq!(heard(&mut stream).await, seen("Ben", "OFFLINE", Value::Null));
    // An orderly end takes its people along at once.
    say(Status::Focusing);
    heard(&mut stream).await;
    other.shutdown.cancel();
    assert_eq!(heard(&mut stream).await, seen("Ben", "OFFLINE", Value::Null));
}

#[tokio::test]
async fn a_replica_that_is_killed_takes_its_people_along() {
    let server = Server::start().await;
    let app = &server.app;
    let workspace = app.ana.workspace_id;
    join(&app.platform, &app.ben, workspace, WorkspaceRole::Viewer).await;
    let Backend::Production { redis_url, .. } = Backend::from_env() else {
        return;
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let data = tempfile::tempdir().unwrap();
    let mut process = tokio::process::Command::new(env!("CARGO_BIN_EXE_meridian"))
        .arg("api")
        .env_clear()
        .env("DATABASE_URL", app.database_url())
        .env("REDIS_URL", redis_url)
        .env(
            "MERIDIAN_REDIS_PREFIX",
            app.platform.redis.as_ref().unwrap().prefix(),
        )
        .env("MERIDIAN_ENV", "development")
        .env(
            "MERIDIAN_SECRET_KEY",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        )
        .env("MERIDIAN_LISTEN", format!("127.0.0.1:{port}"))
        .env("MERIDIAN_DATA_DIR", data.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let token = server.token(&app.ben).await;
    let mut stream = watch(&app.ana());
    heard(&mut stream).await;
    let body = json!({ "query": UPDATE, "variables": { "id": app.ana.workspace(), "status": "ONLINE" } })
        .to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = ask(port, &request).await;
    assert!(answer.contains("\"status\":\"ONLINE\""), "{answer}");
    assert_eq!(heard(&mut stream).await, seen("Ben", "ONLINE", Value::Null));
    process.start_kill().unwrap();
    process.wait().await.unwrap();
    let killed = Instant::now();
    assert_eq!(
        list(&app.ana()).await.as_array().unwrap().len(),
        2,
        "the lease holds a little"
    );
    let gone = timeout(Duration::from_secs(25), stream.next())
        .await
        .expect("within the lease");
    assert_eq!(
        gone.unwrap().at("/presenceChanged"),
        seen("Ben", "OFFLINE", Value::Null)
    );
    assert!(
        killed.elapsed() < Duration::from_secs(20),
        "{:?}",
        killed.elapsed()
    );
    assert_eq!(list(&app.ana()).await.as_array().unwrap().len(), 1);
}

/// Sends a request as soon as the process listens.
async fn ask(port: u16, request: &str) -> String {
    for _ in 0..200 {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await {
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            return answer;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the process does not listen");
}
