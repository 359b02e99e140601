//! E-mail about notifications, against a mail server of the test: who gets what and when, once, and how to make it stop.

use chrono::TimeDelta;
use entity::enums::NotificationType;
use entity::ids::{NotificationId, UserId};
use entity::sent_letter;
use meridian::features::notifications::{NewNotification, notify_in};
use meridian::kernel::actor::Actor;
use meridian::platform::db::{Scope, Tx};
use meridian::platform::jobs::JobError;
use sea_orm::{ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, Set};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::chores::{run, waiting, work};
use crate::support::meetings::{at, calendar, event, update};
use crate::support::post::{MailServer, Received};
use crate::support::server::Server;

async fn app(mail: &MailServer) -> TestApp {
    let settings = mail.settings();
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let app = TestApp::with_settings(&settings).await;
    prove(&app).await;
    app
}

/// Ana's address is hers, Ben's may be anybody's.
async fn prove(app: &TestApp) {
    prove_one(app, app.ana.user_id, true).await;
    prove_one(app, app.ben.user_id, false).await;
}

async fn prove_one(app: &TestApp, id: UserId, is_proven: bool) {
    let body = |tx: Tx| async move {
        use entity::user::{Column, Entity};
        let select = tx.find_global::<Entity>().filter(Column::Id.eq(id));
        let mut row = select.one(tx.conn()).await?.unwrap().into_active_model();
        row.email_verified_at = Set(is_proven.then_some(tx.now()));
        tx.update_global_row(row).await.map(drop)
    };
    app.platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
}

async fn tell(app: &TestApp, kind: NotificationType, title: &str) -> Option<NotificationId> {
    let new = NewNotification {
        user_id: app.ana.user_id,
        workspace_id: Some(app.ana.workspace_id),
        r#type: kind,
        title: title.into(),
        body: Some("More about it.".into()),
        subject: None,
        dedup_key: None,
    };
    let body = |tx: Tx| {
        let new = new.clone();
        async move { notify_in(&tx, new).await }
    };
    app.platform
        .write(Scope::Workspace(app.ana.workspace_id), Actor::system(), body)
        .await
        .unwrap()
}

async fn prefer(app: &TestApp, input: Value) {
    let document = "mutation ($input: UpdatePreferencesInput!) { updatePreferences(input: $input) {
        preferences { quietHours { from until } digestAt } userErrors { code field } } }";
    app.ana()
        .gql(document, json!({ "input": input }))
        .await
        .succeeded("updatePreferences");
}

async fn channels(app: &TestApp, kind: &str, channels: Value) {
    let document = "mutation ($input: UpdateNotificationPreferencesInput!) {
        updateNotificationPreferences(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "preferences": [{ "type": kind, "channels": channels }] } });
    app.ana()
        .gql(document, input)
        .await
        .succeeded("updateNotificationPreferences");
}

async fn listed(app: &TestApp) -> Vec<Value> {
    let document = "{ viewer { unreadNotificationCount notifications { nodes { title } } } }";
    let answer = app.ana().gql(document, json!({})).await;
    let nodes = answer
        .at("/viewer/notifications/nodes")
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(answer.at("/viewer/unreadNotificationCount"), nodes.len());
    nodes
}

fn head<'a>(message: &'a Received, name: &str) -> &'a str {
    let start = format!("{name}: ");
    message
        .text
        .lines()
        .find_map(|line| line.strip_prefix(start.as_str()))
        .unwrap_or_else(|| panic!("no {name}: {}", message.text))
}

#[tokio::test]
async fn a_notification_becomes_one_letter_over_the_channels_that_its_person_wants() {
    let mail = MailServer::start().await;
    let app = app(&mail).await;
    tell(&app, NotificationType::TaskAssigned, "Ben assigned “Tax” to you").await;
    // Frequent ones come by mail only for those who ask.
    tell(&app, NotificationType::TaskDue, "quiet").await;
    assert!(work(&app).await.iter().all(|(_, result)| result.is_ok()));
    let sent = mail.take();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].to.contains("<ana@example.org>"));
    let text = &sent[0].text;
    assert!(
        text.contains("More about it.") && text.contains("http://127.0.0.1:8000/notifications"),
        "{text}"
    );
    assert_eq!(
        head(&sent[0], "List-Unsubscribe-Post"),
        "List-Unsubscribe=One-Click"
    );
    assert_eq!(listed(&app).await.len(), 2);

    channels(&app, "TASK_ASSIGNED", json!(["EMAIL"])).await;
    assert!(
        tell(&app, NotificationType::TaskAssigned, "by mail only")
            .await
            .is_some()
    );
    channels(&app, "TASK_ASSIGNED", json!([])).await;
    assert!(
        tell(&app, NotificationType::TaskAssigned, "nowhere")
            .await
            .is_none()
    );
    work(&app).await;
    let sent = mail.take();
    assert_eq!(sent.len(), 1);
    assert_eq!(head(&sent[0], "Subject"), "by mail only");
    assert_eq!(
        listed(&app).await.len(),
        2,
        "what is wanted by mail is in no list"
    );
}

#[tokio::test]
async fn mail_waits_for_the_end_of_quiet_hours_and_then_comes_together() {
    let mail = MailServer::start().await;
    let app = app(&mail).await;
    // The clock shows 10:00 where Ana is.
    prefer(
        &app,
        json!({ "quietHours": { "from": "09:30", "until": "12:00" } }),
    )
    .await;
    for title in ["one", "two", "three", "four"] {
        tell(&app, NotificationType::IntegrationProblem, title).await;
    }
    tell(&app, NotificationType::Security, "A new sign-in").await;
    work(&app).await;
    let sent = mail.take();
    assert_eq!(sent.len(), 1, "security does not wait");
    assert_eq!(head(&sent[0], "Subject"), "A new sign-in");
    assert!(
        !sent[0].text.contains("List-Unsubscribe"),
        "it cannot be switched off"
    );
    app.advance(TimeDelta::minutes(119));
    assert!(work(&app).await.is_empty());
    app.advance(TimeDelta::minutes(1));
    work(&app).await;
    let sent = mail.take();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(head(&sent[0], "Subject"), "4 notifications from Meridian");
    prefer(&app, json!({ "quietHours": null })).await;
    tell(&app, NotificationType::IntegrationProblem, "five").await;
    work(&app).await;
    assert_eq!(mail.take().len(), 1);
}

#[tokio::test]
async fn the_mail_of_the_day_has_what_was_not_read_by_then() {
    let mail = MailServer::start().await;
    let app = app(&mail).await;
    prefer(&app, json!({ "digestAt": "18:00" })).await;
    let read = tell(&app, NotificationType::TaskAssigned, "read before")
        .await
        .unwrap();
    tell(&app, NotificationType::TaskAssigned, "first").await;
    tell(&app, NotificationType::EventChanged, "second").await;
    assert_eq!(
        waiting(&app, "mail_notifications").await.len(),
        1,
        "one job for the day"
    );
    let document = "mutation ($ids: [ID!]) { markNotificationsRead(ids: $ids) { userErrors { code } } }";
    app.ana()
        .gql(document, json!({ "ids": [read.to_string()] }))
        .await
        .succeeded("markNotificationsRead");
    app.advance(TimeDelta::hours(7));
    assert!(work(&app).await.is_empty(), "it is 17:00");
    app.advance(TimeDelta::hours(1));
    work(&app).await;
    let sent = mail.take();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(head(&sent[0], "Subject"), "2 notifications from Meridian");
    let text = &sent[0].text;
    assert!(
        text.contains("first") && text.contains("second") && !text.contains("read before"),
        "{text}"
    );
}

#[tokio::test]
async fn a_letter_goes_out_once_whatever_happens_to_its_job() {
    let mail = MailServer::start().await;
    let app = app(&mail).await;
    let id = tell(&app, NotificationType::TaskAssigned, "once").await.unwrap();
    let write = waiting(&app, "mail_notifications").await.remove(0);
    assert_eq!(run(&app, &write).await, Ok(()));
    assert_eq!(
        run(&app, &write).await,
        Ok(()),
        "the same job again finds nothing"
    );
    let send = waiting(&app, "send_mail").await;
    assert_eq!(send.len(), 1);

    mail.refuse_with(Some("451 later"));
    assert!(matches!(run(&app, &send[0]).await, Err(JobError::Retry(_))));
    mail.refuse_with(None);
    // Two workers at the same moment, and one more after them.
    let (one, two) = tokio::join!(run(&app, &send[0]), run(&app, &send[0]));
    assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");
    assert_eq!(run(&app, &send[0]).await, Ok(()));
    let sent = mail.take();
    assert_eq!(sent.len(), 1, "{sent:?}");
    let key = format!("notification-{}", id.0.simple());
    assert_eq!(head(&sent[0], "Message-ID"), format!("<{key}@example.org>"));
    let row = ledger(&app, &key).await;
    assert_eq!(
        (row.attempts, row.sent_at.is_some(), row.refused_at),
        (2, true, None)
    );
    assert_eq!(row.message_id, format!("<{key}@example.org>"));
}

async fn ledger(app: &TestApp, key: &str) -> sent_letter::Model {
    let read = app.platform.db.read(Scope::System).await.unwrap();
    let select = read.find_global::<sent_letter::Entity>();
    let select = select.filter(sent_letter::Column::Key.eq(key));
    select.one(&read).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_refusal_for_good_ends_the_job_and_is_on_record() {
    let mail = MailServer::start().await;
    let app = app(&mail).await;
    let id = tell(&app, NotificationType::TaskAssigned, "refused")
        .await
        .unwrap();
    mail.refuse_with(Some("550 nobody here"));
    let ended = work(&app).await;
    let (_, result) = ended.iter().find(|(kind, _)| kind == "send_mail").unwrap();
    assert!(
        matches!(result, Err(JobError::Fatal(message)) if message.contains("550")),
        "{result:?}"
    );
    let row = ledger(&app, &format!("notification-{}", id.0.simple())).await;
    assert!(row.sent_at.is_none() && row.refused_at.is_some());
    let refusal = row.refusal.unwrap();
    assert!(refusal.contains("550") && !refusal.contains("ana@"), "{refusal}");
}

#[tokio::test]
async fn nobody_writes_to_an_unproven_address_or_about_a_workspace_that_was_left() {
    let mail = MailServer::start().await;
    let app = app(&mail).await;
    let body = |tx: Tx| {
        let new = NewNotification {
            user_id: app.ben.user_id,
            workspace_id: None,
            r#type: NotificationType::Security,
            title: "unproven".into(),
            body: None,
            subject: None,
            dedup_key: None,
        };
        async move { notify_in(&tx, new).await }
    };
    app.platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
    let foreign = |tx: Tx| {
        let new = NewNotification {
            user_id: app.ana.user_id,
            workspace_id: Some(app.ben.workspace_id),
            r#type: NotificationType::TaskAssigned,
            title: "left".into(),
            body: None,
            subject: None,
            dedup_key: None,
        };
        async move { notify_in(&tx, new).await }
    };
    app.platform
        .write(Scope::System, Actor::system(), foreign)
        .await
        .unwrap();
    work(&app).await;
    assert!(mail.take().is_empty());
    assert!(waiting(&app, "mail_notifications").await.is_empty());
}

#[tokio::test]
async fn one_click_ends_mail_of_a_kind_without_signing_in() {
    let mail = MailServer::start().await;
    let settings = mail.settings();
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let server = Server::with_settings(&settings).await;
    prove(&server.app).await;
    tell(&server.app, NotificationType::TaskAssigned, "first").await;
    work(&server.app).await;
    let sent = mail.take();
    let link: url::Url = head(&sent[0], "List-Unsubscribe")
        .trim_matches(['<', '>'])
        .parse()
        .unwrap();
    let target = format!("{}?{}", link.path(), link.query().unwrap());

    let asked = server.send("GET", &target, &[], "").await;
    assert_eq!(asked.status, 200);
    assert!(asked.body.contains("method=\"post\""), "{}", asked.body);
    let kinds = "{ viewer { notificationPreferences { type channels } } }";
    let mailed = async || {
        let all = server
            .app
            .ana()
            .gql(kinds, json!({}))
            .await
            .at("/viewer/notificationPreferences");
        let mailed = all.as_array().unwrap().iter();
        mailed
            .filter(|one| one["channels"].as_array().unwrap().contains(&json!("EMAIL")))
            .filter_map(|one| one["type"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert!(
        mailed().await.contains(&"TASK_ASSIGNED".to_owned()),
        "looking changes nothing"
    );

    let form = ["Content-Type: application/x-www-form-urlencoded"];
    let done = server
        .send("POST", &target, &form, "List-Unsubscribe=One-Click")
        .await;
    assert_eq!(done.status, 200, "{done:?}");
    let left = mailed().await;
    assert!(
        !left.contains(&"TASK_ASSIGNED".to_owned()) && left.contains(&"SECURITY".to_owned()),
        "{left:?}"
    );
    let again = server
        .send("POST", &target, &form, "List-Unsubscribe=One-Click")
        .await;
    assert_eq!(again.status, 200);
    let read = server.app.platform.db.read(Scope::System).await.unwrap();
    let entries = read
        .find::<entity::audit_log::Entity>()
        .filter(entity::audit_log::Column::Action.eq("notification_preferences.updated"))
        .all(&read)
        .await
        .unwrap();
    drop(read);
    assert_eq!(entries.len(), 1, "what changes nothing is not recorded");
    let entry = &entries[0];
    assert_eq!(entry.actor_id, Some(server.app.ana.user_id));
    assert_eq!(entry.ip_address.as_deref(), Some("127.0.0.1"));
    assert_eq!(entry.request_id.as_deref(), Some(done.header("x-request-id")));
    let changes = entry.changes.as_ref().unwrap();
    assert_eq!(
        changes["task_assigned"],
        json!({ "from": ["in_app", "email"], "to": ["in_app"] })
    );

    tell(&server.app, NotificationType::TaskAssigned, "second").await;
    work(&server.app).await;
    assert!(mail.take().is_empty());

    let forged = target.replacen("token=", "token=AAAA", 1);
    assert_eq!(server.send("POST", &forged, &form, "").await.status, 400);
    assert_eq!(
        server.send("POST", "/mail/unsubscribe", &form, "").await.status,
        400
    );
}

#[tokio::test]
async fn quiet_hours_are_checked() {
    let app = TestApp::start().await;
    let document = "mutation ($input: UpdatePreferencesInput!) { updatePreferences(input: $input) {
        preferences { quietHours { from until } digestAt } userErrors { code field message } } }";
    let update = async |input: Value| app.ana().gql(document, json!({ "input": input })).await;
    let same = update(json!({ "quietHours": { "from": "22:00", "until": "22:00" } })).await;
    assert_eq!(
        same.user_error("updatePreferences"),
        "INVALID_TIME_RANGE input.quietHours.until"
    );
    let set =
        update(json!({ "quietHours": { "from": "22:00", "until": "07:00" }, "digestAt": "08:15" })).await;
    let expected = json!({ "quietHours": { "from": "22:00", "until": "07:00" }, "digestAt": "08:15" });
    assert_eq!(set.at("/updatePreferences/preferences"), expected);
    let kept = update(json!({ "locale": "de-CH" })).await;
    assert_eq!(kept.at("/updatePreferences/preferences"), expected);
    let cleared = update(json!({ "quietHours": null, "digestAt": null })).await;
    assert_eq!(
        cleared.at("/updatePreferences/preferences"),
        json!({ "quietHours": null, "digestAt": null })
    );
}

#[tokio::test]
async fn guests_from_elsewhere_get_invitations_that_calendars_read() {
    let mail = MailServer::start().await;
    let app = app(&mail).await;
    let calendar = calendar(&app.ana(), &app.ana.workspace()).await;
    let guests = json!({ "attendees": [{ "email": "carl@elsewhere.example", "name": "Carl" }] });
    let id = event(&app, &calendar, 120, guests).await;
    let sent = async || {
        assert!(work(&app).await.iter().all(|(_, result)| result.is_ok()));
        mail.take()
    };
    let first = sent().await;
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(first[0].to.contains("<carl@elsewhere.example>"));
    let text = &first[0].text;
    for part in [
        "Ana invites you to an event.",
        "Monday, 2 March 2026, 12:00 to 12:30 (Europe/Berlin)",
        "Content-Type: text/calendar; charset=utf-8; method=REQUEST",
        "METHOD:REQUEST",
        "SEQUENCE:0",
        "DTSTART:20260302T110000Z",
        "ORGANIZER;CN=\"Ana\":mailto:ana@example.org",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    app.advance(TimeDelta::seconds(1));
    update(&app, &id, json!({ "description": "No news for guests." })).await;
    assert!(sent().await.is_empty());
    let time = json!({ "time": { "timed": { "start": at(&app, 180), "end": at(&app, 210) } } });
    update(&app, &id, time).await;
    let moved = sent().await;
    assert_eq!(moved.len(), 1);
    let news = &moved[0].text;
    assert!(
        news.contains("SEQUENCE:1") && news.contains("DTSTART:20260302T120001Z"),
        "{news}"
    );
    let document = "mutation ($id: ID!) { deleteCalendarEvent(id: $id) { userErrors { code } } }";
    app.ana()
        .gql(document, json!({ "id": id }))
        .await
        .succeeded("deleteCalendarEvent");
    let cancelled = sent().await;
    assert_eq!(cancelled.len(), 1);
    assert!(cancelled[0].text.contains("METHOD:CANCEL") && cancelled[0].text.contains("STATUS:CANCELLED"));
}

#[test]
fn letters_can_be_looked_at() {
    let shown = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_meridian"))
            .args(["mail", "preview"])
            .args(arguments)
            .env_clear()
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (is_fine, names) = shown(&[]);
    assert!(is_fine && names.lines().count() == 6, "{names}");
    let (is_fine, text) = shown(&["invitation"]);
    assert!(
        is_fine && text.starts_with("Subject: Invitation to Product\n\nAda Lovelace invites you"),
        "{text}"
    );
    let (is_fine, html) = shown(&["invitation", "--html"]);
    assert!(is_fine && html.starts_with("<!doctype html>"));
    let (is_fine, ics) = shown(&["event", "--ics"]);
    assert!(is_fine && ics.starts_with("BEGIN:VCALENDAR"));
    assert!(!shown(&["nonsense"]).0 && !shown(&["sign_in", "--ics"]).0);
}
