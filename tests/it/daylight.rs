//! Changes of clocks through the API, in zones where they are of different kinds: an hour, half an hour, two hours, at midnight, four times a
//! year, backwards in winter, never. What every zone does at every change is tested where the arithmetic is; here everything is in between:
//! input, columns, windows, the viewer's zone.

use jiff::civil::{self, DateTime};
use jiff::tz::{Disambiguation, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

const ZONES: [&str; 13] = [
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/Havana",
    "America/Nuuk",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Auckland",
    "Antarctica/Troll",
];
const DAYS: i32 = 5;

/// RFC 5545 3.3.5: a gap shifts forward, of an overlap the first is meant.
fn at(local: DateTime, zone: &TimeZone) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    ambiguous.disambiguate(Disambiguation::Compatible).unwrap()
}

/// The wall times of the changes of a year, in the middle of what is skipped or repeated; noon where there is none.
fn hard_times(zone: &TimeZone) -> Vec<DateTime> {
    let year = civil::date(2027, 1, 10).at(0, 0, 0, 0);
    let (from, to) = (at(year, zone), at(year.saturating_add(360.days()), zone));
    let mut times = Vec::new();
    for change in zone.following(from).take_while(|change| change.timestamp() < to) {
        let before = zone.to_offset(change.timestamp() - SignedDuration::from_secs(1));
        let shift = change.offset().seconds() - before.seconds();
        let middle = i64::from(shift.abs() / 2);
        let wall = before.to_datetime(change.timestamp());
        times.push(match shift > 0 {
            true => wall + SignedDuration::from_secs(middle),
            false => wall - SignedDuration::from_secs(middle),
        });
    }
    if times.is_empty() {
        times.push(civil::date(2027, 6, 1).at(12, 0, 0, 0));
    }
    times
}

async fn create(client: &Client<'_>, calendar: &str, title: &str, time: Value, more: Value) -> String {
    let document = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { calendarEvent { id } userErrors { code field message } } }";
    let mut input = json!({ "calendarId": calendar, "title": title, "time": time });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let made = client.gql(document, json!({ "input": input })).await;
    made.succeeded("createCalendarEvent")
        .text("/createCalendarEvent/calendarEvent/id")
}

/// Starts and ends of what has this title around a day.
async fn seen(client: &Client<'_>, day: civil::Date, title: &str) -> Vec<(Timestamp, Timestamp)> {
    let document = "query ($id: ID!, $range: DateTimeRangeInput!) { workspace(id: $id) { eventOccurrences(range: $range) { title start end } } }";
    let range = json!({
        "start": format!("{}T00:00:00Z", day.saturating_sub(9.days())),
        "end": format!("{}T00:00:00Z", day.saturating_add(9.days())),
    });
    let workspace = client.app.ana.workspace();
    let answer = client
        .gql(document, json!({ "id": workspace, "range": range }))
        .await;
    let list = answer.at("/workspace/eventOccurrences");
    let instant = |one: &Value, name: &str| one[name].as_str().unwrap().parse().unwrap();
    let own = list
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["title"] == title);
    own.map(|one| (instant(one, "start"), instant(one, "end")))
        .collect()
}

#[tokio::test]
async fn events_stay_at_their_wall_time_whatever_the_clocks_do() {
    let app = TestApp::start().await;
    let ana = app.ana();
    let make = "mutation ($input: CreateCalendarInput!) { createCalendar(input: $input) { calendar { id } userErrors { code } } }";
    let preferences = "mutation ($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { userErrors { code } } }";
    let mut changes = 0;
    for name in ZONES {
        let zone = meridian::kernel::zones::zone(name).unwrap();
        let input = json!({ "workspaceId": app.ana.workspace(), "name": name, "timeZone": name });
        let calendar = ana.gql(make, json!({ "input": input })).await;
        let calendar = calendar.text("/createCalendar/calendar/id");
        ana.gql(preferences, json!({ "input": { "timeZone": name } }))
            .await
            .succeeded("updatePreferences");
        for (number, wall) in hard_times(&zone).into_iter().enumerate() {
            changes += 1;
            let (day, title) = (wall.date(), format!("{name} {number}"));
            let hour = SignedDuration::from_hours(1);
            let timed = |start: Timestamp| json!({ "timed": { "start": start.to_string(), "end": (start + hour).to_string() } });

            // A series over the change.
            let first = wall.saturating_sub(2.days());
            let daily = json!({ "recurrence": { "rule": format!("FREQ=DAILY;COUNT={DAYS}") } });
            create(&ana, &calendar, &title, timed(at(first, &zone)), daily).await;
            let expected: Vec<Timestamp> = (0..DAYS)
                .map(|later| at(first.saturating_add(later.days()), &zone))
                .collect();
            let found = seen(&ana, day, &title).await;
            let starts: Vec<Timestamp> = found.iter().map(|(start, _)| *start).collect();
            assert_eq!(starts, expected, "{title}");

            // One event moved over it.
            let title = format!("{title} moved");
            let id = create(&ana, &calendar, &title, timed(at(first, &zone)), json!({})).await;
            let target = at(wall.saturating_add(1.day()), &zone);
            let document = "mutation ($id: ID!, $start: DateTime!) { moveCalendarEvent(id: $id, start: $start) { calendarEvent { id } userErrors { code message } } }";
            ana.gql(document, json!({ "id": id, "start": target.to_string() }))
                .await
                .succeeded("moveCalendarEvent");
            assert_eq!(
                seen(&ana, day, &title).await,
                [(target, target + hour)],
                "{title}"
            );

            // The whole day of the change, where the viewer is.
            let title = format!("{title} day");
            let next = day.saturating_add(1.day());
            let days = json!({ "allDay": { "startDate": day.to_string(), "endDate": next.to_string() } });
            create(&ana, &calendar, &title, days, json!({})).await;
            let midnight = |day: civil::Date| at(day.to_datetime(civil::Time::midnight()), &zone);
            assert_eq!(
                seen(&ana, day, &title).await,
                [(midnight(day), midnight(next))],
                "{title}"
            );
        }
    }
    assert!(changes >= 20, "{changes} changes");
}
