//! People and places. Both are only guessed from how they are written, so they count little and yield to everything else.

use super::{Claimed, Meaning, Sight};
use crate::features::language::token::Kind;
use crate::features::language::words::Word;

/// Whether a word names somebody or something: a capital letter, and no meaning of its own.
fn is_name(sight: &Sight<'_>, at: usize) -> bool {
    sight
        .at(at)
        .is_some_and(|token| token.is_capital() && token.words.is_empty())
}

/// `with Ana`, `with Ana and Ben Smith`, `with ana@example.org`.
pub(super) fn people(sight: &Sight<'_>, at: usize) -> Claimed {
    if !sight.is(at, Word::With) {
        return None;
    }
    // `w/ Bob`
    let start = at + 1 + usize::from(sight.is_mark(at + 1, '/') && sight.is_joined(at + 1));
    if let Some(token) = sight.at(start).filter(|token| token.kind == Kind::Email) {
        return Some((start + 1, 4, Meaning::Guest(token.lower.clone())));
    }
    let mut to = start;
    while is_name(sight, to)
        || ((sight.is(to, Word::And) || sight.is_mark(to, ',')) && to > start && is_name(sight, to + 1))
    {
        to += 1;
    }
    (to > start).then_some((to, 0, Meaning::People))
}

/// `at Cafe Roma`, `at the office`, `in room 5`, `in Berlin`.
pub(super) fn find(sight: &Sight<'_>, at: usize) -> Claimed {
    let (is_at, is_in) = (sight.is(at, Word::At), sight.is(at, Word::In));
    if !is_at && !is_in {
        return None;
    }
    let start = sight.skip(at + 1, Word::The);
    let mut to = start;
    while is_name(sight, to)
        || sight
            .at(to)
            .is_some_and(|token| token.is_capital() && token.is(Word::Place))
    {
        to += 1;
    }
    if sight.is(start, Word::Room) || sight.is(to, Word::Room) {
        to = to.max(start) + usize::from(sight.is(to.max(start), Word::Room));
        to += usize::from(
            sight
                .at(to)
                .is_some_and(|token| token.digits().is_some() || token.is_capital()),
        );
    } else if sight.is(to, Word::Place) {
        to += 1;
    }
    if to == start {
        return None;
    }
    let mut name = String::new();
    for token in &sight.tokens[start..to] {
        if token.is_spaced && !name.is_empty() {
            name.push(' ');
        }
        name.push_str(token.text);
    }
    Some((to, 0, Meaning::Place(name)))
}
