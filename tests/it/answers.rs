//! Three ways to an answer: one resolver for each field, whole selections written from rows, and whole documents that go around the
//! executor once they are known. Random documents must be answered alike by all, to the byte, by whoever asks, also where the answer is an
//! error.

mod commands;
mod random;

use std::collections::BTreeMap;

use async_graphql::Response;
use entity::enums::{ApiTokenScope, WorkspaceRole};
use entity::ids::ApiTokenId;
use meridian::access::Identity;
use meridian::graphql::{self, write_value};
use meridian::platform::db::migration_connection;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::contract::model::Model;
use crate::support::{Client, TestApp, create_person, join};
use crate::tenancy::cases::schema;
use crate::tenancy::world::{self, World};
use random::{Asked, Author, Ids};

/// Documents for each person.
const DOCUMENTS: usize = 80;
const ROOTS: [&str; 10] = [
    "task",
    "calendarEvent",
    "calendar",
    "workspace",
    "workspace",
    "workspaceBySlug",
    "node",
    "nodes",
    "viewer",
    "schedule",
];
/// Types with a fast form, each of whose fields must have been asked for.
const SHAPED: [&str; 10] = [
    "Task",
    "CalendarEvent",
    "EventOccurrence",
    "EventAttendee",
    "EventReminder",
    "Recurrence",
    "Calendar",
    "User",
    "WorkspaceMember",
    "FocusSession",
];

/// The whole answer as it goes out, errors and extensions included.
fn bytes(response: &Response) -> String {
    let mut out = Vec::new();
    write_value(&response.data, &mut out);
    let data = String::from_utf8(out).unwrap();
    let errors = serde_json::to_string(&response.errors).unwrap();
    let extensions = serde_json::to_string(&response.extensions).unwrap();
    format!("{data}\n{errors}\n{extensions}")
}

/// Whether some of the answer was written as a whole.
fn is_fast(value: &async_graphql::Value) -> bool {
    match value {
        async_graphql::Value::Object(object) => object
            .iter()
            .any(|(name, value)| name.starts_with("raw:") || is_fast(value)),
        async_graphql::Value::List(items) => items.iter().any(is_fast),
        _ => false,
    }
}

/// Whether all of the answer was written at once.
fn is_whole(value: &async_graphql::Value) -> bool {
    match value {
        async_graphql::Value::Object(object) => object.keys().any(|name| name.starts_with("raw:")),
        _ => false,
    }
}

#[derive(Default, Debug)]
struct Tally {
    answered: usize,
    fast: usize,
    straight: usize,
    failed: usize,
    invalid: usize,
    refused: usize,
}

async fn compare(client: &Client<'_>, asked: &Asked, tally: &mut Tally) {
    let Asked { document, variables } = asked;
    let schema = &client.app.schema;
    let Some(request) = client.fast_request(document, variables) else {
        tally.refused += 1;
        return;
    };
    let fast = schema.execute(request).await;
    let plain = schema.execute(client.request(document, variables.clone())).await;
    assert_eq!(
        bytes(&fast),
        bytes(&plain),
        "two ways, two answers: {document}\n{variables}"
    );
    // The executor has decided by now whether it is needed for this document.
    let again = client.fast_request(document, variables).unwrap();
    let straight = graphql::execute(schema, again).await;
    assert_eq!(
        bytes(&straight),
        bytes(&plain),
        "around the executor another answer: {document}\n{variables}"
    );
    tally.straight += usize::from(is_whole(&straight.data));
    // Nothing was written before it was resolved: this is what the executor's own serialiser makes of it.
    let stock = serde_json::to_string(&plain.data).unwrap();
    assert!(bytes(&fast).starts_with(&stock), "{document}");
    tally.answered += 1;
    tally.fast += usize::from(is_fast(&fast.data));
    tally.failed += usize::from(plain.errors.iter().any(|error| !error.path.is_empty()));
    tally.invalid += usize::from(plain.errors.iter().any(|error| error.path.is_empty()));
}

/// More than one of everything: what hides, what repeats, what is empty.
async fn enrich(app: &TestApp, world: &World) {
    let ana = app.ana();
    let workspace = app.ana.workspace();
    let create = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code field } } }";
    let task = async |more: Value| {
        let mut input = json!({ "workspaceId": workspace, "title": "More \"work\" of Ana" });
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = ana.gql(create, json!({ "input": input })).await;
        answer.succeeded("createTask").text("/createTask/task/id")
    };
    let parent = world.fill(&json!("$task"));
    let waits = task(json!({ "parentId": parent, "dueAt": "2026-03-01T00:00:00Z", "labels": ["home"], "priority": "URGENT" })).await;
    task(json!({ "dependencyIds": [waits], "recurrenceRule": "FREQ=DAILY", "dueAt": "2026-03-09T09:00:00.123Z" })).await;
    let event = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { calendarEvent { id } userErrors { code field } } }";
    let calendar = world.fill(&json!("$calendar"));
    let day = json!({ "allDay": { "startDate": "2026-03-05", "endDate": "2026-03-07" } });
    let hour = json!({ "timed": { "start": "2026-03-04T09:00:00Z", "end": "2026-03-04T10:00:00Z" } });
    for more in [
        json!({ "title": "Whole days", "time": day }),
        json!({ "title": "Secret", "time": hour, "visibility": "PRIVATE", "location": "Somewhere", "color": "#ff0000" }),
        json!({ "title": "Again", "time": hour, "recurrence": { "rule": "FREQ=DAILY;COUNT=5" },
            "attendees": [{ "email": "ben@example.org" }, { "email": "friend@ana.example" }], "reminders": [{ "minutesBefore": 10, "channel": "IN_APP" }] }),
        json!({ "title": "Days again", "time": day, "recurrence": { "rule": "FREQ=WEEKLY;COUNT=3" } }),
        json!({ "title": "Secret again", "time": hour, "recurrence": { "rule": "FREQ=WEEKLY;BYDAY=WE,FR" }, "visibility": "PRIVATE", "location": "Somewhere" }),
    ] {
        let mut input = json!({ "calendarId": calendar });
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let made = ana.gql(event, json!({ "input": input })).await;
        let made = made.succeeded("createCalendarEvent");
        if more["title"] == "Again" {
            let id = made.text("/createCalendarEvent/calendarEvent/id");
            change_occurrences(&ana, &id).await;
        }
    }
}

/// Occurrences of a series that are elsewhere, are called otherwise, or are nobody's business.
async fn change_occurrences(ana: &Client<'_>, id: &str) {
    let document = "mutation ($id: ID!, $at: DateTime!, $input: UpdateCalendarEventInput!) {
        updateCalendarEvent(id: $id, scope: THIS, occurrenceStart: $at, input: $input) { userErrors { code field } } }";
    let later = json!({ "timed": { "start": "2026-03-05T15:30:00Z", "end": "2026-03-05T17:00:00Z" } });
    for (at, input) in [
        ("2026-03-05T09:00:00Z", json!({ "time": later })),
        (
            "2026-03-06T09:00:00Z",
            json!({ "title": "Another \"title\"", "location": null, "status": "TENTATIVE" }),
        ),
        (
            "2026-03-07T09:00:00Z",
            json!({ "visibility": "PRIVATE", "location": "Elsewhere" }),
        ),
    ] {
        let variables = json!({ "id": id, "at": at, "input": input });
        ana.gql(document, variables)
            .await
            .succeeded("updateCalendarEvent");
    }
}

/// Ids of both worlds, of nobody and of nothing.
fn ids(worlds: [&World; 2]) -> Ids {
    let mut ids: Ids = BTreeMap::new();
    let mut all = Vec::new();
    for (root, names) in [
        ("task", &["task", "task2"][..]),
        ("calendarEvent", &["event"]),
        ("calendar", &["calendar", "mirror"]),
        ("workspace", &["workspace"]),
        ("schedule", &["schedule"]),
        (
            "node",
            &[
                "slot",
                "focus",
                "member",
                "integration",
                "notification",
                "user",
                "job",
            ],
        ),
    ] {
        let mut known = Vec::new();
        for world in worlds {
            known.extend(names.iter().map(|name| world.fill(&json!(format!("${name}")))));
        }
        // Those of the first world are asked for more often than those of the second.
        let own: Vec<Value> = known.iter().take(names.len()).cloned().collect();
        for _ in 0..3 {
            known.extend(own.clone());
        }
        known.push(world::unknown(&known[0]));
        let known: Vec<String> = known.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        all.extend(known.clone());
        let mut known = known;
        known.push("nothing".to_owned());
        ids.insert(root, known);
    }
    ids.insert("node", all);
    ids
}

/// Everybody who may ask: all roles, a token, a stranger, nobody.
async fn people(app: &TestApp) -> Vec<(&'static str, Identity)> {
    let session = |person: &crate::support::Person| Identity::Session {
        user_id: person.user_id,
        session_id: person.session_id,
        is_admin: false,
    };
    let mut people = vec![
        ("owner", session(&app.ana)),
        ("stranger", session(&app.ben)),
        ("guest", Identity::Guest),
    ];
    for (name, role) in [
        ("member", WorkspaceRole::Member),
        ("viewer", WorkspaceRole::Viewer),
    ] {
        let person = create_person(&app.platform, name, &format!("{name}@example.org")).await;
        join(&app.platform, &person, app.ana.workspace_id, role).await;
        people.push((name, session(&person)));
    }
    let token = Identity::Token {
        user_id: app.ana.user_id,
        token_id: app.platform.ids.next::<ApiTokenId>(),
        scope: ApiTokenScope::Read,
        workspace_id: Some(app.ana.workspace_id),
        is_admin: false,
    };
    people.push(("token", token));
    people
}

fn check_coverage(schema: &Model, asked: &std::collections::BTreeSet<String>) {
    for ty in SHAPED {
        for field in schema.types[ty].members.keys() {
            assert!(
                asked.contains(&format!("{ty}.{field}")),
                "nobody asked for {ty}.{field}"
            );
        }
    }
}

#[tokio::test]
async fn random_documents_are_answered_alike_in_both_ways() {
    let (app, feed) = world::start().await;
    let ana = World::of(&app, &app.ana, &feed).await;
    let ben = World::of(&app, &app.ben, &feed).await;
    enrich(&app, &ana).await;
    let (schema, ids) = (schema(), ids([&ana, &ben]));
    let mut author = Author::new(schema, &ids, 20_260_302);
    let mut tally = Tally::default();
    for (name, identity) in people(&app).await {
        let client = app.client_as(identity);
        let documents = if name == "owner" { DOCUMENTS * 4 } else { DOCUMENTS };
        for _ in 0..documents {
            let asked = author.write(&ROOTS);
            compare(&client, &asked, &mut tally).await;
        }
        for _ in 0..documents / 2 {
            let asked = author.write_common();
            compare(&client, &asked, &mut tally).await;
        }
    }
    check_coverage(schema, &author.asked);
    // Documents that nobody answers prove nothing.
    assert!(tally.fast > tally.answered / 8, "{tally:?}");
    assert!(tally.straight > tally.answered / 20, "{tally:?}");
    assert!(tally.failed > tally.answered / 50, "{tally:?}");
    assert!(tally.invalid < tally.answered / 10, "{tally:?}");
    assert!(tally.refused < tally.answered / 2, "{tally:?}");
}

#[tokio::test]
async fn occurrences_come_straight_and_without_what_nobody_asked_for() {
    let (app, feed) = world::start().await;
    let ana = World::of(&app, &app.ana, &feed).await;
    enrich(&app, &ana).await;
    let range = json!({ "start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z" });
    let variables = json!({ "id": app.ana.workspace(), "range": range });
    let people = people(&app).await;
    for fields in [
        "id",
        "start end isException",
        "__typename title event { __typename }",
        "location status title isRecurring isAllDay isTruncated originalStart",
        "start event { id title start end startDate endDate timeZone recurrence { rule lastStart } }",
        "event { calendar { name } organizer { email } attendees { email user { name } } viewerResponse reminders { minutesBefore } }",
        "event { description visibility color version updatedAt task { title } }",
    ] {
        let document = format!(
            "query ($id: ID!, $range: DateTimeRangeInput!) {{ workspace(id: $id) {{ eventOccurrences(range: $range) {{ {fields} }} }} }}"
        );
        let asked = Asked {
            document,
            variables: variables.clone(),
        };
        for (name, identity) in &people {
            let mut tally = Tally::default();
            compare(&app.client_as(identity.clone()), &asked, &mut tally).await;
            let is_member = !["stranger", "guest"].contains(name);
            assert_eq!(tally.straight, usize::from(is_member), "{name}: {fields}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_fails_alike_in_both_ways() {
    let (app, feed) = world::start().await;
    let ana = World::of(&app, &app.ana, &feed).await;
    enrich(&app, &ana).await;
    let (schema, ids) = (schema(), ids([&ana, &ana]));
    let database = migration_connection(app.database_url()).await.unwrap();
    let mut author = Author::new(schema, &ids, 7);
    let mut tally = Tally::default();
    for table in ["task_dependencies", "attendees", "calendar_settings", "reminders"] {
        let hide = format!("ALTER TABLE {table} RENAME TO away");
        database.execute_unprepared(&hide).await.unwrap();
        for _ in 0..60 {
            let asked = author.write(&["task", "calendarEvent", "calendar", "workspace"]);
            compare(&app.ana(), &asked, &mut tally).await;
        }
        let show = format!("ALTER TABLE away RENAME TO {table}");
        database.execute_unprepared(&show).await.unwrap();
    }
    assert!(tally.failed > tally.answered / 20, "{tally:?}");
}
