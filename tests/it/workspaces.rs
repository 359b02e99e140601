//! Workspaces and memberships through the API.

use entity::enums::{IntegrationProvider, IntegrationStatus, WorkspaceRole};
use entity::ids::{IntegrationId, WorkspaceId};
use entity::integration;
use futures_util::StreamExt as _;
use meridian::features::people::NewPerson;
use meridian::features::workspaces;
use meridian::kernel::actor::Actor;
use meridian::platform::db::{Scope, Tx};
use sea_orm::Set;
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp, join};

const CREATE: &str = r"
    mutation ($input: CreateWorkspaceInput!) {
      createWorkspace(input: $input) {
        workspace { id name slug type timeZone viewerRole members { totalCount nodes { id role user { name } } } }
        userErrors { code field message }
      }
    }";
const UPDATE: &str = r"
    mutation ($id: ID!, $input: UpdateWorkspaceInput!) {
      updateWorkspace(id: $id, input: $input) { workspace { name slug timeZone } userErrors { code field message } }
    }";
const DELETE: &str = r"
    mutation ($id: ID!, $slug: String!) {
      deleteWorkspace(id: $id, confirmSlug: $slug) { deletedWorkspaceId userErrors { code field message } }
    }";
const ROLE: &str = r"
    mutation ($id: ID!, $role: WorkspaceRole!) {
      updateMemberRole(memberId: $id, role: $role) { member { id role } userErrors { code field message } }
    }";
const REMOVE: &str = r"
    mutation ($id: ID!) { removeMember(memberId: $id) { removedMemberId userErrors { code field message } } }";

async fn create(client: &Client<'_>, input: Value) -> Answer {
    client.gql(CREATE, json!({ "input": input })).await
}

/// Members as `(id, name, role)`, as this client sees them.
async fn members(client: &Client<'_>, workspace: &str) -> Vec<(String, String, String)> {
    let document = "query ($id: ID!) { workspace(id: $id) { members { nodes { id role user { name } } } } }";
    let answer = client.gql(document, json!({ "id": workspace })).await;
    let nodes = answer.at("/workspace/members/nodes");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let member = |node: &Value| {
        (
            text(&node["id"]),
            text(&node["user"]["name"]),
            text(&node["role"]),
        )
    };
    nodes.as_array().unwrap().iter().map(member).collect()
}

async fn member_id(client: &Client<'_>, workspace: &str, name: &str) -> String {
    let all = members(client, workspace).await;
    all.into_iter().find(|member| member.1 == name).unwrap().0
}

#[tokio::test]
async fn a_team_is_complete_from_its_first_moment() {
    let app = TestApp::start().await;
    let answer = create(&app.ana(), json!({ "name": "  Müller & Söhne " }))
        .await
        .succeeded("createWorkspace");
    let workspace = answer.at("/createWorkspace/workspace");
    assert_eq!(workspace["name"], "Müller & Söhne");
    assert_eq!(workspace["slug"], "mueller-soehne");
    assert_eq!(workspace["type"], "TEAM");
    assert_eq!(workspace["timeZone"], "Europe/Berlin", "the creator's zone");
    assert_eq!(workspace["viewerRole"], "OWNER");
    assert_eq!(workspace["members"]["totalCount"], 1);
    assert_eq!(workspace["members"]["nodes"][0]["user"]["name"], "Ana");

    let again = create(
        &app.ana(),
        json!({ "name": "Müller & Söhne", "timeZone": "Asia/Tokyo" }),
    )
    .await;
    assert_eq!(again.text("/createWorkspace/workspace/slug"), "mueller-soehne-2");
    assert_eq!(again.text("/createWorkspace/workspace/timeZone"), "Asia/Tokyo");

    let task = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id workspace { name } } userErrors { code } } }";
    let input = json!({ "input": { "workspaceId": workspace["id"], "title": "First" } });
    let task = app.ana().gql(task, input).await.succeeded("createTask");
    assert_eq!(task.text("/createTask/task/workspace/name"), "Müller & Söhne");
}

#[tokio::test]
async fn bad_names_are_refused_with_their_field() {
    let app = TestApp::start().await;
    let cases = [
        (json!({ "name": "  " }), "REQUIRED input.name"),
        (json!({ "name": "x".repeat(101) }), "TOO_LONG input.name"),
        (json!({ "name": "a\u{7}" }), "INVALID input.name"),
        (json!({ "name": "A", "slug": "Not A Slug" }), "INVALID input.slug"),
        (json!({ "name": "A", "slug": "" }), "INVALID input.slug"),
        (
            json!({ "name": "A", "slug": "x".repeat(49) }),
            "TOO_LONG input.slug",
        ),
        (json!({ "name": "A", "slug": "ben" }), "TAKEN input.slug"),
    ];
    for (input, expected) in cases {
        let answer = create(&app.ana(), input.clone()).await;
        assert_eq!(answer.user_error("createWorkspace"), expected, "{input}");
        assert_eq!(answer.at("/createWorkspace/workspace"), Value::Null);
    }
    let zone = create(&app.ana(), json!({ "name": "A", "timeZone": "Mars/Olympus" })).await;
    assert!(zone.was_refused());
    assert_eq!(
        create(&app.guest(), json!({ "name": "A" })).await.error_code(),
        "UNAUTHENTICATED"
    );
    let list = app
        .ana()
        .gql("{ viewer { workspaces { name } } }", json!({}))
        .await;
    assert_eq!(
        list.at("/viewer/workspaces"),
        json!([{ "name": "Ana" }]),
        "nothing was created"
    );
}

#[tokio::test]
async fn settings_change_for_admins_only() {
    let app = TestApp::start().await;
    let workspace = app.ana.workspace();
    let update = async |client: Client<'_>, id: &str, input: Value| {
        client.gql(UPDATE, json!({ "id": id, "input": input })).await
    };
    let answer = update(
        app.ana(),
        &workspace,
        json!({ "name": "Atelier", "slug": "atelier", "timeZone": "Asia/Tokyo" }),
    )
    .await;
    let row = answer
        .succeeded("updateWorkspace")
        .at("/updateWorkspace/workspace");
    assert_eq!(
        row,
        json!({ "name": "Atelier", "slug": "atelier", "timeZone": "Asia/Tokyo" })
    );

    for (input, expected) in [
        (json!({ "name": "" }), "REQUIRED input.name"),
        (json!({ "slug": "-" }), "INVALID input.slug"),
        (json!({ "slug": "ben" }), "TAKEN input.slug"),
    ] {
        assert_eq!(
            update(app.ana(), &workspace, input)
                .await
                .user_error("updateWorkspace"),
            expected
        );
    }
    assert_eq!(
        update(app.ben(), &workspace, json!({ "name": "Mine" }))
            .await
            .error_code(),
        "NOT_FOUND"
    );
    assert_eq!(
        update(app.ana(), "nonsense", json!({ "name": "Mine" }))
            .await
            .error_code(),
        "NOT_FOUND"
    );
    assert_eq!(
        update(app.guest(), &workspace, json!({ "name": "Mine" }))
            .await
            .error_code(),
        "UNAUTHENTICATED"
    );
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    assert_eq!(
        update(app.ben(), &workspace, json!({ "name": "Mine" }))
            .await
            .error_code(),
        "FORBIDDEN"
    );

    let by_slug = app
        .ana()
        .gql("{ workspaceBySlug(slug: \"atelier\") { name } }", json!({}))
        .await;
    assert_eq!(
        by_slug.text("/workspaceBySlug/name"),
        "Atelier",
        "the refused changes changed nothing"
    );
}

#[tokio::test]
async fn members_are_listed_by_name_page_by_page() {
    let app = TestApp::start().await;
    let workspace = app.ana.workspace();
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Viewer,
    )
    .await;
    let names: Vec<_> = members(&app.ben(), &workspace)
        .await
        .into_iter()
        .map(|member| (member.1, member.2))
        .collect();
    let expected =
        [("Ana", "OWNER"), ("Ben", "VIEWER")].map(|(name, role)| (name.to_owned(), role.to_owned()));
    assert_eq!(names, expected);

    let document = "query ($id: ID!, $after: String) { workspace(id: $id) {
        members(first: 1, after: $after) { totalCount nodes { user { name email } } pageInfo { hasNextPage endCursor } } } }";
    let first = app.ana().gql(document, json!({ "id": workspace })).await;
    assert_eq!(first.at("/workspace/members/totalCount"), 2);
    assert_eq!(first.at("/workspace/members/pageInfo/hasNextPage"), true);
    let after = first.text("/workspace/members/pageInfo/endCursor");
    let second = app
        .ana()
        .gql(document, json!({ "id": workspace, "after": after }))
        .await;
    assert_eq!(
        second.text("/workspace/members/nodes/0/user/email"),
        "ben@example.org"
    );
    assert_eq!(second.at("/workspace/members/pageInfo/hasNextPage"), false);
    let bad = app
        .ana()
        .gql(document, json!({ "id": workspace, "after": "nonsense" }))
        .await;
    assert_eq!(bad.error_code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn roles_change_within_the_rules() {
    let app = TestApp::start().await;
    let workspace = app.ana.workspace();
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Admin,
    )
    .await;
    let ana = member_id(&app.ana(), &workspace, "Ana").await;
    let ben = member_id(&app.ana(), &workspace, "Ben").await;
    let change = async |client: Client<'_>, id: &str, role: &str| {
        client.gql(ROLE, json!({ "id": id, "role": role })).await
    };

    assert_eq!(
        change(app.ben(), &ben, "OWNER").await.error_code(),
        "FORBIDDEN",
        "only owners make owners"
    );
    assert_eq!(
        change(app.ben(), &ana, "MEMBER").await.error_code(),
        "FORBIDDEN",
        "only owners unmake owners"
    );
    assert_eq!(
        change(app.ana(), &ana, "ADMIN")
            .await
            .user_error("updateMemberRole"),
        "LAST_OWNER memberId"
    );
    let raised = change(app.ana(), &ben, "OWNER")
        .await
        .succeeded("updateMemberRole");
    assert_eq!(raised.text("/updateMemberRole/member/role"), "OWNER");
    change(app.ana(), &ana, "MEMBER")
        .await
        .succeeded("updateMemberRole");
    assert_eq!(
        change(app.ana(), &ben, "MEMBER").await.error_code(),
        "FORBIDDEN",
        "power is gone at once"
    );
    assert_eq!(
        change(app.ben(), "mem_01jdb2k9x4e5vb4pex5vsknk08", "MEMBER")
            .await
            .error_code(),
        "NOT_FOUND"
    );
    assert_eq!(
        change(app.ben(), "nonsense", "MEMBER").await.error_code(),
        "NOT_FOUND"
    );
    assert_eq!(
        change(app.guest(), &ben, "MEMBER").await.error_code(),
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn members_are_removed_or_leave_and_see_nothing_more() {
    let app = TestApp::start().await;
    let workspace = app.ana.workspace();
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Viewer,
    )
    .await;
    let ana = member_id(&app.ana(), &workspace, "Ana").await;
    let ben = member_id(&app.ana(), &workspace, "Ben").await;
    let remove = async |client: Client<'_>, id: &str| client.gql(REMOVE, json!({ "id": id })).await;

    assert_eq!(remove(app.ben(), &ana).await.error_code(), "FORBIDDEN");
    assert_eq!(
        remove(app.ana(), &ana).await.user_error("removeMember"),
        "LAST_OWNER memberId"
    );
    let document = "subscription ($id: ID!) { taskChanged(workspaceId: $id) { taskId } }";
    let mut stream = app.ben().subscribe(document, json!({ "id": workspace }));
    let first = tokio::time::timeout(std::time::Duration::from_millis(100), stream.next()).await;
    assert!(first.is_err(), "the stream is open and silent");

    let left = remove(app.ben(), &ben).await.succeeded("removeMember");
    assert_eq!(left.text("/removeMember/removedMemberId"), ben);
    let end = tokio::time::timeout(std::time::Duration::from_secs(5), stream.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        end.error_code(),
        "NOT_FOUND",
        "the stream ends without waiting for a task"
    );
    let gone = app
        .ben()
        .gql(
            "query ($id: ID!) { workspace(id: $id) { id } }",
            json!({ "id": workspace }),
        )
        .await;
    assert_eq!(gone.at("/workspace"), Value::Null);
    assert_eq!(remove(app.ben(), &ben).await.error_code(), "NOT_FOUND");
    assert_eq!(members(&app.ana(), &workspace).await.len(), 1);
}

#[tokio::test]
async fn deleting_a_team_takes_its_name_and_everything_in_it() {
    let app = TestApp::start().await;
    let made = create(&app.ana(), json!({ "name": "Gone soon" })).await;
    let id = made.text("/createWorkspace/workspace/id");
    let task = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { userErrors { code } } }";
    app.ana()
        .gql(task, json!({ "input": { "workspaceId": id, "title": "T" } }))
        .await
        .succeeded("createTask");
    join(&app.platform, &app.ben, id.parse().unwrap(), WorkspaceRole::Admin).await;
    let delete =
        async |client: Client<'_>, slug: &str| client.gql(DELETE, json!({ "id": id, "slug": slug })).await;

    assert_eq!(delete(app.ben(), "gone-soon").await.error_code(), "FORBIDDEN");
    assert_eq!(
        delete(app.ana(), "gone").await.user_error("deleteWorkspace"),
        "INVALID confirmSlug"
    );
    assert_eq!(
        delete(app.guest(), "gone-soon").await.error_code(),
        "UNAUTHENTICATED"
    );
    let answer = delete(app.ana(), "gone-soon").await.succeeded("deleteWorkspace");
    assert_eq!(answer.text("/deleteWorkspace/deletedWorkspaceId"), id);
    assert_eq!(delete(app.ana(), "gone-soon").await.error_code(), "NOT_FOUND");
    let rest = app
        .ben()
        .gql("{ viewer { workspaces { slug } } }", json!({}))
        .await;
    assert_eq!(rest.at("/viewer/workspaces"), json!([{ "slug": "ben" }]));
}

#[tokio::test]
async fn a_person_starts_with_a_workspace_of_their_own_that_stays() {
    let app = TestApp::start().await;
    let new = |email: &str| NewPerson {
        name: "Cem Öz".into(),
        email: email.into(),
        is_email_verified: true,
        is_admin: false,
        time_zone: "Europe/Istanbul".into(),
        locale: "tr".into(),
    };
    let (person, workspace) = workspaces::create_personal(&app.platform, new(" Cem@Example.org"))
        .await
        .unwrap();
    assert_eq!(
        (person.email.as_str(), workspace.slug.as_str()),
        ("cem@example.org", "cem-oez")
    );
    let taken = workspaces::create_personal(&app.platform, new("cem@example.org"))
        .await
        .unwrap_err();
    assert_eq!(
        taken.to_string(),
        "Somebody with this e-mail address exists already."
    );
    assert!(
        workspaces::create_personal(&app.platform, new("nobody"))
            .await
            .is_err()
    );

    let cem = app.client_as(meridian::access::Identity::Session {
        user_id: person.id,
        session_id: app.platform.ids.next(),
        is_admin: false,
    });
    let id: WorkspaceId = workspace.id;
    let variables = json!({ "id": id.to_string(), "slug": "cem-oez" });
    assert_eq!(
        cem.gql(DELETE, variables).await.user_error("deleteWorkspace"),
        "INVALID_STATE id"
    );
    let own = cem.gql("{ viewer { workspaces { type members { nodes { id } } } preferences { defaultWorkspace { slug } } } }", json!({})).await;
    assert_eq!(own.text("/viewer/workspaces/0/type"), "PERSONAL");
    assert_eq!(own.text("/viewer/preferences/defaultWorkspace/slug"), "cem-oez");
    let member = own.text("/viewer/workspaces/0/members/nodes/0/id");
    assert_eq!(
        cem.gql(REMOVE, json!({ "id": member }))
            .await
            .user_error("removeMember"),
        "LAST_OWNER memberId"
    );
}

#[tokio::test]
async fn what_a_former_member_connected_stops_syncing() {
    let app = TestApp::start().await;
    let workspace = app.ana.workspace();
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Admin,
    )
    .await;
    let id: IntegrationId = app.platform.ids.next();
    let owner = app.ben.user_id;
    let body = |tx: Tx| async move {
        let row = integration::ActiveModel {
            id: Set(id),
            owner_id: Set(owner),
            provider: Set(IntegrationProvider::IcsFeed),
            account_label: Set("Feed".into()),
            status: Set(IntegrationStatus::Active),
            server_url: Set(None),
            username: Set(None),
            sealed_credentials: Set(Some(vec![1])),
            settings: Set(json!({})),
            refresh_minutes: Set(60),
            last_synced_at: Set(None),
            next_sync_at: Set(Some(tx.now())),
            last_error: Set(None),
            version: Set(1),
            created_at: Set(tx.now()),
            updated_at: Set(tx.now()),
            ..Default::default()
        };
        tx.insert(row).await.map(drop)
    };
    let scope = Scope::Workspace(app.ana.workspace_id);
    app.platform.write(scope, Actor::system(), body).await.unwrap();
    let ben = member_id(&app.ana(), &workspace, "Ben").await;
    app.ana()
        .gql(REMOVE, json!({ "id": ben }))
        .await
        .succeeded("removeMember");
    let read = app
        .platform
        .db
        .read_workspace(app.ana.workspace_id)
        .await
        .unwrap();
    let row = read
        .find::<integration::Entity>()
        .one(&read)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.status, IntegrationStatus::NeedsReauth);
    assert_eq!(
        (row.sealed_credentials, row.next_sync_at, row.version),
        (None, None, 2)
    );
}
