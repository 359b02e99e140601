//! Lists of the events in a range of time, and series: one is there when it has an occurrence there, for whoever looks. What the list finds
//! is compared with the occurrences of the same range.

use std::collections::BTreeSet;

use entity::enums::WorkspaceRole;
use meridian::features::events::{self, EventFilter, EventOrder, EventOrderField};
use meridian::kernel::page::PageArgs;
use meridian::kernel::time::Span;
use serde_json::{Value, json};

use crate::support::events::{calendar, calendar_row, store, system, timed};
use crate::support::statements::Statements;
use crate::support::{Client, TestApp, join};

/// Its id. No rule makes a single event.
async fn create(client: &Client<'_>, calendar: &str, title: &str, time: Value, rule: Option<&str>) -> Value {
    let document = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { calendarEvent { id } userErrors { code field message } } }";
    let mut input = json!({ "calendarId": calendar, "title": title, "time": time });
    if let Some(rule) = rule {
        input["recurrence"] = json!({ "rule": rule });
    }
    if title == "Secret" {
        input["visibility"] = json!("PRIVATE");
    }
    let answer = client.gql(document, json!({ "input": input })).await;
    let answer = answer.succeeded("createCalendarEvent");
    answer.at("/createCalendarEvent/calendarEvent/id")
}

async fn update(client: &Client<'_>, id: &Value, scope: &str, at: Option<&str>, input: Value) {
    let document = "mutation ($id: ID!, $scope: RecurrenceScope!, $at: DateTime, $input: UpdateCalendarEventInput!) {
        updateCalendarEvent(id: $id, scope: $scope, occurrenceStart: $at, input: $input) { userErrors { code field message } } }";
    let variables = json!({ "id": id, "scope": scope, "at": at, "input": input });
    let answer = client.gql(document, variables).await;
    answer.succeeded("updateCalendarEvent");
}

async fn move_one(client: &Client<'_>, id: &Value, at: &str, start: &str) {
    let document = "mutation ($id: ID!, $at: DateTime, $start: DateTime!) {
        moveCalendarEvent(id: $id, scope: THIS, occurrenceStart: $at, start: $start) { userErrors { code field message } } }";
    let variables = json!({ "id": id, "at": at, "start": start });
    let answer = client.gql(document, variables).await;
    answer.succeeded("moveCalendarEvent");
}

async fn delete_one(client: &Client<'_>, id: &Value, at: &str) {
    let document = "mutation ($id: ID!, $at: DateTime) {
        deleteCalendarEvent(id: $id, scope: THIS, occurrenceStart: $at) { userErrors { code field message } } }";
    let answer = client.gql(document, json!({ "id": id, "at": at })).await;
    answer.succeeded("deleteCalendarEvent");
}

fn words<'a>(list: &'a Value, pointer: &str) -> Vec<&'a str> {
    let list = list.as_array().unwrap().iter();
    list.map(|one| one.pointer(pointer).unwrap().as_str().unwrap())
        .collect()
}

/// Titles of the events in a range, in the order of their names; the number of all and the occurrences say the same.
async fn within(client: &Client<'_>, workspace: &str, start: &str, end: &str) -> Vec<String> {
    let document = "query ($id: ID!, $range: DateTimeRangeInput!) { workspace(id: $id) {
        calendarEvents(filter: { range: $range }) { totalCount nodes { id title } }
        uncounted: calendarEvents(filter: { range: $range }) { nodes { id title } }
        eventOccurrences(range: $range) { event { id title } } } }";
    let range = json!({ "start": start, "end": end });
    let answer = client
        .gql(document, json!({ "id": workspace, "range": range }))
        .await
        .at("/workspace");
    let list = &answer["calendarEvents"];
    let ids: BTreeSet<&str> = words(&list["nodes"], "/id").into_iter().collect();
    let taking_place: BTreeSet<&str> = words(&answer["eventOccurrences"], "/event/id")
        .into_iter()
        .collect();
    assert_eq!(ids, taking_place, "{start} {end}");
    assert_eq!(list["totalCount"], ids.len(), "{start} {end}");
    assert_eq!(list["nodes"], answer["uncounted"]["nodes"], "{start} {end}");
    let mut titles: Vec<String> = words(&list["nodes"], "/title")
        .into_iter()
        .map(str::to_owned)
        .collect();
    titles.sort();
    titles
}

const NOTHING: [&str; 0] = [];

#[tokio::test]
async fn a_yearly_series_is_in_the_weeks_in_which_it_takes_place() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let time = timed("2026-03-04T08:00:00Z", "2026-03-04T08:30:00Z");
    create(&ana, &calendar, "Birthday", time, Some("FREQ=YEARLY")).await;
    let time = timed("2026-06-03T08:00:00Z", "2026-06-03T08:30:00Z");
    create(&ana, &calendar, "Single", time, None).await;
    let weeks = [
        ("2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z", vec!["Birthday"]),
        ("2026-02-23T00:00:00Z", "2026-03-04T08:00:00Z", vec![]),
        ("2026-03-04T08:30:00Z", "2026-03-11T00:00:00Z", vec![]),
        ("2026-06-01T00:00:00Z", "2026-06-08T00:00:00Z", vec!["Single"]),
        ("2027-03-01T00:00:00Z", "2027-03-08T00:00:00Z", vec!["Birthday"]),
        (
            "2026-06-01T00:00:00Z",
            "2027-05-01T00:00:00Z",
            vec!["Birthday", "Single"],
        ),
    ];
    for (start, end, expected) in weeks {
        assert_eq!(within(&ana, &workspace, start, end).await, expected, "{start}");
    }
    // Longer than any window of occurrences.
    let document = "query ($id: ID!) { workspace(id: $id) { calendarEvents(filter: { range: { start: \"1990-01-01T00:00:00Z\", end: \"2100-01-01T00:00:00Z\" } }) { totalCount } } }";
    let answer = ana.gql(document, json!({ "id": workspace })).await;
    assert_eq!(answer.at("/workspace/calendarEvents/totalCount"), 2);
}

#[tokio::test]
async fn cancelled_and_moved_occurrences_are_where_they_are_now() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let time = timed("2026-03-02T08:00:00Z", "2026-03-02T08:30:00Z");
    let id = create(&ana, &calendar, "Stand-up", time, Some("FREQ=WEEKLY;COUNT=6")).await;
    let day = async |date: &str| {
        let (start, end) = (format!("{date}T00:00:00Z"), format!("{date}T20:00:00Z"));
        within(&ana, &workspace, &start, &end).await
    };
    for date in [
        "2026-03-02",
        "2026-03-09",
        "2026-03-16",
        "2026-03-23",
        "2026-04-06",
    ] {
        assert_eq!(day(date).await, ["Stand-up"], "{date}");
    }
    delete_one(&ana, &id, "2026-03-09T08:00:00Z").await;
    let cancelled = json!({ "status": "CANCELLED" });
    update(&ana, &id, "THIS", Some("2026-03-16T08:00:00Z"), cancelled.clone()).await;
    // Behind the end of the series, and between its occurrences. At nine in Berlin, also when clocks have changed.
    move_one(&ana, &id, "2026-03-23T08:00:00Z", "2026-05-20T10:00:00Z").await;
    move_one(&ana, &id, "2026-04-06T07:00:00Z", "2026-03-11T10:00:00Z").await;
    for date in [
        "2026-03-09",
        "2026-03-16",
        "2026-03-23",
        "2026-04-06",
        "2026-05-21",
    ] {
        assert_eq!(day(date).await, NOTHING, "{date}");
    }
    for date in ["2026-03-02", "2026-03-11", "2026-03-30", "2026-05-20"] {
        assert_eq!(day(date).await, ["Stand-up"], "{date}");
    }
    // What is called off as a whole is found by its state, as single events are.
    update(&ana, &id, "ALL", None, cancelled).await;
    let document = "query ($id: ID!, $range: DateTimeRangeInput!) { workspace(id: $id) {
        calendarEvents(filter: { range: $range, statuses: [CANCELLED] }) { totalCount nodes { title } } } }";
    for (date, expected) in [("2026-03-02", 1), ("2026-03-03", 0)] {
        let range = json!({ "start": format!("{date}T00:00:00Z"), "end": format!("{date}T20:00:00Z") });
        let answer = ana
            .gql(document, json!({ "id": workspace, "range": range }))
            .await;
        assert_eq!(
            answer.at("/workspace/calendarEvents/totalCount"),
            expected,
            "{date}"
        );
    }
}

#[tokio::test]
async fn busy_blocks_are_found_when_they_take_place_and_not_otherwise() {
    let app = TestApp::start().await;
    let (ana, ben, workspace) = (app.ana(), app.ben(), app.ana.workspace());
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Viewer,
    )
    .await;
    let calendar = calendar(&ana, &workspace).await;
    let time = timed("2026-03-02T08:00:00Z", "2026-03-02T08:30:00Z");
    let id = create(&ana, &calendar, "Secret", time, Some("FREQ=WEEKLY;INTERVAL=2")).await;
    move_one(&ana, &id, "2026-03-16T08:00:00Z", "2026-03-25T08:00:00Z").await;
    let weeks = [
        ("2026-03-02", "2026-03-09", true),
        ("2026-03-09", "2026-03-16", false),
        ("2026-03-16", "2026-03-23", false),
        ("2026-03-23", "2026-03-30", true),
    ];
    for (from, to, is_there) in weeks {
        let (start, end) = (format!("{from}T00:00:00Z"), format!("{to}T00:00:00Z"));
        for (client, title) in [(&ana, "Secret"), (&ben, "Busy")] {
            let expected: &[&str] = if is_there { &[title] } else { &[] };
            assert_eq!(within(client, &workspace, &start, &end).await, expected, "{from}");
        }
    }
}

#[tokio::test]
async fn pages_go_on_over_series_that_are_elsewhere() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let mut expected = Vec::new();
    for number in 0..18 {
        let (start, rule) = match number % 3 {
            0 => (
                format!("2026-01-{:02}T08:00:00Z", number + 1),
                Some("FREQ=YEARLY"),
            ),
            1 => (
                format!("2026-01-{:02}T08:00:00Z", number + 1),
                Some("FREQ=WEEKLY"),
            ),
            _ => (format!("2026-06-02T{number:02}:00:00Z"), None),
        };
        let time = timed(&start, &start.replace(":00:00Z", ":30:00Z"));
        create(&ana, &calendar, &start, time, rule).await;
        if rule != Some("FREQ=YEARLY") {
            expected.push(start);
        }
    }
    expected.sort();
    for (size, backward) in [
        (1, false),
        (2, false),
        (5, false),
        (2, true),
        (5, true),
        (100, true),
    ] {
        let (arguments, more, next) = if backward {
            ("last: $size, before: $cursor", "hasPreviousPage", "startCursor")
        } else {
            ("first: $size, after: $cursor", "hasNextPage", "endCursor")
        };
        for count in ["totalCount", ""] {
            let document = format!(
                "query ($id: ID!, $size: Int, $cursor: String) {{ workspace(id: $id) {{
                    calendarEvents(filter: {{ range: {{ start: \"2026-06-01T00:00:00Z\", end: \"2026-06-08T00:00:00Z\" }} }}, {arguments}) {{
                        {count} nodes {{ title }} pageInfo {{ {more} {next} }} }} }} }}"
            );
            let (mut listed, mut cursor) = (Vec::<String>::new(), Value::Null);
            loop {
                let variables = json!({ "id": workspace, "size": size, "cursor": cursor });
                let answer = ana.gql(&document, variables).await;
                let page = answer.at("/workspace/calendarEvents");
                if !count.is_empty() {
                    assert_eq!(page["totalCount"], expected.len());
                }
                let titles = words(&page["nodes"], "/title");
                let is_last = page["pageInfo"][more] != true;
                assert!(is_last || titles.len() == size, "a page that is not full");
                let titles = titles.into_iter().map(str::to_owned);
                if backward {
                    listed.splice(0..0, titles);
                } else {
                    listed.extend(titles);
                }
                if is_last {
                    break;
                }
                cursor = page["pageInfo"][next].clone();
            }
            assert_eq!(listed, expected, "pages of {size}, backward: {backward}");
        }
    }
}

#[tokio::test]
async fn days_of_a_series_are_those_of_the_viewer_and_hours_keep_to_their_clocks() {
    let app = TestApp::start().await;
    let (ana, ben, workspace) = (app.ana(), app.ben(), app.ana.workspace());
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Viewer,
    )
    .await;
    let preferences = "mutation ($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { userErrors { code } } }";
    for (client, zone) in [(&ana, "Europe/Berlin"), (&ben, "America/New_York")] {
        let input = json!({ "input": { "timeZone": zone } });
        client
            .gql(preferences, input)
            .await
            .succeeded("updatePreferences");
    }
    let calendar = calendar(&ana, &workspace).await;
    let sunday = json!({ "allDay": { "startDate": "2026-03-01", "endDate": "2026-03-02" } });
    create(&ana, &calendar, "Sunday", sunday, Some("FREQ=WEEKLY")).await;
    // Clocks in Berlin change on the 29th: the day has 23 hours. In New York they have changed already.
    let hours = [
        ("2026-03-28T22:00:00Z", "2026-03-28T23:00:00Z", false, false),
        ("2026-03-28T22:30:00Z", "2026-03-28T23:30:00Z", true, false),
        ("2026-03-29T03:00:00Z", "2026-03-29T04:00:00Z", true, false),
        ("2026-03-29T21:30:00Z", "2026-03-29T22:00:00Z", true, true),
        ("2026-03-29T22:00:00Z", "2026-03-29T23:00:00Z", false, true),
        ("2026-03-30T03:00:00Z", "2026-03-30T04:00:00Z", false, true),
        ("2026-03-30T04:00:00Z", "2026-03-30T05:00:00Z", false, false),
    ];
    for (start, end, for_ana, for_ben) in hours {
        for (client, is_there) in [(&ana, for_ana), (&ben, for_ben)] {
            let expected: &[&str] = if is_there { &["Sunday"] } else { &[] };
            assert_eq!(within(client, &workspace, start, end).await, expected, "{start}");
        }
    }
    let time = timed("2026-03-02T08:00:00Z", "2026-03-02T08:30:00Z");
    create(&ana, &calendar, "Nine", time, Some("FREQ=DAILY")).await;
    let hours = [
        ("2026-03-27T07:00:00Z", "2026-03-27T08:00:00Z", false),
        ("2026-03-27T08:00:00Z", "2026-03-27T09:00:00Z", true),
        ("2026-03-30T07:00:00Z", "2026-03-30T08:00:00Z", true),
        ("2026-03-30T08:00:00Z", "2026-03-30T09:00:00Z", false),
    ];
    for (start, end, is_there) in hours {
        let expected: &[&str] = if is_there { &["Nine"] } else { &[] };
        assert_eq!(within(&ana, &workspace, start, end).await, expected, "{start}");
    }
}

const SERIES: usize = 260;

/// Series that began in January 2020, most of them yearly; every ninth is there each week.
fn many() -> String {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n".to_owned();
    for number in 0..SERIES {
        let (day, rule) = (number % 28 + 1, if number % 9 == 0 { "WEEKLY" } else { "YEARLY" });
        text += &format!(
            "BEGIN:VEVENT\r\nUID:{number}\r\nDTSTAMP:20200101T000000Z\r\nDTSTART;TZID=Europe/Berlin:202001{day:02}T090000\r\nDURATION:PT30M\r\nSUMMARY:{number}\r\nRRULE:FREQ={rule}\r\nEND:VEVENT\r\n"
        );
    }
    text + "END:VCALENDAR\r\n"
}

/// A yearly one, one of whose occurrences is in June.
const MOVED: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n\
    BEGIN:VEVENT\r\nUID:moved\r\nDTSTAMP:20200101T000000Z\r\nDTSTART;TZID=Europe/Berlin:20200105T090000\r\nDURATION:PT30M\r\nSUMMARY:Moved\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\n\
    BEGIN:VEVENT\r\nUID:moved\r\nDTSTAMP:20200101T000000Z\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260105T090000\r\nDTSTART;TZID=Europe/Berlin:20260603T090000\r\nDURATION:PT30M\r\nSUMMARY:Moved\r\nEND:VEVENT\r\n\
    END:VCALENDAR\r\n";

/// Every minute for two days and a half.
const PULSE: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n\
    BEGIN:VEVENT\r\nUID:pulse\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260601T000000Z\r\nDURATION:PT30S\r\nSUMMARY:Pulse\r\nRRULE:FREQ=MINUTELY;UNTIL=20260603T120000Z\r\nEND:VEVENT\r\n\
    END:VCALENDAR\r\n";

#[tokio::test]
async fn hundreds_of_series_take_no_more_statements_than_one() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let name = calendar(&ana, &workspace).await;
    let time = timed("2026-06-04T08:00:00Z", "2026-06-04T08:30:00Z");
    create(&ana, &name, "Single", time, None).await;
    let ctx = system(&app);
    let place = calendar_row(&ctx, &name).await;
    let instant = |text: &str| text.parse().unwrap();
    let filter = EventFilter {
        range: Span::new(instant("2026-06-01T00:00:00Z"), instant("2026-06-08T00:00:00Z")),
        ..EventFilter::default()
    };
    let order = EventOrder {
        field: EventOrderField::Start,
        descending: false,
    };
    let heard = Statements::listen();
    // How many are found, and what that takes without and with a count.
    let ask = async || {
        let mut answers = Vec::new();
        for count in [false, true] {
            let arguments = PageArgs {
                first: Some(100),
                ..PageArgs::default()
            };
            let request = arguments.check(50, count).unwrap();
            heard.take();
            let page = events::page(&ctx, &filter, order, &request).await.unwrap();
            let asked = heard.take();
            assert!(!page.has_next);
            assert!(page.total.is_none_or(|total| total == page.items.len() as u64));
            answers.push((page.items.len(), asked.len()));
        }
        answers
    };
    assert_eq!(ask().await, [(1, 1), (1, 2)]);
    assert_eq!(store(&ctx, &place, &many()).await.created as usize, SERIES);
    let weekly = SERIES.div_ceil(9);
    assert_eq!(ask().await, [(1 + weekly, 1), (1 + weekly, 3)]);
    assert_eq!(store(&ctx, &place, MOVED).await.created, 1);
    assert_eq!(ask().await, [(2 + weekly, 2), (2 + weekly, 4)]);
    let found = within(&ana, &workspace, "2026-06-01T00:00:00Z", "2026-06-08T00:00:00Z").await;
    assert!(found.len() == 2 + weekly && found.contains(&"Moved".to_owned()));
}

#[tokio::test]
async fn a_series_with_many_occurrences_before_a_range_is_followed_into_it() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let name = calendar(&ana, &workspace).await;
    let ctx = system(&app);
    let place = calendar_row(&ctx, &name).await;
    assert_eq!(store(&ctx, &place, PULSE).await.created, 1);
    let found = within(&ana, &workspace, "2026-06-03T11:00:00Z", "2026-06-03T11:30:00Z").await;
    assert_eq!(found, ["Pulse"]);
    // Between two of them, and behind the last one.
    let found = within(&ana, &workspace, "2026-06-03T11:00:30Z", "2026-06-03T11:01:00Z").await;
    assert_eq!(found, NOTHING);
    let found = within(&ana, &workspace, "2026-06-03T13:00:00Z", "2026-06-03T14:00:00Z").await;
    assert_eq!(found, NOTHING);
}

/// One occurrence of a series of hours became a whole day.
const DAY_OFF: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n\
    BEGIN:VEVENT\r\nUID:day\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=Europe/Berlin:20260302T090000\r\nDURATION:PT30M\r\nSUMMARY:Talk\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEND:VEVENT\r\n\
    BEGIN:VEVENT\r\nUID:day\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260309T090000\r\nDTSTART;VALUE=DATE:20260610\r\nDTEND;VALUE=DATE:20260611\r\nSUMMARY:Talk\r\nEND:VEVENT\r\n\
    END:VCALENDAR\r\n";

#[tokio::test]
async fn an_hour_that_became_a_day_is_a_day_of_the_viewer() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let name = calendar(&ana, &workspace).await;
    let ctx = system(&app);
    let place = calendar_row(&ctx, &name).await;
    assert_eq!(store(&ctx, &place, DAY_OFF).await.created, 1);
    let preferences = "mutation ($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "timeZone": "America/New_York" } });
    ana.gql(preferences, input).await.succeeded("updatePreferences");
    let hours = [
        ("2026-06-09T22:00:00Z", "2026-06-10T04:00:00Z", false),
        ("2026-06-10T03:30:00Z", "2026-06-10T04:30:00Z", true),
        ("2026-06-11T03:00:00Z", "2026-06-11T04:00:00Z", true),
        ("2026-06-11T04:00:00Z", "2026-06-11T05:00:00Z", false),
    ];
    for (start, end, is_there) in hours {
        let expected: &[&str] = if is_there { &["Talk"] } else { &[] };
        assert_eq!(within(&ana, &workspace, start, end).await, expected, "{start}");
    }
}
