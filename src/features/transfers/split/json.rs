//! The elements of the lists of a JSON file, by the name of the list. Only brackets and strings are looked at; whoever reads an element finds
//! out whether it is JSON.

use super::Piece;
use crate::features::transfers::rules::MAX_OBJECTS;

/// Bytes of names that are kept.
const LOOK: usize = 64;

/// A list of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::features::transfers) enum List {
    Calendars,
    Events,
    Tasks,
}

/// Where everything is.
#[derive(Debug, Default)]
pub(in crate::features::transfers) struct Index {
    /// What the file calls itself.
    pub(in crate::features::transfers) format: String,
    /// Elements in their order.
    pub(in crate::features::transfers) elements: Vec<(List, Piece)>,
    /// Whether the outermost bracket is closed.
    pub(in crate::features::transfers) is_complete: bool,
    /// Whether there are more elements than are kept.
    pub(in crate::features::transfers) is_full: bool,
}

/// Finds the elements of a file.
#[derive(Default)]
pub(in crate::features::transfers) struct Scanner {
    index: Index,
    at: u64,
    line: u32,
    depth: u32,
    in_string: bool,
    is_escaped: bool,
    text: Vec<u8>,
    key: Option<Vec<u8>>,
    list: Option<List>,
    start: Option<(u64, u32)>,
}

impl Scanner {
    /// Takes the next bytes.
    pub(in crate::features::transfers) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.take(*byte);
            self.at += 1;
            self.line += u32::from(*byte == b'\n');
        }
    }

    /// Everything that was found.
    pub(in crate::features::transfers) fn finish(self) -> Index {
        self.index
    }

    fn take(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => {
                    self.in_string = false;
                    self.end_of_string();
                }
                _ if self.depth == 1 && self.text.len() < LOOK => self.text.push(byte),
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                self.text.clear();
            }
            b':' if self.depth == 1 => self.key = Some(std::mem::take(&mut self.text)),
            b',' if self.depth == 1 => self.key = None,
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => self.close(),
            _ => {}
        }
    }

    fn end_of_string(&mut self) {
        if self.depth == 1 && self.key.as_deref() == Some(b"format") {
            self.index.format = String::from_utf8_lossy(&self.text).into_owned();
        }
    }

    fn open(&mut self, byte: u8) {
        match self.depth {
            1 => {
                self.list = match self.key.as_deref() {
                    Some(b"calendars") => Some(List::Calendars),
                    Some(b"events") => Some(List::Events),
                    Some(b"tasks") => Some(List::Tasks),
                    _ => None,
                }
                .filter(|_| byte == b'[');
            }
            2 if self.list.is_some() => self.start = Some((self.at, self.line + 1)),
            _ => {}
        }
        self.depth = self.depth.saturating_add(1);
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        match (self.depth, self.list, self.start) {
            (2, Some(list), Some((start, line))) => {
                self.start = None;
                if self.index.elements.len() < MAX_OBJECTS {
                    let piece = Piece::between(start, self.at + 1, line);
                    self.index.elements.push((list, piece));
                } else {
                    self.index.is_full = true;
                }
            }
            (1, ..) => self.list = None,
            (0, ..) => self.index.is_complete = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_their_list_however_the_file_is_written() {
        let text = "{ \"format\": \"x-1\",\n \"other\": [{\"a\": [1]}],\n \"events\": [\n  {\"a\": \"}\\\"]\", \"b\": {\"c\": []}},\n {\"d\": 1} ],\n\"tasks\":[{}]}";
        for step in [1, 5, 1_000] {
            let mut scanner = Scanner::default();
            text.as_bytes().chunks(step).for_each(|bytes| scanner.feed(bytes));
            let index = scanner.finish();
            let cut = |piece: &Piece| {
                let start = usize::try_from(piece.start).unwrap();
                &text[start..start + usize::try_from(piece.len).unwrap()]
            };
            let found: Vec<(List, &str, u32)> = index
                .elements
                .iter()
                .map(|(list, piece)| (*list, cut(piece), piece.line))
                .collect();
            assert_eq!(
                found,
                [
                    (List::Events, "{\"a\": \"}\\\"]\", \"b\": {\"c\": []}}", 4),
                    (List::Events, "{\"d\": 1}", 5),
                    (List::Tasks, "{}", 6),
                ]
            );
            assert_eq!((index.format.as_str(), index.is_complete), ("x-1", true));
        }
    }
}
