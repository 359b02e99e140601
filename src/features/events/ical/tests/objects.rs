//! Grouping by UID, overrides, copies, texts and hashes, and what a feed says about itself.

use super::*;
use crate::features::events::ical::{EventStatus, NotCalendar};

#[test]
fn a_feed_says_what_it_is_called() {
    let feed = feed(
        "METHOD:publish\nX-WR-CALNAME:Team\\, all\nX-WR-CALDESC:Words\nX-WR-TIMEZONE:europe/paris\nX-APPLE-CALENDAR-COLOR:#FF2968FF\n\
         REFRESH-INTERVAL;VALUE=DURATION:PT12H\nBEGIN:VTODO\nUID:t\nEND:VTODO\nBEGIN:VFREEBUSY\nEND:VFREEBUSY",
    );
    assert_eq!(feed.name.as_deref(), Some("Team, all"));
    assert_eq!(feed.description.as_deref(), Some("Words"));
    assert_eq!(feed.time_zone.as_deref(), Some("Europe/Paris"));
    assert_eq!(feed.color.as_deref(), Some("#ff2968"));
    assert_eq!(feed.method.as_deref(), Some("PUBLISH"));
    assert_eq!(feed.refresh_minutes, Some(720));
    assert_eq!((feed.ignored, feed.objects.len(), feed.is_complete), (2, 0, true));
    assert_eq!(feed.problems, []);
}

#[test]
fn what_is_no_calendar_is_told_apart_from_an_empty_one() {
    assert_eq!(read("", "UTC"), Err(NotCalendar::Empty));
    assert_eq!(read("\u{feff}\r\n ", "UTC"), Err(NotCalendar::Empty));
    assert_eq!(
        read("\n<!DOCTYPE html><html><body>Sign in</body></html>", "UTC"),
        Err(NotCalendar::WebPage)
    );
    assert_eq!(read("{\"error\":404}", "UTC"), Err(NotCalendar::Other));
    assert_eq!(read("BEGIN:VCARD\nEND:VCARD", "UTC"), Err(NotCalendar::Other));
    assert_eq!(
        read("BEGIN:VCALENDAR\nEND:VCALENDAR", "UTC").map(|feed| feed.objects.len()),
        Ok(0)
    );
    assert!(
        read(
            "\u{feff}BEGIN:VCALENDAR\rBEGIN:VEVENT\rUID:1\rDTSTART:20250310\rEND:VEVENT\rEND:VCALENDAR",
            "nowhere"
        )
        .is_ok_and(|feed| feed.objects.len() == 1 && feed.problems.is_empty())
    );
}

#[test]
fn components_are_grouped_by_uid_in_the_order_of_first_appearance() {
    let feed = feed(
        "BEGIN:VEVENT\nUID:b\nDTSTART:20250310T090000Z\nRRULE:FREQ=DAILY\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:a\nDTSTART:20250310T090000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:b\nRECURRENCE-ID:20250312T090000Z\nDTSTART:20250312T100000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:b\nRECURRENCE-ID:20250311T090000Z\nDTSTART:20250311T100000Z\nEND:VEVENT",
    );
    let uids: Vec<&str> = feed.objects.iter().map(|object| object.uid.as_str()).collect();
    assert_eq!(uids, ["b", "a"]);
    let originals: Vec<String> = feed.objects[0]
        .overrides
        .iter()
        .map(|changed| show_moment(&changed.recurrence_id))
        .collect();
    assert_eq!(
        originals,
        [
            "2025-03-11T09:00:00 UTC = 2025-03-11T09:00:00Z",
            "2025-03-12T09:00:00 UTC = 2025-03-12T09:00:00Z"
        ]
    );
}

#[test]
fn original_starts_are_told_in_the_terms_of_the_master() {
    let original = |master: &str, id: &str| {
        let object = object(&calendar(&format!(
            "BEGIN:VEVENT\nUID:1\n{id}\nDTSTART:20250312T100000Z\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\n{master}\nRRULE:FREQ=DAILY\nEND:VEVENT"
        )));
        show_moment(&object.overrides[0].recurrence_id)
    };
    let berlin = "DTSTART;TZID=Europe/Berlin:20250310T090000";
    for id in [
        "RECURRENCE-ID:20250312T080000Z",
        "RECURRENCE-ID:20250312T090000",
        "RECURRENCE-ID;VALUE=DATE:20250312",
    ] {
        assert_eq!(
            original(berlin, id),
            "2025-03-12T09:00:00 Europe/Berlin = 2025-03-12T08:00:00Z",
            "{id}"
        );
    }
    assert_eq!(
        original(
            "DTSTART:20250310",
            "RECURRENCE-ID;TZID=Asia/Tokyo:20250312T000000"
        ),
        "2025-03-12"
    );
    assert_eq!(
        original("DTSTART:20250310T090000", "RECURRENCE-ID:20250312T090000Z"),
        "2025-03-12T09:00:00"
    );
}

#[test]
fn overrides_survive_without_a_master() {
    let object = event_object("RECURRENCE-ID:20250312T090000Z\nSTATUS:CANCELLED");
    assert!(object.master.is_none() && object.overrides[0].cancelled);
    // Without DTSTART it takes place at its original start.
    assert!(show(&object.overrides[0].event.time).starts_with("2025-03-12T09:00:00 UTC"));
    let wrong = feed("BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:sometime\nDTSTART:20250312T090000Z\nEND:VEVENT");
    assert_eq!(
        (wrong.objects.len(), wrong.unreadable.len(), wrong.problems.len()),
        (0, 1, 1)
    );
}

#[test]
fn the_newest_copy_wins() {
    let copies = |first: &str, second: &str| {
        let object = object(&calendar(&format!(
            "BEGIN:VEVENT\nUID:1\nDTSTART:20250310\nSUMMARY:first\n{first}\nEND:VEVENT\n\
             BEGIN:VEVENT\nUID:1\nDTSTART:20250310\nSUMMARY:second\n{second}\nEND:VEVENT"
        )));
        assert_eq!(object.warnings.len(), 1);
        assert_eq!(object.text.matches("BEGIN:VEVENT").count(), 1);
        object.master.and_then(|master| master.summary).expect("a title")
    };
    assert_eq!(copies("SEQUENCE:2", "SEQUENCE:1"), "first");
    assert_eq!(copies("SEQUENCE:2", "SEQUENCE:10"), "second");
    assert_eq!(
        copies("LAST-MODIFIED:20250102T000000Z", "LAST-MODIFIED:20250101T000000Z"),
        "first"
    );
    assert_eq!(
        copies("DTSTAMP:20250102T000000Z", "DTSTAMP:20250103T000000Z"),
        "second"
    );
    assert_eq!(copies("SEQUENCE:1", "SEQUENCE:1"), "second");
}

#[test]
fn an_occurrence_that_is_named_in_two_ways_is_changed_once() {
    let object = object(&calendar(
        "BEGIN:VEVENT\nUID:1\nDTSTART:20250310T090000Z\nRRULE:FREQ=DAILY\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20250312T090000Z\nSUMMARY:first\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;VALUE=DATE:20250312\nSUMMARY:last\nEND:VEVENT",
    ));
    assert_eq!((object.overrides.len(), object.warnings.len()), (1, 1));
    assert_eq!(object.overrides[0].event.summary.as_deref(), Some("last"));
}

#[test]
fn a_missing_uid_is_made_from_the_content() {
    let uid = |title: &str, stamp: u8| {
        let feed = feed(&format!(
            "BEGIN:VEVENT\nDTSTART:20250310\nSUMMARY:{title}\nDTSTAMP:2025010{stamp}T000000Z\nEND:VEVENT"
        ));
        assert_eq!(feed.problems.len(), 1);
        feed.objects[0].uid.clone()
    };
    assert_eq!(uid("a", 1), uid("a", 2));
    assert_ne!(uid("a", 1), uid("b", 1));
    let long = feed(&format!(
        "BEGIN:VEVENT\nUID:{}\nDTSTART:20250310\nEND:VEVENT",
        "x".repeat(5_000)
    ));
    assert!(long.objects[0].uid.len() < 60 && long.problems.len() == 1);
}

#[test]
fn a_cancelled_text_cancels_its_events() {
    let feed = feed(
        "METHOD:CANCEL\nBEGIN:VEVENT\nUID:1\nDTSTART:20250310\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:2\nRECURRENCE-ID:20250310\nEND:VEVENT",
    );
    assert_eq!(
        feed.objects[0].master.as_ref().map(|master| master.status),
        Some(EventStatus::Cancelled)
    );
    assert!(feed.objects[1].overrides[0].cancelled);
    assert_eq!(
        event("DTSTART:20250310\nSTATUS:CANCELLED").status,
        EventStatus::Cancelled
    );
}

#[test]
fn the_hash_ignores_spelling_and_sees_content() {
    let hash = |lines: &str| event_object(lines).hash;
    let one = hash(
        "DTSTART;TZID=Europe/Berlin;VALUE=DATE-TIME:20250310T090000\nSUMMARY:a b\nX-A:1\nDTSTAMP:20250101T000000Z",
    );
    assert_eq!(
        one,
        hash(
            "x-a:1\nDTSTAMP:20260101T000000Z\nSUMMARY:a\n  b\nDTSTART;VALUE=DATE-TIME;TZID=\"Europe/Berlin\":20250310T090000"
        )
    );
    assert_ne!(
        one,
        hash("DTSTART;TZID=Europe/Berlin;VALUE=DATE-TIME:20250310T090000\nSUMMARY:a c\nX-A:1")
    );
    assert_ne!(
        one,
        hash("DTSTART;TZID=Europe/Berlin;VALUE=DATE-TIME:20250310T090000\nSUMMARY:a b\nX-A:2")
    );
    let alarm = "DTSTART:20250310T090000Z\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM";
    assert_ne!(hash(alarm), hash(&alarm.replace("15M", "10M")));
}

#[test]
fn an_object_of_a_feed_carries_its_own_components_and_zones() {
    let zone = "BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE";
    let event = "BEGIN:VEVENT\nUID:1\nX-FOO;X-P=\"a:b\":v\nSUMMARY:fol\n ded\nDTSTART;TZID=Europe/Berlin:20250310T090000\nEND:VEVENT";
    let feed = feed(&format!(
        "{zone}\nMETHOD:PUBLISH\n{event}\nBEGIN:VEVENT\nUID:2\nDTSTART:20250310\nEND:VEVENT"
    ));
    let first = &feed.objects[0];
    assert!(first.text.contains(event) && first.text.contains(zone) && !first.text.contains("METHOD"));
    assert!(!feed.objects[1].text.contains("VTIMEZONE"));
    // What is carried reads back as the same object.
    let again = object(&first.text);
    assert_eq!(
        (again.hash, again.master.as_ref()),
        (first.hash, first.master.as_ref())
    );
}

#[test]
fn a_text_that_is_cut_off_says_so() {
    let text = calendar(
        "BEGIN:VEVENT\nUID:1\nDTSTART:20250310\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nDTSTART:20250310\nRRULE:FREQ=DAILY\nEND:VEVENT",
    );
    let cut = text.find("RRULE").expect("a rule");
    let feed = read(&text[..cut], "UTC").expect("a calendar");
    assert_eq!(
        (feed.objects.len(), feed.is_complete, feed.problems.len()),
        (1, false, 1)
    );
}

#[test]
fn several_calendars_in_one_text_keep_their_own_zones() {
    let one = |uid: u8, lic: &str| {
        calendar(&format!(
            "BEGIN:VTIMEZONE\nTZID:here\nX-LIC-LOCATION:{lic}\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:{uid}\nDTSTART;TZID=here:20250310T090000\nEND:VEVENT"
        ))
    };
    let text = one(1, "Asia/Tokyo") + &one(2, "Europe/Paris");
    let feed = read(&text, "UTC").expect("a calendar");
    let zones: Vec<String> = feed
        .objects
        .iter()
        .filter_map(|object| Some(show(&object.master.as_ref()?.time)))
        .collect();
    assert!(
        zones[0].contains("Asia/Tokyo") && zones[1].contains("Europe/Paris"),
        "{zones:?}"
    );
}
