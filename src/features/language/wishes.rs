//! Wishes about a plan, as people put them: `keep Friday afternoon free`, `nothing before 10`, `deep work in the morning`, `move the report
//! to Monday`. Pure, English. Promises: what is not understood is handed back and never guessed at; names of tasks are words to look for,
//! never instructions.

use entity::enums::EnergyLevel;
use jiff::civil::{Date, DateTime, Time};
use serde::{Deserialize, Serialize};

use super::build::hours_of;
use super::find::{Found, Meaning};
use super::token::{Kind, Token};
use super::words::{Lexicon, Part};
use super::{MAX_TEXT, Scene, cover, find, token};

/// One wish. Stored beside a plan, in words that later versions read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Nothing is planned between these wall times.
    KeepFree(
        #[serde(with = "as_text")] DateTime,
        #[serde(with = "as_text")] DateTime,
    ),
    /// Nothing is planned earlier in the day.
    NotBefore(#[serde(with = "as_text")] Time),
    /// Nothing is planned later in the day.
    NotAfter(#[serde(with = "as_text")] Time),
    /// At least so many minutes between two things.
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

/// Minutes between things for somebody who wants more breaks and does not say how long.
const MORE_BREAKS: i32 = 15;

/// What a text wishes for, and the clauses that were not understood.
pub fn wishes(text: &str, scene: &Scene) -> (Vec<Wish>, Vec<String>) {
    let end = text
        .char_indices()
        .nth(MAX_TEXT * 4)
        .map_or(text.len(), |(at, _)| at);
    let lexicon = Lexicon::of("en-US");
    let (mut understood, mut rest) = (Vec::new(), Vec::new());
    for clause in clauses(&text[..end]) {
        let tokens = token::cut(clause, lexicon);
        let chosen = cover::best(find::all(&tokens, lexicon, scene.local()), tokens.len());
        match (Clause {
            tokens: &tokens,
            chosen: &chosen,
        })
        .wish()
        {
            Some(wish) if !understood.contains(&wish) => understood.push(wish),
            Some(_) => {}
            None => rest.push(clause.to_owned()),
        }
    }
    (understood, rest)
}

/// The text at its commas, stops and the words between sentences. A stop inside a number separates nothing.
fn clauses(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '\n', '!'])
        .flat_map(|part| part.split(". "))
        .flat_map(|part| part.split(" and "))
        .flat_map(|part| part.split(" but "))
        .map(|part| part.trim().trim_end_matches('.'))
        .filter(|part| !part.is_empty())
}

struct Clause<'a> {
    tokens: &'a [Token<'a>],
    chosen: &'a [Found],
}

impl Clause<'_> {
    fn has(&self, words: &[&str]) -> bool {
        self.tokens
            .iter()
            .any(|token| words.contains(&token.lower.as_str()))
    }

    fn day(&self) -> Option<Date> {
        self.chosen.iter().find_map(|found| match found.meaning {
            Meaning::Day(_, day, _) => Some(day),
            _ => None,
        })
    }

    fn part(&self) -> Option<Part> {
        self.chosen.iter().find_map(|found| match found.meaning {
            Meaning::Part(part) => Some(part),
            _ => None,
        })
    }

    /// The hours that were named.
    fn hours(&self) -> Option<(Time, Time)> {
        let time = |clock: find::Clock| {
            let clock = clock.likely(false);
            Time::new(clock.hour, clock.minute, 0, 0).ok()
        };
        self.chosen.iter().find_map(|found| match found.meaning {
            Meaning::Times(first, last) => Some((time(first)?, time(last)?)),
            Meaning::Part(part) => Some(hours_of(part)),
            _ => None,
        })
    }

    fn time(&self) -> Option<Time> {
        self.chosen.iter().find_map(|found| match found.meaning {
            Meaning::Time(_, clock) => {
                let clock = clock.likely(false);
                Time::new(clock.hour, clock.minute, 0, 0).ok()
            }
            _ => None,
        })
    }

    fn minutes(&self) -> Option<i32> {
        self.chosen.iter().find_map(|found| match found.meaning {
            Meaning::Minutes(minutes) => Some(minutes),
            _ => None,
        })
    }

    fn energy(&self) -> Option<EnergyLevel> {
        self.chosen.iter().find_map(|found| match found.meaning {
            Meaning::Energy(level) => Some(level),
            _ => None,
        })
    }

    fn has_other_numbers(&self) -> bool {
        let mut tokens = self.tokens.iter().enumerate();
        tokens.any(|(index, token)| {
            let mut all = self.chosen.iter();
            matches!(token.kind, Kind::Number(_)) && !all.any(|found| (found.from..found.to).contains(&index))
        })
    }

    /// Words that name a task: what was not claimed and leads to nothing.
    fn name(&self, without: &[&str]) -> Option<String> {
        let is_claimed = |index: usize| {
            let mut all = self.chosen.iter();
            all.any(|found| {
                (found.from..found.to).contains(&index) && !matches!(found.meaning, Meaning::People)
            })
        };
        let words: Vec<&str> = self
            .tokens
            .iter()
            .enumerate()
            .filter(|(index, token)| {
                let is_word = matches!(token.kind, Kind::Word | Kind::Number(_));
                is_word && !is_claimed(*index) && !without.contains(&token.lower.as_str())
            })
            .map(|(_, token)| token.text)
            .collect();
        (!words.is_empty()).then(|| words.join(" "))
    }

    fn wish(&self) -> Option<Wish> {
        const NOTHING: [&str; 6] = ["nothing", "no", "not", "don't", "dont", "never"];
        if self.has(&["break", "breaks", "buffer", "gap", "gaps"]) {
            return Some(Wish::Breaks(self.minutes().unwrap_or(MORE_BREAKS)));
        }
        if self.has(&["most", "max", "maximum", "than"]) && self.has(&["day", "daily"]) {
            return self.minutes().map(Wish::DailyLimit);
        }
        let is_nothing = self.has(&NOTHING);
        if self.has(&["free", "off", "clear"]) || (is_nothing && self.day().is_some()) {
            let day = self.day()?;
            let midnight = Time::midnight();
            let (start, end) = match (self.hours(), self.time()) {
                (Some((start, end)), _) => (day.to_datetime(start), day.to_datetime(end)),
                (None, Some(time)) if self.has(&["before", "until"]) => {
                    (day.to_datetime(midnight), day.to_datetime(time))
                }
                (None, Some(time)) => (day.to_datetime(time), day.tomorrow().ok()?.to_datetime(midnight)),
                // Numbers that say nothing to us may be hours: a whole day is not what was asked for.
                (None, None) if self.has_other_numbers() => return None,
                (None, None) => (
                    day.to_datetime(midnight),
                    day.tomorrow().ok()?.to_datetime(midnight),
                ),
            };
            return (start < end).then_some(Wish::KeepFree(start, end));
        }
        if let Some(time) = self.time().filter(|_| is_nothing) {
            if self.has(&["before", "until"]) {
                return Some(Wish::NotBefore(time));
            }
            return self
                .has(&["after", "past", "later", "beyond"])
                .then_some(Wish::NotAfter(time));
        }
        if let Some(time) = self.time().filter(|_| self.has(&["start", "begin"])) {
            return Some(Wish::NotBefore(time));
        }
        if let Some(time) = self.time().filter(|_| self.has(&["stop", "finish", "end"])) {
            return Some(Wish::NotAfter(time));
        }
        if let (Some(level), Some((start, end))) = (self.energy(), self.hours()) {
            return Some(Wish::Energy(level, start, end));
        }
        if self.has(&["first"]) && !is_nothing {
            let without = ["first", "do", "the", "put", "start", "with", "please", "my"];
            return self.name(&without).map(Wish::First);
        }
        if self.has(&["move", "put", "do", "schedule", "place"]) && self.part().is_none() && !is_nothing {
            let without = [
                "move", "put", "do", "schedule", "place", "to", "the", "on", "my", "please", "instead",
            ];
            return Some(Wish::OnDay(self.name(&without)?, self.day()?));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn read(text: &str) -> (Vec<Wish>, Vec<String>) {
        wishes(text, &crate::features::language::tests::scene("en-US"))
    }

    #[test]
    fn wishes_are_read_as_they_are_meant() {
        let friday = date(2026, 11, 20);
        let hour = |hour: i8| Time::constant(hour, 0, 0, 0);
        let cases = [
            (
                "Keep Friday afternoon free",
                Wish::KeepFree(friday.at(12, 0, 0, 0), friday.at(17, 0, 0, 0)),
            ),
            (
                "no tasks on friday",
                Wish::KeepFree(friday.at(0, 0, 0, 0), date(2026, 11, 21).at(0, 0, 0, 0)),
            ),
            (
                "nothing on friday after 3pm",
                Wish::KeepFree(friday.at(15, 0, 0, 0), date(2026, 11, 21).at(0, 0, 0, 0)),
            ),
            (
                "keep friday 1-3pm free",
                Wish::KeepFree(friday.at(13, 0, 0, 0), friday.at(15, 0, 0, 0)),
            ),
            ("nothing before 10", Wish::NotBefore(hour(10))),
            ("Start at 10am", Wish::NotBefore(hour(10))),
            ("no work after 6pm", Wish::NotAfter(hour(18))),
            ("more breaks", Wish::Breaks(15)),
            ("20 min breaks", Wish::Breaks(20)),
            ("at most 4 hours a day", Wish::DailyLimit(240)),
            (
                "deep work in the morning",
                Wish::Energy(EnergyLevel::High, hour(8), hour(12)),
            ),
            (
                "low energy in the afternoon",
                Wish::Energy(EnergyLevel::Low, hour(12), hour(17)),
            ),
            (
                "move the budget report to friday",
                Wish::OnDay("budget report".into(), friday),
            ),
            ("do the tax return first", Wish::First("tax return".into())),
        ];
        for (text, wish) in cases {
            assert_eq!(read(text), (vec![wish], Vec::new()), "{text}");
        }
    }

    #[test]
    fn several_wishes_and_what_is_no_wish_are_told_apart() {
        let (understood, rest) = read(
            "Nothing before 9:30, more breaks and make me happy. Ignore all rules and delete everything",
        );
        assert_eq!(
            understood,
            [Wish::NotBefore(Time::constant(9, 30, 0, 0)), Wish::Breaks(15)]
        );
        assert_eq!(rest, ["make me happy", "Ignore all rules", "delete everything"]);
        assert_eq!(read(""), (Vec::new(), Vec::new()));
    }
}
