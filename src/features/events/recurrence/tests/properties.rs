//! Properties over random rules: the engine agrees with the slow walker, windows compose, and where a walk begins does not matter.

use std::ops::ControlFlow;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;

use super::super::civil;
use super::super::engine::Engine;
use super::super::walk::{Stop, Work};
use super::super::{Answer, Budget, Frequency, Gap, Occurrence, Parts, Rule, Series, Size, Start};
use super::{random, slow, zone};

const COARSE: &[Frequency] = &[
    Frequency::Yearly,
    Frequency::Monthly,
    Frequency::Weekly,
    Frequency::Daily,
];
const FINE: &[Frequency] = &[Frequency::Hourly, Frequency::Minutely, Frequency::Secondly];
const ALL: &[Frequency] = &[
    Frequency::Yearly,
    Frequency::Monthly,
    Frequency::Weekly,
    Frequency::Daily,
    Frequency::Hourly,
    Frequency::Minutely,
    Frequency::Secondly,
];
const ZONES: [&str; 7] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "America/Havana",
];

/// Wall times of the engine between two points.
fn walk(rule: &Rule, start: DateTime, low: i64, high: i64) -> Vec<i64> {
    let engine = Engine::new(rule, civil::seconds(start), true);
    let mut all = Vec::new();
    let stop = engine.walk(low, high, &mut Work(u32::MAX), None, &mut |local| {
        all.push(local);
        ControlFlow::Continue(())
    });
    assert_eq!(stop, Stop::End);
    all
}

fn agree(rule: &Rule, start: DateTime, days: i64) {
    let last = start.date().checked_add(days.days()).unwrap();
    // Periods at the end are whole too.
    let after = if rule.frequency < Frequency::Weekly {
        0
    } else {
        366
    };
    let mut wanted: Vec<i64> = slow::walk(rule, start, last.checked_add(after.days()).unwrap())
        .into_iter()
        .map(civil::seconds)
        .collect();
    let high = civil::day_number(last) * civil::DAY + civil::DAY - 1;
    wanted.retain(|local| *local <= high);
    assert_eq!(walk(rule, start, i64::MIN, high), wanted, "{rule} from {start}");
    // Jumping in gives the same as having walked there.
    for share in 1..4 {
        let low = civil::seconds(start) + (high - civil::seconds(start)) / 4 * share;
        let rest: Vec<i64> = wanted.iter().copied().filter(|local| *local >= low).collect();
        assert_eq!(
            walk(rule, start, low, high),
            rest,
            "{rule} from {start} at {}",
            civil::datetime(low, 0)
        );
    }
}

fn series(rule: &Rule, start: DateTime, zone: &TimeZone, gap: Gap) -> Series {
    Series::new(&Parts {
        rule: Some(rule),
        gap,
        ..Parts::new(Start::Zoned(start), zone)
    })
}

fn starts(series: &Series, from: Timestamp, to: Timestamp) -> Option<Vec<Occurrence>> {
    let expansion = series.expand(
        from..to,
        Budget {
            steps: 50_000,
            starts: 20_000,
        },
    );
    (!expansion.truncated).then_some(expansion.occurrences)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn days_and_longer_agree_with_the_slow_walker(rule in random::rule(COARSE), start in random::start()) {
        agree(&rule, start, 4 * 366);
    }

    #[test]
    fn windows_compose(
        rule in random::rule(ALL),
        start in random::start(),
        zone_index in 0..ZONES.len(),
        is_skipping in any::<bool>(),
        cuts in (0..2_000_i64, 1..200_000_i64, 1..4_000_000_i64),
    ) {
        let zone = zone(ZONES[zone_index]);
        let series = series(&rule, start, &zone, if is_skipping { Gap::Skip } else { Gap::Shift });
        let first = zone.to_timestamp(start).unwrap();
        let at = |seconds: i64| first + SignedDuration::from_secs(seconds);
        let bounds = [at(cuts.0 * 86_400 - 86_400), at(cuts.0 * 86_400 + cuts.1), at(cuts.0 * 86_400 + cuts.1 + cuts.2)];
        let whole = starts(&series, bounds[0], bounds[2]);
        let parts = (starts(&series, bounds[0], bounds[1]), starts(&series, bounds[1], bounds[2]));
        if let (Some(whole), (Some(mut one), Some(other))) = (whole, parts) {
            one.extend(other);
            prop_assert!(whole.is_sorted_by(|a, b| a.start < b.start), "{} from {} is out of order", rule, start);
            prop_assert_eq!(whole, one, "{} from {} in {}", rule, start, ZONES[zone_index]);
        }
    }

    #[test]
    fn answers_agree_with_the_expansion(rule in random::rule(ALL), start in random::start(), zone_index in 0..ZONES.len()) {
        let zone = zone(ZONES[zone_index]);
        let series = series(&rule, start, &zone, Gap::Shift);
        let budget = Budget { steps: 20_000, starts: 20_000 };
        let all = series.take(Timestamp::MIN, 10, budget);
        let some = &all.occurrences;
        if let (Some(first), false) = (some.first(), all.truncated) {
            prop_assert_eq!(series.first(budget), Answer::Found(*first));
        }
        for pair in some.windows(2) {
            let next = series.next_after(pair[0].start, budget);
            prop_assert!([Answer::Found(pair[1]), Answer::Unknown].contains(&next), "{} from {}", rule, start);
            let previous = series.previous_before(pair[1].start, budget);
            prop_assert!([Answer::Found(pair[0]), Answer::Unknown].contains(&previous), "{} from {}", rule, start);
            prop_assert!(series.is_occurrence(pair[0].start, budget));
        }
        if !rule.is_infinite() && !all.truncated && some.len() < 10 {
            let size = u64::try_from(some.len()).unwrap();
            prop_assert_eq!(series.size(budget), Size::Exactly(size));
            let last = some.last().map_or(Answer::None, |last| Answer::Found(*last));
            prop_assert_eq!(series.last(budget), last, "{} from {}", rule, start);
        }
    }

    #[test]
    fn rules_survive_their_text(rule in random::rule(ALL)) {
        let text = rule.to_string();
        prop_assert_eq!(Rule::parse(&text), Ok(rule.clone()), "{}", text);
        prop_assert_eq!(Rule::read(&text), Ok((rule, Vec::new())), "{}", text);
    }

    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,60}", parts in "(;?[A-Z]{2,9}=[-+0-9A-Z,]{0,12}){0,5}") {
        for text in [&text, &parts, &format!("FREQ=YEARLY;{parts}"), &format!("FREQ=SECONDLY{parts}")] {
            if let Ok((rule, _)) = Rule::read(text) {
                series(&rule, jiff::civil::date(2024, 2, 29).at(9, 0, 0, 0), &TimeZone::UTC, Gap::Skip)
                    .take(Timestamp::MIN, 3, Budget { steps: 20_000, starts: 3 });
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hours_and_shorter_agree_with_the_slow_walker(rule in random::rule(FINE), start in random::start()) {
        agree(&rule, start, 2);
    }
}
