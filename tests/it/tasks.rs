//! Tasks through the API.

use entity::enums::WorkspaceRole;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp, join};

const CREATE: &str = r"
    mutation ($input: CreateTaskInput!) {
      createTask(input: $input) {
        task { id version title status priority durationMinutes labels dueAt isOverdue isBlocked assignee { id name } }
        userErrors { code field message }
      }
    }";

async fn create(client: &Client<'_>, workspace: &str, more: Value) -> Answer {
    let mut input = json!({ "workspaceId": workspace, "title": "Write the report" });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    client.gql(CREATE, json!({ "input": input })).await
}

async fn task(client: &Client<'_>, workspace: &str, title: &str) -> String {
    let answer = create(client, workspace, json!({ "title": title })).await;
    answer.succeeded("createTask").text("/createTask/task/id")
}

async fn titles(client: &Client<'_>, workspace: &str, arguments: &str) -> Vec<String> {
    let document =
        format!("query ($id: ID!) {{ workspace(id: $id) {{ tasks{arguments} {{ nodes {{ title }} }} }} }}");
    let answer = client.gql(&document, json!({ "id": workspace })).await;
    let nodes = answer.at("/workspace/tasks/nodes");
    nodes
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["title"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_task_is_created_with_the_defaults_of_its_creator() {
    let app = TestApp::start().await;
    let answer = create(
        &app.ana(),
        &app.ana.workspace(),
        json!({ "labels": ["home", " home ", "tax"] }),
    )
    .await;
    let task = answer.succeeded("createTask").at("/createTask/task");
    assert_eq!(task["status"], "TODO");
    assert_eq!(task["priority"], "MEDIUM");
    assert_eq!(task["durationMinutes"], 45);
    assert_eq!(task["labels"], json!(["home", "tax"]));
    assert_eq!(task["assignee"]["name"], "Ana");
    assert_eq!(task["version"], 1);
}

#[tokio::test]
async fn bad_input_names_its_field_and_stores_nothing() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let unknown = "task_01jdb2k9x4e5vb4pex5vsknk08";
    let cases = [
        (json!({ "title": "  " }), "REQUIRED input.title"),
        (json!({ "title": "x".repeat(301) }), "TOO_LONG input.title"),
        (json!({ "title": "a\u{0}b" }), "INVALID input.title"),
        (
            json!({ "description": "x".repeat(20_001) }),
            "TOO_LONG input.description",
        ),
        (
            json!({ "durationMinutes": 4 }),
            "OUT_OF_RANGE input.durationMinutes",
        ),
        (
            json!({ "minChunkMinutes": 60, "maxChunkMinutes": 30 }),
            "OUT_OF_RANGE input.maxChunkMinutes",
        ),
        (
            json!({ "startAfter": "2026-03-03T00:00:00Z", "dueAt": "2026-03-02T00:00:00Z" }),
            "INVALID_TIME_RANGE input.dueAt",
        ),
        (
            json!({ "labels": (0..21).map(|n| n.to_string()).collect::<Vec<_>>() }),
            "TOO_LONG input.labels",
        ),
        (
            json!({ "assigneeId": app.ben.user_id.to_string() }),
            "REFERENCE_NOT_FOUND input.assigneeId",
        ),
        (
            json!({ "assigneeId": "nonsense" }),
            "REFERENCE_NOT_FOUND input.assigneeId",
        ),
        (
            json!({ "parentId": unknown }),
            "REFERENCE_NOT_FOUND input.parentId",
        ),
        (
            json!({ "dependencyIds": [unknown] }),
            "REFERENCE_NOT_FOUND input.dependencyIds.0",
        ),
        (
            json!({ "workspaceId": app.ben.workspace() }),
            "REFERENCE_NOT_FOUND input.workspaceId",
        ),
        (
            json!({ "workspaceId": "ws_01jdb2k9x4e5vb4pex5vsknk08" }),
            "REFERENCE_NOT_FOUND input.workspaceId",
        ),
        (
            json!({ "workspaceId": "task_1" }),
            "REFERENCE_NOT_FOUND input.workspaceId",
        ),
    ];
    for (input, expected) in cases {
        let answer = create(&ana, &workspace, input.clone()).await;
        assert_eq!(answer.user_error("createTask"), expected, "{input}");
        assert_eq!(answer.at("/createTask/task"), Value::Null);
    }
    assert!(titles(&ana, &workspace, "").await.is_empty());
}

#[tokio::test]
async fn an_update_keeps_clears_and_sets() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let due = json!({ "description": "soon", "dueAt": "2026-03-04T10:00:00.123456789+02:00" });
    let created = create(&ana, &workspace, due).await.succeeded("createTask");
    assert_eq!(
        created.text("/createTask/task/dueAt"),
        "2026-03-04T08:00:00.123456Z"
    );
    let id = created.text("/createTask/task/id");
    let update = "mutation ($id: ID!, $input: UpdateTaskInput!) {
        updateTask(id: $id, input: $input) { task { version title description dueAt } userErrors { code field message } } }";
    let input = json!({ "title": "New", "dueAt": null, "expectedVersion": 1 });
    let answer = ana
        .gql(update, json!({ "id": id, "input": input }))
        .await
        .succeeded("updateTask");
    let expected = json!({ "version": 2, "title": "New", "description": "soon", "dueAt": null });
    assert_eq!(answer.at("/updateTask/task"), expected);

    let stale = ana
        .gql(
            update,
            json!({ "id": id, "input": { "title": "Old", "expectedVersion": 1 } }),
        )
        .await;
    assert_eq!(
        stale.user_error("updateTask"),
        "VERSION_CONFLICT input.expectedVersion"
    );
    let same = ana
        .gql(update, json!({ "id": id, "input": { "title": "New" } }))
        .await;
    assert_eq!(
        same.at("/updateTask/task/version"),
        2,
        "an update without a difference is no change"
    );
}

#[tokio::test]
async fn strangers_and_guests_get_the_same_answer_as_for_nothing() {
    let app = TestApp::start().await;
    let id = task(&app.ana(), &app.ana.workspace(), "Secret").await;
    let unknown = "task_01jdb2k9x4e5vb4pex5vsknk08";
    let query = "query ($id: ID!) { task(id: $id) { title } node(id: $id) { id } }";
    for id in [id.as_str(), unknown, "nonsense"] {
        let answer = app.ben().gql(query, json!({ "id": id })).await;
        assert_eq!(answer.0["data"], json!({ "task": null, "node": null }));
    }
    let complete = "mutation ($id: ID!) { completeTask(id: $id) { task { id } userErrors { code } } }";
    let foreign = app.ben().gql(complete, json!({ "id": id })).await;
    let missing = app.ben().gql(complete, json!({ "id": unknown })).await;
    assert_eq!(foreign, missing);
    assert_eq!(foreign.error_code(), "NOT_FOUND");
    assert_eq!(
        app.guest().gql(complete, json!({ "id": id })).await.error_code(),
        "UNAUTHENTICATED"
    );
    let guest = app
        .guest()
        .gql(
            "query ($id: ID!) { task(id: $id) { title } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(guest.error_code(), "UNAUTHENTICATED");
    assert_eq!(
        guest.0["data"],
        json!({ "task": null }),
        "a failed nullable field is null, not absent"
    );
}

#[tokio::test]
async fn a_viewer_reads_and_does_not_write() {
    let app = TestApp::start().await;
    let id = task(&app.ana(), &app.ana.workspace(), "Shared").await;
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Viewer,
    )
    .await;
    let answer = app
        .ben()
        .gql(
            "query ($id: ID!) { task(id: $id) { title createdBy { email } } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(answer.text("/task/title"), "Shared");
    assert_eq!(answer.text("/task/createdBy/email"), "ana@example.org");
    let delete = app
        .ben()
        .gql(
            "mutation ($id: ID!) { deleteTask(id: $id) { deletedTaskId } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(delete.error_code(), "FORBIDDEN");
}

#[tokio::test]
async fn dependencies_block_and_never_form_a_circle() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let (a, b, c) = (
        task(&ana, &workspace, "a").await,
        task(&ana, &workspace, "b").await,
        task(&ana, &workspace, "c").await,
    );
    let add = "mutation ($task: ID!, $on: ID!) {
        addTaskDependency(taskId: $task, dependsOnId: $on) { task { isBlocked dependencies { title } } userErrors { code field } } }";
    let added = ana
        .gql(add, json!({ "task": a, "on": b }))
        .await
        .succeeded("addTaskDependency");
    let expected = json!({ "isBlocked": true, "dependencies": [{ "title": "b" }] });
    assert_eq!(added.at("/addTaskDependency/task"), expected);
    ana.gql(add, json!({ "task": b, "on": c }))
        .await
        .succeeded("addTaskDependency");
    for (task, on) in [(&c, &a), (&a, &a), (&b, &a)] {
        let refused = ana.gql(add, json!({ "task": task, "on": on })).await;
        assert_eq!(
            refused.user_error("addTaskDependency"),
            "DEPENDENCY_CYCLE dependsOnId"
        );
    }
    assert_eq!(
        titles(
            &ana,
            &workspace,
            "(filter: { isBlocked: true }, orderBy: { field: TITLE })"
        )
        .await,
        ["a", "b"]
    );
    assert_eq!(
        titles(&ana, &workspace, "(filter: { isBlocked: false })").await,
        ["c"]
    );

    let complete = "mutation ($id: ID!) { completeTask(id: $id) { task { completedAt dependents { title isBlocked } } userErrors { code field } } }";
    let done = ana
        .gql(complete, json!({ "id": c }))
        .await
        .succeeded("completeTask");
    assert_eq!(
        done.text("/completeTask/task/completedAt"),
        "2026-03-02T09:00:00Z"
    );
    assert_eq!(
        done.at("/completeTask/task/dependents"),
        json!([{ "title": "b", "isBlocked": false }])
    );
    let again = ana.gql(complete, json!({ "id": c })).await;
    assert_eq!(again.user_error("completeTask"), "INVALID_STATE id");
}

#[tokio::test]
async fn deleting_a_task_deletes_its_sub_tasks() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let parent = task(&ana, &workspace, "parent").await;
    let child = create(&ana, &workspace, json!({ "title": "child", "parentId": parent }))
        .await
        .text("/createTask/task/id");
    create(
        &ana,
        &workspace,
        json!({ "title": "grandchild", "parentId": child }),
    )
    .await
    .succeeded("createTask");
    task(&ana, &workspace, "other").await;
    let update = "mutation ($id: ID!, $parent: ID!) { updateTask(id: $id, input: { parentId: $parent }) { userErrors { code field } } }";
    let circle = ana.gql(update, json!({ "id": parent, "parent": child })).await;
    assert_eq!(circle.user_error("updateTask"), "DEPENDENCY_CYCLE input.parentId");
    let delete = "mutation ($id: ID!) { deleteTask(id: $id) { deletedTaskId userErrors { code } } }";
    let deleted = ana
        .gql(delete, json!({ "id": parent }))
        .await
        .succeeded("deleteTask");
    assert_eq!(deleted.text("/deleteTask/deletedTaskId"), parent);
    assert_eq!(titles(&ana, &workspace, "").await, ["other"]);
}

#[tokio::test]
async fn pages_meet_without_gap_or_overlap_in_every_order_and_direction() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    for n in 0..7 {
        let due = if n % 3 == 0 {
            Value::Null
        } else {
            json!(format!("2026-03-1{}T00:00:00Z", n % 2))
        };
        let priority = ["LOW", "HIGH", "URGENT"][n % 3];
        create(
            &ana,
            &workspace,
            json!({ "title": format!("t{n}"), "dueAt": due, "priority": priority }),
        )
        .await
        .succeeded("createTask");
        app.advance(chrono::Duration::seconds((n % 2) as i64));
    }
    let query = "query ($id: ID!, $order: TaskOrder!, $first: Int, $after: String, $last: Int, $before: String) {
        workspace(id: $id) { tasks(orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
            nodes { title } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } } }";
    for field in ["DUE_AT", "PRIORITY", "CREATED_AT", "UPDATED_AT", "TITLE"] {
        for direction in ["ASC", "DESC"] {
            let order = json!({ "field": field, "direction": direction });
            let page = async |arguments: Value| {
                let mut variables = json!({ "id": workspace, "order": order });
                variables
                    .as_object_mut()
                    .unwrap()
                    .extend(arguments.as_object().unwrap().clone());
                ana.gql(query, variables).await.at("/workspace/tasks")
            };
            let names = |page: &Value| -> Vec<String> {
                page["nodes"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|node| node["title"].as_str().unwrap().to_owned())
                    .collect()
            };
            let whole = page(json!({ "first": 100 })).await;
            assert_eq!(whole["totalCount"], 7);
            let expected = names(&whole);
            let (mut forward, mut after) = (Vec::new(), Value::Null);
            loop {
                let next = page(json!({ "first": 2, "after": after })).await;
                forward.extend(names(&next));
                after = next["pageInfo"]["endCursor"].clone();
                if next["pageInfo"]["hasNextPage"] == false {
                    break;
                }
            }
            assert_eq!(forward, expected, "{field} {direction} forwards");
            let (mut backward, mut before) = (Vec::new(), Value::Null);
            loop {
                let next = page(json!({ "last": 2, "before": before })).await;
                backward.splice(0..0, names(&next));
                before = next["pageInfo"]["startCursor"].clone();
                if next["pageInfo"]["hasPreviousPage"] == false {
                    break;
                }
            }
            assert_eq!(backward, expected, "{field} {direction} backwards");
        }
    }
    let foreign = ana
        .gql(
            query,
            json!({ "id": workspace, "order": { "field": "TITLE" }, "after": "W10" }),
        )
        .await;
    assert_eq!(foreign.error_code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn filters_combine() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let many = [
        json!({ "title": "Tax 100%", "labels": ["home"], "dueAt": "2026-03-01T00:00:00Z" }),
        json!({ "title": "tax office", "labels": ["work"], "dueAt": "2026-03-05T00:00:00Z", "priority": "URGENT" }),
        json!({ "title": "Garden", "description": "after the tax", "labels": ["home", "work"] }),
    ];
    for input in many {
        create(&ana, &workspace, input).await.succeeded("createTask");
    }
    let by = async |filter: &str| {
        titles(
            &ana,
            &workspace,
            &format!("(filter: {{ {filter} }}, orderBy: {{ field: TITLE }})"),
        )
        .await
    };
    assert_eq!(by("search: \"TAX\"").await, ["Garden", "Tax 100%", "tax office"]);
    assert_eq!(by("search: \"0%\"").await, ["Tax 100%"]);
    assert_eq!(by("search: \"tax garden\"").await, ["Garden"]);
    assert_eq!(by("labels: [\"work\"]").await, ["Garden", "tax office"]);
    assert_eq!(by("isOverdue: true").await, ["Tax 100%"]);
    assert_eq!(by("isOverdue: false").await, ["Garden", "tax office"]);
    assert_eq!(
        by("dueAfter: \"2026-03-01T00:00:00Z\", dueBefore: \"2026-03-05T00:00:00Z\"").await,
        ["Tax 100%"]
    );
    assert_eq!(
        by("priorities: [URGENT, HIGH], statuses: [TODO]").await,
        ["tax office"]
    );
    assert_eq!(by("statuses: [DONE]").await, Vec::<String>::new());
    assert_eq!(by("assigneeIds: [\"nonsense\"]").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_bulk_update_changes_all_or_none() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let (a, b) = (
        task(&ana, &workspace, "a").await,
        task(&ana, &workspace, "b").await,
    );
    let bulk = "mutation ($ids: [ID!]!, $input: BulkUpdateTasksInput!) {
        bulkUpdateTasks(ids: $ids, input: $input) { tasks { title priority labels } userErrors { code field } } }";
    let input = json!({ "priority": "URGENT", "addLabels": ["x"] });
    let refused = ana
        .gql(
            bulk,
            json!({ "ids": [a, "task_01jdb2k9x4e5vb4pex5vsknk08"], "input": input }),
        )
        .await;
    assert_eq!(refused.user_error("bulkUpdateTasks"), "REFERENCE_NOT_FOUND ids.1");
    let done = ana
        .gql(bulk, json!({ "ids": [b, a], "input": input }))
        .await
        .succeeded("bulkUpdateTasks");
    let expected = json!([
        { "title": "b", "priority": "URGENT", "labels": ["x"] },
        { "title": "a", "priority": "URGENT", "labels": ["x"] },
    ]);
    assert_eq!(done.at("/bulkUpdateTasks/tasks"), expected);
}

#[tokio::test]
async fn a_second_window_sees_changes_and_resumes_without_a_gap() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let document = "subscription ($id: ID!, $after: String) {
        taskChanged(workspaceId: $id, after: $after) { cursor action taskId task { title status } } }";
    let mut live = ana.subscribe(document, json!({ "id": workspace }));
    let first = futures_util::future::join(live.next(), async {
        // The stream starts when it is first polled.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        task(&ana, &workspace, "seen").await
    });
    let (seen, id) = first.await;
    let seen = seen.unwrap();
    assert_eq!(seen.at("/taskChanged/action"), "CREATED");
    assert_eq!(seen.text("/taskChanged/task/title"), "seen");
    let cursor = seen.text("/taskChanged/cursor");

    ana.gql(
        "mutation ($id: ID!) { completeTask(id: $id) { task { id } } }",
        json!({ "id": id }),
    )
    .await
    .at("/completeTask/task");
    ana.gql(
        "mutation ($id: ID!) { deleteTask(id: $id) { deletedTaskId } }",
        json!({ "id": id }),
    )
    .await
    .at("/deleteTask");
    let live: Vec<Answer> = live.take(2).collect().await;
    let resumed: Vec<Answer> = ana
        .subscribe(document, json!({ "id": workspace, "after": cursor }))
        .take(2)
        .collect()
        .await;
    let cursors = |answers: &[Answer]| {
        answers
            .iter()
            .map(|a| a.text("/taskChanged/cursor"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        cursors(&live),
        cursors(&resumed),
        "resuming sends what was missed, in the same order"
    );
    assert_eq!(resumed[1].at("/taskChanged/action"), "DELETED");
    assert_eq!(resumed[1].at("/taskChanged/task"), Value::Null);

    let mut foreign = app.ben().subscribe(document, json!({ "id": workspace }));
    assert_eq!(foreign.next().await.unwrap().error_code(), "NOT_FOUND");
    let mut wrong = ana.subscribe(document, json!({ "id": workspace, "after": "nonsense" }));
    assert_eq!(wrong.next().await.unwrap().error_code(), "BAD_USER_INPUT");
}
