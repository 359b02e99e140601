//! Meetings in tests that are about who hears of them and when.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Client, TestApp};

/// Minutes after the tests began, which is 10:00 in Berlin.
pub fn at(app: &TestApp, minutes: i64) -> String {
    (app.platform.clock.now() + TimeDelta::minutes(minutes)).to_rfc3339()
}

/// A calendar in Berlin.
pub async fn calendar(client: &Client<'_>, workspace: &str) -> Value {
    let document = "mutation ($input: CreateCalendarInput!) { createCalendar(input: $input) {
        calendar { id } userErrors { code field } } }";
    let input = json!({ "workspaceId": workspace, "name": "Work", "timeZone": "Europe/Berlin" });
    let made = client.gql(document, json!({ "input": input })).await;
    made.succeeded("createCalendar").at("/createCalendar/calendar/id")
}

/// Half an hour that begins so many minutes after now.
pub async fn event(app: &TestApp, calendar: &Value, minutes: i64, more: Value) -> String {
    let mut input = json!({
        "calendarId": calendar, "title": "Stand-up", "location": "Room 4",
        "time": { "timed": { "start": at(app, minutes), "end": at(app, minutes + 30) } },
    });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let document = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) {
        calendarEvent { id } userErrors { code field message } } }";
    let made = app.ana().gql(document, json!({ "input": input })).await;
    made.succeeded("createCalendarEvent")
        .text("/createCalendarEvent/calendarEvent/id")
}

/// Changes an event of Ana.
pub async fn update(app: &TestApp, id: &str, input: Value) {
    let document = "mutation ($id: ID!, $input: UpdateCalendarEventInput!) { updateCalendarEvent(id: $id, input: $input) {
        userErrors { code field message } } }";
    app.ana()
        .gql(document, json!({ "id": id, "input": input }))
        .await
        .succeeded("updateCalendarEvent");
}
