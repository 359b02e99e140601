//! What guests hear of series and of single occurrences of them, and of their being guests no longer; and who decides what about an event.

use entity::enums::WorkspaceRole;
use serde_json::{Value, json};

use crate::support::events::calendar_named;
use crate::support::guests::{guests_by_day, import, inbox, sent, start, update};
use crate::support::meetings::{at, calendar, event};
use crate::support::post::{MailServer, Received};
use crate::support::{TestApp, join};

/// A series of Ana's with Ben, a member, and Carl, who is from elsewhere.
async fn series(app: &TestApp, calendar: &Value) -> String {
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    let more = json!({
        "recurrence": { "rule": "FREQ=DAILY;COUNT=10" },
        "attendees": [{ "email": "carl@elsewhere.example", "name": "Carl" }, { "email": "ben@example.org" }],
    });
    event(app, calendar, 120, more).await
}

#[tokio::test]
async fn a_series_goes_to_guests_with_its_zone_and_its_exceptions() {
    let mail = MailServer::start().await;
    let app = start(&mail).await;
    let ana = app.ana();
    let calendar = calendar(&ana, &app.ana.workspace()).await;
    let id = series(&app, &calendar).await;
    let invitation = sent(&app, &mail).await.remove(0);
    for part in [
        "method=REQUEST",
        "RRULE:FREQ=DAILY;COUNT=10",
        "BEGIN:VTIMEZONE",
        "DTSTART;TZID=Europe/Berlin:20260302T120000",
        "ORGANIZER;CN=\"Ana\":mailto:ana@example.org",
        "SEQUENCE:0",
    ] {
        assert!(
            invitation.text.contains(part),
            "{part} is not in {}",
            invitation.text
        );
    }
    // One occurrence moves: the guests get the series with its exception, members a message about that occurrence.
    let third = at(&app, 120 + 2 * 1_440);
    let time = json!({ "time": { "timed": { "start": at(&app, 300 + 2 * 1_440), "end": at(&app, 330 + 2 * 1_440) } } });
    update(&ana, &id, "THIS", json!(third), time)
        .await
        .succeeded("updateCalendarEvent");
    let letters = sent(&app, &mail).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    for part in [
        "changed one occurrence",
        "Wednesday, 4 March 2026, 15:00 to 15:30",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260304T120000",
        "DTSTART;TZID=Europe/Berlin:20260304T150000",
        "SEQUENCE:1",
    ] {
        assert!(
            letters[0].text.contains(part),
            "{part} is not in {}",
            letters[0].text
        );
    }
    let news = inbox(&app.ben()).await;
    assert!(news[0].0.starts_with("Ana moved one “"), "{news:?}");
    assert!(
        news[0].1.contains("4 March 2026, 15:00") || news[0].1.contains("4 March 2026, 14:00"),
        "{news:?}"
    );

    // One is called off.
    let delete = "mutation ($id: ID!, $start: DateTime) { deleteCalendarEvent(id: $id, scope: THIS, occurrenceStart: $start) { userErrors { code } } }";
    ana.gql(delete, json!({ "id": id, "start": at(&app, 120 + 4 * 1_440) }))
        .await
        .succeeded("deleteCalendarEvent");
    let letters = sent(&app, &mail).await;
    assert_eq!(letters.len(), 1);
    let text = &letters[0].text;
    assert!(
        text.contains("cancelled one occurrence") && text.contains("6 March 2026"),
        "{text}"
    );
    assert!(
        text.contains("EXDATE;TZID=Europe/Berlin:20260306T120000") && text.contains("method=REQUEST"),
        "{text}"
    );
    assert!(inbox(&app.ben()).await[0].0.starts_with("Ana cancelled one “"));

    // The whole series is called off.
    let delete = "mutation ($id: ID!) { deleteCalendarEvent(id: $id) { userErrors { code } } }";
    ana.gql(delete, json!({ "id": id }))
        .await
        .succeeded("deleteCalendarEvent");
    let letters = sent(&app, &mail).await;
    let text = &letters[0].text;
    assert!(
        text.contains("METHOD:CANCEL") && text.contains("STATUS:CANCELLED"),
        "{text}"
    );
    assert!(
        text.contains("RRULE:") && !text.contains("RECURRENCE-ID"),
        "{text}"
    );
}

#[tokio::test]
async fn who_is_no_guest_any_more_is_told_once() {
    let mail = MailServer::start().await;
    let app = start(&mail).await;
    let ana = app.ana();
    let calendar = calendar(&ana, &app.ana.workspace()).await;
    let id = series(&app, &calendar).await;
    sent(&app, &mail).await;
    app.advance(chrono::TimeDelta::seconds(1));
    let guests = json!({ "attendees": [{ "email": "dora@elsewhere.example" }] });
    update(&ana, &id, "ALL", Value::Null, guests)
        .await
        .succeeded("updateCalendarEvent");
    let letters = sent(&app, &mail).await;
    let to = |address: &str| {
        let found: Vec<&Received> = letters
            .iter()
            .filter(|letter| letter.to.contains(address))
            .collect();
        assert_eq!(found.len(), 1, "{address}: {letters:?}");
        found[0].text.clone()
    };
    let carl = to("carl@elsewhere.example");
    assert!(carl.contains("not invited to this event any more"), "{carl}");
    assert!(
        carl.contains("METHOD:CANCEL") && carl.contains("mailto:carl@elsewhere.example"),
        "{carl}"
    );
    assert!(
        !carl.contains("dora@elsewhere.example"),
        "guests do not learn of who comes instead"
    );
    assert!(to("dora@elsewhere.example").contains("METHOD:REQUEST"));
    assert!(
        inbox(&app.ben()).await[0]
            .0
            .contains("took you off the guest list")
    );
    assert!(sent(&app, &mail).await.is_empty());
}

#[tokio::test]
async fn a_split_series_is_a_new_one_for_guests_from_elsewhere() {
    let mail = MailServer::start().await;
    let app = start(&mail).await;
    let ana = app.ana();
    let calendar = calendar(&ana, &app.ana.workspace()).await;
    let id = series(&app, &calendar).await;
    sent(&app, &mail).await;
    let later = json!(at(&app, 120 + 3 * 1_440));
    let changed = update(
        &ana,
        &id,
        "THIS_AND_FOLLOWING",
        later,
        json!({ "title": "Another name" }),
    )
    .await;
    let new = changed
        .succeeded("updateCalendarEvent")
        .text("/updateCalendarEvent/calendarEvent/id");
    assert_ne!(new, id);
    let letters = sent(&app, &mail).await;
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert!(
        letters
            .iter()
            .any(|letter| letter.text.contains("UNTIL=") && letter.text.contains("SEQUENCE:1"))
    );
    assert!(
        letters
            .iter()
            .any(|letter| letter.text.contains("SUMMARY:Another name") && letter.text.contains("SEQUENCE:0"))
    );
}

#[tokio::test]
async fn only_the_organizer_changes_what_concerns_all_guests() {
    let app = TestApp::start().await;
    let ana = app.ana();
    let calendar = calendar(&ana, &app.ana.workspace()).await;
    let file = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:theirs\r\nDTSTART:20260303T090000Z\r\nDTEND:20260303T100000Z\r\nSUMMARY:Theirs\r\nORGANIZER;CN=Olga:mailto:olga@elsewhere.example\r\nATTENDEE:mailto:olga@elsewhere.example\r\nATTENDEE:mailto:ana@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    import(&app, &calendar, file).await;
    let find =
        "query ($id: ID!) { workspace(id: $id) { calendarEvents(first: 5) { nodes { id version } } } }";
    let find = async || {
        ana.gql(find, json!({ "id": app.ana.workspace() }))
            .await
            .at("/workspace/calendarEvents/nodes/0")
    };
    let before = find().await;
    let id = before["id"].as_str().unwrap();
    for input in [
        json!({ "time": { "timed": { "start": "2026-03-04T09:00:00Z", "end": "2026-03-04T10:00:00Z" } } }),
        json!({ "attendees": [] }),
        json!({ "status": "CANCELLED" }),
        json!({ "recurrence": { "rule": "FREQ=DAILY;COUNT=2" } }),
    ] {
        let answer = update(&ana, id, "ALL", Value::Null, input.clone()).await;
        assert_eq!(
            answer.user_error("updateCalendarEvent"),
            "INVALID_STATE id",
            "{input}"
        );
    }
    let moved = "mutation ($id: ID!) { moveCalendarEvent(id: $id, start: \"2026-03-05T09:00:00Z\") { userErrors { code field } } }";
    let moved = ana.gql(moved, json!({ "id": id })).await;
    assert_eq!(moved.user_error("moveCalendarEvent"), "INVALID_STATE id");
    assert_eq!(find().await, before);
    // What is one's own can be changed, and one can answer.
    update(
        &ana,
        id,
        "ALL",
        Value::Null,
        json!({ "color": "#112233", "reminders": [{ "minutesBefore": 5 }] }),
    )
    .await
    .succeeded("updateCalendarEvent");
    assert_ne!(find().await["version"], before["version"]);
}

#[tokio::test]
async fn guests_take_an_event_off_their_own_calendar_and_nobody_hears_of_it() {
    let mail = MailServer::start().await;
    let app = start(&mail).await;
    let ana = app.ana();
    let calendar = calendar(&ana, &app.ana.workspace()).await;
    let file = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:theirs\r\nDTSTART:20260303T090000Z\r\nDTEND:20260303T100000Z\r\nRRULE:FREQ=DAILY;COUNT=9\r\nSEQUENCE:4\r\nSUMMARY:Theirs\r\nORGANIZER;CN=Olga:mailto:olga@elsewhere.example\r\nATTENDEE:mailto:olga@elsewhere.example\r\nATTENDEE:mailto:carl@elsewhere.example\r\nATTENDEE:mailto:ana@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    import(&app, &calendar, file).await;
    let row = async || {
        let ctx = meridian::access::Ctx::system(&app.platform, app.ana.workspace_id);
        let read = ctx.read().await.unwrap();
        let select = read.find::<entity::calendar_event::Entity>();
        select.all(&read).await.unwrap().pop()
    };
    let before = row().await.unwrap();
    let id = before.id.to_string();
    // A split would make Ana the one who invites everybody to another series.
    let from = json!("2026-03-05T09:00:00Z");
    let answer = update(&ana, &id, "THIS_AND_FOLLOWING", from, json!({ "title": "Mine" })).await;
    assert_eq!(answer.user_error("updateCalendarEvent"), "INVALID_STATE id");
    assert_eq!(row().await.unwrap(), before);

    let delete = "mutation ($id: ID!, $scope: RecurrenceScope!, $start: DateTime) { deleteCalendarEvent(id: $id, scope: $scope, occurrenceStart: $start) { userErrors { code field message } } }";
    for (scope, start) in [
        ("THIS", json!("2026-03-04T09:00:00Z")),
        ("THIS_AND_FOLLOWING", json!("2026-03-07T09:00:00Z")),
    ] {
        let variables = json!({ "id": id, "scope": scope, "start": start });
        ana.gql(delete, variables).await.succeeded("deleteCalendarEvent");
        assert_eq!(row().await.unwrap().sequence, 4, "{scope}");
    }
    assert_ne!(row().await.unwrap().rrule, before.rrule);
    let variables = json!({ "id": id, "scope": "ALL" });
    ana.gql(delete, variables).await.succeeded("deleteCalendarEvent");
    assert_eq!(row().await, None);
    let letters = sent(&app, &mail).await;
    assert!(letters.is_empty(), "{letters:?}");
}

const RESPOND: &str = "mutation ($id: ID!) { respondToCalendarEvent(id: $id, response: ACCEPTED) { userErrors { code field message } } }";

#[tokio::test]
async fn one_occurrence_has_guests_of_its_own() {
    let mail = MailServer::start().await;
    let app = start(&mail).await;
    let (ana, ben, workspace) = (app.ana(), app.ben(), app.ana.workspace());
    let calendar = calendar(&ana, &workspace).await;
    let more = json!({ "attendees": [{ "email": "carl@elsewhere.example", "name": "Carl" }, { "email": "ben@example.org" }],
        "recurrence": { "rule": "FREQ=DAILY;COUNT=3" } });
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    let id = event(&app, &calendar, 120, more).await;
    sent(&app, &mail).await;
    ben.gql(RESPOND, json!({ "id": id }))
        .await
        .succeeded("respondToCalendarEvent");
    // Dora comes to the second one instead of Carl.
    app.advance(chrono::TimeDelta::seconds(1));
    let second = json!("2026-03-03T11:00:00Z");
    let guests =
        json!({ "attendees": [{ "email": "dora@elsewhere.example" }, { "email": "ben@example.org" }] });
    update(&ana, &id, "THIS", second.clone(), guests.clone())
        .await
        .succeeded("updateCalendarEvent");
    let expected = ["02T11 ben+ carl", "03T11 ben+ dora", "04T11 ben+ carl"];
    assert_eq!(guests_by_day(&ana, &workspace, &calendar).await, expected);
    let letters = sent(&app, &mail).await;
    assert_eq!(letters.len(), 2, "{letters:?}");
    let to = |address: &str| {
        let found = letters.iter().find(|letter| letter.to.contains(address));
        found
            .unwrap_or_else(|| panic!("{address}: {letters:?}"))
            .text
            .clone()
    };
    let (carl, dora) = (to("carl@elsewhere.example"), to("dora@elsewhere.example"));
    for text in [&carl, &dora] {
        assert!(
            text.contains("RECURRENCE-ID;TZID=Europe/Berlin:20260303T120000"),
            "{text}"
        );
        // The definitions of zones have rules of their own.
        assert!(!text.contains("FREQ=DAILY"), "{text}");
    }
    assert!(
        carl.contains("METHOD:CANCEL") && !carl.contains("dora@elsewhere.example"),
        "{carl}"
    );
    assert!(
        dora.contains("METHOD:REQUEST") && dora.contains("PARTSTAT=ACCEPTED"),
        "{dora}"
    );

    // The same again changes nothing, and nobody hears of it.
    update(&ana, &id, "THIS", second.clone(), guests)
        .await
        .succeeded("updateCalendarEvent");
    assert!(sent(&app, &mail).await.is_empty());

    // The series moves: Dora's occurrence goes with it, under another name for her program.
    app.advance(chrono::TimeDelta::seconds(1));
    let time =
        json!({ "time": { "timed": { "start": "2026-03-02T13:00:00Z", "end": "2026-03-02T13:30:00Z" } } });
    update(&ana, &id, "ALL", Value::Null, time)
        .await
        .succeeded("updateCalendarEvent");
    let expected = ["02T13 ben+ carl", "03T13 ben+ dora", "04T13 ben+ carl"];
    assert_eq!(guests_by_day(&ana, &workspace, &calendar).await, expected);
    let letters = sent(&app, &mail).await;
    let doras: Vec<&Received> = letters
        .iter()
        .filter(|letter| letter.to.contains("dora"))
        .collect();
    assert_eq!(doras.len(), 2, "{letters:?}");
    assert!(
        doras
            .iter()
            .any(|letter| letter.text.contains("METHOD:CANCEL") && letter.text.contains("20260303T120000"))
    );
    assert!(doras.iter().any(|letter| {
        letter.text.contains("METHOD:REQUEST")
            && letter
                .text
                .contains("RECURRENCE-ID;TZID=Europe/Berlin:20260303T140000")
    }));
    let carls: Vec<&Received> = letters
        .iter()
        .filter(|letter| letter.to.contains("carl"))
        .collect();
    assert_eq!(carls.len(), 1, "{letters:?}");
    // He has none there, and does not learn of who comes instead.
    assert!(
        carls[0]
            .text
            .contains("EXDATE;TZID=Europe/Berlin:20260303T140000")
    );
    assert!(!carls[0].text.contains("dora@elsewhere.example"));

    // The guests of the series again.
    app.advance(chrono::TimeDelta::seconds(1));
    let second = json!("2026-03-03T13:00:00Z");
    let back =
        json!({ "attendees": [{ "email": "carl@elsewhere.example" }, { "email": "ben@example.org" }] });
    update(&ana, &id, "THIS", second, back)
        .await
        .succeeded("updateCalendarEvent");
    let letters = sent(&app, &mail).await;
    assert_eq!(letters.len(), 2, "{letters:?}");
    for letter in &letters {
        let is_dora = letter.to.contains("dora");
        assert_eq!(letter.text.contains("METHOD:CANCEL"), is_dora, "{letter:?}");
        assert_eq!(letter.text.contains("FREQ=DAILY"), !is_dora, "{letter:?}");
    }
}

#[tokio::test]
async fn a_member_who_comes_once_is_told_so_and_files_show_it() {
    let app = TestApp::start().await;
    let (ana, ben, workspace) = (app.ana(), app.ben(), app.ana.workspace());
    join(
        &app.platform,
        &app.ben,
        app.ana.workspace_id,
        WorkspaceRole::Member,
    )
    .await;
    let calendar = calendar(&ana, &workspace).await;
    let more = json!({ "recurrence": { "rule": "FREQ=DAILY;COUNT=2" } });
    let id = event(&app, &calendar, 120, more).await;
    let guests = json!({ "attendees": [{ "email": "ben@example.org" }] });
    update(&ana, &id, "THIS", json!("2026-03-03T11:00:00Z"), guests)
        .await
        .succeeded("updateCalendarEvent");
    assert!(inbox(&ben).await[0].0.starts_with("Ana invites you to one “"));
    let answer = ben.gql(RESPOND, json!({ "id": id })).await;
    assert_eq!(answer.user_error("respondToCalendarEvent"), "INVALID_STATE id");
    let expected = ["02T11 ", "03T11 ben"];
    assert_eq!(guests_by_day(&ana, &workspace, &calendar).await, expected);

    let ctx = meridian::access::Ctx::system(&app.platform, app.ana.workspace_id);
    let text = {
        use sea_orm::{ColumnTrait as _, QueryFilter as _};
        let key: entity::ids::CalendarId = calendar.as_str().unwrap().parse().unwrap();
        let read = ctx.read().await.unwrap();
        let select = read
            .find::<entity::calendar::Entity>()
            .filter(entity::calendar::Column::Id.eq(key));
        let row = select.one(&read).await.unwrap().unwrap();
        drop(read);
        let audience = meridian::features::events::Audience::Caller;
        let text = meridian::features::events::calendar_text(&ctx, &[row], None, audience).await;
        text.unwrap().text
    };
    let other = json!(calendar_named(&ana, &workspace, "Copy").await);
    import(&app, &other, &text).await;
    assert_eq!(guests_by_day(&ana, &workspace, &other).await, expected);
}
