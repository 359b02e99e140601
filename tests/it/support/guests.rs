//! Guests in tests: what they are sent and told, and who comes to what.

use meridian::features::events::{self, ical};
use serde_json::{Value, json};

use super::chores::work;
use super::events::{calendar_row, system};
use super::post::{MailServer, Received};
use super::{Answer, Client, TestApp};

/// A server that sends its letters to this one.
pub async fn start(mail: &MailServer) -> TestApp {
    let settings = mail.settings();
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    TestApp::with_settings(&settings).await
}

/// The letters with a calendar part that go out now, unfolded.
pub async fn sent(app: &TestApp, mail: &MailServer) -> Vec<Received> {
    for (kind, result) in work(app).await {
        assert!(result.is_ok(), "{kind}: {result:?}");
    }
    let unfolded = |letter: Received| Received {
        text: letter.text.replace("\r\n ", ""),
        ..letter
    };
    // Members get a notification instead, which is mail, too, but no part of a calendar.
    let letters = mail.take().into_iter().map(unfolded);
    letters
        .filter(|letter| letter.text.contains("text/calendar"))
        .collect()
}

/// Changes some occurrences of an event.
pub async fn update(client: &Client<'_>, id: &str, scope: &str, start: Value, input: Value) -> Answer {
    let document = "mutation ($id: ID!, $input: UpdateCalendarEventInput!, $scope: RecurrenceScope!, $start: DateTime) {
        updateCalendarEvent(id: $id, input: $input, scope: $scope, occurrenceStart: $start) { calendarEvent { id } userErrors { code field message } } }";
    let variables = json!({ "id": id, "input": input, "scope": scope, "start": start });
    client.gql(document, variables).await
}

/// Titles and bodies of what somebody was told.
pub async fn inbox(client: &Client<'_>) -> Vec<(String, String)> {
    let document = "{ viewer { notifications(first: 20) { nodes { title body } } } }";
    let list = client
        .gql(document, json!({}))
        .await
        .at("/viewer/notifications/nodes");
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let list = list.as_array().unwrap().iter();
    list.map(|one| (text(one, "title"), text(one, "body"))).collect()
}

/// Stores what came from elsewhere.
pub async fn import(app: &TestApp, calendar: &Value, file: &str) {
    let ctx = system(app);
    let row = calendar_row(&ctx, calendar.as_str().unwrap()).await;
    let parsed = ical::read(file, "UTC").unwrap();
    let store = ctx.write(|tx| {
        let (objects, row) = (parsed.objects.clone(), &row);
        async move { events::import_in(&tx, row, objects).await }
    });
    let stored = store.await.unwrap();
    assert_eq!(stored.created, 1);
}

/// Day of March with guests and answers of each occurrence in a calendar.
pub async fn guests_by_day(client: &Client<'_>, workspace: &str, calendar: &Value) -> Vec<String> {
    let document = "query ($id: ID!, $range: DateTimeRangeInput!, $calendars: [ID!]) { workspace(id: $id) {
        eventOccurrences(range: $range, calendarIds: $calendars) { start attendees { email response } } } }";
    let range = json!({ "start": "2026-03-01T00:00:00Z", "end": "2026-03-31T00:00:00Z" });
    let variables = json!({ "id": workspace, "range": range, "calendars": [calendar] });
    let answer = client.gql(document, variables).await;
    let list = answer.at("/workspace/eventOccurrences");
    let short = |one: &Value| {
        let guests = one["attendees"].as_array().unwrap().iter();
        let guest = |guest: &Value| {
            let name = guest["email"].as_str().unwrap().split('@').next().unwrap();
            let is_new = guest["response"] == "NEEDS_ACTION";
            format!("{name}{}", if is_new { "" } else { "+" })
        };
        let guests: Vec<String> = guests.map(guest).collect();
        format!("{} {}", &one["start"].as_str().unwrap()[8..13], guests.join(" "))
    };
    list.as_array().unwrap().iter().map(short).collect()
}
