//! What parts of a text can mean. Each finder looks at one place and says how many tokens it claims, for what, and how much that counts;
//! which claims hold is decided elsewhere.

mod day;
mod length;
mod mark;
mod numeric;
mod place;
mod repeat;
mod time;

use entity::enums::{EnergyLevel, TaskPriority};
use jiff::civil::{Date, DateTime};

use super::item::Subject;
use super::token::Token;
use super::words::{Lexicon, Part, Word};

pub(super) use time::Clock;

/// A claim on the tokens `from..to`.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) score: u16,
    pub(super) meaning: Meaning,
}

/// What a date or time is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    /// Deadline.
    By,
    /// As `By`, with a word that can also end a repetition.
    Until,
    /// A deadline that must be kept.
    Hard,
    /// Not before.
    From,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Meaning {
    /// A day, another day that it might be, and whether it only says roughly when.
    Day(Role, Date, Option<Date>),
    /// From one day to another, both included.
    Days(Date, Date),
    Moment(Role, DateTime),
    Time(Role, Clock),
    Times(Clock, Clock),
    Part(Part),
    Minutes(i32),
    Span(i32),
    /// A rule, and the part of the day in which it happens.
    Repeat(String, Option<Part>),
    Count(u32),
    Priority(TaskPriority),
    Energy(EnergyLevel),
    Chunk(Option<i32>),
    Label(String),
    Guest(String),
    /// Names of people stay in the title.
    People,
    Place(String),
    Link(String),
    IsTask,
    IsEvent,
}

impl Meaning {
    /// What it is about.
    pub(super) fn subject(&self) -> Subject {
        match self {
            Self::Day(..) | Self::Days(..) | Self::Moment(..) | Self::Span(_) => Subject::Date,
            Self::Time(..) | Self::Times(..) | Self::Part(_) => Subject::Time,
            Self::Minutes(_) => Subject::Duration,
            Self::Repeat(..) | Self::Count(_) => Subject::Recurrence,
            Self::Priority(_) => Subject::Priority,
            Self::Energy(_) => Subject::Energy,
            Self::Chunk(_) => Subject::Chunk,
            Self::Label(_) => Subject::Label,
            Self::Guest(_) | Self::People => Subject::Person,
            Self::Place(_) => Subject::Place,
            Self::Link(_) => Subject::Link,
            Self::IsTask | Self::IsEvent => Subject::Kind,
        }
    }
}

/// The tokens of a text with what is needed to understand them.
pub(super) struct Sight<'a> {
    pub(super) tokens: &'a [Token<'a>],
    pub(super) lexicon: &'static Lexicon,
    pub(super) now: DateTime,
}

impl<'a> Sight<'a> {
    pub(super) fn at(&self, index: usize) -> Option<&'a Token<'a>> {
        self.tokens.get(index)
    }

    /// Whether the token can mean this.
    pub(super) fn is(&self, index: usize, word: Word) -> bool {
        self.at(index).is_some_and(|token| token.is(word))
    }

    pub(super) fn is_mark(&self, index: usize, mark: char) -> bool {
        self.at(index).is_some_and(|token| token.is_mark(mark))
    }

    /// The place behind the token if it can mean this, else the same place.
    pub(super) fn skip(&self, index: usize, word: Word) -> usize {
        index + usize::from(self.is(index, word))
    }

    pub(super) fn pick<T>(&self, index: usize, pick: impl Fn(&Word) -> Option<T>) -> Option<T> {
        self.at(index)?.pick(pick)
    }

    /// Whether the token touches the one before.
    pub(super) fn is_joined(&self, index: usize) -> bool {
        self.at(index).is_some_and(|token| !token.is_spaced)
    }

    /// A number in digits or in words.
    pub(super) fn number(&self, index: usize) -> Option<u32> {
        let token = self.at(index)?;
        token.digits().or_else(|| {
            token.pick(|word| match word {
                Word::Number(number) => Some(*number),
                Word::A => Some(1),
                _ => None,
            })
        })
    }

    /// What the words before a date or time say about it, and where it begins.
    pub(super) fn role(&self, at: usize) -> (Role, usize) {
        if self.is(at, Word::Deadline) {
            let next = at + 1;
            let next = next + usize::from(self.is_mark(next, ':'));
            return (Role::Hard, self.skip(self.skip(next, Word::By), Word::On));
        }
        if self.is(at, Word::Due) {
            return (Role::By, self.skip(self.skip(at + 1, Word::By), Word::On));
        }
        if self.is(at, Word::No) && self.is(at + 1, Word::Later) && self.is(at + 2, Word::Than) {
            return (Role::By, at + 3);
        }
        if self.is(at, Word::Not) && self.is(at + 1, Word::By) {
            return (Role::From, at + 2);
        }
        if self.is(at, Word::Not) && self.is(at + 1, Word::After) {
            return (Role::By, at + 2);
        }
        if self.is(at, Word::Until) {
            return (Role::Until, self.skip(at + 1, Word::On));
        }
        if self.is(at, Word::By) {
            return (Role::By, at + 1);
        }
        if self.is(at, Word::From) || self.is(at, Word::After) || self.is(at, Word::Starting) {
            return (Role::From, self.skip(at + 1, Word::On));
        }
        (Role::Plain, at)
    }
}

/// Everything that the parts of a text can mean.
pub(super) fn all(tokens: &[Token<'_>], lexicon: &'static Lexicon, now: DateTime) -> Vec<Found> {
    let sight = Sight { tokens, lexicon, now };
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let finders = [
            day::find,
            day::range,
            day::moment,
            time::find,
            time::range,
            time::part,
            length::find,
            length::span,
            length::chunk,
            repeat::find,
            repeat::count,
            mark::priority,
            mark::energy,
            mark::plain,
            mark::kind,
            place::people,
            place::find,
        ];
        for finder in finders {
            if let Some((to, extra, meaning)) =
                finder(&sight, at).filter(|(to, ..)| *to > at && *to <= tokens.len())
            {
                let length = u16::try_from(to - at).unwrap_or(u16::MAX / 20).min(200);
                found.push(Found {
                    from: at,
                    to,
                    score: length * 10 + extra,
                    meaning,
                });
            }
        }
    }
    found
}

/// What a wish can mean beyond that. Lengths in words, which in a phrase may be part of a title: `half an hour`, `two hours`; hours
/// that only the words beside them tell from other numbers: `lunch 12-1`, `12-1 free`.
pub(super) fn in_wishes(tokens: &[Token<'_>], lexicon: &'static Lexicon, now: DateTime) -> Vec<Found> {
    let sight = Sight { tokens, lexicon, now };
    let claim = |from: usize, to: usize, extra: u16, meaning: Meaning| {
        let length = u16::try_from(to - from).ok().filter(|length| *length < 20)?;
        (to <= tokens.len()).then_some(Found {
            from,
            to,
            score: length * 10 + extra,
            meaning,
        })
    };
    let length = |at: usize| {
        let (to, minutes) = length::minutes(&sight, at)?;
        claim(at, to, 5, Meaning::Minutes(minutes))
    };
    let hours = |at: usize| {
        let (to, extra, meaning) = time::bare_range(&sight, at)?;
        claim(at, to, extra, meaning)
    };
    (0..tokens.len())
        .flat_map(|at| [length(at), hours(at)])
        .flatten()
        .collect()
}

/// The place behind a claim, how much more than its length it counts, and what it means.
type Claimed = Option<(usize, u16, Meaning)>;
