//! Published feeds: who may publish, what readers of the address see, and what an unchanged feed costs them.

use std::process::{Command, Stdio};

use entity::calendar;
use entity::enums::WorkspaceRole;
use entity::ids::CalendarId;
use meridian::access::Ctx;
use meridian::config::Config;
use meridian::features::events::{self, RemoteObject, ical};
use meridian::platform::db::Scope;
use meridian::platform::secrets::Secrets;
use sea_orm::{ColumnTrait as _, QueryFilter as _};
use serde_json::{Value, json};

use crate::support::events::calendar_named;
use crate::support::process::settings;
use crate::support::server::{Reply, Server};
use crate::support::{Client, TestApp, join};

async fn calendar(client: &Client<'_>, workspace: &str) -> String {
    calendar_named(client, workspace, "Shared, with others").await
}

async fn add(client: &Client<'_>, calendar: &str, title: &str, more: Value) -> String {
    let time = json!({ "timed": { "start": "2026-03-03T09:00:00Z", "end": "2026-03-03T10:00:00Z" } });
    let mut input = json!({ "calendarId": calendar, "title": title, "time": time });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let document = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { calendarEvent { id } userErrors { code field message } } }";
    let answer = client.gql(document, json!({ "input": input })).await;
    answer
        .succeeded("createCalendarEvent")
        .text("/createCalendarEvent/calendarEvent/id")
}

async fn publish(client: &Client<'_>, id: &str) -> String {
    let document =
        "mutation ($id: ID!) { publishCalendarFeed(id: $id) { calendar { feedUrl } userErrors { code } } }";
    let answer = client.gql(document, json!({ "id": id })).await;
    answer
        .succeeded("publishCalendarFeed")
        .text("/publishCalendarFeed/calendar/feedUrl")
}

async fn feed_url(client: &Client<'_>, id: &str) -> Value {
    let document = "query ($id: ID!) { calendar(id: $id) { feedUrl } }";
    let answer = client.gql(document, json!({ "id": id })).await;
    answer.at("/calendar/feedUrl")
}

fn path(url: &str) -> String {
    url::Url::parse(url).unwrap().path().to_owned()
}

async fn get(server: &Server, url: &str, headers: &[&str]) -> Reply {
    server.send("GET", &path(url), headers, "").await
}

#[tokio::test]
async fn only_those_who_manage_a_calendar_publish_it_and_see_its_address() {
    let app = TestApp::start().await;
    let ana = app.ana();
    let id = calendar(&ana, &app.ana.workspace()).await;
    assert_eq!(feed_url(&ana, &id).await, Value::Null);
    let url = publish(&ana, &id).await;
    assert_eq!(feed_url(&ana, &id).await, json!(url));

    let document = "mutation ($id: ID!) { publishCalendarFeed(id: $id) { userErrors { code } } }";
    let stranger = app.ben().gql(document, json!({ "id": id })).await;
    assert_eq!(stranger.error_code(), "NOT_FOUND");
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    let member = app.ben().gql(document, json!({ "id": id })).await;
    assert_eq!(member.error_code(), "FORBIDDEN");
    assert_eq!(feed_url(&app.ben(), &id).await, Value::Null);
    assert_eq!(feed_url(&ana, &id).await, json!(url));
}

#[tokio::test]
async fn an_old_address_stops_working_when_a_new_one_is_made_or_the_feed_is_withdrawn() {
    let server = Server::start().await;
    let ana = server.app.ana();
    let id = calendar(&ana, &server.app.ana.workspace()).await;
    let old = publish(&ana, &id).await;
    assert_eq!(get(&server, &old, &[]).await.status, 200);
    let new = publish(&ana, &id).await;
    assert_ne!(old, new);
    assert_eq!(get(&server, &old, &[]).await.status, 404);
    assert_eq!(get(&server, &new, &[]).await.status, 200);
    let document =
        "mutation ($id: ID!) { unpublishCalendarFeed(id: $id) { calendar { feedUrl } userErrors { code } } }";
    let withdrawn = ana.gql(document, json!({ "id": id })).await;
    let withdrawn = withdrawn.succeeded("unpublishCalendarFeed");
    assert_eq!(
        withdrawn.at("/unpublishCalendarFeed/calendar/feedUrl"),
        Value::Null
    );
    assert_eq!(get(&server, &new, &[]).await.status, 404);
    for nonsense in ["/ics/x.ics", "/ics/.ics", "/ics/x"] {
        assert_eq!(
            server.send("GET", nonsense, &[], "").await.status,
            404,
            "{nonsense}"
        );
    }
}

#[tokio::test]
async fn a_feed_tells_readers_nothing_private() {
    let server = Server::start().await;
    let ana = server.app.ana();
    let id = calendar(&ana, &server.app.ana.workspace()).await;
    let guests = json!([{ "email": "guest@example.org", "name": "Guest" }]);
    add(
        &ana,
        &id,
        "Open house",
        json!({ "location": "Garden", "attendees": guests }),
    )
    .await;
    let secret = json!({ "visibility": "PRIVATE", "location": "Clinic", "description": "Do not tell" });
    add(&ana, &id, "Surgery", secret).await;
    let url = publish(&ana, &id).await;
    let reply = get(&server, &url, &[]).await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "text/calendar; charset=utf-8")
    );
    for hidden in [
        "Surgery",
        "Clinic",
        "Do not tell",
        "guest@example.org",
        "ATTENDEE",
        "ORGANIZER",
        "VALARM",
    ] {
        assert!(!reply.body.contains(hidden), "{hidden}: {}", reply.body);
    }
    let feed = ical::read(&reply.body, "UTC").unwrap();
    assert_eq!(
        (feed.name.as_deref(), feed.is_complete),
        (Some("Shared, with others"), true)
    );
    let mut titles: Vec<String> = feed
        .objects
        .iter()
        .filter_map(|object| object.master.as_ref()?.summary.clone())
        .collect();
    titles.sort();
    assert_eq!(titles, ["Busy", "Open house"]);
}

#[tokio::test]
async fn a_reader_with_the_present_state_gets_no_body_until_something_changes() {
    let server = Server::start().await;
    let ana = server.app.ana();
    let id = calendar(&ana, &server.app.ana.workspace()).await;
    let event = add(&ana, &id, "First", json!({})).await;
    let url = publish(&ana, &id).await;
    // Within the second of a change a time would prove nothing.
    assert_eq!(get(&server, &url, &[]).await.header("last-modified"), "");
    server.app.advance(chrono::Duration::seconds(2));
    let first = get(&server, &url, &[]).await;
    let (etag, modified) = (
        first.header("etag").to_owned(),
        first.header("last-modified").to_owned(),
    );
    let known = format!("If-None-Match: {etag}");
    let unchanged = get(&server, &url, &[&known]).await;
    assert_eq!((unchanged.status, unchanged.body.as_str()), (304, ""));
    let since = format!("If-Modified-Since: {modified}");
    assert_eq!(get(&server, &url, &[&since]).await.status, 304);
    let earlier = "If-Modified-Since: Fri, 31 Dec 1999 00:00:00 GMT";
    assert_eq!(get(&server, &url, &[earlier]).await.status, 200);
    let other = [since.as_str(), "If-None-Match: \"other\""];
    assert_eq!(
        get(&server, &url, &other).await.status,
        200,
        "tags count more than times"
    );

    let zipped = get(&server, &url, &["Accept-Encoding: br, gzip"]).await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert_eq!(zipped.header("etag"), etag);
    let refused = get(&server, &url, &["Accept-Encoding: gzip;q=0"]).await;
    assert_eq!(refused.body, first.body);

    server.app.advance(chrono::Duration::minutes(1));
    let delete = "mutation ($id: ID!) { deleteCalendarEvent(id: $id) { userErrors { code } } }";
    ana.gql(delete, json!({ "id": event }))
        .await
        .succeeded("deleteCalendarEvent");
    let changed = get(&server, &url, &[&known]).await;
    assert_eq!(changed.status, 200);
    assert!(!changed.body.contains("First"));
    assert_eq!(get(&server, &url, &[&since]).await.status, 200);
}

/// What was read from elsewhere, stored and published is the same calendar: series, exceptions, zones.
#[tokio::test]
async fn a_stored_series_is_published_as_it_was_read() {
    let server = Server::start().await;
    let app = &server.app;
    let ana = app.ana();
    let id = calendar(&ana, &app.ana.workspace()).await;
    let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n\
        BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=America/New_York:20260302T090000\r\n\
        DTEND;TZID=America/New_York:20260302T100000\r\nRRULE:FREQ=WEEKLY;COUNT=6\r\nSUMMARY:Stand-up\r\n\
        EXDATE;TZID=America/New_York:20260309T090000\r\nRDATE;TZID=America/New_York:20260304T150000\r\nX-SECRET:inside\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID;TZID=America/New_York:20260316T090000\r\n\
        DTSTART;TZID=America/New_York:20260317T110000\r\nDTEND;TZID=America/New_York:20260317T113000\r\nSUMMARY:Moved\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID;TZID=America/New_York:20260323T090000\r\n\
        DTSTART;TZID=America/New_York:20260323T090000\r\nDTEND;TZID=America/New_York:20260323T100000\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let before = ical::read(text, "UTC").unwrap().objects.remove(0);
    let ctx = Ctx::system(&app.platform, app.ana.workspace_id);
    let calendar_id: CalendarId = id.parse().unwrap();
    let row = {
        let read = ctx.read().await.unwrap();
        let select = read
            .find::<calendar::Entity>()
            .filter(calendar::Column::Id.eq(calendar_id));
        select.one(&read).await.unwrap().unwrap()
    };
    let object = RemoteObject {
        key: "series".into(),
        etag: None,
        object: before.clone(),
    };
    let store = ctx.write(|tx| {
        let (object, row) = (object.clone(), &row);
        async move { events::store_parsed(&tx, row, None, vec![object], &|_| false).await }
    });
    assert_eq!(store.await.unwrap().created, 1);

    let url = publish(&ana, &id).await;
    let body = get(&server, &url, &[]).await.body;
    assert!(
        body.contains("BEGIN:VTIMEZONE") && !body.contains("X-SECRET"),
        "{body}"
    );
    let feed = ical::read(&body, "Europe/Berlin").unwrap();
    assert_eq!(feed.problems, [], "{body}");
    let after = &feed.objects[0];
    let (old, new) = (before.master.unwrap(), after.master.clone().unwrap());
    assert_eq!(
        (&new.time, &new.rrule, &new.rdates),
        (&old.time, &old.rrule, &old.rdates)
    );
    // The cancelled occurrence and the excluded one are the same to everybody.
    assert_eq!(new.exdates.len(), 2, "{body}");
    let [moved] = after.overrides.as_slice() else {
        panic!("{body}");
    };
    assert_eq!(moved.recurrence_id, before.overrides[0].recurrence_id);
    assert_eq!(moved.event.time, before.overrides[0].event.time);
    assert_eq!(moved.event.summary.as_deref(), Some("Moved"));
}

/// A key can only be retired when nothing needs it any more. What is sealed for a feed lives as long as the feed.
#[tokio::test]
async fn a_new_key_takes_over_the_addresses_of_feeds() {
    const NEW: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
    let app = TestApp::start().await;
    let ana = app.ana();
    let id = calendar(&ana, &app.ana.workspace()).await;
    let url = publish(&ana, &id).await;
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(app.database_url(), folder.path());
    let (_, old) = settings
        .iter()
        .find(|(name, _)| name == "MERIDIAN_SECRET_KEY")
        .unwrap();
    let run = |arguments: &[&str], keys: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_meridian"))
            .args(arguments)
            .env_clear()
            .envs(settings.iter().cloned())
            .env("MERIDIAN_SECRET_KEY", keys)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), text)
    };
    let rotate = |keys: &str| run(&["keys", "rotate"], keys);
    let (ok, text) = rotate(&format!("{NEW},{old}"));
    assert!(
        ok && text.contains("1 addresses of published calendars"),
        "{text}"
    );
    // The old key is gone.
    let (ok, text) = rotate(NEW);
    assert!(
        ok && text.contains("0 addresses of published calendars"),
        "{text}"
    );
    // And here the new one is.
    let lost = "calendars.sealed_feed_secret (1)";
    let (ok, text) = rotate(old);
    assert!(!ok && text.contains("cannot be opened with any key"), "{text}");
    assert!(
        text.contains(&format!("another key is still needed for: {lost}")),
        "{text}"
    );
    let (ok, text) = run(&["doctor"], old);
    assert!(
        !ok && text.contains(&format!("there is no key for {lost}")),
        "{text}"
    );
    assert!(text.contains("Another key sealed them"), "{text}");
    let (_, text) = run(&["doctor"], NEW);
    assert!(text.contains("a key for everything that is sealed"), "{text}");

    let read = app.platform.db.read(Scope::System).await.unwrap();
    let select = read
        .find::<calendar::Entity>()
        .filter(calendar::Column::SealedFeedSecret.is_not_null());
    let row = select.one(&read).await.unwrap().unwrap();
    let config = Config::parse(&[("MERIDIAN_SECRET_KEY".to_owned(), NEW.to_owned())].into()).unwrap();
    let secrets = Secrets::new(&config.secret_keys().unwrap());
    let place = format!("{}/{}/calendars.sealed_feed_secret", row.workspace_id, row.id);
    let sealed = row.sealed_feed_secret.unwrap();
    let secret = secrets.open(&sealed, place.as_bytes()).unwrap();
    assert!(url.contains(std::str::from_utf8(&secret).unwrap()), "{url}");
}
