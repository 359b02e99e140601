//! How long the recurrence engine takes: reading a rule, making the series ready and expanding a window, all three each time.
//!
//!     cargo bench --bench recurrence
//!
//! Goals: a window of three months of a rule that began six years ago in 20 µs, a year of 1,000 series in 20 ms, and no rule longer than 5 ms.
//! With `-- --check` it fails when one of them is missed.

#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![allow(clippy::unwrap_used, reason = "the rules are written here")]

#[path = "support/rules.rs"]
mod rules;

use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use meridian::features::events::recurrence::{Budget, Expansion, Gap, Parts, Rule, Series, Start};

const COMMON: [&str; 12] = [
    "FREQ=DAILY",
    "FREQ=DAILY;COUNT=5000",
    "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=3000",
    "FREQ=WEEKLY;BYDAY=MO,WE",
    "FREQ=WEEKLY;BYDAY=MO;COUNT=500",
    "FREQ=MONTHLY;BYDAY=2TU",
    "FREQ=MONTHLY;BYMONTHDAY=-1",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=200",
    "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "FREQ=YEARLY;BYWEEKNO=10;BYDAY=MO",
    "FREQ=HOURLY;BYHOUR=9,12",
];
const HOSTILE: [&str; 8] = [
    "FREQ=SECONDLY",
    "FREQ=SECONDLY;BYDAY=MO;COUNT=4000000000",
    "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=SECONDLY;INTERVAL=7;BYHOUR=3;BYMINUTE=7;BYSECOND=1;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
    "FREQ=SECONDLY;INTERVAL=86399;BYHOUR=3;BYMINUTE=4;BYSECOND=5",
    "FREQ=DAILY;BYMONTH=1;BYMONTHDAY=31;BYDAY=MO;BYSETPOS=2",
    "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
    "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
];

/// What a window of three months may take.
const MOST_OF_WINDOW: Duration = Duration::from_micros(20);
/// What a year of 1,000 series may take.
const MOST_OF_YEAR: Duration = Duration::from_millis(20);
/// What any rule may take.
const MOST_OF_ANY: Duration = Duration::from_millis(5);

fn main() {
    let mut missed = Vec::new();
    let mut judge = |what: &str, took: Duration, most: Duration| {
        println!("  {took:>10.1?}  {what}");
        if took > most {
            missed.push(format!("{what}: {took:.1?} instead of {most:?}"));
        }
    };
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let months = "2026-02-01T00:00:00Z".parse().unwrap().."2026-05-01T00:00:00Z".parse().unwrap();
    let year = "2026-02-01T00:00:00Z".parse().unwrap().."2027-02-01T00:00:00Z".parse().unwrap();
    println!("three months, six years after the start");
    for rule in COMMON {
        let took = median(200, || black_box(expand(rule, &zone, &months, Gap::Shift)));
        judge(rule, took, MOST_OF_WINDOW);
    }
    println!("everything there is, within the usual budget");
    for rule in HOSTILE {
        let all = Timestamp::MIN..Timestamp::MAX;
        let took = median(9, || {
            black_box(expand(rule, &zone, &all, Gap::Shift));
            black_box(expand(rule, &zone, &all, Gap::Skip))
        });
        judge(rule, took / 2, MOST_OF_ANY);
    }
    println!("a year of 1,000 series");
    let rules: Vec<String> = (0..1_000).map(rules::usual).collect();
    let took = median(9, || {
        rules
            .iter()
            .map(|rule| expand(rule, &zone, &year, Gap::Shift).occurrences.len())
            .sum::<usize>()
    });
    judge("all of them", took, MOST_OF_YEAR);
    if !missed.is_empty() && std::env::args().any(|word| word == "--check") {
        println!("\nmissed:\n  {}", missed.join("\n  "));
        std::process::exit(1);
    }
}

fn expand(rule: &str, zone: &TimeZone, window: &Range<Timestamp>, gap: Gap) -> Expansion {
    let (rule, _) = Rule::read(rule).unwrap();
    let start = Start::Zoned(date(2020, 1, 6).at(9, 0, 0, 0));
    let series = Series::new(&Parts {
        rule: Some(&rule),
        gap,
        ..Parts::new(start, zone)
    });
    series.expand(window.clone(), Budget::default())
}

fn median<T>(rounds: usize, mut run: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let begin = Instant::now();
            black_box(run());
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[rounds / 2]
}
