//! What a write costs: flights to the database are most of it.

use std::time::Duration;

use entity::change_log;
use entity::enums::ChangeAction;
use futures_util::future::join_all;
use meridian::access::Ctx;
use meridian::features::audit;
use meridian::kernel::actor::Actor;
use meridian::kernel::changes::ObjectType;
use meridian::platform::db::{Audit, Scope, Tx};
use sea_orm::{ConnectionTrait as _, DbBackend, QueryOrder as _, Statement};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::TestApp;
use crate::support::statements::Statements;

const CREATE: &str = "mutation ($input: CreateTaskInput!) { createTask(input: $input) {
    task { id title labels durationMinutes dependencies { id } assignee { id name } } userErrors { code field } } }";

fn new_task(app: &TestApp, title: &str, more: Value) -> Value {
    let mut input = json!({
        "workspaceId": app.ana.workspace(), "title": title, "labels": ["home", "office"], "dueAt": "2027-01-01T00:00:00Z",
    });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({ "input": input })
}

/// Words of the statements between the beginning of the transaction and its commit.
fn kinds(heard: &Statements) -> Vec<String> {
    let word = |sql: &str| sql.split_whitespace().next().unwrap_or_default().to_owned();
    heard.take().iter().map(|one| word(&one.sql)).collect()
}

#[tokio::test]
async fn a_new_task_with_its_labels_audit_entry_and_change_takes_one_statement() {
    let app = TestApp::start().await;
    // What many requests need is in the process afterwards.
    let first = app.ana().gql(CREATE, new_task(&app, "First", json!({}))).await;
    let first = first.succeeded("createTask").text("/createTask/task/id");
    let heard = Statements::listen();
    // The task with its labels, the change, the entry and the counters; and the dependencies for the answer. SQLite, which is asked without
    // a flight, is asked for the counters first. BEGIN and COMMIT are not heard. Until messages of other replicas are known to arrive,
    // more is asked each time.
    let least = if app.platform.db.is_postgres() { 2 } else { 3 };
    let mut said = Vec::new();
    let mut answer = None;
    for _ in 0..20 {
        answer = Some(app.ana().gql(CREATE, new_task(&app, "Second", json!({}))).await);
        said = kinds(&heard);
        if said.len() <= least {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(said.len(), least, "{said:?}");
    let answer = answer.unwrap().succeeded("createTask");
    assert_eq!(answer.at("/createTask/task/labels"), json!(["home", "office"]));
    assert_eq!(answer.at("/createTask/task/durationMinutes"), 45);
    assert_eq!(answer.text("/createTask/task/assignee/name"), "Ana");

    let waits = json!({ "dependencyIds": [first], "durationMinutes": 15 });
    let answer = app.ana().gql(CREATE, new_task(&app, "Third", waits)).await;
    let answer = answer.succeeded("createTask");
    assert_eq!(answer.text("/createTask/task/dependencies/0/id"), first);
    assert_eq!(answer.at("/createTask/task/durationMinutes"), 15);
}

#[tokio::test]
async fn a_task_whose_parts_do_not_fit_together_leaves_nothing() {
    let app = TestApp::start().await;
    let heard = Statements::listen();
    let unknown = json!({ "dependencyIds": ["task_01jnb3zq8cek7bz4sjqs3rx4p0"] });
    let answer = app.ana().gql(CREATE, new_task(&app, "Lonely", unknown)).await;
    assert_eq!(
        answer.user_error("createTask"),
        "REFERENCE_NOT_FOUND input.dependencyIds.0"
    );
    let said = kinds(&heard);
    assert!(
        !said.iter().any(|word| word == "INSERT" || word == "WITH"),
        "{said:?}"
    );
    let list = "query ($id: ID!) { workspace(id: $id) { tasks { totalCount } changeCursor } }";
    let list = app.ana().gql(list, json!({ "id": app.ana.workspace() })).await;
    assert_eq!(list.at("/workspace/tasks/totalCount"), 0);
}

#[tokio::test]
async fn new_preferences_hold_for_the_next_task() {
    let app = TestApp::start().await;
    let minutes = async || {
        let answer = app.ana().gql(CREATE, new_task(&app, "Some", json!({}))).await;
        answer
            .succeeded("createTask")
            .at("/createTask/task/durationMinutes")
    };
    assert_eq!(minutes().await, 45);
    let update =
        "mutation { updatePreferences(input: { defaultTaskDurationMinutes: 90 }) { userErrors { code } } }";
    app.ana()
        .gql(update, json!({}))
        .await
        .succeeded("updatePreferences");
    assert_eq!(minutes().await, 90);
}

#[tokio::test]
async fn who_stops_waiting_for_a_read_beside_all_workspaces_does_not_go_on_in_its_role() {
    let app = TestApp::start().await;
    if !app.platform.db.is_postgres() {
        return;
    }
    let db = &app.platform.db;
    let body = |tx: Tx| async move {
        let say = |sql: &str| Statement::from_string(DbBackend::Postgres, sql);
        let beside = db.beside(&tx);
        let asked = beside.query_all_raw(say("SELECT pg_sleep(1)"));
        assert!(timeout(Duration::from_millis(300), asked).await.is_err());
        let next = tx.query_one_raw(say("SELECT 1")).await;
        assert!(next.is_err(), "the transaction has ended");
        Ok(())
    };
    let scope = Scope::Workspace(app.ana.workspace_id);
    let written = app.platform.write(scope, Actor::system(), body).await;
    assert!(written.is_err());
    // Whoever comes next works in their own role.
    let list = "query ($id: ID!) { workspace(id: $id) { tasks { totalCount } } }";
    let list = app.ana().gql(list, json!({ "id": app.ana.workspace() })).await;
    assert_eq!(list.at("/workspace/tasks/totalCount"), 0);
}

#[tokio::test]
async fn entries_of_many_at_once_make_one_chain_and_changes_have_no_gaps() {
    let app = TestApp::start().await;
    let (scope, asked) = (Scope::Workspace(app.ana.workspace_id), 24);
    let write = |number: usize| {
        let platform = app.platform.clone();
        async move {
            let body = |tx: Tx| async move {
                if number.is_multiple_of(2) {
                    // The others are one statement without a transaction around it, on PostgreSQL.
                    tx.lock_workspace().await?;
                }
                // More entries and changes than one statement takes, exactly as many, few, and of one kind only.
                let kinds: [(i32, i32); 7] = [(9, 1), (8, 64), (3, 2), (1, 1), (1, 70), (2, 0), (0, 2)];
                let (entries, changes) = kinds[number % kinds.len()];
                for entry in 0..entries {
                    tx.audit(Audit {
                        action: "task.updated",
                        entity_type: "Task",
                        entity_id: tx.ids().uuid(),
                        changes: (entry % 2 == 0).then(|| json!({ "b": "\"\u{e4}\\", "a": [number, null] })),
                    });
                }
                for _ in 0..changes {
                    tx.change(ChangeAction::Updated, ObjectType::Task, tx.ids().uuid());
                }
                Ok((entries, changes))
            };
            platform.write(scope, Actor::system(), body).await.unwrap()
        }
    };
    let written = join_all((0..asked).map(write)).await;
    let entries: i64 = written.iter().map(|(entries, _)| i64::from(*entries)).sum();
    let changes: i64 = written.iter().map(|(_, changes)| i64::from(*changes)).sum();
    let ctx = Ctx::system(&app.platform, app.ana.workspace_id);
    let whole = audit::verify(&ctx).await.unwrap();
    assert_eq!((whole.intact, whole.broken_at), (entries, None));
    let read = app.platform.db.read(scope).await.unwrap();
    let select = read
        .find::<change_log::Entity>()
        .order_by_asc(change_log::Column::Seq);
    let rows = select.all(&read).await.unwrap();
    let numbers: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    assert_eq!(numbers, (1..=changes).collect::<Vec<_>>());
}

/// Keeps the numbers of Ana's workspace for so long that others wait for them.
async fn hold_numbers(app: &TestApp) {
    let hold = |tx: Tx| async move {
        tx.lock_workspace().await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(())
    };
    let scope = Scope::Workspace(app.ana.workspace_id);
    app.platform.write(scope, Actor::system(), hold).await.unwrap();
}

#[tokio::test]
async fn who_waits_long_for_the_numbers_of_a_workspace_gets_them() {
    let app = TestApp::start().await;
    let holding = hold_numbers(&app);
    let creating = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        app.ana().gql(CREATE, new_task(&app, "Late", json!({}))).await
    };
    let ((), created) = tokio::join!(holding, creating);
    created.succeeded("createTask");
    let list = "query ($id: ID!) { workspace(id: $id) { tasks { totalCount } } }";
    let list = app.ana().gql(list, json!({ "id": app.ana.workspace() })).await;
    assert_eq!(list.at("/workspace/tasks/totalCount"), 1);
}

#[tokio::test]
async fn who_changes_a_person_or_a_workspace_keeps_nobody_from_referring_to_them() {
    let app = TestApp::start().await;
    if !app.platform.db.is_postgres() {
        return;
    }
    let holding = hold_numbers(&app);
    // Both hold what they change by then, and wait for the numbers of the workspace.
    let renaming = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let rename = "mutation ($id: ID!) { updateWorkspace(id: $id, input: { name: \"Home\" }) { userErrors { code } } }";
        let id = json!({ "id": app.ana.workspace() });
        app.ana().gql(rename, id).await
    };
    let changing = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        let change = "mutation { updateProfile(input: { name: \"Anna\" }) { userErrors { code } } }";
        app.ana().gql(change, json!({})).await
    };
    let scope = Scope::Workspace(app.ana.workspace_id);
    let referring = async {
        tokio::time::sleep(Duration::from_millis(1_300)).await;
        let body = |tx: Tx| async move {
            for table in ["users", "workspaces"] {
                // What a foreign key asks for.
                let sql = format!("SELECT id FROM {table} FOR KEY SHARE NOWAIT");
                tx.query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
                    .await?;
            }
            Ok(())
        };
        app.platform.write(scope, Actor::system(), body).await
    };
    let ((), renamed, changed, referred) = tokio::join!(holding, renaming, changing, referring);
    renamed.succeeded("updateWorkspace");
    changed.succeeded("updateProfile");
    referred.unwrap();
}

#[tokio::test]
async fn what_is_written_into_a_workspace_that_is_gone_is_not_there() {
    let app = TestApp::start().await;
    let scope = Scope::Workspace(app.platform.ids.next());
    let body = |tx: Tx| async move {
        tx.change(ChangeAction::Created, ObjectType::Task, tx.ids().uuid());
        Ok(())
    };
    let written = app.platform.write(scope, Actor::system(), body).await;
    assert!(written.is_err_and(|error| error.is_not_found()));
}
