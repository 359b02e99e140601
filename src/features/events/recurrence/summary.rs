//! Rules in English: `Every 2 weeks on Monday and Wednesday, until 5 March 2027`.
//!
//! Promises: only what can be said simply and exactly is said; there is no sentence for other rules. What the rule takes from its
//! start goes without saying.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::moment::Moment;
use super::rule::{Day, End, Frequency, Rule, Skip};
use super::words::{from_end, list, month_day, month_name, name, names, nth, numbered};

impl Rule {
    /// The rule as a sentence, with dates as they are in the zone of the series; `None` when it takes more words than help.
    pub fn summary(&self, zone: &TimeZone) -> Option<String> {
        if self.skip != Skip::Omit {
            return None;
        }
        let (every, days) = match self.working_days() {
            true => ("Every weekday".to_owned(), None),
            false => (self.unit_words(), self.when()?),
        };
        let days = days.map(|days| format!(" {days}")).unwrap_or_default();
        Some(format!("{every}{days}{}{}", self.clock()?, self.end_words(zone)?))
    }

    /// Whether it is every day from Monday to Friday.
    fn working_days(&self) -> bool {
        let is_plain = self.interval == 1
            && self.months.is_empty()
            && self.month_days.is_empty()
            && self.year_days.is_empty()
            && self.weeks.is_empty()
            && self.positions.is_empty();
        let is_daily = matches!(self.frequency, Frequency::Daily | Frequency::Weekly);
        is_plain && is_daily && self.kind_of_day() == Some("weekday")
    }

    fn unit_words(&self) -> String {
        let unit = match self.frequency {
            Frequency::Secondly => "second",
            Frequency::Minutely => "minute",
            Frequency::Hourly => "hour",
            // Every day, but only on Mondays, is every week on Monday.
            Frequency::Daily if self.interval == 1 && !self.days.is_empty() => "week",
            Frequency::Daily => "day",
            Frequency::Weekly => "week",
            Frequency::Monthly => "month",
            Frequency::Yearly => "year",
        };
        match self.interval {
            1 => format!("Every {unit}"),
            interval => format!("Every {interval} {unit}s"),
        }
    }

    /// The days; the outer `None` when there are no words for them.
    fn when(&self) -> Option<Option<String>> {
        let days = self.some_days()?;
        let months = self
            .months
            .iter()
            .map(|month| month_name(*month))
            .collect::<Option<Vec<_>>>()?;
        let words = match (days, months.is_empty()) {
            (Days::Open, true) => return Some(None),
            (Days::Open, false) => format!("in {}", list(&months)?),
            (Days::Said(days), true) => format!("on {days}"),
            // 24 December rather than day 24 of December.
            (Days::Date(day), false) if months.len() == 1 => format!("on {day} {}", months.concat()),
            (Days::Date(day), true) => format!("on day {day}"),
            (Days::Date(day), false) => format!("on day {day} of {}", list(&months)?),
            (Days::Said(days), false) if self.frequency >= Frequency::Monthly => {
                format!("on {days} of {}", list(&months)?)
            }
            (Days::Said(days), false) => format!("on {days} in {}", list(&months)?),
        };
        Some(Some(words))
    }

    fn some_days(&self) -> Option<Days> {
        let is_coarse = self.frequency >= Frequency::Monthly;
        if !self.positions.is_empty() {
            return self.chosen_days().map(Days::Said);
        }
        match (
            &self.days[..],
            &self.month_days[..],
            &self.year_days[..],
            &self.weeks[..],
        ) {
            ([], [], [], []) => Some(Days::Open),
            ([], [day], [], []) if *day > 0 && self.frequency == Frequency::Yearly => Some(Days::Date(*day)),
            ([], days, [], []) => names(days, month_day).map(Days::Said),
            ([], [], days, []) => {
                let days = names(days, |day| {
                    Some(if day > 0 {
                        format!("day {day}")
                    } else {
                        from_end(day, "day")?
                    })
                })?;
                Some(Days::Said(format!("{days} of the year")))
            }
            (days, [], [], []) if !is_coarse => {
                let days = days.iter().map(|day| Some(name(day.weekday).to_owned()));
                list(&days.collect::<Option<Vec<_>>>()?).map(Days::Said)
            }
            (days, [], [], []) => {
                let words = list(&days.iter().map(numbered).collect::<Option<Vec<_>>>()?)?;
                let within_year = self.frequency == Frequency::Yearly && self.months.is_empty();
                let is_numbered = days.iter().any(|day| day.nth != 0);
                let rest = if within_year && is_numbered {
                    " of the year"
                } else {
                    ""
                };
                Some(Days::Said(format!("{words}{rest}")))
            }
            (days, [day], [], []) if is_coarse && days.iter().all(|day| day.nth == 0) => {
                let weekdays: Vec<&str> = days.iter().map(|day| name(day.weekday)).collect();
                let (last, most) = weekdays.split_last()?;
                let weekdays = if most.is_empty() {
                    (*last).to_owned()
                } else {
                    format!("{} or {last}", most.join(", "))
                };
                Some(Days::Said(format!("{} if it is a {weekdays}", month_day(*day)?)))
            }
            (days, [], [], [week]) if *week > 0 => {
                let days = days.iter().map(|day| Some(name(day.weekday).to_owned()));
                let days = list(&days.collect::<Option<Vec<_>>>()?)?;
                Some(Days::Said(format!("{days} of week {week}")))
            }
            _ => None,
        }
    }

    /// `the last weekday`: one position of BYSETPOS among days of one kind.
    fn chosen_days(&self) -> Option<String> {
        let is_simple = self.month_days.is_empty()
            && self.year_days.is_empty()
            && self.weeks.is_empty()
            && self.hours.is_empty()
            && self.minutes.is_empty()
            && self.seconds.is_empty();
        let is_within_month = self.frequency == Frequency::Monthly
            || (self.frequency == Frequency::Yearly && self.months.len() == 1);
        let kind = self.kind_of_day().filter(|_| is_simple && is_within_month)?;
        let positions: Option<Vec<String>> = self
            .positions
            .iter()
            .map(|&position| Some(format!("the {} {kind}", nth(position)?)))
            .collect();
        list(&positions?)
    }

    fn kind_of_day(&self) -> Option<&'static str> {
        let has = |weekday| self.days.contains(&Day { nth: 0, weekday });
        let weekdays = [
            Weekday::Monday,
            Weekday::Tuesday,
            Weekday::Wednesday,
            Weekday::Thursday,
            Weekday::Friday,
        ];
        let ends = [Weekday::Saturday, Weekday::Sunday];
        match (
            self.days.len(),
            weekdays.into_iter().all(has),
            ends.into_iter().all(has),
        ) {
            (7, true, true) => Some("day"),
            (5, true, false) => Some("weekday"),
            (2, false, true) => Some("weekend day"),
            (1, ..) => self
                .days
                .iter()
                .find(|day| day.nth == 0)
                .map(|day| name(day.weekday)),
            _ => None,
        }
    }

    /// Times of day, when the rule says them whole.
    fn clock(&self) -> Option<String> {
        if self.hours.is_empty() && self.minutes.is_empty() && self.seconds.is_empty() {
            return Some(String::new());
        }
        let is_whole =
            self.frequency >= Frequency::Daily && !self.hours.is_empty() && !self.minutes.is_empty();
        if !is_whole || !(self.seconds.is_empty() || self.seconds == [0]) {
            return None;
        }
        let times: Vec<String> = self
            .hours
            .iter()
            .flat_map(|hour| {
                self.minutes
                    .iter()
                    .map(move |minute| format!("{hour:02}:{minute:02}"))
            })
            .collect();
        Some(format!(" at {}", list(&times)?))
    }

    fn end_words(&self, zone: &TimeZone) -> Option<String> {
        Some(match self.end {
            End::Never => String::new(),
            End::Count(1) => ", once".to_owned(),
            End::Count(count) => format!(", {count} times"),
            End::Until(until) => {
                let day = until_day(until, zone);
                let month = month_name(day.month().into())?;
                format!(", until {} {month} {}", day.day(), day.year())
            }
        })
    }
}

/// Days in words.
enum Days {
    /// The start says which.
    Open,
    /// One day of the month.
    Date(i16),
    /// These.
    Said(String),
}

/// The day of UNTIL where the series takes place.
fn until_day(until: Moment, zone: &TimeZone) -> Date {
    match until {
        Moment::Instant(at) => zone.to_datetime(at).date(),
        Moment::Day(_) | Moment::Local(_) => until.written_day(),
    }
}
