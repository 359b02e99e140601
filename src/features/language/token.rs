//! Text cut into words, numbers and marks.
//!
//! Promises: tokens are in order, do not overlap, and their places are boundaries of characters in the text. Never fails.

use super::words::{Lexicon, Word};

/// A piece of the text.
#[derive(Clone, Debug)]
pub(super) struct Token<'t> {
    /// As it was typed.
    pub(super) text: &'t str,
    /// In lower case.
    pub(super) lower: String,
    /// Place in the text, in bytes.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether something invisible, or nothing, stands in front.
    pub(super) is_spaced: bool,
    pub(super) kind: Kind,
    /// What the word can mean.
    pub(super) words: &'static [Word],
}

/// What a token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, with apostrophes inside.
    Word,
    /// Digits, as many as fit.
    Number(u32),
    /// `#word`.
    Tag,
    /// `@word`.
    Context,
    /// An e-mail address.
    Email,
    /// A web address.
    Link,
    /// Any other character.
    Mark(char),
}

impl Token<'_> {
    /// Whether the word can mean this.
    pub(super) fn is(&self, word: Word) -> bool {
        self.words.contains(&word)
    }

    /// What `pick` finds among the meanings.
    pub(super) fn pick<T>(&self, pick: impl Fn(&Word) -> Option<T>) -> Option<T> {
        self.words.iter().find_map(pick)
    }

    /// The number that was typed in digits.
    pub(super) fn digits(&self) -> Option<u32> {
        match self.kind {
            Kind::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    /// A hyphen or one of its longer relatives.
    pub(super) fn is_dash(&self) -> bool {
        matches!(self.kind, Kind::Mark('-' | '–' | '—'))
    }

    /// Whether the word begins with a capital letter, as names do.
    pub(super) fn is_capital(&self) -> bool {
        self.kind == Kind::Word && self.text.chars().next().is_some_and(char::is_uppercase)
    }
}

/// Cuts a text.
pub(super) fn cut<'t>(text: &'t str, lexicon: &'static Lexicon) -> Vec<Token<'t>> {
    let mut tokens: Vec<Token<'t>> = Vec::new();
    let mut at = 0;
    let mut is_spaced = true;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() || first.is_control() {
            at += first.len_utf8();
            is_spaced = true;
            continue;
        }
        let (length, kind) = piece(&text[at..], first, is_spaced);
        let typed = &text[at..at + length];
        let lower = typed.to_lowercase();
        let words = match kind {
            Kind::Word | Kind::Mark(_) => lexicon.find(&lower),
            _ => &[],
        };
        tokens.push(Token {
            text: typed,
            lower,
            start: at,
            end: at + length,
            is_spaced,
            kind,
            words,
        });
        at += length;
        is_spaced = false;
    }
    tokens
}

/// Length and kind of the piece that a text begins with.
fn piece(text: &str, first: char, is_spaced: bool) -> (usize, Kind) {
    if is_spaced {
        let until_space = text.find(char::is_whitespace).unwrap_or(text.len());
        let word = text[..until_space].trim_end_matches([',', '.', ';', ')', '!', '?', ':']);
        if word.starts_with("http://") || word.starts_with("https://") {
            return (word.len(), Kind::Link);
        }
        if word.contains('@') && crate::kernel::text::email(word).is_some() {
            return (word.len(), Kind::Email);
        }
    }
    if matches!(first, '#' | '@') && is_spaced {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
        let rest = &text[1..];
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        if rest.chars().next().is_some_and(char::is_alphabetic) {
            let kind = if first == '#' { Kind::Tag } else { Kind::Context };
            return (1 + length, kind);
        }
    }
    if first.is_ascii_digit() {
        let length = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        return (length, Kind::Number(text[..length].parse().unwrap_or(u32::MAX)));
    }
    if first.is_alphabetic() {
        return (word_length(text), Kind::Word);
    }
    (first.len_utf8(), Kind::Mark(first))
}

/// Letters, with apostrophes between them.
fn word_length(text: &str) -> usize {
    let mut length = 0;
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        let is_joint = matches!(letter, '\'' | '’') && rest.peek().is_some_and(|next| next.is_alphabetic());
        if !letter.is_alphabetic() && !is_joint && !is_combining(letter) {
            break;
        }
        length += letter.len_utf8();
    }
    length
}

/// Accents that stand behind their letter.
fn is_combining(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}
