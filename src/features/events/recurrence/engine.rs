//! A rule made ready for one start: what the rule leaves open is taken from the start, lists become bits and offsets.
//!
//! Works on wall time only; see [`super::walk`] for the expansion. Promises: making it ready costs no more than its lists are long.

use std::borrow::Cow;

use super::civil::{self, DAY};
use super::filter::Filter;
use super::rule::{End, Frequency, Rule, Skip};

/// Intervals longer than all of time are cut to this, so that arithmetic with them cannot overflow.
const LONGEST_INTERVAL: u64 = 1_000_000_000_000;

/// A rule with everything that its start adds.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) frequency: Frequency,
    pub(super) interval: i64,
    /// Wall time of the first possible occurrence.
    pub(super) start: i64,
    pub(super) filter: Filter,
    /// Whether days must be looked up at all.
    pub(super) is_filtered: bool,
    /// Days from the start of a week on which weekly rules occur.
    pub(super) week_days: Vec<i64>,
    /// Seconds from the beginning of a day, or of the hour, minute or second of finer rules, at which it occurs.
    pub(super) offsets: Vec<i64>,
    /// Allowed hours of finer rules.
    pub(super) hours: u64,
    /// Allowed minutes of finer rules.
    pub(super) minutes: u64,
    /// Allowed seconds of finer rules.
    pub(super) seconds: u64,
    /// Seconds of one period of rules up to daily ones.
    pub(super) unit: i64,
    pub(super) positions: Vec<i64>,
    pub(super) count: Option<u64>,
    /// Occurrences of each period, when all have the same number of them.
    pub(super) per_period: Option<u64>,
    /// Whether it is plain to see that the rule never occurs, so that nobody has to search for all of time.
    pub(super) is_never: bool,
}

impl Engine {
    /// Makes a rule ready. `has_times` is false for series of days, whose rules have no times of day.
    pub(super) fn new(rule: &Rule, start: i64, has_times: bool) -> Self {
        let promoted = promoted(rule, has_times);
        let rule = &promoted;
        let at = Fields::of(start);
        let unit = match rule.frequency {
            Frequency::Secondly => 1,
            Frequency::Minutely => 60,
            Frequency::Hourly => 3_600,
            _ => DAY,
        };
        let given = |list: &[i16], most: i64| -> Vec<i64> {
            // A leap second is read as the second before it, as RFC 5545 3.3.12 asks of those who do not know leap seconds.
            let mut list: Vec<i64> = list.iter().map(|&item| i64::from(item).min(most)).collect();
            list.dedup();
            if has_times { list } else { Vec::new() }
        };
        let (hours, minutes, seconds) = (
            given(&rule.hours, 23),
            given(&rule.minutes, 59),
            given(&rule.seconds, 59),
        );
        let filter = filter(rule, &at);
        let is_filtered = match rule.frequency {
            Frequency::Weekly => filter.has_more_than_weekdays(),
            _ => filter.has_more_than_weekdays() || filter.has_weekdays(),
        };
        let week_start = rule.week_start.to_monday_zero_offset().unsigned_abs();
        let mut week_days: Vec<i64> = (0..7_u32)
            .filter(|weekday| filter.every == 0 || filter.every >> weekday & 1 == 1)
            .map(|weekday| i64::from((weekday + 7 - u32::from(week_start)) % 7))
            .collect();
        week_days.sort_unstable();
        let mut engine = Self {
            frequency: rule.frequency,
            interval: i64::try_from(rule.interval.min(LONGEST_INTERVAL)).unwrap_or(1),
            start,
            filter,
            is_filtered,
            week_days,
            offsets: offsets(unit, &at, [&hours, &minutes, &seconds]),
            hours: if unit < DAY { bits(&hours) } else { u64::MAX },
            minutes: if unit < 3_600 { bits(&minutes) } else { u64::MAX },
            seconds: if unit < 60 { bits(&seconds) } else { u64::MAX },
            unit,
            positions: rule.positions.iter().map(|&position| position.into()).collect(),
            count: match rule.end {
                End::Count(count) => Some(count.into()),
                _ => None,
            },
            per_period: None,
            is_never: false,
        };
        engine.per_period = engine.regular_size();
        engine.is_never =
            engine.filter.is_empty() || engine.per_period == Some(0) || !engine.is_phase_possible();
        engine
    }

    /// How many of `total` occurrences of a period BYSETPOS leaves.
    fn chosen(&self, total: usize) -> u64 {
        let mut places: Vec<usize> = self
            .positions
            .iter()
            .filter_map(|&position| place(position, total))
            .collect();
        places.sort_unstable();
        places.dedup();
        let size = if self.positions.is_empty() {
            total
        } else {
            places.len()
        };
        u64::try_from(size).unwrap_or(u64::MAX)
    }

    /// The number of occurrences of each period when it is always the same.
    fn regular_size(&self) -> Option<u64> {
        let filter = &self.filter;
        let is_every_month = filter.has_month_days()
            && !filter.has_weekdays()
            && filter.year_days.is_empty()
            && filter.weeks.is_empty()
            // Days that every month has, counted from one end only, so that no two are the same day.
            && (filter.ahead == 0 || filter.behind == 0)
            && (filter.ahead | filter.behind) >> 28 == 0;
        let month_days = usize::try_from((filter.ahead | filter.behind).count_ones()).ok()?;
        let days = match self.frequency {
            Frequency::Yearly if is_every_month => month_days * usize::try_from(filter.month_count()).ok()?,
            Frequency::Monthly if is_every_month && filter.months == 0 => month_days,
            Frequency::Weekly if !self.is_filtered => self.week_days.len(),
            Frequency::Yearly | Frequency::Monthly | Frequency::Weekly => return None,
            _ if self.is_filtered || self.hours & self.minutes & self.seconds != u64::MAX => return None,
            _ => 1,
        };
        Some(self.chosen(days * self.offsets.len()))
    }

    /// Whether a rule finer than daily ever meets its BYHOUR, BYMINUTE and BYSECOND: of the times of a day it only visits
    /// those that lie whole multiples of the greatest common divisor of its interval and the day apart.
    fn is_phase_possible(&self) -> bool {
        if self.unit == DAY || self.hours & self.minutes & self.seconds == u64::MAX {
            return true;
        }
        let day = DAY / self.unit;
        let step = greatest_common_divisor(self.interval, day);
        let phase = self.start.div_euclid(self.unit).rem_euclid(step);
        let mut units = (phase..day).step_by(usize::try_from(step).unwrap_or(1));
        units.any(|unit| self.allows_time(unit * self.unit))
    }

    /// Whether BYHOUR, BYMINUTE and BYSECOND of finer rules allow this second of the day.
    fn allows_time(&self, second: i64) -> bool {
        self.hours >> (second / 3_600)
            & self.minutes >> (second / 60 % 60)
            & self.seconds >> (second % 60)
            & 1
            == 1
    }
}

/// The same rule with the longest periods it can be said in: every hour, but only at nine, is every day at nine. Longer periods
/// are fewer, and more often have as many occurrences each, which COUNT is glad of.
fn promoted(rule: &Rule, has_times: bool) -> Cow<'_, Rule> {
    let mut rule = Cow::Borrowed(rule);
    while rule.interval == 1 && rule.positions.is_empty() {
        let longer = match rule.frequency {
            Frequency::Secondly if has_times && !rule.seconds.is_empty() => Frequency::Minutely,
            Frequency::Minutely if has_times && !rule.minutes.is_empty() => Frequency::Hourly,
            Frequency::Hourly if has_times && !rule.hours.is_empty() => Frequency::Daily,
            Frequency::Daily if !rule.days.is_empty() => Frequency::Weekly,
            _ => break,
        };
        rule.to_mut().frequency = longer;
    }
    rule
}

/// The place that a position of BYSETPOS means among `total`.
pub(super) fn place(position: i64, total: usize) -> Option<usize> {
    let total = i64::try_from(total).ok()?;
    let place = if position > 0 {
        position - 1
    } else {
        total + position
    };
    (0..total).contains(&place).then(|| usize::try_from(place).ok())?
}

/// The fields of the start that rules leave open.
struct Fields {
    month: u32,
    day: u32,
    weekday: u32,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Fields {
    fn of(start: i64) -> Self {
        let (day, rest) = (start.div_euclid(DAY), start.rem_euclid(DAY));
        let (_, month, first) = civil::month_of(day);
        Self {
            month,
            day: u32::try_from(day - first).unwrap_or_default() + 1,
            weekday: civil::weekday(day),
            hour: rest / 3_600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }
}

/// The day parts, with what the start adds (RFC 5545 3.3.10: "information, not contained in the rule").
fn filter(rule: &Rule, at: &Fields) -> Filter {
    let is_coarse = rule.frequency >= Frequency::Monthly;
    let mut filter = Filter {
        week_start: rule.week_start.to_monday_zero_offset().unsigned_abs().into(),
        is_numbered_in_year: rule.frequency == Frequency::Yearly
            && rule.months.is_empty()
            && rule.days.iter().any(|day| day.nth != 0),
        // Shorter periods have no days that are not there.
        skip: if is_coarse { rule.skip } else { Skip::Omit },
        year_days: rule.year_days.iter().map(|&day| day.into()).collect(),
        weeks: rule.weeks.iter().map(|&week| week.into()).collect(),
        ..Filter::default()
    };
    for month in &rule.months {
        filter.months |= 1 << month;
    }
    for &day in &rule.month_days {
        let bit = 1 << (day.unsigned_abs() - 1);
        *(if day > 0 {
            &mut filter.ahead
        } else {
            &mut filter.behind
        }) |= bit;
    }
    for day in &rule.days {
        let weekday = u32::from(day.weekday.to_monday_zero_offset().unsigned_abs());
        match day.nth {
            0 => filter.every |= 1 << weekday,
            nth => filter.numbered.push((nth.into(), weekday)),
        }
    }
    if filter.has_weekdays() || filter.has_month_days() || !filter.year_days.is_empty() {
        return filter;
    }
    match rule.frequency {
        Frequency::Weekly => filter.every = 1 << at.weekday,
        Frequency::Monthly | Frequency::Yearly if !filter.weeks.is_empty() => filter.every = 1 << at.weekday,
        Frequency::Monthly => filter.ahead = 1 << (at.day - 1),
        Frequency::Yearly => {
            filter.ahead = 1 << (at.day - 1);
            if filter.months == 0 {
                filter.months = 1 << at.month;
            }
        }
        _ => {}
    }
    filter
}

/// Times within a period: all combinations of the parts that are finer than it.
fn offsets(unit: i64, at: &Fields, [hours, minutes, seconds]: [&[i64]; 3]) -> Vec<i64> {
    let or_start = |list: &[i64], start: i64, is_inside: bool| match (is_inside, list) {
        (false, _) => vec![0],
        (true, []) => vec![start],
        (true, list) => list.to_vec(),
    };
    let hours = or_start(hours, at.hour, unit > 3_600);
    let minutes = or_start(minutes, at.minute, unit > 60);
    let seconds = or_start(seconds, at.second, unit > 1);
    let mut offsets = Vec::with_capacity(hours.len() * minutes.len() * seconds.len());
    for hour in &hours {
        for minute in &minutes {
            offsets.extend(seconds.iter().map(|second| hour * 3_600 + minute * 60 + second));
        }
    }
    offsets
}

/// A set of small numbers as bits; no numbers allow all.
fn bits(list: &[i64]) -> u64 {
    match list {
        [] => u64::MAX,
        list => list.iter().fold(0, |bits, item| bits | 1 << item),
    }
}

fn greatest_common_divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
