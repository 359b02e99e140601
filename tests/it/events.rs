//! Events through the API.

use entity::enums::WorkspaceRole;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::support::events::{calendar_named as calendar, timed};
use crate::support::{Answer, Client, TestApp, join};

const FIELDS: &str = "id version title description location conferenceUrl start end isAllDay startDate endDate timeZone
    status transparency visibility color externalUrl viewerResponse calendar { id name } recurrence { rule summary }
    organizer { email name response } attendees { email name response isOptional user { name } }
    reminders { minutesBefore channel } task { id }";

async fn create(client: &Client<'_>, calendar: &str, more: Value) -> Answer {
    let time = json!({ "timed": { "start": "2026-03-03T09:00:00Z", "end": "2026-03-03T10:00:00Z" } });
    let mut input = json!({ "calendarId": calendar, "title": "Meeting", "time": time });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let document = format!(
        "mutation ($input: CreateCalendarEventInput!) {{ createCalendarEvent(input: $input) {{ calendarEvent {{ {FIELDS} }} userErrors {{ code field message }} }} }}"
    );
    client.gql(&document, json!({ "input": input })).await
}

async fn created(client: &Client<'_>, calendar: &str, more: Value) -> Value {
    let answer = create(client, calendar, more)
        .await
        .succeeded("createCalendarEvent");
    answer.at("/createCalendarEvent/calendarEvent")
}

async fn update(client: &Client<'_>, id: &Value, input: Value) -> Answer {
    let document = format!(
        "mutation ($id: ID!, $input: UpdateCalendarEventInput!) {{ updateCalendarEvent(id: $id, input: $input) {{ calendarEvent {{ {FIELDS} }} userErrors {{ code field message }} }} }}"
    );
    client.gql(&document, json!({ "id": id, "input": input })).await
}

async fn updated(client: &Client<'_>, id: &Value, input: Value) -> Value {
    let answer = update(client, id, input).await.succeeded("updateCalendarEvent");
    answer.at("/updateCalendarEvent/calendarEvent")
}

async fn move_to(client: &Client<'_>, id: &Value, arguments: Value) -> Answer {
    let document = format!(
        "mutation ($id: ID!, $start: DateTime!, $end: DateTime, $scope: RecurrenceScope! = ALL, $occurrence: DateTime) {{
            moveCalendarEvent(id: $id, start: $start, end: $end, scope: $scope, occurrenceStart: $occurrence) {{
                calendarEvent {{ {FIELDS} }} userErrors {{ code field message }} }} }}"
    );
    let mut variables = json!({ "id": id });
    variables
        .as_object_mut()
        .unwrap()
        .extend(arguments.as_object().unwrap().clone());
    client.gql(&document, variables).await
}

async fn delete(client: &Client<'_>, id: &Value) -> Answer {
    let document = "mutation ($id: ID!) { deleteCalendarEvent(id: $id) { calendarEvent { id } deletedCalendarEventId userErrors { code field } } }";
    client.gql(document, json!({ "id": id })).await
}

async fn event(client: &Client<'_>, id: &Value) -> Value {
    let document = format!("query ($id: ID!) {{ calendarEvent(id: $id) {{ {FIELDS} }} }}");
    client
        .gql(&document, json!({ "id": id }))
        .await
        .at("/calendarEvent")
}

async fn titles(client: &Client<'_>, workspace: &str, arguments: &str) -> Vec<String> {
    let document = format!(
        "query ($id: ID!) {{ workspace(id: $id) {{ calendarEvents{arguments} {{ nodes {{ title }} totalCount }} }} }}"
    );
    let list = client
        .gql(&document, json!({ "id": workspace }))
        .await
        .at("/workspace/calendarEvents");
    let nodes = list["nodes"].as_array().unwrap();
    assert_eq!(list["totalCount"], nodes.len());
    nodes
        .iter()
        .map(|node| node["title"].as_str().unwrap().to_owned())
        .collect()
}

fn days(start: &str, end: &str) -> Value {
    json!({ "allDay": { "startDate": start, "endDate": end } })
}

#[tokio::test]
async fn an_event_is_created_with_the_defaults_of_its_calendar() {
    let app = TestApp::start().await;
    let ana = app.ana();
    let calendar = calendar(&ana, &app.ana.workspace(), "Work").await;
    let event = created(&ana, &calendar, json!({})).await;
    let expected = [
        ("title", json!("Meeting")),
        ("start", json!("2026-03-03T09:00:00Z")),
        ("end", json!("2026-03-03T10:00:00Z")),
        ("isAllDay", json!(false)),
        ("timeZone", json!("Europe/Berlin")),
        ("status", json!("CONFIRMED")),
        ("transparency", json!("BUSY")),
        ("visibility", json!("DEFAULT")),
        ("attendees", json!([])),
        ("reminders", json!([{ "minutesBefore": 10, "channel": "IN_APP" }])),
        ("calendar", json!({ "id": calendar, "name": "Work" })),
        ("version", json!(1)),
    ];
    for (field, value) in expected {
        assert_eq!(event[field], value, "{field}");
    }
    for field in [
        "startDate",
        "endDate",
        "recurrence",
        "organizer",
        "viewerResponse",
        "task",
        "color",
        "description",
    ] {
        assert_eq!(event[field], Value::Null, "{field}");
    }
    assert_eq!(self::event(&ana, &event["id"]).await, event);
    let node = ana
        .gql(
            "query ($id: ID!) { node(id: $id) { __typename id } }",
            json!({ "id": event["id"] }),
        )
        .await;
    assert_eq!(
        node.at("/node"),
        json!({ "__typename": "CalendarEvent", "id": event["id"] })
    );
}

#[tokio::test]
async fn instants_survive_every_zone_and_days_begin_where_the_event_is() {
    let app = TestApp::start().await;
    let ana = app.ana();
    let calendar = calendar(&ana, &app.ana.workspace(), "Work").await;
    // Around clock changes: before, inside and after the gap, first and second pass of the hour that comes twice.
    for (zone, start, end) in [
        ("Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
        ("Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
        ("Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"),
        (
            "Australia/Lord_Howe",
            "2026-04-04T15:15:00Z",
            "2026-04-04T15:45:00Z",
        ),
        ("Pacific/Apia", "2011-12-30T09:30:00Z", "2011-12-30T10:30:00Z"),
        ("America/New_York", "1883-11-18T16:59:00Z", "1883-11-18T17:01:00Z"),
    ] {
        let event = created(
            &ana,
            &calendar,
            json!({ "time": timed(start, end), "timeZone": zone }),
        )
        .await;
        assert_eq!(
            [&event["start"], &event["end"], &event["timeZone"]],
            [start, end, zone]
        );
        let moved = updated(&ana, &event["id"], json!({ "timeZone": "Asia/Kathmandu" })).await;
        assert_eq!(
            [&moved["start"], &moved["end"]],
            [start, end],
            "another zone, the same instants"
        );
    }
    for (zone, start, end, first, last) in [
        (
            "Europe/Berlin",
            "2026-03-29",
            "2026-03-30",
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-10-25",
            "2026-10-26",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
        ),
        (
            "Pacific/Apia",
            "2026-03-03",
            "2026-03-05",
            "2026-03-02T11:00:00Z",
            "2026-03-04T11:00:00Z",
        ),
        (
            "Pacific/Apia",
            "2011-12-29",
            "2011-12-31",
            "2011-12-29T10:00:00Z",
            "2011-12-30T10:00:00Z",
        ),
        (
            "America/Sao_Paulo",
            "2018-11-04",
            "2018-11-05",
            "2018-11-04T03:00:00Z",
            "2018-11-05T02:00:00Z",
        ),
    ] {
        let event = created(
            &ana,
            &calendar,
            json!({ "time": days(start, end), "timeZone": zone }),
        )
        .await;
        assert_eq!([&event["startDate"], &event["endDate"]], [start, end]);
        assert_eq!([&event["start"], &event["end"]], [first, last], "{zone} {start}");
        assert_eq!(event["isAllDay"], true);
        assert_eq!(event["reminders"], json!([]));
    }
    let event = created(
        &ana,
        &calendar,
        json!({ "time": days("2026-03-03", "2026-03-04") }),
    )
    .await;
    let moved = updated(&ana, &event["id"], json!({ "timeZone": "Pacific/Apia" })).await;
    assert_eq!(
        moved["start"], "2026-03-02T11:00:00Z",
        "a day begins where the event is"
    );
    let back = updated(
        &ana,
        &event["id"],
        json!({ "time": timed("2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z") }),
    )
    .await;
    assert_eq!(
        [&back["isAllDay"], &back["startDate"]],
        [&json!(false), &Value::Null]
    );
}

#[tokio::test]
async fn bad_input_names_its_field_and_stores_nothing() {
    let app = TestApp::start().await;
    let (ana, ben, workspace) = (app.ana(), app.ben(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace, "Work").await;
    let foreign = self::calendar(&ben, &app.ben.workspace(), "Ben").await;
    let same = "2026-03-03T09:00:00Z";
    let guest = |name: &str| json!({ "email": "a@example.org", "name": name });
    let many: Vec<Value> = (0..201)
        .map(|n| json!({ "email": format!("g{n}@example.org") }))
        .collect();
    let reminders: Vec<Value> = (0..11).map(|n| json!({ "minutesBefore": n })).collect();
    let cases = [
        (json!({ "title": " " }), "REQUIRED input.title"),
        (json!({ "title": "x".repeat(301) }), "TOO_LONG input.title"),
        (json!({ "title": "a\u{0}b" }), "INVALID input.title"),
        (
            json!({ "description": "x".repeat(20_001) }),
            "TOO_LONG input.description",
        ),
        (
            json!({ "location": "x".repeat(1_001) }),
            "TOO_LONG input.location",
        ),
        (
            json!({ "time": timed(same, same) }),
            "INVALID_TIME_RANGE input.time.timed.end",
        ),
        (
            json!({ "time": timed(same, "2026-03-03T08:59:59Z") }),
            "INVALID_TIME_RANGE input.time.timed.end",
        ),
        (
            json!({ "time": timed(same, "9999-01-01T00:00:00Z") }),
            "OUT_OF_RANGE input.time.timed.end",
        ),
        (
            json!({ "time": days("2026-03-03", "2026-03-03") }),
            "INVALID_TIME_RANGE input.time.allDay.endDate",
        ),
        (
            json!({ "time": days("2026-03-04", "2026-03-03") }),
            "INVALID_TIME_RANGE input.time.allDay.endDate",
        ),
        (
            json!({ "time": days("0000-12-31", "2026-03-03") }),
            "OUT_OF_RANGE input.time.allDay.startDate",
        ),
        (
            json!({ "attendees": [guest("a"), guest("b")] }),
            "INVALID input.attendees.1.email",
        ),
        (
            json!({ "attendees": [guest(" ")] }),
            "REQUIRED input.attendees.0.name",
        ),
        (json!({ "attendees": many }), "TOO_LONG input.attendees"),
        (
            json!({ "reminders": [{ "minutesBefore": -1 }] }),
            "OUT_OF_RANGE input.reminders.0.minutesBefore",
        ),
        (
            json!({ "reminders": [{ "minutesBefore": 40_321 }] }),
            "OUT_OF_RANGE input.reminders.0.minutesBefore",
        ),
        (json!({ "reminders": reminders }), "TOO_LONG input.reminders"),
        (
            json!({ "calendarId": foreign }),
            "REFERENCE_NOT_FOUND input.calendarId",
        ),
        (
            json!({ "calendarId": "cal_01jdb2k9x4e5vb4pex5vsknk08" }),
            "REFERENCE_NOT_FOUND input.calendarId",
        ),
        (
            json!({ "calendarId": "nonsense" }),
            "REFERENCE_NOT_FOUND input.calendarId",
        ),
    ];
    for (input, expected) in &cases {
        let answer = create(&ana, &calendar, input.clone()).await;
        assert_eq!(answer.user_error("createCalendarEvent"), *expected, "{input}");
    }
    // What cannot even be read is refused before anything runs.
    for input in [
        json!({ "time": { "timed": { "start": same, "end": same }, "allDay": { "startDate": "2026-03-03", "endDate": "2026-03-04" } } }),
        json!({ "time": {} }),
        json!({ "time": timed("2026-03-03T09:00:00", same) }),
        json!({ "time": days("2026-02-30", "2026-03-03") }),
        json!({ "timeZone": "Mars/Olympus" }),
        json!({ "conferenceUrl": "javascript:alert(1)" }),
        json!({ "color": "blue" }),
        json!({ "attendees": [{ "email": "nobody" }] }),
        json!({ "status": "PERHAPS" }),
    ] {
        let answer = create(&ana, &calendar, input.clone()).await;
        assert!(answer.0["errors"][0]["message"].is_string(), "{input}");
    }
    assert!(titles(&ana, &workspace, "").await.is_empty());

    let event = created(&ana, &calendar, json!({})).await;
    for (input, expected) in cases {
        if input.get("calendarId").is_some_and(|id| *id == foreign) {
            continue;
        }
        let answer = update(&ana, &event["id"], input.clone()).await;
        assert_eq!(answer.user_error("updateCalendarEvent"), expected, "{input}");
    }
    let answer = update(&ana, &event["id"], json!({ "calendarId": foreign })).await;
    assert_eq!(
        answer.user_error("updateCalendarEvent"),
        "REFERENCE_NOT_FOUND input.calendarId"
    );
    let answer = move_to(&ana, &event["id"], json!({ "start": same, "end": same })).await;
    assert_eq!(answer.user_error("moveCalendarEvent"), "INVALID_TIME_RANGE end");
    for (scope, expected) in [
        ("THIS", "INVALID_STATE scope"),
        ("THIS_AND_FOLLOWING", "INVALID_STATE scope"),
    ] {
        let answer = move_to(
            &ana,
            &event["id"],
            json!({ "start": same, "scope": scope, "occurrence": same }),
        )
        .await;
        assert_eq!(answer.user_error("moveCalendarEvent"), expected);
    }
    assert_eq!(self::event(&ana, &event["id"]).await, event, "nothing changed");
}

#[tokio::test]
async fn an_update_keeps_clears_and_sets() {
    let app = TestApp::start().await;
    let ana = app.ana();
    let calendar = calendar(&ana, &app.ana.workspace(), "Work").await;
    let first = json!({ "description": "soon", "location": "Room 1", "color": "#AABBCC", "conferenceUrl": "https://meet.example.org/x" });
    let event = created(&ana, &calendar, first).await;
    let input = json!({ "title": " New ", "location": null, "color": null, "transparency": "FREE", "expectedVersion": 1 });
    let changed = updated(&ana, &event["id"], input).await;
    assert_eq!(changed["version"], 2);
    assert_eq!(
        [
            &changed["title"],
            &changed["description"],
            &changed["transparency"]
        ],
        ["New", "soon", "FREE"]
    );
    assert_eq!(
        [&changed["location"], &changed["color"]],
        [&Value::Null, &Value::Null]
    );
    assert_eq!(changed["conferenceUrl"], "https://meet.example.org/x");
    let stale = update(
        &ana,
        &event["id"],
        json!({ "title": "Old", "expectedVersion": 1 }),
    )
    .await;
    assert_eq!(
        stale.user_error("updateCalendarEvent"),
        "VERSION_CONFLICT input.expectedVersion"
    );
    let same = updated(&ana, &event["id"], json!({ "title": "New" })).await;
    assert_eq!(same["version"], 2, "an update without a difference is no change");
    let other = self::calendar(&ana, &app.ana.workspace(), "Other").await;
    let moved = updated(&ana, &event["id"], json!({ "calendarId": other })).await;
    assert_eq!(moved["calendar"]["name"], "Other");
    let deleted = delete(&ana, &event["id"]).await.succeeded("deleteCalendarEvent");
    let expected = json!({ "calendarEvent": null, "deletedCalendarEventId": event["id"], "userErrors": [] });
    assert_eq!(deleted.at("/deleteCalendarEvent"), expected);
    assert_eq!(delete(&ana, &event["id"]).await.error_code(), "NOT_FOUND");
}

#[tokio::test]
async fn a_move_keeps_the_length() {
    let app = TestApp::start().await;
    let ana = app.ana();
    let calendar = calendar(&ana, &app.ana.workspace(), "Work").await;
    let moved = async |event: &Value, arguments: Value| {
        let answer = move_to(&ana, &event["id"], arguments)
            .await
            .succeeded("moveCalendarEvent");
        answer.at("/moveCalendarEvent/calendarEvent")
    };
    let event = created(&ana, &calendar, json!({})).await;
    // Over the change to summer time: an hour stays an hour.
    let later = moved(&event, json!({ "start": "2026-03-29T00:30:00Z" })).await;
    assert_eq!(
        [&later["start"], &later["end"]],
        ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"]
    );
    let longer = moved(
        &event,
        json!({ "start": "2026-03-04T08:00:00Z", "end": "2026-03-04T12:00:00Z" }),
    )
    .await;
    assert_eq!(longer["end"], "2026-03-04T12:00:00Z");
    assert_eq!(longer["version"], 3);
    let event = created(
        &ana,
        &calendar,
        json!({ "time": days("2026-03-03", "2026-03-05") }),
    )
    .await;
    // 23:30 UTC is the next day in Berlin.
    let later = moved(&event, json!({ "start": "2026-03-27T23:30:00Z" })).await;
    assert_eq!(
        [&later["startDate"], &later["endDate"]],
        ["2026-03-28", "2026-03-30"]
    );
    assert_eq!(
        [&later["start"], &later["end"]],
        ["2026-03-27T23:00:00Z", "2026-03-29T22:00:00Z"]
    );
}

#[tokio::test]
async fn guests_keep_their_answers_and_the_creator_organizes() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    let calendar = calendar(&ana, &workspace, "Work").await;
    let guests = json!([{ "email": "Ben@Example.org", "isOptional": true }, { "email": "carl@example.net", "name": "Carl" }]);
    let event = created(&ana, &calendar, json!({ "attendees": guests })).await;
    assert_eq!(
        event["organizer"],
        json!({ "email": "ana@example.org", "name": "Ana", "response": "ACCEPTED" })
    );
    assert_eq!(event["viewerResponse"], "ACCEPTED");
    let expected = json!([
        { "email": "ben@example.org", "name": null, "response": "NEEDS_ACTION", "isOptional": true, "user": { "name": "Ben" } },
        { "email": "carl@example.net", "name": "Carl", "response": "NEEDS_ACTION", "isOptional": false, "user": null },
    ]);
    assert_eq!(event["attendees"], expected);
    assert_eq!(
        self::event(&app.ben(), &event["id"]).await["viewerResponse"],
        "NEEDS_ACTION"
    );
    let fewer = updated(
        &ana,
        &event["id"],
        json!({ "attendees": [{ "email": "carl@example.net" }] }),
    )
    .await;
    assert_eq!(fewer["attendees"], json!([expected[1]]), "the name is kept");
    assert_eq!(fewer["version"], 2);
    let same = updated(
        &ana,
        &event["id"],
        json!({ "attendees": [{ "email": "carl@example.net" }] }),
    )
    .await;
    assert_eq!(same["version"], 2);
    let found = titles(
        &ana,
        &workspace,
        "(filter: { attendeeEmail: \"carl@example.net\" })",
    )
    .await;
    assert_eq!(found, ["Meeting"]);
    let nobody = updated(&ana, &event["id"], json!({ "attendees": null })).await;
    assert_eq!(
        [
            &nobody["attendees"],
            &nobody["organizer"],
            &nobody["viewerResponse"]
        ],
        [&json!([]), &Value::Null, &Value::Null]
    );
}

#[tokio::test]
async fn reminders_are_personal_and_follow_the_version() {
    let app = TestApp::start().await;
    let (ana, ben, workspace) = (app.ana(), app.ben(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace, "Work").await;
    let wanted =
        json!([{ "minutesBefore": 60, "channel": "EMAIL" }, { "minutesBefore": 5 }, { "minutesBefore": 5 }]);
    let event = created(&ana, &calendar, json!({ "reminders": wanted })).await;
    let expected =
        json!([{ "minutesBefore": 5, "channel": "IN_APP" }, { "minutesBefore": 60, "channel": "EMAIL" }]);
    assert_eq!(event["reminders"], expected);
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Viewer,
    )
    .await;
    assert_eq!(self::event(&ben, &event["id"]).await["reminders"], json!([]));
    let bens = updated(
        &ben,
        &event["id"],
        json!({ "reminders": [{ "minutesBefore": 30 }] }),
    )
    .await;
    assert_eq!(
        bens["reminders"],
        json!([{ "minutesBefore": 30, "channel": "IN_APP" }]),
        "a viewer is reminded too"
    );
    assert_eq!(bens["version"], 1, "a reminder is no change of the event");
    assert_eq!(self::event(&ana, &event["id"]).await["reminders"], expected);
    updated(&ana, &event["id"], json!({ "title": "Moved" })).await;
    let versions = stored_reminder_versions(&app).await;
    assert_eq!(versions, [2, 2, 2]);
    assert_eq!(
        update(&ben, &event["id"], json!({ "title": "x" }))
            .await
            .error_code(),
        "FORBIDDEN"
    );
}

async fn stored_reminder_versions(app: &TestApp) -> Vec<i32> {
    let read = app
        .platform
        .db
        .read_workspace(app.ana.workspace_id)
        .await
        .unwrap();
    let rows = read.find::<entity::reminder::Entity>().all(&read).await.unwrap();
    rows.iter().map(|row| row.event_version).collect()
}

#[tokio::test]
async fn a_private_event_is_a_busy_block_for_others() {
    let app = TestApp::start().await;
    let (ana, ben, workspace) = (app.ana(), app.ben(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace, "Ana").await;
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Admin,
    )
    .await;
    let secret = json!({
        "title": "Aardvark", "description": "secret", "location": "secret", "visibility": "PRIVATE", "color": "#112233",
        "conferenceUrl": "https://meet.example.org/secret", "attendees": [{ "email": "doc@example.net" }],
    });
    let event = created(&ana, &calendar, secret).await;
    created(&ana, &calendar, json!({ "title": "Bee" })).await;
    created(&ana, &calendar, json!({ "title": "Cat" })).await;
    let masked = self::event(&ben, &event["id"]).await;
    assert_eq!(masked["title"], "Busy");
    assert_eq!(masked["start"], event["start"]);
    assert_eq!(masked["attendees"], json!([]));
    for field in [
        "description",
        "location",
        "conferenceUrl",
        "color",
        "organizer",
        "viewerResponse",
        "externalUrl",
    ] {
        assert_eq!(masked[field], Value::Null, "{field}");
    }
    let by_title = "(orderBy: { field: TITLE })";
    assert_eq!(
        titles(&ana, &workspace, by_title).await,
        ["Aardvark", "Bee", "Cat"]
    );
    assert_eq!(
        titles(&ben, &workspace, by_title).await,
        ["Bee", "Busy", "Cat"],
        "the order tells nothing"
    );
    for hint in [
        "search: \"aardvark\"",
        "search: \"secret\"",
        "attendeeEmail: \"doc@example.net\"",
    ] {
        let filter = format!("(filter: {{ {hint} }})");
        assert_eq!(titles(&ana, &workspace, &filter).await, ["Aardvark"], "{hint}");
        assert_eq!(
            titles(&ben, &workspace, &filter).await,
            Vec::<String>::new(),
            "{hint}"
        );
    }
    assert_eq!(
        update(&ben, &event["id"], json!({ "title": "x" }))
            .await
            .error_code(),
        "FORBIDDEN"
    );
    // A guest sees what it is about.
    let guests = json!([{ "email": "doc@example.net" }, { "email": "ben@example.org" }]);
    updated(&ana, &event["id"], json!({ "attendees": guests })).await;
    assert_eq!(self::event(&ben, &event["id"]).await["title"], "Aardvark");
}

#[tokio::test]
async fn other_peoples_calendars_are_read_and_strangers_see_nothing() {
    let app = TestApp::start().await;
    let (ana, ben, workspace) = (app.ana(), app.ben(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace, "Ana").await;
    let event = created(&ana, &calendar, json!({})).await;
    let query = "query ($id: ID!) { calendarEvent(id: $id) { title } node(id: $id) { id } }";
    for id in [
        &event["id"],
        &json!("evt_01jdb2k9x4e5vb4pex5vsknk08"),
        &json!("nonsense"),
    ] {
        let answer = ben.gql(query, json!({ "id": id })).await;
        assert_eq!(answer.0["data"], json!({ "calendarEvent": null, "node": null }));
        assert_eq!(
            update(&ben, id, json!({ "title": "x" })).await.error_code(),
            "NOT_FOUND"
        );
        assert_eq!(delete(&ben, id).await.error_code(), "NOT_FOUND");
        assert_eq!(delete(&app.guest(), id).await.error_code(), "UNAUTHENTICATED");
    }
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Admin,
    )
    .await;
    assert_eq!(self::event(&ben, &event["id"]).await["title"], "Meeting");
    assert_eq!(
        update(&ben, &event["id"], json!({ "title": "x" }))
            .await
            .error_code(),
        "FORBIDDEN"
    );
    assert_eq!(delete(&ben, &event["id"]).await.error_code(), "FORBIDDEN");
    assert_eq!(create(&ben, &calendar, json!({})).await.error_code(), "FORBIDDEN");
    let move_by_ben = move_to(&ben, &event["id"], json!({ "start": "2026-03-03T09:00:00Z" })).await;
    assert_eq!(move_by_ben.error_code(), "FORBIDDEN");
}

#[tokio::test]
async fn lists_are_filtered_and_ranges_are_half_open() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let (work, home) = (
        calendar(&ana, &workspace, "Work").await,
        calendar(&ana, &workspace, "Home").await,
    );
    let on = |start: &str, end: &str, title: &str| json!({ "title": title, "time": timed(start, end) });
    created(
        &ana,
        &work,
        on("2026-03-03T08:00:00Z", "2026-03-03T09:00:00Z", "before"),
    )
    .await;
    created(
        &ana,
        &work,
        on("2026-03-03T08:30:00Z", "2026-03-03T09:30:00Z", "into"),
    )
    .await;
    created(
        &ana,
        &home,
        on("2026-03-03T09:30:00Z", "2026-03-03T09:45:00Z", "inside 100%"),
    )
    .await;
    created(
        &ana,
        &home,
        on("2026-03-03T10:00:00Z", "2026-03-03T11:00:00Z", "after"),
    )
    .await;
    created(
        &ana,
        &home,
        json!({ "title": "day", "time": days("2026-03-03", "2026-03-04"), "status": "TENTATIVE" }),
    )
    .await;
    let range = "range: { start: \"2026-03-03T09:00:00Z\", end: \"2026-03-03T10:00:00Z\" }";
    let cases = [
        (
            format!("(filter: {{ {range} }})"),
            vec!["day", "into", "inside 100%"],
        ),
        (
            format!("(filter: {{ {range}, statuses: [TENTATIVE] }})"),
            vec!["day"],
        ),
        (
            format!("(filter: {{ {range}, calendarIds: [\"{work}\"] }})"),
            vec!["into"],
        ),
        ("(filter: { calendarIds: [] })".to_owned(), vec![]),
        ("(filter: { calendarIds: [\"nonsense\"] })".to_owned(), vec![]),
        ("(filter: { isRecurring: true })".to_owned(), vec![]),
        ("(filter: { search: \"INSIDE\" })".to_owned(), vec!["inside 100%"]),
        ("(filter: { search: \"100%\" })".to_owned(), vec!["inside 100%"]),
        ("(filter: { search: \"_\" })".to_owned(), vec![]),
        (
            "(orderBy: { field: TITLE, direction: DESC })".to_owned(),
            vec!["into", "inside 100%", "day", "before", "after"],
        ),
    ];
    for (arguments, expected) in cases {
        assert_eq!(
            titles(&ana, &workspace, &arguments).await,
            expected,
            "{arguments}"
        );
    }
    let document = "query ($id: ID!, $range: DateTimeRangeInput!) { workspace(id: $id) { calendarEvents(filter: { range: $range }) { nodes { id } } } }";
    let range = json!({ "start": "2026-03-03T09:00:00Z", "end": "2026-03-03T09:00:00Z" });
    let answer = ana
        .gql(document, json!({ "id": workspace, "range": range }))
        .await;
    assert_eq!(answer.error_code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn pages_meet_without_gap_or_overlap_in_every_order() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace, "Work").await;
    for n in 0..7 {
        let start = format!("2026-03-03T0{}:00:00Z", n % 3);
        let visibility = if n % 2 == 0 { "PRIVATE" } else { "DEFAULT" };
        let event = json!({ "title": format!("e{n}"), "time": timed(&start, "2026-03-03T10:00:00Z"), "visibility": visibility });
        created(&ana, &calendar, event).await;
        app.advance(chrono::Duration::seconds(n % 2));
    }
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Viewer,
    )
    .await;
    let query = "query ($id: ID!, $order: CalendarEventOrder!, $first: Int, $after: String) {
        workspace(id: $id) { calendarEvents(orderBy: $order, first: $first, after: $after) {
            nodes { id } pageInfo { hasNextPage endCursor } } } }";
    for client in [&ana, &app.ben()] {
        for field in ["START", "UPDATED_AT", "TITLE"] {
            for direction in ["ASC", "DESC"] {
                let order = json!({ "field": field, "direction": direction });
                let page = async |first: i32, after: Value| {
                    let variables =
                        json!({ "id": workspace, "order": order, "first": first, "after": after });
                    client.gql(query, variables).await.at("/workspace/calendarEvents")
                };
                let whole = page(100, Value::Null).await["nodes"].as_array().unwrap().clone();
                assert_eq!(whole.len(), 7);
                let (mut seen, mut after) = (Vec::new(), Value::Null);
                loop {
                    let next = page(2, after).await;
                    seen.extend(next["nodes"].as_array().unwrap().clone());
                    after = next["pageInfo"]["endCursor"].clone();
                    if next["pageInfo"]["hasNextPage"] == false {
                        break;
                    }
                }
                assert_eq!(seen, whole, "{field} {direction}");
            }
        }
    }
}

#[tokio::test]
async fn a_second_window_sees_events_of_the_calendars_it_watches() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let (work, home) = (
        calendar(&ana, &workspace, "Work").await,
        calendar(&ana, &workspace, "Home").await,
    );
    let document = "subscription ($id: ID!, $calendars: [ID!], $after: String) {
        calendarEventChanged(workspaceId: $id, calendarIds: $calendars, after: $after) {
            cursor action calendarEventId calendarEvent { title calendar { name } } } }";
    let mut live = ana.subscribe(document, json!({ "id": workspace, "calendars": [home] }));
    let (first, event) = futures_util::future::join(live.next(), async {
        // The stream starts when it is first polled.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        created(&ana, &work, json!({ "title": "unwatched" })).await;
        created(&ana, &home, json!({ "title": "watched" })).await
    })
    .await;
    let first = first.unwrap();
    assert_eq!(first.at("/calendarEventChanged/action"), "CREATED");
    assert_eq!(first.text("/calendarEventChanged/calendarEvent/title"), "watched");
    updated(&ana, &event["id"], json!({ "calendarId": work })).await;
    let left = live.next().await.unwrap();
    assert_eq!(
        left.text("/calendarEventChanged/calendarEvent/calendar/name"),
        "Work",
        "it left the watched calendar"
    );
    updated(&ana, &event["id"], json!({ "calendarId": home })).await;
    delete(&ana, &event["id"]).await.succeeded("deleteCalendarEvent");
    let rest: Vec<Answer> = live.take(2).collect().await;
    assert_eq!(rest[1].at("/calendarEventChanged/action"), "DELETED");
    assert_eq!(rest[1].at("/calendarEventChanged/calendarEventId"), event["id"]);
    assert_eq!(rest[1].at("/calendarEventChanged/calendarEvent"), Value::Null);

    let after = first.text("/calendarEventChanged/cursor");
    let resumed = ana.subscribe(
        document,
        json!({ "id": workspace, "calendars": [home], "after": after }),
    );
    let resumed: Vec<Answer> = resumed.take(3).collect().await;
    assert_eq!(resumed[2], rest[1], "resuming ends where the live stream did");
    let mut foreign = app.ben().subscribe(document, json!({ "id": workspace }));
    assert_eq!(foreign.next().await.unwrap().error_code(), "NOT_FOUND");
}
