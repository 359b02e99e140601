//! Notifications through the API: written with other changes, listed, marked, heard live.

use std::time::Duration;

use entity::enums::{ApiTokenScope, AuthProvider, NotificationType, WorkspaceRole};
use entity::ids::{NotificationId, TaskId, WorkspaceId};
use entity::notification;
use futures_util::{Stream, StreamExt as _};
use meridian::access::oidc::Verified;
use meridian::access::{Access, Identity, create_session, revoke_session};
use meridian::features::notifications::{NewNotification, notify_in};
use meridian::kernel::actor::{Actor, Origin};
use meridian::kernel::changes::{ObjectType, Topic};
use meridian::platform::db::{Scope, Tx};
use sea_orm::{ColumnTrait as _, QueryFilter as _};
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp, join};

const LIST: &str = r"
    query ($filter: NotificationFilter, $first: Int, $after: String) {
      viewer {
        unreadNotificationCount
        notifications(filter: $filter, first: $first, after: $after) {
          totalCount nodes { id title type readAt workspace { slug } subject { __typename ... on Task { title } } }
          pageInfo { hasNextPage endCursor }
        }
      }
    }";
const READ: &str = r"
    mutation ($ids: [ID!]) {
      markNotificationsRead(ids: $ids) { updatedCount viewer { unreadNotificationCount } userErrors { code field message } }
    }";
const RECEIVED: &str = "subscription { notificationReceived { id title } }";

/// Tells Ana something about her workspace.
async fn tell(
    app: &TestApp,
    title: &str,
    more: impl Fn(&mut NewNotification) + Sync,
) -> Option<NotificationId> {
    let mut new = NewNotification {
        user_id: app.ana.user_id,
        workspace_id: Some(app.ana.workspace_id),
        r#type: NotificationType::TaskAssigned,
        title: title.into(),
        body: None,
        subject: None,
        dedup_key: None,
    };
    more(&mut new);
    let body = |tx: Tx| {
        let new = new.clone();
        async move { notify_in(&tx, new).await }
    };
    app.platform
        .write(Scope::Workspace(app.ana.workspace_id), Actor::system(), body)
        .await
        .unwrap()
}

async fn list(client: &Client<'_>, variables: Value) -> Answer {
    client.gql(LIST, variables).await
}

fn titles(answer: &Answer) -> Vec<String> {
    let nodes = answer.at("/viewer/notifications/nodes");
    nodes
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["title"].as_str().unwrap().to_owned())
        .collect()
}

async fn heard(stream: &mut (impl Stream<Item = Answer> + Unpin)) -> Option<Answer> {
    tokio::time::timeout(Duration::from_secs(5), stream.next())
        .await
        .unwrap()
}

/// Polls once, which starts the subscription, and expects silence.
async fn silent(stream: &mut (impl Stream<Item = Answer> + Unpin)) {
    let next = tokio::time::timeout(Duration::from_millis(150), stream.next()).await;
    assert!(next.is_err(), "unexpected: {next:?}");
}

#[tokio::test]
async fn notifications_are_listed_newest_first_to_their_person_only() {
    let app = TestApp::start().await;
    let create = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";
    let input = json!({ "input": { "workspaceId": app.ana.workspace(), "title": "Taxes" } });
    let task: TaskId = app
        .ana()
        .gql(create, input)
        .await
        .text("/createTask/task/id")
        .parse()
        .unwrap();
    tell(&app, "one", |new| new.subject = Some((ObjectType::Task, task.0))).await;
    app.advance(chrono::Duration::seconds(1));
    tell(&app, "two", |new| new.r#type = NotificationType::TaskDue).await;
    app.advance(chrono::Duration::seconds(1));
    tell(&app, "three", |new| new.workspace_id = None).await;

    let all = list(&app.ana(), json!({})).await;
    assert_eq!(titles(&all), ["three", "two", "one"]);
    assert_eq!(all.at("/viewer/unreadNotificationCount"), 3);
    assert_eq!(all.at("/viewer/notifications/totalCount"), 3);
    assert_eq!(
        all.at("/viewer/notifications/nodes/2/subject"),
        json!({ "__typename": "Task", "title": "Taxes" })
    );
    assert_eq!(all.at("/viewer/notifications/nodes/2/workspace/slug"), "ana");
    assert_eq!(all.at("/viewer/notifications/nodes/0/workspace"), Value::Null);

    let first = list(&app.ana(), json!({ "first": 2 })).await;
    assert_eq!(titles(&first), ["three", "two"]);
    let after = first.text("/viewer/notifications/pageInfo/endCursor");
    assert_eq!(
        titles(&list(&app.ana(), json!({ "first": 2, "after": after })).await),
        ["one"]
    );
    let filters = [
        (json!({ "types": ["TASK_DUE"] }), vec!["two"]),
        (json!({ "workspaceId": app.ana.workspace() }), vec!["two", "one"]),
        (json!({ "workspaceId": "nonsense" }), vec![]),
        (json!({ "isUnread": false }), vec![]),
    ];
    for (filter, expected) in filters {
        assert_eq!(
            titles(&list(&app.ana(), json!({ "filter": filter })).await),
            expected,
            "{filter}"
        );
    }
    assert!(titles(&list(&app.ben(), json!({})).await).is_empty());
    assert_eq!(list(&app.guest(), json!({})).await.at("/viewer"), Value::Null);
    assert_eq!(
        list(&app.ana(), json!({ "first": 101 })).await.error_code(),
        "BAD_USER_INPUT"
    );

    let delete = "mutation ($id: ID!) { deleteTask(id: $id) { userErrors { code } } }";
    app.ana()
        .gql(delete, json!({ "id": task.to_string() }))
        .await
        .succeeded("deleteTask");
    let gone = list(&app.ana(), json!({})).await;
    assert_eq!(
        gone.at("/viewer/notifications/nodes/2/subject"),
        Value::Null,
        "the subject was deleted"
    );
}

#[tokio::test]
async fn a_type_that_is_switched_off_is_not_stored_and_a_cause_tells_once() {
    let app = TestApp::start().await;
    let document = "mutation ($input: UpdateNotificationPreferencesInput!) {
        updateNotificationPreferences(input: $input) { userErrors { code } } }";
    let off = json!({ "input": { "preferences": [{ "type": "TASK_ASSIGNED", "channels": [] }] } });
    app.ana()
        .gql(document, off)
        .await
        .succeeded("updateNotificationPreferences");
    assert!(tell(&app, "assigned", |_| ()).await.is_none());
    assert!(
        tell(&app, "signed in", |new| new.r#type = NotificationType::Security)
            .await
            .is_some()
    );

    let broken = |new: &mut NewNotification| {
        new.r#type = NotificationType::IntegrationProblem;
        new.dedup_key = Some("integration-1-needs-reauth".into());
    };
    assert!(tell(&app, "broken", broken).await.is_some());
    assert!(tell(&app, "broken", broken).await.is_none());
    let other = |new: &mut NewNotification| {
        broken(new);
        new.user_id = app.ben.user_id;
    };
    assert!(
        tell(&app, "broken", other).await.is_some(),
        "another person is told too"
    );
    assert_eq!(
        list(&app.ana(), json!({}))
            .await
            .at("/viewer/notifications/totalCount"),
        2
    );
}

#[tokio::test]
async fn reading_and_forgetting_is_up_to_their_person() {
    let app = TestApp::start().await;
    let one = tell(&app, "one", |_| ()).await.unwrap().to_string();
    let two = tell(&app, "two", |_| ()).await.unwrap().to_string();
    tell(&app, "three", |_| ()).await.unwrap();
    let read = async |client: Client<'_>, ids: Value| client.gql(READ, json!({ "ids": ids })).await;

    let done = read(app.ana(), json!([one, one]))
        .await
        .succeeded("markNotificationsRead");
    assert_eq!(done.at("/markNotificationsRead/updatedCount"), 1);
    assert_eq!(
        done.at("/markNotificationsRead/viewer/unreadNotificationCount"),
        2
    );
    assert_eq!(
        read(app.ana(), json!([one]))
            .await
            .at("/markNotificationsRead/updatedCount"),
        0,
        "it was read already"
    );
    assert_eq!(
        read(app.ana(), json!([]))
            .await
            .at("/markNotificationsRead/updatedCount"),
        0
    );
    let unknown = read(app.ana(), json!([two, "notif_01jdb2k9x4e5vb4pex5vsknk08"])).await;
    assert_eq!(
        unknown.user_error("markNotificationsRead"),
        "REFERENCE_NOT_FOUND ids.1"
    );
    assert_eq!(
        read(app.ben(), json!([two]))
            .await
            .user_error("markNotificationsRead"),
        "REFERENCE_NOT_FOUND ids.0"
    );
    assert_eq!(
        read(app.ana(), json!(["nonsense"]))
            .await
            .user_error("markNotificationsRead"),
        "REFERENCE_NOT_FOUND ids.0"
    );
    assert_eq!(
        read(app.guest(), json!([two])).await.error_code(),
        "UNAUTHENTICATED"
    );
    assert_eq!(
        list(&app.ana(), json!({}))
            .await
            .at("/viewer/unreadNotificationCount"),
        2,
        "all or none"
    );
    assert_eq!(
        read(app.ana(), Value::Null)
            .await
            .at("/markNotificationsRead/updatedCount"),
        2
    );

    let unread = "mutation ($id: ID!) { markNotificationUnread(id: $id) { notification { readAt } userErrors { code } } }";
    let again = app
        .ana()
        .gql(unread, json!({ "id": one }))
        .await
        .succeeded("markNotificationUnread");
    assert_eq!(
        again.at("/markNotificationUnread/notification/readAt"),
        Value::Null
    );
    assert_eq!(
        app.ben().gql(unread, json!({ "id": one })).await.error_code(),
        "NOT_FOUND"
    );

    let delete =
        "mutation ($id: ID!) { deleteNotification(id: $id) { deletedNotificationId userErrors { code } } }";
    assert_eq!(
        app.ben().gql(delete, json!({ "id": one })).await.error_code(),
        "NOT_FOUND"
    );
    let deleted = app
        .ana()
        .gql(delete, json!({ "id": one }))
        .await
        .succeeded("deleteNotification");
    assert_eq!(deleted.text("/deleteNotification/deletedNotificationId"), one);
    assert_eq!(
        app.ana().gql(delete, json!({ "id": one })).await.error_code(),
        "NOT_FOUND"
    );
    assert_eq!(
        app.ana()
            .gql(unread, json!({ "id": "nonsense" }))
            .await
            .error_code(),
        "NOT_FOUND"
    );
    assert_eq!(
        titles(&list(&app.ana(), json!({ "filter": { "isUnread": false } })).await),
        ["three", "two"]
    );
}

#[tokio::test]
async fn a_token_limited_to_a_workspace_hears_only_of_that_one() {
    let app = TestApp::start().await;
    join(
        &app.platform,
        &app.ana,
        app.ben.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    tell(&app, "mine", |_| ()).await.unwrap();
    tell(&app, "account", |new| new.workspace_id = None)
        .await
        .unwrap();
    let client = |scope, workspace: WorkspaceId| {
        let (user_id, token_id) = (app.ana.user_id, app.platform.ids.next());
        app.client_as(Identity::Token {
            user_id,
            token_id,
            scope,
            workspace_id: Some(workspace),
            is_admin: false,
        })
    };
    assert_eq!(
        titles(&list(&client(ApiTokenScope::Read, app.ana.workspace_id), json!({})).await),
        ["mine"]
    );
    assert!(titles(&list(&client(ApiTokenScope::Read, app.ben.workspace_id), json!({})).await).is_empty());
    let read = client(ApiTokenScope::Read, app.ana.workspace_id)
        .gql(READ, json!({}))
        .await;
    assert_eq!(read.error_code(), "FORBIDDEN");
    let read = client(ApiTokenScope::Write, app.ana.workspace_id)
        .gql(READ, json!({}))
        .await;
    assert_eq!(read.at("/markNotificationsRead/updatedCount"), 1);
    assert_eq!(
        list(&app.ana(), json!({}))
            .await
            .at("/viewer/unreadNotificationCount"),
        1
    );
}

#[tokio::test]
async fn new_notifications_are_heard_once_also_after_a_gap() {
    let app = TestApp::start().await;
    tell(&app, "before", |_| ()).await.unwrap();
    let mut stream = app.ana().subscribe(RECEIVED, json!({}));
    silent(&mut stream).await;
    tell(&app, "one", |_| ()).await.unwrap();
    assert_eq!(
        heard(&mut stream)
            .await
            .unwrap()
            .text("/notificationReceived/title"),
        "one"
    );

    // A message that cannot be read is a gap: what it announced is found in the table.
    tell(&app, "two", |_| ()).await.unwrap();
    app.platform
        .pubsub
        .publish(Topic::Notifications(app.ana.user_id), &"garbage")
        .await;
    tell(&app, "three", |_| ()).await.unwrap();
    assert_eq!(
        heard(&mut stream)
            .await
            .unwrap()
            .text("/notificationReceived/title"),
        "two"
    );
    assert_eq!(
        heard(&mut stream)
            .await
            .unwrap()
            .text("/notificationReceived/title"),
        "three"
    );
    silent(&mut stream).await;

    let mut other = app.ben().subscribe(RECEIVED, json!({}));
    silent(&mut other).await;
    tell(&app, "four", |_| ()).await.unwrap();
    silent(&mut other).await;
    let mut guest = app.guest().subscribe(RECEIVED, json!({}));
    assert_eq!(heard(&mut guest).await.unwrap().error_code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_session_that_was_signed_out_hears_nothing_more() {
    let app = TestApp::start().await;
    let session = create_session(&app.platform, app.ana.user_id, Origin::default())
        .await
        .unwrap();
    let client = app.client_as(Identity::Session {
        user_id: app.ana.user_id,
        session_id: session.id,
        is_admin: false,
    });
    let mut stream = client.subscribe(RECEIVED, json!({}));
    silent(&mut stream).await;
    revoke_session(&app.platform, app.ana.user_id, session.id, Origin::default())
        .await
        .unwrap();
    tell(&app, "secret", |_| ()).await.unwrap();
    assert_eq!(heard(&mut stream).await.unwrap().error_code(), "UNAUTHENTICATED");
    assert!(heard(&mut stream).await.is_none());
    let access = Access::new(app.platform.clone(), client.caller.clone());
    assert!(
        meridian::access::still_valid(&app.platform, access.caller())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_sign_in_from_a_new_program_is_told_of_once() {
    let app = TestApp::start().await;
    let who = Verified {
        provider: AuthProvider::Email,
        provider_name: "email".into(),
        issuer: None,
        subject: "dora@example.org".into(),
        email: Some("dora@example.org".into()),
        name: None,
        locale: None,
        time_zone: None,
        scopes: Vec::new(),
    };
    for agent in ["Old/1", "Old/1", "New/1", "New/1"] {
        let origin = Origin {
            user_agent: Some(agent.into()),
            ip_address: Some("192.0.2.7".into()),
            ..Origin::default()
        };
        let signed_in = meridian::features::accounts::sign_in(&app.platform, &who, origin).await;
        assert!(signed_in.unwrap().is_ok());
    }
    let read = app.platform.db.read(Scope::System).await.unwrap();
    let select = read.find_global::<notification::Entity>();
    let select = select.filter(notification::Column::Type.eq(NotificationType::Security));
    let told = select.all(&read).await.unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].title, "New sign-in to your account");
    assert!(
        told[0]
            .body
            .as_deref()
            .unwrap()
            .starts_with("New/1, from 192.0.2.7.")
    );
}
