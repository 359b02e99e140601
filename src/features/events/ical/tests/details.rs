//! Texts, people, reminders, links and the small words of an event.

use super::*;
use crate::features::events::ical::{
    AttendeeKind, AttendeeResponse, AttendeeRole, EventStatus, ParsedAlarm, Person, Transparency, Visibility,
};

#[test]
fn texts_are_unescaped_and_made_fit_to_store() {
    let event =
        event("DTSTART:20250310\nSUMMARY: A\\, b\\; c\nDESCRIPTION:one\\ntwo\u{0}\nLOCATION:Room\\n5");
    assert_eq!(event.summary.as_deref(), Some("A, b; c"));
    assert_eq!(event.description.as_deref(), Some("one\ntwo"));
    assert_eq!(event.location.as_deref(), Some("Room 5"));
    let (event, notes) = noted(&format!(
        "DTSTART:20250310\nSUMMARY:{}\nDESCRIPTION:{}",
        "é".repeat(2_000),
        "€".repeat(70_000)
    ));
    assert_eq!(event.summary.map(|text| text.chars().count()), Some(1_000));
    assert!(event.description.is_some_and(|text| text.len() <= 65_536));
    assert_eq!(notes.len(), 2);
}

#[test]
fn small_words_have_the_defaults_of_the_standard() {
    let plain = event("DTSTART:20250310");
    assert_eq!(
        (plain.status, plain.transparency, plain.visibility),
        (EventStatus::Confirmed, Transparency::Busy, Visibility::Default)
    );
    assert_eq!((plain.sequence, plain.summary, plain.rrule), (0, None, None));
    let told = event(
        "DTSTART:20250310\nSTATUS:tentative\nTRANSP:TRANSPARENT\nCLASS:CONFIDENTIAL\nSEQUENCE:99999999999\nCOLOR:tomato\n\
         CATEGORIES:Work,Home\\, sweet\nCATEGORIES:Work\nCREATED:20250101T000000Z\nLAST-MODIFIED:20250102T000000",
    );
    assert_eq!(
        (told.status, told.transparency, told.visibility),
        (EventStatus::Tentative, Transparency::Free, Visibility::Private)
    );
    assert_eq!(
        (told.sequence, told.color.as_deref()),
        (i32::MAX, Some("#ff6347"))
    );
    assert_eq!(told.categories, ["Work", "Home, sweet"]);
    assert_eq!(
        told.created.map(|at| at.to_string()).as_deref(),
        Some("2025-01-01T00:00:00Z")
    );
    assert_eq!(
        told.last_modified.map(|at| at.to_string()).as_deref(),
        Some("2025-01-02T00:00:00Z")
    );
    assert_eq!(
        event("DTSTART:20250310\nX-MICROSOFT-CDO-BUSYSTATUS:FREE").transparency,
        Transparency::Free
    );
    assert_eq!(
        event("DTSTART:20250310\nCLASS:PUBLIC").visibility,
        Visibility::Public
    );
}

#[test]
fn people_are_read_with_all_their_words() {
    let event = event(
        "DTSTART:20250310\nORGANIZER;CN=\"Boss, The\":MAILTO:Boss@Example.com\n\
         ATTENDEE;CN=Ann;ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:ann@example.com\n\
         ATTENDEE;CN=\"A ^'quoted^' room\";CUTYPE=ROOM;PARTSTAT=X-UNKNOWN:mailto:room@example.com\n\
         ATTENDEE;CN=ann@example.com:mailto:ANN@example.com\n\
         ATTENDEE;EMAIL=cal@example.com;ROLE=CHAIR;PARTSTAT=TENTATIVE:/principals/cal/\n\
         ATTENDEE;CN=Nameless address:invalid:nomail",
    );
    let person = |email: Option<&str>, name: Option<&str>| Person {
        email: email.map(Into::into),
        name: name.map(Into::into),
    };
    assert_eq!(
        event.organizer,
        Some(person(Some("boss@example.com"), Some("Boss, The")))
    );
    let [ann, room, cal, nameless] = event.attendees.as_slice() else {
        panic!("{:?}", event.attendees)
    };
    assert_eq!(ann.person, person(Some("ann@example.com"), Some("Ann")));
    assert_eq!(
        (ann.role, ann.response, ann.rsvp),
        (AttendeeRole::Optional, AttendeeResponse::Accepted, true)
    );
    assert_eq!(room.person.name.as_deref(), Some("A \"quoted\" room"));
    assert_eq!(
        (room.kind, room.response),
        (AttendeeKind::Room, AttendeeResponse::NeedsAction)
    );
    assert_eq!(
        (cal.person.email.as_deref(), cal.role),
        (Some("cal@example.com"), AttendeeRole::Chair)
    );
    assert_eq!(nameless.person, person(None, Some("Nameless address")));
    let (many, notes) = noted(&format!(
        "DTSTART:20250310{}",
        (0..1_500)
            .map(|n| format!("\nATTENDEE:mailto:{n}@example.com"))
            .collect::<String>()
    ));
    assert_eq!((many.attendees.len(), notes.len()), (1_000, 1));
}

#[test]
fn reminders_are_minutes_before_the_start() {
    let alarm = |trigger: &str| format!("\nBEGIN:VALARM\nACTION:DISPLAY\n{trigger}\nEND:VALARM");
    let minutes = |start: &str, trigger: &str| {
        let alarms = event(&(start.to_owned() + &alarm(trigger))).alarms;
        alarms.first().map(|alarm| alarm.minutes_before)
    };
    let timed = "DTSTART;TZID=Europe/Berlin:20250310T090000\nDURATION:PT1H";
    assert_eq!(minutes(timed, "TRIGGER:-PT15M"), Some(15));
    assert_eq!(minutes(timed, "TRIGGER;RELATED=START:-P1DT2H"), Some(1_560));
    assert_eq!(minutes(timed, "TRIGGER;RELATED=END:-PT10M"), Some(-50));
    assert_eq!(
        minutes(timed, "TRIGGER;VALUE=DATE-TIME:20250310T073000Z"),
        Some(30)
    );
    assert_eq!(minutes(timed, "TRIGGER:PT0S"), Some(0));
    assert_eq!(minutes(timed, "TRIGGER:rubbish"), None);
    assert_eq!(minutes(timed, "TRIGGER:-P99999W"), None);
    assert_eq!(minutes("DTSTART:20250310", "TRIGGER:PT9H"), Some(-540));
    assert_eq!(
        minutes("DTSTART:20250310", "TRIGGER;VALUE=DATE-TIME:20250309T230000Z"),
        Some(60)
    );

    let several = event(&format!(
        "{timed}{}{}{}\nBEGIN:VALARM\nACTION:EMAIL\nTRIGGER:-P1D\nEND:VALARM\nBEGIN:VALARM\nACTION:NONE\nTRIGGER;VALUE=DATE-TIME:19760401T005545Z\nEND:VALARM",
        alarm("TRIGGER:-PT5M"),
        alarm("TRIGGER:-PT30M"),
        alarm("TRIGGER:-PT5M")
    ));
    let expected = [(1_440, true), (30, false), (5, false)].map(|(minutes_before, by_email)| ParsedAlarm {
        minutes_before,
        by_email,
    });
    assert_eq!(several.alarms, expected);
}

#[test]
fn the_meeting_link_is_found() {
    let link = |lines: &str| event(&format!("DTSTART:20250310\n{lines}")).conference_url;
    assert_eq!(
        link("CONFERENCE;VALUE=URI;FEATURE=PHONE:tel:+1\nCONFERENCE;VALUE=URI;FEATURE=CHAT:https://chat.example.com/1\n\
              CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO:https://video.example.com/1")
            .as_deref(),
        Some("https://video.example.com/1")
    );
    assert_eq!(
        link("X-GOOGLE-CONFERENCE:https://meet.google.com/abc-defg-hij").as_deref(),
        Some("https://meet.google.com/abc-defg-hij")
    );
    assert_eq!(
        link("X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams.microsoft.com/l/meetup-join/19%3ameeting;a=1,2")
            .as_deref(),
        Some("https://teams.microsoft.com/l/meetup-join/19%3ameeting;a=1,2")
    );
    assert_eq!(
        link("DESCRIPTION:Join\\nhttps://zoom.us/j/123\\nSee you").as_deref(),
        Some("https://zoom.us/j/123")
    );
    assert_eq!(link("URL:https://example.com/event"), None);
    assert_eq!(
        event("DTSTART:20250310\nURL;VALUE=URI:https://example.com/e")
            .url
            .as_deref(),
        Some("https://example.com/e")
    );
    assert_eq!(event("DTSTART:20250310\nURL:javascript:alert(1)").url, None);
}
