//! Wishes about a plan, as people put them: `keep Friday afternoon free`, `nothing before 10`, `deep work in the morning`, `move the report
//! to Monday`. Pure, English. Promises: what is not understood is handed back and never guessed at, so a clause is only understood when
//! every word of it is; names of tasks are words to look for, never instructions.

mod clause;
mod days;
mod kinds;
mod names;
mod vocabulary;

#[cfg(test)]
mod tests;

use entity::enums::{EnergyLevel, Weekday};
use jiff::civil::{Date, DateTime, Time};
use serde::{Deserialize, Serialize};

use super::words::Lexicon;
use super::{MAX_TEXT, Scene};

pub(super) use clause::{Clause, Hours, Scope, free_hours, in_either_half};
pub(super) use kinds::{is_negated, is_start, is_stop};

/// One wish. Stored beside a plan, in words that later versions read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Nothing is planned between these wall times.
    KeepFree(
        #[serde(with = "as_text")] DateTime,
        #[serde(with = "as_text")] DateTime,
    ),
    /// Nothing is planned between these wall times on each of these weekdays; on every day when none is named. An end at midnight is that
    /// of the day.
    KeepFreeEach(
        Vec<Weekday>,
        #[serde(with = "as_text")] Time,
        #[serde(with = "as_text")] Time,
    ),
    /// Nothing is planned earlier in the day.
    NotBefore(#[serde(with = "as_text")] Time),
    /// Nothing is planned later in the day.
    NotAfter(#[serde(with = "as_text")] Time),
    /// At least so many minutes between two things; none takes back an earlier wish.
    Breaks(i32),
    /// At most so many minutes of tasks on a day.
    DailyLimit(i32),
    /// Work that needs this energy lies between these wall times.
    Energy(
        EnergyLevel,
        #[serde(with = "as_text")] Time,
        #[serde(with = "as_text")] Time,
    ),
    /// The tasks with these words in their titles lie on this day.
    OnDay(String, #[serde(with = "as_text")] Date),
    /// The tasks with these words in their titles come before all others.
    First(String),
}

/// What was understood of the wishes about one plan, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// In the order in which they were put: of two that cannot both be, the later one counts.
    pub wishes: Vec<Wish>,
    /// Clauses that nobody understood.
    pub rest: Vec<String>,
    /// Texts that came since and were not read yet. What was read stays as it was understood: `tomorrow` is the day after it was said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// Most wishes, and most clauses that were not understood, that are kept about one plan.
const MOST_HEARD: usize = 100;

impl Heard {
    /// Takes in what was understood of a newer text. A wish that is put again counts as the newer one.
    pub fn add(&mut self, wishes: Vec<Wish>, rest: Vec<String>) {
        append(&mut self.wishes, wishes);
        append(&mut self.rest, rest);
    }
}

/// Appends what is not at the end already; the oldest make room.
fn append<T: PartialEq>(all: &mut Vec<T>, new: Vec<T>) {
    all.retain(|one| !new.contains(one));
    all.extend(new);
    let surplus = all.len().saturating_sub(MOST_HEARD);
    all.drain(..surplus);
}

/// Dates and times as their ISO 8601 texts.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Most pieces of a sentence that are read as one clause: `nothing on monday, tuesday and friday`.
const MOST_JOINED: usize = 4;

/// What a text wishes for, and the clauses that were not understood.
pub fn wishes(text: &str, scene: &Scene) -> (Vec<Wish>, Vec<String>) {
    let end = text
        .char_indices()
        .nth(MAX_TEXT * 4)
        .map_or(text.len(), |(at, _)| at);
    let (mut understood, mut rest) = (Vec::new(), Vec::new());
    for sentence in sentences(&text[..end]) {
        let pieces = pieces(sentence);
        let mut alone: Vec<Option<Vec<Wish>>> = Vec::with_capacity(pieces.len());
        for &(start, end) in &pieces {
            let found = wishes_in(&sentence[start..end], scene);
            // `do the letters on tuesday, not on monday` says nothing about other work on Monday.
            let names_before = alone.last().is_some_and(names_a_task);
            let is_about_it = names_before && is_short_denial(&sentence[start..end]);
            alone.push(found.filter(|_| !is_about_it));
        }
        // `nothing on friday, except the report` is not nothing.
        let exception = (1..pieces.len()).rev().find(|at| {
            let (start, _) = pieces[*at];
            let before = &sentence[..start];
            alone[*at].is_none() && is_exception(&sentence[start..], before)
        });
        let mut at = exception.unwrap_or_default();
        let refused = pieces[..at].iter();
        rest.extend(refused.map(|(start, end)| sentence[*start..*end].to_owned()));
        while at < pieces.len() {
            let (to, found) = longest(sentence, &pieces, &alone, at, scene);
            match found {
                Some(wishes) => append(&mut understood, wishes),
                None => rest.push(sentence[pieces[at].0..pieces[at].1].to_owned()),
            }
            at = to;
        }
    }
    (understood, rest)
}

/// The clause that begins with a piece: several pieces when one of them says nothing alone and all of them say something together.
fn longest(
    sentence: &str,
    pieces: &[(usize, usize)],
    alone: &[Option<Vec<Wish>>],
    at: usize,
    scene: &Scene,
) -> (usize, Option<Vec<Wish>>) {
    let last = (at + MOST_JOINED).min(pieces.len());
    for to in (at + 2..=last).rev() {
        let parts = &alone[at..to];
        if parts.iter().all(Option::is_some) {
            continue;
        }
        let Some(wishes) = wishes_in(&sentence[pieces[at].0..pieces[to - 1].1], scene) else {
            continue;
        };
        // What a piece means alone it also means here; else the pieces were not one clause.
        if parts.iter().flatten().flatten().all(|one| contains(&wishes, one)) {
            return (to, Some(wishes));
        }
    }
    (at + 1, alone[at].clone())
}

/// Whether these wishes say as much; those of more weekdays say what those of one do.
fn contains(wishes: &[Wish], one: &Wish) -> bool {
    wishes.iter().any(|wish| match (wish, one) {
        (Wish::KeepFreeEach(all, from, until), Wish::KeepFreeEach(days, start, end)) => {
            let is_all = !days.is_empty() && days.iter().all(|day| all.contains(day));
            (from, until) == (start, end) && (all == days || is_all)
        }
        _ => wish == one,
    })
}

/// Whether a piece takes something back of what stands before it.
fn is_exception(piece: &str, before: &str) -> bool {
    const TAKING_BACK: [&str; 8] = [
        "except",
        "unless",
        "apart",
        "besides",
        "if ",
        "otherwise",
        "only ",
        "other than",
    ];
    let piece = piece.to_lowercase();
    let before = before.trim_end().to_lowercase();
    let is_denied = ["no", "nothing", "not", "don't", "don’t", "never"]
        .iter()
        .any(|word| {
            let mut words = before.split(|letter: char| letter.is_whitespace() || letter == ',');
            words.any(|one| one == *word)
        });
    TAKING_BACK.iter().any(|word| piece.starts_with(word)) || (is_denied && before.ends_with(" but"))
}

/// The wishes of one clause; `None` unless all of it is understood.
fn wishes_in(clause: &str, scene: &Scene) -> Option<Vec<Wish>> {
    Clause::read(clause, lexicon(scene), scene.local())?.wishes()
}

/// English words; the order of day and month is that of the person.
pub(super) fn lexicon(scene: &Scene) -> &'static Lexicon {
    let is_english = scene.locale.to_ascii_lowercase().starts_with("en");
    Lexicon::of(if is_english { &scene.locale } else { "en-GB" })
}

fn names_a_task(wishes: &Option<Vec<Wish>>) -> bool {
    let mut all = wishes.iter().flatten();
    all.any(|wish| matches!(wish, Wish::OnDay(..) | Wish::First(_)))
}

fn is_short_denial(piece: &str) -> bool {
    let lower = piece.to_lowercase();
    lower.starts_with("not ") || lower.starts_with("never ")
}

/// The text at the marks between sentences. A question keeps its mark, because it is no wish.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split([';', '\n', '!'])
        .flat_map(|part| part.split_inclusive('?'))
}

/// Places of the pieces between commas, stops and `and`. A mark inside a number separates nothing, nor does the stop of `p.m.`
fn pieces(sentence: &str) -> Vec<(usize, usize)> {
    const BETWEEN: [&str; 5] = [", ", ". ", " and ", " but ", " & "];
    let mut cuts = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(letter) = sentence[at..].chars().next() {
        let rest = &sentence[at..];
        let has = |mark: &&&str| {
            let begin = rest.get(..mark.len());
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(mark))
        };
        let mark = BETWEEN.iter().find(has).copied();
        let mark = mark.filter(|mark| *mark != ". " || !sentence[..at].to_lowercase().ends_with(".m"));
        let is_comma = letter == ',' && !rest[1..].starts_with(|next: char| next.is_ascii_digit());
        match mark {
            Some(mark) => {
                cuts.push((start, at));
                // The space behind it may begin the next one: `free, and more breaks`.
                at += mark.len() - 1;
                start = at;
            }
            None if is_comma => {
                cuts.push((start, at));
                at += 1;
                start = at;
            }
            None => at += letter.len_utf8(),
        }
    }
    cuts.push((start, sentence.len()));
    let trimmed = |(start, end): (usize, usize)| {
        let piece = &sentence[start..end];
        let left = start + piece.len() - piece.trim_start().len();
        let right = left + piece.trim().trim_end_matches('.').trim_end().len();
        (left, right)
    };
    cuts.into_iter()
        .map(trimmed)
        .filter(|(start, end)| start < end)
        .collect()
}
