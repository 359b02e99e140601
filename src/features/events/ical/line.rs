//! Physical lines to content lines: unfolding, with the number of the line in the input.
//!
//! Promises: linear time; CRLF, bare LF and (in texts without any LF) bare CR end a line; blank lines vanish; a byte
//! order mark is skipped. Must not know: components, property names, values.

use std::{borrow::Cow, ops::Range};

/// One content line after unfolding.
#[derive(Debug)]
pub(super) struct Line<'t> {
    /// Number of its first physical line, from 1.
    pub(super) number: u32,
    /// Where it starts in the input.
    pub(super) start: usize,
    /// Where it ends in the input, its line break not included.
    pub(super) end: usize,
    text: Cow<'t, str>,
    /// Where the property name stands in `text`; names are compared often.
    name: Range<usize>,
}

impl<'t> Line<'t> {
    fn new(number: u32, start: usize, end: usize, text: Cow<'t, str>) -> Self {
        let name_end = text
            .bytes()
            .position(|byte| matches!(byte, b':' | b';'))
            .unwrap_or(text.len());
        let name = text[..name_end].trim_end();
        let name = name.len() - name.trim_start().len()..name.len();
        Self {
            number,
            start,
            end,
            text,
            name,
        }
    }
}

impl Line<'_> {
    /// The whole line without folds.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the line is the property `name`, in any letter case.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.len() == name.len() && self.text[self.name.clone()].eq_ignore_ascii_case(name)
    }

    /// What follows the first colon outside quotes; `None` when there is no colon.
    pub(super) fn value(&self) -> Option<&str> {
        value_start(&self.text).map(|at| &self.text[at..])
    }
}

/// Position just after the colon that ends the parameters.
pub(super) fn value_start(line: &str) -> Option<usize> {
    let mut in_quotes = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => in_quotes = !in_quotes,
            b':' if !in_quotes => return Some(at + 1),
            _ => {}
        }
    }
    // A quote that is never closed must not swallow the value.
    line.find(':').map(|at| at + 1)
}

/// The content lines of a text.
pub(super) fn lines(text: &str) -> Lines<'_> {
    let start = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let line_break = if text.contains('\n') { '\n' } else { '\r' };
    Lines {
        text,
        at: start,
        number: 0,
        line_break,
    }
}

/// Iterator over content lines.
pub(super) struct Lines<'t> {
    text: &'t str,
    at: usize,
    number: u32,
    line_break: char,
}

impl<'t> Lines<'t> {
    /// The next physical line: its start, and its text without the line break.
    fn physical(&mut self) -> Option<(usize, &'t str)> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let length = rest.find(self.line_break).unwrap_or(rest.len());
        self.at += length + 1;
        self.number = self.number.saturating_add(1);
        Some((start, rest[..length].trim_end_matches('\r')))
    }

    fn continues(&self) -> bool {
        let mut rest = self.text.get(self.at..).unwrap_or_default().bytes();
        // Broken gateways put stray CRs before the blank; where CR is itself the break there are none.
        let first = rest.find(|byte| *byte != b'\r' || self.line_break == '\r');
        matches!(first, Some(b' ' | b'\t'))
    }
}

impl<'t> Iterator for Lines<'t> {
    type Item = Line<'t>;

    fn next(&mut self) -> Option<Line<'t>> {
        loop {
            let (start, first) = self.physical()?;
            let number = self.number;
            let mut end = start + first.len();
            let mut text = Cow::Borrowed(first);
            while self.continues() {
                let Some((at, more)) = self.physical() else { break };
                end = at + more.len();
                let more = more.trim_start_matches('\r');
                text.to_mut().push_str(more.get(1..).unwrap_or_default());
            }
            if !text.trim().is_empty() {
                return Some(Line::new(number, start, end, text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u32, String)> {
        lines(text)
            .map(|line| (line.number, line.text().to_owned()))
            .collect()
    }

    #[test]
    fn folds_are_joined_and_lines_keep_their_number() {
        let text = "A:1\r\nB:two\r\n  words\r\n\tmore\r\n\r\nC:3";
        assert_eq!(
            read(text),
            [
                (1, "A:1".into()),
                (2, "B:two wordsmore".into()),
                (6, "C:3".into())
            ]
        );
    }

    #[test]
    fn every_kind_of_line_break_works() {
        for text in ["A:1\r\nB:2\r\n", "A:1\nB:2\n", "A:1\rB:2\r", "\u{feff}A:1\nB:2"] {
            assert_eq!(read(text), [(1, "A:1".into()), (2, "B:2".into())], "{text:?}");
        }
    }

    #[test]
    fn a_line_knows_where_it_stands() {
        let text = "A:1\r\nB:é\r\n é\r\nC:3";
        let spans: Vec<&str> = lines(text).map(|line| &text[line.start..line.end]).collect();
        assert_eq!(spans, ["A:1", "B:é\r\n é", "C:3"]);
    }

    #[test]
    fn the_value_starts_after_the_first_colon_outside_quotes() {
        let first = |text: &str| {
            lines(text)
                .next()
                .and_then(|line| line.value().map(str::to_owned))
        };
        assert_eq!(first(r#"X-FOO;X-P="a:b":v:w"#).as_deref(), Some("v:w"));
        assert_eq!(first(r#"X-FOO;X-P="a:b"#).as_deref(), Some("b"));
        assert_eq!(first("NOTHING"), None);
    }
}
