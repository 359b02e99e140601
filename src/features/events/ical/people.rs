//! ORGANIZER and ATTENDEE to people.
//!
//! Promises: an unknown word never loses a guest; it falls back to what RFC 5545 says about missing parameters.

use calcard::icalendar::ICalendarParameterName as Param;

use super::{
    component::Component,
    model::{AttendeeKind, AttendeeResponse, AttendeeRole, ParsedAttendee, Person},
    notes::Notes,
    property::Property,
    words,
};

/// More guests than this are not read.
const LIMIT: usize = 1_000;

/// Who invites.
pub(super) fn organizer(component: &Component<'_>) -> Option<Person> {
    let person = person(&Property::read(component.first("ORGANIZER")?)?);
    (person != Person::default()).then_some(person)
}

/// Who is invited; an address that is listed twice counts once.
pub(super) fn attendees(component: &Component<'_>, notes: &mut Notes) -> Vec<ParsedAttendee> {
    let mut guests: Vec<ParsedAttendee> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for line in component.all("ATTENDEE") {
        let Some(guest) = Property::read(line).map(|property| attendee(&property)) else {
            continue;
        };
        if guest.person == Person::default() {
            notes.add(line.number, "A guest without name and address was ignored.");
        } else if guest
            .person
            .email
            .as_ref()
            .is_none_or(|email| seen.insert(email.clone()))
        {
            if guests.len() == LIMIT {
                notes.add(line.number, "Only the first 1,000 guests were read.");
                break;
            }
            guests.push(guest);
        }
    }
    guests
}

fn attendee(property: &Property) -> ParsedAttendee {
    let word = |name: &Param| property.param(name).unwrap_or_default().to_ascii_uppercase();
    ParsedAttendee {
        person: person(property),
        role: match word(&Param::Role).as_str() {
            "CHAIR" => AttendeeRole::Chair,
            "OPT-PARTICIPANT" => AttendeeRole::Optional,
            "NON-PARTICIPANT" => AttendeeRole::Informed,
            _ => AttendeeRole::Required,
        },
        response: match word(&Param::Partstat).as_str() {
            "ACCEPTED" => AttendeeResponse::Accepted,
            "DECLINED" => AttendeeResponse::Declined,
            "TENTATIVE" => AttendeeResponse::Tentative,
            _ => AttendeeResponse::NeedsAction,
        },
        kind: match word(&Param::Cutype).as_str() {
            "GROUP" => AttendeeKind::Group,
            "RESOURCE" => AttendeeKind::Resource,
            "ROOM" => AttendeeKind::Room,
            _ => AttendeeKind::Individual,
        },
        rsvp: word(&Param::Rsvp) == "TRUE",
    }
}

fn person(property: &Property) -> Person {
    let email = words::email(property.raw()).or_else(|| {
        property
            .param(&Param::Email)
            .and_then(|address| words::email(&address))
    });
    let name = property
        .param(&Param::Cn)
        .and_then(|name| words::short(&uncaret(&name)).text);
    // Many programs repeat the address as the name.
    let name = name.filter(|name| words::email(name).is_none() || words::email(name) != email);
    Person { email, name }
}

/// Undoes the escapes of parameter values (RFC 6868).
fn uncaret(text: &str) -> String {
    if !text.contains('^') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let replaced = match (letter, letters.peek()) {
            ('^', Some('n')) => '\n',
            ('^', Some('\'')) => '"',
            ('^', Some('^')) => '^',
            _ => {
                plain.push(letter);
                continue;
            }
        };
        letters.next();
        plain.push(replaced);
    }
    plain
}
