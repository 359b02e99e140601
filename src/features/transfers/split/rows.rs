//! The rows of a table of text (RFC 4180): a line break inside quotes belongs to its row.

use super::Piece;
use crate::features::transfers::rules::MAX_OBJECTS;

/// Finds the rows of a file.
#[derive(Default)]
pub(in crate::features::transfers) struct Scanner {
    rows: Vec<Piece>,
    at: u64,
    line: u32,
    start: u64,
    start_line: u32,
    in_quotes: bool,
    is_full: bool,
}

impl Scanner {
    /// Takes the next bytes.
    pub(in crate::features::transfers) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.at += 1;
            match byte {
                b'"' => self.in_quotes = !self.in_quotes,
                b'\n' => {
                    self.line += 1;
                    if !self.in_quotes {
                        self.end();
                    }
                }
                _ => {}
            }
        }
    }

    /// The rows, and whether there are more than are kept.
    pub(in crate::features::transfers) fn finish(mut self) -> (Vec<Piece>, bool) {
        self.end();
        (self.rows, self.is_full)
    }

    fn end(&mut self) {
        let piece = Piece::between(self.start, self.at, self.start_line + 1);
        (self.start, self.start_line) = (self.at, self.line);
        if piece.len > 0 {
            if self.rows.len() < MAX_OBJECTS {
                self.rows.push(piece);
            } else {
                self.is_full = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_may_have_several_lines() {
        let text = "a,b\r\n\"x\r\ny\",\"\"\"\"\r\nlast";
        let mut scanner = Scanner::default();
        text.as_bytes().chunks(2).for_each(|bytes| scanner.feed(bytes));
        let (rows, is_full) = scanner.finish();
        let places: Vec<(u64, u64, u32)> = rows.iter().map(|row| (row.start, row.len, row.line)).collect();
        assert_eq!(places, [(0, 5, 1), (5, 13, 2), (18, 4, 4)]);
        assert!(!is_full);
    }
}
