//! What holds for every text.

use entity::enums::{EnergyLevel, TaskPriority};
use jiff::civil::{DateTime, date};
use proptest::prelude::*;

use super::{compact, scene};
use crate::features::language::item::{Event, Item, Task, When};
use crate::features::language::{phrase, read, sentence};

/// Texts of the pieces that finders look for, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "tomorrow",
        "next",
        "friday",
        "week",
        "month",
        "at",
        "3",
        "3pm",
        "15:30",
        "by",
        "until",
        "every",
        "other",
        "in",
        "30",
        "min",
        "blocks",
        "#home",
        "@work",
        "!!",
        "p1",
        "dec",
        "5",
        "5th",
        "-",
        ",",
        ".",
        "/",
        ":",
        "12/1",
        "2026-12-01",
        "31",
        "feb",
        "29",
        "of",
        "the",
        "last",
        "day",
        "half",
        "an",
        "hour",
        "past",
        "quarter",
        "to",
        "from",
        "with",
        "Ana",
        "a@b.example",
        "https://x.example/y",
        "Cafe",
        "Roma",
        "99999999999999999999",
        "0",
        "24:00",
        "for",
        "days",
        "10",
        "times",
        "deadline",
        "due",
        "morgen",
        "um",
        "Uhr",
        "завтра",
        "в",
        "через",
        "é",
        "\u{301}",
        "\u{1F600}",
        "İ",
        "'",
        "(",
        ")",
    ]);
    let joint = prop::sample::select(vec!["", " ", "  ", "\n"]);
    prop::collection::vec((piece, joint), 0..24).prop_map(|pieces| {
        pieces
            .into_iter()
            .map(|(piece, joint)| format!("{piece}{joint}"))
            .collect()
    })
}

fn check(text: &str, locale: &str) {
    let scene = scene(locale);
    let reading = read(text, &scene);
    let mut before = 0;
    for claim in &reading.claims {
        assert!(
            claim.start < claim.end && claim.end <= text.len(),
            "{text:?} {claim:?}"
        );
        assert!(
            text.is_char_boundary(claim.start) && text.is_char_boundary(claim.end),
            "{text:?} {claim:?}"
        );
        assert!(
            claim.start >= before,
            "{text:?}: claims overlap or are out of order"
        );
        before = claim.end;
    }
    for item in std::iter::once(&reading.item).chain(&reading.alternatives) {
        assert!(!item.title().is_empty(), "{text:?}");
        assert!(!item.title().chars().any(char::is_control), "{text:?}");
        assert!(!sentence(item, &scene.zone).is_empty());
        match item {
            Item::Event(event) => match event.when {
                When::Timed(start, end) => assert!(start < end, "{text:?} {event:?}"),
                When::Days(first, end) => assert!(first < end, "{text:?} {event:?}"),
            },
            Item::Task(task) => {
                assert!(
                    task.start_after
                        .zip(task.due)
                        .is_none_or(|(start, due)| start < due),
                    "{text:?}"
                );
                assert!(
                    task.minutes.is_none_or(|minutes| (1..=14_400).contains(&minutes)),
                    "{text:?}"
                );
            }
        }
    }
    assert_eq!(reading, read(text, &scene), "the same text reads the same");
}

fn moment() -> impl Strategy<Value = DateTime> {
    (0..700_i64, 0..24_i8, 0..60_i8).prop_map(|(days, hour, minute)| {
        let day = date(2026, 11, 19)
            .checked_add(jiff::Span::new().days(days))
            .unwrap();
        day.at(hour, minute, 0, 0)
    })
}

fn title() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "Paint",
        "fence",
        "Zebra",
        "notes",
        "garden",
        "Überblick",
        "кошка",
        "report",
    ]);
    prop::collection::vec(word, 1..4).prop_map(|words| words.join(" "))
}

prop_compose! {
    fn task()(
        title in title(),
        due in prop::option::of(moment()),
        lead in prop::option::of(1..30_i64),
        is_hard in any::<bool>(),
        minutes in prop::option::of(5..600_i32),
        chunk in prop::option::of(5..240_i32),
        priority in prop::option::of(prop::sample::select(vec![TaskPriority::Low, TaskPriority::Medium, TaskPriority::High, TaskPriority::Urgent])),
        energy in prop::option::of(prop::sample::select(vec![EnergyLevel::Low, EnergyLevel::Medium, EnergyLevel::High])),
        labels in prop::sample::subsequence(vec!["home".to_owned(), "tax".to_owned(), "@phone".to_owned()], 0..=3),
        link in prop::option::of(Just("https://wiki.example/page".to_owned())),
    ) -> Item {
        let start_after = due.zip(lead).map(|(due, days)| due.checked_sub(jiff::Span::new().days(days)).unwrap());
        Item::Task(Task { title, due, start_after, is_hard: is_hard && due.is_some(), minutes, chunk, priority, energy, labels, rule: None, link })
    }
}

prop_compose! {
    fn event()(
        title in title(),
        start in moment(),
        minutes in 5..600_i64,
        days in prop::option::of(1..20_i64),
        guests in prop::sample::subsequence(vec!["ana@x.example".to_owned(), "ben@x.example".to_owned()], 0..=2),
        link in prop::option::of(Just("https://meet.example/abc".to_owned())),
    ) -> Item {
        let when = match days {
            Some(days) => When::Days(start.date(), start.date().checked_add(jiff::Span::new().days(days)).unwrap()),
            None => When::Timed(start, start.checked_add(jiff::Span::new().minutes(minutes)).unwrap()),
        };
        Item::Event(Event { title, when, place: None, guests, rule: None, link })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in ".{0,600}") {
        for locale in ["en-US", "de-DE", "ru"] {
            check(&text, locale);
        }
    }

    #[test]
    fn any_mix_of_words_is_read(text in pieces()) {
        for locale in ["en-GB", "de", "ru-RU", "xx"] {
            check(&text, locale);
        }
    }

    #[test]
    fn what_is_written_is_read_back(item in prop_oneof![task(), event()]) {
        let text = phrase(&item);
        let back = read(&text, &scene("en-US")).item;
        prop_assert_eq!(compact(&back), compact(&item), "{}", text);
    }
}
