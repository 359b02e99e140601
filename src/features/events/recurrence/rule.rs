//! A recurrence rule as a value: what RFC 5545 3.3.10 and RFC 7529 can say, for the Gregorian calendar.
//!
//! Promises: lists are sorted and hold each value once, so that equal rules are equal values; numbers are within what the RFC
//! allows. Must not know: when a series starts, and zones.

use jiff::civil::Weekday;

use super::moment::Moment;

/// How often a rule begins a new period. Ordered from the shortest to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Frequency {
    /// Every second.
    Secondly,
    /// Every minute.
    Minutely,
    /// Every hour.
    Hourly,
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
    /// Every year.
    Yearly,
}

/// When a rule ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Never.
    Never,
    /// After this many occurrences of the rule.
    Count(u32),
    /// With this moment, which still belongs to the series.
    Until(Moment),
}

/// A weekday, or one of those of a month or year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Day {
    /// Which one, counted from the end when negative; 0 means every one.
    pub nth: i8,
    /// The weekday.
    pub weekday: Weekday,
}

/// What becomes of days that a month does not have (RFC 7529).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Skip {
    /// They are left out.
    #[default]
    Omit,
    /// The last day of the month stands in.
    Backward,
    /// The first day of the next month stands in.
    Forward,
}

/// A recurrence rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    pub(super) frequency: Frequency,
    pub(super) interval: u64,
    pub(super) end: End,
    pub(super) seconds: Vec<i16>,
    pub(super) minutes: Vec<i16>,
    pub(super) hours: Vec<i16>,
    pub(super) days: Vec<Day>,
    pub(super) month_days: Vec<i16>,
    pub(super) year_days: Vec<i16>,
    pub(super) weeks: Vec<i16>,
    pub(super) months: Vec<i16>,
    pub(super) positions: Vec<i16>,
    pub(super) week_start: Weekday,
    pub(super) skip: Skip,
    /// Whether RSCALE was named, which SKIP needs.
    pub(super) has_scale: bool,
}

impl Rule {
    /// A rule that only says how often.
    pub fn every(frequency: Frequency) -> Self {
        Self {
            frequency,
            interval: 1,
            end: End::Never,
            seconds: Vec::new(),
            minutes: Vec::new(),
            hours: Vec::new(),
            days: Vec::new(),
            month_days: Vec::new(),
            year_days: Vec::new(),
            weeks: Vec::new(),
            months: Vec::new(),
            positions: Vec::new(),
            week_start: Weekday::Monday,
            skip: Skip::Omit,
            has_scale: false,
        }
    }

    /// How often a new period begins.
    pub fn frequency(&self) -> Frequency {
        self.frequency
    }

    /// Every how many periods it occurs.
    pub fn interval(&self) -> u64 {
        self.interval
    }

    /// When it ends.
    pub fn end(&self) -> End {
        self.end
    }

    /// What becomes of days that a month does not have.
    pub fn skip(&self) -> Skip {
        self.skip
    }

    /// The same rule with another end, as when a series is split.
    #[must_use]
    pub fn ending(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// Whether it never ends.
    pub fn is_infinite(&self) -> bool {
        self.end == End::Never
    }

    /// Whether one of the BYxxx parts is there that BYSETPOS can choose from.
    pub(super) fn has_set(&self) -> bool {
        let lists = [
            &self.seconds,
            &self.minutes,
            &self.hours,
            &self.month_days,
            &self.year_days,
            &self.weeks,
            &self.months,
        ];
        !self.days.is_empty() || lists.iter().any(|list| !list.is_empty())
    }
}
