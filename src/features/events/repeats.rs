//! The recurrence of a stored series as people read it, and the text form of its additional and removed starts. Pure; expands nothing.
//!
//! Starts are stored as text in the terms of the series: `2026-03-02` is a day, `2026-03-02T09:00:00` a wall time in the zone of the
//! series, `2026-03-02T08:00:00Z` an instant that wall time cannot say; `/PT90M` behind it is a length of its own.

use entity::calendar_event;
use jiff::{Timestamp, civil, tz::TimeZone};

use super::recurrence::{Budget, Rule, chosen_dates};
use super::stored::Stored;
use crate::kernel::time::Instant;
use crate::kernel::zones;

/// What repeats, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    /// Rule without prefix.
    pub rule: String,
    /// What the rule says, with its zone; `None` when it cannot be read or only lists its starts.
    read: Option<(Rule, TimeZone)>,
    /// Whether there is no rule: the series only lists its starts.
    is_list: bool,
    /// Starts beside the rule.
    pub additional: Vec<Instant>,
    /// Starts that the rule gives and that do not take place.
    pub excluded: Vec<Instant>,
    /// The last start; `None` when the series never ends.
    pub last_start: Option<Instant>,
}

impl Recurrence {
    /// The rule in words of the language of this tag; the rule itself when it has no simple words.
    pub fn summary(&self, locale: &str) -> String {
        if self.is_list {
            return chosen_dates(locale).to_owned();
        }
        let words = self.read.as_ref();
        let words = words.and_then(|(rule, zone)| rule.summary_in(zone, locale));
        words.unwrap_or_else(|| self.rule.clone())
    }
}

/// The recurrence of a series; `None` for single events.
pub fn recurrence(row: &calendar_event::Model) -> Option<Recurrence> {
    if !row.is_recurring {
        return None;
    }
    let zone = zones::stored(&row.time_zone).unwrap_or(TimeZone::UTC);
    // A series that only lists its starts: this rule gives the first of them and no other.
    let rule = row
        .rrule
        .clone()
        .unwrap_or_else(|| "FREQ=DAILY;COUNT=1".to_owned());
    let read = row.rrule.as_deref().and_then(|rule| Rule::read(rule).ok());
    let starts = |list: &serde_json::Value| -> Vec<Instant> {
        let texts = list
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(serde_json::Value::as_str);
        texts.filter_map(|text| instant(text, row, &zone)).collect()
    };
    Some(Recurrence {
        rule,
        read: read.map(|(rule, _)| (rule, zone.clone())),
        is_list: row.rrule.is_none(),
        additional: starts(&row.rdates),
        excluded: starts(&row.exdates),
        last_start: last_start(row),
    })
}

/// The start of the last occurrence, whatever became of it; `None` when there is none, or none within reach.
fn last_start(row: &calendar_event::Model) -> Option<Instant> {
    let stored = Stored::of(row);
    let last = stored.series().last(Budget::default()).found()?;
    Some(stored.identity(&last))
}

/// The instant that a stored start stands for. A day in a timed series means the occurrence of that day.
fn instant(text: &str, row: &calendar_event::Model, zone: &TimeZone) -> Option<Instant> {
    let start = text.split('/').next()?;
    if let Ok(instant) = start.parse::<Timestamp>() {
        return Some(zones::to_chrono(instant));
    }
    let local = match start.parse::<civil::DateTime>() {
        Ok(local) if start.contains('T') => local,
        _ => {
            let time = row.start_local.map_or(civil::Time::midnight(), |local| {
                zones::local_from_chrono(local).time()
            });
            start.parse::<civil::Date>().ok()?.to_datetime(time)
        }
    };
    Some(zones::to_chrono(zones::to_utc(local, zone)))
}

/// The text of a wall time, or of the instant when it is the second pass of an hour, which wall time cannot say.
pub(super) fn text(local: civil::DateTime, utc: Timestamp, zone: &TimeZone) -> String {
    if zones::to_utc(local, zone) == utc {
        local.to_string()
    } else {
        utc.to_string()
    }
}
