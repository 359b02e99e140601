//! Words with letters that ASCII does not have are found in any case, on every database.

use serde_json::{Value, json};

use crate::support::events::calendar;
use crate::support::{Client, TestApp};

/// Titles of what a list finds with these words.
async fn found(client: &Client<'_>, workspace: &str, list: &str, words: &str) -> Vec<Value> {
    let document = format!(
        "query ($id: ID!, $words: String!) {{ workspace(id: $id) {{
            list: {list}(first: 10, filter: {{ search: $words }}, orderBy: {{ field: TITLE }}) {{ nodes {{ title }} }} }} }}"
    );
    let answer = client
        .gql(&document, json!({ "id": workspace, "words": words }))
        .await;
    let nodes = answer.at("/workspace/list/nodes");
    let titles = nodes.as_array().unwrap().iter();
    titles.map(|node| node["title"].clone()).collect()
}

#[tokio::test]
async fn titles_are_found_whatever_their_letters() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    for title in ["Übung am Morgen", "FRÜHSTÜCK", "übung 2", "Uebung", "Отчёт"] {
        let input = json!({ "calendarId": calendar, "title": title,
            "time": { "timed": { "start": "2026-03-03T09:00:00Z", "end": "2026-03-03T10:00:00Z" } } });
        let document = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { userErrors { code } } }";
        let answer = ana.gql(document, json!({ "input": input })).await;
        answer.succeeded("createCalendarEvent");
        let document =
            "mutation ($input: CreateTaskInput!) { createTask(input: $input) { userErrors { code } } }";
        let input = json!({ "workspaceId": workspace, "title": title });
        let answer = ana.gql(document, json!({ "input": input })).await;
        answer.succeeded("createTask");
    }
    for list in ["calendarEvents", "tasks"] {
        for (words, titles) in [
            ("Übung", 2),
            ("übung", 2),
            ("ÜBUNG", 2),
            ("übung morgen", 1),
            ("frühstück", 1),
            ("Frühstück", 1),
            ("отчёт", 1),
            ("ОТЧЁТ", 1),
            ("übungen", 0),
        ] {
            let found = found(&ana, &workspace, list, words).await;
            assert_eq!(found.len(), titles, "{list} {words}: {found:?}");
        }
    }
}
