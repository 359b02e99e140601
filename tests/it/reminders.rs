//! Reminders and what is due: told once, at their time, of things as they are then.

use chrono::TimeDelta;
use entity::enums::WorkspaceRole;
use serde_json::{Value, json};

use crate::support::chores::{run, tick, waiting, work};
use crate::support::meetings::{at, calendar, event, update};
use crate::support::{Client, TestApp, join};

const LIST: &str =
    "{ viewer { notifications(first: 50) { nodes { type title body subject { __typename } } } } }";

async fn told(client: &Client<'_>) -> Vec<Value> {
    let answer = client.gql(LIST, json!({})).await;
    answer
        .at("/viewer/notifications/nodes")
        .as_array()
        .unwrap()
        .clone()
}

/// Lets minutes pass as a server does: a look at each, and work that is due.
async fn pass(app: &TestApp, minutes: i64) {
    for _ in 0..minutes {
        app.advance(TimeDelta::minutes(1));
        tick(app).await;
        assert!(work(app).await.iter().all(|(_, result)| result.is_ok()));
    }
}

#[tokio::test]
async fn a_reminder_fires_once_at_its_time() {
    let app = TestApp::start().await;
    let calendar = calendar(&app.ana(), &app.ana.workspace()).await;
    event(&app, &calendar, 30, json!({})).await;
    tick(&app).await;
    work(&app).await;
    pass(&app, 19).await;
    assert!(told(&app.ana()).await.is_empty());
    pass(&app, 1).await;
    let expected = json!([{
        "type": "EVENT_REMINDER", "title": "Stand-up starts in 10 minutes",
        "body": "Monday, 2 March 2026, 10:30 to 11:00 (Europe/Berlin)\nRoom 4",
        "subject": { "__typename": "CalendarEvent" },
    }]);
    assert_eq!(json!(told(&app.ana()).await), expected);
    pass(&app, 15).await;
    assert_eq!(told(&app.ana()).await.len(), 1);
    assert!(waiting(&app, "remind").await.is_empty());
}

#[tokio::test]
async fn a_changed_occurrence_is_reminded_of_as_it_is() {
    let app = TestApp::start().await;
    let ana = app.ana();
    let calendar = calendar(&ana, &app.ana.workspace()).await;
    let recurrence = json!({ "rule": "FREQ=DAILY;COUNT=1", "additionalStarts": [at(&app, 60)] });
    let id = event(&app, &calendar, 15, json!({ "recurrence": recurrence })).await;
    let document = "mutation ($id: ID!, $at: DateTime, $input: UpdateCalendarEventInput!) {
        updateCalendarEvent(id: $id, scope: THIS, occurrenceStart: $at, input: $input) { userErrors { code field message } } }";
    let own = json!({ "title": "Farewell", "location": null,
        "time": { "timed": { "start": at(&app, 30), "end": at(&app, 90) } } });
    ana.gql(document, json!({ "id": id, "at": at(&app, 60), "input": own }))
        .await
        .succeeded("updateCalendarEvent");
    tick(&app).await;
    work(&app).await;
    pass(&app, 21).await;
    let told = told(&ana).await;
    let mut told: Vec<_> = told.iter().map(|one| (&one["title"], &one["body"])).collect();
    told.sort_by_key(|(title, _)| title.to_string());
    let first = (
        json!("Farewell starts in 10 minutes"),
        json!("Monday, 2 March 2026, 10:30 to 11:30 (Europe/Berlin)"),
    );
    let second = (
        json!("Stand-up starts in 10 minutes"),
        json!("Monday, 2 March 2026, 10:15 to 10:45 (Europe/Berlin)\nRoom 4"),
    );
    assert_eq!(told, [(&first.0, &first.1), (&second.0, &second.1)]);
}

#[tokio::test]
async fn a_moved_or_cancelled_event_reminds_of_nothing_stale() {
    let app = TestApp::start().await;
    let calendar = calendar(&app.ana(), &app.ana.workspace()).await;
    let reminders = json!({ "reminders": [{ "minutesBefore": 5 }] });
    let moved = event(&app, &calendar, 6, reminders.clone()).await;
    let cancelled = event(&app, &calendar, 6, reminders.clone()).await;
    let deleted = event(&app, &calendar, 6, reminders).await;
    tick(&app).await;
    let planned = waiting(&app, "remind").await;
    assert_eq!(planned.len(), 3, "jobs are made a little ahead");

    let time = json!({ "time": { "timed": { "start": at(&app, 20), "end": at(&app, 50) } } });
    update(&app, &moved, time).await;
    update(&app, &cancelled, json!({ "status": "CANCELLED" })).await;
    let document = "mutation ($id: ID!) { deleteCalendarEvent(id: $id) { userErrors { code } } }";
    app.ana()
        .gql(document, json!({ "id": deleted }))
        .await
        .succeeded("deleteCalendarEvent");
    app.advance(TimeDelta::minutes(1));
    for job in planned {
        assert_eq!(run(&app, &job).await, Ok(()));
    }
    assert!(told(&app.ana()).await.is_empty());
    pass(&app, 14).await;
    let told = told(&app.ana()).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["title"], "Stand-up starts in 5 minutes");
    assert_eq!(
        told[0]["body"],
        "Monday, 2 March 2026, 10:20 to 10:50 (Europe/Berlin)\nRoom 4"
    );
}

#[tokio::test]
async fn a_reminder_that_was_missed_fires_when_the_server_is_back_but_not_for_what_is_over() {
    let app = TestApp::start().await;
    let calendar = calendar(&app.ana(), &app.ana.workspace()).await;
    event(&app, &calendar, 30, json!({})).await;
    event(
        &app,
        &calendar,
        2,
        json!({ "title": "Over", "reminders": [{ "minutesBefore": 0 }] }),
    )
    .await;
    tick(&app).await;
    // Nobody works for a while.
    app.advance(TimeDelta::minutes(24));
    tick(&app).await;
    work(&app).await;
    let told = told(&app.ana()).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["title"], "Stand-up starts in 6 minutes");
}

#[tokio::test]
async fn whoever_left_the_workspace_is_not_reminded_and_a_switched_off_kind_is_silent() {
    let app = TestApp::start().await;
    let calendar = calendar(&app.ana(), &app.ana.workspace()).await;
    event(&app, &calendar, 11, json!({})).await;
    let document = "mutation ($input: UpdateNotificationPreferencesInput!) {
        updateNotificationPreferences(input: $input) { userErrors { code } } }";
    let off = json!({ "input": { "preferences": [{ "type": "EVENT_REMINDER", "channels": [] }] } });
    app.ana()
        .gql(document, off)
        .await
        .succeeded("updateNotificationPreferences");
    tick(&app).await;
    pass(&app, 2).await;
    assert!(told(&app.ana()).await.is_empty());
}

#[tokio::test]
async fn a_task_is_told_of_a_day_ahead_once_for_each_date() {
    let app = TestApp::start().await;
    let create = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";
    let input = json!({ "workspaceId": app.ana.workspace(), "title": "Tax", "dueAt": at(&app, 26 * 60) });
    let id = app
        .ana()
        .gql(create, json!({ "input": input }))
        .await
        .succeeded("createTask")
        .text("/createTask/task/id");
    let soon = json!({ "workspaceId": app.ana.workspace(), "title": "Fresh", "dueAt": at(&app, 3 * 60) });
    app.ana()
        .gql(create, json!({ "input": soon }))
        .await
        .succeeded("createTask");
    tick(&app).await;
    assert!(
        told(&app.ana()).await.is_empty(),
        "who made it a moment ago knows"
    );
    app.advance(TimeDelta::hours(2));
    tick(&app).await;
    tick(&app).await;
    let found = told(&app.ana()).await;
    let titles: Vec<&str> = found.iter().map(|one| one["title"].as_str().unwrap()).collect();
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(titles.contains(&"“Tax” is due soon") && titles.contains(&"“Fresh” is due soon"));
    let tax = found
        .iter()
        .find(|one| one["title"] == "“Tax” is due soon")
        .unwrap();
    assert_eq!(tax["body"], "Due on Tuesday, 3 March 2026 at 12:00.");

    let change = "mutation ($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { userErrors { code } } }";
    app.ana()
        .gql(
            change,
            json!({ "id": id, "input": { "dueAt": at(&app, 20 * 60) } }),
        )
        .await
        .succeeded("updateTask");
    tick(&app).await;
    assert_eq!(told(&app.ana()).await.len(), 3, "another date is news");
    let complete = "mutation ($id: ID!) { completeTask(id: $id) { userErrors { code } } }";
    app.ana()
        .gql(complete, json!({ "id": id }))
        .await
        .succeeded("completeTask");
    tick(&app).await;
    assert_eq!(told(&app.ana()).await.len(), 3);
}

#[tokio::test]
async fn members_are_told_of_tasks_and_events_that_others_give_them() {
    let app = TestApp::start().await;
    let workspace = app.ana.workspace_id;
    join(&app.platform, &app.ben, workspace, WorkspaceRole::Member).await;
    let create = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code field } } }";
    let input = json!({ "workspaceId": app.ana.workspace(), "title": "Tax", "assigneeId": app.ben.user_id.to_string() });
    app.ana()
        .gql(create, json!({ "input": input }))
        .await
        .succeeded("createTask");
    let calendar = calendar(&app.ana(), &app.ana.workspace()).await;
    let guests =
        json!({ "attendees": [{ "email": "ben@example.org" }, { "email": "carl@elsewhere.example" }] });
    let id = event(&app, &calendar, 120, guests).await;
    app.advance(TimeDelta::seconds(1));
    let time = json!({ "time": { "timed": { "start": at(&app, 180), "end": at(&app, 210) } } });
    update(&app, &id, time).await;
    update(&app, &id, json!({ "description": "No news." })).await;
    update(&app, &id, json!({ "status": "CANCELLED" })).await;
    let mut titles: Vec<String> = told(&app.ben())
        .await
        .iter()
        .map(|one| one["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    assert_eq!(
        titles,
        [
            "Ana assigned “Tax” to you",
            "Ana cancelled “Stand-up”",
            "Ana invites you to “Stand-up”",
            "Ana moved “Stand-up”",
        ]
    );
    assert!(told(&app.ana()).await.is_empty(), "whoever acts knows");
}

async fn remind_of(
    client: &Client<'_>,
    id: &str,
    scope: &str,
    at: &str,
    input: Value,
) -> crate::support::Answer {
    let document =
        "mutation ($id: ID!, $scope: RecurrenceScope!, $at: DateTime, $input: UpdateCalendarEventInput!) {
        updateCalendarEvent(id: $id, scope: $scope, occurrenceStart: $at, input: $input) {
            calendarEvent { id version reminders { minutesBefore } } userErrors { code field message } } }";
    let variables = json!({ "id": id, "scope": scope, "at": at, "input": input });
    let answer = client.gql(document, variables).await;
    answer.succeeded("updateCalendarEvent")
}

/// Day of March and minutes of each occurrence that the person sees.
async fn minutes(client: &Client<'_>, workspace: &str) -> Vec<String> {
    let document = "query ($id: ID!, $range: DateTimeRangeInput!) { workspace(id: $id) {
        eventOccurrences(range: $range) { start reminders { minutesBefore } } } }";
    let range = json!({ "start": "2026-03-01T00:00:00Z", "end": "2026-03-31T00:00:00Z" });
    let answer = client
        .gql(document, json!({ "id": workspace, "range": range }))
        .await;
    let list = answer.at("/workspace/eventOccurrences");
    let short = |one: &Value| {
        let reminders = one["reminders"].as_array().unwrap().iter();
        let minutes: Vec<String> = reminders.map(|one| one["minutesBefore"].to_string()).collect();
        format!("{} {}", &one["start"].as_str().unwrap()[8..13], minutes.join(","))
    };
    list.as_array().unwrap().iter().map(short).collect()
}

#[tokio::test]
async fn one_occurrence_has_reminders_of_its_own() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.ana(), app.ben());
    let workspace = app.ana.workspace();
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Viewer,
    )
    .await;
    let calendar = calendar(&ana, &workspace).await;
    let more =
        json!({ "recurrence": { "rule": "FREQ=DAILY;COUNT=4" }, "reminders": [{ "minutesBefore": 5 }] });
    let id = event(&app, &calendar, 30, more).await;
    let day = |n: i64| at(&app, 30 + n * 1_440);
    let own = json!({ "reminders": [{ "minutesBefore": 20 }] });
    let changed = remind_of(&ana, &id, "THIS", &day(1), own.clone()).await;
    let changed = changed.at("/updateCalendarEvent/calendarEvent");
    // The event is the same for everybody else.
    assert_eq!(changed["version"], 1);
    assert_eq!(changed["reminders"], json!([{ "minutesBefore": 5 }]));
    remind_of(&ana, &id, "THIS", &day(2), json!({ "reminders": [] })).await;
    let expected = ["02T09 5", "03T09 20", "04T09 ", "05T09 5"];
    assert_eq!(minutes(&ana, &workspace).await, expected);
    // Whoever may only look has reminders of their own all the same.
    remind_of(&ben, &id, "THIS", &day(3), own).await;
    assert_eq!(
        minutes(&ben, &workspace).await,
        ["02T09 ", "03T09 ", "04T09 ", "05T09 20"]
    );

    tick(&app).await;
    pass(&app, 26).await;
    assert_eq!(told(&ana).await.len(), 1);
    app.advance(TimeDelta::minutes(1_440 - 30));
    pass(&app, 30).await;
    let list = told(&ana).await;
    let mut titles: Vec<&str> = list.iter().map(|one| one["title"].as_str().unwrap()).collect();
    titles.sort_unstable();
    assert_eq!(
        titles,
        ["Stand-up starts in 20 minutes", "Stand-up starts in 5 minutes"]
    );
    // Silence, and then the series again.
    app.advance(TimeDelta::minutes(1_440 - 30));
    pass(&app, 31).await;
    assert_eq!(told(&ana).await.len(), 2);
    app.advance(TimeDelta::minutes(1_440 - 30));
    pass(&app, 31).await;
    assert_eq!(told(&ana).await.len(), 3);
    assert_eq!(told(&ben).await.len(), 1);
}

#[tokio::test]
async fn reminders_from_an_occurrence_on_split_nothing_and_stay_with_their_occurrences() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let more =
        json!({ "recurrence": { "rule": "FREQ=DAILY;COUNT=5" }, "reminders": [{ "minutesBefore": 5 }] });
    let id = event(&app, &calendar, 30, more).await;
    let day = |n: i64| at(&app, 30 + n * 1_440);
    let some = |minutes: i64| json!({ "reminders": [{ "minutesBefore": minutes }] });
    let answer = remind_of(&ana, &id, "THIS_AND_FOLLOWING", &day(1), some(15)).await;
    assert_eq!(answer.text("/updateCalendarEvent/calendarEvent/id"), id);
    remind_of(&ana, &id, "THIS", &day(2), some(20)).await;
    let expected = ["02T09 5", "03T09 15", "04T09 20", "05T09 15", "06T09 15"];
    assert_eq!(minutes(&ana, &workspace).await, expected);
    // The series moves by an hour, and what was said of its occurrences moves too.
    let time = json!({ "time": { "timed": { "start": at(&app, 90), "end": at(&app, 120) } } });
    update(&app, &id, time).await;
    let expected = ["02T10 5", "03T10 15", "04T10 20", "05T10 15", "06T10 15"];
    assert_eq!(minutes(&ana, &workspace).await, expected);
    // Each half of a split series keeps its own.
    let title = json!({ "title": "Later" });
    remind_of(&ana, &id, "THIS_AND_FOLLOWING", &at(&app, 90 + 2 * 1_440), title).await;
    assert_eq!(minutes(&ana, &workspace).await, expected);
    // What an occurrence has again from its series is not its own any more; the whole series speaks for all that said nothing else.
    remind_of(&ana, &id, "THIS_AND_FOLLOWING", &at(&app, 90 + 1_440), some(5)).await;
    remind_of(&ana, &id, "ALL", &at(&app, 90), some(7)).await;
    let expected = ["02T10 7", "03T10 7", "04T10 20", "05T10 15", "06T10 15"];
    assert_eq!(minutes(&ana, &workspace).await, expected);
}
