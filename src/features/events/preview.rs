//! How a rule is understood before anything is stored. Pure.

use super::recurrence::{Budget, Parts, Rule, RuleError, Series, Start};
use super::times::YEARS;
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result, zones};
use chrono::Datelike as _;
use jiff::tz::TimeZone;

/// Most starts of a preview.
const MOST_STARTS: i32 = 50;

/// How a rule is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    rule: Rule,
    zone: TimeZone,
    /// First starts.
    pub starts: Vec<Instant>,
    /// Whether it never ends.
    pub is_infinite: bool,
}

impl Preview {
    /// The rule in words of the language of this tag; the rule itself when it has no simple words.
    pub fn summary(&self, locale: &str) -> String {
        let words = self.rule.summary_in(&self.zone, locale);
        words.unwrap_or_else(|| self.rule.to_string())
    }
}

/// Reads a rule as a new series would, and expands its beginning.
pub fn preview(rule: &str, start: Instant, time_zone: &str, first: i32) -> Result<Preview> {
    if !(1..=MOST_STARTS).contains(&first) {
        return Err(Error::bad_input(format!(
            "`first` must be between 1 and {MOST_STARTS}."
        )));
    }
    if !YEARS.contains(&start.year()) {
        let message = format!(
            "`start` must lie in the years {} to {}.",
            YEARS.start(),
            YEARS.end()
        );
        return Err(Error::bad_input(message));
    }
    let zone = zones::zone(time_zone)
        .ok_or_else(|| Error::bad_input(format!("There is no time zone `{time_zone}`.")))?;
    let refused = |error: RuleError| Error::bad_input(error.to_string());
    let rule = Rule::parse(rule).map_err(refused)?;
    let local = Start::Zoned(zones::local_of(zones::from_chrono(start), &zone));
    rule.check_new(local, &zone).map_err(refused)?;
    let series = Series::new(&Parts {
        rule: Some(&rule),
        ..Parts::new(local, &zone)
    });
    let most = usize::try_from(first).unwrap_or_default();
    let found = series.take(zones::from_chrono(start), most, Budget::default());
    let starts = found.occurrences.iter().map(|one| zones::to_chrono(one.start));
    Ok(Preview {
        starts: starts.collect(),
        is_infinite: rule.is_infinite(),
        rule: rule.clone(),
        zone: zone.clone(),
    })
}
