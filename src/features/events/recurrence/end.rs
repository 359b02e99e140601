//! The end of a rule in the terms of its series, as RFC 5545 3.3.10 asks for it: a day for days, a wall time for floating times, and an
//! instant for times with a zone. Other programs take an end in other terms for another one, or refuse it.
//!
//! Promises: the series ends with the same occurrence.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::moment::Moment;
use super::rule::{End, Rule};
use super::series::Start;

impl Rule {
    /// The same rule with its end in the terms of a start.
    #[must_use]
    pub fn ending_as(mut self, start: Start, zone: &TimeZone) -> Self {
        if let End::Until(until) = self.end {
            self.end = End::Until(in_terms_of(until, start, zone));
        }
        self
    }
}

fn in_terms_of(until: Moment, start: Start, zone: &TimeZone) -> Moment {
    let local = match (start, until) {
        (Start::Day(_), _) => return Moment::Day(until.written_day()),
        (Start::Zoned(_), Moment::Instant(_)) => return until,
        // A day includes all that starts on it.
        (_, Moment::Day(day)) => last_second(day),
        (_, Moment::Local(_) | Moment::Instant(_)) => until.written(),
    };
    match start {
        // What lies beyond the calendar of instants stays as it is written.
        Start::Zoned(_) => zone.to_timestamp(local).map_or(until, Moment::Instant),
        Start::Day(_) | Start::Floating(_) => Moment::Local(local),
    }
}

fn last_second(day: Date) -> DateTime {
    day.at(23, 59, 59, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::events::recurrence::{Budget, Parts, Series};
    use jiff::civil::date;

    #[test]
    fn an_end_is_said_in_the_terms_of_the_start() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let local = date(2026, 3, 2).at(20, 0, 0, 0);
        let (day, floating, zoned) = (
            Start::Day(local.date()),
            Start::Floating(local),
            Start::Zoned(local),
        );
        for (start, until, expected) in [
            (day, "20260305", "20260305"),
            (day, "20260305T010000Z", "20260305"),
            (floating, "20260305T200000", "20260305T200000"),
            (floating, "20260305", "20260305T235959"),
            (floating, "20260305T200000Z", "20260305T200000"),
            (zoned, "20260306T010000Z", "20260306T010000Z"),
            (zoned, "20260305", "20260306T045959Z"),
            (zoned, "20260305T200000", "20260306T010000Z"),
            // In summer time by then.
            (zoned, "20260310", "20260311T035959Z"),
        ] {
            let rule = Rule::parse(&format!("FREQ=DAILY;UNTIL={until}")).unwrap();
            let said = rule.clone().ending_as(start, &zone);
            assert_eq!(
                said.to_string(),
                format!("FREQ=DAILY;UNTIL={expected}"),
                "{start:?}"
            );
            let starts = |rule: &Rule| {
                let parts = Parts {
                    rule: Some(rule),
                    ..Parts::new(start, &zone)
                };
                Series::new(&parts).take(jiff::Timestamp::MIN, 100, Budget::default())
            };
            assert_eq!(starts(&said), starts(&rule), "{start:?} {until}");
        }
    }
}
