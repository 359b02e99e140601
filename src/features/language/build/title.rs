//! The title: what is left of the text, as it was typed.

use crate::features::language::find::Found;
use crate::features::language::token::{Kind, Token};
use crate::features::language::words::Word;

/// Whether a claim covers the token. Claims in `kept` cover nothing.
fn is_claimed(chosen: &[Found], kept: &[usize], index: usize) -> bool {
    chosen
        .iter()
        .enumerate()
        .any(|(number, found)| (found.from..found.to).contains(&index) && !kept.contains(&number))
}

/// Tokens that nothing claimed.
pub(super) fn unclaimed<'a>(
    tokens: &'a [Token<'a>],
    chosen: &'a [Found],
) -> impl Iterator<Item = &'a Token<'a>> {
    tokens
        .iter()
        .enumerate()
        .filter(|(index, _)| !is_claimed(chosen, &[], *index))
        .map(|(_, token)| token)
}

/// Whether nothing is left for a title.
pub(super) fn is_empty(tokens: &[Token<'_>], chosen: &[Found], kept: &[usize]) -> bool {
    !(0..tokens.len()).any(|index| {
        !is_claimed(chosen, kept, index) && matches!(tokens[index].kind, Kind::Word | Kind::Number(_))
    })
}

/// What is left of the text; all of it when nothing is.
pub(super) fn of(text: &str, tokens: &[Token<'_>], chosen: &[Found], kept: &[usize]) -> String {
    let mut pieces: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_claimed(chosen, kept, at) {
            at += 1;
            continue;
        }
        let first = at;
        while at < tokens.len() && !is_claimed(chosen, kept, at) {
            at += 1;
        }
        let is_before_claim = at < tokens.len();
        let (first, last) = trimmed(tokens, first, at, is_before_claim);
        if first < last {
            pieces.push(&text[tokens[first].start..tokens[last - 1].end]);
        }
    }
    let title = join(&pieces);
    if title.chars().any(char::is_alphanumeric) {
        return title;
    }
    let whole = join(&[text]);
    if whole.is_empty() { "…".to_owned() } else { whole }
}

/// Leaves out separators at both ends, and before a claim words that only led to it.
fn trimmed(tokens: &[Token<'_>], mut first: usize, mut last: usize, is_before_claim: bool) -> (usize, usize) {
    let is_separator = |token: &Token<'_>| {
        token.is_dash()
            || matches!(
                token.kind,
                Kind::Mark(',' | ';' | ':' | '|' | '/' | '·' | '(' | ')' | '[' | ']')
            )
    };
    let leads = |token: &Token<'_>| {
        let words = [Word::On, Word::At, Word::For, Word::By, Word::Takes, Word::From];
        token.kind == Kind::Word && words.iter().any(|word| token.is(*word))
    };
    let is_closing = |token: &Token<'_>, first: usize, last: usize| {
        let open = tokens[first..last]
            .iter()
            .filter(|token| token.is_mark('('))
            .count();
        let closed = tokens[first..last]
            .iter()
            .filter(|token| token.is_mark(')'))
            .count();
        token.is_mark(')') && open == closed
    };
    while first < last
        && (is_separator(&tokens[first])
            && !(tokens[first].is_mark('(') && tokens[first..last].iter().any(|token| token.is_mark(')')))
            || (first > 0 && tokens[first].is_mark('.')))
    {
        first += 1;
    }
    while first < last
        && ((is_separator(&tokens[last - 1]) && !is_closing(&tokens[last - 1], first, last))
            || (is_before_claim && leads(&tokens[last - 1])))
    {
        last -= 1;
    }
    (first, last)
}

/// One line, one space between words.
fn join(pieces: &[&str]) -> String {
    let words = pieces
        .iter()
        .flat_map(|piece| piece.split(|c: char| c.is_whitespace() || c.is_control()))
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}
