//! How the databases run what the server asks them: no table is read as a whole, and no page sorts more than a page. The statements are
//! those that the server sends while it answers, for every list of a workspace and of the viewer in every order and direction, and for
//! the questions of the benchmark.

mod asked;
mod plan;
mod rows;

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use crate::support::statements::{Heard, Statements};
use crate::tenancy::cases::schema;
use crate::tenancy::world::{self, World};
use asked::lists;
use plan::Planner;

/// What is known to read more, each with its reason: a part of the statement.
const KNOWN: &[(&str, &str)] = &[
    (
        "INNER JOIN \"users\" ON \"memberships\".\"user_id\"",
        "members stand in the order of the names of people, which another table has; a workspace has few of them",
    ),
    (
        "ROW_NUMBER() OVER ( PARTITION BY \"integration_id\"",
        "the last runs of each integration are asked for with all integrations of a workspace, which are few; old runs are forgotten",
    ),
    (
        "ORDER BY (CASE WHEN",
        "events in the order of the titles that the viewer sees: nobody stores those",
    ),
];

/// The questions of the benchmark, and what else is asked for a range of time.
const BENCHMARK: [(&str, &str); 5] = [
    (
        "q1",
        "query q1($task: ID!) { task(id: $task) { id version title status priority energy durationMinutes dueAt \
         isAutoScheduled labels createdAt updatedAt } }",
    ),
    (
        "q2",
        "query q2($id: ID!) { workspace(id: $id) { calendarEvents(first: 50) { nodes { id title start end \
         calendar { id name color } task { id title status priority dueAt durationMinutes labels \
         assignee { id name } } } pageInfo { hasNextPage } } } }",
    ),
    (
        "q2t",
        "query q2t($id: ID!) { workspace(id: $id) { tasks(first: 50) { nodes { id title status priority energy \
         durationMinutes dueAt isAutoScheduled labels assignee { id name } createdBy { id name } } \
         pageInfo { hasNextPage } } } }",
    ),
    (
        "q3",
        "query q3($id: ID!) { workspace(id: $id) { calendarEvents(first: 100, filter: { range: { \
         start: \"2026-03-02T00:00:00Z\", end: \"2026-03-09T00:00:00Z\" } }) { nodes { id title start end isAllDay status \
         location calendar { id name color } } pageInfo { hasNextPage } } } }",
    ),
    (
        "q3 with a count",
        "query q3($id: ID!) { workspace(id: $id) { calendarEvents(first: 1, filter: { range: { \
         start: \"2026-03-02T00:00:00Z\", end: \"2026-03-09T00:00:00Z\" } }) { totalCount nodes { id } } } }",
    ),
];

const CREATE: &str = "mutation q4($input: CreateTaskInput!) { createTask(input: $input) { task { id title status priority dueAt labels \
    assignee { id name } } userErrors { code message } } }";

const CREATE_SERIES: &str = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { calendarEvent { id } \
    userErrors { code message } } }";

#[tokio::test]
async fn no_list_reads_or_sorts_more_than_it_shows() {
    let (app, feed) = world::start().await;
    let world = World::of(&app, &app.ana, &feed).await;
    let (ana, id) = (app.ana(), app.ana.workspace());
    let input = json!({ "calendarId": world.fill(&json!("$calendar")), "title": "Series", "recurrence": { "rule": "FREQ=WEEKLY" },
        "time": { "timed": { "start": "2026-03-03T11:00:00Z", "end": "2026-03-03T12:00:00Z" } } });
    let answer = ana.gql(CREATE_SERIES, json!({ "input": input })).await;
    answer.succeeded("createCalendarEvent");
    rows::multiply(&app, &app.ana).await;
    let planner = Planner::connect(app.database_url()).await;
    let heard = Statements::listen();
    let mut statements: BTreeMap<String, Vec<Heard>> = BTreeMap::new();
    let mut note = |name: &str| {
        let all = heard.take();
        statements.entry(name.to_owned()).or_default().extend(all);
    };
    for list in lists(schema()) {
        let pages: &[&str] = if list.has_pages {
            &["first: 2", "last: 2"]
        } else {
            &[""]
        };
        for page in pages {
            let answer = ana.gql(&list.document(page), json!({ "id": id })).await;
            let info = answer.at("/on/list");
            note(&list.name);
            let (more, cursor, next) = if page.starts_with('f') {
                ("hasNextPage", "endCursor", "after")
            } else {
                ("hasPreviousPage", "startCursor", "before")
            };
            if info["pageInfo"][more] == true {
                let further = format!("{page}, {next}: {}", info["pageInfo"][cursor]);
                ana.gql(&list.document(&further), json!({ "id": id }))
                    .await
                    .at("/on/list");
                note(&list.name);
            }
        }
    }
    for (name, document) in BENCHMARK {
        let variables = world.fill(&json!({ "id": "$workspace", "task": "$task" }));
        ana.gql(document, variables).await.at("");
        note(name);
    }
    let input = json!({ "workspaceId": id, "title": "Try", "priority": "HIGH", "labels": ["home"] });
    let answer = ana.gql(CREATE, json!({ "input": input })).await;
    answer.succeeded("createTask");
    note("q4");

    let (mut seen, mut faults) = (HashSet::new(), Vec::new());
    for (name, heard) in statements {
        for one in heard {
            let asks = one.sql.starts_with("SELECT") || one.sql.contains("SELECT found.*");
            if asks && seen.insert(one.clone()) {
                for fault in planner.faults(&one).await {
                    faults.push((name.clone(), fault, one.sql.clone()));
                }
            }
        }
    }
    assert!(seen.len() > 40, "{} statements", seen.len());
    faults.retain(|(_, _, sql)| !KNOWN.iter().any(|(known, _)| sql.contains(known)));
    let told: Vec<Value> = faults.iter().map(|fault| json!(fault)).collect();
    assert!(told.is_empty(), "{:#}", Value::from(told));
}
