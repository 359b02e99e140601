//! Content lines to text: folding and escaping.
//!
//! Promises: no line has more than 75 bytes, no character is split, no value can begin a line of its own.

/// Longest line in bytes, its line break not included.
const WIDTH: usize = 75;

/// Lines written so far.
#[derive(Debug, Default)]
pub(super) struct Lines(String);

impl Lines {
    /// Adds a line whose value is no free text. Control characters, which no line may hold, are left out.
    pub(super) fn push(&mut self, line: &str) {
        let mut width = 0;
        for letter in line.chars() {
            if letter.is_control() && letter != '\t' {
                continue;
            }
            if width + letter.len_utf8() > WIDTH {
                self.0.push_str("\r\n ");
                width = 1;
            }
            self.0.push(letter);
            width += letter.len_utf8();
        }
        self.0.push_str("\r\n");
    }

    /// Adds a property with a text.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.push(&format!("{name}:{}", escaped(value)));
    }

    /// Adds other lines behind these.
    pub(super) fn append(&mut self, other: Self) {
        self.0.push_str(&other.0);
    }

    /// The text.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' | '\r' => escaped.push_str("\\n"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// The value of a parameter, in quotes, with what quotes cannot hold written as RFC 6868 wants it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '^' => quoted.push_str("^^"),
            '"' => quoted.push_str("^'"),
            '\n' => quoted.push_str("^n"),
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_between_characters() {
        let mut lines = Lines::default();
        lines.text("SUMMARY", &"é".repeat(100));
        let text = lines.into_text();
        assert!(text.split("\r\n").all(|line| line.len() <= WIDTH));
        assert_eq!(
            text.replace("\r\n ", ""),
            format!("SUMMARY:{}\r\n", "é".repeat(100))
        );
    }

    #[test]
    fn a_value_cannot_begin_a_line() {
        let mut lines = Lines::default();
        lines.text("SUMMARY", "a;b,c\\d\r\nEND:VEVENT\rx\0");
        lines.push("RRULE:FREQ=DAILY\r\nATTACH:x");
        assert_eq!(
            lines.into_text(),
            "SUMMARY:a\\;b\\,c\\\\d\\nEND:VEVENT\\nx\r\nRRULE:FREQ=DAILYATTACH:x\r\n"
        );
        assert_eq!(quoted("a\"^\nb"), "\"a^'^^^nb\"");
    }
}
