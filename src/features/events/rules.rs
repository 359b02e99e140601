//! Decisions about events that need no database.

use std::collections::{BTreeMap, HashSet};

use entity::enums::{AttendeeResponse, EventKind};
use entity::ids::UserId;
use entity::{attendee, calendar_event};
use serde_json::{Value, json};

use super::model::{NewGuest, NewReminder, Occurrences};
use crate::kernel::text::{Checks, MAX_DESCRIPTION, MAX_TITLE};
use crate::kernel::{Error, Result, UserErrorCode, zones};

/// Most guests of one event.
const MAX_GUESTS: usize = 200;
/// Most reminders of one person for one event.
pub(super) const MAX_REMINDERS: usize = 10;
/// Earliest reminder: four weeks before the start.
pub(super) const MAX_MINUTES_BEFORE: i32 = 40_320;
/// Minutes before a timed event when nobody said otherwise.
const USUAL_MINUTES_BEFORE: i32 = 10;

/// What others see of a private event.
pub(super) const MASKED_TITLE: &str = "Busy";

/// Leaves only what a busy block needs.
pub(super) fn mask(row: &mut calendar_event::Model) {
    MASKED_TITLE.clone_into(&mut row.title);
    row.uid.clear();
    let texts = [
        &mut row.description,
        &mut row.location,
        &mut row.conference_url,
        &mut row.organizer_email,
        &mut row.organizer_name,
        &mut row.color,
        &mut row.external_url,
        &mut row.source_ics,
    ];
    texts.into_iter().for_each(|text| *text = None);
    row.task_id = None;
    row.booking_id = None;
    row.created_by = None;
}

/// Checks an event as it would be stored. Paths begin with `input`.
pub(super) fn check(checks: &mut Checks, row: &mut calendar_event::Model) {
    row.title = checks.title("input.title", &row.title, MAX_TITLE);
    let description = row.description.take();
    row.description = description.map(|text| checks.prose("input.description", &text, MAX_DESCRIPTION));
    let location = row.location.take();
    row.location = location.map(|text| checks.prose("input.location", &text, 1_000));
}

/// Checks guests; each address is there once.
pub(super) fn check_guests(checks: &mut Checks, guests: &[NewGuest]) {
    let message = format!("An event has at most {MAX_GUESTS} guests.");
    checks.require(
        guests.len() <= MAX_GUESTS,
        UserErrorCode::TooLong,
        "input.attendees",
        message,
    );
    let mut seen = HashSet::new();
    for (index, guest) in guests.iter().enumerate() {
        let path = format!("input.attendees.{index}");
        let is_new = seen.insert(&guest.email);
        checks.require(
            is_new,
            UserErrorCode::Invalid,
            &format!("{path}.email"),
            "This guest is already in the list.",
        );
        if let Some(name) = &guest.name {
            checks.title(&format!("{path}.name"), name, 200);
        }
    }
}

/// Checks reminders and drops repeated ones.
pub(super) fn reminders(checks: &mut Checks, reminders: &[NewReminder]) -> Vec<NewReminder> {
    let mut seen = HashSet::new();
    let mut clean = Vec::new();
    for (index, reminder) in reminders.iter().enumerate() {
        checks.range(
            &format!("input.reminders.{index}.minutesBefore"),
            reminder.minutes_before,
            0,
            MAX_MINUTES_BEFORE,
        );
        if seen.insert(*reminder) {
            clean.push(*reminder);
        }
    }
    let message = format!("An event has at most {MAX_REMINDERS} reminders.");
    checks.require(
        clean.len() <= MAX_REMINDERS,
        UserErrorCode::TooLong,
        "input.reminders",
        message,
    );
    clean
}

/// Reminders when nobody said otherwise: one for a timed event, none for whole days.
pub(super) fn usual_reminders(kind: EventKind) -> Vec<NewReminder> {
    match kind {
        EventKind::AllDay => Vec::new(),
        EventKind::Timed | EventKind::Floating => vec![NewReminder {
            minutes_before: USUAL_MINUTES_BEFORE,
            channel: entity::enums::NotificationChannel::InApp,
        }],
    }
}

/// Whether the change can be made to these occurrences.
pub(super) fn check_occurrences(row: &calendar_event::Model, occurrences: Occurrences) -> Result<()> {
    let start = match occurrences {
        Occurrences::All(_) => return Ok(()),
        Occurrences::This(start) | Occurrences::ThisAndFollowing(start) => start,
    };
    if !row.is_recurring {
        let message = "This event is not a series. Use the scope `ALL`.";
        return Err(Error::user(UserErrorCode::InvalidState, "scope", message));
    }
    if start.is_none() {
        let message = "Say which occurrence is meant.";
        return Err(Error::user(UserErrorCode::Required, "occurrenceStart", message));
    }
    Ok(())
}

/// The name of a zone for people. A zone without a name, which only imported events have, is shown as the hours it is away
/// from UTC at the start.
pub fn zone_name(row: &calendar_event::Model) -> String {
    if let Some(name) = zones::canonical_name(&row.time_zone) {
        return name;
    }
    let offset =
        zones::stored(&row.time_zone).map(|zone| zone.to_offset(zones::from_chrono(row.start_utc)).seconds());
    match offset {
        // Names of this kind count westwards.
        Some(seconds) if seconds != 0 && seconds % 3_600 == 0 => format!("Etc/GMT{:+}", -seconds / 3_600),
        _ => "UTC".to_owned(),
    }
}

/// Whether the times of the event changed, which makes it another one for guests: SEQUENCE of iCalendar grows.
pub(super) fn is_rescheduled(before: &calendar_event::Model, after: &calendar_event::Model) -> bool {
    let times = |row: &calendar_event::Model| {
        (
            row.kind,
            row.start_utc,
            row.end_utc,
            row.start_date,
            row.end_date,
            row.start_zone.clone(),
            row.end_zone.clone(),
            (row.rrule.clone(), row.rdates.clone(), row.exdates.clone()),
        )
    };
    times(before) != times(after) || before.status != after.status
}

/// The organizer among the people of an event.
pub fn organizer(people: &[attendee::Model]) -> Option<&attendee::Model> {
    people.iter().find(|person| person.is_organizer)
}

/// Everybody else: the guests.
pub fn guests(people: &[attendee::Model]) -> impl Iterator<Item = &attendee::Model> {
    people.iter().filter(|person| !person.is_organizer)
}

/// What this person answered; `None` when they are not invited.
pub fn response_of(people: &[attendee::Model], user_id: Option<UserId>) -> Option<AttendeeResponse> {
    let person = people
        .iter()
        .find(|person| user_id.is_some() && person.user_id == user_id)?;
    Some(person.response)
}

/// Changed fields for the audit log; of texts only the fact.
pub(super) fn audit_diff(before: &calendar_event::Model, after: &calendar_event::Model) -> Value {
    let mut changes = BTreeMap::new();
    let mut note = |field: &'static str, from: Value, to: Value| {
        if from != to {
            changes.insert(field, json!({ "from": from, "to": to }));
        }
    };
    note("calendarId", json!(before.calendar_id), json!(after.calendar_id));
    note("start", json!(before.start_utc), json!(after.start_utc));
    note("end", json!(before.end_utc), json!(after.end_utc));
    note(
        "isAllDay",
        json!(before.kind == EventKind::AllDay),
        json!(after.kind == EventKind::AllDay),
    );
    note("timeZone", json!(before.time_zone), json!(after.time_zone));
    note("rrule", json!(before.rrule), json!(after.rrule));
    note("rdates", before.rdates.clone(), after.rdates.clone());
    note("exdates", before.exdates.clone(), after.exdates.clone());
    note("status", json!(before.status), json!(after.status));
    note(
        "transparency",
        json!(before.transparency),
        json!(after.transparency),
    );
    note("visibility", json!(before.visibility), json!(after.visibility));
    note("color", json!(before.color), json!(after.color));
    let mut touched = |field: &'static str, differs: bool| {
        if differs {
            changes.insert(field, json!({ "changed": true }));
        }
    };
    touched("title", before.title != after.title);
    touched("description", before.description != after.description);
    touched("location", before.location != after.location);
    touched("conferenceUrl", before.conference_url != after.conference_url);
    json!(changes)
}
