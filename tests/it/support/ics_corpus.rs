//! Calendars to read and to sync: varied sound objects, and broken ones.
//!
//! Deterministic: the same `n` always yields the same texts. Sound objects are what real programs write, with CRLF and
//! lines folded at 75 octets, and are accepted by CalDAV servers.

use std::fmt::Write as _;

/// `n` sound objects as (name of the resource, text), of sixteen kinds in turn.
pub fn real_looking_objects(n: usize) -> Vec<(String, String)> {
    (0..n)
        .map(|index| {
            let object = object(index);
            let zones: String = object.zones.iter().map(|zone| zone.definition()).collect();
            (format!("{}.ics", object.uid), wrap("", &(zones + &object.events)))
        })
        .collect()
}

/// One feed that holds the events of `real_looking_objects(n)`.
pub fn real_looking_feed(n: usize) -> String {
    let head = "METHOD:PUBLISH\nX-WR-CALNAME:Everything at once\nX-WR-TIMEZONE:Europe/Berlin\nREFRESH-INTERVAL;VALUE=DURATION:PT6H\n";
    let zones: String = ZONES.iter().map(|zone| zone.definition()).collect();
    let events: String = (0..n).map(|index| object(index).events).collect();
    wrap(head, &(zones + &events))
}

/// A text that something is wrong with.
pub struct Broken {
    /// What is wrong, as the name of a resource.
    pub name: &'static str,
    /// The text.
    pub text: String,
    /// A CalDAV server would store it; the others can only come from a feed.
    pub is_storable: bool,
    /// Events that can be read from it all the same; `None` when it is no calendar at all.
    pub readable: Option<usize>,
    /// The owner of the calendar should be told about it.
    pub is_noted: bool,
}

/// Faults that readers mend without a word.
const UNNOTED: [&str; 5] = [
    "only-an-override",
    "script-link",
    "bare-line-feeds",
    "byte-order-mark",
    "no-events",
];

/// Texts that something is wrong with, one fault each.
pub fn broken_objects() -> Vec<Broken> {
    let event = |lines: &str| wrap("", &format!("BEGIN:VEVENT\n{STAMP}\n{lines}\nEND:VEVENT\n"));
    let is_noted = |name: &str| !UNNOTED.contains(&name);
    let stored = |name, text| Broken {
        name,
        text,
        is_storable: true,
        readable: Some(1),
        is_noted: is_noted(name),
    };
    let only_in_feed = |name, text, readable| Broken {
        name,
        text,
        is_storable: false,
        readable,
        is_noted: is_noted(name),
    };
    let good = format!("BEGIN:VEVENT\nUID:good\n{STAMP}\nDTSTART:20260310T090000Z\nEND:VEVENT\n");
    vec![
        stored(
            "unknown-zone",
            event("UID:unknown-zone\nDTSTART;TZID=Middle-earth/Shire:20260310T090000\nDURATION:PT1H"),
        ),
        stored(
            "end-before-start",
            event("UID:end-before-start\nDTSTART:20260310T090000Z\nDTEND:20260310T080000Z"),
        ),
        stored(
            "too-long-title",
            event(&format!(
                "UID:too-long-title\nDTSTART:20260310T090000Z\nSUMMARY:{}",
                "long ".repeat(600)
            )),
        ),
        stored(
            "only-an-override",
            event("UID:only-an-override\nRECURRENCE-ID:20260310T090000Z\nDTSTART:20260310T100000Z"),
        ),
        stored(
            "guest-without-address",
            event("UID:guest-without-address\nDTSTART:20260310T090000Z\nATTENDEE:invalid:nomail"),
        ),
        stored(
            "script-link",
            event("UID:script-link\nDTSTART:20260310T090000Z\nURL:javascript:alert(1)"),
        ),
        only_in_feed(
            "wrong-rule",
            event("UID:wrong-rule\nDTSTART:20260310T090000Z\nRRULE:FREQ=WHENEVER"),
            Some(1),
        ),
        only_in_feed(
            "no-uid",
            event("DTSTART:20260310T090000Z\nSUMMARY:Nobody"),
            Some(1),
        ),
        only_in_feed(
            "no-start",
            wrap(
                "",
                &format!("BEGIN:VEVENT\nUID:no-start\n{STAMP}\nEND:VEVENT\n{good}"),
            ),
            Some(1),
        ),
        only_in_feed(
            "impossible-date",
            wrap(
                "",
                &format!("BEGIN:VEVENT\nUID:bad\n{STAMP}\nDTSTART:20260230T090000Z\nEND:VEVENT\n{good}"),
            ),
            Some(1),
        ),
        stored(
            "negative-duration",
            event("UID:negative-duration\nDTSTART:20260310T090000Z\nDURATION:-PT1H"),
        ),
        only_in_feed(
            "missing-end",
            wrap(
                "",
                &format!("BEGIN:VEVENT\nUID:missing-end\n{STAMP}\nDTSTART:20260310T090000Z\n{good}"),
            ),
            Some(2),
        ),
        only_in_feed("twice-the-same", wrap("", &(good.clone() + &good)), Some(1)),
        only_in_feed(
            "cut-off",
            wrap("", &format!("{good}BEGIN:VEVENT\nUID:cut-off\nDTSTART:2026"))
                .replace("END:VCALENDAR\r\n", ""),
            Some(1),
        ),
        only_in_feed("bare-line-feeds", wrap("", &good).replace('\r', ""), Some(1)),
        only_in_feed("byte-order-mark", format!("\u{feff}{}", wrap("", &good)), Some(1)),
        only_in_feed("no-events", wrap("X-WR-CALNAME:Empty\n", ""), Some(0)),
        only_in_feed(
            "web-page",
            "<!DOCTYPE html>\n<html><body>Please sign in</body></html>\n".to_owned(),
            None,
        ),
        only_in_feed("nothing", String::new(), None),
    ]
}

const STAMP: &str = "DTSTAMP:20260101T000000Z";

struct Zone {
    tzid: &'static str,
    /// Offset in winter, offset in summer, rule into summer, rule into winter.
    rules: Option<[&'static str; 4]>,
    standard: &'static str,
}

const ZONES: [Zone; 5] = [
    Zone {
        tzid: "Europe/Berlin",
        rules: Some([
            "+0100",
            "+0200",
            "19700329T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
            "19701025T030000\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
        ]),
        standard: "",
    },
    Zone {
        tzid: "America/New_York",
        rules: Some([
            "-0500",
            "-0400",
            "20070311T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
            "20071104T020000\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
        ]),
        standard: "",
    },
    Zone {
        tzid: "W. Europe Standard Time",
        rules: Some([
            "+0100",
            "+0200",
            "16010101T020000\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3",
            "16010101T030000\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10",
        ]),
        standard: "",
    },
    Zone {
        tzid: "Asia/Kolkata",
        rules: None,
        standard: "+0530",
    },
    Zone {
        tzid: "Asia/Tokyo",
        rules: None,
        standard: "+0900",
    },
];

impl Zone {
    fn definition(&self) -> String {
        let mut text = format!("BEGIN:VTIMEZONE\nTZID:{}\n", self.tzid);
        // Writing to a String cannot fail.
        let _ = match self.rules {
            Some([winter, summer, into_summer, into_winter]) => write!(
                text,
                "BEGIN:STANDARD\nDTSTART:{into_winter}\nTZOFFSETFROM:{summer}\nTZOFFSETTO:{winter}\nEND:STANDARD\n\
                 BEGIN:DAYLIGHT\nDTSTART:{into_summer}\nTZOFFSETFROM:{winter}\nTZOFFSETTO:{summer}\nEND:DAYLIGHT\n"
            ),
            None => write!(
                text,
                "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:{0}\nTZOFFSETTO:{0}\nEND:STANDARD\n",
                self.standard
            ),
        };
        text + "END:VTIMEZONE\n"
    }
}

struct Object {
    uid: String,
    zones: Vec<&'static Zone>,
    events: String,
}

/// A small linear congruential generator: enough to make calendars look lived in.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let index = self.roll(from.len() as u64);
        from[index as usize]
    }

    /// A date from 2025 to 2027 that exists in every month, as do the two days after it, as `yyyymmdd`.
    fn date(&mut self) -> String {
        format!(
            "{}{:02}{:02}",
            2025 + self.roll(3),
            1 + self.roll(12),
            1 + self.roll(26)
        )
    }

    /// A time of the working day, as `hhmmss`.
    fn time(&mut self) -> String {
        format!("{:02}{:02}00", 8 + self.roll(10), self.roll(4) * 15)
    }
}

fn next_day(date: &str) -> String {
    format!("{}{:02}", &date[..6], date[6..].parse::<u32>().unwrap_or(1) + 1)
}

const TITLES: [&str; 10] = [
    "Stand-up",
    "Quarterly review",
    "1:1 with Ана",
    "Zahnarzt",
    "Déjeuner d’équipe",
    "設計レビュー",
    "Gym 🏋️",
    "Call\\, then lunch",
    "Школьный концерт",
    "Focus: write the report",
];
const PLACES: [&str; 5] = [
    "Room 4.12",
    "Café Müller\\, Hauptstraße 5\\, Berlin",
    "https://meet.example.com/abc",
    "東京オフィス",
    "Online",
];
const WORDS: [&str; 8] = [
    "agenda",
    "Überblick",
    "notes",
    "заметки",
    "次回",
    "follow-up\\nnew line",
    "a\\, b\\; c",
    "👩‍👩‍👧‍👦",
];

fn object(index: usize) -> Object {
    let mut dice = Dice(index as u64 * 7_919 + 17);
    for _ in 0..3 {
        dice.roll(2);
    }
    let uid = format!(
        "corpus-{index:05}-{:08x}@example.com",
        dice.roll(u64::from(u32::MAX))
    );
    let (date, time) = (dice.date(), dice.time());
    let next = next_day(&date);
    let zone = &ZONES[[0, 1, 3, 4][dice.roll(4) as usize]];
    let tz = zone.tzid;
    let title = dice.pick(&TITLES);
    let head = format!(
        "UID:{uid}\n{STAMP}\nCREATED:20250101T080000Z\nLAST-MODIFIED:20260101T000000Z\nSEQUENCE:{}\nSUMMARY:{title}\n",
        dice.roll(4)
    );
    let timed = format!(
        "DTSTART;TZID={tz}:{date}T{time}\nDURATION:PT{}M\n",
        15 * (1 + dice.roll(8))
    );
    let event = |lines: &str| format!("BEGIN:VEVENT\n{head}{lines}END:VEVENT\n");
    let changed = |id: &str, lines: &str| {
        format!("BEGIN:VEVENT\nUID:{uid}\n{STAMP}\nSEQUENCE:5\n{id}\n{lines}END:VEVENT\n")
    };
    let words: String = (0..30).map(|_| format!("{} ", dice.pick(&WORDS))).collect();
    let (zones, events) = match index % 16 {
        0 => (
            vec![zone],
            event(&format!(
                "{timed}DESCRIPTION:{words}\nLOCATION:{}\n",
                dice.pick(&PLACES)
            )),
        ),
        1 => (
            vec![],
            event(&format!(
                "DTSTART:{date}T{time}Z\nDTEND:{date}T233000Z\nTRANSP:OPAQUE\n"
            )),
        ),
        2 => (
            vec![],
            event(&format!("DTSTART;VALUE=DATE:{date}\nDTEND;VALUE=DATE:{next}\n")),
        ),
        3 => (
            vec![zone],
            event(&format!(
                "{timed}RRULE:FREQ=WEEKLY;COUNT=12;BYDAY=MO,WE,FR\nEXDATE;TZID={tz}:{next}T{time}\n"
            )),
        ),
        4 => (
            vec![zone],
            event(&format!("{timed}RRULE:FREQ=DAILY;COUNT=10\n"))
                + &changed(
                    &format!("RECURRENCE-ID;TZID={tz}:{next}T{time}"),
                    &format!("DTSTART;TZID={tz}:{next}T190000\nDURATION:PT30M\nSUMMARY:{title} (moved)\n"),
                )
                + &changed(
                    &format!("RECURRENCE-ID;TZID={tz}:{}T{time}", next_day(&next)),
                    &format!(
                        "DTSTART;TZID={tz}:{}T{time}\nDURATION:PT30M\nSTATUS:CANCELLED\n",
                        next_day(&next)
                    ),
                ),
        ),
        5 => (
            vec![],
            event(&format!(
                "DTSTART:{date}T{time}\nDTEND:{date}T220000\nCATEGORIES:Personal,Health\n"
            )),
        ),
        6 => (
            vec![zone],
            event(&format!(
                "{timed}DESCRIPTION:{words}{words}{words}\nCOMMENT:{words}\n"
            )),
        ),
        7 => (
            vec![zone],
            event(&format!(
                "{timed}ORGANIZER;CN=\"Müller, Ana\":mailto:ana@example.com\n\
                 ATTENDEE;CN=Ben;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:ben@example.com\n\
                 ATTENDEE;CN=\"Room 4.12\";CUTYPE=ROOM;ROLE=NON-PARTICIPANT;PARTSTAT=TENTATIVE:mailto:room-4.12@example.com\n\
                 X-GOOGLE-CONFERENCE:https://meet.google.com/abc-defg-hij\n"
            )),
        ),
        8 => (
            vec![zone],
            event(&format!(
                "{timed}BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:Reminder\nTRIGGER:-PT{}M\nEND:VALARM\n\
                 BEGIN:VALARM\nACTION:EMAIL\nSUMMARY:Soon\nDESCRIPTION:Soon\nATTENDEE:mailto:ana@example.com\nTRIGGER;RELATED=START:-P1D\nEND:VALARM\n",
                5 * (1 + dice.roll(6))
            )),
        ),
        9 => (
            vec![zone],
            event(&format!(
                "{timed}X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC\nX-MOZ-GENERATION:3\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY\n\
                 X-CUSTOM;X-PARAM=\"a:b;c\":va\\,lue\nGEO:52.52;13.405\n"
            )),
        ),
        10 => (
            vec![zone],
            event(&format!(
                "{timed}RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;UNTIL=20281231T235959Z\n"
            )),
        ),
        11 => (
            vec![],
            event(&format!(
                "DTSTART;VALUE=DATE:{date}\nRRULE:FREQ=YEARLY\nTRANSP:TRANSPARENT\nCATEGORIES:Birthday\n"
            )),
        ),
        12 => (
            vec![&ZONES[2]],
            event(&format!(
                "DTSTART;TZID=W. Europe Standard Time:{date}T{time}\nDTEND;TZID=W. Europe Standard Time:{date}T230000\nX-MICROSOFT-CDO-IMPORTANCE:1\n"
            )),
        ),
        13 => (
            vec![zone],
            event(&format!(
                "{timed}RDATE;TZID={tz}:{next}T{time},{}T{time}\n",
                next_day(&next)
            )),
        ),
        14 => (
            vec![zone],
            event(&format!("{timed}RRULE:FREQ=DAILY;COUNT=8\n"))
                + &changed(
                    &format!("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID={tz}:{next}T{time}"),
                    &format!("DTSTART;TZID={tz}:{next}T200000\nDURATION:PT45M\nSUMMARY:{title} (later)\n"),
                ),
        ),
        _ => (
            vec![zone],
            event(&format!(
                "{timed}STATUS:TENTATIVE\nCLASS:PRIVATE\nPRIORITY:1\nCOLOR:tomato\nURL:https://example.com/events/{index}\n"
            )),
        ),
    };
    Object { uid, zones, events }
}

/// A calendar around some lines, folded at 75 octets with CRLF.
fn wrap(head: &str, body: &str) -> String {
    let mut text = String::new();
    let whole = format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Meridian//Corpus//EN\nCALSCALE:GREGORIAN\n{head}{body}END:VCALENDAR\n"
    );
    for line in whole.lines() {
        let mut width = 0;
        for letter in line.chars() {
            if width + letter.len_utf8() > 74 {
                text.push_str("\r\n ");
                width = 1;
            }
            text.push(letter);
            width += letter.len_utf8();
        }
        text.push_str("\r\n");
    }
    text
}
