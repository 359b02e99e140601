//! Many subscribers of one workspace over real sockets: shared answers are those that each would get alone, whoever is removed hears
//! nothing more, and joining and resuming while changes are made leaves no gap and no duplicate.

use std::collections::BTreeMap;
use std::time::Duration;

use entity::enums::{ApiTokenScope, WorkspaceRole};
use futures_util::StreamExt as _;
use meridian::access::{Identity, NewToken, create_token};
use meridian::kernel::actor::Actor;
use serde_json::{Value, json};

use crate::support::server::Server;
use crate::support::{Person, join};
use crate::websocket::{Said, Socket};

/// Everything about a task that looks the same to all members of one role.
const WHOLE: &str = "subscription ($id: ID!, $after: String) { taskChanged(workspaceId: $id, after: $after) {
    cursor action taskId task { id version title description status priority energy durationMinutes completedMinutes minChunkMinutes
      maxChunkMinutes startAfter dueAt isHardDeadline isAutoScheduled isOverdue labels isBlocked completedAt createdAt updatedAt
      workspace { id name slug type timeZone createdAt } assignee { id name avatarUrl emailVerifiedAt createdAt }
      createdBy { id name } parent { id } subtasks { id } dependencies { id } dependents { id } } } }";
/// The same with something that depends on who asks.
const PERSONAL: &str = "subscription ($id: ID!, $after: String) { taskChanged(workspaceId: $id, after: $after) {
    cursor task { title workspace { viewerRole viewerPermissions { canManageMembers canEdit } } createdBy { email } } } }";
pub const CURSORS: &str = "subscription ($id: ID!, $after: String) { taskChanged(workspaceId: $id, after: $after) { cursor task { title } } }";

pub async fn token(server: &Server, person: &Person, scope: ApiTokenScope) -> String {
    token_of(server, person, scope).await.0
}

/// A token as a client sends it, and what the server makes of it.
async fn token_of(server: &Server, person: &Person, scope: ApiTokenScope) -> (String, Identity) {
    let new = NewToken {
        name: "test".into(),
        scopes: vec![scope],
        workspace_id: None,
        expires_at: None,
    };
    let created = create_token(&server.app.platform, Actor::system(), person.user_id, new)
        .await
        .unwrap();
    let identity = Identity::Token {
        user_id: person.user_id,
        token_id: created.token.id,
        scope,
        workspace_id: None,
        is_admin: false,
    };
    (format!("Bearer {}", created.secret), identity)
}

pub async fn create_task(server: &Server, title: &str) {
    let input = json!({ "workspaceId": server.app.ana.workspace(), "title": title });
    let mutation =
        "mutation ($input: CreateTaskInput!) { createTask(input: $input) { userErrors { message } } }";
    let made = server.app.ana().gql(mutation, json!({ "input": input })).await;
    made.succeeded("createTask");
}

/// Subscribes and waits until the subscription has begun.
pub async fn watch(server: &Server, authorization: &str, query: &str, after: Value) -> Socket {
    let mut socket = Socket::greet(server, Some(authorization)).await;
    let variables = json!({ "id": server.app.ana.workspace(), "after": after });
    socket.subscribe("1", query, variables).await;
    tokio::time::sleep(Duration::from_millis(250)).await;
    socket
}

#[tokio::test]
async fn shared_answers_are_those_of_everybody_alone() {
    let server = Server::start().await;
    let workspace = server.app.ana.workspace_id;
    join(
        &server.app.platform,
        &server.app.ben,
        workspace,
        WorkspaceRole::Viewer,
    )
    .await;
    let variables = json!({ "id": server.app.ana.workspace() });
    let (mut sockets, mut alone) = (Vec::new(), BTreeMap::new());
    for (who, person) in [("ana", &server.app.ana), ("ben", &server.app.ben)] {
        for (power, scope) in [
            ("r", ApiTokenScope::Read),
            ("w", ApiTokenScope::Write),
            ("a", ApiTokenScope::Admin),
        ] {
            let (authorization, identity) = token_of(&server, person, scope).await;
            for query in [WHOLE, PERSONAL] {
                let key = (query, who, power);
                for _ in 0..2 {
                    sockets.push((key, watch(&server, &authorization, query, Value::Null).await));
                }
                let client = server.app.client_as(identity.clone());
                let mut stream = client.subscribe(query, variables.clone());
                let first = tokio::time::timeout(Duration::from_millis(200), stream.next()).await;
                assert!(first.is_err(), "nothing happened yet");
                alone.insert(key, stream);
            }
        }
    }
    create_task(&server, "one").await;
    create_task(&server, "two").await;
    let mut expected: BTreeMap<_, Vec<Value>> = BTreeMap::new();
    for (key, stream) in &mut alone {
        for _ in 0..2 {
            let answer = stream.next().await.unwrap().0;
            assert!(answer["errors"].is_null(), "{answer}");
            expected.entry(*key).or_default().push(answer["data"].clone());
        }
    }
    for (key, socket) in &mut sockets {
        for data in &expected[key] {
            let message = socket.message().await;
            assert_eq!(message["payload"]["data"], *data, "{key:?}");
            assert_eq!(message["id"], "1");
        }
    }
    for power in ["r", "w", "a"] {
        let (ana, ben) = (
            &expected[&(WHOLE, "ana", power)],
            &expected[&(WHOLE, "ben", power)],
        );
        assert_eq!(ana, ben, "the table of impersonal fields is right");
        assert_ne!(
            expected[&(PERSONAL, "ana", power)],
            expected[&(PERSONAL, "ben", power)]
        );
    }
}

#[tokio::test]
async fn a_removed_member_is_sent_away_and_the_others_stay() {
    let server = Server::start().await;
    let workspace = server.app.ana.workspace_id;
    join(
        &server.app.platform,
        &server.app.ben,
        workspace,
        WorkspaceRole::Owner,
    )
    .await;
    let ben = token(&server, &server.app.ben, ApiTokenScope::Admin).await;
    let ana = token(&server, &server.app.ana, ApiTokenScope::Admin).await;
    // Ben comes first, so that the group runs in his name.
    let mut gone = watch(&server, &ben, CURSORS, Value::Null).await;
    let mut stays = watch(&server, &ana, CURSORS, Value::Null).await;
    create_task(&server, "before").await;
    for socket in [&mut gone, &mut stays] {
        assert_eq!(
            socket.message().await["payload"]["data"]["taskChanged"]["task"]["title"],
            "before"
        );
    }
    let members =
        "query ($id: ID!) { workspace(id: $id) { members(first: 10) { nodes { id user { name } } } } }";
    let members = server
        .app
        .ana()
        .gql(members, json!({ "id": server.app.ana.workspace() }))
        .await
        .at("/workspace/members/nodes");
    let member = members
        .as_array()
        .unwrap()
        .iter()
        .find(|member| member["user"]["name"] == "Ben")
        .unwrap()["id"]
        .clone();
    let remove =
        "mutation ($id: ID!) { removeMember(memberId: $id) { removedMemberId userErrors { message } } }";
    let removed = server.app.ana().gql(remove, json!({ "id": member })).await;
    removed.succeeded("removeMember");
    let error = tokio::time::timeout(Duration::from_secs(1), gone.message())
        .await
        .expect("within a second");
    assert_eq!(error["type"], "error", "{error}");
    assert_eq!(error["payload"][0]["extensions"]["code"], "NOT_FOUND");
    create_task(&server, "after").await;
    assert_eq!(
        stays.message().await["payload"]["data"]["taskChanged"]["task"]["title"],
        "after"
    );
    gone.say(json!({ "type": "ping" })).await;
    assert_eq!(gone.message().await["type"], "pong", "and nothing else");
}

#[tokio::test]
async fn wrong_starts_fail_as_they_do_alone() {
    let server = Server::start().await;
    let ben = token(&server, &server.app.ben, ApiTokenScope::Read).await;
    let ana = token(&server, &server.app.ana, ApiTokenScope::Read).await;
    let invalid = "subscription ($id: ID!, $after: String) { taskChanged(workspaceId: $id, after: $after) { nothing } }";
    for (authorization, query, after, code) in [
        (&ben, CURSORS, Value::Null, "NOT_FOUND"),
        (&ana, CURSORS, json!("nonsense"), "BAD_USER_INPUT"),
        (&ana, invalid, Value::Null, "GRAPHQL_VALIDATION_FAILED"),
    ] {
        let mut socket = watch(&server, authorization, query, after).await;
        let error = socket.message().await;
        assert_eq!(
            (&error["type"], &error["id"]),
            (&json!("error"), &json!("1")),
            "{error}"
        );
        assert_eq!(error["payload"][0]["extensions"]["code"], code);
        assert!(error["payload"][0]["extensions"]["requestId"].is_string());
    }
}

#[tokio::test]
async fn joining_and_resuming_between_changes_leaves_no_gap() {
    const TASKS: usize = 120;
    let server = Server::start().await;
    let ana = token(&server, &server.app.ana, ApiTokenScope::Read).await;
    create_task(&server, "0").await;
    let newest = "query ($id: ID!) { workspace(id: $id) { changeCursor } }";
    let newest = server
        .app
        .ana()
        .gql(newest, json!({ "id": server.app.ana.workspace() }))
        .await;
    let start = newest.at("/workspace/changeCursor");

    let readers = async {
        let reader = async |number: usize| {
            let (mut heard, mut cursor) = (Vec::new(), start.clone());
            // Each comes and goes at its own pace and goes on where it was.
            while heard.len() < TASKS {
                let mut socket = watch(&server, &ana, CURSORS, cursor.clone()).await;
                for _ in 0..=(heard.len() * 7 + number * 13) % 50 {
                    if heard.len() == TASKS {
                        break;
                    }
                    let message = match socket.hear().await {
                        Said::Message(message) => message,
                        closed => panic!("{closed:?}"),
                    };
                    assert_eq!(message["type"], "next", "{message}");
                    let change = &message["payload"]["data"]["taskChanged"];
                    cursor = change["cursor"].clone();
                    heard.push(change["task"]["title"].as_str().unwrap().to_owned());
                }
            }
            heard
        };
        futures_util::future::join_all((0..6).map(reader)).await
    };
    let writer = async {
        for number in 1..=TASKS {
            create_task(&server, &number.to_string()).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let (heard, ()) = tokio::join!(readers, writer);
    let expected: Vec<String> = (1..=TASKS).map(|number| number.to_string()).collect();
    for titles in heard {
        assert_eq!(titles, expected);
    }
}
