//! One occurrence as an event of its own: with the times that it has in its series, by what holds for later ones, or by its exception. Pure.

use std::collections::HashMap;

use entity::enums::EventKind;
use entity::{calendar_event, event_override};
use jiff::civil::DateTime;

use super::model::When;
use super::recurrence::Budget;
use super::remake::{holds_for_later_ones, original_local_of, set_start};
use super::stored::{Length, Stored, texts};
use super::times;
use crate::kernel::time::Instant;
use crate::kernel::zones;

/// A series from which many occurrences are placed: long lists of dates are not read again for each of them.
pub(super) struct Many {
    bare: calendar_event::Model,
    /// Additional starts with a length of their own, by what is written of the start.
    periods: HashMap<String, String>,
}

impl Many {
    pub(super) fn of(row: &calendar_event::Model) -> Self {
        let period = |text: &str| Some((text.split_once('/')?.0.to_owned(), text.to_owned()));
        let periods = texts(&row.rdates).filter_map(period).collect();
        let mut bare = row.clone();
        bare.rrule = None;
        (bare.rdates, bare.exdates) = (serde_json::json!([]), serde_json::json!([]));
        (bare.description, bare.source_ics) = (None, None);
        Self { bare, periods }
    }

    /// The series as far as it says when the occurrence with this original start takes place.
    pub(super) fn series(&self, original_start: &str) -> calendar_event::Model {
        let mut row = self.bare.clone();
        row.rdates = self.periods.get(original_start).cloned().into_iter().collect();
        row
    }
}

/// The event with the times of one of its occurrences.
pub(super) fn at_occurrence(row: &calendar_event::Model, local: DateTime) -> calendar_event::Model {
    let stored = Stored::of(row);
    let mut copy = row.clone();
    let exactly = row.end_utc - row.start_utc;
    let (length, exactly) = match period(&stored, local) {
        Some(own) => (Length::Exactly(own), own),
        None => (Length::of(row, &stored), exactly),
    };
    set_start(&mut copy, local, &stored, &length, exactly);
    copy
}

/// The length of an additional start that has one of its own.
fn period(stored: &Stored, local: DateTime) -> Option<chrono::Duration> {
    stored.additions.iter().find(|one| one.end.is_some())?;
    let at = zones::to_utc(local, &stored.zone);
    let found = stored.series().take(at, 1, Budget::default());
    let one = found.occurrences.first().filter(|one| one.start == at)?;
    Some(zones::to_chrono(one.end?) - zones::to_chrono(one.start))
}

/// The event with the times that one of its occurrences has by what was said before it for all later ones, and not by what is its own.
pub(super) fn at_following(
    row: &calendar_event::Model,
    changes: &[event_override::Model],
    at: Instant,
    local: DateTime,
) -> calendar_event::Model {
    let lasting = changes
        .iter()
        .filter(|change| holds_for_later_ones(change) && change.original_start_utc < at);
    match lasting.max_by_key(|change| change.original_start_utc) {
        Some(lasting) => shifted_by(row, lasting, local),
        None => at_occurrence(row, local),
    }
}

/// The event with the times that one of its occurrences has as it is shown.
pub(super) fn as_shown(
    row: &calendar_event::Model,
    changes: &[event_override::Model],
    at: Instant,
    local: DateTime,
) -> calendar_event::Model {
    let mut placed = at_following(row, changes, at, local);
    let own = changes.iter().find(|change| change.original_start_utc == at);
    if let Some((own, start, end)) = own.and_then(|own| Some((own, own.start_utc?, own.end_utc?))) {
        read_times(&mut placed, start, end, &own.patch);
    }
    placed
}

/// The event as an exception, which is one of these, makes one of its occurrences.
pub(super) fn changed(
    row: &calendar_event::Model,
    changes: &[event_override::Model],
    exception: &event_override::Model,
) -> calendar_event::Model {
    let local = original_local_of(exception, row);
    let mut shown = at_following(row, changes, exception.original_start_utc, local);
    if let (Some(start), Some(end)) = (exception.start_utc, exception.end_utc) {
        read_times(&mut shown, start, end, &exception.patch);
    }
    read_fields(&mut shown, &exception.patch);
    shown
}

/// The event with the times of an occurrence for which the exception holds.
pub(super) fn shifted_by(
    row: &calendar_event::Model,
    lasting: &event_override::Model,
    local: DateTime,
) -> calendar_event::Model {
    let mut placed = at_occurrence(row, local);
    if let (Some(start), Some(end)) = (lasting.start_utc, lasting.end_utc) {
        let stored = Stored::of(row);
        let wall = |at: Instant| zones::local_of(zones::from_chrono(at), &stored.zone);
        let by = wall(start).duration_since(wall(lasting.original_start_utc));
        let moved = local.checked_add(by).unwrap_or(local);
        let length = Length::behind(row.kind, (start, end), &stored.zone);
        set_start(&mut placed, moved, &stored, &length, end - start);
    }
    placed
}

/// Gives a row the fields that an exception holds, its times aside.
pub(super) fn read_fields(row: &mut calendar_event::Model, patch: &serde_json::Value) {
    let texts = [
        ("description", &mut row.description),
        ("location", &mut row.location),
        ("conferenceUrl", &mut row.conference_url),
        ("color", &mut row.color),
    ];
    for (name, field) in texts {
        if let Some(value) = patch.get(name) {
            *field = value.as_str().map(str::to_owned);
        }
    }
    if let Some(title) = patch["title"].as_str() {
        title.clone_into(&mut row.title);
    }
    row.status = word(patch, "status").unwrap_or(row.status);
    row.transparency = word(patch, "transparency").unwrap_or(row.transparency);
    row.visibility = word(patch, "visibility").unwrap_or(row.visibility);
}

fn word<T: serde::de::DeserializeOwned>(patch: &serde_json::Value, name: &str) -> Option<T> {
    serde_json::from_value(patch.get(name)?.clone()).ok()
}

/// Gives a row the times that an exception holds.
pub(super) fn read_times(
    row: &mut calendar_event::Model,
    start: Instant,
    end: Instant,
    patch: &serde_json::Value,
) {
    let day = |name: &str| -> Option<chrono::NaiveDate> { patch["time"][name].as_str()?.parse().ok() };
    let when = match (day("startDate"), day("endDate")) {
        (Some(start), Some(end)) => When::AllDay { start, end },
        _ => When::Timed { start, end },
    };
    times::store(row, when);
}

/// Times as the patch of an occurrence holds them.
pub(super) fn time_patch(row: &calendar_event::Model) -> serde_json::Value {
    let local = |at: Option<chrono::NaiveDateTime>| {
        at.map(|at| zones::local_from_chrono(at).to_string())
            .unwrap_or_default()
    };
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    match row.kind {
        EventKind::AllDay => {
            serde_json::json!({ "startDate": day(row.start_date), "endDate": day(row.end_date) })
        }
        EventKind::Floating => {
            serde_json::json!({ "startLocal": local(row.start_local), "endLocal": local(row.end_local) })
        }
        EventKind::Timed => serde_json::json!({
            "startLocal": local(row.start_local), "startZone": row.start_zone,
            "endLocal": local(row.end_local), "endZone": row.end_zone,
        }),
    }
}

#[cfg(test)]
mod tests;
