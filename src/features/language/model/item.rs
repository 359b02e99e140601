//! A phrase, read by a language model.

use entity::enums::{EnergyLevel, TaskPriority};
use jiff::civil::{Date, DateTime, Time};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{clock, is_made_of, is_near, moment, now_of, object, optional};
use crate::features::events::recurrence::Rule;
use crate::features::language::{Event, Item, Reading, Scene, Subject, Task, When};
use crate::kernel::text::{MAX_TITLE, email};
use crate::platform::llm::Question;

const RULES: &str = "You read what somebody typed into the quick entry of a calendar, and say what they meant: a task (something to do, \
    perhaps with a deadline) or an event (something that takes place at a time). Use only words from the text for title, place, labels \
    and guests; the title has no words about time, length, importance or people's addresses that you put into other fields. Times are \
    wall times in the given zone, as 2026-11-20T15:00 or, for whole days, 2026-11-20. Words such as `friday` mean the next such day. Null \
    is what the text does not say: never invent a time, a place or a guest.";

/// The question about a phrase.
pub fn question_about_phrase(text: &str, scene: &Scene) -> Question {
    let mut data = now_of(scene);
    data["text"] = json!(text);
    Question {
        name: "quick_entry",
        rules: RULES,
        data,
        schema: object(json!({
            "kind": { "type": "string", "enum": ["task", "event"] },
            "title": { "type": "string" },
            "start": optional("string", "When an event begins."),
            "end": optional("string", "When an event ends; the last day when it is whole days."),
            "due": optional("string", "Deadline of a task."),
            "not_before": optional("string", "When work on a task may begin."),
            "is_hard": { "type": "boolean", "description": "Whether the deadline must not be missed." },
            "minutes": optional("integer", "How long it takes."),
            "piece_minutes": optional("integer", "Length of the pieces that a task is cut into."),
            "priority": { "type": ["string", "null"], "enum": ["low", "medium", "high", "urgent", null] },
            "energy": { "type": ["string", "null"], "enum": ["low", "medium", "high", null] },
            "labels": { "type": "array", "items": { "type": "string" } },
            "place": optional("string", "Where an event takes place."),
            "guests": { "type": "array", "items": { "type": "string" }, "description": "E-mail addresses." },
            "repeats": optional("string", "RFC 5545 rule such as FREQ=WEEKLY;BYDAY=MO."),
        })),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    kind: String,
    title: String,
    start: Option<String>,
    end: Option<String>,
    due: Option<String>,
    not_before: Option<String>,
    is_hard: bool,
    minutes: Option<i32>,
    piece_minutes: Option<i32>,
    priority: Option<String>,
    energy: Option<String>,
    labels: Vec<String>,
    place: Option<String>,
    guests: Vec<String>,
    repeats: Option<String>,
}

/// What the model took a phrase for. `None` unless all of it makes sense, is made of the phrase, and agrees with what the rules are sure of.
pub fn phrase_of(answer: &Value, text: &str, by_rules: &Reading, scene: &Scene) -> Option<Item> {
    let answer: Answer = serde_json::from_value(answer.clone()).ok()?;
    let now = scene.local();
    let title = answer.title.trim().to_owned();
    let texts = answer.labels.iter().chain(&answer.place).chain([&title]);
    for words in texts {
        let is_clean = !words.trim().is_empty()
            && words.chars().count() <= MAX_TITLE
            && !words.chars().any(char::is_control);
        (is_clean && is_made_of(words, text)).then_some(())?;
    }
    let rule = match &answer.repeats {
        Some(rule) => Some(Rule::parse(rule).ok()?.to_string()),
        None => None,
    };
    let minutes = within(answer.minutes, 14_400)?;
    let item = match answer.kind.as_str() {
        "event" => Item::Event(Event {
            when: when(&answer, minutes, now)?,
            title,
            place: answer.place.map(|place| place.trim().to_owned()),
            guests: guests(&answer.guests, text)?,
            rule,
            link: link_of(&by_rules.item),
        }),
        "task" => {
            let due = deadline(answer.due.as_deref(), now, Time::constant(23, 59, 0, 0))?;
            let start_after = deadline(answer.not_before.as_deref(), now, Time::midnight())?;
            let in_order = start_after.zip(due).is_none_or(|(start, due)| start < due);
            in_order.then_some(())?;
            Item::Task(Task {
                title,
                start_after,
                due,
                is_hard: answer.is_hard && due.is_some(),
                minutes,
                chunk: within(answer.piece_minutes, 14_400)?,
                priority: one_of(answer.priority.as_deref(), &PRIORITIES)?,
                energy: one_of(answer.energy.as_deref(), &ENERGIES)?,
                labels: answer.labels,
                rule,
                link: link_of(&by_rules.item),
            })
        }
        _ => return None,
    };
    agrees(&item, by_rules).then_some(item)
}

const PRIORITIES: [(&str, TaskPriority); 4] = [
    ("low", TaskPriority::Low),
    ("medium", TaskPriority::Medium),
    ("high", TaskPriority::High),
    ("urgent", TaskPriority::Urgent),
];
const ENERGIES: [(&str, EnergyLevel); 3] = [
    ("low", EnergyLevel::Low),
    ("medium", EnergyLevel::Medium),
    ("high", EnergyLevel::High),
];

/// `None` is an answer that cannot be used; `Some(None)` one that says nothing.
fn one_of<T: Copy>(text: Option<&str>, known: &[(&str, T)]) -> Option<Option<T>> {
    let Some(text) = text else { return Some(None) };
    let found = known.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| Some(*value))
}

fn within(number: Option<i32>, most: i32) -> Option<Option<i32>> {
    number
        .is_none_or(|number| (1..=most).contains(&number))
        .then_some(number)
}

fn deadline(text: Option<&str>, now: DateTime, time_of_day: Time) -> Option<Option<DateTime>> {
    let Some(text) = text else { return Some(None) };
    let (day, time) = moment(text)?;
    is_near(day, now).then(|| Some(day.to_datetime(time.unwrap_or(time_of_day))))
}

fn when(answer: &Answer, minutes: Option<i32>, now: DateTime) -> Option<When> {
    let (day, time) = moment(answer.start.as_deref()?)?;
    is_near(day, now).then_some(())?;
    let end = match answer.end.as_deref() {
        // The time alone is one of the same day.
        Some(text) if text.len() < 10 => Some((day, Some(clock(text)?))),
        Some(text) => Some(moment(text)?),
        None => None,
    };
    let Some(time) = time else {
        let last = end.map_or(day, |(day, _)| day);
        let is_short = day.until(last).ok()?.get_days() <= 366;
        return (last >= day && is_short).then_some(When::Days(day, last.tomorrow().ok()?));
    };
    let start = day.to_datetime(time);
    let end = match end {
        Some((last, Some(time))) => last.to_datetime(time),
        Some((_, None)) => return None,
        None => start
            .checked_add(jiff::Span::new().minutes(minutes.unwrap_or(60)))
            .ok()?,
    };
    let is_short = start.date().until(end.date()).ok()?.get_days() <= 31;
    (end > start && is_short).then_some(When::Timed(start, end))
}

/// Nobody is invited whose address the person did not type.
fn guests(given: &[String], text: &str) -> Option<Vec<String>> {
    let typed: Vec<String> = text
        .split(|c: char| c.is_whitespace() || ",;()<>".contains(c))
        .filter_map(|word| email(word.trim_end_matches('.')))
        .collect();
    let known = |guest: &String| email(guest).filter(|guest| typed.contains(guest));
    given.iter().map(known).collect()
}

/// Links are taken from the text by the rules alone.
fn link_of(item: &Item) -> Option<String> {
    match item {
        Item::Task(task) => task.link.clone(),
        Item::Event(event) => event.link.clone(),
    }
}

/// Where the rules found a day or a time in the text, the model has one of those they think possible.
fn agrees(item: &Item, by_rules: &Reading) -> bool {
    let has = |subject: Subject| by_rules.claims.iter().any(|claim| claim.subject == subject);
    let possible: Vec<DateTime> = std::iter::once(&by_rules.item)
        .chain(&by_rules.alternatives)
        .flat_map(moments)
        .collect();
    let own = moments(item);
    let days: Vec<Date> = possible.iter().map(|at| at.date()).collect();
    let times: Vec<Time> = possible.iter().map(|at| at.time()).collect();
    let day_fits = !has(Subject::Date)
        || (!own.is_empty() && days.is_empty())
        || own.iter().any(|at| days.contains(&at.date()));
    let time_fits = !has(Subject::Time)
        || (!own.is_empty() && times.is_empty())
        || own.iter().any(|at| times.contains(&at.time()));
    day_fits && time_fits
}

fn moments(item: &Item) -> Vec<DateTime> {
    match item {
        Item::Task(task) => task.start_after.into_iter().chain(task.due).collect(),
        Item::Event(event) => match event.when {
            When::Timed(start, end) => vec![start, end],
            When::Days(first, _) => vec![first.to_datetime(Time::midnight())],
        },
    }
}
