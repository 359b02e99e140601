//! Rules as sentences: `Every 2 weeks on Monday and Wednesday, until 5 March 2027`. What is said is decided here, how it is said by the words
//! of each language.
//!
//! Promises: only what can be said simply and exactly is said; there is no sentence for other rules. What the rule takes from its
//! start goes without saying.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::moment::Moment;
use super::rule::{Day, End, Frequency, Rule, Skip};
use super::words::{Days, Kind, Words, words_of};

impl Rule {
    /// The rule as a sentence in English, with dates as they are in the zone of the series; `None` when it takes more words than help.
    pub fn summary(&self, zone: &TimeZone) -> Option<String> {
        self.summary_in(zone, "en")
    }

    /// The same in the language of this tag, in English where nobody has taught us that language.
    pub fn summary_in(&self, zone: &TimeZone, locale: &str) -> Option<String> {
        if self.skip != Skip::Omit {
            return None;
        }
        let words = words_of(locale);
        let mut sentence = match self.working_days() {
            true => words.every_weekday().to_owned(),
            false => {
                let mut sentence = words.every(self.unit(), self.interval);
                let days = self.chosen()?;
                if !matches!(days, Days::Open) || !self.months.is_empty() {
                    let is_coarse = self.frequency >= Frequency::Monthly;
                    sentence.push(' ');
                    sentence.push_str(&words.when(&days, &self.months, is_coarse)?);
                }
                sentence
            }
        };
        sentence.push_str(&self.clock(words)?);
        sentence.push_str(&self.end_words(zone, words)?);
        Some(sentence)
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
        is_plain && is_daily && self.kind_of_day() == Some(Kind::Working)
    }

    fn unit(&self) -> Frequency {
        match self.frequency {
            // Every day, but only on Mondays, is every week on Monday.
            Frequency::Daily if self.interval == 1 && !self.days.is_empty() => Frequency::Weekly,
            unit => unit,
        }
    }

    /// The days; `None` when there are no words for them.
    fn chosen(&self) -> Option<Days<'_>> {
        let is_coarse = self.frequency >= Frequency::Monthly;
        if !self.positions.is_empty() {
            return self.positioned();
        }
        match (
            &self.days[..],
            &self.month_days[..],
            &self.year_days[..],
            &self.weeks[..],
        ) {
            ([], [], [], []) => Some(Days::Open),
            ([], [day], [], []) if *day > 0 && self.frequency == Frequency::Yearly => Some(Days::Date(*day)),
            ([], days, [], []) => Some(Days::OfMonth(days)),
            ([], [], days, []) => Some(Days::OfYear(days)),
            (days, [], [], []) if !is_coarse => Some(Days::Plain(days)),
            (days, [], [], []) => {
                let within_year = self.frequency == Frequency::Yearly && self.months.is_empty();
                let is_numbered = days.iter().any(|day| day.nth != 0);
                Some(Days::Numbered {
                    days,
                    of_year: within_year && is_numbered,
                })
            }
            (weekdays, [day], [], []) if is_coarse && weekdays.iter().all(|day| day.nth == 0) => {
                Some(Days::DateIf { day: *day, weekdays })
            }
            (days, [], [], [week]) if *week > 0 => Some(Days::OfWeek { days, week: *week }),
            _ => None,
        }
    }

    /// `the last weekday`: one position of BYSETPOS among days of one kind.
    fn positioned(&self) -> Option<Days<'_>> {
        let is_simple = self.month_days.is_empty()
            && self.year_days.is_empty()
            && self.weeks.is_empty()
            && self.hours.is_empty()
            && self.minutes.is_empty()
            && self.seconds.is_empty();
        let is_within_month = self.frequency == Frequency::Monthly
            || (self.frequency == Frequency::Yearly && self.months.len() == 1);
        let kind = self.kind_of_day().filter(|_| is_simple && is_within_month)?;
        Some(Days::Chosen {
            positions: &self.positions,
            kind,
        })
    }

    fn kind_of_day(&self) -> Option<Kind> {
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
            (7, true, true) => Some(Kind::Any),
            (5, true, false) => Some(Kind::Working),
            (2, false, true) => Some(Kind::Weekend),
            (1, ..) => self
                .days
                .iter()
                .find(|day| day.nth == 0)
                .map(|day| Kind::One(day.weekday)),
            _ => None,
        }
    }

    /// Times of day, when the rule says them whole.
    fn clock(&self, words: &dyn Words) -> Option<String> {
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
        Some(format!(" {}", words.at(&times)?))
    }

    fn end_words(&self, zone: &TimeZone, words: &dyn Words) -> Option<String> {
        Some(match self.end {
            End::Never => String::new(),
            End::Count(count) => format!(", {}", words.times(count)),
            End::Until(until) => format!(", {}", words.until(until_day(until, zone))?),
        })
    }
}

/// The day of UNTIL where the series takes place.
fn until_day(until: Moment, zone: &TimeZone) -> Date {
    match until {
        Moment::Instant(at) => zone.to_datetime(at).date(),
        Moment::Day(_) | Moment::Local(_) => until.written_day(),
    }
}
