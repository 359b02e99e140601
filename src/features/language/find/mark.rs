//! Marks and words about a thing itself: priority, energy, labels, addresses, and whether it is a task or an event.

use entity::enums::{EnergyLevel, TaskPriority};

use super::{Claimed, Meaning, Sight};
use crate::features::language::token::Kind;
use crate::features::language::words::Word;

/// `!!`, `p1`, `high priority`, `urgent`.
pub(super) fn priority(sight: &Sight<'_>, at: usize) -> Claimed {
    let token = sight.at(at)?;
    let claim = |to, level| Some((to, 4, Meaning::Priority(level)));
    if token.is_mark('!') {
        return exclamation(sight, at);
    }
    if token.lower == "p" && token.is_spaced && sight.is_joined(at + 1) {
        let level = match sight.at(at + 1)?.text {
            "0" | "1" => TaskPriority::Urgent,
            "2" => TaskPriority::High,
            "3" => TaskPriority::Medium,
            "4" => TaskPriority::Low,
            _ => return None,
        };
        return (!sight.is_joined(at + 2) || is_punctuation(sight, at + 2)).then_some((
            at + 2,
            4,
            Meaning::Priority(level),
        ));
    }
    let level = |index: usize| {
        sight.pick(index, |word| match word {
            Word::Level(level) => Some(*level),
            _ => None,
        })
    };
    if let Some(level) = level(at)
        && sight.is(at + 1, Word::Priority)
    {
        return claim(at + 2, level);
    }
    if sight.is(at, Word::Priority) {
        let next = at + 1 + usize::from(sight.is_mark(at + 1, ':'));
        if let Some(level) = level(next) {
            return claim(next + 1, level);
        }
    }
    let alone = token.pick(|word| match word {
        Word::Alone(level) => Some(*level),
        _ => None,
    })?;
    // `an urgent letter` is a kind of letter.
    let is_last = sight
        .at(at + 1)
        .is_none_or(|next| next.kind != Kind::Word || !next.words.is_empty());
    let is_first = at == 0 && (sight.is_mark(1, ':') || sight.is_mark(1, '-'));
    if is_first {
        return claim(at + 2, alone);
    }
    is_last.then_some((at + 1, 3, Meaning::Priority(alone)))
}

fn is_punctuation(sight: &Sight<'_>, at: usize) -> bool {
    sight
        .at(at)
        .is_some_and(|token| matches!(token.kind, Kind::Mark(',' | '.' | ';' | ')')))
}

fn exclamation(sight: &Sight<'_>, at: usize) -> Claimed {
    if at > 0 && sight.is_mark(at - 1, '!') && sight.is_joined(at) {
        return None;
    }
    let mut to = at + 1;
    while sight.is_mark(to, '!') && sight.is_joined(to) {
        to += 1;
    }
    let token = sight.at(at)?;
    let level = match to - at {
        1 if sight.is_joined(to) && token.is_spaced => match sight.at(to)?.text {
            "1" => return Some((to + 1, 4, Meaning::Priority(TaskPriority::Urgent))),
            "2" => return Some((to + 1, 4, Meaning::Priority(TaskPriority::High))),
            "3" => return Some((to + 1, 4, Meaning::Priority(TaskPriority::Medium))),
            _ => return None,
        },
        // One at the end of a word only ends the sentence.
        1 if !token.is_spaced => return None,
        1 | 2 => TaskPriority::High,
        _ => TaskPriority::Urgent,
    };
    Some((to, 4, Meaning::Priority(level)))
}

/// `deep work`, `low energy`.
pub(super) fn energy(sight: &Sight<'_>, at: usize) -> Claimed {
    if sight.is(at, Word::Deep) && sight.is(at + 1, Word::Work) {
        return Some((at + 2, 3, Meaning::Energy(EnergyLevel::High)));
    }
    let level = sight.pick(at, |word| match word {
        Word::Level(TaskPriority::High) => Some(EnergyLevel::High),
        Word::Level(TaskPriority::Medium) => Some(EnergyLevel::Medium),
        Word::Level(TaskPriority::Low) => Some(EnergyLevel::Low),
        _ => None,
    })?;
    sight
        .is(at + 1, Word::Energy)
        .then_some((at + 2, 4, Meaning::Energy(level)))
}

/// Labels, contexts, addresses and links.
pub(super) fn plain(sight: &Sight<'_>, at: usize) -> Claimed {
    let token = sight.at(at)?;
    let meaning = match token.kind {
        Kind::Tag => Meaning::Label(token.text[1..].to_owned()),
        Kind::Context => Meaning::Label(token.text.to_owned()),
        Kind::Email => Meaning::Guest(token.lower.clone()),
        Kind::Link => Meaning::Link(token.text.to_owned()),
        _ => return None,
    };
    Some((at + 1, 2, meaning))
}

/// `todo:`, `remind me to`, `event:` at the beginning.
pub(super) fn kind(sight: &Sight<'_>, at: usize) -> Claimed {
    if at > 0 {
        return None;
    }
    if sight.is(0, Word::Remind) && sight.is(1, Word::Me) {
        return Some((2 + usize::from(sight.is(2, Word::To)), 4, Meaning::IsTask));
    }
    if !sight.is_mark(1, ':') {
        return None;
    }
    if sight.is(0, Word::Task) {
        return Some((2, 4, Meaning::IsTask));
    }
    sight.is(0, Word::Event).then_some((2, 4, Meaning::IsEvent))
}
