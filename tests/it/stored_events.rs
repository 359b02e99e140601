//! What a sync has read, stored and shown through the API.

use std::time::Instant;

use entity::ids::{CalendarId, WorkspaceId};
use entity::{attendee, calendar, calendar_event, change_log, event_override, external_event_link, reminder};
use meridian::features::events::{self, RemoteObject, Stored, ical};
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};
use serde_json::{Value, json};

use crate::support::events::system;
use crate::support::ics_corpus::{broken_objects, real_looking_objects};
use crate::support::{Client, TestApp};

/// A calendar that somebody else fills. Without an integration, so that nothing but this test touches it.
async fn calendar(app: &TestApp, is_read_only: bool) -> calendar::Model {
    let (id, owner) = (app.platform.ids.next(), app.ana.user_id);
    let ctx = system(app);
    let insert = ctx.write(|tx| async move {
        let row = calendar::Model {
            id,
            workspace_id: WorkspaceId(Default::default()),
            owner_id: Some(owner),
            integration_id: None,
            external_id: None,
            name: "Elsewhere".into(),
            description: None,
            color: "#112233".into(),
            time_zone: "Europe/Berlin".into(),
            is_default: false,
            is_read_only,
            counts_as_busy: true,
            is_mirrored: false,
            feed_secret_hash: None,
            sealed_feed_secret: None,
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        tx.insert(row.into_active_model().reset_all()).await
    });
    insert.await.unwrap()
}

fn objects(texts: &[(&str, &str)]) -> Vec<RemoteObject> {
    let read = |(key, text): &(&str, &str)| {
        let feed = ical::read(text, "Europe/Berlin").unwrap();
        let object = |object: ical::ParsedObject| RemoteObject {
            key: format!("{key}#{}", object.uid),
            etag: Some("1".into()),
            object,
        };
        feed.objects.into_iter().map(object).collect::<Vec<_>>()
    };
    texts.iter().flat_map(read).collect()
}

async fn store(app: &TestApp, calendar: &calendar::Model, texts: &[(&str, &str)]) -> Stored {
    let objects = objects(texts);
    let run = Some(app.platform.ids.next());
    let ctx = system(app);
    let store = ctx.write(|tx| {
        let objects = objects.clone();
        async move { events::store_parsed(&tx, calendar, run, objects, &|_| false).await }
    });
    store.await.unwrap()
}

async fn remove(app: &TestApp, calendar: &calendar::Model, keys: &[&str]) -> u32 {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let ctx = system(app);
    let remove = ctx.write(|tx| {
        let keys = keys.clone();
        async move { events::remove_objects(&tx, calendar, &keys).await }
    });
    remove.await.unwrap()
}

fn event(uid: &str, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{}END:VCALENDAR\r\n",
        vevent(uid, lines)
    )
}

fn vevent(uid: &str, lines: &str) -> String {
    let lines = lines
        .lines()
        .map(|line| format!("{}\r\n", line.trim()))
        .collect::<String>();
    format!("BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n{lines}END:VEVENT\r\n")
}

fn series(parts: &[String]) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{}END:VCALENDAR\r\n",
        parts.concat()
    )
}

async fn list(client: &Client<'_>, workspace: &str, filter: &str, fields: &str) -> Value {
    let document = format!(
        "query ($id: ID!) {{ workspace(id: $id) {{ calendarEvents(first: 100{filter}) {{ nodes {{ {fields} }} }} }} }}"
    );
    client
        .gql(&document, json!({ "id": workspace }))
        .await
        .at("/workspace/calendarEvents/nodes")
}

async fn changes(app: &TestApp) -> usize {
    let read = system(app).read().await.unwrap();
    read.find::<change_log::Entity>().all(&read).await.unwrap().len()
}

async fn rows(app: &TestApp) -> Vec<calendar_event::Model> {
    let read = system(app).read().await.unwrap();
    let mut rows = read.find::<calendar_event::Entity>().all(&read).await.unwrap();
    rows.sort_by(|a, b| (&a.uid, &a.recurrence_id).cmp(&(&b.uid, &b.recurrence_id)));
    rows
}

const LUNCH: &str = "DTSTART;TZID=Europe/Berlin:20260303T120000
    DTEND;TZID=America/New_York:20260303T073000
    SUMMARY:Lunch
    LOCATION:Canteen
    ORGANIZER;CN=Ana:mailto:ana@example.org
    ATTENDEE;PARTSTAT=ACCEPTED:mailto:ana@example.org
    ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=TENTATIVE;CN=Carl:mailto:carl@example.net
    ATTENDEE:mailto:carl@example.net
    BEGIN:VALARM
    ACTION:DISPLAY
    TRIGGER:-PT15M
    END:VALARM";

#[tokio::test]
async fn an_object_is_stored_once_and_its_echo_changes_nothing() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&app, true).await;
    let text = event("lunch", LUNCH);
    let stored = store(&app, &calendar, &[("a", &text)]).await;
    assert_eq!((stored.created, stored.updated, stored.unchanged), (1, 0, 0));
    let fields = "title start end timeZone isAllDay location viewerResponse organizer { email }
        attendees { email name response isOptional } reminders { minutesBefore } version";
    let expected = json!([{
        "title": "Lunch", "start": "2026-03-03T11:00:00Z", "end": "2026-03-03T12:30:00Z", "timeZone": "Europe/Berlin",
        "isAllDay": false, "location": "Canteen", "viewerResponse": "ACCEPTED", "organizer": { "email": "ana@example.org" },
        "attendees": [{ "email": "carl@example.net", "name": "Carl", "response": "TENTATIVE", "isOptional": true }],
        "reminders": [{ "minutesBefore": 15 }], "version": 1,
    }]);
    assert_eq!(list(&ana, &workspace, "", fields).await, expected);
    let before = changes(&app).await;
    let restamped = text.replace("DTSTAMP:20260101", "DTSTAMP:20260202");
    let again = store(&app, &calendar, &[("a", &restamped)]).await;
    assert_eq!((again.created, again.updated, again.unchanged), (0, 0, 1));
    assert_eq!(changes(&app).await, before);

    let id = rows(&app).await[0].id;
    let moved = text
        .replace("SUMMARY:Lunch", "SUMMARY:Late lunch")
        .replace("20260303T120000", "20260303T123000");
    let changed = store(&app, &calendar, &[("a", &moved)]).await;
    assert_eq!((changed.created, changed.updated, changed.unchanged), (0, 1, 0));
    let row = &rows(&app).await[0];
    assert_eq!((row.id, row.version, row.title.as_str()), (id, 2, "Late lunch"));
    let read = system(&app).read().await.unwrap();
    let reminders = read.find::<reminder::Entity>().all(&read).await.unwrap();
    assert_eq!(
        reminders.iter().map(|row| row.event_version).collect::<Vec<_>>(),
        [2]
    );
    assert_eq!(changes(&app).await, before + 1);

    nothing_here_changes_it(&app, &calendar).await;
    assert_eq!(remove(&app, &calendar, &["a#lunch", "b"]).await, 1);
    assert_eq!(rows(&app).await, []);
}

/// Every way to change the one event of a calendar that only shows what is elsewhere, or to add another, is refused and leaves nothing.
async fn nothing_here_changes_it(app: &TestApp, calendar: &calendar::Model) {
    let ana = app.ana();
    let id = rows(app).await[0].id.to_string();
    let guests = async || {
        let read = system(app).read().await.unwrap();
        let mut guests = read.find::<attendee::Entity>().all(&read).await.unwrap();
        guests.sort_by_key(|guest| guest.id.0);
        guests
    };
    let before = (rows(app).await, guests().await, changes(app).await);
    let time = json!({ "timed": { "start": "2026-03-04T11:00:00Z", "end": "2026-03-04T12:00:00Z" } });
    for (mutation, arguments, input, field) in [
        (
            "updateCalendarEvent",
            "id: $id, scope: ALL, input: $input",
            json!({ "title": "Mine" }),
            "id",
        ),
        (
            "updateCalendarEvent",
            "id: $id, scope: ALL, input: $input",
            json!({ "time": time }),
            "id",
        ),
        (
            "moveCalendarEvent",
            "id: $id, start: \"2026-03-04T11:00:00Z\"",
            Value::Null,
            "id",
        ),
        (
            "respondToCalendarEvent",
            "id: $id, response: DECLINED",
            Value::Null,
            "id",
        ),
        ("deleteCalendarEvent", "id: $id", Value::Null, "id"),
        (
            "createCalendarEvent",
            "input: $input",
            json!({ "calendarId": calendar.id.to_string(), "title": "Mine", "time": time }),
            "input.calendarId",
        ),
    ] {
        let mut variables = json!({});
        let mut declared = Vec::new();
        if arguments.contains("$id") {
            declared.push("$id: ID!".to_owned());
            variables["id"] = json!(id);
        }
        if arguments.contains("$input") {
            let (first, rest) = mutation.split_at(1);
            declared.push(format!("$input: {}{rest}Input!", first.to_uppercase()));
            variables["input"] = input;
        }
        let document = format!(
            "mutation ({}) {{ {mutation}({arguments}) {{ userErrors {{ code field }} }} }}",
            declared.join(", ")
        );
        let refused = ana.gql(&document, variables).await;
        assert_eq!(refused.user_error(mutation), format!("READ_ONLY {field}"));
        assert_eq!((rows(app).await, guests().await, changes(app).await), before);
    }
}

#[tokio::test]
async fn a_series_keeps_its_exceptions_and_says_what_repeats() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&app, false).await;
    let master = vevent(
        "standup",
        "DTSTART;TZID=Europe/Berlin:20260302T090000
        DURATION:PT15M
        RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260630T215959Z
        RDATE;TZID=Europe/Berlin:20260306T100000
        EXDATE;TZID=Europe/Berlin:20260309T090000
        EXDATE;VALUE=DATE:20260330
        SUMMARY:Stand-up",
    );
    let moved = vevent(
        "standup",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260311T090000
        DTSTART;TZID=Europe/Berlin:20270111T140000
        DTEND;TZID=Europe/Berlin:20270111T141500
        SUMMARY:Stand-up",
    );
    let renamed = vevent(
        "standup",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260316T090000
        DTSTART;TZID=Europe/Berlin:20260316T090000
        DURATION:PT15M
        SUMMARY:Stand-up with guests",
    );
    let cancelled = vevent(
        "standup",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260318T090000
        DTSTART;TZID=Europe/Berlin:20260318T090000
        STATUS:CANCELLED",
    );
    let text = series(&[master.clone(), moved, renamed, cancelled]);
    let stored = store(&app, &calendar, &[("s", &text)]).await;
    assert_eq!((stored.created, stored.problems.len()), (1, 0));
    let fields = "title recurrence { rule summary additionalStarts excludedStarts }";
    let expected = json!([{ "title": "Stand-up", "recurrence": {
        "rule": "FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260630T215959Z",
        "summary": "Every week on Monday and Wednesday, until 30 June 2026",
        "additionalStarts": ["2026-03-06T09:00:00Z"],
        // The second is a day: the occurrence of that day, an hour earlier in UTC since clocks changed.
        "excludedStarts": ["2026-03-09T08:00:00Z", "2026-03-30T07:00:00Z"],
    } }]);
    assert_eq!(list(&ana, &workspace, "", fields).await, expected);
    let read = system(&app).read().await.unwrap();
    let mut overrides = read.find::<event_override::Entity>().all(&read).await.unwrap();
    overrides.sort_by_key(|row| row.original_start_utc);
    let patches: Vec<(&str, bool, &Value)> = overrides
        .iter()
        .map(|row| (row.original_start.as_str(), row.cancelled, &row.patch))
        .collect();
    let zone = "Europe/Berlin";
    let time = json!({ "time": { "startLocal": "2027-01-11T14:00:00", "startZone": zone, "endLocal": "2027-01-11T14:15:00", "endZone": zone } });
    let expected = [
        ("2026-03-11T09:00:00", false, &time),
        (
            "2026-03-16T09:00:00",
            false,
            &json!({ "title": "Stand-up with guests" }),
        ),
        ("2026-03-18T09:00:00", true, &json!({})),
    ];
    assert_eq!(patches, expected);
    drop(read);

    let ranges = [
        ("2026-02-01T00:00:00Z", "2026-03-02T08:00:00Z", 0),
        ("2026-03-02T08:00:00Z", "2026-03-02T08:10:00Z", 1),
        ("2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", 1),
        ("2026-07-03T00:00:00Z", "2026-07-04T00:00:00Z", 0),
        // An occurrence was moved beyond the end of its series.
        ("2027-01-11T13:10:00Z", "2027-01-11T20:00:00Z", 1),
        ("2027-01-11T13:15:00Z", "2027-01-11T20:00:00Z", 0),
    ];
    for (start, end, found) in ranges {
        let filter = format!(", filter: {{ range: {{ start: \"{start}\", end: \"{end}\" }} }}");
        let list = list(&ana, &workspace, &filter, "title").await;
        assert_eq!(list.as_array().unwrap().len(), found, "{start}");
    }

    // The same series in every detail, by its occurrences.
    let document = "query ($id: ID!, $range: DateTimeRangeInput!) { workspace(id: $id) { eventOccurrences(range: $range) { start title } } }";
    let starts = async |from: &str, to: &str| -> Vec<String> {
        let range = json!({ "start": from, "end": to });
        let answer = ana
            .gql(document, json!({ "id": workspace, "range": range }))
            .await;
        let list = answer.at("/workspace/eventOccurrences");
        let told = list.as_array().unwrap().iter();
        told.map(|one| {
            format!(
                "{} {}",
                one["start"].as_str().unwrap(),
                one["title"].as_str().unwrap()
            )
        })
        .collect()
    };
    let expected = [
        "2026-03-02T08:00:00Z Stand-up",
        "2026-03-04T08:00:00Z Stand-up",
        // An addition; the 9th is left out, the 11th is next year, the 18th is cancelled.
        "2026-03-06T09:00:00Z Stand-up",
        "2026-03-16T08:00:00Z Stand-up with guests",
        "2026-03-23T08:00:00Z Stand-up",
        "2026-03-25T08:00:00Z Stand-up",
        "2026-04-01T07:00:00Z Stand-up",
    ];
    assert_eq!(
        starts("2026-03-01T00:00:00Z", "2026-04-02T00:00:00Z").await,
        expected
    );
    let expected = ["2027-01-11T13:00:00Z Stand-up"];
    assert_eq!(
        starts("2027-01-01T00:00:00Z", "2027-02-02T00:00:00Z").await,
        expected
    );

    let id = rows(&app).await[0].id.to_string();
    let update =
        "mutation ($id: ID!, $scope: RecurrenceScope!, $start: DateTime, $input: UpdateCalendarEventInput!) {
        updateCalendarEvent(id: $id, scope: $scope, occurrenceStart: $start, input: $input) {
            calendarEvent { title recurrence { rule } } userErrors { code field message } } }";
    for (start, expected) in [
        (Value::Null, "REQUIRED occurrenceStart"),
        // Cancelled.
        (
            json!("2026-03-18T08:00:00Z"),
            "REFERENCE_NOT_FOUND occurrenceStart",
        ),
    ] {
        let variables = json!({ "id": id, "scope": "THIS", "start": start, "input": { "title": "x" } });
        let answer = ana.gql(update, variables).await;
        assert_eq!(answer.user_error("updateCalendarEvent"), expected);
    }
    let variables = json!({ "id": id, "scope": "ALL", "input": { "title": "Daily" } });
    let answer = ana.gql(update, variables).await.succeeded("updateCalendarEvent");
    assert_eq!(answer.text("/updateCalendarEvent/calendarEvent/title"), "Daily");

    // Without its exceptions the series is shown whole again.
    let stored = store(&app, &calendar, &[("s", &series(&[master]))]).await;
    assert_eq!(stored.updated, 1);
    let read = system(&app).read().await.unwrap();
    assert_eq!(
        read.find::<event_override::Entity>().all(&read).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn shared_occurrences_stand_alone_until_their_series_comes() {
    let app = TestApp::start().await;
    let calendar = calendar(&app, true).await;
    let occurrence = |day: u32, title: &str| {
        vevent(
            "shared",
            &format!(
                "RECURRENCE-ID;TZID=Europe/Berlin:202603{day:02}T090000
                DTSTART;TZID=Europe/Berlin:202603{day:02}T100000
                DURATION:PT1H
                SUMMARY:{title}"
            ),
        )
    };
    let two = series(&[occurrence(3, "first"), occurrence(4, "second")]);
    store(&app, &calendar, &[("o", &two)]).await;
    let before = rows(&app).await;
    let shown: Vec<_> = before
        .iter()
        .map(|row| (row.title.as_str(), row.recurrence_id.as_deref(), row.is_recurring))
        .collect();
    let expected = [
        ("first", Some("2026-03-03T08:00:00Z"), false),
        ("second", Some("2026-03-04T08:00:00Z"), false),
    ];
    assert_eq!(shown, expected);
    let other = series(&[occurrence(4, "renamed")]);
    store(&app, &calendar, &[("o", &other)]).await;
    let after = rows(&app).await;
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].id, after[0].title.as_str()), (before[1].id, "renamed"));
    let master = vevent(
        "shared",
        "DTSTART;TZID=Europe/Berlin:20260303T090000\nRRULE:FREQ=DAILY\nSUMMARY:Series",
    );
    store(
        &app,
        &calendar,
        &[("o", &series(&[master, occurrence(4, "renamed")]))],
    )
    .await;
    let whole = rows(&app).await;
    assert_eq!(whole.len(), 1);
    assert_eq!(
        (
            whole[0].title.as_str(),
            whole[0].recurrence_id.as_deref(),
            whole[0].is_recurring
        ),
        ("Series", None, true)
    );
}

#[tokio::test]
async fn objects_are_renamed_doubled_and_removed_without_losing_others() {
    let app = TestApp::start().await;
    let calendar = calendar(&app, true).await;
    let lines = "DTSTART:20260303T090000Z\nSUMMARY:x";
    let (one, two) = (event("one", lines), event("two", lines));
    let keyed = |key: &str, text: &str| RemoteObject {
        key: key.into(),
        ..objects(&[("", text)]).remove(0)
    };
    let store_while = async |leaving: &str, objects: Vec<RemoteObject>| {
        let body = |tx| {
            let (objects, calendar) = (objects.clone(), &calendar);
            let leaving = leaving.to_owned();
            async move { events::store_parsed(&tx, calendar, None, objects, &|key| key == leaving).await }
        };
        system(&app).write(body).await.unwrap()
    };
    let store = async |objects| store_while("", objects).await;
    store(vec![keyed("a", &one)]).await;
    // Another UID at the same address: the old event is gone.
    let renamed = store(vec![keyed("a", &two)]).await;
    assert_eq!((renamed.created, renamed.updated), (1, 0));
    assert_eq!(
        rows(&app)
            .await
            .iter()
            .map(|row| row.uid.clone())
            .collect::<Vec<_>>(),
        ["two"]
    );
    // The same object at another address is the same event when the old address goes, and stays.
    let id = rows(&app).await[0].id;
    let early = store(vec![keyed("b", &two)]).await;
    assert_eq!(
        (early.created, early.updated, early.twins[0].holder.as_str()),
        (0, 0, "a")
    );
    let moved = store_while("a", vec![keyed("b", &two)]).await;
    assert_eq!((moved.created, moved.updated, moved.twins.len()), (0, 1, 0));
    assert_eq!(remove(&app, &calendar, &["a"]).await, 0);
    assert_eq!(rows(&app).await[0].id, id);
    // Two objects with one UID in a page: the second is left out.
    let doubled = store(vec![keyed("c", &one), keyed("d", &one)]).await;
    assert_eq!((doubled.created, doubled.twins.len()), (1, 1));
    assert_eq!(doubled.twins[0].object.key, "d");
    assert_eq!(remove(&app, &calendar, &["b", "c", "d"]).await, 2);
    // Two objects with one UID in different pages: the first stays, however often the second comes, and whatever is removed of it.
    store(vec![keyed("e", &one)]).await;
    let other = event("one", "DTSTART:20260303T090000Z\nSUMMARY:y");
    for _ in 0..2 {
        assert_eq!(store(vec![keyed("f", &other)]).await.twins.len(), 1);
    }
    assert_eq!(rows(&app).await[0].title, "x");
    assert_eq!(remove(&app, &calendar, &["f"]).await, 0);
    assert_eq!(
        store(vec![keyed("f", &other), keyed("e", &one)]).await.unchanged,
        1
    );
    // When the first is gone the second is shown once it is read again.
    assert_eq!(remove(&app, &calendar, &["e"]).await, 1);
    assert_eq!(store(vec![keyed("f", &other)]).await.created, 1);
    assert_eq!(rows(&app).await[0].title, "y");
    assert_eq!(remove(&app, &calendar, &["f"]).await, 1);
    let read = system(&app).read().await.unwrap();
    assert_eq!(
        read.find::<external_event_link::Entity>()
            .all(&read)
            .await
            .unwrap(),
        []
    );
}

#[tokio::test]
async fn hostile_texts_fit_into_the_database() {
    let app = TestApp::start().await;
    let calendar = calendar(&app, true).await;
    let long = "ü".repeat(5_000);
    let uid = "u".repeat(3_000);
    let texts = [
        event(
            "long",
            &format!(
                "DTSTART:20260303T090000Z\nSUMMARY:{long}\nLOCATION:{long}\nURL:https://x.example/{long}"
            ),
        ),
        event(&uid, "DTSTART:20260303T090000Z"),
        event("early", "DTSTART;VALUE=DATE:00000101"),
        event("late", "DTSTART:99991231T235959Z"),
        event("backwards", "DTSTART:20260303T090000Z\nDTEND:20260303T080000Z"),
        event("days", "DTSTART;VALUE=DATE:20111230\nDTEND;VALUE=DATE:20111231"),
        event("floating", "DTSTART:20260329T023000\nDTEND:20260329T024500"),
        event(
            "rdates",
            "DTSTART:20260303T090000Z\nRDATE;VALUE=PERIOD:20260304T090000Z/PT30M",
        ),
    ];
    let keys: Vec<String> = (0..texts.len()).map(|n| n.to_string()).collect();
    let pairs: Vec<(&str, &str)> = keys
        .iter()
        .map(String::as_str)
        .zip(texts.iter().map(String::as_str))
        .collect();
    let stored = store(&app, &calendar, &pairs).await;
    let refused: Vec<_> = stored
        .problems
        .iter()
        .map(|problem| problem.uid.chars().take(5).collect::<String>())
        .collect();
    assert!(refused.contains(&"late".to_owned()), "{refused:?}");
    let rows = rows(&app).await;
    assert!(
        rows.iter()
            .any(|row| row.uid == "long" && row.title.len() <= 2_000)
    );
    assert!(
        rows.iter()
            .all(|row| row.uid.len() <= 2_000 && row.end_utc >= row.start_utc)
    );
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let list = list(
        &ana,
        &workspace,
        "",
        "title start timeZone recurrence { rule summary additionalStarts }",
    )
    .await;
    assert_eq!(list.as_array().unwrap().len(), rows.len());
    let listed = list
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["recurrence"] != Value::Null)
        .unwrap();
    assert_eq!(
        listed["recurrence"]["additionalStarts"],
        json!(["2026-03-04T09:00:00Z"])
    );
}

#[tokio::test]
async fn a_real_looking_calendar_is_stored_whole_and_quickly() {
    let app = TestApp::start().await;
    let calendar = calendar(&app, true).await;
    let mut texts = real_looking_objects(1_000);
    texts.extend(
        broken_objects()
            .into_iter()
            .map(|broken| (broken.name.to_owned(), broken.text)),
    );
    let texts: Vec<(String, String)> = texts
        .into_iter()
        .filter(|(_, text)| ical::read(text, "Europe/Berlin").is_ok())
        .collect();
    let started = Instant::now();
    let (mut created, mut unchanged, mut problems) = (0, 0, 0);
    for round in 0..2 {
        for page in texts.chunks(100) {
            let page: Vec<(&str, &str)> = page
                .iter()
                .map(|(key, text)| (key.as_str(), text.as_str()))
                .collect();
            let stored = store(&app, &calendar, &page).await;
            if round == 0 {
                created += stored.created;
                problems += stored.problems.len();
            } else {
                unchanged += stored.unchanged;
                assert_eq!(stored.updated, 0, "an echo changes nothing");
            }
        }
    }
    println!(
        "{created} objects stored, read again and compared in {:?}, {problems} problems",
        started.elapsed()
    );
    assert!(created >= 1_000);
    assert_eq!(created, unchanged);
    let keys: Vec<CalendarId> = vec![calendar.id];
    let read = system(&app).read().await.unwrap();
    let links = read
        .find::<external_event_link::Entity>()
        .all(&read)
        .await
        .unwrap();
    assert!(
        links
            .iter()
            .all(|link| keys.contains(&link.calendar_id) && link.last_seen_run.is_some())
    );
}
