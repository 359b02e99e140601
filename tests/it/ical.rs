//! Reading calendars as other programs write them, and broken ones.

use meridian::features::events::ical::{EventTime, read};

use crate::support::ics_corpus::{broken_objects, real_looking_feed, real_looking_objects};

#[test]
fn objects_of_other_programs_are_read_without_complaint() {
    for (name, text) in real_looking_objects(160) {
        let feed = read(&text, "Europe/Berlin").unwrap();
        assert_eq!(feed.problems, [], "{name}");
        let [object] = feed.objects.as_slice() else {
            panic!("{name}: {} objects", feed.objects.len())
        };
        assert_eq!(object.warnings, [], "{name}");
        assert_eq!(
            (object.text.as_str(), format!("{}.ics", object.uid).as_str()),
            (text.as_str(), name.as_str())
        );
        let master = object.master.as_ref().unwrap();
        if let EventTime::Timed { start, .. } = &master.time {
            assert!(start.utc.as_second() > 1_700_000_000, "{name}");
        }
    }
}

#[test]
fn a_feed_of_thousands_of_events_is_read_whole() {
    let feed = read(&real_looking_feed(2_000), "Europe/Berlin").unwrap();
    assert_eq!(
        (feed.objects.len(), feed.problems.len(), feed.is_complete),
        (2_000, 0, true)
    );
    // An object of a feed and the same object alone are the same thing.
    for (name, text) in real_looking_objects(32) {
        let alone = read(&text, "Europe/Berlin").unwrap().objects.remove(0);
        let inside = feed
            .objects
            .iter()
            .find(|object| object.uid == alone.uid)
            .unwrap();
        assert_eq!(
            (inside.hash, &inside.master, &inside.overrides),
            (alone.hash, &alone.master, &alone.overrides),
            "{name}"
        );
    }
}

#[test]
fn broken_texts_cost_only_what_is_broken() {
    for broken in broken_objects() {
        let read = read(&broken.text, "Europe/Berlin").ok();
        assert_eq!(
            read.as_ref().map(|feed| feed.objects.len()),
            broken.readable,
            "{}",
            broken.name
        );
        let Some(feed) = read else { continue };
        let notes = feed.problems.len()
            + feed
                .objects
                .iter()
                .map(|object| object.warnings.len())
                .sum::<usize>();
        assert_eq!(notes > 0, broken.is_noted, "{}: {:?}", broken.name, feed.problems);
        if broken.is_storable {
            // What a server stores goes back to it unchanged.
            assert_eq!(feed.objects[0].text, broken.text, "{}", broken.name);
        }
        assert_eq!(feed.is_complete, broken.name != "cut-off", "{}", broken.name);
    }
}
