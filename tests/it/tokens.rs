//! API tokens do no more than what they were made for: in the one workspace they are limited to, within their scopes and until they end,
//! over HTTP and on sockets. `tenancy/tokens.rs` drives every field.

use std::time::Duration;

use entity::enums::{ApiTokenScope, WorkspaceRole};
use meridian::access::{Identity, NewToken, create_token};
use meridian::features::people;
use meridian::kernel::actor::Actor;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::chores::waiting;
use crate::support::server::Server;
use crate::support::{TestApp, join};
use crate::websocket::{CHANGES, Said, Socket, VERSION};

const CREATE: &str = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { title } userErrors { code } } }";
const PLACE: &str = "query ($id: ID!) { workspace(id: $id) { id name } }";

/// A token of Ana's; limited to Ben's workspace, or ending after these hours.
async fn token(server: &Server, scope: ApiTokenScope, is_limited: bool, hours: Option<i64>) -> String {
    let app = &server.app;
    let end = |hours| app.platform.clock.now() + chrono::Duration::hours(hours);
    let new = NewToken {
        name: "test".into(),
        scopes: vec![scope],
        workspace_id: is_limited.then_some(app.ben.workspace_id),
        expires_at: hours.map(end),
    };
    let created = create_token(&app.platform, Actor::system(), app.ana.user_id, new)
        .await
        .unwrap();
    format!("Bearer {}", created.secret)
}

/// A server on which Ana is an administrator of Ben's workspace, too.
async fn start(settings: &[(&str, &str)]) -> Server {
    let server = Server::with_settings(settings).await;
    let app = &server.app;
    join(
        &app.platform,
        &app.ana,
        app.ben.workspace_id,
        WorkspaceRole::Admin,
    )
    .await;
    server
}

fn new_task(workspace: &str) -> Value {
    json!({ "input": { "workspaceId": workspace, "title": "by a token" } })
}

async fn number_of_tasks(app: &TestApp) -> Value {
    let tasks = "query ($id: ID!) { workspace(id: $id) { tasks { totalCount } } }";
    let tasks = app.ana().gql(tasks, json!({ "id": app.ana.workspace() })).await;
    tasks.at("/workspace/tasks/totalCount")
}

#[tokio::test]
async fn a_token_of_one_workspace_is_refused_elsewhere_over_http() {
    let server = start(&[]).await;
    let (own, other) = (server.app.ben.workspace(), server.app.ana.workspace());
    let token = token(&server, ApiTokenScope::Admin, true, None).await;
    let header = format!("Authorization: {token}");
    let ask = async |document: &str, variables: Value| {
        let body = json!({ "query": document, "variables": variables });
        server.post(&[&header], &body).await.json()
    };
    let here = ask(PLACE, json!({ "id": own })).await;
    assert_eq!(here["data"]["workspace"]["name"], "Ben", "{here}");
    let there = ask(PLACE, json!({ "id": other })).await;
    assert!(there["data"]["workspace"].is_null(), "{there}");
    let nowhere = ask(PLACE, json!({ "id": "ws_01jdb2k9x4e5vb4pex5vsknk08" })).await;
    assert_eq!(there, nowhere, "as one that does not exist");

    let made = ask(CREATE, new_task(&own)).await;
    assert_eq!(made["data"]["createTask"]["userErrors"], json!([]), "{made}");
    let refused = ask(CREATE, new_task(&other)).await;
    let code = &refused["data"]["createTask"]["userErrors"][0]["code"];
    assert_eq!(code, "REFERENCE_NOT_FOUND", "{refused}");
    assert_eq!(number_of_tasks(&server.app).await, 0);

    let file = "title\nby a file\n";
    let headers = [header.as_str(), "Content-Type: text/csv"];
    let target = |workspace: &str| format!("/api/import?workspaceId={workspace}");
    let there = server.send("POST", &target(&other), &headers, file).await;
    assert_eq!((there.status, there.code().as_str()), (404, "NOT_FOUND"));
    let here = server.send("POST", &target(&own), &headers, file).await;
    assert_eq!(here.status, 202, "{here:?}");
    let known = server.send("GET", "/auth/personal-data", &[&header], "").await;
    assert_eq!((known.status, known.code().as_str()), (403, "FORBIDDEN"));
}

#[tokio::test]
async fn a_token_of_one_workspace_is_refused_elsewhere_on_a_socket() {
    let server = start(&[]).await;
    let (own, other) = (server.app.ben.workspace(), server.app.ana.workspace());
    let token = token(&server, ApiTokenScope::Admin, true, None).await;
    let mut socket = Socket::greet(&server, Some(&token)).await;
    socket.subscribe("there", CHANGES, json!({ "id": other })).await;
    let said = socket.message().await;
    assert_eq!(
        (&said["type"], &said["id"]),
        (&json!("error"), &json!("there")),
        "{said}"
    );
    assert_eq!(said["payload"][0]["extensions"]["code"], "NOT_FOUND", "{said}");

    socket.subscribe("write", CREATE, new_task(&other)).await;
    let said = socket.message().await;
    let code = &said["payload"]["data"]["createTask"]["userErrors"][0]["code"];
    assert_eq!(code, "REFERENCE_NOT_FOUND", "{said}");
    assert_eq!(socket.message().await["type"], "complete");
    assert_eq!(number_of_tasks(&server.app).await, 0);

    socket.subscribe("here", CHANGES, json!({ "id": own })).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let made = server.app.ben().gql(CREATE, new_task(&own)).await;
    made.succeeded("createTask");
    let said = socket.message().await;
    assert_eq!(said["id"], "here", "{said}");
    assert_eq!(
        said["payload"]["data"]["taskChanged"]["task"]["title"], "by a token",
        "{said}"
    );
}

#[tokio::test]
async fn a_token_that_reads_writes_nothing_on_a_socket_either() {
    let server = start(&[]).await;
    let token = token(&server, ApiTokenScope::Read, false, None).await;
    let mut socket = Socket::greet(&server, Some(&token)).await;
    let workspace = server.app.ana.workspace();
    socket.subscribe("1", CREATE, new_task(&workspace)).await;
    let said = socket.message().await;
    assert!(said.to_string().contains("\"FORBIDDEN\""), "{said}");
    assert_eq!(number_of_tasks(&server.app).await, 0);
}

#[tokio::test]
async fn a_token_that_has_ended_starts_nothing_more_on_its_sockets() {
    let server = start(&[]).await;
    let token = token(&server, ApiTokenScope::Admin, false, Some(1)).await;
    let mut socket = Socket::greet(&server, Some(&token)).await;
    socket.subscribe("1", VERSION, json!({})).await;
    assert_eq!(socket.message().await["type"], "next");
    assert_eq!(socket.message().await["type"], "complete");
    server.app.advance(chrono::Duration::hours(1));
    socket
        .subscribe("2", CREATE, new_task(&server.app.ana.workspace()))
        .await;
    assert_eq!(socket.code().await, 4401);
    assert_eq!(number_of_tasks(&server.app).await, 0, "and nothing was done");
}

#[tokio::test]
async fn a_token_that_has_ended_hears_nothing_more_after_the_next_ping() {
    let server = start(&[("MERIDIAN_LIMIT_SOCKET_PING_SECONDS", "1")]).await;
    let token = token(&server, ApiTokenScope::Read, false, Some(1)).await;
    let mut socket = Socket::greet(&server, Some(&token)).await;
    let variables = json!({ "id": server.app.ana.workspace() });
    socket.subscribe("1", CHANGES, variables).await;
    server.app.advance(chrono::Duration::hours(1));
    let last = timeout(Duration::from_secs(8), socket.hear()).await;
    let Said::Closed(code, _) = last.expect("soon") else {
        panic!("it went on");
    };
    assert_eq!(code, 4401);
}

#[tokio::test]
async fn a_token_that_is_taken_back_ends_the_upload_that_is_under_way() {
    let server = start(&[]).await;
    let (app, workspace) = (&server.app, server.app.ana.workspace());
    let token = token(&server, ApiTokenScope::Write, false, None).await;
    let (first, second) = ("title\n", "too late\n");
    let head = format!(
        "POST /api/import?workspaceId={workspace} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: {token}\r\n\
         Content-Type: text/csv\r\nContent-Length: {}\r\n\r\n{first}",
        server.address,
        first.len() + second.len(),
    );
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let tokens = app.ana().gql("{ viewer { apiTokens { id } } }", json!({})).await;
    let revoke = "mutation ($id: ID!) { revokeApiToken(id: $id) { userErrors { code } } }";
    let id = tokens.text("/viewer/apiTokens/0/id");
    let revoked = app.ana().gql(revoke, json!({ "id": id })).await;
    revoked.succeeded("revokeApiToken");
    stream.write_all(second.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let reading = stream.read_to_string(&mut answer);
    timeout(Duration::from_secs(10), reading).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(waiting(app, "transfer_data").await.is_empty());
}

#[tokio::test]
async fn whoever_looks_after_the_installation_no_more_is_sent_off() {
    let server = start(&[]).await;
    let (platform, ana) = (&server.app.platform, server.app.ana.user_id);
    people::set_admin(platform, ana, true).await.unwrap();
    let token = token(&server, ApiTokenScope::Admin, false, None).await;
    let mut socket = Socket::greet(&server, Some(&token)).await;
    socket.subscribe("1", "{ jobQueues { name } }", json!({})).await;
    let said = socket.message().await;
    assert!(said["payload"]["data"]["jobQueues"].is_array(), "{said}");
    assert_eq!(socket.message().await["type"], "complete");
    people::set_admin(platform, ana, false).await.unwrap();
    let closed = timeout(Duration::from_secs(1), socket.hear()).await;
    let Said::Closed(code, _) = closed.expect("within a second") else {
        panic!("the socket goes on");
    };
    assert_eq!(code, 4401);
}

#[tokio::test]
async fn sockets_are_requests_of_their_person_or_address() {
    let rates = [
        ("MERIDIAN_RATE_GUEST_REQUESTS", "2"),
        ("MERIDIAN_RATE_CALLER_REQUESTS", "2"),
    ];
    let server = start(&rates).await;
    let first = token(&server, ApiTokenScope::Read, false, None).await;
    let second = token(&server, ApiTokenScope::Read, false, None).await;
    for who in [[None; 3], [Some(&first), Some(&first), Some(&second)]] {
        let [one, two, three] = who.map(|token| token.map(String::as_str));
        let _kept = [
            Socket::greet(&server, one).await,
            Socket::greet(&server, two).await,
        ];
        let mut socket = Socket::connect(&server).await;
        let payload = three.map(|text| json!({ "authorization": text }));
        socket
            .say(json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(socket.code().await, 4429, "{three:?}");
    }
}

#[tokio::test]
async fn a_token_of_one_workspace_does_not_end_what_runs_in_another() {
    let app = TestApp::start().await;
    join(
        &app.platform,
        &app.ana,
        app.ben.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    let start = "mutation ($input: StartFocusSessionInput!) { startFocusSession(input: $input) { focusSession { id } userErrors { code field message } } }";
    let input = |workspace: String| json!({ "input": { "workspaceId": workspace } });
    let running = app.ana().gql(start, input(app.ana.workspace())).await;
    let running = running
        .succeeded("startFocusSession")
        .text("/startFocusSession/focusSession/id");
    let limited = app.client_as(Identity::Token {
        user_id: app.ana.user_id,
        token_id: app.platform.ids.next(),
        scope: ApiTokenScope::Write,
        workspace_id: Some(app.ben.workspace_id),
        is_admin: false,
    });
    let refused = limited.gql(start, input(app.ben.workspace())).await;
    assert_eq!(refused.user_error("startFocusSession"), "INVALID_STATE");
    let active = "{ viewer { activeFocusSession { id } } }";
    let still = app.ana().gql(active, json!({})).await;
    assert_eq!(still.text("/viewer/activeFocusSession/id"), running);
    // Whoever reaches both workspaces changes over.
    let started = app.ana().gql(start, input(app.ben.workspace())).await;
    started.succeeded("startFocusSession");
}
