//! Series as a whole: starts beside the rule, starts that do not take place, single answers, and rules that would never end.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::{Addition, Answer, Budget, Moment, Parts, Series, Size, Start};
use super::{rule, start, texts, zone};

fn series(begin: Start, text: &str, additions: &[&str], exclusions: &[&str], keeps_start: bool) -> Series {
    let rule = (!text.is_empty()).then(|| rule(text));
    let additions: Vec<Addition> = additions.iter().map(|text| text.parse().unwrap()).collect();
    let exclusions: Vec<Moment> = exclusions.iter().map(|text| text.parse().unwrap()).collect();
    let berlin = zone("Europe/Berlin");
    Series::new(&Parts {
        rule: rule.as_ref(),
        additions: &additions,
        exclusions: &exclusions,
        keeps_start,
        ..Parts::new(begin, &berlin)
    })
}

fn firsts(series: &Series, has_times: bool) -> String {
    texts(
        &series.take(Timestamp::MIN, 9, Budget::default()),
        &zone("Europe/Berlin"),
        has_times,
    )
}

#[test]
fn starts_are_added_and_taken_away_in_any_form() {
    let at = start("20260105T090000");
    for (text, additions, exclusions, starts) in [
        (
            "FREQ=DAILY;COUNT=3",
            &[][..],
            &["20260106T080000Z"][..],
            "20260105T090000 20260107T090000",
        ),
        (
            "FREQ=DAILY;COUNT=3",
            &[],
            &["2026-01-06"],
            "20260105T090000 20260107T090000",
        ),
        (
            "FREQ=DAILY;COUNT=3",
            &[],
            &["20260106T090000", "20260106T090000"],
            "20260105T090000 20260107T090000",
        ),
        (
            "FREQ=DAILY;COUNT=2",
            &["20260106T090000", "20260106T080000Z"],
            &[],
            "20260105T090000 20260106T090000",
        ),
        (
            "FREQ=DAILY;COUNT=1",
            &["20260110", "20260101T100000"],
            &[],
            "20260101T100000 20260105T090000 20260110T090000",
        ),
        (
            "FREQ=DAILY;COUNT=1",
            &["20260110"],
            &["20260110T090000"],
            "20260105T090000",
        ),
        (
            "FREQ=DAILY;COUNT=1;UNTIL=20250101",
            &["20260110"],
            &[],
            "20260110T090000",
        ),
        ("", &["20260110"], &[], "20260105T090000 20260110T090000"),
        ("", &["20260110"], &["20260105T090000"], "20260110T090000"),
    ] {
        assert_eq!(
            firsts(&series(at, text, additions, exclusions, false), true),
            starts,
            "{text} {additions:?}"
        );
    }
    let day = start("20260105");
    let days = series(
        day,
        "FREQ=DAILY;COUNT=3",
        &["20260109T120000"],
        &["20260106T000000Z"],
        false,
    );
    assert_eq!(firsts(&days, false), "20260105 20260107 20260109");
}

#[test]
fn periods_bring_their_own_end() {
    let additions = [
        "20260106T090000/PT90M",
        "20260328T090000/P1D",
        "20260110T090000/20260110T100000",
        "20260111T090000/20260111T080000",
    ];
    let series = series(
        start("20260105T090000"),
        "FREQ=DAILY;COUNT=2",
        &additions,
        &[],
        false,
    );
    let expansion = series.take(Timestamp::MIN, 9, Budget::default());
    let hours: Vec<Option<i64>> = expansion
        .occurrences
        .iter()
        .map(|found| found.end.map(|end| end.duration_since(found.start).as_mins()))
        .collect();
    // A day that is an hour short, and an end before its start, which counts for nothing.
    assert_eq!(hours, [None, Some(90), Some(60), None, Some(23 * 60)]);
}

#[test]
fn a_start_beside_the_rule_can_be_kept_and_is_counted() {
    let monday = start("20260105T090000");
    let kept = series(monday, "FREQ=WEEKLY;BYDAY=WE;COUNT=3", &[], &[], true);
    assert_eq!(
        firsts(&kept, true),
        "20260105T090000 20260107T090000 20260114T090000"
    );
    let one = series(monday, "FREQ=WEEKLY;BYDAY=WE;COUNT=1", &[], &[], true);
    assert_eq!(
        (firsts(&one, true), one.size(Budget::default())),
        ("20260105T090000".to_owned(), Size::Exactly(1))
    );
    let matching = series(monday, "FREQ=WEEKLY;BYDAY=MO;COUNT=2", &[], &[], true);
    assert_eq!(firsts(&matching, true), "20260105T090000 20260112T090000");
}

#[test]
fn days_are_days_in_every_zone() {
    let rule = rule("FREQ=DAILY;COUNT=3");
    for name in ["Pacific/Apia", "America/Havana", "Asia/Beirut", "Europe/London"] {
        let zone = zone(name);
        for begin in ["20111229", "20250329", "20251101"] {
            let series = Series::new(&Parts {
                rule: Some(&rule),
                ..Parts::new(start(begin), &zone)
            });
            let found = series.take(Timestamp::MIN, 9, Budget::default()).occurrences;
            let days: Vec<_> = found.iter().map(|found| found.local.date()).collect();
            assert_eq!(days.len(), 3, "{name} {begin}");
            assert!(
                days.windows(2).all(|pair| pair[0].tomorrow().unwrap() == pair[1]),
                "{name} {begin}"
            );
        }
    }
}

#[test]
fn rules_finer_than_days_give_days_to_a_series_of_days() {
    let berlin = zone("Europe/Berlin");
    let rule = rule("FREQ=HOURLY;INTERVAL=5;UNTIL=20260108");
    let series = Series::new(&Parts {
        rule: Some(&rule),
        ..Parts::new(start("20260105"), &berlin)
    });
    let budget = Budget::default();
    let all = series.take(Timestamp::MIN, 9, budget);
    assert_eq!(texts(&all, &berlin, false), "20260105 20260106 20260107 20260108");
    assert!(
        all.occurrences
            .iter()
            .all(|found| series.is_occurrence(found.start, budget))
    );
}

#[test]
fn fractions_of_seconds_are_kept() {
    let begin = start("20260105T090000.25");
    let series = series(
        begin,
        "FREQ=DAILY;COUNT=3;UNTIL=20260107T080000Z",
        &[],
        &[],
        false,
    );
    let found = series.take(Timestamp::MIN, 9, Budget::default()).occurrences;
    assert_eq!(found.len(), 3);
    assert_eq!(found[1].start.to_string(), "2026-01-06T08:00:00.25Z");
    assert_eq!(found[1].local.to_string(), "2026-01-06T09:00:00.25");
    assert!(series.is_occurrence(found[1].start, Budget::default()));
    assert!(!series.is_occurrence("2026-01-06T08:00:00Z".parse().unwrap(), Budget::default()));
    let window = found[1].start..found[2].start;
    assert_eq!(series.expand(window, Budget::default()).occurrences, [found[1]]);
    assert_eq!(
        series.next_after(found[0].start, Budget::default()),
        Answer::Found(found[1])
    );
    assert_eq!(
        series.previous_before(found[1].start, Budget::default()),
        Answer::Found(found[0])
    );
}

#[test]
fn answers_tell_none_from_endless_and_from_unknown() {
    let at = start("20260105T090000");
    let budget = Budget::default();
    let endless = series(at, "FREQ=DAILY", &[], &[], false);
    assert_eq!(
        (endless.last(budget), endless.size(budget)),
        (Answer::Endless, Size::Endless)
    );
    let never = series(at, "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", &[], &[], false);
    assert_eq!(
        (never.first(budget), never.last(budget)),
        (Answer::None, Answer::None)
    );
    assert_eq!(never.size(budget), Size::Exactly(0));
    let far = series(at, "FREQ=SECONDLY;BYDAY=MO;COUNT=4000000000", &[], &[], false);
    assert_eq!(far.last(budget), Answer::Unknown);
    assert!(matches!(far.size(budget), Size::AtLeast(20_000..)));
    let excluded = series(at, "FREQ=DAILY;COUNT=3", &[], &["20260107", "20260106"], false);
    let last = excluded.last(budget).found().unwrap();
    assert_eq!(last.start, "2026-01-05T08:00:00Z".parse().unwrap());
    // Counted by arithmetic: four thousand million minutes.
    let minutes = series(at, "FREQ=MINUTELY;COUNT=4000000000", &[], &[], false);
    assert_eq!(minutes.last(budget).found().unwrap().local.year(), 9631);
}

#[test]
fn rules_that_would_never_end_stop_and_say_so() {
    let from: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
    let year = from.."2027-06-01T00:00:00Z".parse().unwrap();
    let utc = TimeZone::UTC;
    for (text, is_truncated) in [
        ("FREQ=SECONDLY", true),
        ("FREQ=SECONDLY;COUNT=4000000000", true),
        ("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", false),
        ("FREQ=MINUTELY;INTERVAL=60;BYMINUTE=30", false),
        ("FREQ=YEARLY;BYMONTH=6;BYWEEKNO=1", false),
        ("FREQ=HOURLY;BYYEARDAY=1", false),
    ] {
        let rule = rule(text);
        let series = Series::new(&Parts {
            rule: Some(&rule),
            ..Parts::new(start("20200101T000000"), &utc)
        });
        let expansion = series.expand(year.clone(), Budget::default());
        assert_eq!(expansion.truncated, is_truncated, "{text}");
        assert!(expansion.occurrences.len() <= 50_000, "{text}");
    }
    let few = Budget {
        starts: 2,
        ..Budget::default()
    };
    let rule = rule("FREQ=DAILY");
    let series = Series::new(&Parts {
        rule: Some(&rule),
        ..Parts::new(start("20200101T000000"), &utc)
    });
    let expansion = series.expand(year, few);
    assert_eq!((expansion.occurrences.len(), expansion.truncated), (2, true));
    let taken = series.take(from, 2, few);
    assert_eq!((taken.occurrences.len(), taken.truncated), (2, false));
}
