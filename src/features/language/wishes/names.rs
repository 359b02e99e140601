//! Wishes about tasks that are named: `move the report to monday`, `tax return first`.

use super::Wish;
use super::clause::{Clause, Hours, Scope};

const POLITE: &[&str] = &[
    "please", "can", "could", "you", "i", "want", "to", "let's", "i'd", "like", "would",
];
const MOVING: &[&str] = &[
    "move",
    "put",
    "do",
    "schedule",
    "place",
    "plan",
    "shift",
    "push",
    "reschedule",
];
const ARTICLES: &[&str] = &["the", "my", "our", "a", "an"];
/// What may stand between a name and the day, or at the end.
const TRAILING: &[&str] = &["to", "on", "for", "instead", "please", "only"];
/// Words with which a clause means something else than it seems to.
const TURNING: &[&str] = &[
    "nothing", "no", "not", "don't", "dont", "never", "none", "can't", "cant", "cannot", "won't", "wont",
    "unless", "except", "if", "until", "till", "before", "after", "maybe", "perhaps", "without", "less",
    "fewer", "avoid", "stop", "skip", "or",
];
/// What is no name of a task.
const ALL: &[&str] = &[
    "everything",
    "anything",
    "something",
    "all",
    "it",
    "that",
    "this",
    "them",
    "those",
    "these",
    "task",
    "tasks",
    "work",
    "stuff",
    "thing",
    "things",
    "more",
    "some",
    "any",
    "the",
    "rest",
    "breaks",
    "break",
];

fn lower(word: &str) -> String {
    word.to_lowercase().replace('’', "'")
}

fn is_in(word: &str, list: &[&str]) -> bool {
    list.contains(&lower(word).as_str())
}

fn without_lead<'a, 't>(words: &'a [&'t str], list: &[&str]) -> &'a [&'t str] {
    let count = words.iter().take_while(|word| is_in(word, list)).count();
    &words[count..]
}

fn without_tail<'a, 't>(words: &'a [&'t str], list: &[&str]) -> &'a [&'t str] {
    let count = words.iter().rev().take_while(|word| is_in(word, list)).count();
    &words[..words.len() - count]
}

/// The wish about a named task, if the clause is one and says nothing else.
pub(super) fn wish(clause: &Clause<'_>) -> Option<Wish> {
    let is_plain = clause.hours == Hours::Any && clause.minutes.is_none() && clause.energy.is_none();
    let words = without_lead(&clause.names, POLITE);
    if !is_plain || clause.is_list || words.iter().any(|word| is_in(word, TURNING)) {
        return None;
    }
    match &clause.scope {
        Scope::Always => first(words),
        Scope::Dates(days) => {
            let [(day, end)] = days.as_slice() else {
                return None;
            };
            (day.tomorrow().ok()? == *end).then_some(())?;
            let (verb, rest) = words.split_first()?;
            // `first thing tomorrow` says more than the day.
            let is_first = rest.iter().any(|word| is_in(word, &["first"]));
            (is_in(verb, MOVING) && !is_first).then_some(())?;
            Some(Wish::OnDay(name(without_tail(rest, TRAILING))?, *day))
        }
        Scope::Each(_) => None,
    }
}

/// `X first`, `first X`, `start with X`.
fn first(words: &[&str]) -> Option<Wish> {
    let words = without_tail(words, &["please"]);
    let rest = match words {
        [start, with, rest @ ..] if is_in(start, &["start", "begin"]) && is_in(with, &["with"]) => {
            without_tail(rest, &["first"])
        }
        [first, rest @ ..] if is_in(first, &["prioritize", "prioritise", "first"]) => {
            without_lead(rest, &["do", "comes", "the"])
        }
        [rest @ .., first] if is_in(first, &["first"]) => {
            let rest = without_tail(
                rest,
                &["comes", "goes", "should", "must", "be", "come", "go", "is"],
            );
            without_lead(rest, MOVING)
        }
        _ => return None,
    };
    name(rest).map(Wish::First)
}

fn name(words: &[&str]) -> Option<String> {
    let words = without_lead(words, ARTICLES);
    let is_name = words.iter().any(|word| !is_in(word, ALL));
    is_name.then(|| words.join(" "))
}
