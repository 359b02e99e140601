//! Whatever comes in: no panic, no lost neighbours, time linear in the length.

use proptest::{prelude::*, sample::select};

use super::*;
use crate::features::events::ical::decode;

/// Lines that are right, nearly right and wrong, to be shuffled.
#[rustfmt::skip]
const SOUP: [&str; 44] = [
    "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "END:VALARM", "BEGIN:VTIMEZONE", "END:VTIMEZONE",
    "BEGIN:STANDARD", "END:STANDARD", "BEGIN:DAYLIGHT", "END:DAYLIGHT", "BEGIN:", "END", "TZID:Odd/Zone", "TZOFFSETFROM:+9999", "TZOFFSETFROM:+0130",
    "TZOFFSETTO:-0130", "DTSTART:16010101T020000", "DTSTART;TZID=Odd/Zone:99991231T235959", "DTSTART;VALUE=DATE:00010101", "DTSTART;TZID=Europe/Berlin:20250330T023000",
    "DTEND:99991231T235959Z", "DTEND;VALUE=DATE:99991231", "DURATION:P9999999W", "DURATION:-PT9999999999S", "DURATION:P3660000DT9999999999H", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "RRULE:FREQ=YEARLY;BYMONTH=13;BYMONTHDAY=127;UNTIL=99991231", "RRULE:FREQ=DAILY;COUNT=-1;BYDAY=1é", "RDATE;VALUE=PERIOD:99991231T235959/P9999W,00010101T000000Z/PT1S",
    "EXDATE;TZID=:20250310T090000,,", "RECURRENCE-ID;RANGE=THISANDFUTURE:20250310", "RECURRENCE-ID;TZID=Odd/Zone:20250310T090000", "UID:1", "UID:", "SUMMARY:\\", "SUMMARY;ENCODING=BASE64:!!",
    "ATTENDEE;CN=\"^^^n:mailto:@", "TRIGGER;RELATED=END:-P9999999D", "TRIGGER;VALUE=DATE-TIME:00010101T000000Z", "CATEGORIES:,,\\,", " folded", "\u{0}:\u{fffd};=\"",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&decode(&bytes).text, "Europe/Berlin");
        let text = calendar(&format!("BEGIN:VEVENT\nDTSTART:20250310\n{}\nEND:VEVENT", decode(&bytes).text));
        let _ = read(&text, "Europe/Berlin");
    }

    #[test]
    fn arbitrary_values_never_panic(
        name in select(vec!["DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SUMMARY", "ATTENDEE", "URL", "TZID", "CLASS"]),
        params in "[;=:,\"A-Za-z^\\\\ é]{0,30}",
        value in "[-+0-9TZPDWHMS,;:/=\"A-Za-zé \\\\]{0,60}",
    ) {
        let _ = read(&calendar(&format!("BEGIN:VEVENT\nDTSTART:20250310T090000Z\n{name};{params}:{value}\nEND:VEVENT")), "UTC");
    }

    #[test]
    fn shuffled_lines_never_panic(lines in proptest::collection::vec(select(SOUP.to_vec()), 0..120)) {
        let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}", lines.join("\r\n"));
        let feed = read(&text, "Europe/Berlin").expect("it begins like a calendar");
        for object in &feed.objects {
            prop_assert!(object.master.is_some() || !object.overrides.is_empty());
            // What is kept can be read again.
            let again = read(&object.text, "Europe/Berlin").expect("a calendar");
            prop_assert!(again.objects.iter().any(|other| other.uid == object.uid));
        }
    }

    #[test]
    fn neighbours_of_a_broken_event_survive(lines in proptest::collection::vec(select(SOUP[14..].to_vec()), 0..30)) {
        let sound = |uid: &str| format!("BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:20250310T090000Z\r\nEND:VEVENT\r\n");
        let broken = format!("BEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\n", lines.join("\r\n"));
        let feed = read(&calendar(&(sound("before") + &broken + &sound("after"))), "UTC").expect("a calendar");
        for uid in ["before", "after"] {
            prop_assert!(feed.objects.iter().any(|object| object.uid == uid), "{uid}: {:?}", feed.problems);
        }
        prop_assert!(feed.is_complete);
    }
}

#[test]
fn the_end_is_never_before_the_start() {
    let times = [
        "00010101",
        "00010101T000000Z",
        "99991231",
        "99991231T235959Z",
        "20250330T023000",
        "20250330T023000Z",
    ];
    let lengths = ["P9999999W", "-P1D", "PT9999999999S", "P0D", "P1DT1S", "x"];
    for start in times {
        let ends = times.iter().map(|end| format!("DTEND:{end}"));
        for end in ends.chain(lengths.iter().map(|length| format!("DURATION:{length}"))) {
            let object = event_object(&format!("DTSTART:{start}\n{end}"));
            match object.master.expect("a master").time {
                EventTime::AllDay { start, end } => {
                    assert!(start < end || start.year() == 9999, "{start} {end}")
                }
                EventTime::Floating { start, end } => assert!(start <= end),
                EventTime::Timed { start, end } => assert!(start.utc <= end.utc),
            }
        }
    }
}

#[test]
fn long_texts_of_every_bad_kind_are_read_in_linear_time() {
    let many = |piece: &str| piece.repeat(100_000 / piece.len());
    for middle in [
        many("\r"),
        many(" \n"),
        many("BEGIN:X\n"),
        many("END:X\n"),
        many("BEGIN:VEVENT\n"),
        many("A;B=\"\n"),
        many("\n "),
        format!("DTSTART:20250310\nEXDATE:{}", many("20250310,")),
        format!("DTSTART;TZID={}:20250310T090000", many("/")),
        format!("DTSTART:20250310\nRRULE:{}", many(";")),
        format!("DTSTART:20250310\nSUMMARY:{}", many("\\")),
        format!("DTSTART:20250310\nATTENDEE;CN={}:x", many("^")),
        format!(
            "DTSTART:20250310\nCATEGORIES:{}",
            (0..10_000).map(|n| format!("{n},")).collect::<String>()
        ),
        format!("DTSTART:20250310\n{}", many("RDATE;TZID=x/y:20250310T090000\n")),
    ] {
        let _ = read(
            &calendar(&format!("BEGIN:VEVENT\nUID:1\n{middle}\nEND:VEVENT")),
            "UTC",
        );
    }
    let zones: String = (0..1_000)
        .map(|n| format!("BEGIN:VEVENT\nUID:{n}\nDTSTART;TZID=Zone {n}:20250310T090000\nEND:VEVENT\n"))
        .collect();
    assert_eq!(feed(&zones).objects.len(), 1_000);
}
