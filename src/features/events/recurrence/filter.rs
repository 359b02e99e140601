//! Which days of a month a rule allows: BYMONTH, BYMONTHDAY, BYDAY, BYYEARDAY and BYWEEKNO, a month at a time as bits.
//!
//! RFC 5545 says which parts expand and which limit; for days both come to the same: a day belongs to the set when every part that
//! is there allows it. Weeks and numbered weekdays of a year are looked up once a year. Knows no times of day.

use super::civil;
use super::rule::Skip;

/// All twelve months; bit 1 is January.
const ALL_MONTHS: u16 = 0b1_1111_1111_1110;

/// The parts of a rule that are about days.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// Allowed months, bit 1 is January; 0 allows all.
    pub(super) months: u16,
    /// Weekdays of which every one is allowed, bit 0 is Monday.
    pub(super) every: u32,
    /// Numbered weekdays.
    pub(super) numbered: Vec<(i64, u32)>,
    /// Whether those count within the year.
    pub(super) is_numbered_in_year: bool,
    /// Days of the month, bit 0 is the first one.
    pub(super) ahead: u32,
    /// Days counted from the end of the month, bit 0 is the last one.
    pub(super) behind: u32,
    /// Days of the year.
    pub(super) year_days: Vec<i64>,
    /// Weeks of the year.
    pub(super) weeks: Vec<i64>,
    /// The day on which weeks begin.
    pub(super) week_start: u32,
    /// What becomes of days that a month does not have.
    pub(super) skip: Skip,
}

/// The allowed days of one month.
#[derive(Debug, Default)]
pub(super) struct Month {
    /// Number of its first day.
    pub(super) first: i64,
    /// How many days it has.
    pub(super) length: u32,
    /// Allowed days, bit 0 is the first one.
    pub(super) bits: u32,
    /// Whether the first day of the next month stands in for days this one does not have.
    pub(super) spills: bool,
}

/// What is looked up once a year.
#[derive(Debug, Default)]
pub(super) struct Year {
    number: Option<i64>,
    first: i64,
    length: i64,
    numbered: Vec<i64>,
    weeks: Vec<i64>,
}

impl Filter {
    /// Whether a month is allowed.
    pub(super) fn allows_month(&self, month: u32) -> bool {
        self.months == 0 || self.months >> month & 1 == 1
    }

    /// How many months of a year are allowed.
    pub(super) fn month_count(&self) -> u32 {
        if self.months == 0 {
            12
        } else {
            self.months.count_ones()
        }
    }

    /// Whether days of the month are given.
    pub(super) fn has_month_days(&self) -> bool {
        self.ahead | self.behind != 0
    }

    /// Whether weekdays are given.
    pub(super) fn has_weekdays(&self) -> bool {
        self.every != 0 || !self.numbered.is_empty()
    }

    /// Whether anything but weekdays is given.
    pub(super) fn has_more_than_weekdays(&self) -> bool {
        self.months != 0 || self.has_month_days() || !self.year_days.is_empty() || !self.weeks.is_empty()
    }

    /// Whether no month of any year has an allowed day, as far as that is plain to see.
    pub(super) fn is_empty(&self) -> bool {
        let most = if self.is_numbered_in_year { 53 } else { 5 };
        let no_weekday =
            self.has_weekdays() && self.every == 0 && self.numbered.iter().all(|(nth, _)| nth.abs() > most);
        let is_possible = |month: u32| {
            // A leap year.
            let days = u32::MAX >> (32 - civil::month_length(2000, month));
            self.allows_month(month) && (self.ahead | self.behind) & days != 0
        };
        let no_day = self.has_month_days() && self.skip == Skip::Omit && !(1..=12).any(is_possible);
        no_weekday || no_day
    }

    /// The allowed days of a month, which itself is allowed.
    pub(super) fn month(&self, year: i64, month: u32, memory: &mut Year) -> Month {
        let first = civil::day_of(year, month, 1);
        let length = civil::month_length(year, month);
        let all = u32::MAX >> (32 - length);
        let mut result = Month {
            first,
            length,
            bits: all,
            spills: false,
        };
        if self.has_month_days() {
            self.month_days(&mut result, all);
        }
        if self.needs_year() {
            memory.load(self, year);
        }
        if self.has_weekdays() {
            self.weekdays(&mut result, memory);
        }
        // The day that may stand in for missing ones. It is of the same year: December has all days.
        let next = first + i64::from(length);
        if !self.year_days.is_empty() {
            let (mut bits, mut is_next) = (0, false);
            for &day in &self.year_days {
                let day = if day > 0 { day - 1 } else { memory.length + day };
                if (0..memory.length).contains(&day) {
                    bits |= bit(memory.first + day - first, length);
                    is_next |= memory.first + day == next;
                }
            }
            result.bits &= bits;
            result.spills &= is_next;
        }
        if !self.weeks.is_empty() {
            let days = memory.weeks.iter().flat_map(|week| *week..*week + 7);
            result.bits &= days.fold(0, |bits, day| bits | bit(day - first, length));
            result.spills &= memory.weeks.iter().any(|week| (*week..*week + 7).contains(&next));
        }
        result
    }

    fn month_days(&self, month: &mut Month, all: u32) {
        month.bits = (self.ahead & all) | (self.behind.reverse_bits() >> (32 - month.length));
        // Days counted from the end that fall before the month are left out: no RFC says where they would go.
        if self.ahead & !all != 0 {
            match self.skip {
                Skip::Omit => {}
                Skip::Backward => month.bits |= 1 << (month.length - 1),
                Skip::Forward => month.spills = true,
            }
        }
    }

    fn weekdays(&self, month: &mut Month, memory: &Year) {
        month.spills = month.spills && self.is_next_allowed(month, memory);
        let on_first = civil::weekday(month.first);
        let mut bits = pattern(self.every, on_first);
        if self.is_numbered_in_year {
            for day in &memory.numbered {
                bits |= bit(day - month.first, month.length);
            }
        } else {
            let length = i64::from(month.length);
            for &(nth, weekday) in &self.numbered {
                let offset = nth_weekday(nth, weekday, on_first, length);
                bits |= offset.map_or(0, |offset| bit(offset, month.length));
            }
        }
        month.bits &= bits;
    }

    /// Whether the first day of the next month, which stands in for missing ones, is one of the weekdays.
    fn is_next_allowed(&self, month: &Month, memory: &Year) -> bool {
        let next = month.first + i64::from(month.length);
        let weekday = civil::weekday(next);
        if self.every >> weekday & 1 == 1 {
            return true;
        }
        if self.is_numbered_in_year {
            return memory.numbered.contains(&next);
        }
        let (year, number, _) = civil::month_of(next);
        let length = i64::from(civil::month_length(year, number));
        let mut numbered = self.numbered.iter();
        numbered.any(|&(nth, day)| nth_weekday(nth, day, weekday, length) == Some(0))
    }

    fn needs_year(&self) -> bool {
        self.is_numbered_in_year || !self.year_days.is_empty() || !self.weeks.is_empty()
    }

    /// Months to go through, all of them when none is named.
    pub(super) fn months(&self) -> impl Iterator<Item = u32> {
        let months = if self.months == 0 { ALL_MONTHS } else { self.months };
        (1..=12).filter(move |month| months >> month & 1 == 1)
    }
}

impl Year {
    fn load(&mut self, filter: &Filter, year: i64) {
        if self.number == Some(year) {
            return;
        }
        self.number = Some(year);
        self.first = civil::day_of(year, 1, 1);
        self.length = civil::year_length(year);
        self.numbered.clear();
        if filter.is_numbered_in_year {
            let on_first = civil::weekday(self.first);
            let offsets = filter
                .numbered
                .iter()
                .filter_map(|&(nth, weekday)| nth_weekday(nth, weekday, on_first, self.length));
            self.numbered.extend(offsets.map(|offset| self.first + offset));
        }
        self.weeks.clear();
        // Days around New Year can belong to a week of the neighbouring year.
        for year in year - 1..=year + 1 {
            if filter.weeks.is_empty() {
                break;
            }
            let first = first_week(year, filter.week_start);
            let count = (first_week(year + 1, filter.week_start) - first) / 7;
            let numbers = filter
                .weeks
                .iter()
                .map(|&week| if week > 0 { week - 1 } else { count + week });
            let inside = numbers.filter(|week| (0..count).contains(week));
            self.weeks.extend(inside.map(|week| first + week * 7));
        }
    }
}

/// The first day of the first week of a year: the one with at least four days in it.
fn first_week(year: i64, week_start: u32) -> i64 {
    let new_year = civil::day_of(year, 1, 1);
    let into_week = i64::from((civil::weekday(new_year) + 7 - week_start) % 7);
    let start = new_year - into_week;
    if into_week > 3 { start + 7 } else { start }
}

/// Where the nth weekday lies in a span of days that begins with a given weekday.
fn nth_weekday(nth: i64, weekday: u32, on_first: u32, length: i64) -> Option<i64> {
    let first = i64::from((weekday + 7 - on_first) % 7);
    let offset = if nth > 0 {
        first + (nth - 1) * 7
    } else {
        let last = first + (length - 1 - first) / 7 * 7;
        last + (nth + 1) * 7
    };
    (0..length).contains(&offset).then_some(offset)
}

/// The days of a month on these weekdays, when its first day is on the given one.
fn pattern(weekdays: u32, on_first: u32) -> u32 {
    let week = (weekdays >> on_first | weekdays << (7 - on_first)) & 0b111_1111;
    let four = week | week << 7 | week << 14 | week << 21;
    four | week << 28
}

fn bit(offset: i64, length: u32) -> u32 {
    match u32::try_from(offset) {
        Ok(offset) if offset < length => 1 << offset,
        _ => 0,
    }
}
