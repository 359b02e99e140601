//! Any rule at any start: reading, expanding and asking end soon, in order, and windows compose.

#![no_main]

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use meridian::features::events::recurrence::{Budget, Gap, Parts, Rule, Series, Start};

const ZONES: [&str; 4] = ["UTC", "Europe/Berlin", "America/Havana", "Pacific/Apia"];

fuzz_target!(|input: (i16, u16, u32, u8, &str)| {
    let (year, day, second, choice, text) = input;
    let Ok((rule, _)) = Rule::read(text) else {
        return;
    };
    assert_eq!(Rule::read(&rule.to_string()).map(|(rule, _)| rule), Ok(rule.clone()));
    let date = Date::new(year.rem_euclid(10_000), 1, 1)
        .and_then(|first| first.checked_add(jiff::Span::new().days(day % 365)))
        .unwrap_or(Date::MAX);
    let time = Time::midnight().saturating_add(jiff::Span::new().seconds(second % 86_400));
    let zone = TimeZone::get(ZONES[usize::from(choice % 4)]).expect("a zone");
    let start = match choice / 4 % 3 {
        0 => Start::Day(date),
        1 => Start::Floating(date.to_datetime(time)),
        _ => Start::Zoned(date.to_datetime(time)),
    };
    let gap = if choice > 127 { Gap::Skip } else { Gap::Shift };
    let series = Series::new(&Parts { rule: Some(&rule), gap, ..Parts::new(start, &zone) });
    let budget = Budget { steps: 5_000, starts: 500 };
    let all = series.take(Timestamp::MIN, 20, budget);
    assert!(all.occurrences.is_sorted_by(|one, next| one.start <= next.start));
    let _ = (series.last(budget), series.size(budget), rule.summary(&zone), rule.check_new(start, &zone));
    if let [first, .., last] = &all.occurrences[..] {
        let window = series.expand(first.start..last.start, budget);
        assert!(window.truncated || window.occurrences == all.occurrences[..all.occurrences.len() - 1]);
    }
});
