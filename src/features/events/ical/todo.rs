//! VTODO to plain data.
//!
//! Promises: what is wrong with a property costs that property only; times without a zone are those of the reader. Must not know: tasks.

use jiff::{Timestamp, civil, tz::TimeZone};

use super::{
    NotCalendar,
    allowance::Allowances,
    component::{self, Calendar, Component},
    event,
    model::{Moment, Problem},
    moment,
    notes::Notes,
    property::Property,
    rule, value, words,
    zone_book::{Known, ZoneBook},
};
use crate::kernel::zones;

/// More categories than this are not read.
const CATEGORIES_LIMIT: usize = 50;
/// The estimate of work, in minutes, which RFC 5545 has no property for.
pub(super) const MINUTES: &str = "X-MERIDIAN-MINUTES";

/// How far something to do is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TodoStatus {
    /// Not begun.
    NeedsAction,
    /// Begun.
    InProcess,
    /// Done.
    Completed,
    /// Given up.
    Cancelled,
}

/// One VTODO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Todo {
    /// The UID; empty when the text has none.
    pub uid: String,
    /// Title.
    pub summary: Option<String>,
    /// Plain text.
    pub description: Option<String>,
    /// State.
    pub status: TodoStatus,
    /// 1 is most important, 9 least, 0 says nothing.
    pub priority: u8,
    /// Not before this instant.
    pub start: Option<Timestamp>,
    /// Deadline. A day is meant to its end.
    pub due: Option<Timestamp>,
    /// When it was finished.
    pub completed: Option<Timestamp>,
    /// Estimated work in minutes.
    pub minutes: Option<i32>,
    /// Category names.
    pub categories: Vec<String>,
    /// Checked recurrence rule.
    pub rrule: Option<String>,
    /// Revision number.
    pub sequence: i32,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it last changed.
    pub changed: Option<Timestamp>,
}

/// Reads the to-dos of a text. `default_zone` is the IANA name of the zone for times without one.
///
/// # Errors
/// The text is no calendar at all.
pub fn read_todos(text: &str, default_zone: &str) -> Result<(Vec<Todo>, Vec<Problem>), NotCalendar> {
    let default_zone = zones::zone(default_zone).unwrap_or(TimeZone::UTC);
    let default_zone = Known::iana(default_zone).ok_or(NotCalendar::Other)?;
    let mut notes = Notes::default();
    let sorted = component::calendars(text, &mut notes);
    if sorted.list.is_empty() {
        return Err(NotCalendar::of(text));
    }
    let allowances = Allowances::default();
    let mut todos = Vec::new();
    for calendar in &sorted.list {
        todos.extend(of_calendar(calendar, &default_zone, &allowances, &mut notes));
    }
    Ok((todos, notes.into_problems()))
}

fn of_calendar(
    calendar: &Calendar<'_>,
    default_zone: &Known,
    allowances: &Allowances,
    notes: &mut Notes,
) -> Vec<Todo> {
    let mut book = ZoneBook::new(calendar, default_zone, allowances);
    let todos = calendar
        .todos
        .iter()
        .map(|component| one(component, &mut book, &default_zone.rules, notes))
        .collect();
    let ZoneBook { notes: guesses, .. } = book;
    notes.absorb(guesses);
    todos
}

fn one(component: &Component<'_>, book: &mut ZoneBook<'_, '_>, home: &TimeZone, notes: &mut Notes) -> Todo {
    let short = |name: &str| words::short(&text(component, name)?).text;
    let mut time = |name: &str, of_day: civil::Time| {
        let line = component.first(name)?;
        let found = Property::read_time(line).and_then(|property| moment::single(&property, book, notes));
        if found.is_none() {
            notes.add(
                line.number,
                &format!("The time of {name} cannot be read and was ignored."),
            );
        }
        Some(match found? {
            Moment::Date(day) => zones::to_utc(day.to_datetime(of_day), home),
            Moment::Floating(local) => zones::to_utc(local, home),
            Moment::Zoned(time) => time.utc,
        })
    };
    let start = time("DTSTART", civil::Time::midnight());
    let mut due = time("DUE", civil::time(23, 59, 0, 0));
    if let (None, Some(start), Some(line)) = (due, start, component.first("DURATION")) {
        let length = line.value().and_then(value::duration);
        due = length.and_then(|length| {
            let length = jiff::SignedDuration::from_secs(length.as_seconds());
            start.checked_add(length).ok()
        });
    }
    Todo {
        uid: short("UID").unwrap_or_default(),
        summary: short("SUMMARY"),
        description: text(component, "DESCRIPTION").and_then(|text| words::long(&text).text),
        status: status(component),
        priority: number(component, "PRIORITY")
            .and_then(|priority| u8::try_from(priority).ok())
            .filter(|priority| *priority <= 9)
            .unwrap_or(0),
        start,
        due,
        completed: event::instant(component, "COMPLETED"),
        minutes: number(component, MINUTES).and_then(|minutes| i32::try_from(minutes).ok()),
        categories: categories(component),
        rrule: recurrence_rule(component, notes),
        sequence: event::sequence(component),
        created: event::instant(component, "CREATED"),
        changed: event::instant(component, "LAST-MODIFIED").or_else(|| event::instant(component, "DTSTAMP")),
    }
}

fn text(component: &Component<'_>, name: &str) -> Option<String> {
    Property::read(component.first(name)?)?.text()
}

fn number(component: &Component<'_>, name: &str) -> Option<i64> {
    component.first(name)?.value()?.trim().parse().ok()
}

fn status(component: &Component<'_>) -> TodoStatus {
    let word = component.first("STATUS").and_then(|line| line.value());
    match word.unwrap_or_default().trim().to_ascii_uppercase().as_str() {
        "COMPLETED" => TodoStatus::Completed,
        "CANCELLED" | "CANCELED" => TodoStatus::Cancelled,
        "IN-PROCESS" => TodoStatus::InProcess,
        // Some programs only write when it was done.
        _ if component.first("COMPLETED").is_some() => TodoStatus::Completed,
        _ => TodoStatus::NeedsAction,
    }
}

fn categories(component: &Component<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for property in component.all("CATEGORIES").filter_map(Property::read) {
        for name in property.texts().filter_map(|name| words::short(name).text) {
            if names.len() < CATEGORIES_LIMIT && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn recurrence_rule(component: &Component<'_>, notes: &mut Notes) -> Option<String> {
    let line = component.first("RRULE")?;
    match rule::check(line.value().unwrap_or_default()) {
        Ok(rule) => {
            rule.notes.iter().for_each(|note| notes.add(line.number, note));
            Some(rule.text)
        }
        Err(reason) => {
            notes.add(line.number, &format!("{reason} The task was read without it."));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> (Todo, usize) {
        let text =
            format!("BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:1\r\n{lines}\r\nEND:VTODO\r\nEND:VCALENDAR\r\n");
        let (mut todos, problems) =
            read_todos(&text, "Europe/Berlin").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(todos.len(), 1);
        (todos.remove(0), problems.len())
    }

    #[test]
    fn a_day_is_due_at_its_end_where_the_reader_is() {
        let (todo, problems) =
            read("SUMMARY:Pay\\, now\r\nDUE;VALUE=DATE:20260310\r\nPRIORITY:1\r\nCATEGORIES:a,b");
        assert_eq!(
            todo.due.map(|due| due.to_string()).as_deref(),
            Some("2026-03-10T22:59:00Z")
        );
        assert_eq!(
            (todo.summary.as_deref(), todo.priority, problems),
            (Some("Pay, now"), 1, 0)
        );
        assert_eq!(todo.categories, ["a", "b"]);
    }

    #[test]
    fn what_cannot_be_read_costs_itself_only() {
        let (todo, problems) = read("DUE:soon\r\nSTATUS:COMPLETED\r\nPRIORITY:77\r\nRRULE:FREQ=FORTNIGHTLY");
        assert_eq!(
            (todo.due, todo.status, todo.priority),
            (None, TodoStatus::Completed, 0)
        );
        assert_eq!((todo.rrule, problems), (None, 2));
    }

    #[test]
    fn what_is_no_calendar_is_refused() {
        assert_eq!(read_todos("hello", "UTC").err(), Some(NotCalendar::Other));
    }
}
