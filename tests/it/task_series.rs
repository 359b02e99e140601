//! Tasks that come again, through the API.

use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp};

async fn create(client: &Client<'_>, workspace: &str, more: Value) -> Answer {
    let mut input = json!({ "workspaceId": workspace, "title": "Water the plants" });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let document = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id recurrenceRule } userErrors { code field message } } }";
    client.gql(document, json!({ "input": input })).await
}

const FIELDS: &str = "id title status dueAt startAfter recurrenceRule labels completedMinutes priority";

async fn complete(client: &Client<'_>, id: &str) -> Answer {
    let document = format!(
        "mutation ($id: ID!) {{ completeTask(id: $id) {{ task {{ {FIELDS} }} nextTask {{ {FIELDS} parent {{ id }} subtasks {{ title status dueAt subtasks {{ title }} }} }} userErrors {{ code field }} }} }}"
    );
    client
        .gql(&document, json!({ "id": id }))
        .await
        .succeeded("completeTask")
}

#[tokio::test]
async fn completing_a_task_brings_the_next_one() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let more = json!({ "dueAt": "2026-03-02T17:00:00Z", "labels": ["home"], "priority": "HIGH", "recurrenceRule": "freq=weekly;byday=MO,TH" });
    let answer = create(&ana, &workspace, more).await.succeeded("createTask");
    assert_eq!(
        answer.text("/createTask/task/recurrenceRule"),
        "FREQ=WEEKLY;BYDAY=MO,TH"
    );
    let id = answer.text("/createTask/task/id");
    for (title, parent) in [("Fill the can", id.as_str())] {
        let more = json!({ "title": title, "parentId": parent, "dueAt": "2026-03-02T16:00:00Z" });
        let child = create(&ana, &workspace, more)
            .await
            .succeeded("createTask")
            .text("/createTask/task/id");
        create(
            &ana,
            &workspace,
            json!({ "title": "Find the can", "parentId": child }),
        )
        .await
        .succeeded("createTask");
        complete(&ana, &child).await;
    }

    let done = complete(&ana, &id).await.at("/completeTask");
    assert_eq!(done["task"]["status"], "DONE");
    assert_eq!(
        done["task"]["recurrenceRule"],
        Value::Null,
        "the next one has the rule"
    );
    let next = &done["nextTask"];
    assert_eq!(next["status"], "TODO");
    assert_eq!(next["dueAt"], "2026-03-05T17:00:00Z");
    assert_eq!(next["recurrenceRule"], "FREQ=WEEKLY;BYDAY=MO,TH");
    assert_eq!(
        (&next["labels"], &next["priority"]),
        (&json!(["home"]), &json!("HIGH"))
    );
    assert_eq!(
        next["subtasks"],
        json!([{ "title": "Fill the can", "status": "TODO", "dueAt": "2026-03-05T16:00:00Z", "subtasks": [{ "title": "Find the can" }] }])
    );
    let labelled =
        "query ($id: ID!) { workspace(id: $id) { tasks(filter: { labels: [\"home\"] }) { totalCount } } }";
    let answer = ana.gql(labelled, json!({ "id": workspace })).await;
    assert_eq!(answer.at("/workspace/tasks/totalCount"), 2);

    // Opened and completed again it does not come twice.
    let reopen = "mutation ($id: ID!) { reopenTask(id: $id) { userErrors { code } } }";
    ana.gql(reopen, json!({ "id": id })).await.succeeded("reopenTask");
    assert_eq!(
        complete(&ana, &id).await.at("/completeTask/nextTask"),
        Value::Null
    );
}

#[tokio::test]
async fn every_way_of_completing_counts() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let new = async || {
        let more = json!({ "dueAt": "2026-03-02T17:00:00Z", "recurrenceRule": "FREQ=DAILY;COUNT=2" });
        let answer = create(&ana, &workspace, more).await.succeeded("createTask");
        answer.text("/createTask/task/id")
    };
    let open = async || {
        let document = "query ($id: ID!) { workspace(id: $id) { tasks(filter: { statuses: [TODO] }) { nodes { id recurrenceRule } } } }";
        let answer = ana.gql(document, json!({ "id": workspace })).await;
        answer.at("/workspace/tasks/nodes").as_array().unwrap().clone()
    };
    let update =
        "mutation ($id: ID!) { updateTask(id: $id, input: { status: DONE }) { userErrors { code } } }";
    ana.gql(update, json!({ "id": new().await }))
        .await
        .succeeded("updateTask");
    let bulk = "mutation ($ids: [ID!]!) { bulkUpdateTasks(ids: $ids, input: { status: DONE }) { userErrors { code } } }";
    ana.gql(bulk, json!({ "ids": [new().await] }))
        .await
        .succeeded("bulkUpdateTasks");
    let left = open().await;
    assert_eq!(left.len(), 2);
    for task in &left {
        assert_eq!(task["recurrenceRule"], "FREQ=DAILY;COUNT=1");
        let last = complete(&ana, task["id"].as_str().unwrap()).await;
        assert_eq!(last.at("/completeTask/nextTask"), Value::Null);
    }
    assert!(open().await.is_empty());
}

#[tokio::test]
async fn a_rule_is_checked_changed_and_cleared() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    for rule in [
        "",
        "every day",
        "FREQ=HOURLY",
        "FREQ=DAILY;UNTIL=20200101T000000Z",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
    ] {
        let answer = create(&ana, &workspace, json!({ "recurrenceRule": rule })).await;
        assert_eq!(
            answer.user_error("createTask"),
            "INVALID_RECURRENCE input.recurrenceRule",
            "{rule}"
        );
    }
    let id = create(&ana, &workspace, json!({}))
        .await
        .succeeded("createTask")
        .text("/createTask/task/id");
    let update = async |rule: Value| {
        let document = "mutation ($id: ID!, $rule: RRule) { updateTask(id: $id, input: { recurrenceRule: $rule }) { task { recurrenceRule version } userErrors { code field message } } }";
        ana.gql(document, json!({ "id": id, "rule": rule })).await
    };
    let answer = update(json!("FREQ=DAILY")).await.succeeded("updateTask");
    assert_eq!(
        answer.at("/updateTask/task"),
        json!({ "recurrenceRule": "FREQ=DAILY", "version": 2 })
    );
    let answer = update(json!("FREQ=NEVER")).await;
    assert_eq!(
        answer.user_error("updateTask"),
        "INVALID_RECURRENCE input.recurrenceRule"
    );
    let answer = update(Value::Null).await.succeeded("updateTask");
    assert_eq!(
        answer.at("/updateTask/task"),
        json!({ "recurrenceRule": null, "version": 3 })
    );
}
