//! What is known about a person: every column is in the registry, everything personal is told, and nothing is left after erasing but what the
//! registry keeps, with its reason.

use std::collections::BTreeSet;

use entity::enums::WorkspaceRole;
use entity::{data_transfer, job, notification, transfer_chunk};
use meridian::access::oidc::Verified;
use meridian::access::{self, Ctx};
use meridian::features::calendars::{self, NewCalendar};
use meridian::features::letters::{self, Item, Letter};
use meridian::features::people::NewPerson;
use meridian::features::privacy::{self, Class, SHADOWS, TABLES};
use meridian::features::{accounts, transfers, workspaces};
use meridian::kernel::actor::{Actor, Origin, ReplyKey};
use meridian::kernel::jobs::Payload;
use meridian::platform::db::{Read, Scope, Tx};
use meridian::platform::jobs::{ProgressHandle, RunningJob};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, PaginatorTrait as _, QueryFilter as _, Statement};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::browser::Browser;
use crate::support::chores::waiting;
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
    let task = json!({ "input": { "workspaceId": dora.workspace(), "title": "canary task zyzzyva" } });
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
    meet(app, &dora).await;
    write_to(app, "dora.canary@example.org", "canary-letter").await;
    write_to(app, "ana@example.org", "letter-to-ana").await;
    export(app, &dora).await;
    dora
}

/// In a calendar of Ana's team, which is nobody's own: an event that Dora organizes and moves, and one that she is a guest of.
async fn meet(app: &TestApp, dora: &Person) {
    let new = NewCalendar {
        name: "Team".into(),
        description: None,
        color: None,
        time_zone: None,
    };
    let team = Ctx::system(&app.platform, app.ana.workspace_id);
    let calendar = calendars::create(&team, new).await.unwrap().id.to_string();
    let create = async |client: &Client<'_>, title: &str, guest: Value| {
        let time = json!({ "timed": { "start": "2026-03-03T09:00:00Z", "end": "2026-03-03T10:00:00Z" } });
        let input = json!({ "calendarId": calendar, "title": title, "time": time, "attendees": [guest] });
        client
            .gql("mutation($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { calendarEvent { id } userErrors { code message } } }", json!({ "input": input }))
            .await
            .succeeded("createCalendarEvent")
            .text("/createCalendarEvent/calendarEvent/id")
    };
    let client = app.client(dora);
    let hers = create(&client, "shared meeting", json!({ "email": "ana@example.org" })).await;
    // Later, so that Ana is known to have been invited before.
    app.advance(chrono::Duration::minutes(1));
    let later = json!({ "id": hers, "start": "2026-03-04T09:00:00Z" });
    client
        .gql("mutation($id: ID!, $start: DateTime!) { moveCalendarEvent(id: $id, start: $start) { userErrors { code message } } }", later)
        .await
        .succeeded("moveCalendarEvent");
    let guest = json!({ "email": "dora.canary@example.org", "name": "Dora Canary" });
    let anas = create(&app.ana(), "shared review", guest).await;
    let answer = json!({ "id": anas, "comment": "canary comment" });
    client
        .gql("mutation($id: ID!, $comment: String) { respondToCalendarEvent(id: $id, response: ACCEPTED, comment: $comment) { userErrors { code message } } }", answer)
        .await
        .succeeded("respondToCalendarEvent");
}

/// A sealed letter that waits.
async fn write_to(app: &TestApp, address: &str, key: &str) {
    let letter = Letter::Notification(Item {
        title: "Something happened".into(),
        body: None,
        workspace: None,
        link: "https://example.org/".into(),
    });
    let sealed = letters::seal(&app.platform, address, None, letter).unwrap();
    let body = |tx: Tx| {
        let (sealed, key) = (sealed.clone(), key.to_owned());
        async move { letters::enqueue_once_in(&tx, &sealed, None, key).await.map(drop) }
    };
    app.platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
}

/// A file of Ana's team for Dora, ready to be fetched by whoever has its address.
async fn export(app: &TestApp, dora: &Person) {
    let input = json!({ "input": { "workspaceId": app.ana.workspace(), "format": "CSV" } });
    app.client(dora)
        .gql("mutation($input: StartExportInput!) { startExport(input: $input) { userErrors { code message } } }", input)
        .await
        .succeeded("startExport");
    for row in waiting(app, "transfer_data").await {
        let payload: Payload = serde_json::from_value(row.payload.clone()).unwrap();
        let job = RunningJob {
            id: row.id,
            attempt: 1,
            payload,
            workspace_id: row.workspace_id,
            created_by: row.created_by,
            cancel: CancellationToken::new(),
            progress: ProgressHandle::channel().0,
        };
        transfers::run(&app.platform, &job).await.unwrap();
    }
}

/// What of Dora is where no column can be searched: letters, files, notifications of others in her name, and rows or pages of the search
/// index that have words of hers.
async fn hidden_traces(read: &Read) -> [u64; 5] {
    let letters = read
        .find::<job::Entity>()
        .filter(job::Column::Kind.eq("send_mail"));
    let names = read
        .find_global::<notification::Entity>()
        .filter(notification::Column::Title.contains("Dora"));
    let pieces = read.find::<transfer_chunk::Entity>().count(read).await.unwrap();
    let mut words = 0;
    if !read.is_postgres() {
        let hex: String = "yzzyva".bytes().map(|byte| format!("{byte:02X}")).collect();
        for sql in [
            "SELECT count(*) FROM search_texts WHERE title LIKE '%canary%'".to_owned(),
            format!("SELECT count(*) FROM search_texts_data WHERE instr(hex(block), '{hex}') > 0"),
        ] {
            let row = read
                .query_one_raw(Statement::from_string(read.get_database_backend(), sql))
                .await
                .unwrap()
                .unwrap();
            let count: i64 = row.try_get_by_index(0).unwrap();
            words += u64::from(count > 0);
        }
    }
    [
        letters.count(read).await.unwrap(),
        names.count(read).await.unwrap(),
        read.find::<data_transfer::Entity>().count(read).await.unwrap(),
        pieces.min(1),
        words,
    ]
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
async fn whoever_has_left_is_not_told_what_others_write_there() {
    let app = TestApp::start().await;
    let dora = dora(&app).await;
    let team = "query ($id: ID!) { workspace(id: $id) { members(first: 9) { nodes { id user { name } } } tasks(first: 9) { nodes { id title } } } }";
    let team = app.ana().gql(team, json!({ "id": app.ana.workspace() })).await;
    let id_of = |list: &str, name: &str, wanted: &str| {
        let all = team.at(list);
        let found = all.as_array().unwrap().iter();
        let mut found = found.filter(|row| row.pointer(name).unwrap() == wanted);
        found.next().unwrap()["id"].clone()
    };
    let member = id_of("/workspace/members/nodes", "/user/name", "Dora Canary");
    let task = id_of("/workspace/tasks/nodes", "/title", "shared errand");
    let remove = "mutation ($id: ID!) { removeMember(memberId: $id) { userErrors { code } } }";
    let removed = app.ana().gql(remove, json!({ "id": member })).await;
    removed.succeeded("removeMember");
    let rename = "mutation ($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { userErrors { code } } }";
    let input = json!({ "title": "what nobody outside knows" });
    let renamed = app.ana().gql(rename, json!({ "id": task, "input": input })).await;
    renamed.succeeded("updateTask");
    let known = privacy::export(&app.platform, dora.user_id).await.unwrap();
    let text = known.to_string();
    for theirs in ["what nobody outside knows", "shared errand", "shared meeting"] {
        assert!(!text.contains(theirs), "{theirs} is told");
    }
    for own in ["canary task", "canary comment", "canary-subject"] {
        assert!(text.contains(own), "{own} is not told");
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_person_but_what_is_kept_for_a_reason() {
    let app = TestApp::start().await;
    let dora = dora(&app).await;
    let client = app.client(&dora);
    let read = app.platform.db.read(Scope::System).await.unwrap();
    let words = if read.is_postgres() { 0 } else { 2 };
    // She invited Ana and moved the event.
    assert_eq!(hidden_traces(&read).await, [2, 2, 1, 1, words]);
    drop(read);
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
    assert_eq!(hidden_traces(&read).await, [1, 0, 0, 0, 0], "Ana's letter stays");
    for shadow in SHADOWS.iter().filter(|_| !read.is_postgres()) {
        for (column, _) in shadow.columns {
            let sql = format!(
                "SELECT count(*) FROM {} WHERE {column} LIKE '%canary%'",
                shadow.name
            );
            let row = read
                .query_one_raw(Statement::from_string(backend, sql))
                .await
                .unwrap();
            let count: i64 = row.unwrap().try_get_by_index(0).unwrap();
            assert_eq!(count, 0, "{}.{column}", shadow.name);
        }
    }

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
    let events = app
        .ana()
        .gql(
            "query($id: ID!) { workspace(id: $id) { calendarEvents { nodes { title attendees { email name } organizer { email name } } } } }",
            json!({ "id": app.ana.workspace() }),
        )
        .await;
    let events = events.at("/workspace/calendarEvents/nodes");
    let of = |title: &str| {
        let mut all = events.as_array().unwrap().iter();
        all.find(|event| event["title"] == title).cloned().unwrap()
    };
    let address = json!({ "email": "dora.canary@example.org", "name": null });
    assert_eq!(of("shared meeting")["organizer"], address);
    assert_eq!(of("shared review")["attendees"], json!([address]));
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
