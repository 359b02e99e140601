//! What a language model is asked about a text, and how its answer becomes the same typed values that the rules give. Pure.
//!
//! Promises: an answer is never believed. Words of it are words that the person wrote, times lie near and agree with what the rules are
//! sure of, numbers are in their limits; what does not hold is left out, or the whole answer is. Must not know who is asked, or how.

mod item;
mod wish;

#[cfg(test)]
mod tests;

use jiff::civil::{Date, DateTime, Time};
use serde_json::{Value, json};

use super::Scene;

pub use item::{phrase_of, question_about_phrase};
pub use wish::{question_about_wishes, wishes_of};

/// The moment as the model gets it.
fn now_of(scene: &Scene) -> Value {
    let now = scene.local();
    json!({
        "now": now.strftime("%Y-%m-%dT%H:%M").to_string(),
        "weekday": now.strftime("%A").to_string(),
        "time_zone": scene.zone.iana_name().unwrap_or("UTC"),
        "working_hours": scene.hours,
        "language": scene.locale,
    })
}

/// Whether every word of a text is among the words of what the person wrote.
fn is_made_of(text: &str, source: &str) -> bool {
    let known: Vec<String> = words(source).collect();
    words(text).all(|word| known.contains(&word))
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// A date, perhaps with a time: `2026-11-20` or `2026-11-20T15:00`.
fn moment(text: &str) -> Option<(Date, Option<Time>)> {
    let text = text.trim();
    let (day, time) = match text.split_once(['T', ' ']) {
        Some((day, time)) => (day, Some(clock(time)?)),
        None => (text, None),
    };
    (day.len() == 10).then_some(())?;
    Some((day.parse().ok()?, time))
}

/// A time of day: `15:00`, perhaps with seconds, which do not count.
fn clock(text: &str) -> Option<Time> {
    let mut parts = text.trim().splitn(3, ':');
    let (hour, minute) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let seconds = parts.next();
    let is_plain = seconds.is_none_or(|text| text.parse::<u8>().is_ok_and(|number| number < 60));
    is_plain.then(|| Time::new(hour, minute, 0, 0).ok())?
}

/// Whether a day is one that people make plans for.
fn is_near(day: Date, now: DateTime) -> bool {
    let days = now.date().until(day).map_or(i32::MAX, |span| span.get_days());
    (-1..=3_660).contains(&days)
}

/// A property that may be missing.
fn optional(kind: &str, description: &str) -> Value {
    json!({ "type": [kind, "null"], "description": description })
}

fn object(properties: Value) -> Value {
    let names: Vec<String> = properties
        .as_object()
        .map(|all| all.keys().cloned().collect())
        .unwrap_or_default();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": names,
        "properties": properties,
    })
}
