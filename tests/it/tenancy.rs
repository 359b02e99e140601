//! Nobody gets at what belongs to others. Driven by `schema.graphql`: every root field and every argument that takes an id has a case in
//! the table, or the first test fails and names what is missing.

pub mod cases;
mod tokens;
pub mod world;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use entity::enums::WorkspaceRole;
use entity::workspace_counter;
use futures_util::StreamExt as _;
use meridian::access::Identity;
use meridian::platform::db::Scope;
use sea_orm::PaginatorTrait as _;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::statements::Statements;
use crate::support::{Answer, Client, Person, TestApp, create_person, join};
use cases::{Case, Least, cases, paths, schema};
use world::World;

const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];
/// Mutations that leave no entry in any log when the owner runs their cases, with the reason. The room of the audit log says why what is
/// done on purpose is so.
const UNRECORDED: &[(&str, &str)] = &[
    ("deleteNotification", MARK),
    ("markNotificationUnread", MARK),
    ("markNotificationsRead", MARK),
    ("updatePresence", MARK),
    ("requestEmailVerification", "a letter; what counts is its link"),
    ("deleteWorkspace", "its log goes with it"),
    (
        "deleteViewer",
        "needs the right address, and the world with it; tests/it/audit.rs has one that goes",
    ),
    (
        "respondToCalendarEvent",
        "the owner is no guest; tests/it/audit.rs has one",
    ),
];
const NODE: &str = "query ($id: ID!) { node(id: $id) { __typename id } }";
const NODES: &str = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
const MARK: &str = "what a person has read or where they look is theirs alone";
/// How long a subscription that is refused may take to say so.
const SOON: Duration = Duration::from_millis(300);

#[test]
fn every_field_and_every_id_has_a_case() {
    let (schema, cases) = (schema(), cases());
    let mut missing = BTreeSet::new();
    for (name, ty) in schema.types.iter().filter(|(_, ty)| ty.kind == "an object") {
        for (field, member) in &ty.members {
            let ids = paths(schema, &member.arguments);
            if !ROOTS.contains(&name.as_str()) && ids.is_empty() {
                continue;
            }
            let Some(case) = cases.iter().find(|case| case.on == name && case.field == field) else {
                missing.insert(format!("{name}.{field}"));
                continue;
            };
            for path in ids {
                if case.variables.pointer(&path).is_none_or(Value::is_null) {
                    missing.insert(format!("{name}.{field}: {path}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "add cases for {missing:#?}");
}

/// Runs a case as somebody; of a subscription the first answer counts.
async fn run(client: &Client<'_>, case: &Case, variables: Value) -> Answer {
    let document = case.document();
    if case.on != "Subscription" {
        return client.gql(&document, variables).await;
    }
    let mut stream = client.subscribe(&document, variables);
    match timeout(SOON, stream.next()).await {
        Ok(Some(answer)) => answer,
        Ok(None) => Answer(json!("ended")),
        Err(_) => Answer(json!("silent")),
    }
}

/// Change and audit numbers of a workspace: any write moves them.
async fn counters(app: &TestApp, person: &Person) -> (i64, i64) {
    let read = app
        .platform
        .db
        .read(Scope::Workspace(person.workspace_id))
        .await
        .unwrap();
    let row = read
        .find::<workspace_counter::Entity>()
        .one(&read)
        .await
        .unwrap()
        .unwrap();
    (row.change_seq, row.audit_seq)
}

#[tokio::test]
async fn foreign_ids_are_answered_like_unknown_ones() {
    let (app, feed) = world::start().await;
    let ana = World::of(&app, &app.ana, &feed).await;
    let ben = World::of(&app, &app.ben, &feed).await;
    let before = counters(&app, &app.ana).await;
    let schema = schema();
    for case in cases() {
        let (foreign, own) = (ana.fill(&case.variables), ben.fill(&case.variables));
        let ids = paths(schema, case.arguments(schema));
        for path in &ids {
            let with = |value: Value| {
                let mut variables = own.clone();
                *variables.pointer_mut(path).unwrap() = value;
                variables
            };
            let theirs = foreign.pointer(path).unwrap();
            let seen = run(&app.ben(), &case, with(theirs.clone())).await;
            let unknown = run(&app.ben(), &case, with(world::unknown(theirs))).await;
            assert_eq!(
                seen.0.to_string(),
                unknown.0.to_string(),
                "{}.{} {path}",
                case.on,
                case.field
            );
            assert!(!seen.0.to_string().contains("of Ana"), "{}: {seen:?}", case.field);
        }
        if !ids.is_empty() {
            let unknown = world::all_unknown(&foreign, &ids);
            let (seen, unknown) = (
                run(&app.ben(), &case, foreign.clone()).await,
                run(&app.ben(), &case, unknown).await,
            );
            assert_eq!(
                seen.0.to_string(),
                unknown.0.to_string(),
                "{}.{}",
                case.on,
                case.field
            );
        }
    }
    assert_eq!(
        counters(&app, &app.ana).await,
        before,
        "nothing of Ana's was touched"
    );
}

#[tokio::test]
async fn guests_are_told_to_sign_in_before_anything_is_looked_up() {
    let (app, feed) = world::start().await;
    let ana = World::of(&app, &app.ana, &feed).await;
    let before = counters(&app, &app.ana).await;
    let schema = schema();
    for case in cases().iter().filter(|case| case.least != Least::Anybody) {
        let variables = ana.fill(&case.variables);
        let ids = paths(schema, case.arguments(schema));
        let unknown = world::all_unknown(&variables, &ids);
        let answer = run(&app.guest(), case, variables).await;
        let is_nothing = answer.0.get("errors").is_none() && answer.0["data"][case.root()].is_null();
        assert!(
            is_nothing || answer.error_code() == "UNAUTHENTICATED",
            "{}.{}: {answer:?}",
            case.on,
            case.field
        );
        let blind = run(&app.guest(), case, unknown).await;
        assert_eq!(
            answer.0.to_string(),
            blind.0.to_string(),
            "{}.{}",
            case.on,
            case.field
        );
    }
    assert_eq!(counters(&app, &app.ana).await, before);
}

#[tokio::test]
async fn a_role_that_is_too_low_is_told_so_and_changes_nothing() {
    let (app, feed) = world::start().await;
    let ana = World::of(&app, &app.ana, &feed).await;
    let roles = [WorkspaceRole::Viewer, WorkspaceRole::Member, WorkspaceRole::Admin];
    let mut people = Vec::new();
    for (index, role) in roles.into_iter().enumerate() {
        let person = create_person(
            &app.platform,
            &format!("Low{index}"),
            &format!("low{index}@example.org"),
        )
        .await;
        join(&app.platform, &person, app.ana.workspace_id, role).await;
        people.push((role, person));
    }
    let before = counters(&app, &app.ana).await;
    for case in cases() {
        let Least::Role(least) = case.least else { continue };
        for (_, person) in people.iter().filter(|(role, _)| power(*role) < power(least)) {
            let answer = run(&app.client(person), &case, ana.fill(&case.variables)).await;
            assert_eq!(
                answer.error_code(),
                "FORBIDDEN",
                "{}.{}: {answer:?}",
                case.on,
                case.field
            );
        }
    }
    assert_eq!(counters(&app, &app.ana).await, before);
}

fn power(role: WorkspaceRole) -> usize {
    let order = [
        WorkspaceRole::Viewer,
        WorkspaceRole::Member,
        WorkspaceRole::Admin,
        WorkspaceRole::Owner,
    ];
    order.iter().position(|other| *other == role).unwrap()
}

#[tokio::test]
async fn a_former_member_is_a_stranger() {
    let (app, feed) = world::start().await;
    let ana = World::of(&app, &app.ana, &feed).await;
    let cem = create_person(&app.platform, "Cem", "cem@example.org").await;
    join(&app.platform, &cem, app.ana.workspace_id, WorkspaceRole::Admin).await;
    let watch = "subscription ($id: ID!) { taskChanged(workspaceId: $id) { cursor } }";
    let mut stream = app
        .client(&cem)
        .subscribe(watch, json!({ "id": app.ana.workspace() }));
    assert!(
        timeout(SOON, stream.next()).await.is_err(),
        "the stream is open and silent"
    );

    remove(&app, &cem).await;
    let began = Instant::now();
    let last = timeout(Duration::from_secs(5), stream.next())
        .await
        .expect("the stream ends");
    assert!(began.elapsed() < Duration::from_secs(1), "within a second");
    assert!(last.is_none_or(|answer| answer.error_code() == "NOT_FOUND"));

    let before = counters(&app, &app.ana).await;
    let schema = schema();
    for case in cases() {
        let ids = paths(schema, case.arguments(schema));
        let theirs = ana.fill(&case.variables);
        let unknown = world::all_unknown(&theirs, &ids);
        if ids.is_empty() {
            continue;
        }
        let seen = run(&app.client(&cem), &case, theirs).await;
        let unknown = run(&app.client(&cem), &case, unknown).await;
        assert_eq!(
            seen.0.to_string(),
            unknown.0.to_string(),
            "{}.{}",
            case.on,
            case.field
        );
    }
    assert_eq!(counters(&app, &app.ana).await, before);
}

async fn remove(app: &TestApp, person: &Person) {
    let members = "query ($id: ID!) { workspace(id: $id) { members { nodes { id user { id } } } } }";
    let members = app.ana().gql(members, json!({ "id": app.ana.workspace() })).await;
    let members = members.at("/workspace/members/nodes");
    let member = members
        .as_array()
        .unwrap()
        .iter()
        .find(|member| member["user"]["id"] == person.user_id.to_string());
    let remove = "mutation ($id: ID!) { removeMember(memberId: $id) { userErrors { code } } }";
    let variables = json!({ "id": member.unwrap()["id"] });
    app.ana().gql(remove, variables).await.succeeded("removeMember");
}

#[tokio::test]
async fn the_owner_gets_through_so_the_other_tests_test_something() {
    let (app, feed) = world::start().await;
    let ana = World::of(&app, &app.ana, &feed).await;
    let (mut unrecorded, mut answers) = (BTreeSet::new(), Vec::new());
    for case in cases() {
        // The budget is told where requests come in, which these do not pass. What administrators see has tests of its own.
        let is_for_administrators = case.least == Least::Installation;
        if (is_for_administrators && case.on != "Mutation") || case.field == "rateLimit" {
            continue;
        }
        let client = app.client_as(Identity::Session {
            user_id: app.ana.user_id,
            session_id: app.ana.session_id,
            is_admin: is_for_administrators,
        });
        let recorded = entries(&app).await;
        let answer = run(&client, &case, ana.fill(&case.variables)).await;
        let text = answer.0.to_string();
        // Those that are refused count as well: a case that never succeeds would hide that there is no entry.
        if case.on == "Mutation" && entries(&app).await <= recorded {
            unrecorded.insert(case.field);
            answers.push(format!("{}: {text}", case.field));
        }
        assert!(
            answer.0.get("errors").is_none(),
            "{}.{}: {text}",
            case.on,
            case.field
        );
        assert!(
            !text.contains("REFERENCE_NOT_FOUND"),
            "{}.{}: {text}",
            case.on,
            case.field
        );
        let is_look_up = case.on == "Query";
        assert!(
            !is_look_up || !answer.0["data"][case.root()].is_null(),
            "{}: {text}",
            case.field
        );
    }
    // What has no chain of its own to be seen in is named, so that a command that forgets its entry is found.
    let expected: BTreeSet<&str> = UNRECORDED.iter().map(|(field, _)| *field).collect();
    assert_eq!(unrecorded, expected, "{}", answers.join("\n"));
}

/// Entries of all audit logs.
async fn entries(app: &TestApp) -> u64 {
    let read = app.platform.db.read(Scope::System).await.unwrap();
    read.find::<entity::audit_log::Entity>()
        .count(&read)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_owner_is_no_operator() {
    let (app, feed) = world::start().await;
    let ana = World::of(&app, &app.ana, &feed).await;
    let before = counters(&app, &app.ana).await;
    for case in cases().iter().filter(|case| case.least == Least::Installation) {
        let answer = run(&app.ana(), case, ana.fill(&case.variables)).await;
        assert_eq!(
            answer.error_code(),
            "FORBIDDEN",
            "{}.{}: {answer:?}",
            case.on,
            case.field
        );
    }
    assert_eq!(counters(&app, &app.ana).await, before);
}

#[tokio::test]
async fn every_kind_of_object_is_a_node_to_its_owner_and_to_nobody_else() {
    let (app, feed) = world::start().await;
    let ana = World::of(&app, &app.ana, &feed).await;
    let cem = create_person(&app.platform, "Cem", "cem@example.org").await;
    join(&app.platform, &cem, app.ana.workspace_id, WorkspaceRole::Admin).await;
    remove(&app, &cem).await;

    let mut kinds = BTreeSet::new();
    for (name, id) in ana.ids() {
        let own = app.ana().gql(NODE, json!({ "id": id })).await;
        assert_eq!(own.at("/node/id"), id, "{name}");
        kinds.insert(own.text("/node/__typename"));
        let nobodys = world::unknown(&json!(id));
        for person in [&app.ben, &cem] {
            let client = app.client(person);
            let seen = client.gql(NODE, json!({ "id": id })).await;
            let unknown = client.gql(NODE, json!({ "id": nobodys })).await;
            assert_eq!(seen.0.to_string(), unknown.0.to_string(), "{name}");
            assert_eq!(seen.at("/node"), Value::Null, "{name}");
        }
    }
    let every: Vec<&str> = ana.ids().map(|(_, id)| id).collect();
    let nothing: Vec<Value> = every.iter().map(|_| Value::Null).collect();
    for person in [&app.ben, &cem] {
        let seen = app.client(person).gql(NODES, json!({ "ids": every })).await;
        assert_eq!(seen.at("/nodes"), json!(nothing));
    }
    let declared: BTreeSet<String> = schema()
        .types
        .iter()
        .filter(|(_, ty)| ty.kind == "an object" && ty.implements.iter().any(|name| name == "Node"))
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(kinds, declared, "the world has one of each kind");
}

/// Time is what the database is asked: a clock would have to be lucky to see a statement more.
#[tokio::test]
async fn looking_for_what_others_have_costs_as_many_statements_as_looking_for_what_nobody_has() {
    let (app, feed) = world::start().await;
    let ana = World::of(&app, &app.ana, &feed).await;
    let schema = schema();
    let mut questions = Vec::new();
    for case in cases().iter().filter(|case| case.on != "Subscription") {
        let ids = paths(schema, case.arguments(schema));
        if !ids.is_empty() {
            let theirs = ana.fill(&case.variables);
            let unknown = world::all_unknown(&theirs, &ids);
            questions.push((case.document(), theirs, unknown));
        }
    }
    for (_, id) in ana.ids() {
        let nobodys = world::unknown(&json!(id));
        questions.push((NODE.to_owned(), json!({ "id": id }), json!({ "id": nobodys })));
        questions.push((
            NODES.to_owned(),
            json!({ "ids": [id] }),
            json!({ "ids": [nobodys] }),
        ));
    }
    // Until messages of other replicas are known to arrive, nothing is kept, and more is asked.
    for _ in 0..200 {
        if app.platform.pubsub.is_live() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let heard = Statements::listen();
    for (number, (document, foreign, unknown)) in questions.iter().enumerate() {
        let mut costs = Vec::new();
        for (side, variables) in [("theirs", foreign), ("nobodys", unknown)] {
            // Somebody of whom nothing was read yet: what is in the process already hides what it costs.
            let name = format!("Stranger{number}{side}");
            let stranger = create_person(&app.platform, &name, &format!("{number}.{side}@example.org")).await;
            heard.take();
            app.client(&stranger).gql(document, variables.clone()).await;
            costs.push(heard.take());
        }
        assert_eq!(
            costs[0].len(),
            costs[1].len(),
            "{document} {foreign}\n{:#?}\n{:#?}",
            costs[0],
            costs[1]
        );
    }
}
