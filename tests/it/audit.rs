//! The audit log through the API, and its hash chain.

use std::collections::BTreeSet;

use entity::enums::{ActorKind, ApiTokenScope, AuthProvider, JobStatus, VerificationPurpose, WorkspaceRole};
use entity::ids::{JobId, UserId};
use entity::{audit_log, job, session, user};
use meridian::access::oidc::Verified;
use meridian::access::one_use::{self, NewOneUse};
use meridian::access::{Ctx, Identity};
use meridian::features::people::{self, NewPerson};
use meridian::features::{accounts, audit, workspaces};
use meridian::kernel::actor::{Actor, Origin};
use meridian::kernel::jobs::{NewJob, Payload};
use meridian::platform::db::{Scope, Tx, migration_connection};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, QueryFilter as _, QueryOrder as _, Set};
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::plans::{command, plan, prefer};
use crate::support::server::{Reply, Server};
use crate::support::{Answer, Backend, Client, Person, TestApp, create_person, join};

const LIST: &str = r"
    query ($id: ID!, $filter: AuditLogFilter, $first: Int, $after: String) {
      workspace(id: $id) {
        auditLogs(filter: $filter, first: $first, after: $after) {
          totalCount
          nodes { id action entityType entityId changes createdAt actor { name } apiToken { name } }
          pageInfo { hasNextPage endCursor }
        }
      }
    }";
const TASK: &str = r"
    mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";

async fn task(app: &TestApp, client: &Client<'_>, title: &str) -> String {
    let input = json!({ "input": { "workspaceId": app.ana.workspace(), "title": title } });
    client
        .gql(TASK, input)
        .await
        .succeeded("createTask")
        .text("/createTask/task/id")
}

async fn complete(client: &Client<'_>, id: &str) {
    let document = "mutation ($id: ID!) { completeTask(id: $id) { userErrors { code } } }";
    client
        .gql(document, json!({ "id": id }))
        .await
        .succeeded("completeTask");
}

async fn list(app: &TestApp, client: &Client<'_>, more: Value) -> Answer {
    let mut variables = json!({ "id": app.ana.workspace() });
    variables
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    client.gql(LIST, variables).await
}

fn actions(answer: &Answer) -> Vec<String> {
    let nodes = answer.at("/workspace/auditLogs/nodes");
    nodes
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["action"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn every_command_leaves_an_entry_that_says_who_and_what() {
    let app = TestApp::start().await;
    let id = task(&app, &app.ana(), "Taxes").await;
    let made = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { apiToken { id } userErrors { code } } }";
    let input = json!({ "input": { "name": "CI", "scopes": ["WRITE"], "workspaceId": app.ana.workspace() } });
    let token = app
        .ana()
        .gql(made, input)
        .await
        .text("/createApiToken/apiToken/id");
    let with_token = app.client_as(Identity::Token {
        user_id: app.ana.user_id,
        token_id: token.parse().unwrap(),
        scope: ApiTokenScope::Write,
        workspace_id: Some(app.ana.workspace_id),
        is_admin: false,
    });
    complete(&with_token, &id).await;

    let all = list(&app, &app.ana(), json!({})).await;
    assert_eq!(
        actions(&all),
        ["task.completed", "api_token.created", "task.created"],
        "newest first"
    );
    assert_eq!(all.at("/workspace/auditLogs/totalCount"), 3);
    let newest = all.at("/workspace/auditLogs/nodes/0");
    assert_eq!(newest["actor"]["name"], "Ana");
    assert_eq!(newest["apiToken"]["name"], "CI");
    assert_eq!(newest["entityType"], "Task");
    assert_eq!(newest["entityId"], id.as_str());
    assert_eq!(
        newest["changes"]["status"],
        json!({ "from": "todo", "to": "done" })
    );
    assert_eq!(
        all.at("/workspace/auditLogs/nodes/1/apiToken"),
        Value::Null,
        "made in a browser"
    );
    assert_eq!(all.at("/workspace/auditLogs/nodes/1/entityId"), token.as_str());

    let node = "query ($id: ID!) { node(id: $id) { ... on AuditLog { action } } }";
    let entry = json!({ "id": newest["id"] });
    assert_eq!(
        app.ana().gql(node, entry.clone()).await.text("/node/action"),
        "task.completed"
    );
    assert_eq!(app.ben().gql(node, entry).await.at("/node"), Value::Null);
}

#[tokio::test]
async fn entries_are_found_by_person_action_object_and_time() {
    let app = TestApp::start().await;
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    let first = task(&app, &app.ana(), "First").await;
    app.advance(chrono::Duration::hours(1));
    let second = task(&app, &app.ben(), "Second").await;
    complete(&app.ana(), &first).await;
    let range = |start: &str, end: &str| json!({ "range": { "start": start, "end": end } });
    let cases = [
        (
            json!({ "actorIds": [app.ben.user_id.to_string()] }),
            vec!["task.created"],
        ),
        (json!({ "actorIds": ["nonsense"] }), vec![]),
        (json!({ "actions": ["task.completed"] }), vec!["task.completed"]),
        (
            json!({ "actions": ["task.*"] }),
            vec!["task.completed", "task.created", "task.created"],
        ),
        (json!({ "actions": ["task_*", "%", "*k"] }), vec![]),
        (json!({ "actions": [] }), vec![]),
        (
            json!({ "entityId": first }),
            vec!["task.completed", "task.created"],
        ),
        (
            json!({ "entityId": second, "actions": ["task.completed"] }),
            vec![],
        ),
        (json!({ "entityId": "nonsense" }), vec![]),
        (
            range("2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"),
            vec!["task.created"],
        ),
        (
            range("2026-03-02T10:00:00Z", "2026-03-02T10:00:01Z"),
            vec!["task.completed", "task.created"],
        ),
    ];
    for (filter, expected) in cases {
        let answer = list(&app, &app.ana(), json!({ "filter": filter })).await;
        assert_eq!(actions(&answer), expected, "{filter}");
    }
    let backwards = range("2026-03-02T10:00:00Z", "2026-03-02T09:00:00Z");
    assert_eq!(
        list(&app, &app.ana(), json!({ "filter": backwards }))
            .await
            .error_code(),
        "BAD_USER_INPUT"
    );

    let page = list(&app, &app.ana(), json!({ "first": 2 })).await;
    assert_eq!(page.at("/workspace/auditLogs/pageInfo/hasNextPage"), true);
    let after = page.text("/workspace/auditLogs/pageInfo/endCursor");
    assert_eq!(
        actions(&list(&app, &app.ana(), json!({ "after": after })).await),
        ["task.created"]
    );
}

#[tokio::test]
async fn only_admins_read_it() {
    let app = TestApp::start().await;
    task(&app, &app.ana(), "Taxes").await;
    let entry = list(&app, &app.ana(), json!({}))
        .await
        .text("/workspace/auditLogs/nodes/0/id");
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    assert_eq!(list(&app, &app.ben(), json!({})).await.error_code(), "FORBIDDEN");
    let node = app
        .ben()
        .gql(
            "query ($id: ID!) { node(id: $id) { id } }",
            json!({ "id": entry }),
        )
        .await;
    assert_eq!(
        node.at("/node"),
        Value::Null,
        "what may not be seen does not exist"
    );
    assert_eq!(
        list(&app, &app.guest(), json!({})).await.error_code(),
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn a_changed_entry_breaks_the_chain() {
    let app = TestApp::start().await;
    for title in ["One", "Two", "Three"] {
        let id = task(&app, &app.ana(), title).await;
        complete(&app.ana(), &id).await;
    }
    let ctx = Ctx::system(&app.platform, app.ana.workspace_id);
    let whole = audit::verify(&ctx).await.unwrap();
    assert_eq!((whole.intact, whole.broken_at), (6, None));

    // Only somebody with the rights of the database's owner gets this far, and it still shows.
    let owner = migration_connection(app.database_url()).await.unwrap();
    let (off, on) = match Backend::from_env() {
        Backend::Embedded => ("DROP TRIGGER audit_logs_no_update", None),
        Backend::Production { .. } => {
            let on = "ALTER TABLE audit_logs ENABLE TRIGGER audit_logs_append_only";
            (
                "ALTER TABLE audit_logs DISABLE TRIGGER audit_logs_append_only",
                Some(on),
            )
        }
    };
    assert!(
        owner
            .execute_unprepared("UPDATE audit_logs SET action = 'task.deleted' WHERE seq = 4")
            .await
            .is_err()
    );
    owner.execute_unprepared(off).await.unwrap();
    owner
        .execute_unprepared("UPDATE audit_logs SET action = 'task.deleted' WHERE seq = 4")
        .await
        .unwrap();
    if let Some(on) = on {
        owner.execute_unprepared(on).await.unwrap();
    }
    let broken = audit::verify(&ctx).await.unwrap();
    assert_eq!((broken.intact, broken.broken_at), (3, Some(4)));
    owner.close().await.unwrap();
}

/// Every entry by or about somebody's doing in all logs, oldest first in each.
async fn entries(app: &TestApp, of: UserId) -> Vec<audit_log::Model> {
    let read = app.platform.db.read(Scope::System).await.unwrap();
    read.find::<audit_log::Entity>()
        .filter(audit_log::Column::ActorId.eq(of))
        .order_by_asc(audit_log::Column::Seq)
        .all(&read)
        .await
        .unwrap()
}

/// All entries of the log of somebody's workspace, oldest first.
async fn log(app: &TestApp, of: &Person) -> Vec<audit_log::Model> {
    let scope = Scope::Workspace(of.workspace_id);
    let read = app.platform.db.read(scope).await.unwrap();
    read.find::<audit_log::Entity>()
        .order_by_asc(audit_log::Column::Seq)
        .all(&read)
        .await
        .unwrap()
}

fn names(entries: &[audit_log::Model]) -> Vec<&str> {
    entries.iter().map(|entry| entry.action.as_str()).collect()
}

fn origin() -> Origin {
    Origin {
        request_id: Some("request-1".into()),
        ip_address: Some("203.0.113.7".into()),
        user_agent: Some("a browser".into()),
        reply: None,
    }
}

/// Fails unless each of these was done by this person, at a request that is known.
#[track_caller]
fn assert_from(entries: &[audit_log::Model], person: UserId, address: &str) {
    assert!(!entries.is_empty());
    for entry in entries {
        assert_eq!(
            (entry.actor_kind, entry.actor_id),
            (ActorKind::User, Some(person)),
            "{entry:?}"
        );
        assert_eq!(entry.ip_address.as_deref(), Some(address), "{entry:?}");
        assert!(entry.request_id.is_some(), "{entry:?}");
    }
}

async fn verified(app: &TestApp, of: &Person) {
    let ctx = Ctx::system(&app.platform, of.workspace_id);
    let whole = audit::verify(&ctx).await.unwrap();
    assert_eq!(whole.broken_at, None);
}

async fn act<T, F, Fut>(app: &TestApp, body: F) -> T
where
    F: Fn(Tx) -> Fut + Send + Sync,
    Fut: Future<Output = meridian::kernel::Result<T>> + Send,
    T: Send,
{
    app.platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_people_change_about_themselves_is_in_their_own_log() {
    let app = TestApp::start().await;
    let mut ana = app.ana();
    ana.caller.origin = origin();
    let profile =
        "mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { userErrors { code } } }";
    let settings = "mutation ($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { userErrors { code } } }";
    let kinds = "mutation ($input: UpdateNotificationPreferencesInput!) {
        updateNotificationPreferences(input: $input) { userErrors { code } } }";
    let channels = json!({ "preferences": [{ "type": "TASK_DUE", "channels": ["EMAIL", "IN_APP"] }] });
    let commands = [
        ("updateProfile", profile, json!({ "name": "Ana Canary" })),
        (
            "updatePreferences",
            settings,
            json!({ "bufferMinutes": 15, "locale": "tlh" }),
        ),
        ("updateNotificationPreferences", kinds, channels),
    ];
    // The second time everything is as it is.
    for _ in 0..2 {
        for (name, document, input) in &commands {
            ana.gql(document, json!({ "input": input })).await.succeeded(name);
        }
    }
    let entries = log(&app, &app.ana).await;
    assert_eq!(
        names(&entries),
        [
            "user.updated",
            "preferences.updated",
            "notification_preferences.updated"
        ]
    );
    assert_from(&entries, app.ana.user_id, "203.0.113.7");
    assert_eq!(entries[0].request_id.as_deref(), Some("request-1"));
    let changes: Vec<_> = entries.into_iter().filter_map(|entry| entry.changes).collect();
    assert_eq!(
        json!(changes),
        json!([
            { "name": { "changed": true } },
            { "bufferMinutes": { "from": 0, "to": 15 }, "locale": { "changed": true } },
            { "task_due": { "from": ["in_app"], "to": ["in_app", "email"] } },
        ]),
        "nothing that tells who or where she is"
    );
    verified(&app, &app.ana).await;
    assert!(log(&app, &app.ben).await.is_empty());
}

#[tokio::test]
async fn what_a_newcomer_founds_is_theirs_from_the_first_entry_on() {
    let app = TestApp::start().await;
    let who = Verified {
        provider: AuthProvider::Oidc,
        provider_name: "acme".into(),
        issuer: Some("https://id.example.org".into()),
        subject: "new".into(),
        email: Some("new@example.org".into()),
        name: None,
        locale: None,
        time_zone: None,
        scopes: Vec::new(),
    };
    let signed_in = accounts::sign_in(&app.platform, &who, origin()).await;
    let session_id = signed_in.unwrap().unwrap().id;
    let read = app.platform.db.read(Scope::System).await.unwrap();
    let select = read
        .find_global::<session::Entity>()
        .filter(session::Column::Id.eq(session_id));
    let person = select.one(&read).await.unwrap().unwrap().user_id;
    drop(read);
    let entries = entries(&app, person).await;
    assert_eq!(
        names(&entries),
        [
            "workspace.created",
            "member.added",
            "account.linked",
            "session.created"
        ]
    );
    assert_from(&entries, person, "203.0.113.7");
    let places: BTreeSet<_> = entries
        .iter()
        .map(|entry| entry.workspace_id.to_string())
        .collect();
    assert_eq!(places.len(), 1, "all in the personal workspace");
    assert_eq!(entries[3].changes.as_ref().unwrap()["provider"], "acme");
}

async fn dev_login(browser: &Browser<'_>) -> Reply {
    let body = json!({ "email": "ana@example.org" }).to_string();
    let reply = browser
        .send(
            "POST",
            "/auth/dev-login",
            &["Content-Type: application/json"],
            &body,
        )
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply
}

#[tokio::test]
async fn signing_in_and_out_says_who_and_from_where() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    let came = dev_login(&browser).await;
    let went = browser
        .send("POST", "/auth/logout", &["X-Meridian-Csrf: 1"], "")
        .await;
    assert_eq!(went.status, 204, "{went:?}");
    let entries = log(&server.app, &server.app.ana).await;
    assert_eq!(names(&entries), ["session.created", "session.revoked"]);
    assert_from(&entries, server.app.ana.user_id, "127.0.0.1");
    assert_eq!(entries[0].entity_id, entries[1].entity_id);
    for (entry, reply) in entries.iter().zip([came, went]) {
        assert_eq!(entry.request_id.as_deref(), Some(reply.header("x-request-id")));
    }
}

#[tokio::test]
async fn a_proven_address_is_on_record_also_when_nobody_is_signed_in() {
    let app = TestApp::start().await;
    let (ana, id) = (&app.ana, app.ana.user_id);
    act(&app, |tx| async move {
        let unproven = user::ActiveModel {
            email_verified_at: Set(None),
            ..Default::default()
        };
        let update = tx.update_global::<user::Entity>().set(unproven);
        update.filter(user::Column::Id.eq(id)).exec(tx.conn()).await?;
        Ok(())
    })
    .await;
    let new = NewOneUse {
        purpose: VerificationPurpose::VerifyEmail,
        user_id: Some(id),
        email: Some("ana@example.org".into()),
        secret: "the secret".into(),
        payload: None,
        life: chrono::Duration::hours(1),
    };
    one_use::store(&app.platform, new).await.unwrap();
    let mut guest = app.guest();
    guest.caller.origin = origin();
    let verify = "mutation ($token: String!) { verifyEmail(token: $token) { userErrors { code } } }";
    let wrong = guest.gql(verify, json!({ "token": "wrong" })).await;
    assert_eq!(wrong.user_error("verifyEmail"), "TOKEN_INVALID");
    let token = json!({ "token": "the secret" });
    guest.gql(verify, token.clone()).await.succeeded("verifyEmail");
    let again = guest.gql(verify, token).await;
    assert_eq!(again.user_error("verifyEmail"), "TOKEN_INVALID");
    let entries = log(&app, ana).await;
    assert_eq!(names(&entries), ["user.email_verified"]);
    assert_from(&entries, id, "203.0.113.7");
    verified(&app, ana).await;
}

/// Lets a job die as the last attempt would.
async fn die(app: &TestApp, id: JobId) {
    act(app, |tx| async move {
        let dead = job::ActiveModel {
            status: Set(JobStatus::Dead),
            attempts: Set(5),
            finished_at: Set(Some(tx.now())),
            ..Default::default()
        };
        let update = tx.update_many::<job::Entity>().set(dead);
        update.filter(job::Column::Id.eq(id)).exec(tx.conn()).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_operators_do_beside_all_workspaces_is_in_their_own_log() {
    let app = TestApp::start().await;
    for _ in 0..2 {
        people::set_admin(&app.platform, app.ana.user_id, true)
            .await
            .unwrap();
    }
    let mut admin = app.client_as(Identity::Session {
        user_id: app.ana.user_id,
        session_id: app.ana.session_id,
        is_admin: true,
    });
    admin.caller.origin = origin();
    let pause =
        "mutation ($on: Boolean!) { setJobQueuePaused(queue: EMAIL, isPaused: $on) { userErrors { code } } }";
    for on in [false, true, true] {
        admin
            .gql(pause, json!({ "on": on }))
            .await
            .succeeded("setJobQueuePaused");
    }
    let id = act(&app, |tx| async move {
        tx.enqueue(NewJob::for_system(Payload::StartDueSyncs)).await
    })
    .await;
    let variables = json!({ "id": id.to_string() });
    let requeue = "mutation ($id: ID!) { requeueJob(id: $id) { userErrors { code } } }";
    die(&app, id).await;
    admin
        .gql(requeue, variables.clone())
        .await
        .succeeded("requeueJob");
    die(&app, id).await;
    let all = "mutation { requeueDeadJobs(queue: MAINTENANCE) { userErrors { code } } }";
    for _ in 0..2 {
        admin.gql(all, json!({})).await.succeeded("requeueDeadJobs");
    }
    die(&app, id).await;
    let discard = "mutation ($id: ID!) { discardJob(id: $id) { userErrors { code } } }";
    admin.gql(discard, variables).await.succeeded("discardJob");

    let entries = log(&app, &app.ana).await;
    assert_eq!(
        names(&entries),
        [
            "user.admin_changed",
            "job_queue.paused",
            "job.requeued",
            "job.requeued",
            "job.discarded"
        ]
    );
    assert_eq!(entries[0].actor_kind, ActorKind::System, "the operator's shell");
    assert_from(&entries[1..], app.ana.user_id, "203.0.113.7");
    let changes: Vec<_> = entries.into_iter().filter_map(|entry| entry.changes).collect();
    assert_eq!(
        json!(changes),
        json!([
            { "isAdmin": { "from": false, "to": true } },
            { "queue": "email", "isPaused": { "from": false, "to": true } },
            { "status": { "from": "dead", "to": "queued" }, "attempts": { "from": 5, "to": 0 } },
            { "status": { "from": "dead", "to": "queued" } },
            { "status": { "from": "dead", "to": null } },
        ])
    );
    verified(&app, &app.ana).await;
}

/// What the newest entry with this action says has changed.
async fn changes(app: &TestApp, action: &str) -> Value {
    let entries = log(app, &app.ana).await;
    let newest = entries.into_iter().rev().find(|entry| entry.action == action);
    let entry = newest.unwrap_or_else(|| panic!("no {action}"));
    entry.changes.unwrap_or_else(|| panic!("{action} says nothing"))
}

#[tokio::test]
async fn of_the_hours_of_a_task_the_log_has_only_that_they_changed() {
    let app = TestApp::start().await;
    let id = task(&app, &app.ana(), "Taxes").await;
    let document = "mutation ($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { userErrors { code field } } }";
    let evening = json!([{ "weekday": "TUESDAY", "start": "19:00", "end": "21:00" }]);
    let input = json!({ "workingHours": evening, "durationMinutes": 75 });
    let variables = json!({ "id": id, "input": input });
    app.ana().gql(document, variables).await.succeeded("updateTask");
    let told = changes(&app, "task.updated").await;
    assert_eq!(told["workingHours"], json!({ "changed": true }));
    assert_eq!(told["durationMinutes"]["to"], 75);
}

#[tokio::test]
async fn entries_of_plans_and_focus_sessions_say_what_changed() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let hours = [("TUESDAY", "09:00", "17:00"), ("WEDNESDAY", "09:00", "17:00")];
    prefer(&ana, &hours, json!({})).await;
    task(&app, &ana, "A canary").await;
    let made = plan(&ana, &workspace, "2026-03-03", "2026-03-04").await;
    let requested = changes(&app, "schedule.requested").await;
    assert_eq!(requested["status"], json!({ "from": null, "to": "generating" }));
    assert_eq!(
        requested["startDate"],
        json!({ "from": null, "to": "2026-03-03" })
    );
    let generated = changes(&app, "schedule.generated").await;
    assert_eq!(
        generated["status"],
        json!({ "from": "generating", "to": "proposed" })
    );

    let slot = &made["slots"][0];
    let to = json!({ "id": slot["id"], "start": "2026-03-04T12:00:00Z" });
    command(&ana, "moveScheduleSlot", to)
        .await
        .succeeded("moveScheduleSlot");
    let moved = changes(&app, "schedule.slot_moved").await;
    assert_eq!(
        moved["start"],
        json!({ "from": slot["start"], "to": "2026-03-04T12:00:00Z" })
    );
    assert_eq!(moved["end"]["from"], slot["end"]);
    let free = json!({ "id": slot["id"], "isLocked": false });
    command(&ana, "setScheduleSlotLock", free)
        .await
        .succeeded("setScheduleSlotLock");
    let unlocked = changes(&app, "schedule.slot_unlocked").await;
    assert_eq!(unlocked["isLocked"], json!({ "from": true, "to": false }));
    assert_eq!(unlocked["slotId"], moved["slotId"]);
    command(&ana, "discardSchedule", json!({ "id": made["id"] }))
        .await
        .succeeded("discardSchedule");
    assert_eq!(
        changes(&app, "schedule.discarded").await,
        json!({ "status": { "from": "proposed", "to": "discarded" } })
    );

    let start = "mutation ($input: StartFocusSessionInput!) { startFocusSession(input: $input) { focusSession { id } userErrors { code } } }";
    let input = json!({ "input": { "workspaceId": workspace, "plannedMinutes": 25 } });
    let id = ana
        .gql(start, input)
        .await
        .text("/startFocusSession/focusSession/id");
    assert_eq!(
        changes(&app, "focus_session.started").await["plannedMinutes"],
        json!({ "from": null, "to": 25 })
    );
    app.advance(chrono::Duration::minutes(2));
    let end = "mutation ($id: ID!, $notes: String) { endFocusSession(id: $id, notes: $notes) { userErrors { code } } }";
    ana.gql(end, json!({ "id": id, "notes": "A canary" }))
        .await
        .succeeded("endFocusSession");
    let ended = changes(&app, "focus_session.ended").await;
    assert_eq!(ended["status"], json!({ "from": "active", "to": "abandoned" }));
    assert_eq!(ended["focusedSeconds"], json!({ "from": 0, "to": 120 }));
    assert_eq!(ended["notes"], json!({ "changed": true }));

    for entry in log(&app, &app.ana).await {
        let text = entry.changes.map(|changes| changes.to_string());
        assert!(!text.unwrap_or_default().contains("canary"), "{}", entry.action);
    }
}

#[tokio::test]
async fn who_leaves_for_good_stays_in_the_logs_of_their_teams() {
    let app = TestApp::start().await;
    let new = NewPerson {
        name: "Cem".into(),
        email: "cem@example.org".into(),
        is_email_verified: true,
        is_admin: false,
        time_zone: "UTC".into(),
        locale: "en".into(),
    };
    let (cem, home) = workspaces::create_personal(&app.platform, new).await.unwrap();
    let cem = Person {
        user_id: cem.id,
        workspace_id: home.id,
        session_id: app.platform.ids.next(),
    };
    join(&app.platform, &cem, app.ana.workspace_id, WorkspaceRole::Member).await;
    let delete =
        "mutation ($email: EmailAddress!) { deleteViewer(confirmEmail: $email) { userErrors { code } } }";
    app.client(&cem)
        .gql(delete, json!({ "email": "cem@example.org" }))
        .await
        .succeeded("deleteViewer");
    let entries = log(&app, &app.ana).await;
    assert_eq!(names(&entries), ["member.removed"]);
    assert!(log(&app, &cem).await.is_empty(), "their own went with them");
    verified(&app, &app.ana).await;
}

#[tokio::test]
async fn an_answer_to_an_invitation_says_what_it_was_before() {
    let app = TestApp::start().await;
    let dora = create_person(&app.platform, "Dora", "dora@example.org").await;
    join(&app.platform, &dora, app.ana.workspace_id, WorkspaceRole::Viewer).await;
    let calendar = crate::support::plans::calendar(&app.ana(), &app.ana.workspace(), json!({})).await;
    let guests = json!({ "attendees": [{ "email": "dora@example.org" }] });
    let (start, end) = ("2026-03-05T09:00:00Z", "2026-03-05T10:00:00Z");
    let event = crate::support::plans::event(&app.ana(), &calendar, start, end, guests).await;
    let respond =
        "mutation ($id: ID!) { respondToCalendarEvent(id: $id, response: ACCEPTED) { userErrors { code } } }";
    for _ in 0..2 {
        app.client(&dora)
            .gql(respond, json!({ "id": event }))
            .await
            .succeeded("respondToCalendarEvent");
    }
    let entries = entries(&app, dora.user_id).await;
    assert_eq!(names(&entries), ["calendar_event.responded"]);
    assert_eq!(
        entries[0].changes,
        Some(json!({ "response": { "from": "needs_action", "to": "accepted" } }))
    );
}
