//! Calendars through the API.

use entity::enums::{IntegrationProvider, IntegrationStatus, WorkspaceRole};
use entity::ids::{CalendarId, WorkspaceId};
use entity::{calendar, integration};
use meridian::kernel::actor::Actor;
use meridian::platform::db::{Scope, Tx};
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _, Set};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Person, TestApp, join};

const FIELDS: &str = "id name description color timeZone isDefault isReadOnly isVisible countsAsBusy lastSyncedAt owner { name }";

async fn create(client: &Client<'_>, workspace: &str, more: Value) -> Answer {
    let mut input = json!({ "workspaceId": workspace, "name": "Work" });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let document = format!(
        "mutation ($input: CreateCalendarInput!) {{ createCalendar(input: $input) {{ calendar {{ {FIELDS} }} userErrors {{ code field message }} }} }}"
    );
    client.gql(&document, json!({ "input": input })).await
}

async fn calendar(client: &Client<'_>, workspace: &str, name: &str) -> String {
    let answer = create(client, workspace, json!({ "name": name })).await;
    answer
        .succeeded("createCalendar")
        .text("/createCalendar/calendar/id")
}

async fn update(client: &Client<'_>, id: &str, input: Value) -> Answer {
    let document = format!(
        "mutation ($id: ID!, $input: UpdateCalendarInput!) {{ updateCalendar(id: $id, input: $input) {{ calendar {{ {FIELDS} }} userErrors {{ code field message }} }} }}"
    );
    client.gql(&document, json!({ "id": id, "input": input })).await
}

async fn delete(client: &Client<'_>, id: &str) -> Answer {
    let document = "mutation ($id: ID!) { deleteCalendar(id: $id) { deletedCalendarId userErrors { code field message } } }";
    client.gql(document, json!({ "id": id })).await
}

async fn list(client: &Client<'_>, workspace: &str, fields: &str) -> Value {
    let document = format!("query ($id: ID!) {{ workspace(id: $id) {{ calendars {{ {fields} }} }} }}");
    client
        .gql(&document, json!({ "id": workspace }))
        .await
        .at("/workspace/calendars")
}

/// A calendar as the sync would make it.
async fn mirror(app: &TestApp, owner: &Person) -> CalendarId {
    let (user_id, id) = (owner.user_id, app.platform.ids.next());
    let body = |tx: Tx| async move {
        let now = tx.now();
        let integration = tx
            .insert(integration::ActiveModel {
                id: Set(tx.ids().next()),
                workspace_id: Set(WorkspaceId(Default::default())),
                owner_id: Set(user_id),
                provider: Set(IntegrationProvider::Caldav),
                account_label: Set("ana@dav.example.org".into()),
                status: Set(IntegrationStatus::Active),
                server_url: Set(None),
                username: Set(None),
                sealed_credentials: Set(None),
                settings: Set(json!({})),
                refresh_minutes: Set(15),
                last_synced_at: Set(None),
                next_sync_at: Set(None),
                last_error: Set(None),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
            })
            .await?;
        let row = calendar::Model {
            id,
            workspace_id: WorkspaceId(Default::default()),
            owner_id: Some(user_id),
            integration_id: Some(integration.id),
            external_id: Some("/dav/home/".into()),
            name: "Home".into(),
            description: None,
            color: "#112233".into(),
            time_zone: "Europe/Berlin".into(),
            is_default: false,
            is_read_only: true,
            counts_as_busy: true,
            is_mirrored: true,
            feed_secret_hash: None,
            sealed_feed_secret: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        tx.insert(row.into_active_model().reset_all()).await.map(drop)
    };
    let scope = Scope::Workspace(owner.workspace_id);
    app.platform.write(scope, Actor::system(), body).await.unwrap();
    id
}

#[tokio::test]
async fn the_first_calendar_is_the_default_and_takes_the_creators_zone() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let first = create(&ana, &workspace, json!({}))
        .await
        .succeeded("createCalendar");
    let first = first.at("/createCalendar/calendar");
    assert_eq!(first["timeZone"], "Europe/Berlin");
    assert_eq!(first["owner"]["name"], "Ana");
    for (field, value) in [
        ("isDefault", true),
        ("isVisible", true),
        ("countsAsBusy", true),
        ("isReadOnly", false),
    ] {
        assert_eq!(first[field], value, "{field}");
    }
    assert_eq!(first["lastSyncedAt"], Value::Null);
    let second = create(
        &ana,
        &workspace,
        json!({ "name": "Home", "timeZone": "asia/TOKYO", "color": "#AABBCC" }),
    )
    .await;
    let second = second.succeeded("createCalendar").at("/createCalendar/calendar");
    assert_eq!(second["timeZone"], "Asia/Tokyo");
    assert_eq!(second["color"], "#aabbcc");
    assert_eq!(second["isDefault"], false);
    let third = create(&ana, &workspace, json!({ "name": "Other" })).await;
    assert_ne!(
        third.at("/createCalendar/calendar/color"),
        first["color"],
        "colours repeat as late as possible"
    );
    let names = json!([{ "name": "Home" }, { "name": "Other" }, { "name": "Work" }]);
    assert_eq!(list(&ana, &workspace, "name").await, names);
}

#[tokio::test]
async fn bad_input_names_its_field_and_stores_nothing() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let cases = [
        (json!({ "name": " " }), "REQUIRED input.name"),
        (json!({ "name": "x".repeat(101) }), "TOO_LONG input.name"),
        (json!({ "name": "a\nb" }), "INVALID input.name"),
        (
            json!({ "description": "x".repeat(2_001) }),
            "TOO_LONG input.description",
        ),
        (
            json!({ "workspaceId": app.ben.workspace() }),
            "REFERENCE_NOT_FOUND input.workspaceId",
        ),
        (
            json!({ "workspaceId": "nonsense" }),
            "REFERENCE_NOT_FOUND input.workspaceId",
        ),
    ];
    for (input, expected) in cases {
        let answer = create(&ana, &workspace, input.clone()).await;
        assert_eq!(answer.user_error("createCalendar"), expected, "{input}");
    }
    for input in [
        json!({ "color": "red" }),
        json!({ "timeZone": "Mars/Olympus" }),
        json!({ "name": 1 }),
    ] {
        let answer = create(&ana, &workspace, input.clone()).await;
        assert!(answer.0["errors"][0]["message"].is_string(), "{input}");
    }
    assert_eq!(list(&ana, &workspace, "id").await, json!([]));
}

#[tokio::test]
async fn the_default_moves_and_is_not_deleted() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let (first, second) = (
        calendar(&ana, &workspace, "A").await,
        calendar(&ana, &workspace, "B").await,
    );
    let refused = delete(&ana, &first).await;
    assert_eq!(refused.user_error("deleteCalendar"), "INVALID_STATE id");
    let refused = update(&ana, &first, json!({ "isDefault": false })).await;
    assert_eq!(
        refused.user_error("updateCalendar"),
        "INVALID_STATE input.isDefault"
    );
    let moved = update(&ana, &second, json!({ "isDefault": true }))
        .await
        .succeeded("updateCalendar");
    assert_eq!(moved.at("/updateCalendar/calendar/isDefault"), true);
    let expected = json!([{ "name": "A", "isDefault": false }, { "name": "B", "isDefault": true }]);
    assert_eq!(list(&ana, &workspace, "name isDefault").await, expected);
    let deleted = delete(&ana, &first).await.succeeded("deleteCalendar");
    assert_eq!(deleted.text("/deleteCalendar/deletedCalendarId"), first);
    assert_eq!(delete(&ana, &first).await.error_code(), "NOT_FOUND");
    assert_eq!(list(&ana, &workspace, "name").await, json!([{ "name": "B" }]));
}

#[tokio::test]
async fn everybody_has_their_own_default_and_their_own_view() {
    let app = TestApp::start().await;
    let (ana, ben, workspace) = (app.ana(), app.ben(), app.ana.workspace());
    let anas = calendar(&ana, &workspace, "Ana").await;
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    let bens = calendar(&ben, &workspace, "Ben").await;
    let mine = json!([{ "name": "Ana", "isDefault": false }, { "name": "Ben", "isDefault": true }]);
    assert_eq!(list(&ben, &workspace, "name isDefault").await, mine);
    let hidden = update(&ben, &anas, json!({ "isVisible": false }))
        .await
        .succeeded("updateCalendar");
    assert_eq!(hidden.at("/updateCalendar/calendar/isVisible"), false);
    let seen = json!([{ "isVisible": true }, { "isVisible": true }]);
    assert_eq!(
        list(&ana, &workspace, "isVisible").await,
        seen,
        "a view is personal"
    );
    update(&ben, &anas, json!({ "isVisible": true }))
        .await
        .succeeded("updateCalendar");
    assert_eq!(list(&ben, &workspace, "isVisible").await, seen);

    assert_eq!(
        update(&ben, &anas, json!({ "name": "Mine" })).await.error_code(),
        "FORBIDDEN"
    );
    assert_eq!(delete(&ben, &anas).await.error_code(), "FORBIDDEN");
    let renamed = update(&ana, &bens, json!({ "name": "Renamed" }))
        .await
        .succeeded("updateCalendar");
    assert_eq!(
        renamed.text("/updateCalendar/calendar/name"),
        "Renamed",
        "administrators manage all calendars"
    );
}

#[tokio::test]
async fn viewers_arrange_their_view_and_strangers_see_nothing() {
    let app = TestApp::start().await;
    let (ana, ben, workspace) = (app.ana(), app.ben(), app.ana.workspace());
    let id = calendar(&ana, &workspace, "Ana").await;
    let query = "query ($id: ID!) { calendar(id: $id) { name } node(id: $id) { id } }";
    for id in [id.as_str(), "cal_01jdb2k9x4e5vb4pex5vsknk08", "nonsense"] {
        let answer = ben.gql(query, json!({ "id": id })).await;
        assert_eq!(answer.0["data"], json!({ "calendar": null, "node": null }));
        assert_eq!(
            update(&ben, id, json!({ "name": "x" })).await.error_code(),
            "NOT_FOUND"
        );
    }
    assert_eq!(
        app.guest().gql(query, json!({ "id": id })).await.error_code(),
        "UNAUTHENTICATED"
    );
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Viewer,
    )
    .await;
    let answer = ben.gql(query, json!({ "id": id })).await;
    assert_eq!(
        answer.0["data"],
        json!({ "calendar": { "name": "Ana" }, "node": { "id": id } })
    );
    update(&ben, &id, json!({ "isVisible": false }))
        .await
        .succeeded("updateCalendar");
    assert_eq!(
        update(&ben, &id, json!({ "name": "x" })).await.error_code(),
        "FORBIDDEN"
    );
    assert_eq!(
        create(&ben, &workspace, json!({})).await.error_code(),
        "FORBIDDEN"
    );
    assert_eq!(delete(&ben, &id).await.error_code(), "FORBIDDEN");
}

#[tokio::test]
async fn a_mirror_is_renamed_and_let_go_but_never_the_default() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    calendar(&ana, &workspace, "Local").await;
    let id = mirror(&app, &app.ana).await.to_string();
    let changed = update(
        &ana,
        &id,
        json!({ "name": "Family", "color": "#445566", "isVisible": false }),
    )
    .await;
    let changed = changed.succeeded("updateCalendar").at("/updateCalendar/calendar");
    assert_eq!(changed["name"], "Family");
    assert_eq!(changed["isReadOnly"], true);
    assert_eq!(changed["isVisible"], false);
    let refused = update(&ana, &id, json!({ "isDefault": true })).await;
    assert_eq!(refused.user_error("updateCalendar"), "READ_ONLY input.isDefault");
    delete(&ana, &id).await.succeeded("deleteCalendar");
    assert_eq!(list(&ana, &workspace, "name").await, json!([{ "name": "Local" }]));
    let gone = ana
        .gql(
            "query ($id: ID!) { calendar(id: $id) { id } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(gone.at("/calendar"), Value::Null);
}
