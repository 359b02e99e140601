//! What people hear who are guests of single occurrences of a series only, or were taken off one: of all that concerns them, once.

use chrono::TimeDelta;
use entity::enums::WorkspaceRole;
use serde_json::{Value, json};

use crate::support::guests::{guests_by_day, import, inbox, sent, start, update};
use crate::support::meetings::{calendar, event};
use crate::support::post::{MailServer, Received};
use crate::support::statements::Statements;
use crate::support::{Client, TestApp, join};

/// A daily series at noon in Berlin from 2 March on, in Ana's workspace, where Ben is a member.
async fn series(app: &TestApp, calendar: &Value, count: u32, guests: &[&str]) -> String {
    let rule = format!("FREQ=DAILY;COUNT={count}");
    // Said absolutely: the clock goes on between two series.
    let time = json!({ "timed": { "start": "2026-03-02T11:00:00Z", "end": "2026-03-02T11:30:00Z" } });
    let more = json!({ "time": time, "recurrence": { "rule": rule }, "attendees": people(guests) });
    let id = event(app, calendar, 120, more).await;
    app.advance(TimeDelta::seconds(1));
    id
}

async fn with_ben(app: &TestApp) -> Value {
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    calendar(&app.ana(), &app.ana.workspace()).await
}

fn people(emails: &[&str]) -> Value {
    emails.iter().map(|email| json!({ "email": email })).collect()
}

/// The original start of the occurrence of a day of March.
fn noon(day: u32) -> Value {
    json!(format!("2026-03-{day:02}T11:00:00Z"))
}

/// Gives the occurrence of a day guests of its own.
async fn invite(app: &TestApp, id: &str, day: u32, guests: &[&str]) {
    let input = json!({ "attendees": people(guests) });
    let answer = update(&app.ana(), id, "THIS", noon(day), input).await;
    answer.succeeded("updateCalendarEvent");
    app.advance(TimeDelta::seconds(1));
}

async fn delete(app: &TestApp, id: &str, scope: &str, start: Value) {
    let document = "mutation ($id: ID!, $scope: RecurrenceScope!, $start: DateTime) {
        deleteCalendarEvent(id: $id, scope: $scope, occurrenceStart: $start) { userErrors { code field message } } }";
    let variables = json!({ "id": id, "scope": scope, "start": start });
    let answer = app.ana().gql(document, variables).await;
    answer.succeeded("deleteCalendarEvent");
    app.advance(TimeDelta::seconds(1));
}

/// How many notifications begin so.
async fn told(client: &Client<'_>, title: &str) -> usize {
    let list = inbox(client).await;
    list.iter().filter(|(one, _)| one.starts_with(title)).count()
}

/// Letters to Dora, each of which calls off the occurrence of a day.
#[track_caller]
fn assert_called_off(letters: &[Received], day: u32) {
    let to_dora = letters.iter().filter(|letter| letter.to.contains(DORA));
    let to_dora: Vec<&Received> = to_dora.collect();
    assert_eq!(to_dora.len(), 1, "{letters:?}");
    let text = &to_dora[0].text;
    let id = format!("RECURRENCE-ID;TZID=Europe/Berlin:202603{day:02}T120000");
    assert!(text.contains("METHOD:CANCEL") && text.contains(&id), "{text}");
}

const BEN: &str = "ben@example.org";
const CARL: &str = "carl@elsewhere.example";
const DORA: &str = "dora@elsewhere.example";
const ERIK: &str = "erik@elsewhere.example";
const CANCELLED_ONE: &str = "Ana cancelled one “Stand-up”";

#[tokio::test]
async fn who_comes_once_hears_when_that_occurrence_is_deleted() {
    let mail = MailServer::start().await;
    let app = start(&mail).await;
    let (ben, calendar) = (app.ben(), with_ben(&app).await);
    let id = series(&app, &calendar, 6, &[]).await;
    for day in [3, 4, 6] {
        invite(&app, &id, day, &[BEN, DORA]).await;
    }
    sent(&app, &mail).await;

    delete(&app, &id, "THIS", noon(3)).await;
    assert_called_off(&sent(&app, &mail).await, 3);
    assert_eq!(told(&ben, CANCELLED_ONE).await, 1);
    // The series ends before it.
    delete(&app, &id, "THIS_AND_FOLLOWING", noon(5)).await;
    let letters = sent(&app, &mail).await;
    let letters: Vec<Received> = letters
        .into_iter()
        .filter(|letter| letter.text.contains("METHOD:CANCEL"))
        .collect();
    assert_called_off(&letters, 6);
    assert_eq!(told(&ben, CANCELLED_ONE).await, 2);
    // It is the last that is left, and the series goes with it.
    delete(&app, &id, "THIS", noon(2)).await;
    sent(&app, &mail).await;
    delete(&app, &id, "THIS", noon(4)).await;
    assert_called_off(&sent(&app, &mail).await, 4);
    assert_eq!(told(&ben, CANCELLED_ONE).await, 3);
}

#[tokio::test]
async fn who_comes_once_hears_when_the_series_is_deleted() {
    let mail = MailServer::start().await;
    let app = start(&mail).await;
    let (ben, calendar) = (app.ben(), with_ben(&app).await);
    let id = series(&app, &calendar, 3, &[]).await;
    invite(&app, &id, 3, &[BEN, DORA]).await;
    invite(&app, &id, 4, &[BEN]).await;
    sent(&app, &mail).await;
    delete(&app, &id, "THIS", noon(4)).await;
    assert_eq!(told(&ben, CANCELLED_ONE).await, 1);
    assert!(sent(&app, &mail).await.is_empty());
    // Nothing happened in between, and yet it is other news.
    delete(&app, &id, "ALL", Value::Null).await;
    assert_called_off(&sent(&app, &mail).await, 3);
    assert_eq!(told(&ben, CANCELLED_ONE).await, 2);
}

#[tokio::test]
async fn members_of_a_series_hear_of_its_end_also_just_after_that_of_an_occurrence() {
    let app = TestApp::start().await;
    let (ben, calendar) = (app.ben(), with_ben(&app).await);
    let id = series(&app, &calendar, 3, &[BEN]).await;
    delete(&app, &id, "THIS", noon(3)).await;
    delete(&app, &id, "ALL", Value::Null).await;
    assert_eq!(told(&ben, CANCELLED_ONE).await, 1);
    assert_eq!(told(&ben, "Ana cancelled “Stand-up”").await, 1);
}

#[tokio::test]
async fn who_comes_once_hears_when_a_change_takes_that_away() {
    let app = TestApp::start().await;
    let (ana, ben, calendar) = (app.ana(), app.ben(), with_ben(&app).await);
    // Another rule has no such occurrence.
    let id = series(&app, &calendar, 5, &[]).await;
    invite(&app, &id, 5, &[BEN]).await;
    let shorter = json!({ "recurrence": { "rule": "FREQ=DAILY;COUNT=2" } });
    let changed = update(&ana, &id, "ALL", Value::Null, shorter).await;
    changed.succeeded("updateCalendarEvent");
    assert_eq!(told(&ben, CANCELLED_ONE).await, 1);

    // From there on others come.
    let id = series(&app, &calendar, 5, &[]).await;
    invite(&app, &id, 4, &[BEN]).await;
    let others = json!({ "attendees": people(&[ERIK]) });
    let changed = update(&ana, &id, "THIS_AND_FOLLOWING", noon(4), others).await;
    changed.succeeded("updateCalendarEvent");
    assert_eq!(told(&ben, "Ana took you off the guest list of one “").await, 1);
    assert_eq!(told(&ben, CANCELLED_ONE).await, 1);

    // The occurrence goes on in the later half: that is no news.
    let id = series(&app, &calendar, 5, &[]).await;
    invite(&app, &id, 5, &[BEN]).await;
    let before = inbox(&ben).await;
    let renamed = json!({ "title": "Another name" });
    let changed = update(&ana, &id, "THIS_AND_FOLLOWING", noon(4), renamed).await;
    changed.succeeded("updateCalendarEvent");
    assert_eq!(inbox(&ben).await, before);
}

#[tokio::test]
async fn who_was_taken_off_an_occurrence_hears_nothing_of_its_end() {
    let mail = MailServer::start().await;
    let app = start(&mail).await;
    let (ben, calendar) = (app.ben(), with_ben(&app).await);
    let id = series(&app, &calendar, 2, &[BEN, CARL, ERIK]).await;
    invite(&app, &id, 3, &[ERIK]).await;
    sent(&app, &mail).await;
    let to = |letters: &[Received]| -> Vec<String> {
        let addresses = letters.iter().map(|letter| letter.to.clone());
        addresses.collect()
    };

    delete(&app, &id, "THIS", noon(3)).await;
    let letters = sent(&app, &mail).await;
    assert_eq!(letters.len(), 1, "{:?}", to(&letters));
    let text = &letters[0].text;
    assert!(letters[0].to.contains(ERIK), "{text}");
    assert!(
        text.contains("cancelled one occurrence") && text.contains("3 March 2026"),
        "{text}"
    );
    assert!(
        text.contains("EXDATE;TZID=Europe/Berlin:20260303T120000"),
        "{text}"
    );
    assert_eq!(told(&ben, "Ana cancelled").await, 0);

    // It is the last one, so the series goes with it.
    invite(&app, &id, 2, &[ERIK]).await;
    let letters = sent(&app, &mail).await;
    assert!(
        letters.iter().any(|letter| letter.to.contains(CARL)),
        "{:?}",
        to(&letters)
    );
    delete(&app, &id, "THIS", noon(2)).await;
    let letters = sent(&app, &mail).await;
    assert_eq!(letters.len(), 1, "{:?}", to(&letters));
    assert!(letters[0].to.contains(ERIK) && letters[0].text.contains("METHOD:CANCEL"));
    assert_eq!(told(&ben, "Ana cancelled").await, 0);
}

#[tokio::test]
async fn who_was_taken_off_every_occurrence_hears_nothing_of_the_series() {
    let mail = MailServer::start().await;
    let app = start(&mail).await;
    let (ana, ben, calendar) = (app.ana(), app.ben(), with_ben(&app).await);
    let id = series(&app, &calendar, 2, &[BEN, CARL, ERIK]).await;
    invite(&app, &id, 2, &[ERIK]).await;
    let to = |letters: &[Received], whom: &str| letters.iter().filter(|one| one.to.contains(whom)).count();
    sent(&app, &mail).await;

    // Carl and Ben still come to the second one.
    let longer =
        json!({ "time": { "timed": { "start": "2026-03-02T11:00:00Z", "end": "2026-03-02T11:45:00Z" } } });
    let changed = update(&ana, &id, "ALL", Value::Null, longer).await;
    changed.succeeded("updateCalendarEvent");
    app.advance(TimeDelta::seconds(1));
    let letters = sent(&app, &mail).await;
    assert_eq!((to(&letters, CARL), to(&letters, ERIK)), (1, 1), "{letters:?}");
    assert_eq!(told(&ben, "Ana moved “Stand-up”").await, 1);

    // Now to none: neither a change nor the end of the series is theirs.
    invite(&app, &id, 3, &[ERIK]).await;
    sent(&app, &mail).await;
    let longer =
        json!({ "time": { "timed": { "start": "2026-03-02T11:00:00Z", "end": "2026-03-02T12:00:00Z" } } });
    let changed = update(&ana, &id, "ALL", Value::Null, longer).await;
    changed.succeeded("updateCalendarEvent");
    app.advance(TimeDelta::seconds(1));
    let letters = sent(&app, &mail).await;
    assert_eq!((to(&letters, CARL), to(&letters, ERIK)), (0, 1), "{letters:?}");
    delete(&app, &id, "ALL", Value::Null).await;
    let letters = sent(&app, &mail).await;
    assert_eq!((to(&letters, CARL), to(&letters, ERIK)), (0, 1), "{letters:?}");
    assert!(letters[0].text.contains("METHOD:CANCEL"), "{letters:?}");
    assert_eq!(told(&ben, "Ana moved “Stand-up”").await, 1);
    assert_eq!(told(&ben, "Ana cancelled").await, 0);
}

#[tokio::test]
async fn a_new_guest_of_an_occurrence_that_moves_is_only_invited() {
    let app = TestApp::start().await;
    let (ana, ben, calendar) = (app.ana(), app.ben(), with_ben(&app).await);
    let id = series(&app, &calendar, 3, &[]).await;
    let input = json!({
        "attendees": people(&[BEN]),
        "time": { "timed": { "start": "2026-03-03T13:00:00Z", "end": "2026-03-03T13:30:00Z" } },
    });
    let changed = update(&ana, &id, "THIS", noon(3), input).await;
    changed.succeeded("updateCalendarEvent");
    let news = inbox(&ben).await;
    assert_eq!(news.len(), 1, "{news:?}");
    assert!(news[0].0.starts_with("Ana invites you to one “"), "{news:?}");
    assert!(news[0].1.contains("3 March 2026, 14:00"), "{news:?}");
}

#[tokio::test]
async fn guests_from_an_occurrence_on_stay_behind_a_split() {
    let app = TestApp::start().await;
    let (ana, workspace) = (app.ana(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let master = "BEGIN:VEVENT\r\nUID:lasting\r\nDTSTART:20260303T090000Z\r\nDTEND:20260303T100000Z\r\nRRULE:FREQ=DAILY;COUNT=5\r\nSUMMARY:Series\r\nORGANIZER;CN=Ana:mailto:ana@example.org\r\nATTENDEE:mailto:carl@elsewhere.example\r\nEND:VEVENT\r\n";
    let lasting = "BEGIN:VEVENT\r\nUID:lasting\r\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260304T090000Z\r\nDTSTART:20260304T090000Z\r\nDTEND:20260304T100000Z\r\nSUMMARY:Series\r\nORGANIZER;CN=Ana:mailto:ana@example.org\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:dora@elsewhere.example\r\nEND:VEVENT\r\n";
    let file = format!("BEGIN:VCALENDAR\r\n{master}{lasting}END:VCALENDAR\r\n");
    import(&app, &calendar, &file).await;
    let expected = [
        "03T09 carl",
        "04T09 dora+",
        "05T09 dora+",
        "06T09 dora+",
        "07T09 dora+",
    ];
    assert_eq!(guests_by_day(&ana, &workspace, &calendar).await, expected);
    let find = "query ($id: ID!) { workspace(id: $id) { calendarEvents(first: 5) { nodes { id } } } }";
    let found = ana.gql(find, json!({ "id": workspace })).await;
    let id = found.text("/workspace/calendarEvents/nodes/0/id");
    // Behind the occurrence that it was said of, and at it.
    for start in ["2026-03-06T09:00:00Z", "2026-03-04T09:00:00Z"] {
        let input = json!({ "description": "Split" });
        let changed = update(&ana, &id, "THIS_AND_FOLLOWING", json!(start), input).await;
        changed.succeeded("updateCalendarEvent");
        assert_eq!(
            guests_by_day(&ana, &workspace, &calendar).await,
            expected,
            "{start}"
        );
    }
}

#[tokio::test]
async fn however_many_occurrences_have_their_own_guests_people_are_looked_for_once() {
    let mail = MailServer::start().await;
    let app = start(&mail).await;
    let (ana, calendar) = (app.ana(), with_ben(&app).await);
    let heard = Statements::listen();
    // Who comes, who organizes it, and in which zones they live.
    let asked = || {
        let heard = heard.take();
        let of_people = |sql: &str| sql.contains("\"attendees\"") || sql.contains("\"user_preferences\"");
        let asked = heard.iter().filter(|one| one.sql.starts_with("SELECT"));
        asked.filter(|one| of_people(&one.sql)).count()
    };
    let mut counts = Vec::new();
    for last in [4, 8] {
        let id = series(&app, &calendar, 9, &[]).await;
        for day in 3..=last {
            invite(&app, &id, day, &[BEN, DORA]).await;
        }
        sent(&app, &mail).await;
        asked();
        let time = json!({ "time": { "timed": { "start": "2026-03-02T13:00:00Z", "end": "2026-03-02T13:30:00Z" } } });
        let changed = update(&ana, &id, "ALL", Value::Null, time).await;
        changed.succeeded("updateCalendarEvent");
        let moved = asked();
        delete(&app, &id, "THIS_AND_FOLLOWING", json!("2026-03-03T13:00:00Z")).await;
        counts.push((moved, asked()));
    }
    let [few, many] = counts[..] else {
        unreachable!("two series")
    };
    assert!(few.0 > 0 && few.1 > 0, "{counts:?}");
    assert!(many.0 <= few.0 && many.1 <= few.1, "{counts:?}");
}
