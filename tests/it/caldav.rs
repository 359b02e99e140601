//! The CalDAV provider against a real server.

use std::collections::HashMap;

use meridian::features::integrations::providers::{CalDav, Credentials, Provider, ProviderError, SyncCursor};
use serde_json::json;

use crate::support::pull::{client, pull};
use crate::support::radicale::{Radicale, event, vevent};

fn account(server: &Radicale, path: &str, user: &str, password: &str) -> CalDav {
    let credentials = Credentials {
        username: user.into(),
        password: password.into(),
    };
    let address = format!("http://{}{path}", server.address);
    CalDav::new(client(&[&server.address]), &address, Some(&credentials)).unwrap()
}

#[tokio::test]
async fn every_way_to_write_the_address_finds_the_calendars() {
    let server = Radicale::start(&[("alice", "wonder land:ü"), ("bob", "builder")]).await;
    let work = server.add_calendar("alice", "work");
    let private = server.add_calendar("alice", "private events");
    server.add_calendar("bob", "bobs");
    let tasks = json!({ "tag": "VCALENDAR", "C:supported-calendar-component-set": "VTODO" });
    server.add_collection("alice", "tasks", &tasks);
    server.add_collection("alice", "people", &json!({ "tag": "VADDRESSBOOK" }));

    let everything = [private.replace(' ', "%20"), work.clone()];
    for (path, expected) in [
        ("", &everything[..]),
        ("/", &everything[..]),
        ("/alice/", &everything[..]),
        ("/alice", &everything[..]),
        ("/.well-known/caldav", &everything[..]),
        ("/alice/work/", &everything[1..]),
        ("/alice/private%20events", &everything[..1]),
    ] {
        let found = account(&server, path, "alice", "wonder land:ü")
            .list_calendars()
            .await
            .unwrap();
        let mut ids: Vec<&str> = found.iter().map(|calendar| calendar.id.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids, expected, "{path}");
    }

    let found = account(&server, "", "alice", "wonder land:ü")
        .list_calendars()
        .await
        .unwrap();
    let work = found.iter().find(|calendar| calendar.id == work).unwrap();
    assert_eq!(work.name, "work of alice");
    assert_eq!(work.color.as_deref(), Some("#33aa66"));
    assert!(!work.is_read_only);

    for (user, password) in [("alice", "wrong"), ("nobody", "x")] {
        let error = account(&server, "/", user, password)
            .list_calendars()
            .await
            .unwrap_err();
        assert!(matches!(error, ProviderError::Unauthorized), "{error:?}");
    }
    // Somebody else's calendars look like ones that do not exist.
    for path in ["/bob/", "/bob/bobs/", "/nowhere/at/all/"] {
        let listed = account(&server, path, "alice", "wonder land:ü")
            .list_calendars()
            .await;
        assert!(
            listed.is_ok_and(|found| found.iter().all(|c| c.id.starts_with("/alice/"))),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_calendar_is_pulled_whole_and_then_by_its_changes() {
    let server = Radicale::start(&[("alice", "secret")]).await;
    let many: Vec<String> = (0..350)
        .map(|number| vevent(&format!("e{number:04}"), "Stand-up", number))
        .collect();
    let calendar = server.put_all("alice", "secret", "work", &many).await;
    server.put(
        "alice",
        "work",
        "with space & é@.ics",
        &event("odd", "Odd name", 1),
    );
    let account = account(&server, "/", "alice", "secret");

    let full = pull(&account, &calendar, &SyncCursor::default(), &HashMap::new())
        .await
        .unwrap();
    assert_eq!(full.texts.len(), 351);
    assert_eq!((full.pages, full.is_full), (4, true));
    assert_eq!((full.removed.len(), full.problems.len()), (0, 0));
    let odd = full
        .texts
        .iter()
        .find(|(_, text)| text.contains("Odd name"))
        .unwrap();
    assert_eq!(odd.0, "/alice/work/with%20space%20%26%20%C3%A9@.ics");
    assert!(odd.1.contains("UID:odd\r\n"), "{:?}", odd.1);

    let nothing = pull(&account, &calendar, &full.cursor, &full.etags)
        .await
        .unwrap();
    assert_eq!(
        (nothing.texts.len(), nothing.removed.len(), nothing.pages),
        (0, 0, 1)
    );
    assert!(!nothing.is_full && !nothing.compared);

    server.put("alice", "work", "new.ics", &event("new", "New", 5));
    server.put("alice", "work", "e0001.ics", &event("e0001", "Changed", 1));
    server.delete("alice", "work", "e0002.ics");
    server.delete("alice", "work", "with space & é@.ics");
    let delta = pull(&account, &calendar, &nothing.cursor, &full.etags)
        .await
        .unwrap();
    assert_eq!(delta.names(), ["e0001.ics", "new.ics"]);
    assert!(delta.texts["/alice/work/e0001.ics"].contains("SUMMARY:Changed"));
    assert_eq!(
        delta.removed_names(),
        ["e0002.ics", "with%20space%20%26%20%C3%A9@.ics"]
    );
    assert!(!delta.is_full && !delta.compared);
    assert_ne!(delta.cursor, full.cursor);
}

#[tokio::test]
async fn a_lost_token_compares_and_fetches_only_what_differs() {
    let server = Radicale::start(&[("alice", "secret")]).await;
    let calendar = server.add_calendar("alice", "work");
    for number in 0..120 {
        server.put(
            "alice",
            "work",
            &format!("e{number:04}.ics"),
            &event(&format!("uid-{number}"), "Stand-up", number),
        );
    }
    let account = account(&server, "/alice/", "alice", "secret");
    let full = pull(&account, &calendar, &SyncCursor::default(), &HashMap::new())
        .await
        .unwrap();

    server.put("alice", "work", "e0003.ics", &event("uid-3", "Changed", 3));
    server.put("alice", "work", "new.ics", &event("new", "New", 3));
    server.delete("alice", "work", "e0004.ics");
    for token in [
        "http://radicale.org/ns/sync/0000000000000000000000000000000000000000000000000000000000000000",
        "junk",
    ] {
        let lost = SyncCursor {
            token: Some(token.into()),
            ..SyncCursor::default()
        };
        let again = pull(&account, &calendar, &lost, &full.etags).await.unwrap();
        assert!(again.is_full && again.compared);
        assert_eq!(again.names(), ["e0003.ics", "new.ics"]);
        assert_eq!(again.removed_names(), ["e0004.ics"]);
        assert!(again.cursor.token.is_some_and(|new| new != token));
    }

    // A forced run gives no etags, and gets everything.
    let forced: HashMap<String, String> = full
        .etags
        .keys()
        .map(|href| (href.clone(), String::new()))
        .collect();
    let everything = pull(&account, &calendar, &SyncCursor::default(), &forced)
        .await
        .unwrap();
    assert_eq!(
        (everything.texts.len(), everything.removed_names()),
        (120, vec!["e0004.ics".to_owned()])
    );
}

#[tokio::test]
async fn a_calendar_that_is_gone_or_foreign_is_not_found() {
    let server = Radicale::start(&[("alice", "secret"), ("bob", "builder")]).await;
    let calendar = server.add_calendar("alice", "work");
    let foreign = server.add_calendar("bob", "bobs");
    server.put("alice", "work", "a.ics", &event("a", "A", 1));
    let account = account(&server, "/", "alice", "secret");
    let full = pull(&account, &calendar, &SyncCursor::default(), &HashMap::new())
        .await
        .unwrap();
    server.delete_calendar("alice", "work");
    for (id, cursor) in [
        (&calendar, &full.cursor),
        (&calendar, &SyncCursor::default()),
        (&foreign, &full.cursor),
        (&foreign, &SyncCursor::default()),
    ] {
        let error = pull(&account, id, cursor, &full.etags).await.unwrap_err();
        assert!(matches!(error, ProviderError::NotFound), "{id}: {error:?}");
    }
}
