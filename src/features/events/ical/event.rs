//! One VEVENT to a `ParsedEvent`.
//!
//! Promises: whatever is wrong with a property costs that property only; just an event without a readable start is
//! refused. Must not know: other components of the same object.

use super::{
    alarm,
    component::Component,
    exrule, link,
    model::{EventStatus, EventTime, Moment, ParsedEvent, Transparency, Visibility},
    moment,
    notes::Notes,
    people,
    property::Property,
    rule, span, value, words,
    zone_book::ZoneBook,
};

/// More single dates than this are not read.
const DATES_LIMIT: usize = 5_000;
/// More categories than this are not read.
const CATEGORIES_LIMIT: usize = 50;

/// Reads an event; the error completes the sentence "The event was left out because …".
pub(super) fn read(
    component: &Component<'_>,
    original: Option<&Moment>,
    book: &mut ZoneBook<'_, '_>,
    notes: &mut Notes,
) -> Result<ParsedEvent, String> {
    let time = span::read(component, original, book, notes)?;
    let summary = text(component, "SUMMARY", words::short, notes);
    let description = text(component, "DESCRIPTION", words::long, notes);
    let location = text(component, "LOCATION", words::short, notes);
    let link = component.first("URL").and_then(|line| line.value());
    let conference_url = link::conference(component, [location.as_deref(), link, description.as_deref()]);
    let rrule = recurrence_rule(component, notes);
    let rdates = extra_dates(component, &time, book, notes);
    let mut exdates = excluded_dates(component, &time, book, notes);
    let terms = (&time, rrule.as_deref(), &rdates[..]);
    let excluded = exrule::read(component, terms, book, notes);
    exdates.extend(excluded.dates);
    Ok(ParsedEvent {
        url: link.and_then(words::web_link),
        conference_url,
        status: status(component),
        transparency: transparency(component),
        visibility: visibility(component),
        rrule: excluded.rule.or(rrule),
        rdates,
        exdates,
        sequence: sequence(component),
        organizer: people::organizer(component),
        attendees: people::attendees(component, notes),
        categories: categories(component),
        color: color(component),
        alarms: alarm::read(component, &time),
        created: instant(component, "CREATED"),
        last_modified: instant(component, "LAST-MODIFIED"),
        summary,
        description,
        location,
        time,
    })
}

/// Revision number; 0 when missing.
pub(super) fn sequence(component: &Component<'_>) -> i32 {
    let number = word(component, "SEQUENCE")
        .and_then(|number| number.parse::<i64>().ok())
        .unwrap_or(0);
    i32::try_from(number.max(0)).unwrap_or(i32::MAX)
}

/// A property in UTC, such as LAST-MODIFIED. Without `Z` it is in UTC all the same.
pub(super) fn instant(component: &Component<'_>, name: &str) -> Option<jiff::Timestamp> {
    let raw = value::time(component.first(name)?.value()?)?;
    raw.offset
        .unwrap_or(jiff::tz::Offset::UTC)
        .to_timestamp(raw.local())
        .ok()
}

fn text(
    component: &Component<'_>,
    name: &str,
    clean: fn(&str) -> words::Clean,
    notes: &mut Notes,
) -> Option<String> {
    let line = component.first(name)?;
    let clean = clean(&Property::read(line)?.text()?);
    if clean.is_cut {
        notes.add(
            line.number,
            &format!("The text of {name} is too long and was cut."),
        );
    }
    clean.text
}

/// A value that is one word, in capitals.
fn word(component: &Component<'_>, name: &str) -> Option<String> {
    let word = component.first(name)?.value()?.trim().to_ascii_uppercase();
    (!word.is_empty()).then_some(word)
}

fn status(component: &Component<'_>) -> EventStatus {
    match word(component, "STATUS").as_deref() {
        Some("CANCELLED" | "CANCELED") => EventStatus::Cancelled,
        Some("TENTATIVE") => EventStatus::Tentative,
        _ => EventStatus::Confirmed,
    }
}

fn transparency(component: &Component<'_>) -> Transparency {
    match (
        word(component, "TRANSP").as_deref(),
        word(component, "X-MICROSOFT-CDO-BUSYSTATUS").as_deref(),
    ) {
        (Some("TRANSPARENT"), _) | (None, Some("FREE")) => Transparency::Free,
        _ => Transparency::Busy,
    }
}

/// A class that is not known counts as private (RFC 5545 3.8.1.3).
fn visibility(component: &Component<'_>) -> Visibility {
    match word(component, "CLASS").as_deref() {
        None => Visibility::Default,
        Some("PUBLIC") => Visibility::Public,
        Some(_) => Visibility::Private,
    }
}

fn recurrence_rule(component: &Component<'_>, notes: &mut Notes) -> Option<String> {
    let mut rules = component.all("RRULE");
    let line = rules.next()?;
    if let Some(second) = rules.next() {
        notes.add(second.number, "Only the first recurrence rule was read.");
    }
    match rule::check(line.value().unwrap_or_default()) {
        Ok(rule) => {
            rule.notes.iter().for_each(|note| notes.add(line.number, note));
            Some(rule.text)
        }
        Err(reason) => {
            notes.add(
                line.number,
                &format!("{reason} Only the first occurrence was read."),
            );
            None
        }
    }
}

fn extra_dates(
    component: &Component<'_>,
    time: &EventTime,
    book: &mut ZoneBook<'_, '_>,
    notes: &mut Notes,
) -> Vec<super::model::ExtraDate> {
    let mut dates = Vec::new();
    for line in component.all("RDATE") {
        let Some(property) = Property::read_time(line) else {
            continue;
        };
        let (found, wrong) = moment::extras(&property, book, notes);
        note_wrong_dates(wrong, line.number, notes);
        dates.extend(found);
    }
    limit_dates(&mut dates, notes);
    for extra in &mut dates {
        extra.start = moment::aligned(&extra.start, time);
        // A period is one of times: days have nowhere to say a length of their own.
        extra.duration = extra.duration.filter(|_| !matches!(extra.start, Moment::Date(_)));
    }
    dates
}

fn excluded_dates(
    component: &Component<'_>,
    time: &EventTime,
    book: &mut ZoneBook<'_, '_>,
    notes: &mut Notes,
) -> Vec<Moment> {
    let mut dates = Vec::new();
    for line in component.all("EXDATE") {
        let Some(property) = Property::read_time(line) else {
            continue;
        };
        let (found, wrong) = moment::list(&property, book, notes);
        note_wrong_dates(wrong, line.number, notes);
        dates.extend(found);
    }
    limit_dates(&mut dates, notes);
    // A date excludes the occurrence of that day, whatever its time; it stays a date.
    dates
        .iter_mut()
        .filter(|date| !matches!(date, Moment::Date(_)))
        .for_each(|date| *date = moment::aligned(date, time));
    dates
}

fn note_wrong_dates(wrong: usize, line: u32, notes: &mut Notes) {
    if wrong > 0 {
        notes.add(
            line,
            &format!("{wrong} dates of this line cannot be read and were ignored."),
        );
    }
}

fn limit_dates<T>(dates: &mut Vec<T>, notes: &mut Notes) {
    if dates.len() > DATES_LIMIT {
        dates.truncate(DATES_LIMIT);
        notes.add(None, "Only the first 5,000 single dates of the series were read.");
    }
}

fn categories(component: &Component<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for property in component
        .all("CATEGORIES")
        .filter_map(Property::read)
        .take(CATEGORIES_LIMIT)
    {
        for name in property.texts().filter_map(|name| words::short(name).text) {
            if names.len() < CATEGORIES_LIMIT && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn color(component: &Component<'_>) -> Option<String> {
    ["COLOR", "X-APPLE-CALENDAR-COLOR", "X-OUTLOOK-COLOR"]
        .iter()
        .find_map(|name| words::color(component.first(name)?.value()?))
}
