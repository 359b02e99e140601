//! Tests of the engine: chosen rules, properties over random ones, and comparison with a slow walker that shares nothing with it.

mod asked;
mod chosen;
mod properties;
mod random;
mod rules;
mod slow;
mod words;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Budget, Expansion, Gap, Moment, Parts, Rule, Series, Start};

/// A rule from elsewhere, which must be one.
fn rule(text: &str) -> Rule {
    Rule::read(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .0
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn start(text: &str) -> Start {
    match text.parse().unwrap() {
        Moment::Day(date) => Start::Day(date),
        Moment::Local(local) => Start::Zoned(local),
        Moment::Instant(at) => Start::Zoned(TimeZone::UTC.to_datetime(at)),
    }
}

/// The first starts of a rule as wall times of its zone, joined with blanks.
fn firsts(begin: &str, zone_name: &str, text: &str, most: usize) -> String {
    firsts_with(begin, zone_name, text, most, Gap::Shift)
}

fn firsts_with(begin: &str, zone_name: &str, text: &str, most: usize, gap: Gap) -> String {
    let (rule, zone) = (rule(text), zone(zone_name));
    let series = Series::new(&Parts {
        rule: Some(&rule),
        gap,
        ..Parts::new(start(begin), &zone)
    });
    let expansion = series.take(Timestamp::MIN, most, Budget::default());
    assert!(!expansion.truncated, "{text} was cut short");
    texts(&expansion, &zone, begin.contains('T'))
}

fn texts(expansion: &Expansion, zone: &TimeZone, has_times: bool) -> String {
    let texts = expansion.occurrences.iter().map(|occurrence| {
        let local = zone.to_datetime(occurrence.start);
        if has_times {
            Moment::Local(local).to_string()
        } else {
            Moment::Day(local.date()).to_string()
        }
    });
    texts.collect::<Vec<_>>().join(" ")
}
