//! Random rules for properties: valid ones, of all frequencies, in the form that [`Rule`] has them in.

use jiff::civil::{DateTime, Weekday, date};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::values::sort_days;
use super::super::{Day, End, Frequency, Rule, Skip};

const WEEKDAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// A start between 1997 and 2033, often at an end of a month.
pub(super) fn start() -> impl Strategy<Value = DateTime> {
    let day = prop_oneof![1..=28_i8, 29..=31_i8];
    (
        1997..=2033_i16,
        1..=12_i8,
        day,
        0..24_i8,
        0..60_i8,
        prop_oneof![Just(0), 0..60_i8],
    )
        .prop_map(|(year, month, day, hour, minute, second)| {
            let first = date(year, month, 1);
            date(year, month, day.min(first.days_in_month())).at(hour, minute, second, 0)
        })
}

/// Nothing three times out of four, else up to so many of these.
fn few(values: impl Strategy<Value = i16> + 'static, most: usize) -> BoxedStrategy<Vec<i16>> {
    let some = vec(values, 1..=most).prop_map(|mut list| {
        list.sort_unstable_by_key(|item| (*item < 0, *item));
        list.dedup();
        list
    });
    prop_oneof![3 => Just(Vec::new()), 1 => some].boxed()
}

fn signed(most: i16) -> impl Strategy<Value = i16> {
    (1..=most, any::<bool>()).prop_map(|(number, is_negative)| if is_negative { -number } else { number })
}

fn days() -> impl Strategy<Value = Vec<Day>> {
    let nth = prop_oneof![3 => Just(0_i16), 1 => signed(5), 1 => signed(53)];
    let day = (nth, select(&WEEKDAYS[..])).prop_map(|(nth, weekday)| Day {
        nth: i8::try_from(nth).unwrap(),
        weekday,
    });
    prop_oneof![1 => Just(Vec::new()), 1 => vec(day, 1..=4)]
}

/// A rule of one of these frequencies that ends after some occurrences or never.
pub(super) fn rule(frequencies: &'static [Frequency]) -> impl Strategy<Value = Rule> {
    let clock = (few(0..24_i16, 3), few(0..60_i16, 3), few(0..60_i16, 2));
    let calendar = (
        days(),
        few(signed(31), 5),
        few(signed(366), 20),
        few(signed(53), 3),
        few(1..=12_i16, 4),
    );
    let rest = (
        few(signed(6), 2),
        select(&WEEKDAYS[..]),
        select(&[Skip::Omit, Skip::Omit, Skip::Backward, Skip::Forward][..]),
        prop_oneof![Just(End::Never), (1..60_u32).prop_map(End::Count)],
        prop_oneof![Just(1_u64), 2..8_u64, 8..2_000_u64],
    );
    (select(frequencies), clock, calendar, rest).prop_map(|(frequency, clock, calendar, rest)| {
        let mut rule = Rule::every(frequency);
        (rule.hours, rule.minutes, rule.seconds) = clock;
        (
            rule.days,
            rule.month_days,
            rule.year_days,
            rule.weeks,
            rule.months,
        ) = calendar;
        (
            rule.positions,
            rule.week_start,
            rule.skip,
            rule.end,
            rule.interval,
        ) = rest;
        tidy(&mut rule);
        rule
    })
}

/// Takes away what no text could say.
fn tidy(rule: &mut Rule) {
    use Frequency::{Daily, Hourly, Monthly, Weekly, Yearly};
    if rule.frequency != Yearly {
        rule.weeks.clear();
    }
    if (Daily..=Monthly).contains(&rule.frequency) {
        rule.year_days.clear();
    }
    if rule.frequency == Weekly {
        rule.month_days.clear();
    }
    let within_month = rule.frequency == Monthly || !rule.months.is_empty();
    for day in &mut rule.days {
        if rule.frequency < Monthly || !rule.weeks.is_empty() || (within_month && day.nth.abs() > 5) {
            day.nth = 0;
        }
    }
    sort_days(&mut rule.days);
    if !rule.has_set() {
        rule.positions.clear();
    }
    // Days that stand in for missing ones move out of their period: with positions or year days nobody says what is meant.
    if rule.frequency < Monthly
        || !rule.positions.is_empty()
        || !rule.year_days.is_empty()
        || !rule.weeks.is_empty()
    {
        rule.skip = Skip::Omit;
    }
    if rule.frequency >= Hourly && rule.frequency <= Daily {
        rule.interval = rule.interval.min(50);
    }
    if rule.frequency >= Weekly {
        rule.interval = rule.interval.min(9);
    }
    rule.has_scale = rule.skip != Skip::Omit;
}
