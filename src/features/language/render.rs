//! The way back: an item as a sentence for people, and as a phrase that reads as the same item again.

use std::fmt::Write as _;

use entity::enums::{EnergyLevel, TaskPriority};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::item::{Event, Item, Task, When};
use crate::features::events::recurrence::Rule;

fn day(date: Date) -> String {
    date.strftime("%a %-d %b %Y").to_string()
}

fn moment(at: DateTime) -> String {
    format!("{}, {:02}:{:02}", day(at.date()), at.hour(), at.minute())
}

/// How an item was understood, in English.
pub fn sentence(item: &Item, zone: &TimeZone) -> String {
    let mut text = match item {
        Item::Task(task) => task_words(task),
        Item::Event(event) => event_words(event),
    };
    let rule = match item {
        Item::Task(task) => &task.rule,
        Item::Event(event) => &event.rule,
    };
    if let Some(rule) = rule {
        let summary = Rule::parse(rule).ok().and_then(|rule| rule.summary(zone));
        let summary = summary.unwrap_or_else(|| rule.clone());
        let mut letters = summary.chars();
        let lower = letters
            .next()
            .map(|first| first.to_lowercase().chain(letters).collect::<String>());
        // Writing to a text cannot fail.
        let _ = write!(text, ", repeats {}", lower.unwrap_or_default());
    }
    let name = zone.iana_name().unwrap_or("UTC");
    let has_time = match item {
        Item::Task(task) => task.due.is_some() || task.start_after.is_some(),
        Item::Event(event) => matches!(event.when, When::Timed(..)),
    };
    if has_time {
        let _ = write!(text, " ({name})");
    }
    text
}

fn task_words(task: &Task) -> String {
    let mut text = format!("Task “{}”", task.title);
    if let Some(due) = task.due {
        let hard = if task.is_hard { "hard deadline" } else { "due" };
        let _ = write!(text, ", {hard} {}", moment(due));
    }
    if let Some(start) = task.start_after {
        let _ = write!(text, ", not before {}", moment(start));
    }
    if let Some(minutes) = task.minutes {
        let _ = write!(text, ", takes {}", length(minutes));
    }
    if let Some(chunk) = task.chunk {
        let _ = write!(text, ", in pieces of {}", length(chunk));
    }
    let priority = match task.priority {
        Some(TaskPriority::Urgent) => ", urgent",
        Some(TaskPriority::High) => ", high priority",
        Some(TaskPriority::Low) => ", low priority",
        Some(TaskPriority::Medium) | None => "",
    };
    text.push_str(priority);
    let energy = match task.energy {
        Some(EnergyLevel::High) => ", high energy",
        Some(EnergyLevel::Low) => ", low energy",
        Some(EnergyLevel::Medium) | None => "",
    };
    text.push_str(energy);
    for label in &task.labels {
        let _ = write!(text, ", #{label}");
    }
    text
}

fn event_words(event: &Event) -> String {
    let mut text = format!("Event “{}”", event.title);
    match event.when {
        When::Timed(start, end) if start.date() == end.date() => {
            let _ = write!(
                text,
                " on {}–{:02}:{:02}",
                moment(start),
                end.hour(),
                end.minute()
            );
        }
        When::Timed(start, end) => {
            let _ = write!(text, " from {} to {}", moment(start), moment(end));
        }
        When::Days(first, end) => {
            let last = end.yesterday().unwrap_or(end);
            let _ = if first == last {
                write!(text, " on {}, all day", day(first))
            } else {
                write!(text, " from {} to {}, all day", day(first), day(last))
            };
        }
    }
    if let Some(place) = &event.place {
        let _ = write!(text, " at {place}");
    }
    for guest in &event.guests {
        let _ = write!(text, ", with {guest}");
    }
    text
}

fn length(minutes: i32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn exact(at: DateTime) -> String {
    format!("{} {:02}:{:02}", at.date(), at.hour(), at.minute())
}

/// A phrase that reads as this item again. Rules are left out: there is no phrase for each of them.
pub fn phrase(item: &Item) -> String {
    let mut text = String::new();
    match item {
        Item::Task(task) => {
            let _ = write!(text, "todo: {}", task.title);
            if let Some(due) = task.due {
                let _ = write!(
                    text,
                    " {} {}",
                    if task.is_hard { "deadline" } else { "by" },
                    exact(due)
                );
            }
            if let Some(start) = task.start_after {
                let _ = write!(text, " starting {}", exact(start));
            }
            if let Some(minutes) = task.minutes {
                let _ = write!(text, " for {minutes} min");
            }
            if let Some(chunk) = task.chunk {
                let _ = write!(text, " in {chunk} min blocks");
            }
            text.push_str(match task.priority {
                Some(TaskPriority::Urgent) => " p1",
                Some(TaskPriority::High) => " p2",
                Some(TaskPriority::Medium) => " p3",
                Some(TaskPriority::Low) => " p4",
                None => "",
            });
            text.push_str(match task.energy {
                Some(EnergyLevel::High) => " high energy",
                Some(EnergyLevel::Medium) => " medium energy",
                Some(EnergyLevel::Low) => " low energy",
                None => "",
            });
            for label in &task.labels {
                let _ = if label.starts_with('@') {
                    write!(text, " {label}")
                } else {
                    write!(text, " #{label}")
                };
            }
            if let Some(link) = &task.link {
                let _ = write!(text, " {link}");
            }
        }
        Item::Event(event) => {
            let _ = write!(text, "event: {}", event.title);
            match event.when {
                When::Timed(start, end) => {
                    let _ = write!(text, " on {}", exact(start));
                    let minutes = (end - start).total(jiff::Unit::Minute).unwrap_or_default();
                    let _ = write!(text, " for {minutes} min");
                }
                When::Days(first, end) => {
                    let last = end.yesterday().unwrap_or(end);
                    let _ = if first == last {
                        write!(text, " on {first}")
                    } else {
                        write!(text, " {first} to {last}")
                    };
                }
            }
            for guest in &event.guests {
                let _ = write!(text, " with {guest}");
            }
            if let Some(link) = &event.link {
                let _ = write!(text, " {link}");
            }
        }
    }
    text
}
