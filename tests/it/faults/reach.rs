//! What many hear at once beside the change log: presence, progress, and what one person hears in several windows. Each is executed once for
//! all who may see the same, and whoever may not hear it any more hears nothing more.

use std::time::Duration;

use entity::enums::{ApiTokenScope, WorkspaceRole};
use entity::ids::JobId;
use meridian::access::{NewToken, create_token};
use meridian::kernel::actor::Actor;
use meridian::kernel::jobs::{NewJob, Payload};
use meridian::platform::db::{Scope, Tx};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::support::server::Server;
use crate::support::{Person, create_person, join};
use crate::websocket::Socket;

const SEE: &str =
    "subscription ($id: ID!) { presenceChanged(workspaceId: $id) { user { name } status location } }";
const PROGRESS: &str = "subscription ($id: ID!) { jobProgress(jobId: $id) { id status progressPercent } }";
const RECEIVE: &str = "subscription { notificationReceived { id title } }";

async fn token(server: &Server, person: &Person) -> String {
    let new = NewToken {
        name: "test".into(),
        scopes: vec![ApiTokenScope::Admin],
        workspace_id: None,
        expires_at: None,
    };
    let created = create_token(&server.app.platform, Actor::system(), person.user_id, new).await;
    format!("Bearer {}", created.unwrap().secret)
}

/// How many groups of subscribers there are.
fn circles(server: &Server) -> usize {
    let text = server.app.platform.metrics.render();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("meridian_subscription_groups "))
        .expect("the gauge");
    line.parse().unwrap()
}

async fn member(server: &Server, name: &str, role: WorkspaceRole) -> (Person, String) {
    let email = format!("{}@example.org", name.to_lowercase());
    let platform = &server.app.platform;
    let person = create_person(platform, name, &email).await;
    join(platform, &person, server.app.ana.workspace_id, role).await;
    let token = token(server, &person).await;
    (person, token)
}

async fn watch(server: &Server, token: &str, query: &str, id: &str) -> Socket {
    let mut socket = Socket::greet(server, Some(token)).await;
    let variables = match id {
        "" => json!({}),
        id => json!({ "id": id }),
    };
    socket.subscribe("1", query, variables).await;
    socket
}

/// The next thing that is told of this person.
async fn told(socket: &mut Socket, name: &str) -> Value {
    loop {
        let message = timeout(Duration::from_secs(5), socket.message())
            .await
            .expect("news");
        assert_eq!(message["type"], "next", "{message}");
        let seen = &message["payload"]["data"]["presenceChanged"];
        if seen["user"]["name"] == name {
            return seen.clone();
        }
    }
}

async fn declare(server: &Server, person: &Person, location: &str) {
    let update = "mutation ($id: ID!, $at: String) { updatePresence(workspaceId: $id, status: ONLINE, location: $at) { userErrors { code } } }";
    let variables = json!({ "id": server.app.ana.workspace(), "at": location });
    let done = server.app.client(person).gql(update, variables).await;
    done.succeeded("updatePresence");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_see_who_is_here_by_one_execution() {
    let server = Server::start().await;
    let workspace = server.app.ana.workspace();
    let mut viewers = Vec::new();
    for number in 0..12 {
        let (person, token) = member(&server, &format!("V{number}"), WorkspaceRole::Viewer).await;
        viewers.push((person, watch(&server, &token, SEE, &workspace).await));
    }
    let (writer, _) = member(&server, "Writer", WorkspaceRole::Member).await;
    // Everybody hears how they came in themselves.
    for (number, (_, socket)) in viewers.iter_mut().enumerate() {
        let seen = told(socket, &format!("V{number}")).await;
        assert_eq!(seen["status"], "ONLINE");
    }
    assert_eq!(circles(&server), 1, "they sit together");
    declare(&server, &writer, "task:1").await;
    for (_, socket) in &mut viewers {
        let seen = told(socket, "Writer").await;
        assert_eq!(
            seen,
            json!({ "user": { "name": "Writer" }, "status": "ONLINE", "location": "task:1" })
        );
    }

    // The first one, in whose name it runs, is removed.
    let members =
        "query ($id: ID!) { workspace(id: $id) { members(first: 50) { nodes { id user { name } } } } }";
    let members = server.app.ana().gql(members, json!({ "id": workspace })).await;
    let members = members.at("/workspace/members/nodes");
    let first = members
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["user"]["name"] == "V0")
        .unwrap();
    let remove = "mutation ($id: ID!) { removeMember(memberId: $id) { userErrors { code } } }";
    let removed = server.app.ana().gql(remove, json!({ "id": first["id"] })).await;
    removed.succeeded("removeMember");
    let (_, mut gone) = viewers.remove(0);
    let end = async {
        loop {
            let message = gone.message().await;
            // What was on its way before may still arrive.
            if message["type"] != "next" {
                return message;
            }
        }
    };
    let end = timeout(Duration::from_secs(1), end)
        .await
        .expect("within a second");
    assert_eq!(end["payload"][0]["extensions"]["code"], "NOT_FOUND", "{end}");
    declare(&server, &writer, "task:2").await;
    for (_, socket) in &mut viewers {
        while told(socket, "Writer").await["location"] != "task:2" {}
    }
    gone.say(json!({ "type": "ping" })).await;
    assert_eq!(gone.message().await["type"], "pong", "and nothing else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_later_hears_how_far_a_job_is_and_all_hear_its_end() {
    let server = Server::start().await;
    let (_, first) = member(&server, "First", WorkspaceRole::Member).await;
    let (_, second) = member(&server, "Second", WorkspaceRole::Member).await;
    let (workspace, owner) = (server.app.ana.workspace_id, server.app.ana.user_id);
    let enqueue = |tx: Tx| async move {
        let schedule_id = tx.ids().next();
        let job = NewJob::for_workspace(workspace, Payload::ReplanSchedule { schedule_id });
        let later = tx.now() + chrono::TimeDelta::hours(1);
        tx.enqueue(job.by(Some(owner)).at(later)).await
    };
    let platform = &server.app.platform;
    let id: JobId = platform
        .write(Scope::System, Actor::system(), enqueue)
        .await
        .unwrap();
    let id = id.to_string();
    let mut sockets = Vec::new();
    for token in [&first, &second, &second] {
        let mut socket = watch(&server, token, PROGRESS, &id).await;
        let message = socket.message().await;
        assert_eq!(
            message["payload"]["data"]["jobProgress"]["status"], "QUEUED",
            "{message}"
        );
        sockets.push(socket);
    }
    assert_eq!(circles(&server), 1, "they sit together");
    let stranger = token(&server, &server.app.ben).await;
    let mut stranger = watch(&server, &stranger, PROGRESS, &id).await;
    let message = stranger.message().await;
    assert_eq!(
        message["payload"][0]["extensions"]["code"], "NOT_FOUND",
        "{message}"
    );
    let cancel = "mutation ($id: ID!) { cancelJob(id: $id) { userErrors { code } } }";
    let cancelled = server.app.ana().gql(cancel, json!({ "id": id })).await;
    cancelled.succeeded("cancelJob");
    for socket in &mut sockets {
        let message = socket.message().await;
        assert_eq!(
            message["payload"]["data"]["jobProgress"]["status"], "CANCELLED",
            "{message}"
        );
        assert_eq!(socket.message().await["type"], "complete");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_hears_a_notification_once_in_each_window() {
    let server = Server::start().await;
    let (person, token) = member(&server, "Carl", WorkspaceRole::Member).await;
    let mut windows = Vec::new();
    for _ in 0..3 {
        windows.push(watch(&server, &token, RECEIVE, "").await);
    }
    sleep(Duration::from_millis(300)).await;
    assert_eq!(circles(&server), 1, "they sit together");
    // The window in whose name it runs is closed; nobody else loses anything.
    drop(windows.remove(0));
    let create = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { userErrors { code } } }";
    for title in ["one", "two"] {
        let input = json!({ "workspaceId": server.app.ana.workspace(), "title": title,
            "assigneeId": person.user_id.to_string() });
        let made = server.app.ana().gql(create, json!({ "input": input })).await;
        made.succeeded("createTask");
    }
    let mut heard = Vec::new();
    for window in &mut windows {
        let mut ids = Vec::new();
        for _ in 0..2 {
            let message = timeout(Duration::from_secs(5), window.message())
                .await
                .expect("news");
            assert_eq!(message["type"], "next", "{message}");
            ids.push(message["payload"]["data"]["notificationReceived"]["id"].clone());
        }
        window.say(json!({ "type": "ping" })).await;
        assert_eq!(window.message().await["type"], "pong", "and nothing else");
        heard.push(ids);
    }
    assert_eq!(heard[0], heard[1]);
    assert_ne!(heard[0][0], heard[0][1]);
}
