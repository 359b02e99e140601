//! TZIDs with and without definitions.

use super::*;

const BERLIN: &str = "BEGIN:DAYLIGHT\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nDTSTART:19810329T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\n\
    BEGIN:STANDARD\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nDTSTART:19961027T030000\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD";

/// The zone of an event in July 2025 with this TZID and this definition, and the number of notes.
fn zone(tzid: &str, definition: &str) -> (String, usize) {
    let definition = if definition.is_empty() {
        String::new()
    } else {
        format!("BEGIN:VTIMEZONE\nTZID:{tzid}\n{definition}\nEND:VTIMEZONE\n")
    };
    // The definition may follow the event.
    let feed = feed(&format!(
        "BEGIN:VEVENT\nUID:1\nDTSTART;TZID={tzid}:20250710T090000\nEND:VEVENT\n{definition}"
    ));
    let Some(EventTime::Timed { start, .. }) =
        feed.objects[0].master.as_ref().map(|master| master.time.clone())
    else {
        panic!("a time with a zone floats: {feed:?}");
    };
    (start.zone.stored_name().to_owned(), feed.problems.len())
}

#[test]
fn names_come_first() {
    assert_eq!(zone("europe/london", BERLIN), ("Europe/London".into(), 0));
    assert_eq!(
        zone("/freeassociation.sourceforge.net/Asia/Tokyo", ""),
        ("Asia/Tokyo".into(), 0)
    );
    assert_eq!(
        zone("Pacific Standard Time", ""),
        ("America/Los_Angeles".into(), 0)
    );
}

#[test]
fn definitions_are_compared_with_known_zones() {
    assert_eq!(zone("Customized Time Zone", BERLIN), ("Europe/Berlin".into(), 0));
    assert_eq!(zone("Our office in Vienna", BERLIN), ("Europe/Vienna".into(), 0));
    let new_york = "BEGIN:DAYLIGHT\nTZOFFSETFROM:-0500\nTZOFFSETTO:-0400\nDTSTART:20070311T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\nEND:DAYLIGHT\n\
        BEGIN:STANDARD\nTZOFFSETFROM:-0400\nTZOFFSETTO:-0500\nDTSTART:20071104T020000\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\nEND:STANDARD";
    assert_eq!(zone("x", new_york), ("America/New_York".into(), 0));
    let by_month_day = new_york.replace("BYDAY=2SU", "BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU");
    assert_eq!(zone("x", &by_month_day), ("America/New_York".into(), 0));
    let india = "BEGIN:STANDARD\nTZOFFSETFROM:+0530\nTZOFFSETTO:+0530\nDTSTART:19700101T000000\nEND:STANDARD";
    assert_eq!(zone("x", india), ("Asia/Kolkata".into(), 0));
    assert_eq!(
        zone("x", &format!("X-LIC-LOCATION:Asia/Tokyo\n{BERLIN}")),
        ("Asia/Tokyo".into(), 0)
    );
    assert_eq!(
        zone("x", &format!("X-MICROSOFT-CDO-TZID:13\n{BERLIN}")),
        ("America/Los_Angeles".into(), 0)
    );
}

#[test]
fn a_definition_that_lists_its_years_is_compared_where_it_has_some() {
    let years: Vec<String> = (2024..2031)
        .map(|year| {
            let last_sunday = |month| {
                let first = jiff::civil::date(year, month, 1);
                first
                    .nth_weekday_of_month(-1, jiff::civil::Weekday::Sunday)
                    .expect("a Sunday")
                    .strftime("%Y%m%d")
                    .to_string()
            };
            format!(
                "BEGIN:DAYLIGHT\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nDTSTART:{}T020000\nEND:DAYLIGHT\n\
                 BEGIN:STANDARD\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nDTSTART:{}T030000\nEND:STANDARD",
                last_sunday(3),
                last_sunday(10)
            )
        })
        .collect();
    assert_eq!(zone("x", &years.join("\n")), ("Europe/Berlin".into(), 0));
}

#[test]
fn a_definition_like_no_known_zone_keeps_its_rules() {
    let odd = BERLIN
        .replace("+0200", "+0207")
        .replace("BYDAY=-1SU\nEND:DAYLIGHT", "BYMONTHDAY=31\nEND:DAYLIGHT");
    assert_eq!(
        zone("x", &odd),
        ("<+0100>-1<+0207>-2:07,J90/2:00:00,M10.5.0/3:00:00".into(), 1)
    );
    let fixed = "BEGIN:STANDARD\nTZOFFSETFROM:-0013\nTZOFFSETTO:-0013\nDTSTART:19700101T000000\nEND:STANDARD";
    assert_eq!(zone("x", fixed), ("<-0013>0:13".into(), 1));
    let unreadable = BERLIN
        .replace("+0200", "+0207")
        .replace("FREQ=YEARLY", "FREQ=DAILY");
    assert_eq!(zone("x", &unreadable), ("<+0100>-1".into(), 1));
}

#[test]
fn what_cannot_be_found_out_is_guessed_with_a_note_and_never_floats() {
    assert_eq!(zone("(UTC+02:00) Nowhere", ""), ("Etc/GMT-2".into(), 1));
    assert_eq!(zone("GMT+0530", ""), ("<+0530>-5:30".into(), 1));
    assert_eq!(zone("Mars", ""), ("Europe/Berlin".into(), 1));
    assert_eq!(
        zone("Mars", "BEGIN:STANDARD\nEND:STANDARD"),
        ("Europe/Berlin".into(), 1)
    );
    let told =
        feed("X-WR-TIMEZONE:Asia/Tokyo\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=Mars:20250710T090000\nEND:VEVENT");
    assert!(show(&told.objects[0].master.as_ref().expect("a master").time).contains("Asia/Tokyo"));
    assert_eq!(told.time_zone.as_deref(), Some("Asia/Tokyo"));
    assert!(
        told.problems[0].message.contains("Asia/Tokyo"),
        "{:?}",
        told.problems
    );
}

#[test]
fn a_text_full_of_definitions_is_still_read() {
    let odd = BERLIN.replace("+0200", "+0207");
    let texts: String = (0..70)
        .map(|zone| {
            calendar(&format!(
                "BEGIN:VTIMEZONE\nTZID:z{zone}\n{odd}\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:{zone}\nDTSTART;TZID=z{zone}:20250710T090000\nEND:VEVENT"
            ))
        })
        .collect();
    let feed = read(&texts, "UTC").expect("a calendar");
    assert_eq!((feed.objects.len(), feed.problems.len()), (70, 70));
}

#[test]
fn each_guess_is_noted_once() {
    let events: String = (0..50)
        .map(|uid| format!("BEGIN:VEVENT\nUID:{uid}\nDTSTART;TZID=Mars:20250710T090000\nEND:VEVENT\n"))
        .collect();
    assert_eq!(feed(&events).problems.len(), 1);
}

#[test]
fn every_known_zone_finds_itself_by_its_present_rules() {
    // A definition made from the database must never be taken for a zone with other offsets.
    let from: jiff::Timestamp = "2018-01-01T00:00:00Z".parse().expect("instant");
    let until: jiff::Timestamp = "2032-01-01T00:00:00Z".parse().expect("instant");
    for name in crate::kernel::zones::names()
        .filter(|name| name.contains('/'))
        .step_by(7)
    {
        let rules = crate::kernel::zones::zone(&name).expect("zone");
        let written = |offset: jiff::tz::Offset| {
            let seconds = offset.seconds();
            format!(
                "{}{:02}{:02}",
                if seconds < 0 { '-' } else { '+' },
                seconds.abs() / 3_600,
                seconds.abs() / 60 % 60
            )
        };
        let mut before = rules.to_offset(from);
        let mut blocks = format!(
            "BEGIN:STANDARD\nTZOFFSETFROM:{0}\nTZOFFSETTO:{0}\nDTSTART:20180101T000000\nEND:STANDARD\n",
            written(before)
        );
        for next in rules.following(from).take_while(|next| next.timestamp() < until) {
            let local = before
                .to_datetime(next.timestamp())
                .strftime("%Y%m%dT%H%M%S")
                .to_string();
            blocks += &format!(
                "BEGIN:STANDARD\nTZOFFSETFROM:{}\nTZOFFSETTO:{}\nDTSTART:{local}\nEND:STANDARD\n",
                written(before),
                written(next.offset())
            );
            before = next.offset();
        }
        let (found, notes) = zone("x", blocks.trim_end());
        let found = crate::kernel::zones::zone(&found).unwrap_or_else(|| panic!("{name} became {found}"));
        assert_eq!(notes, 0, "{name}");
        for month in 0..144 {
            let at = from + jiff::SignedDuration::from_hours(730 * month + 17_520);
            if at < until - jiff::SignedDuration::from_hours(17_520) {
                assert_eq!(found.to_offset(at), rules.to_offset(at), "{name} at {at}");
            }
        }
    }
}
