//! The text of one object, made of its pieces and what it needs of the file, with the way back to the lines of the file. Pure.

use crate::features::events::ical;

/// A calendar with one object.
#[derive(Debug, Default)]
pub(super) struct Text {
    text: String,
    lines: u32,
    /// Where pieces begin: line here, line in the file.
    marks: Vec<(u32, u32)>,
    /// Some bytes were no text.
    pub(super) is_damaged: bool,
    /// There were NUL characters, which nothing stores.
    pub(super) had_nul: bool,
}

impl Text {
    /// Adds a line of the calendar itself.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push_str("\r\n");
        self.lines += 1;
    }

    /// Adds a piece that begins in this line of the file.
    pub(super) fn piece(&mut self, bytes: &[u8], line: u32) {
        let decoded = ical::decode(bytes);
        self.is_damaged |= decoded.is_damaged;
        let mut text = decoded.text.into_owned();
        if text.contains('\0') {
            self.had_nul = true;
            text = text.replace('\0', "");
        }
        if !text.contains('\n') {
            // Texts of old machines.
            text = text.replace('\r', "\r\n");
        }
        if !text.ends_with('\n') {
            text.push_str("\r\n");
        }
        self.marks.push((self.lines + 1, line));
        self.lines += u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX);
        self.text.push_str(&text);
    }

    /// The whole text.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The line of the file for one of the text; `None` for lines that are not from there.
    pub(super) fn line_of(&self, line: u32) -> Option<u32> {
        let mark = self.marks.iter().rev().find(|(here, _)| *here <= line);
        mark.map(|(here, there)| there + (line - here))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lead_back_to_the_file() {
        let mut text = Text::default();
        text.line("BEGIN:VCALENDAR");
        text.piece(b"BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n", 40);
        text.piece(b"BEGIN:VEVENT\rUID:\x001\rEND:VEVENT", 90);
        text.line("END:VCALENDAR");
        let lines: Vec<Option<u32>> = (1..=7).map(|line| text.line_of(line)).collect();
        assert_eq!(
            lines,
            [None, Some(40), Some(41), Some(42), Some(90), Some(91), Some(92)]
        );
        assert!(text.had_nul && !text.is_damaged);
        assert_eq!(text.as_str().lines().count(), 8);
    }
}
