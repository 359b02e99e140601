//! Commands around the executor: whoever sends a mutation a second time is answered without it, to the byte as with it, and what was carried
//! out is carried out once, also where the executor has to find the words for the outcome.

use std::fmt::Write as _;

use entity::enums::WorkspaceRole;
use meridian::access::Identity;
use meridian::graphql;
use meridian::platform::db::migration_connection;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::random::Random;
use super::{bytes, is_whole};
use crate::support::events::calendar;
use crate::support::{Client, Person, TestApp, create_person, join};

/// What may be asked of a new task that does not depend on how many there are.
const FIELDS: &[&str] = &[
    "id",
    "title",
    "t: title",
    "version",
    "status",
    "priority",
    "energy",
    "dueAt",
    "labels",
    "isOverdue",
    "isBlocked",
    "recurrenceRule",
    "__typename",
    "createdAt",
    "assignee { id name }",
    "createdBy { name email }",
    "parent { id title }",
    "dependencies { id title isBlocked }",
    "subtasks { id }",
    "... on Node { key: id }",
    "...More",
];
const MORE: &str = "fragment More on Task { more: description completedAt }";
/// What has no fast form.
const SLOW: &str = "workspace { name }";

fn document(random: &mut Random) -> String {
    let mut fields: Vec<&str> = FIELDS.to_vec();
    fields.retain(|_| random.one_in(3));
    if random.one_in(8) {
        fields.push(SLOW);
    }
    if fields.is_empty() {
        fields.push("id");
    }
    let mut payload = format!("task {{ {} }}", fields.join(" "));
    for more in [
        "userErrors { code field message }",
        "__typename",
        "again: task { id }",
    ] {
        if random.one_in(2) {
            write!(payload, " {more}").unwrap();
        }
    }
    let name = random.pick(&["", "made: "]);
    let fragment = if payload.contains("...More") { MORE } else { "" };
    format!(
        "mutation M($input: CreateTaskInput!) {{ {name}createTask(input: $input) {{ {payload} }} }} {fragment}"
    )
}

/// The text with numbers for the ids of tasks that nobody knew before.
fn anonymous(text: &str, known: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    let mut seen: Vec<&str> = Vec::new();
    while let Some(at) = rest.find("task_") {
        let end = at + "task_".len() + 26;
        let Some(id) = rest.get(at..end) else { break };
        out.push_str(&rest[..at]);
        if known.contains(id) {
            out.push_str(id);
        } else {
            let number = seen.iter().position(|one| *one == id).unwrap_or_else(|| {
                seen.push(id);
                seen.len() - 1
            });
            write!(out, "new task {number}").unwrap();
        }
        rest = &rest[end..];
    }
    out + rest
}

#[derive(Debug, Default)]
struct Tally {
    straight: usize,
    refused: usize,
    failed: usize,
}

/// Sends a mutation three times: to the plain resolvers, to what is not known yet or no longer, and to what is known.
async fn compare(client: &Client<'_>, document: &str, variables: &Value, tally: &mut Tally) {
    let schema = &client.app.schema;
    let known = variables.to_string();
    let plain = schema.execute(client.request(document, variables.clone())).await;
    let expected = anonymous(&bytes(&plain), &known);
    for _ in 0..2 {
        let request = client.fast_request(document, variables).unwrap();
        let answer = graphql::execute(schema, request).await;
        let told = anonymous(&bytes(&answer), &known);
        assert_eq!(told, expected, "two ways, two answers: {document}\n{variables}");
        tally.straight += usize::from(is_whole(&answer.data));
    }
    tally.failed += usize::from(!plain.errors.is_empty());
    tally.refused += usize::from(bytes(&plain).contains("\"code\":\""));
}

async fn task(app: &TestApp, more: Value) -> String {
    let create = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";
    let mut input = json!({ "workspaceId": app.ana.workspace(), "title": "Known" });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let answer = app.ana().gql(create, json!({ "input": input })).await;
    answer.succeeded("createTask").text("/createTask/task/id")
}

async fn count(app: &TestApp) -> i64 {
    let list = "query ($id: ID!) { workspace(id: $id) { tasks { totalCount } } }";
    let answer = app.ana().gql(list, json!({ "id": app.ana.workspace() })).await;
    answer.at("/workspace/tasks/totalCount").as_i64().unwrap()
}

fn session(person: &Person) -> Identity {
    Identity::Session {
        user_id: person.user_id,
        session_id: person.session_id,
        is_admin: false,
    }
}

#[tokio::test]
async fn commands_are_answered_alike_around_the_executor() {
    let app = TestApp::start().await;
    let viewer = create_person(&app.platform, "Vera", "vera@example.org").await;
    let role = WorkspaceRole::Viewer;
    join(&app.platform, &viewer, app.ana.workspace_id, role).await;
    let known = task(&app, json!({})).await;
    // Values of another type are refused before a document is answered in any way.
    let inputs = [
        json!({}),
        json!({ "labels": ["a \"b\"", "c"], "dueAt": "2026-03-01T00:00:00.120Z", "description": "Über **alles**" }),
        json!({ "dependencyIds": [known], "priority": "URGENT" }),
        json!({ "parentId": known }),
        json!({ "recurrenceRule": "FREQ=DAILY", "dueAt": "2026-03-09T09:00:00Z", "assigneeId": null }),
        json!({ "title": "" }),
        json!({ "durationMinutes": 1, "labels": [""] }),
        json!({ "dependencyIds": ["task_01jnb3zq8cek7bz4sjqs3rx4p0"] }),
        json!({ "workspaceId": app.ben.workspace() }),
        json!({ "workspaceId": "nothing" }),
    ];
    let people = [
        session(&app.ana),
        session(&app.ana),
        session(&app.ana),
        session(&viewer),
        session(&app.ben),
        Identity::Guest,
    ];
    let (mut random, mut tally) = (Random(20_261_128), Tally::default());
    for _ in 0..120 {
        let document = document(&mut random);
        // The same document for several: who is refused must not be answered as whoever was not.
        for _ in 0..2 {
            let mut input = json!({ "workspaceId": app.ana.workspace(), "title": "New" });
            let more = random.pick(&inputs).as_object().unwrap().clone();
            input.as_object_mut().unwrap().extend(more);
            let client = app.client_as(random.pick(&people).clone());
            compare(&client, &document, &json!({ "input": input }), &mut tally).await;
        }
    }
    assert!(tally.straight > 25, "{tally:?}");
    assert!(tally.refused > 10, "{tally:?}");
    assert!(tally.failed > 10, "{tally:?}");
}

#[tokio::test]
async fn a_command_whose_answer_cannot_be_read_is_carried_out_once() {
    let app = TestApp::start().await;
    let document = "mutation ($input: CreateTaskInput!) { createTask(input: $input) {
        task { id title dependencies { id } } userErrors { code } } }";
    let variables = json!({ "input": { "workspaceId": app.ana.workspace(), "title": "Once" } });
    let mut tally = Tally::default();
    compare(&app.ana(), document, &variables, &mut tally).await;
    assert_eq!(tally.straight, 1, "known from the second time on");
    assert_eq!(count(&app).await, 3);
    let database = migration_connection(app.database_url()).await.unwrap();
    let hide = "ALTER TABLE task_dependencies RENAME TO away";
    database.execute_unprepared(hide).await.unwrap();
    compare(&app.ana(), document, &variables, &mut tally).await;
    let show = "ALTER TABLE away RENAME TO task_dependencies";
    database.execute_unprepared(show).await.unwrap();
    assert_eq!((tally.failed, tally.straight), (1, 1), "{tally:?}");
    assert_eq!(count(&app).await, 6);
}

#[tokio::test]
async fn what_a_command_says_of_one_task_is_what_it_says_of_another() {
    let app = TestApp::start().await;
    let document = "mutation ($id: ID!, $title: String) { updateTask(id: $id, input: { title: $title }) {
        task { title version } userErrors { code field } } }";
    let mut told = Vec::new();
    for title in ["One", "Two", "Three"] {
        let id = task(&app, json!({})).await;
        let request = app
            .ana()
            .fast_request(document, &json!({ "id": id, "title": title }))
            .unwrap();
        let answer = graphql::execute(&app.schema, request).await;
        told.push((bytes(&answer), is_whole(&answer.data)));
    }
    let expected = |title: &str| {
        format!(
            "{{\"updateTask\":{{\"task\":{{\"title\":\"{title}\",\"version\":2}},\"userErrors\":[]}}}}\n[]\n{{}}"
        )
    };
    let meant = [("One", false), ("Two", true), ("Three", true)];
    assert_eq!(told, meant.map(|(title, straight)| (expected(title), straight)));
    // What a variable that was left out means inside an input is for the executor to say.
    let id = task(&app, json!({})).await;
    compare(&app.ana(), document, &json!({ "id": id }), &mut Tally::default()).await;
}

/// Sends a mutation three times, each to another object: what is said of the first by the executor is said of the others around it.
async fn said_alike(app: &TestApp, document: &str, ids: [String; 3]) {
    let mut told = Vec::new();
    for id in ids {
        let request = app.ana().fast_request(document, &json!({ "id": id })).unwrap();
        let answer = graphql::execute(&app.schema, request).await;
        told.push((bytes(&answer).replace(&id, "it"), is_whole(&answer.data)));
    }
    let (first, others) = told.split_first().unwrap();
    assert!(!first.1, "known before it came: {document}");
    assert!(first.0.ends_with("\n[]\n{}"), "{first:?}");
    for other in others {
        assert_eq!((&other.0, other.1), (&first.0, true), "{document}");
    }
}

#[tokio::test]
async fn payloads_of_every_form_are_answered_around_the_executor() {
    let app = TestApp::start().await;
    for document in [
        "mutation ($id: ID!) { completeTask(id: $id) {
            task { title status } nextTask { title status assignee { name } } userErrors { code } } }",
        "mutation ($id: ID!) { gone: deleteTask(id: $id) { __typename deletedTaskId userErrors { message } } }",
        "mutation ($id: ID!) { bulkUpdateTasks(ids: [$id], input: { addLabels: [\"x\"] }) { tasks { id labels version } } }",
    ] {
        let more = json!({ "recurrenceRule": "FREQ=DAILY", "dueAt": "2026-03-09T09:00:00Z" });
        let ids = [
            task(&app, more.clone()).await,
            task(&app, more.clone()).await,
            task(&app, more).await,
        ];
        said_alike(&app, document, ids).await;
    }
    let calendar = calendar(&app.ana(), &app.ana.workspace()).await;
    for document in [
        "mutation ($id: ID!) { updateCalendarEvent(id: $id, input: { title: \"New\" }) {
            calendarEvent { id title version } affectedCalendarEvents { id calendar { name } } userErrors { code } } }",
        "mutation ($id: ID!) { moveCalendarEvent(id: $id, scope: ALL, start: \"2026-03-05T09:00:00Z\") {
            calendarEvent { start end } affectedCalendarEvents { start } } }",
        "mutation ($id: ID!) { deleteCalendarEvent(id: $id) { calendarEvent { id } deletedCalendarEventId userErrors { code } } }",
    ] {
        let ids = [
            event(&app, &calendar).await,
            event(&app, &calendar).await,
            event(&app, &calendar).await,
        ];
        said_alike(&app, document, ids).await;
    }
}

async fn event(app: &TestApp, calendar: &str) -> String {
    let create = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) {
        calendarEvent { id } userErrors { code } } }";
    let time = json!({ "timed": { "start": "2026-03-04T09:00:00Z", "end": "2026-03-04T10:00:00Z" } });
    let input = json!({ "calendarId": calendar, "title": "Known", "time": time });
    let answer = app.ana().gql(create, json!({ "input": input })).await;
    answer
        .succeeded("createCalendarEvent")
        .text("/createCalendarEvent/calendarEvent/id")
}
