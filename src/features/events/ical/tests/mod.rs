//! Tests of reading as a whole; each small reader has its own beside it.

mod details;
mod objects;
mod robust;
mod times;
mod vectors;
mod zones;

use super::{EventTime, Moment, ParsedEvent, ParsedFeed, ParsedObject, read};

/// A calendar around some lines.
fn calendar(lines: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Test//EN\n{lines}\nEND:VCALENDAR\n")
}

/// A feed that holds some lines, read for somebody in Berlin.
fn feed(lines: &str) -> ParsedFeed {
    read(&calendar(lines), "Europe/Berlin").expect("a calendar")
}

/// The only object of a text.
fn object(text: &str) -> ParsedObject {
    let mut feed = read(text, "Europe/Berlin").expect("a calendar");
    assert_eq!(feed.objects.len(), 1, "{:?}", feed.problems);
    feed.objects.remove(0)
}

/// The object of one event made of some lines.
fn event_object(lines: &str) -> ParsedObject {
    object(&calendar(&format!("BEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT")))
}

/// The one event made of some lines, which must be sound.
fn event(lines: &str) -> ParsedEvent {
    let object = event_object(lines);
    assert_eq!(object.warnings, []);
    object.master.expect("a master")
}

/// The one event made of some lines, and what was noted about it.
fn noted(lines: &str) -> (ParsedEvent, Vec<String>) {
    let object = event_object(lines);
    let notes = object
        .warnings
        .into_iter()
        .map(|warning| warning.message)
        .collect();
    (object.master.expect("a master"), notes)
}

/// A time in short: kind, start, end.
fn show(time: &EventTime) -> String {
    match time {
        EventTime::AllDay { start, end } => format!("days {start} {end}"),
        EventTime::Floating { start, end } => format!("floating {start} {end}"),
        EventTime::Timed { start, end } => {
            let (start_zone, end_zone) = (start.zone.stored_name(), end.zone.stored_name());
            format!(
                "{} {start_zone} {} {end_zone} = {} {}",
                start.local, end.local, start.utc, end.utc
            )
        }
    }
}

/// A moment in short.
fn show_moment(moment: &Moment) -> String {
    match moment {
        Moment::Date(date) => date.to_string(),
        Moment::Floating(local) => local.to_string(),
        Moment::Zoned(time) => format!("{} {} = {}", time.local, time.zone.stored_name(), time.utc),
    }
}
