//! From a stored event and its exceptions to the occurrences that somebody sees in a window. Pure.
//!
//! Promises: half-open windows; each occurrence once, also when it was moved into the window or out of it; cancelled ones are left out;
//! days and floating times are where the viewer is, and an occurrence is known by the same original start wherever one looks.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::Duration;
use entity::enums::{EventKind, EventStatus, EventTransparency, EventVisibility};
use entity::{calendar_event, event_override};
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use super::model::Event;
use super::recurrence::{self, Budget, PeriodEnd};
use super::rules::MASKED_TITLE;
use super::stored::{Length, Stored, add, start_of, texts, zone_of};
use crate::kernel::time::{Instant, Span};
use crate::kernel::zones;

/// One concrete occurrence of an event, as one viewer may see it.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// The event or series it belongs to.
    pub event: Arc<Event>,
    /// Original start, which identifies it within its series.
    pub original_start: Instant,
    /// First instant.
    pub start: Instant,
    /// Instant just after.
    pub end: Instant,
    /// Whether it covers whole days, which then begin where the viewer is.
    pub is_all_day: bool,
    /// Whether it was changed individually.
    pub is_exception: bool,
    /// Whether its series has more occurrences in the window than were looked for.
    pub is_truncated: bool,
    /// Whether the details of this occurrence alone are not for the viewer.
    pub(super) is_masked: bool,
    pub(super) change: Option<Arc<Change>>,
}

impl Occurrence {
    /// Title, after overrides.
    pub fn title(&self) -> &str {
        if self.is_masked || self.event.is_masked {
            return MASKED_TITLE;
        }
        let own = self.change.as_ref().and_then(|change| change.text("title"));
        own.flatten().unwrap_or(&self.event.row.title)
    }

    /// Location, after overrides.
    pub fn location(&self) -> Option<&str> {
        if self.is_masked || self.event.is_masked {
            return None;
        }
        let own = self.change.as_ref().and_then(|change| change.text("location"));
        own.unwrap_or(self.event.row.location.as_deref())
    }

    /// Whether it is confirmed, after overrides.
    pub fn status(&self) -> EventStatus {
        let own = self.change.as_ref().and_then(|change| change.word("status"));
        own.unwrap_or(self.event.row.status)
    }

    /// Whether it blocks time, after overrides.
    pub fn transparency(&self) -> EventTransparency {
        let own = self
            .change
            .as_ref()
            .and_then(|change| change.word("transparency"));
        own.unwrap_or(self.event.row.transparency)
    }

    /// Whether this occurrence alone is private.
    pub(super) fn is_private(&self) -> bool {
        self.change.as_ref().is_some_and(|change| change.is_private())
    }

    /// The event with the times of this occurrence where the viewer is.
    pub(super) fn as_row(&self, zone: &TimeZone) -> calendar_event::Model {
        let mut row = self.event.row.clone();
        (row.start_utc, row.end_utc) = (self.start, self.end);
        let day = |at| {
            Some(zones::date_to_chrono(
                zones::local_of(zones::from_chrono(at), zone).date(),
            ))
        };
        (row.kind, row.start_date, row.end_date) = match self.is_all_day {
            true => (EventKind::AllDay, day(self.start), day(self.end)),
            false => (EventKind::Timed, None, None),
        };
        row
    }
}

/// A changed or cancelled occurrence, as stored.
#[derive(Clone, Debug)]
pub(super) struct Change(pub(super) event_override::Model);

impl Change {
    /// A text that the change sets or, with the inner `None`, clears; the outer `None` when it leaves it alone.
    fn text(&self, name: &str) -> Option<Option<&str>> {
        self.0.patch.get(name).map(Value::as_str)
    }

    fn word<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        let word = self.0.patch.get(name)?;
        serde_json::from_value(word.clone()).ok()
    }

    fn holds_for_later_ones(&self) -> bool {
        self.0.patch.get("thisAndFuture") == Some(&Value::Bool(true))
    }

    /// Whether this occurrence alone is private.
    pub(super) fn is_private(&self) -> bool {
        self.word("visibility") == Some(EventVisibility::Private)
    }

    /// Whether only the day of the original start is known.
    fn day(&self) -> Option<Date> {
        let text = &self.0.original_start;
        text.parse().ok().filter(|_| !text.contains('T'))
    }

    /// Whether it was moved to days or floating times, which are those of the viewer.
    pub(super) fn is_where_the_viewer_is(&self) -> bool {
        let zone = self.0.patch.get("time").map(|time| time.get("startZone"));
        zone.is_some_and(|zone| zone.is_none_or(Value::is_null))
    }

    /// When the occurrence takes place where the viewer is, if it was moved.
    fn times(&self, viewer: &TimeZone) -> Option<Times> {
        let stored = (self.0.start_utc?, self.0.end_utc?);
        let time = self.0.patch.get("time");
        let text = |name: &str| time.and_then(|time| time.get(name)).and_then(Value::as_str);
        let days = (text("startDate").and_then(date), text("endDate").and_then(date));
        if let (Some(start), Some(end)) = days {
            let (start, end) = (midnight(start, viewer), midnight(end, viewer));
            return Some(Times {
                start,
                end,
                is_all_day: true,
            });
        }
        let walls = (text("startLocal").and_then(wall), text("endLocal").and_then(wall));
        let (start, end) = match (walls, text("startZone")) {
            ((Some(start), Some(end)), None) => {
                let at = |local| zones::to_chrono(zones::to_utc(local, viewer));
                (at(start), at(end).max(at(start)))
            }
            _ => stored,
        };
        Some(Times {
            start,
            end,
            is_all_day: false,
        })
    }
}

fn date(text: &str) -> Option<Date> {
    text.parse().ok()
}

fn wall(text: &str) -> Option<DateTime> {
    text.parse().ok()
}

fn midnight(day: Date, zone: &TimeZone) -> Instant {
    zones::to_chrono(zones::to_utc(day.to_datetime(Time::midnight()), zone))
}

#[derive(Clone, Copy)]
struct Times {
    start: Instant,
    end: Instant,
    is_all_day: bool,
}

impl Times {
    /// An event without length is in the window that starts with it.
    fn is_in(&self, window: Span) -> bool {
        let has_begun = self.end > window.start || self.start == self.end && self.start == window.start;
        self.start < window.end && has_begun
    }
}

/// What somebody wants to see.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// The window.
    pub(super) window: Span,
    /// Where the viewer is.
    pub(super) zone: &'a TimeZone,
    /// How much one series may cost.
    pub(super) budget: Budget,
}

/// The occurrences of one event in a window, in no order, and whether there are more than the budget allowed for.
pub(super) fn occurrences(
    event: &Arc<Event>,
    changes: Vec<Change>,
    view: View<'_>,
) -> (Vec<Occurrence>, bool) {
    let row = &event.row;
    let mut seen = Vec::new();
    if !row.is_recurring {
        if row.status != EventStatus::Cancelled {
            let times = single(row, view.zone);
            push(
                &mut seen,
                event,
                identity_of_single(row),
                times,
                None,
                view.window,
            );
        }
        return (seen, false);
    }
    let stored = Stored::of(row);
    let zone = if row.kind == EventKind::Timed {
        &stored.zone
    } else {
        view.zone
    };
    let lengths = Lengths {
        length: Length::of(row, &stored),
        exactly: row.end_utc - row.start_utc,
        kind: row.kind,
        zone,
        home: &stored.zone,
    };
    let changes: Vec<Arc<Change>> = changes.into_iter().map(Arc::new).collect();
    let mut later: Vec<&Arc<Change>> = changes
        .iter()
        .filter(|change| change.holds_for_later_ones())
        .collect();
    later.sort_by_key(|change| change.0.original_start_utc);
    let mut by_start: HashMap<Instant, &Arc<Change>> = changes
        .iter()
        .map(|change| (change.0.original_start_utc, change))
        .collect();
    let mut by_day: HashMap<Date, &Arc<Change>> = HashMap::new();
    if row.kind == EventKind::Timed {
        by_day.extend(changes.iter().filter_map(|change| Some((change.day()?, change))));
    }

    let reach = reach(row, &stored, &later);
    let from = zones::from_chrono(
        view.window
            .start
            .checked_sub_signed(reach)
            .unwrap_or(view.window.start),
    );
    let to = zones::from_chrono(add(
        view.window.end,
        if later.is_empty() { Duration::zero() } else { reach },
    ));
    let expansion = stored.series_in(zone).expand(from..to, view.budget);
    seen.reserve(expansion.occurrences.len());
    for occurrence in &expansion.occurrences {
        let original = stored.identity(occurrence);
        let before = later.partition_point(|change| change.0.original_start_utc < original);
        let lasting = before.checked_sub(1).and_then(|index| later.get(index)).copied();
        let regular = || match lasting {
            Some(change) => shifted(change, occurrence, &lengths),
            None => lengths.times(occurrence),
        };
        // Most series have no changes, and then nothing needs to be hashed.
        let own = if changes.is_empty() {
            None
        } else {
            by_start
                .remove(&original)
                .or_else(|| by_day.get(&occurrence.local.date()).copied())
        };
        if let Some(change) = own {
            by_start.remove(&change.0.original_start_utc);
            // What has no times of its own is where all others are from there on.
            let times = change.times(view.zone).unwrap_or_else(regular);
            push(&mut seen, event, original, times, Some(change), view.window);
            continue;
        }
        push(&mut seen, event, original, regular(), lasting, view.window);
    }
    // Occurrences that were moved here from elsewhere, or that only their exceptions tell of.
    for (original, change) in by_start {
        let times = change.times(view.zone).unwrap_or(Times {
            start: original,
            end: add(original, row.end_utc - row.start_utc),
            is_all_day: row.kind == EventKind::AllDay,
        });
        push(&mut seen, event, original, times, Some(change), view.window);
    }
    if expansion.truncated {
        seen.iter_mut()
            .for_each(|occurrence| occurrence.is_truncated = true);
    }
    (seen, expansion.truncated)
}

struct Lengths<'a> {
    length: Length,
    exactly: Duration,
    kind: EventKind,
    /// Where the occurrences are.
    zone: &'a TimeZone,
    /// The zone of the series, in which its original starts and changes are stored.
    home: &'a TimeZone,
}

impl Lengths<'_> {
    fn is_all_day(&self) -> bool {
        self.kind == EventKind::AllDay
    }

    fn times(&self, occurrence: &recurrence::Occurrence) -> Times {
        let end = occurrence.end.unwrap_or_else(|| {
            self.length
                .end(occurrence.start, occurrence.local, self.zone, self.exactly)
        });
        Times {
            start: zones::to_chrono(occurrence.start),
            end: zones::to_chrono(end),
            is_all_day: self.is_all_day(),
        }
    }
}

/// An occurrence behind a change that holds for all later ones: as far from its original start as that one is, and as long.
fn shifted(change: &Change, occurrence: &recurrence::Occurrence, lengths: &Lengths<'_>) -> Times {
    let (Some(start), Some(end)) = (change.0.start_utc, change.0.end_utc) else {
        return lengths.times(occurrence);
    };
    let wall = |at: Instant| zones::local_of(zones::from_chrono(at), lengths.home);
    let by = wall(start).duration_since(wall(change.0.original_start_utc));
    let local = occurrence.local.checked_add(by).unwrap_or(occurrence.local);
    let moved = zones::to_utc(local, lengths.zone);
    let length = Length::behind(lengths.kind, (start, end), lengths.home);
    Times {
        start: zones::to_chrono(moved),
        end: zones::to_chrono(length.end(moved, local, lengths.zone, end - start)),
        is_all_day: lengths.is_all_day(),
    }
}

fn push(
    seen: &mut Vec<Occurrence>,
    event: &Arc<Event>,
    original_start: Instant,
    times: Times,
    change: Option<&Arc<Change>>,
    window: Span,
) {
    if change.is_some_and(|change| change.0.cancelled) || !times.is_in(window) {
        return;
    }
    let occurrence = Occurrence {
        event: event.clone(),
        original_start,
        start: times.start,
        end: times.end,
        is_all_day: times.is_all_day,
        is_exception: change.is_some(),
        is_truncated: false,
        is_masked: false,
        change: change.cloned(),
    };
    if occurrence.status() != EventStatus::Cancelled {
        seen.push(occurrence);
    }
}

/// How far before the window an occurrence can start that reaches into it.
pub(super) fn reach(row: &calendar_event::Model, stored: &Stored, later: &[&Arc<Change>]) -> Duration {
    let mut longest = row.end_utc - row.start_utc;
    for addition in &stored.additions {
        let own = match &addition.end {
            // The length of a period with an end of its own; days may have an hour more.
            Some(PeriodEnd::After(span)) => span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok(),
            Some(PeriodEnd::At(end)) => between(addition.start, *end, &stored.zone),
            None => None,
        };
        let own = own.and_then(|own| Duration::try_milliseconds(own.as_millis().try_into().ok()?));
        longest = longest.max(own.unwrap_or(longest));
    }
    for change in later {
        if let (Some(start), Some(end)) = (change.0.start_utc, change.0.end_utc) {
            longest = longest.max((start - change.0.original_start_utc).abs() + (end - start));
        }
    }
    // Wall times keep their length when clocks change, instants do not.
    longest.checked_add(&Duration::hours(26)).unwrap_or(longest)
}

/// The length of the longest occurrence of a series, or more.
pub(super) fn longest(row: &calendar_event::Model) -> Duration {
    if texts(&row.rdates).any(|text| text.contains('/')) {
        reach(row, &Stored::of(row), &[])
    } else {
        row.end_utc - row.start_utc
    }
}

fn between(
    start: recurrence::Moment,
    end: recurrence::Moment,
    zone: &TimeZone,
) -> Option<jiff::SignedDuration> {
    let at = |moment: recurrence::Moment| -> Timestamp {
        match moment {
            recurrence::Moment::Day(day) => zones::to_utc(day.to_datetime(Time::midnight()), zone),
            recurrence::Moment::Local(local) => zones::to_utc(local, zone),
            recurrence::Moment::Instant(at) => at,
        }
    };
    Some(at(end).duration_since(at(start)))
}

/// The original start of an event that is no series.
fn identity_of_single(row: &calendar_event::Model) -> Instant {
    match row.kind {
        EventKind::Timed => row.start_utc,
        EventKind::AllDay | EventKind::Floating => {
            let zone = zone_of(row);
            zones::to_chrono(zones::to_utc(start_of(row, &zone).local(), &zone))
        }
    }
}

/// When a single event takes place where the viewer is.
fn single(row: &calendar_event::Model, viewer: &TimeZone) -> Times {
    let local = |at| zones::to_chrono(zones::to_utc(zones::local_from_chrono(at), viewer));
    let (start, end) = match (
        row.kind,
        row.start_date,
        row.end_date,
        row.start_local,
        row.end_local,
    ) {
        (EventKind::AllDay, Some(start), Some(end), ..) => {
            let day = |day| midnight(zones::date_from_chrono(day), viewer);
            (day(start), day(end))
        }
        (EventKind::Floating, _, _, Some(start), Some(end)) => (local(start), local(end)),
        _ => (row.start_utc, row.end_utc),
    };
    Times {
        start,
        end: end.max(start),
        is_all_day: row.kind == EventKind::AllDay,
    }
}

#[cfg(test)]
mod tests;
