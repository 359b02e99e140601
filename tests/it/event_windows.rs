//! Lists of the events in a range of time, against a plain walk over all events.

use std::collections::HashSet;
use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::{EventKind, EventStatus, EventTransparency, EventVisibility};
use entity::ids::{CalendarEventId, WorkspaceId};
use entity::{calendar, calendar_event, event_override};
use meridian::access::Ctx;
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};
use serde_json::json;

use crate::support::{TestApp, start_of_tests};

const EVENTS: usize = 240;

/// The same numbers in every run (splitmix64).
struct Random(u64);

impl Random {
    fn within(&mut self, range: Range<i64>) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        range.start + (mixed % (range.end - range.start) as u64) as i64
    }

    fn one_in(&mut self, of: i64) -> bool {
        self.within(0..of) == 0
    }
}

/// An hour of the weeks around the test's now.
fn hour(random: &mut Random) -> DateTime<Utc> {
    start_of_tests() + TimeDelta::hours(random.within(-800..800))
}

/// When a series takes place: every so many days.
#[derive(Clone, Copy)]
struct Rule {
    days: i64,
    until: Option<DateTime<Utc>>,
}

impl Rule {
    fn random(random: &mut Random, start: DateTime<Utc>) -> Self {
        // From one that is in every range to one that is in few.
        let days = [1, 7, 23, 365][random.within(0..4) as usize];
        let until = start + TimeDelta::hours(random.within(0..900));
        Self {
            days,
            until: (!random.one_in(3)).then_some(until),
        }
    }

    fn text(&self) -> String {
        let until = self
            .until
            .map(|at| at.format(";UNTIL=%Y%m%dT%H%M%SZ").to_string());
        format!("FREQ=DAILY;INTERVAL={}{}", self.days, until.unwrap_or_default())
    }

    /// All starts before an instant.
    fn starts(self, first: DateTime<Utc>, before: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
        let starts = (0..).map(move |number| first + TimeDelta::days(self.days * number));
        starts.take_while(move |at| *at < before && self.until.is_none_or(|until| *at <= until))
    }
}

struct Made {
    row: calendar_event::Model,
    rule: Option<Rule>,
}

fn event(app: &TestApp, calendar: &calendar::Model, random: &mut Random, number: usize) -> Made {
    let start = hour(random);
    let hours = match random.within(0..6) {
        0 => 0,
        // Around the lengths where the statement changes its way.
        1 => random.within(140..172),
        2 => random.within(300..900),
        _ => random.within(1..5),
    };
    let end = start + TimeDelta::hours(hours);
    let rule = random.one_in(3).then(|| Rule::random(random, start));
    let series_end = rule.and_then(|rule| {
        let last = rule.starts(start, rule.until? + TimeDelta::hours(1)).last();
        Some(last.unwrap() + (end - start))
    });
    let row = calendar_event::Model {
        id: app.platform.ids.next(),
        workspace_id: WorkspaceId(Default::default()),
        calendar_id: calendar.id,
        version: 1,
        uid: format!("window-{number}"),
        title: format!("e{}", random.within(0..20)),
        description: None,
        // Unique and shown, so that it names the event in lists.
        location: Some(format!("window-{number}")),
        conference_url: None,
        kind: EventKind::Timed,
        start_local: Some(start.naive_utc()),
        end_local: Some(end.naive_utc()),
        start_zone: Some("UTC".into()),
        end_zone: Some("UTC".into()),
        start_date: None,
        end_date: None,
        start_utc: start,
        end_utc: end,
        tzdata_version: None,
        time_zone: "UTC".into(),
        status: if random.one_in(3) {
            EventStatus::Tentative
        } else {
            EventStatus::Confirmed
        },
        transparency: EventTransparency::Busy,
        visibility: EventVisibility::Default,
        rrule: rule.map(|rule| rule.text()),
        rdates: json!([]),
        exdates: json!([]),
        series_end_utc: series_end,
        is_recurring: rule.is_some(),
        split_from: None,
        sequence: 0,
        recurrence_id: None,
        organizer_email: None,
        organizer_name: None,
        color: None,
        external_url: None,
        source_ics: None,
        task_id: None,
        booking_id: None,
        created_by: None,
        created_at: start,
        updated_at: hour(random),
    };
    Made { row, rule }
}

fn change(app: &TestApp, of: &calendar_event::Model, random: &mut Random) -> event_override::Model {
    let start = hour(random);
    let moved = !random.one_in(4);
    event_override::Model {
        id: app.platform.ids.next(),
        workspace_id: WorkspaceId(Default::default()),
        event_id: of.id,
        original_start_utc: of.start_utc,
        original_start: of.start_utc.to_rfc3339(),
        cancelled: random.one_in(4),
        patch: json!({}),
        start_utc: moved.then_some(start),
        end_utc: moved.then(|| start + TimeDelta::hours(random.within(0..48))),
        version: 1,
        created_at: start,
        updated_at: start,
    }
}

/// What the list promises, in the words of its documentation: an occurrence in the range. Only first occurrences are ever changed.
fn is_in(event: &Made, changes: &[event_override::Model], start: DateTime<Utc>, end: DateTime<Utc>) -> bool {
    let (first, length) = (event.row.start_utc, event.row.end_utc - event.row.start_utc);
    let is_there =
        |from: DateTime<Utc>, to: DateTime<Utc>| from < end && (to > start || from == to && from == start);
    let Some(rule) = event.rule else {
        return is_there(first, first + length);
    };
    let change = changes.iter().find(|change| change.event_id == event.row.id);
    let mut later = rule.starts(first, end).skip(1);
    let is_first_there = match change {
        Some(change) if change.cancelled => false,
        Some(change) => {
            let from = change.start_utc.unwrap_or(first);
            is_there(from, change.end_utc.unwrap_or(first + length))
        }
        None => is_there(first, first + length),
    };
    is_first_there || later.any(|at| is_there(at, at + length))
}

async fn fill(app: &TestApp, random: &mut Random) -> (Vec<Made>, Vec<event_override::Model>) {
    let ctx = Ctx::system(&app.platform, app.ana.workspace_id);
    let calendar = calendar::Model {
        id: app.platform.ids.next(),
        workspace_id: WorkspaceId(Default::default()),
        owner_id: Some(app.ana.user_id),
        integration_id: None,
        external_id: None,
        name: "Windows".into(),
        description: None,
        color: "#112233".into(),
        time_zone: "UTC".into(),
        is_default: false,
        is_read_only: false,
        counts_as_busy: true,
        is_mirrored: false,
        feed_secret_hash: None,
        sealed_feed_secret: None,
        version: 1,
        created_at: start_of_tests(),
        updated_at: start_of_tests(),
    };
    let events: Vec<_> = (0..EVENTS)
        .map(|number| event(app, &calendar, random, number))
        .collect();
    // Also some of what was left behind by a series that is none any more.
    let changed = events.iter().enumerate();
    let changed =
        changed.filter(|(number, event)| number % 9 == 0 || event.rule.is_some() && number % 2 == 0);
    let changes: Vec<_> = changed
        .map(|(_, event)| change(app, &event.row, random))
        .collect();
    let rows: Vec<_> = events.iter().map(|event| event.row.clone()).collect();
    let write = ctx.write(|tx| {
        let (calendar, rows, changes) = (calendar.clone(), rows.clone(), changes.clone());
        async move {
            tx.insert(calendar.into_active_model().reset_all()).await?;
            tx.insert_many(
                rows.into_iter()
                    .map(|row| row.into_active_model().reset_all())
                    .collect(),
            )
            .await?;
            tx.insert_many(
                changes
                    .into_iter()
                    .map(|row| row.into_active_model().reset_all())
                    .collect(),
            )
            .await
        }
    });
    write.await.unwrap();
    (events, changes)
}

#[tokio::test]
async fn a_range_finds_what_a_walk_over_all_events_finds_in_every_order_and_page() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let mut random = Random(20_260_302);
    let (events, changes) = fill(&app, &mut random).await;
    let (mut found_ever, mut empty) = (HashSet::<CalendarEventId>::new(), 0);
    for round in 0..16 {
        let start = hour(&mut random);
        let hours = [1, 24, 168, 1_000][round % 4];
        let end = start + TimeDelta::hours(hours);
        let (field, descending) = (
            [("START", 0), ("TITLE", 1), ("UPDATED_AT", 2)][round % 3],
            round % 2 == 1,
        );
        let tentative = round % 5 == 4;
        let mut expected: Vec<_> = events
            .iter()
            .filter(|event| !tentative || event.row.status == EventStatus::Tentative)
            .filter(|event| is_in(event, &changes, start, end))
            .map(|event| &event.row)
            .collect();
        expected.sort_by(|a, b| {
            let first = match field.1 {
                0 => a.start_utc.cmp(&b.start_utc),
                1 => a.title.cmp(&b.title),
                _ => a.updated_at.cmp(&b.updated_at),
            };
            let both = first.then(a.id.0.cmp(&b.id.0));
            if descending { both.reverse() } else { both }
        });
        found_ever.extend(expected.iter().map(|event| event.id));
        empty += usize::from(expected.is_empty());
        let expected: Vec<&str> = expected.iter().map(|event| event.uid.as_str()).collect();

        let filter = json!({
            "range": { "start": start.to_rfc3339(), "end": end.to_rfc3339() },
            "statuses": tentative.then_some(["TENTATIVE"]),
        });
        let order = json!({ "field": field.0, "direction": if descending { "DESC" } else { "ASC" } });
        for (size, backward) in [(100, false), (17, false), (17, true)] {
            let (arguments, info) = if backward {
                ("last: $size, before: $cursor", "startCursor")
            } else {
                ("first: $size, after: $cursor", "endCursor")
            };
            let document = format!(
                "query ($id: ID!, $filter: CalendarEventFilter, $order: CalendarEventOrder, $size: Int, $cursor: String) {{
                    workspace(id: $id) {{ calendarEvents(filter: $filter, orderBy: $order, {arguments}) {{
                        totalCount nodes {{ location }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }}"
            );
            let (mut listed, mut cursor) = (Vec::<String>::new(), None::<String>);
            loop {
                let variables = json!({ "id": workspace, "filter": filter, "order": order, "size": size, "cursor": cursor });
                let answer = ana.gql(&document, variables).await;
                let page = answer.at("/workspace/calendarEvents");
                assert_eq!(page["totalCount"], expected.len(), "round {round}");
                let nodes = page["nodes"].as_array().unwrap().iter();
                let uids: Vec<String> = nodes
                    .map(|node| node["location"].as_str().unwrap().to_owned())
                    .collect();
                let more = if backward {
                    "hasPreviousPage"
                } else {
                    "hasNextPage"
                };
                if backward {
                    listed.splice(0..0, uids);
                } else {
                    listed.extend(uids);
                }
                assert!(listed.len() <= EVENTS, "pages without an end");
                if page["pageInfo"][more] != true {
                    break;
                }
                cursor = Some(page["pageInfo"][info].as_str().unwrap().to_owned());
            }
            assert_eq!(
                listed, expected,
                "round {round}, pages of {size}, backward: {backward}"
            );
        }
    }
    // The data must be able to tell right from wrong.
    assert!(
        found_ever.len() > EVENTS / 2 && empty < 8,
        "{} found ever, {empty} empty",
        found_ever.len()
    );
}
