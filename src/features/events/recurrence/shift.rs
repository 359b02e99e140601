//! What becomes of a rule when its series moves: from Mondays to Tuesdays, from the 5th to the 7th.
//!
//! Promises: says of the new start what the rule said of the old one, or that it cannot; never guesses between several readings.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};

use super::moment::Moment;
use super::rule::{Day, End, Frequency, Rule};

/// A first start and the zone of its wall time.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The wall time.
    pub local: DateTime,
    /// Its zone.
    pub zone: &'a TimeZone,
    /// Whether only the day counts.
    pub is_day: bool,
}

impl Rule {
    /// The rule of a series whose first start moves; `None` when the rule does not say what would follow from that.
    pub fn moved(&self, from: Place<'_>, to: Place<'_>) -> Option<Self> {
        let mut rule = self.clone();
        rule.move_times(from, to)?;
        let days = days_between(from.local.date(), to.local.date());
        if days != 0 {
            rule.move_days(from.local.date(), to.local.date(), days)?;
        }
        rule.end = match self.end {
            End::Until(until) => End::Until(moved_end(until, from, to)?),
            end => end,
        };
        Some(rule)
    }

    fn move_times(&mut self, from: Place<'_>, to: Place<'_>) -> Option<()> {
        let (old, new) = (from.local.time(), to.local.time());
        let parts = [
            (&mut self.hours, old.hour(), new.hour()),
            (&mut self.minutes, old.minute(), new.minute()),
            (&mut self.seconds, old.second(), new.second()),
        ];
        for (list, old, new) in parts {
            if to.is_day && !from.is_day && list.as_slice() == [i16::from(old)] {
                list.clear();
            }
            if list.is_empty() || old == new && !to.is_day {
                continue;
            }
            if list.as_slice() != [i16::from(old)] {
                return None;
            }
            *list = vec![new.into()];
        }
        Some(())
    }

    fn move_days(&mut self, from: Date, to: Date, days: i32) -> Option<()> {
        if !self.weeks.is_empty() || !self.year_days.is_empty() || !self.positions.is_empty() {
            return None;
        }
        self.move_month(from, to)?;
        match self.month_days.as_slice() {
            [] => {}
            [day] if is_day(*day, from) && self.days.is_empty() => {
                let counts_back = *day < 0;
                self.month_days = vec![if counts_back {
                    from_end(to)
                } else {
                    to.day().into()
                }];
            }
            _ => return None,
        }
        match self.days.as_slice() {
            [day] if day.nth != 0 => {
                let is_of_month = self.frequency == Frequency::Monthly || !self.months.is_empty();
                if !is_of_month || day.weekday != from.weekday() {
                    return None;
                }
                self.days = vec![numbered(to, day.nth < 0)];
            }
            list if list.iter().all(|day| day.nth == 0) => {
                self.keep_weeks(days);
                for day in &mut self.days {
                    day.weekday = day.weekday.wrapping_add(days);
                }
                super::values::sort_days(&mut self.days);
            }
            _ => return None,
        }
        Some(())
    }

    /// Days that were in one week stay in one, or every second week would take some of them from the week between.
    fn keep_weeks(&mut self, days: i32) {
        if self.frequency != Frequency::Weekly || self.interval == 1 {
            return;
        }
        let first = self.week_start.to_monday_zero_offset();
        let offsets = self.days.iter().map(|day| day.weekday.to_monday_zero_offset());
        let places = offsets.map(|offset| i32::from((offset - first).rem_euclid(7)));
        let stay = places.filter(|place| place + days.rem_euclid(7) < 7).count();
        if (1..self.days.len()).contains(&stay) {
            self.week_start = self.week_start.wrapping_add(days);
        }
    }

    fn move_month(&mut self, from: Date, to: Date) -> Option<()> {
        let (old, new) = (i16::from(from.month()), i16::from(to.month()));
        match self.months.as_slice() {
            list if list.is_empty() || old == new || list.contains(&new) => {}
            [only] if *only == old => self.months = vec![new],
            _ => return None,
        }
        Some(())
    }
}

/// The last moment moves with its series, so that the series keeps its length.
fn moved_end(until: Moment, from: Place<'_>, to: Place<'_>) -> Option<Moment> {
    let by: SignedDuration = to.local.duration_since(from.local);
    let local = match until {
        Moment::Day(day) => {
            let days = days_between(from.local.date(), to.local.date());
            return day.checked_add(days.days()).ok().map(Moment::Day);
        }
        Moment::Local(local) => local,
        Moment::Instant(at) => from.zone.to_datetime(at),
    };
    let moved = local.checked_add(by).ok()?;
    Some(match until {
        _ if to.is_day => Moment::Day(moved.date()),
        Moment::Instant(_) => Moment::Instant(to.zone.to_timestamp(moved).ok()?),
        _ => Moment::Local(moved),
    })
}

fn days_between(from: Date, to: Date) -> i32 {
    let hours = to.duration_since(from).as_hours();
    i32::try_from(hours / 24).unwrap_or_default()
}

fn is_day(day: i16, date: Date) -> bool {
    day == i16::from(date.day()) || day == from_end(date)
}

/// The day of the month counted from its end, as a negative number.
fn from_end(date: Date) -> i16 {
    i16::from(date.day()) - i16::from(date.days_in_month()) - 1
}

fn numbered(date: Date, counts_back: bool) -> Day {
    let nth = if counts_back {
        -((date.days_in_month() - date.day()) / 7 + 1)
    } else {
        (date.day() - 1) / 7 + 1
    };
    Day {
        nth,
        weekday: date.weekday(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::events::recurrence::{Budget, Parts, Series, Start};
    use jiff::Timestamp;
    use jiff::civil::date;

    fn moved(rule: &str, from: DateTime, to: DateTime) -> Option<String> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let place = |local| Place {
            local,
            zone: &zone,
            is_day: false,
        };
        let rule = Rule::parse(rule).unwrap();
        rule.moved(place(from), place(to)).map(|rule| rule.to_string())
    }

    #[test]
    fn days_of_the_rule_follow_the_start() {
        // A Monday, and the second one of its month.
        let from = date(2026, 3, 9).at(9, 0, 0, 0);
        let later = |days: i64| from.checked_add(days.days()).unwrap();
        for (rule, days, expected) in [
            ("FREQ=DAILY", 1, Some("FREQ=DAILY")),
            ("FREQ=WEEKLY;BYDAY=MO", 1, Some("FREQ=WEEKLY;BYDAY=TU")),
            ("FREQ=WEEKLY;BYDAY=MO,SU", 1, Some("FREQ=WEEKLY;BYDAY=MO,TU")),
            ("FREQ=WEEKLY;BYDAY=MO,WE", -2, Some("FREQ=WEEKLY;BYDAY=MO,SA")),
            ("FREQ=WEEKLY;BYDAY=MO", 7, Some("FREQ=WEEKLY;BYDAY=MO")),
            (
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE",
                1,
                Some("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH"),
            ),
            // Wednesday becomes a Monday of the week after, which is none of every second week that begin on Mondays.
            (
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE",
                5,
                Some("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SA;WKST=SA"),
            ),
            (
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE",
                -2,
                Some("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SA;WKST=SA"),
            ),
            (
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE",
                7,
                Some("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE"),
            ),
            ("FREQ=MONTHLY;BYDAY=2MO", 8, Some("FREQ=MONTHLY;BYDAY=3TU")),
            ("FREQ=MONTHLY;BYMONTHDAY=9", 2, Some("FREQ=MONTHLY;BYMONTHDAY=11")),
            (
                "FREQ=MONTHLY;BYMONTHDAY=-23",
                22,
                Some("FREQ=MONTHLY;BYMONTHDAY=-1"),
            ),
            (
                "FREQ=YEARLY;BYMONTHDAY=9;BYMONTH=3",
                31,
                Some("FREQ=YEARLY;BYMONTHDAY=9;BYMONTH=4"),
            ),
            ("FREQ=MONTHLY;BYMONTHDAY=9,10", 1, None),
            ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=2", 1, None),
            ("FREQ=YEARLY;BYWEEKNO=11;BYDAY=MO", 1, None),
            ("FREQ=DAILY;UNTIL=20260401", 2, Some("FREQ=DAILY;UNTIL=20260403")),
            // Over the change of clocks the wall time is kept.
            (
                "FREQ=DAILY;UNTIL=20260327T080000Z",
                3,
                Some("FREQ=DAILY;UNTIL=20260330T070000Z"),
            ),
        ] {
            assert_eq!(
                moved(rule, from, later(days)).as_deref(),
                expected,
                "{rule} by {days}"
            );
        }
    }

    #[test]
    fn every_occurrence_of_a_moved_rule_moves_as_far() {
        let from = date(2026, 3, 9).at(9, 0, 0, 0);
        let zone = TimeZone::UTC;
        let starts = |rule: &Rule, from| {
            let parts = Parts {
                rule: Some(rule),
                ..Parts::new(Start::Zoned(from), &zone)
            };
            let found = Series::new(&parts).take(Timestamp::MIN, 20, Budget::default());
            found.occurrences.iter().map(|one| one.local).collect::<Vec<_>>()
        };
        for text in [
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE",
            "FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,TU,SU;WKST=SU",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR,SA;WKST=TH",
            "FREQ=WEEKLY;BYDAY=MO,TH",
        ] {
            let rule = Rule::parse(text).unwrap();
            for days in -15..=15_i64 {
                let to = from.checked_add(days.days()).unwrap();
                let place = |local| Place {
                    local,
                    zone: &zone,
                    is_day: false,
                };
                let moved = rule.moved(place(from), place(to)).unwrap();
                let expected: Vec<DateTime> = starts(&rule, from)
                    .iter()
                    .map(|one| one.checked_add(days.days()).unwrap())
                    .collect();
                assert_eq!(starts(&moved, to), expected, "{text} by {days}: {moved}");
            }
        }
    }

    #[test]
    fn times_of_the_rule_follow_the_start() {
        let from = date(2026, 3, 9).at(9, 0, 0, 0);
        let to = date(2026, 3, 9).at(10, 30, 0, 0);
        let rule = "FREQ=DAILY;BYMINUTE=0;BYHOUR=9";
        let expected = "FREQ=DAILY;BYMINUTE=30;BYHOUR=10";
        assert_eq!(moved(rule, from, to).as_deref(), Some(expected));
        assert_eq!(moved("FREQ=DAILY;BYHOUR=9,15", from, to), None);
    }
}
