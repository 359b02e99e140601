//! A rule without what another rule gives, where one rule can say that: weekdays and months that are left out. Pure.
//!
//! Promises: exact to the end of time, or nothing; both rules are taken from the same start. Knows no dates.

use jiff::civil::Weekday;

use super::rule::{Day, End, Frequency, Rule, Skip};

impl Rule {
    /// The rule that gives what this one gives and `other` does not, for a series that starts on this weekday. `None` where no single rule
    /// says so, where nothing would be left, and where it is not plain to see.
    pub fn without(&self, other: &Self, start: Weekday) -> Option<Self> {
        // COUNT counts what is excluded, too.
        let is_counted = matches!(self.end, End::Count(_));
        if is_counted || !self.is_at_time_of_start() || !other.is_at_time_of_start() || !other.is_every_one()
        {
            return None;
        }
        match (&other.months[..], &other.days[..]) {
            ([], _) => self.without_days(&other.weekdays(start)?, start),
            (months, []) if other.frequency == Frequency::Daily => self.without_months(months),
            _ => None,
        }
    }

    fn without_days(&self, gone: &[Weekday], start: Weekday) -> Option<Self> {
        let has_other_days = [&self.month_days, &self.year_days, &self.weeks]
            .iter()
            .any(|list| !list.is_empty());
        if !self.positions.is_empty() || has_other_days {
            return None;
        }
        let mut left = self.clone();
        let kept = self.weekdays(start)?.into_iter();
        let kept = kept.filter(|weekday| !gone.contains(weekday));
        left.days = kept.map(|weekday| Day { nth: 0, weekday }).collect();
        (!left.days.is_empty()).then_some(left)
    }

    fn without_months(&self, gone: &[i16]) -> Option<Self> {
        // In rules of years months do not leave days out, they say which there are.
        let only_limits = self.frequency <= Frequency::Monthly && self.skip == Skip::Omit;
        if !only_limits || !self.positions.is_empty() {
            return None;
        }
        let mut left = self.clone();
        if left.months.is_empty() {
            left.months = (1..=12).collect();
        }
        left.months.retain(|month| !gone.contains(month));
        (!left.months.is_empty()).then_some(left)
    }

    /// The weekdays on which a rule of days or weeks occurs, in order.
    fn weekdays(&self, start: Weekday) -> Option<Vec<Weekday>> {
        if self.days.iter().any(|day| day.nth != 0) {
            return None;
        }
        match (self.frequency, &self.days[..]) {
            (Frequency::Daily, []) => Some(Weekday::Monday.cycle_forward().take(7).collect()),
            (Frequency::Weekly, []) => Some(vec![start]),
            (Frequency::Daily | Frequency::Weekly, days) => {
                Some(days.iter().map(|day| day.weekday).collect())
            }
            _ => None,
        }
    }

    /// Whether it occurs once a day at most, at the time of its start.
    fn is_at_time_of_start(&self) -> bool {
        let times = [&self.hours, &self.minutes, &self.seconds];
        self.frequency >= Frequency::Daily && times.iter().all(|list| list.is_empty())
    }

    /// Whether nothing but weekdays and months keeps it from every day.
    fn is_every_one(&self) -> bool {
        let others = [&self.month_days, &self.year_days, &self.weeks, &self.positions];
        self.frequency <= Frequency::Weekly
            && self.interval == 1
            && self.end == End::Never
            && others.iter().all(|list| list.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;

    use super::*;
    use crate::features::events::recurrence::{Budget, Parts, Series, Start};
    use crate::kernel::zones;

    const BUDGET: Budget = Budget {
        steps: 100_000,
        starts: 5_000,
    };

    fn starts(rule: &Rule, end: Timestamp) -> Vec<Timestamp> {
        let zone = zones::zone("Europe/Berlin").unwrap();
        // A Wednesday, at a time that a change of clocks leaves out.
        let start = Start::Zoned(date(2025, 1, 15).at(2, 30, 0, 0));
        let series = Series::new(&Parts {
            rule: Some(rule),
            ..Parts::new(start, &zone)
        });
        let expansion = series.expand(Timestamp::MIN..end, BUDGET);
        assert!(!expansion.truncated);
        expansion.occurrences.iter().map(|one| one.start).collect()
    }

    fn rule(text: &str) -> Rule {
        Rule::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn what_is_left_is_what_the_other_does_not_give() {
        let end = "2035-01-01T00:00:00Z".parse().unwrap();
        for (own, other, left) in [
            (
                "FREQ=DAILY",
                "FREQ=WEEKLY;BYDAY=SA,SU",
                "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
            ),
            ("FREQ=DAILY", "FREQ=WEEKLY", "FREQ=DAILY;BYDAY=MO,TU,TH,FR,SA,SU"),
            (
                "FREQ=DAILY;INTERVAL=3",
                "FREQ=DAILY;BYDAY=MO",
                "FREQ=DAILY;INTERVAL=3;BYDAY=TU,WE,TH,FR,SA,SU",
            ),
            (
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE",
                "FREQ=WEEKLY;BYDAY=WE",
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO",
            ),
            (
                "FREQ=WEEKLY;UNTIL=20300101T000000Z",
                "FREQ=DAILY;BYMONTH=7,8",
                "FREQ=WEEKLY;UNTIL=20300101T000000Z;BYMONTH=1,2,3,4,5,6,9,10,11,12",
            ),
            (
                "FREQ=MONTHLY;BYDAY=2TU",
                "FREQ=DAILY;BYMONTH=8",
                "FREQ=MONTHLY;BYDAY=2TU;BYMONTH=1,2,3,4,5,6,7,9,10,11,12",
            ),
        ] {
            let (own, other) = (rule(own), rule(other));
            let found = own.without(&other, Weekday::Wednesday);
            let found = found.unwrap_or_else(|| panic!("{own} without {other}"));
            assert_eq!(found, rule(left), "{own} without {other}");
            let gone = starts(&other, end);
            let expected: Vec<Timestamp> = starts(&own, end)
                .into_iter()
                .filter(|start| gone.binary_search(start).is_err())
                .collect();
            assert_eq!(starts(&found, end), expected, "{own} without {other}");
        }
    }

    #[test]
    fn what_no_single_rule_says_is_left_to_others() {
        for (own, other) in [
            ("FREQ=DAILY", "FREQ=DAILY"),
            ("FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=WE"),
            ("FREQ=DAILY;COUNT=10", "FREQ=WEEKLY"),
            ("FREQ=DAILY", "FREQ=WEEKLY;COUNT=10"),
            ("FREQ=DAILY", "FREQ=WEEKLY;UNTIL=20300101T000000Z"),
            ("FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2"),
            ("FREQ=DAILY", "FREQ=MONTHLY;BYDAY=1MO"),
            ("FREQ=DAILY", "FREQ=WEEKLY;BYMONTH=7"),
            ("FREQ=DAILY;BYHOUR=9,15", "FREQ=WEEKLY"),
            ("FREQ=HOURLY", "FREQ=WEEKLY"),
            ("FREQ=DAILY", "FREQ=WEEKLY;BYHOUR=9"),
            ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1", "FREQ=WEEKLY;BYDAY=MO"),
            ("FREQ=YEARLY;BYDAY=20MO", "FREQ=DAILY;BYMONTH=5"),
        ] {
            assert_eq!(
                rule(own).without(&rule(other), Weekday::Wednesday),
                None,
                "{own} without {other}"
            );
        }
    }
}
