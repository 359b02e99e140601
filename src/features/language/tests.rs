//! What phrases mean.

mod properties;

use jiff::civil::DateTime;

use super::item::{Item, When};
use super::{Scene, read};
use crate::kernel::zones;

/// Wednesday, 18 November 2026, 10:00 in Berlin.
pub(super) fn scene(locale: &str) -> Scene {
    Scene {
        now: "2026-11-18T09:00:00Z".parse().unwrap(),
        zone: zones::zone("Europe/Berlin").unwrap(),
        hours: Vec::new(),
        locale: locale.to_owned(),
    }
}

fn at(at: DateTime) -> String {
    format!("{} {:02}:{:02}", at.date(), at.hour(), at.minute())
}

/// A compact form: `T title | due … | from … | 90m | /30m | high | #label | rule` or `E title | start > end | @place | guest | rule`.
pub(super) fn compact(item: &Item) -> String {
    let mut parts = Vec::new();
    match item {
        Item::Task(task) => {
            parts.push(format!("T {}", task.title));
            let mark = if task.is_hard { "hard" } else { "due" };
            parts.extend(task.due.map(|due| format!("{mark} {}", at(due))));
            parts.extend(task.start_after.map(|start| format!("from {}", at(start))));
            parts.extend(task.minutes.map(|minutes| format!("{minutes}m")));
            parts.extend(task.chunk.map(|minutes| format!("/{minutes}m")));
            parts.extend(task.priority.map(|level| format!("{level:?}").to_lowercase()));
            parts.extend(
                task.energy
                    .map(|level| format!("{level:?} energy").to_lowercase()),
            );
            parts.extend(task.labels.iter().map(|label| format!("#{label}")));
            parts.extend(task.rule.clone());
            parts.extend(task.link.clone());
        }
        Item::Event(event) => {
            parts.push(format!("E {}", event.title));
            parts.push(match event.when {
                When::Timed(start, end) if start.date() == end.date() => {
                    format!("{} > {:02}:{:02}", at(start), end.hour(), end.minute())
                }
                When::Timed(start, end) => format!("{} > {}", at(start), at(end)),
                When::Days(first, end) => match end.yesterday().unwrap() {
                    last if last == first => first.to_string(),
                    last => format!("{first} > {last}"),
                },
            });
            parts.extend(event.place.as_ref().map(|place| format!("@{place}")));
            parts.extend(event.guests.clone());
            parts.extend(event.rule.clone());
            parts.extend(event.link.clone());
        }
    }
    parts.join(" | ")
}

#[test]
fn phrases_mean_what_people_mean() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/quick_add.json");
    let all: std::collections::BTreeMap<String, Vec<(String, String)>> =
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    for (locale, phrases) in &all {
        let scene = scene(locale);
        for (text, expected) in phrases {
            count += 1;
            let meant = compact(&read(text, &scene).item);
            if meant != *expected {
                wrong.push(format!("{text}\n   is {meant}\n  not {expected}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count >= 200, "{count} phrases");
}

#[test]
fn guesses_are_told_with_what_else_it_might_be() {
    let scene = scene("en-US");
    let others = |text: &str| {
        let reading = read(text, &scene);
        let others: Vec<String> = reading.alternatives.iter().map(compact).collect();
        (reading.confidence, others)
    };
    let (sure, others_of_time) = others("Call with Bob at 3");
    assert!(sure < 100);
    assert!(
        others_of_time.contains(&"E Call with Bob | 2026-11-19 03:00 > 03:30".to_owned()),
        "{others_of_time:?}"
    );
    let (_, others_of_date) = others("Dentist 5/6 at 9:30");
    assert!(
        others_of_date.contains(&"E Dentist | 2027-06-05 09:30 > 10:30".to_owned()),
        "{others_of_date:?}"
    );
    assert_eq!(others("Buy milk"), (100, Vec::new()));
    for text in [
        "at 5pm",
        "tomorrow",
        "Meet every so often on tuesdays-ish until 7 or 8",
        "Call 3 and 4 and 5",
    ] {
        let confidence = read(text, &scene).confidence;
        assert!(confidence < 60, "{text}: {confidence}");
    }
}

#[test]
fn zones_and_changes_of_clocks_are_those_of_the_person() {
    let mut scene = scene("en-US");
    scene.now = "2026-11-19T03:00:00Z".parse().unwrap();
    scene.zone = zones::zone("America/Los_Angeles").unwrap();
    let item = read("Call tomorrow 9am", &scene).item;
    assert_eq!(compact(&item), "E Call | 2026-11-19 09:00 > 09:30");
    scene.zone = zones::zone("Asia/Tokyo").unwrap();
    let item = read("Call tomorrow 9am", &scene).item;
    assert_eq!(compact(&item), "E Call | 2026-11-20 09:00 > 09:30");
}
