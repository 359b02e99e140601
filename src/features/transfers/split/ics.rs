//! The components of an iCalendar file, those of one UID together.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use super::Piece;
use crate::features::transfers::rules::MAX_OBJECTS;

/// Bytes of a line that are looked at: enough for the longest name and UID.
const LOOK: usize = 600;
/// Lines of the calendar itself that its objects are read with.
const HEAD: [&str; 5] = ["VERSION", "PRODID", "CALSCALE", "METHOD", "X-WR-TIMEZONE"];
/// More zones than this are not kept.
const MAX_ZONES: usize = 200;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::features::transfers) enum Kind {
    Event,
    Todo,
    Zone,
    Other,
}

/// All components of one UID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::features::transfers) struct Object {
    pub(in crate::features::transfers) kind: Kind,
    pub(in crate::features::transfers) pieces: Vec<Piece>,
}

/// Where everything is.
#[derive(Debug, Default)]
pub(in crate::features::transfers) struct Index {
    /// Lines that say something about the calendar.
    pub(in crate::features::transfers) head: Vec<String>,
    /// Definitions of zones with their names.
    pub(in crate::features::transfers) zones: Vec<(String, Piece)>,
    /// Events and to-dos, in the order in which their UIDs appear.
    pub(in crate::features::transfers) objects: Vec<Object>,
    /// What is wrong with the file itself.
    pub(in crate::features::transfers) problems: Vec<(u32, &'static str)>,
    /// Whether there is a calendar at all.
    pub(in crate::features::transfers) is_calendar: bool,
}

struct Open {
    kind: Kind,
    name: Vec<u8>,
    start: u64,
    line: u32,
    /// Components open inside.
    depth: u32,
    id: Vec<u8>,
}

/// Finds the components of a file.
pub(in crate::features::transfers) struct Scanner {
    index: Index,
    places: HashMap<u64, usize>,
    hasher: RandomState,
    pieces: usize,
    open: Option<Open>,
    /// Whether folded lines go on with the id of what is open.
    in_id: bool,
    is_closed: bool,
    line: Vec<u8>,
    line_start: u64,
    number: u32,
    at: u64,
    line_break: Option<u8>,
}

impl Scanner {
    pub(in crate::features::transfers) fn new() -> Self {
        Self {
            index: Index::default(),
            places: HashMap::new(),
            hasher: RandomState::new(),
            pieces: 0,
            open: None,
            in_id: false,
            is_closed: false,
            line: Vec::with_capacity(LOOK),
            line_start: 0,
            number: 1,
            at: 0,
            line_break: None,
        }
    }

    /// Takes the next bytes.
    pub(in crate::features::transfers) fn feed(&mut self, mut bytes: &[u8]) {
        let ends = *self.line_break.get_or_insert_with(|| {
            // Texts of old machines have no LF at all.
            if bytes.contains(&b'\n') { b'\n' } else { b'\r' }
        });
        while !bytes.is_empty() {
            let end = bytes.iter().position(|byte| *byte == ends);
            let (rest, consumed) = (end.unwrap_or(bytes.len()), end.map_or(bytes.len(), |end| end + 1));
            let room = LOOK.saturating_sub(self.line.len()).min(rest);
            self.line.extend_from_slice(&bytes[..room]);
            self.at += consumed as u64;
            bytes = &bytes[consumed..];
            if end.is_some() {
                self.end_line();
            }
        }
    }

    /// Everything that was found.
    pub(in crate::features::transfers) fn finish(mut self) -> Index {
        if self.at > self.line_start {
            self.end_line();
        }
        if let Some(open) = self.open.take() {
            let message = "The file ends inside this component, which was left out.";
            self.index.problems.push((open.line, message));
        } else if !self.is_closed && self.index.is_calendar {
            let message = "The file ends before its calendar does; something may be missing.";
            self.index.problems.push((self.number, message));
        }
        if self.pieces > MAX_OBJECTS {
            let message =
                "The file has more than 200,000 components; the others were left out. Split the file.";
            self.index.problems.push((self.number, message));
        }
        self.index
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.look(&line);
        self.line = line;
        self.line.clear();
        self.line_start = self.at;
        self.number = self.number.saturating_add(1);
    }

    fn look(&mut self, line: &[u8]) {
        if let [b' ' | b'\t', more @ ..] = line {
            if let Some(open) = self.open.as_mut().filter(|_| self.in_id) {
                open.id.extend_from_slice(more.trim_ascii_end());
                open.id.truncate(2 * LOOK);
            }
            return;
        }
        self.in_id = false;
        let line = match self.number {
            1 => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
            _ => line,
        };
        let Some(end) = line.iter().position(|byte| matches!(byte, b':' | b';')) else {
            return;
        };
        let name = line[..end].trim_ascii().to_ascii_uppercase();
        let value = || {
            let colon = line.iter().position(|byte| *byte == b':').unwrap_or(end);
            line[colon + 1..].trim_ascii()
        };
        match name.as_slice() {
            b"BEGIN" => self.begin(&value().to_ascii_uppercase()),
            b"END" => self.end(&value().to_ascii_uppercase()),
            b"UID" | b"TZID" => {
                let is_zone = name == b"TZID";
                if let Some(open) = &mut self.open
                    && open.depth == 0
                    && open.id.is_empty()
                    && is_zone == (open.kind == Kind::Zone)
                {
                    open.id = value().to_vec();
                    self.in_id = true;
                }
            }
            _ if self.open.is_none() => self.heading(&name, line),
            _ => {}
        }
    }

    /// A line of the calendar itself. The first of each name is heard.
    fn heading(&mut self, name: &[u8], line: &[u8]) {
        let known = HEAD.iter().any(|known| known.as_bytes() == name);
        let is_new = !self.index.head.iter().any(|old| {
            old.as_bytes()
                .get(..name.len())
                .is_some_and(|old| old.eq_ignore_ascii_case(name))
        });
        if known && is_new && line.len() < LOOK {
            let line = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
            self.index.head.push(line.replace('\0', ""));
        }
    }

    fn begin(&mut self, name: &[u8]) {
        let kind = match name {
            b"VCALENDAR" => {
                self.close_unended();
                self.index.is_calendar = true;
                self.is_closed = false;
                return;
            }
            b"VEVENT" => Kind::Event,
            b"VTODO" => Kind::Todo,
            b"VTIMEZONE" => Kind::Zone,
            _ => Kind::Other,
        };
        if let Some(open) = &mut self.open {
            // These are never inside another component, so that their BEGIN ends what is open.
            if kind == Kind::Other && !matches!(name, b"VJOURNAL" | b"VFREEBUSY") {
                open.depth = open.depth.saturating_add(1);
                return;
            }
            self.close_unended();
        }
        self.index.is_calendar |= kind == Kind::Event;
        self.open = Some(Open {
            kind,
            name: name.to_vec(),
            start: self.line_start,
            line: self.number,
            depth: 0,
            id: Vec::new(),
        });
    }

    fn end(&mut self, name: &[u8]) {
        if name == b"VCALENDAR" {
            self.close_unended();
            self.is_closed = true;
        } else if self.open.as_ref().is_some_and(|open| open.name == name) {
            self.close(self.at);
        } else if let Some(open) = &mut self.open {
            open.depth = open.depth.saturating_sub(1);
        }
    }

    /// Ends what is open before this line. Its END is missing, which whoever reads it will say.
    fn close_unended(&mut self) {
        self.in_id = false;
        if self.open.is_some() {
            self.close(self.line_start);
        }
    }

    fn close(&mut self, end: u64) {
        let Some(open) = self.open.take() else { return };
        let piece = Piece::between(open.start, end, open.line);
        match open.kind {
            Kind::Other => {}
            Kind::Zone => {
                let name = String::from_utf8_lossy(&open.id).into_owned();
                let is_known = self.index.zones.iter().any(|(known, _)| *known == name);
                if !is_known && self.index.zones.len() < MAX_ZONES {
                    self.index.zones.push((name, piece));
                }
            }
            kind @ (Kind::Event | Kind::Todo) => self.add(kind, &open.id, piece),
        }
    }

    fn add(&mut self, kind: Kind, id: &[u8], piece: Piece) {
        self.pieces += 1;
        if self.pieces > MAX_OBJECTS {
            return;
        }
        let objects = &mut self.index.objects;
        if id.is_empty() {
            objects.push(Object {
                kind,
                pieces: vec![piece],
            });
            return;
        }
        let key = self.hasher.hash_one((kind == Kind::Event, id));
        let place = *self.places.entry(key).or_insert(objects.len());
        match objects.get_mut(place) {
            Some(object) => object.pieces.push(piece),
            None => objects.push(Object {
                kind,
                pieces: vec![piece],
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found in pieces of this length; the places must not depend on it.
    fn scan(text: &str, step: usize) -> (Vec<Vec<String>>, usize) {
        let mut scanner = Scanner::new();
        // The first piece decides on the kind of line break, as a long one does.
        let first = text.find('\n').map_or(text.len(), |at| at + 1).min(text.len());
        scanner.feed(&text.as_bytes()[..first]);
        text.as_bytes()[first..]
            .chunks(step)
            .for_each(|bytes| scanner.feed(bytes));
        let index = scanner.finish();
        let cut = |piece: &Piece| {
            let start = usize::try_from(piece.start).unwrap();
            let cut = &text[start..start + usize::try_from(piece.len).unwrap()];
            let line = text[..start].matches('\n').count() + 1;
            assert_eq!(u32::try_from(line).unwrap(), piece.line, "{cut}");
            cut.to_owned()
        };
        let objects = index.objects.iter();
        let objects = objects.map(|object| object.pieces.iter().map(cut).collect());
        (objects.collect(), index.problems.len())
    }

    #[test]
    fn components_of_one_uid_are_found_together_wherever_they_are() {
        let event = |uid: &str, more: &str| {
            format!(
                "BEGIN:VEVENT\r\nUID:{uid}\r\n{more}BEGIN:VALARM\r\nUID:alarm\r\nEND:VALARM\r\nEND:VEVENT\r\n"
            )
        };
        let (a, b, c) = (
            event("a\r\n b", ""),
            event("c", ""),
            event("ab", "RECURRENCE-ID:1\r\n"),
        );
        let text = format!("\u{feff}BEGIN:VCALENDAR\r\nPRODID:x\r\n{a}{b}{c}END:VCALENDAR\r\n");
        for step in [1, 7, 64, 10_000] {
            let (objects, problems) = scan(&text, step);
            assert_eq!(objects, [vec![a.clone(), c.clone()], vec![b.clone()]], "{step}");
            assert_eq!(problems, 0);
        }
    }

    #[test]
    fn what_is_cut_off_is_told_with_its_line() {
        let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\nBEGIN:VEVENT\nUID:2";
        let (objects, problems) = scan(text, 5);
        assert_eq!((objects.len(), problems), (1, 1));
        let mut scanner = Scanner::new();
        scanner.feed(text.as_bytes());
        assert_eq!(scanner.finish().problems[0].0, 5);
    }

    #[test]
    fn a_missing_end_is_where_the_next_begins() {
        let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nBEGIN:VEVENT\nUID:2\nEND:VEVENT\nEND:VCALENDAR\n";
        let (objects, problems) = scan(text, 3);
        assert_eq!(
            objects,
            [
                vec!["BEGIN:VEVENT\nUID:1\n".to_owned()],
                vec!["BEGIN:VEVENT\nUID:2\nEND:VEVENT\n".to_owned()]
            ]
        );
        assert_eq!(problems, 0);
    }

    #[test]
    fn long_lines_are_passed_over_and_zones_are_known_by_name() {
        let mut scanner = Scanner::new();
        scanner.feed(b"BEGIN:VCALENDAR\nMETHOD:PUBLISH\nBEGIN:VTIMEZONE\nTZID:Mine\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:1\nDESCRIPTION:");
        for _ in 0..2_000 {
            scanner.feed(&[b'x'; 4_096]);
        }
        scanner.feed(b"\nEND:VEVENT\nEND:VCALENDAR\n");
        let index = scanner.finish();
        assert_eq!(index.zones[0].0, "Mine");
        assert_eq!(index.head, ["METHOD:PUBLISH"]);
        assert!(index.objects[0].pieces[0].len > 8_000_000 && index.problems.is_empty());
    }
}
