//! Series in words: each reader gets those of their own language.

use entity::enums::WorkspaceRole;
use serde_json::{Value, json};

use crate::support::events::calendar;
use crate::support::{Client, TestApp, join};

async fn speak(client: &Client<'_>, locale: &str) {
    let document = "mutation ($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "locale": locale } });
    client.gql(document, input).await.succeeded("updatePreferences");
}

/// The words of the only series, as the event itself and as its occurrences tell them.
async fn words(client: &Client<'_>, workspace: &str) -> [Value; 2] {
    let document = "query ($id: ID!) { workspace(id: $id) {
        calendarEvents(first: 5) { nodes { title recurrence { rule summary } } }
        eventOccurrences(range: { start: \"2026-03-01T00:00:00Z\", end: \"2026-03-08T00:00:00Z\" }) {
            event { recurrence { summary } } } } }";
    let answer = client.gql(document, json!({ "id": workspace })).await;
    [
        answer.at("/workspace/calendarEvents/nodes/0/recurrence/summary"),
        answer.at("/workspace/eventOccurrences/0/event/recurrence/summary"),
    ]
}

#[tokio::test]
async fn a_series_is_told_in_the_language_of_whoever_reads() {
    let app = TestApp::start().await;
    let (ana, ben, workspace) = (app.ana(), app.ben(), app.ana.workspace());
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    let calendar = calendar(&ana, &workspace).await;
    let input = json!({ "calendarId": calendar, "title": "Stand-up", "recurrence": { "rule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE" },
        "time": { "timed": { "start": "2026-03-02T08:00:00Z", "end": "2026-03-02T08:30:00Z" } } });
    let document = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { userErrors { code field message } } }";
    let answer = ana.gql(document, json!({ "input": input })).await;
    answer.succeeded("createCalendarEvent");

    speak(&ben, "de-AT").await;
    let english = json!("Every 2 weeks on Monday and Wednesday");
    let german = json!("Alle 2 Wochen am Montag und Mittwoch");
    assert_eq!(words(&ana, &workspace).await, [english.clone(), english.clone()]);
    assert_eq!(words(&ben, &workspace).await, [german.clone(), german]);
    // A language that nobody has taught us.
    speak(&ben, "fr").await;
    assert_eq!(words(&ben, &workspace).await, [english.clone(), english]);
}
