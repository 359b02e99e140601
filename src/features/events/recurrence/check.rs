//! What a rule must be for a new series, beyond being well formed.
//!
//! Promises: stricter than the RFC where that protects everybody: a rule that passes cannot flood a calendar. Series from other
//! calendars are not checked here, they are what they are.

use jiff::tz::TimeZone;

use super::ask::Answer;
use super::error::{Reason, RuleError};
use super::expand::Budget;
use super::moment::Moment;
use super::rule::{End, Frequency, Rule};
use super::series::{Parts, Series, Start};

/// Most occurrences a new series may count.
const MOST_COUNTED: u32 = 100_000;

impl Rule {
    /// Checks the rule of a new series that begins with `start`.
    ///
    /// # Errors
    /// The rule repeats too often, ends before it begins, says its end in other terms than the start, or never occurs.
    pub fn check_new(&self, start: Start, zone: &TimeZone) -> Result<(), RuleError> {
        let is_bounded = !self.is_infinite();
        if self.frequency() < Frequency::Hourly || (self.frequency() == Frequency::Hourly && !is_bounded) {
            return Err(RuleError::new("FREQ", Reason::TooFrequent));
        }
        match self.end() {
            End::Never => {}
            End::Count(count) if count > MOST_COUNTED => {
                return Err(RuleError::new(
                    "COUNT",
                    Reason::OutOfRange(1, MOST_COUNTED.into()),
                ));
            }
            End::Count(_) => {}
            End::Until(until) => check_until(until, start, zone)?,
        }
        if let Start::Day(_) = start {
            let is_hourly = self.frequency() < Frequency::Daily;
            let times = [
                ("BYHOUR", &self.hours),
                ("BYMINUTE", &self.minutes),
                ("BYSECOND", &self.seconds),
            ];
            let times = times
                .into_iter()
                .find(|(_, list)| !list.is_empty())
                .map(|(name, _)| name);
            if let Some(part) = is_hourly.then_some("FREQ=HOURLY").or(times) {
                return Err(RuleError::new(part, Reason::Needs("a start with a time")));
            }
        }
        let series = Series::new(&Parts {
            rule: Some(self),
            ..Parts::new(start, zone)
        });
        match series.first(Budget::default()) {
            Answer::None => Err(RuleError::new("", Reason::Never)),
            _ => Ok(()),
        }
    }
}

fn check_until(until: Moment, start: Start, zone: &TimeZone) -> Result<(), RuleError> {
    let wrong = |reason| Err(RuleError::new("UNTIL", reason));
    let is_before = match (start, until) {
        (Start::Day(first), Moment::Day(last)) => last < first,
        (Start::Day(_), _) => return wrong(Reason::OtherKind("a date")),
        (Start::Floating(first), Moment::Local(last)) => last < first,
        // A day is understood wherever it stands: all that starts on it.
        (Start::Floating(first) | Start::Zoned(first), Moment::Day(last)) => last < first.date(),
        (Start::Floating(_), Moment::Instant(_)) => return wrong(Reason::OtherKind("a time without `Z`")),
        (Start::Zoned(first), Moment::Instant(last)) => zone
            .to_timestamp(first)
            .is_ok_and(|first| last.as_second() < first.as_second()),
        (Start::Zoned(first), Moment::Local(last)) => last < first,
    };
    if is_before {
        wrong(Reason::BeforeStart)
    } else {
        Ok(())
    }
}
