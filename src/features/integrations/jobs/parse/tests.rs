//! What parse does with good and bad input.

use super::*;

fn remote(href: &str, text: &str) -> RemoteObject {
    RemoteObject {
        href: href.into(),
        etag: "\"1\"".into(),
        text: text.into(),
    }
}

fn calendar(events: &[&str]) -> String {
    let events: String = events
        .iter()
        .map(|uid| {
            format!(
                "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:20260302T090000Z\r\nSUMMARY:{uid}\r\nEND:VEVENT\r\n"
            )
        })
        .collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n")
}

#[test]
fn a_broken_object_is_a_problem_and_the_others_are_read() {
    let id = CalendarId(Default::default());
    let objects = vec![
        remote("/c/1.ics", &calendar(&["a"])),
        remote("/c/2.ics", "<html>"),
        remote("/c/3.ics", &calendar(&["b", "c"])),
    ];
    let refused = ObjectProblem {
        href: "/c/4.ics".into(),
        message: "The server refuses this object (403).".into(),
    };
    let parsed = page(id, "Europe/Berlin", objects, vec![refused]);
    let found: Vec<(&str, bool)> = parsed
        .items
        .iter()
        .map(|item| (item.object.uid.as_str(), item.is_shared))
        .collect();
    assert_eq!(found, [("a", false), ("b", true), ("c", true)]);
    assert_eq!(parsed.unread, 2);
    let objects: Vec<&str> = parsed
        .problems
        .iter()
        .map(|problem| problem.object.as_str())
        .collect();
    assert_eq!(objects, ["/c/4.ics", "/c/2.ics"]);
    assert!(parsed.present["/c/3.ics"].is_empty());
    assert!(
        !parsed.present.contains_key("/c/2.ics"),
        "what cannot be read deletes nothing"
    );
}

#[test]
fn events_of_a_feed_have_no_version_of_their_own() {
    let parsed = page(
        CalendarId(Default::default()),
        "UTC",
        vec![remote(FEED, &calendar(&["a"]))],
        Vec::new(),
    );
    assert_eq!(parsed.items[0].key(), "feed#a");
    assert!(parsed.items[0].etag.is_none());
}
