//! Calendars and events in tests: made through the API, or stored as what another program has written.

use meridian::access::Ctx;
use meridian::features::events::{self, RemoteObject, Stored, ical};
use serde_json::{Value, json};

use super::{Client, TestApp};

/// The system in Ana's workspace.
pub fn system(app: &TestApp) -> Ctx {
    Ctx::system(&app.platform, app.ana.workspace_id)
}

/// A calendar of a workspace, with its zone: that of Ana is Europe/Berlin.
pub async fn calendar(client: &Client<'_>, workspace: &str) -> String {
    calendar_named(client, workspace, "Work").await
}

/// The same with another name.
pub async fn calendar_named(client: &Client<'_>, workspace: &str, name: &str) -> String {
    let document = "mutation ($input: CreateCalendarInput!) { createCalendar(input: $input) { calendar { id } userErrors { code field } } }";
    let input = json!({ "input": { "workspaceId": workspace, "name": name } });
    let answer = client.gql(document, input).await.succeeded("createCalendar");
    answer.text("/createCalendar/calendar/id")
}

/// A calendar as it is stored.
pub async fn calendar_row(ctx: &Ctx, id: &str) -> entity::calendar::Model {
    let read = ctx.read().await.unwrap();
    let rows = read.find::<entity::calendar::Entity>().all(&read).await.unwrap();
    rows.into_iter().find(|row| row.id.to_string() == id).unwrap()
}

/// The times of an event between two instants.
pub fn timed(start: &str, end: &str) -> Value {
    json!({ "timed": { "start": start, "end": end } })
}

/// A calendar file with these lines in it, however they are indented.
pub fn file_of(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("{}\r\n", line.trim())).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n{lines}END:VCALENDAR\r\n")
}

/// Stores the objects of a calendar file, as a sync does.
pub async fn store(ctx: &Ctx, place: &entity::calendar::Model, text: &str) -> Stored {
    let store = ctx.write(|tx| {
        let objects = ical::read(text, "Europe/Berlin").unwrap().objects.into_iter();
        let objects: Vec<RemoteObject> = objects
            .map(|object| RemoteObject {
                key: object.uid.clone(),
                etag: None,
                object,
            })
            .collect();
        async move { events::store_parsed(&tx, place, None, objects, &|_| false).await }
    });
    store.await.unwrap()
}
