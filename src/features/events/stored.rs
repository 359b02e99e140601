//! A stored series made ready for the recurrence engine. Pure.
//!
//! Promises: says of a row exactly what is stored, in the terms of the row; a rule that cannot be read any more leaves the first start and
//! the additional ones. Must not know: who looks.

use std::sync::LazyLock;

use chrono::Duration;
use dashmap::DashMap;
use entity::calendar_event;
use entity::enums::{EventKind, EventStatus, EventTransparency, EventVisibility};
use entity::ids::{CalendarEventId, CalendarId, TypedId as _, WorkspaceId};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::recurrence::{Addition, Moment, Occurrence, Parts, Rule, Series, Start};
use crate::kernel::time::Instant;
use crate::kernel::zones;

/// Rules by their texts; `None` where a text is no rule.
static RULES: LazyLock<DashMap<String, Option<Rule>>> = LazyLock::new(DashMap::new);
/// Most of them. When there are more, all are forgotten: those that are used come back at once.
const MOST_KEPT: usize = 1_000;
/// Longer texts are not kept. People's rules are much shorter.
const LONGEST_KEPT: usize = 200;

/// What a row says about its recurrence.
#[derive(Debug)]
pub(super) struct Stored {
    /// Zone of the series.
    pub(super) zone: TimeZone,
    /// First start.
    pub(super) start: Start,
    /// Rule.
    pub(super) rule: Option<Rule>,
    /// Starts beside the rule.
    pub(super) additions: Vec<Addition>,
    /// Starts that do not take place.
    pub(super) exclusions: Vec<Moment>,
}

impl Stored {
    /// Reads a row.
    pub(super) fn of(row: &calendar_event::Model) -> Self {
        let zone = zone_of(row);
        Self {
            start: start_of(row, &zone),
            rule: row.rrule.as_deref().and_then(rule_of),
            additions: texts(&row.rdates).filter_map(|text| text.parse().ok()).collect(),
            exclusions: texts(&row.exdates).filter_map(|text| text.parse().ok()).collect(),
            zone,
        }
    }

    /// The series as it is in its own zone.
    pub(super) fn series(&self) -> Series {
        self.series_in(&self.zone)
    }

    /// The series where somebody is; that matters for days and floating times.
    pub(super) fn series_in(&self, zone: &TimeZone) -> Series {
        Series::new(&Parts {
            rule: self.rule.as_ref(),
            additions: &self.additions,
            exclusions: &self.exclusions,
            ..Parts::new(self.start, zone)
        })
    }

    /// The rule alone, which is what COUNT counts.
    pub(super) fn rule_alone(&self) -> Series {
        Series::new(&Parts {
            rule: self.rule.as_ref(),
            ..Parts::new(self.start, &self.zone)
        })
    }

    /// The original start that identifies an occurrence, whoever looks.
    pub(super) fn identity(&self, occurrence: &Occurrence) -> Instant {
        zones::to_chrono(match self.start {
            Start::Zoned(_) => occurrence.start,
            Start::Day(_) | Start::Floating(_) => zones::to_utc(occurrence.local, &self.zone),
        })
    }
}

/// The rule that a text says. The same few rules come again and again, and to read one takes longer than to use it.
fn rule_of(text: &str) -> Option<Rule> {
    if let Some(known) = RULES.get(text) {
        return known.value().clone();
    }
    let rule = Rule::read(text).ok().map(|(rule, _)| rule);
    if text.len() <= LONGEST_KEPT {
        if RULES.len() >= MOST_KEPT {
            RULES.clear();
        }
        RULES.insert(text.to_owned(), rule.clone());
    }
    rule
}

/// The zone of a stored event.
pub(super) fn zone_of(row: &calendar_event::Model) -> TimeZone {
    zones::stored(&row.time_zone).unwrap_or(TimeZone::UTC)
}

/// The texts of a stored list of starts.
pub(super) fn texts(list: &serde_json::Value) -> impl Iterator<Item = &str> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(serde_json::Value::as_str)
}

/// The first start in the terms of the event.
pub(super) fn start_of(row: &calendar_event::Model, zone: &TimeZone) -> Start {
    let derived = || zones::local_of(zones::from_chrono(row.start_utc), zone);
    let written = row.start_local.map(zones::local_from_chrono);
    match row.kind {
        EventKind::AllDay => {
            let day = row.start_date.map(zones::date_from_chrono);
            Start::Day(day.unwrap_or_else(|| derived().date()))
        }
        EventKind::Floating => Start::Floating(written.unwrap_or_else(derived)),
        EventKind::Timed => {
            let is_own = row.start_zone.as_deref() == Some(row.time_zone.as_str());
            Start::Zoned(written.filter(|_| is_own).unwrap_or_else(derived))
        }
    }
}

/// How the end of an occurrence follows from its start.
#[derive(Debug)]
pub(super) enum Length {
    /// So much later.
    Exactly(Duration),
    /// At a wall time so far from that of the start, in a zone: wall times stay what they are when clocks change.
    Wall(SignedDuration, TimeZone),
    /// So many whole days later.
    Days(SignedDuration),
}

impl Length {
    /// Reads a row.
    pub(super) fn of(row: &calendar_event::Model, stored: &Stored) -> Self {
        let exactly = Self::Exactly(row.end_utc - row.start_utc);
        match (row.kind, row.end_local, row.start_date, row.end_date) {
            (EventKind::AllDay, _, Some(start), Some(end)) => {
                Self::Days(SignedDuration::from_hours((end - start).num_days() * 24))
            }
            (EventKind::Floating, Some(end), ..) => {
                let end = zones::local_from_chrono(end);
                Self::Days(end.duration_since(stored.start.local()))
            }
            (EventKind::Timed, Some(end), ..) => {
                // An end in UTC is an instant that somebody wrote down, not the wall time of a place.
                let zone = match row.end_zone.as_deref() {
                    None | Some("UTC") => None,
                    // Nearly always, and a clone is cheaper than looking a name up. UTC may stand for a zone that nobody knows.
                    Some(name) if name == row.time_zone && stored.zone != TimeZone::UTC => {
                        Some(stored.zone.clone())
                    }
                    Some(name) => zones::stored(name),
                };
                let Some(zone) = zone else { return exactly };
                let end = zones::local_from_chrono(end);
                Self::Wall(end.duration_since(stored.start.local()), zone)
            }
            _ => exactly,
        }
    }

    /// That of the occurrences behind a change that holds for later ones and takes place so; `home` is the zone of the series.
    pub(super) fn behind(kind: EventKind, (start, end): (Instant, Instant), home: &TimeZone) -> Self {
        let wall = |at| zones::local_of(zones::from_chrono(at), home);
        let length = wall(end).duration_since(wall(start));
        match kind {
            EventKind::Timed => Self::Wall(length, home.clone()),
            EventKind::AllDay | EventKind::Floating => Self::Days(length),
        }
    }

    /// The end of an occurrence that starts at `start`, which is `local` where the series is; `zone` is where somebody looks.
    ///
    /// Where a change of clocks moves the start, or would put the end before it, the event keeps its exact length, which is `exactly`.
    pub(super) fn end(
        &self,
        start: Timestamp,
        local: DateTime,
        zone: &TimeZone,
        exactly: Duration,
    ) -> Timestamp {
        let later = |by: Duration| {
            let micros = by.num_microseconds().map(SignedDuration::from_micros);
            let end = micros.and_then(|by| start.checked_add(by).ok());
            // Beyond what can be said.
            end.unwrap_or_else(|| zones::from_chrono(add(zones::to_chrono(start), by)))
        };
        match self {
            Self::Exactly(length) => later(*length),
            Self::Days(length) => {
                let end = local.checked_add(*length).map(|end| zones::to_utc(end, zone));
                end.unwrap_or(start).max(start)
            }
            Self::Wall(length, end_zone) => {
                let closer = || local.checked_add(*length).map(|end| zones::to_utc(end, end_zone));
                let end = zones::plainly_later(local, *length, end_zone).map_or_else(closer, Ok);
                let usual = later(exactly);
                match end {
                    // Nearly always, and then it does not matter whether the start was moved.
                    Ok(end) if end == usual => end,
                    Ok(end) if end > start || exactly.is_zero() && end == start => {
                        let is_moved = zones::local_of(start, zone) != local;
                        if is_moved { usual } else { end }
                    }
                    _ => usual,
                }
            }
        }
    }
}

/// An instant so much later; beyond the calendar it stays where it is.
pub(super) fn add(at: Instant, by: Duration) -> Instant {
    at.checked_add_signed(by).unwrap_or(at)
}

/// An event of this moment about which nothing is known yet; its UID is its id.
pub(super) fn blank(id: CalendarEventId, calendar_id: CalendarId, now: Instant) -> calendar_event::Model {
    calendar_event::Model {
        id,
        // Stamped with the scope's workspace when it is stored.
        workspace_id: WorkspaceId(uuid::Uuid::nil()),
        calendar_id,
        version: 0,
        uid: id.uuid().hyphenated().to_string(),
        title: String::new(),
        description: None,
        location: None,
        conference_url: None,
        kind: EventKind::Timed,
        start_local: None,
        end_local: None,
        start_zone: None,
        end_zone: None,
        start_date: None,
        end_date: None,
        start_utc: now,
        end_utc: now,
        tzdata_version: None,
        time_zone: "UTC".to_owned(),
        status: EventStatus::Confirmed,
        transparency: EventTransparency::Busy,
        visibility: EventVisibility::Default,
        rrule: None,
        rdates: serde_json::json!([]),
        exdates: serde_json::json!([]),
        series_end_utc: None,
        is_recurring: false,
        split_from: None,
        sequence: 0,
        recurrence_id: None,
        organizer_email: None,
        organizer_name: None,
        color: None,
        external_url: None,
        source_ics: None,
        task_id: None,
        booking_id: None,
        created_by: None,
        created_at: now,
        updated_at: now,
    }
}
