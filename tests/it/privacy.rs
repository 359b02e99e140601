//! What is known about a person: every column is in the registry, everything personal is told, and nothing is left after erasing but what the
//! registry keeps, with its reason.

use std::collections::BTreeSet;

use entity::enums::WorkspaceRole;
use meridian::access;
use meridian::access::oidc::Verified;
use meridian::features::people::NewPerson;
use meridian::features::privacy::{self, Class, TABLES};
use meridian::features::{accounts, workspaces};
use meridian::kernel::actor::{Origin, ReplyKey};
use meridian::platform::db::Scope;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::{Client, Person, TestApp};

const DELETE: &str = "mutation($email: EmailAddress!) { deleteViewer(confirmEmail: $email) { deletedUserId userErrors { code field message } } }";

#[test]
fn every_column_is_in_the_registry_once() {
    let mut problems = Vec::new();
    let declared: BTreeSet<(String, String)> = entity::catalog()
        .into_iter()
        .flat_map(|table| {
            table
                .columns
                .into_iter()
                .map(move |column| (table.name.clone(), column.name))
        })
        .collect();
    let mut registered = BTreeSet::new();
    for table in TABLES {
        for (column, _) in table.columns() {
            if !registered.insert((table.name.to_owned(), column.to_owned())) {
                problems.push(format!("{}.{column} is there twice", table.name));
            }
        }
    }
    problems.extend(
        declared
            .difference(&registered)
            .map(|(table, column)| format!("{table}.{column} is not classified")),
    );
    problems.extend(
        registered
            .difference(&declared)
            .map(|(table, column)| format!("{table}.{column} does not exist")),
    );
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Dora, with a trace of herself in many places.
async fn dora(app: &TestApp) -> Person {
    let new = NewPerson {
        name: "Dora Canary".into(),
        email: "dora.canary@example.org".into(),
        is_email_verified: true,
        is_admin: false,
        time_zone: "UTC".into(),
        locale: "en".into(),
    };
    let (person, home) = workspaces::create_personal(&app.platform, new).await.unwrap();
    let who = Verified {
        provider: entity::enums::AuthProvider::Oidc,
        provider_name: "acme".into(),
        issuer: Some("https://id.example.org".into()),
        subject: "canary-subject".into(),
        email: Some("dora.canary@example.org".into()),
        name: None,
        locale: None,
        time_zone: None,
        scopes: vec!["openid".into()],
    };
    let origin = Origin {
        request_id: None,
        ip_address: Some("203.0.113.77".into()),
        user_agent: Some("canary browser".into()),
        ..Origin::default()
    };
    let session = accounts::sign_in(&app.platform, &who, origin)
        .await
        .unwrap()
        .unwrap();
    let dora = Person {
        user_id: person.id,
        workspace_id: home.id,
        session_id: session.id,
    };
    let client = app.client(&dora);
    let task = json!({ "input": { "workspaceId": dora.workspace(), "title": "canary task" } });
    client
        .gql(
            "mutation($input: CreateTaskInput!) { createTask(input: $input) { userErrors { code } } }",
            task,
        )
        .await
        .succeeded("createTask");
    let token = json!({ "input": { "name": "canary token", "scopes": ["READ"] } });
    client.gql("mutation($input: CreateApiTokenInput!) { createApiToken(input: $input) { userErrors { code } } }", token).await.succeeded("createApiToken");
    crate::support::join(&app.platform, &dora, app.ana.workspace_id, WorkspaceRole::Member).await;
    let shared = json!({ "input": { "workspaceId": app.ana.workspace(), "title": "shared errand" } });
    client
        .gql(
            "mutation($input: CreateTaskInput!) { createTask(input: $input) { userErrors { code } } }",
            shared,
        )
        .await
        .succeeded("createTask");
    let key = ReplyKey {
        caller: format!("{}/session", dora.user_id),
        key: "canary key".into(),
    };
    access::claim(&app.platform, &key, vec![1]).await.unwrap();
    access::keep(&app.platform, &key, "{\"data\":\"canary answer\"}", false)
        .await
        .unwrap();
    dora
}

async fn delete(client: &Client<'_>, email: &str) -> crate::support::Answer {
    client.gql(DELETE, json!({ "email": email })).await
}

#[tokio::test]
async fn a_person_is_told_what_is_known_about_them() {
    let app = TestApp::start().await;
    let dora = dora(&app).await;
    let known = privacy::export(&app.platform, dora.user_id).await.unwrap();
    let text = known.to_string();
    for canary in [
        "Dora Canary",
        "dora.canary@example.org",
        "canary-subject",
        "203.0.113.77",
        "canary browser",
        "canary task",
        "canary token",
        "shared errand",
    ] {
        assert!(text.contains(canary), "{canary} is not told");
    }
    let tables = known["tables"].as_object().unwrap();
    for table in TABLES {
        for row in tables
            .get(table.name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            for (column, class) in table.columns() {
                assert_eq!(
                    row.get(column).is_some(),
                    class != Class::Secret,
                    "{}.{column}",
                    table.name
                );
            }
        }
    }
    assert!(
        !text.contains("ben@example.org") && !text.contains("ana@example.org"),
        "nothing about others"
    );
}

#[tokio::test]
async fn nothing_is_left_of_a_person_but_what_is_kept_for_a_reason() {
    let app = TestApp::start().await;
    let dora = dora(&app).await;
    let client = app.client(&dora);
    assert_eq!(
        delete(&client, "ana@example.org")
            .await
            .user_error("deleteViewer"),
        "INVALID confirmEmail"
    );
    let done = delete(&client, "Dora.Canary@example.org")
        .await
        .succeeded("deleteViewer");
    assert_eq!(done.at("/deleteViewer/deletedUserId"), dora.user_id.to_string());

    // Every column of every table is searched, except those that the registry keeps.
    let read = app.platform.db.read(Scope::System).await.unwrap();
    let backend = read.get_database_backend();
    let mut found = Vec::new();
    let ids = [
        dora.user_id.0.to_string(),
        dora.user_id.0.simple().to_string(),
        dora.workspace_id.0.to_string(),
        dora.workspace_id.0.simple().to_string(),
        dora.user_id.to_string(),
    ];
    for table in TABLES {
        let kept = |column: &str| {
            table.concerns.iter().any(|concern| matches!(concern, privacy::Concern::Kept(name, _) if *name == column))
                // The address and the browser of an entry stay with it, as its actor does.
                || (table.name == "audit_logs" && matches!(column, "ip_address" | "user_agent" | "entity_id" | "changes"))
        };
        for (column, _) in table.columns().filter(|(column, _)| !kept(column)) {
            let text = if read.is_postgres() {
                format!("CAST({column} AS text)")
            } else {
                format!(
                    "CASE typeof({column}) WHEN 'blob' THEN lower(hex({column})) ELSE CAST({column} AS TEXT) END"
                )
            };
            let sql = format!("SELECT {text} FROM {}", table.name);
            for row in read
                .query_all_raw(Statement::from_string(backend, sql))
                .await
                .unwrap()
            {
                let value: Option<String> = row.try_get_by_index(0).unwrap();
                let value = value.unwrap_or_default();
                if value.to_lowercase().contains("canary")
                    || value.contains("203.0.113.77")
                    || ids.iter().any(|id| value.contains(id.as_str()))
                {
                    found.push(format!("{}.{column}: {value}", table.name));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));

    // What she did for others stays with them, without her name; the chain of their log is whole.
    let tasks = app
        .ana()
        .gql(
            "query($id: ID!) { workspace(id: $id) { tasks { nodes { title } } members { totalCount } } }",
            json!({ "id": app.ana.workspace() }),
        )
        .await;
    assert_eq!(tasks.at("/workspace/tasks/nodes/0/title"), "shared errand");
    assert_eq!(tasks.at("/workspace/members/totalCount"), 1);
    let gone = client.gql("{ viewer { id } }", json!({})).await;
    assert_eq!(gone.error_code(), "UNAUTHENTICATED");
    let verified = meridian::features::audit::verify(&meridian::access::Ctx::system(
        &app.platform,
        app.ana.workspace_id,
    ))
    .await;
    assert!(verified.is_ok());
}

#[tokio::test]
async fn a_deletion_that_broke_off_goes_on_with_the_same_key() {
    let app = TestApp::start().await;
    let dora = dora(&app).await;
    // A home that she cannot leave by herself stands in for a crash between the teams and the rest.
    let new = NewPerson {
        name: "Host".into(),
        email: "host@example.org".into(),
        is_email_verified: true,
        is_admin: false,
        time_zone: "UTC".into(),
        locale: "en".into(),
    };
    let (_, home) = workspaces::create_personal(&app.platform, new).await.unwrap();
    crate::support::join(&app.platform, &dora, home.id, WorkspaceRole::Viewer).await;

    let caller = app.client(&dora).caller;
    let key = caller.reply_key("once").unwrap();
    access::claim(&app.platform, &key, vec![1]).await.unwrap();
    let asking = access::Access::new(app.platform.clone(), caller.once(key.clone()));
    let broke_off = privacy::delete_viewer(&asking, "dora.canary@example.org").await;
    assert!(broke_off.is_err());
    let members = app
        .ana()
        .gql(
            "query($id: ID!) { workspace(id: $id) { members { totalCount } } }",
            json!({ "id": app.ana.workspace() }),
        )
        .await;
    assert_eq!(members.at("/workspace/members/totalCount"), 1);

    // Nothing says that it was carried out: once whoever ran it is gone, it is run again.
    app.advance(chrono::TimeDelta::minutes(5));
    let again = access::claim(&app.platform, &key, vec![1]).await;
    assert!(matches!(again, Ok(access::Claim::First)));
}

#[tokio::test]
async fn an_only_owner_hands_over_first() {
    let app = TestApp::start().await;
    let refused = delete(&app.ana(), "ana@example.org").await;
    assert_eq!(refused.user_error("deleteViewer"), "LAST_OWNER");
    let still = app
        .ana()
        .gql("{ viewer { workspaces { slug } } }", json!({}))
        .await;
    assert_eq!(still.at("/viewer/workspaces/0/slug"), "ana");
    assert_eq!(
        delete(&app.guest(), "ana@example.org").await.error_code(),
        "UNAUTHENTICATED"
    );
    crate::support::join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Owner,
    )
    .await;
    delete(&app.ana(), "ana@example.org")
        .await
        .succeeded("deleteViewer");
    let owner = app
        .ben()
        .gql(
            "query($id: ID!) { workspace(id: $id) { members { nodes { user { name } } } } }",
            json!({ "id": app.ana.workspace() }),
        )
        .await;
    assert_eq!(
        owner.at("/workspace/members/nodes"),
        json!([{ "user": { "name": "Ben" } }])
    );
}

#[tokio::test]
async fn personal_data_is_a_download_of_its_person_only() {
    let server = Server::start().await;
    assert_eq!(
        server.send("GET", "/auth/personal-data", &[], "").await.status,
        401
    );
    let dora = dora(&server.app).await;
    let origin = Origin::default();
    let session = meridian::access::create_session(&server.app.platform, dora.user_id, origin)
        .await
        .unwrap();
    let browser = Browser::new(&server);
    browser.set_cookie("meridian", &session.secret);
    let reply = browser.get("/auth/personal-data").await;
    assert_eq!(reply.status, 200);
    assert!(reply.header("content-disposition").contains("attachment"));
    assert_eq!(reply.header("cache-control"), "private, no-store");
    assert_eq!(reply.json()["person"]["email"], "dora.canary@example.org");
}
