//! What is written is read back as it was, and zones tell the same times as the rules they were made from.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Outgoing, Writer};
use crate::features::events::ical::component;
use crate::features::events::ical::notes::Notes;
use crate::features::events::ical::zone_rules::Definition;
use crate::features::events::ical::{EventTime, ParsedObject, read};
use crate::kernel::zones;

fn write(objects: &[ParsedObject]) -> String {
    let mut writer = Writer::new("Work, home", Some("two\nlines"), "Europe/Berlin");
    for object in objects {
        writer.add(&Outgoing {
            uid: &object.uid,
            master: object.master.as_ref(),
            overrides: &object.overrides,
            source: Some(&object.text),
            changed: Timestamp::UNIX_EPOCH,
        });
    }
    writer.finish()
}

/// What of an object must come back: all but the text, the hash and the remarks.
fn essence(object: &ParsedObject) -> ParsedObject {
    ParsedObject {
        text: String::new(),
        hash: [0; 32],
        warnings: Vec::new(),
        ..object.clone()
    }
}

fn comes_back(text: &str) -> String {
    let before = read(text, "Europe/Berlin").expect("a calendar").objects;
    let written = write(&before);
    let after = read(&written, "America/New_York").expect("a calendar");
    assert_eq!(after.problems, [], "{written}");
    let essences = |objects: &[ParsedObject]| objects.iter().map(essence).collect::<Vec<_>>();
    assert_eq!(essences(&after.objects), essences(&before), "{written}");
    assert_eq!(after.name.as_deref(), Some("Work, home"));
    written
}

const SERIES: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20250101T000000Z\r\n\
SEQUENCE:3\r\nDTSTART;TZID=Europe/Berlin:20250310T090000\r\nDTEND;TZID=America/New_York:20250310T060000\r\n\
RRULE:FREQ=WEEKLY;COUNT=9\r\nEXDATE;TZID=Europe/Berlin:20250317T090000\r\nRDATE;VALUE=PERIOD;TZID=Europe/Berlin:20250312T090000/PT90M\r\n\
SUMMARY:Käse\\, Brot\\; \\\\ und \\nmehr\r\nX-ODD;P=\"a;b\":1;2\\,3\r\nCATEGORIES:ONE,TWO\r\nURL:https://example.org/\r\n\
CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://meet.example.org/x\r\nCLASS:CONFIDENTIAL\r\nTRANSP:TRANSPARENT\r\nSTATUS:TENTATIVE\r\n\
COLOR:tomato\r\nORGANIZER;CN=\"A ^'quoted^' name\":mailto:ana@example.org\r\n\
ATTENDEE;CUTYPE=ROOM;ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Room:mailto:room@example.org\r\n\
BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT10M\r\nX-INSIDE:1\r\nEND:VALARM\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20250101T000000Z\r\nRECURRENCE-ID;TZID=Europe/Berlin:20250324T090000\r\n\
DTSTART;TZID=Europe/Berlin:20250325T110000\r\nDURATION:PT1H\r\nSUMMARY:Moved\r\nX-ODD:moved\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20250101T000000Z\r\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20250407T090000\r\n\
DTSTART;TZID=Europe/Berlin:20250407T100000\r\nSUMMARY:Later\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20250101T000000Z\r\nRECURRENCE-ID;TZID=Europe/Berlin:20250331T090000\r\n\
DTSTART;TZID=Europe/Berlin:20250331T090000\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[test]
fn a_series_comes_back_whole_with_what_nobody_knows() {
    let written = comes_back(SERIES);
    let unfolded = written.replace("\r\n ", "");
    for kept in [
        "X-ODD;P=\"a;b\":1;2\\,3\r\n",
        "X-ODD:moved\r\n",
        "CATEGORIES:ONE,TWO\r\n",
        "X-INSIDE:1\r\n",
    ] {
        assert_eq!(unfolded.matches(kept).count(), 1, "{kept}");
    }
    assert_eq!(unfolded.matches("BEGIN:VTIMEZONE").count(), 2);
    assert!(written.split("\r\n").all(|line| line.len() <= 75));
}

#[test]
fn all_kinds_of_times_come_back() {
    for lines in [
        "DTSTART;VALUE=DATE:20250310\nDTEND;VALUE=DATE:20250312\nRRULE:FREQ=DAILY;UNTIL=20250401\nEXDATE;VALUE=DATE:20250313",
        "DTSTART;VALUE=DATE:20250310\nRDATE;VALUE=PERIOD:20250312T000000/P2D",
        "DTSTART:20250310T090000\nDTEND:20250310T093000",
        "DTSTART:20250310T090000Z\nDURATION:PT0S",
        "DTSTART;TZID=Europe/Berlin:20250330T023000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3",
        "DTSTART;TZID=\"(UTC+01:00) Amsterdam, Berlin\":20250310T090000",
        "RECURRENCE-ID;TZID=Europe/Berlin:20250310T090000\nDTSTART;TZID=Europe/Berlin:20250310T093000\nDURATION:PT1H",
    ] {
        comes_back(&format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20250101T000000Z\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n"
        ));
    }
}

#[test]
fn a_zone_that_only_the_calendar_knows_is_defined_again() {
    let text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VTIMEZONE\nTZID:Moon\n\
        BEGIN:STANDARD\nDTSTART:20001029T030000\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nTZOFFSETFROM:+0317\nTZOFFSETTO:+0217\nEND:STANDARD\n\
        BEGIN:DAYLIGHT\nDTSTART:20000326T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nTZOFFSETFROM:+0217\nTZOFFSETTO:+0317\nEND:DAYLIGHT\n\
        END:VTIMEZONE\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20250101T000000Z\nDTSTART;TZID=Moon:20250701T090000\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n";
    let before = read(text, "Europe/Berlin").expect("a calendar").objects;
    let after = read(&write(&before), "UTC").expect("a calendar").objects;
    let start = |objects: &[ParsedObject]| match &objects[0].master.as_ref().expect("a master").time {
        EventTime::Timed { start, .. } => (start.local, start.utc, start.zone.stored_name().to_owned()),
        other => panic!("{other:?}"),
    };
    assert_eq!(start(&after), start(&before));
}

/// The definition of each zone, read by the reader that takes nothing from the tz database, gives the offsets of the tz database.
#[test]
fn definitions_say_what_the_tz_database_says() {
    let from: Timestamp = "2024-01-01T00:00:00Z".parse().expect("an instant");
    let until: Timestamp = "2060-01-01T00:00:00Z".parse().expect("an instant");
    let mut seen = 0;
    for name in zones::names().filter(|name| name != "UTC" && name != "Etc/UTC") {
        let text = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID={name}:20250101T000000\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        let written = write(&read(&text, "UTC").expect("a calendar").objects);
        let sorted = component::calendars(&written, &mut Notes::default());
        let [zone] = sorted.list[0].zones.as_slice() else {
            panic!("{name}: {written}");
        };
        let definition = Definition::read(zone).expect("a definition");
        assert!(definition.is_understood(), "{name}: {written}");
        let onsets = definition.onsets(2020, 2061);
        let defined = |at: Timestamp| {
            onsets
                .iter()
                .rev()
                .find(|(onset, _)| *onset <= at)
                .map(|(_, offset)| *offset)
        };
        let zone: TimeZone = zones::zone(&name).expect("a zone");
        assert_eq!(defined(from), Some(zone.to_offset(from)), "{name}: {written}");
        for transition in zone.following(from).take_while(|next| next.timestamp() < until) {
            let at = transition.timestamp();
            let before = at - jiff::SignedDuration::from_secs(1);
            for at in [before, at] {
                assert_eq!(defined(at), Some(zone.to_offset(at)), "{name} at {at}: {written}");
            }
            seen += 1;
        }
    }
    assert!(seen > 5_000, "{seen} transitions");
}
