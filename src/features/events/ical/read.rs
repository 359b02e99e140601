//! A whole text to a `ParsedFeed`: calendars, objects grouped by UID, texts and hashes.
//!
//! Promises: linear time in the length of the text; one broken component costs only itself. Must not know: where the
//! text came from.

use std::collections::HashMap;

use super::{
    NotCalendar,
    allowance::Allowances,
    canonical,
    component::{self, Calendar, Component},
    line,
    model::{ParsedFeed, ParsedObject},
    notes::Notes,
    object,
    property::Property,
    value, words,
    zone_book::{Known, ZoneBook},
};
use crate::kernel::zones;

/// Longest UID that is stored as it is, in bytes.
const UID_LIMIT: usize = 500;
/// Longest VTIMEZONE that is copied into the text of every object that uses it, in bytes.
const ZONE_LIMIT: usize = 4 * 1024;

/// Reads the text of one CalDAV object or of a whole feed.
///
/// `default_zone` is the IANA name of the zone for times whose own zone cannot be found out, normally the owner's;
/// UTC stands in for a name that is not known.
///
/// # Errors
/// The text is no calendar at all. A calendar without events is not an error.
pub fn read(text: &str, default_zone: &str) -> Result<ParsedFeed, NotCalendar> {
    if !is_calendar(text) {
        return Err(NotCalendar::of(text));
    }
    let default_zone = zones::zone(default_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let default_zone = Known::iana(default_zone).ok_or(NotCalendar::Other)?;
    let mut notes = Notes::default();
    let sorted = component::calendars(text, &mut notes);
    let allowances = Allowances::default();
    let mut books: Vec<ZoneBook<'_, '_>> = sorted
        .list
        .iter()
        .map(|calendar| ZoneBook::new(calendar, &default_zone, &allowances))
        .collect();
    let mut feed = head(&sorted.list, &books);
    feed.is_complete = sorted.is_complete;

    let groups = group(&sorted.list, &mut notes);
    let is_single = groups.len() == 1 && sorted.list.len() == 1;
    let is_cancel = feed.method.as_deref() == Some("CANCEL");
    for (uid, components) in groups {
        let draft = object::read(&uid, &components, &mut books, is_cancel);
        for (line, reason) in &draft.refused {
            let mut refused = Notes::about(&uid);
            refused.add(*line, &format!("The event was left out because {reason}."));
            notes.absorb(refused);
        }
        if !draft.refused.is_empty() {
            feed.unreadable.push(uid.clone());
        }
        if draft.kept.is_empty() {
            continue;
        }
        let is_whole = is_single && draft.kept.len() == components.len() && sorted.is_complete;
        let calendar = components.first().map_or(0, |(_, calendar)| *calendar);
        feed.objects.push(ParsedObject {
            text: if is_whole {
                text.to_owned()
            } else {
                object_text(text, &draft.kept, &sorted.list[calendar], &books[calendar])
            },
            hash: canonical::hash(&draft.kept),
            uid,
            master: draft.master,
            overrides: draft.overrides,
            warnings: draft.notes.into_problems(),
        });
    }
    books.into_iter().for_each(|book| notes.absorb(book.notes));
    feed.problems = notes.into_problems();
    Ok(feed)
}

fn is_calendar(text: &str) -> bool {
    line::lines(text).filter(|line| line.is("BEGIN")).any(|line| {
        let kind = line.value().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("VCALENDAR") || kind.eq_ignore_ascii_case("VEVENT")
    })
}

/// What the calendars say about themselves; the first to say something is heard.
fn head(calendars: &[Calendar<'_>], books: &[ZoneBook<'_, '_>]) -> ParsedFeed {
    let line = |name: &str| calendars.iter().find_map(|calendar| calendar.first(name));
    let text = |name: &str| Property::read(line(name)?)?.text();
    let refresh = ["REFRESH-INTERVAL", "X-PUBLISHED-TTL"]
        .iter()
        .find_map(|name| value::duration(line(name)?.value()?));
    ParsedFeed {
        name: text("X-WR-CALNAME")
            .or_else(|| text("NAME"))
            .and_then(|name| words::short(&name).text),
        description: text("X-WR-CALDESC")
            .or_else(|| text("DESCRIPTION"))
            .and_then(|text| words::long(&text).text),
        color: ["COLOR", "X-APPLE-CALENDAR-COLOR", "X-OUTLOOK-COLOR"]
            .iter()
            .find_map(|name| words::color(line(name)?.value()?)),
        time_zone: books.iter().find_map(ZoneBook::calendar_zone_name),
        method: line("METHOD")
            .and_then(|line| line.value())
            .map(|method| method.trim().to_ascii_uppercase()),
        refresh_minutes: refresh
            .map(|every| every.as_seconds() / 60)
            .and_then(|minutes| u32::try_from(minutes).ok()),
        objects: Vec::new(),
        problems: Vec::new(),
        unreadable: Vec::new(),
        ignored: calendars.iter().map(|calendar| calendar.ignored).sum(),
        is_complete: true,
    }
}

type Group<'c, 't> = (String, Vec<(&'c Component<'t>, usize)>);

/// Events by UID, in the order in which the UIDs appear, each with the index of its calendar.
fn group<'c, 't>(calendars: &'c [Calendar<'t>], notes: &mut Notes) -> Vec<Group<'c, 't>> {
    let mut groups: Vec<Group<'c, 't>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (index, calendar) in calendars.iter().enumerate() {
        for event in &calendar.events {
            let uid = uid(event, notes);
            let place = *places.entry(uid.clone()).or_insert(groups.len());
            if place == groups.len() {
                groups.push((uid, Vec::new()));
            }
            groups[place].1.push((event, index));
        }
    }
    groups
}

fn uid(event: &Component<'_>, notes: &mut Notes) -> String {
    let uid = event
        .first("UID")
        .and_then(Property::read)
        .and_then(|property| property.text());
    let uid = uid.and_then(|uid| words::short(&uid).text).unwrap_or_default();
    if !uid.is_empty() && uid.len() <= UID_LIMIT {
        return uid;
    }
    let message = if uid.is_empty() {
        "The event has no UID; one was made from its content, so that a later change looks like another event."
    } else {
        "The UID is too long; one was made from the content of the event."
    };
    notes.add(event.number, message);
    let hash = canonical::hash(&[event]);
    let hash: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("content-{hash}")
}

/// A calendar that holds just these components, unchanged, and the zones they use.
fn object_text(
    input: &str,
    kept: &[&Component<'_>],
    calendar: &Calendar<'_>,
    book: &ZoneBook<'_, '_>,
) -> String {
    let raw = |name: &str| {
        calendar
            .first(name)
            .and_then(|line| input.get(line.start..line.end))
    };
    let mut text = String::from("BEGIN:VCALENDAR\r\n");
    for (name, fallback) in [
        ("VERSION", "VERSION:2.0"),
        ("PRODID", "PRODID:-//Meridian//Meridian//EN"),
        ("CALSCALE", "CALSCALE:GREGORIAN"),
    ] {
        text.push_str(
            raw(name)
                .filter(|line| line.len() < ZONE_LIMIT)
                .unwrap_or(fallback),
        );
        text.push_str("\r\n");
    }
    let mut written: Vec<String> = Vec::new();
    for line in kept
        .iter()
        .flat_map(|component| &component.lines)
        .filter(|line| line.text().len() < ZONE_LIMIT)
    {
        let is_time = ["DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"]
            .iter()
            .any(|name| line.is(name));
        let Some(tzid) = is_time
            .then(|| Property::read_time(line))
            .flatten()
            .and_then(|property| property.zone())
        else {
            continue;
        };
        let definition = book.definition(&tzid).filter(|zone| zone.len() <= ZONE_LIMIT);
        if let Some(zone) = definition.filter(|_| written.len() < 10 && !written.contains(&tzid)) {
            zone.write_text(input, &mut text);
            written.push(tzid);
        }
    }
    kept.iter()
        .for_each(|component| component.write_text(input, &mut text));
    text.push_str("END:VCALENDAR\r\n");
    text
}
