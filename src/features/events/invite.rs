//! The calendar part of a letter to guests (RFC 5546): one event with its METHOD and SEQUENCE. Pure. Promises: lines are folded and text is
//! escaped, so that no title can add a property.

use entity::enums::{AttendeeResponse, EventKind, EventStatus};
use entity::{attendee, calendar_event, event_override};

use super::remote::GUESTS;
use super::{ical, outgoing, placed};
use crate::kernel::time::Instant;
use crate::kernel::zones;

/// Longest line in bytes, without its end.
const FOLD: usize = 75;

/// What a letter tells a guest's program.
pub(super) struct Object<'a> {
    pub(super) row: &'a calendar_event::Model,
    /// Changed and cancelled occurrences of a series.
    pub(super) exceptions: &'a [event_override::Model],
    pub(super) people: &'a [attendee::Model],
    /// METHOD of RFC 5546.
    pub(super) method: &'a str,
    pub(super) now: Instant,
}

impl Object<'_> {
    /// The text; `None` when the event cannot be told.
    pub(super) fn text(&self) -> Option<String> {
        match self.row.is_recurring {
            true => Some(self.series()),
            false => single(self.row, self.people, self.method, self.now),
        }
    }

    /// One occurrence without its series, for somebody who is a guest of it alone; `shown` is the occurrence as it takes place.
    pub(super) fn one(&self, exception: &event_override::Model, shown: &calendar_event::Model) -> String {
        let mut own = exception.clone();
        own.cancelled = false;
        (own.start_utc, own.end_utc) = (Some(shown.start_utc), Some(shown.end_utc));
        if let Some(patch) = own.patch.as_object_mut() {
            patch.insert("time".to_owned(), placed::time_patch(shown));
            // The people are those of this letter, and nobody else's occurrences change.
            patch.remove(GUESTS);
            patch.remove("thisAndFuture");
        }
        let mut written = outgoing::written(self.row, &[own], self.people);
        if self.method == "CANCEL" {
            for changed in &mut written.overrides {
                changed.event.status = ical::EventStatus::Cancelled;
            }
        }
        self.letter(&written.uid, None, &written.overrides)
    }

    fn letter(
        &self,
        uid: &str,
        master: Option<&ical::ParsedEvent>,
        overrides: &[ical::ParsedOverride],
    ) -> String {
        let mut writer = ical::Writer::letter(self.method);
        writer.add(&ical::Outgoing {
            uid,
            master,
            overrides,
            source: None,
            changed: zones::from_chrono(self.now),
        });
        writer.finish()
    }

    /// A series with its zones and exceptions. Unknown properties of its source are the business of its owner.
    fn series(&self) -> String {
        let mut written = outgoing::written(self.row, self.exceptions, self.people);
        if self.method == "CANCEL" {
            // What is called off as a whole has no exceptions any more.
            written.overrides.clear();
            if let Some(master) = &mut written.master {
                master.status = ical::EventStatus::Cancelled;
            }
        }
        self.letter(&written.uid, written.master.as_ref(), &written.overrides)
    }
}

/// The object for a single event.
fn single(
    row: &calendar_event::Model,
    people: &[attendee::Model],
    method: &str,
    now: Instant,
) -> Option<String> {
    let (start, end) = times(row)?;
    let status = match row.status {
        _ if method == "CANCEL" => "CANCELLED",
        EventStatus::Confirmed => "CONFIRMED",
        EventStatus::Tentative => "TENTATIVE",
        EventStatus::Cancelled => "CANCELLED",
    };
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Meridian//Meridian//EN".to_owned(),
        format!("METHOD:{method}"),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}", text(&row.uid)),
        format!("SEQUENCE:{}", row.sequence),
        format!("DTSTAMP:{}", utc(now)),
        start,
        end,
        format!("SUMMARY:{}", text(&row.title)),
        format!("STATUS:{status}"),
    ];
    let more = [("LOCATION", &row.location), ("DESCRIPTION", &row.description)];
    for (name, value) in more {
        lines.extend(value.as_deref().map(|value| format!("{name}:{}", text(value))));
    }
    lines.extend(people.iter().map(person));
    lines.extend(["END:VEVENT".to_owned(), "END:VCALENDAR".to_owned()]);
    Some(lines.iter().map(|line| folded(line)).collect())
}

fn times(row: &calendar_event::Model) -> Option<(String, String)> {
    Some(match row.kind {
        EventKind::Timed => (
            format!("DTSTART:{}", utc(row.start_utc)),
            format!("DTEND:{}", utc(row.end_utc)),
        ),
        EventKind::AllDay => (
            format!("DTSTART;VALUE=DATE:{}", row.start_date?.format("%Y%m%d")),
            format!("DTEND;VALUE=DATE:{}", row.end_date?.format("%Y%m%d")),
        ),
        EventKind::Floating => (
            format!("DTSTART:{}", row.start_local?.format("%Y%m%dT%H%M%S")),
            format!("DTEND:{}", row.end_local?.format("%Y%m%dT%H%M%S")),
        ),
    })
}

fn utc(at: Instant) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

fn person(person: &attendee::Model) -> String {
    let name = person.name.as_deref().map(parameter);
    let name = name.map_or_else(String::new, |name| format!(";CN=\"{name}\""));
    let address: String = person.email.chars().filter(|c| !c.is_control()).collect();
    if person.is_organizer {
        return format!("ORGANIZER{name}:mailto:{address}");
    }
    let role = if person.is_optional {
        "OPT-PARTICIPANT"
    } else {
        "REQ-PARTICIPANT"
    };
    let answer = match person.response {
        AttendeeResponse::NeedsAction => "NEEDS-ACTION;RSVP=TRUE",
        AttendeeResponse::Accepted => "ACCEPTED",
        AttendeeResponse::Declined => "DECLINED",
        AttendeeResponse::Tentative => "TENTATIVE",
    };
    format!("ATTENDEE{name};ROLE={role};PARTSTAT={answer}:mailto:{address}")
}

/// The value of a parameter in quotes, which has no way to write a quote.
fn parameter(text: &str) -> String {
    text.chars()
        .map(|c| if c == '"' { '\'' } else { c })
        .filter(|c| !c.is_control())
        .collect()
}

/// A value of type TEXT.
fn text(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            ';' => escaped.push_str("\\;"),
            ',' => escaped.push_str("\\,"),
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() && c != '\t' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

fn folded(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + line.len() / FOLD * 3 + 2);
    let mut width = 0;
    for c in line.chars() {
        if width + c.len_utf8() > FOLD {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(c);
        width += c.len_utf8();
    }
    out.push_str("\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_add_a_property_and_lines_are_short() {
        assert_eq!(text("a;b,c\\d\r\nATTENDEE:x"), "a\\;b\\,c\\\\d\\nATTENDEE:x");
        assert_eq!(parameter("A \"B\"\r\nX"), "A 'B'X");
        let long = folded(&format!("SUMMARY:{}", "ü".repeat(100)));
        assert!(long.split("\r\n").all(|line| line.len() <= FOLD), "{long}");
        assert_eq!(
            long.replace("\r\n ", ""),
            format!("SUMMARY:{}\r\n", "ü".repeat(100))
        );
    }
}
