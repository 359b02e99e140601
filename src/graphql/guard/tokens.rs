//! Reads a document as tokens, before anything recursive touches it. Promises: one pass without recursion or allocation. Must not
//! judge syntax; what is not a token counts as one and the parser will complain.

/// What the tokens of a document tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Number of tokens; commas, white space and comments are none.
    pub(super) tokens: usize,
    /// Number of `@`, each of which begins a directive.
    pub(super) directives: usize,
    /// Deepest nesting of brackets of any kind.
    pub(super) nesting: usize,
}

/// Counts the tokens of a document.
pub(super) fn tally(document: &str) -> Tally {
    let text = document.as_bytes();
    let mut tally = Tally::default();
    let mut nesting = 0_usize;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let length = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += run(&text[at..], |byte| byte != b'\n' && byte != b'\r');
                continue;
            }
            b'"' => string(&text[at..]),
            b'{' | b'(' | b'[' => {
                nesting += 1;
                tally.nesting = tally.nesting.max(nesting);
                1
            }
            b'}' | b')' | b']' => {
                nesting = nesting.saturating_sub(1);
                1
            }
            b'@' => {
                tally.directives += 1;
                1
            }
            b'.' if text[at..].starts_with(b"...") => 3,
            b'-' | b'0'..=b'9' => {
                1 + run(&text[at + 1..], |byte| {
                    byte.is_ascii_alphanumeric() || b".+-".contains(&byte)
                })
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                run(&text[at..], |byte| byte.is_ascii_alphanumeric() || byte == b'_')
            }
            // Anything outside ASCII is only valid inside strings; a run of it is one token.
            128.. => run(&text[at..], |byte| byte >= 128),
            _ => 1,
        };
        tally.tokens += 1;
        at += length;
    }
    tally
}

fn run(text: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|byte| belongs(**byte)).count()
}

/// Length of a string or block string with its quotes; an unfinished one reaches to the end.
fn string(text: &[u8]) -> usize {
    let (quotes, escape): (&[u8], &[u8]) = if text.starts_with(b"\"\"\"") {
        (b"\"\"\"", b"\\\"\"\"")
    } else {
        (b"\"", b"\\")
    };
    let mut at = quotes.len();
    while at < text.len() {
        if text[at..].starts_with(escape) {
            // A plain escape hides the next byte, an escaped triple quote is all hidden.
            at += if quotes.len() == 1 { 2 } else { escape.len() };
        } else if text[at..].starts_with(quotes) {
            return at + quotes.len();
        } else {
            at += 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests;
