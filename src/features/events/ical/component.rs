//! Content lines to components: which lines belong to which VEVENT, VTIMEZONE and VALARM.
//!
//! Promises: linear time and bounded depth; a component that is broken (no END, cut off, stray END) never takes its
//! neighbours with it. Must not know: what any property means.

use super::{line, line::Line, notes::Notes};

/// Components nested deeper than this are not looked at; real texts need three levels.
const DEPTH_LIMIT: usize = 16;

/// BEGIN … END with everything between.
#[derive(Debug)]
pub(super) struct Component<'t> {
    /// Kind in capitals, such as `VEVENT`.
    pub(super) kind: String,
    /// Number of the BEGIN line.
    pub(super) number: u32,
    /// Its own properties.
    pub(super) lines: Vec<Line<'t>>,
    /// Components inside.
    pub(super) children: Vec<Component<'t>>,
    start: usize,
    end: usize,
    is_closed: bool,
}

impl<'t> Component<'t> {
    fn open(kind: String, line: &Line<'t>) -> Self {
        let (number, start, end) = (line.number, line.start, line.end);
        Self {
            kind,
            number,
            lines: Vec::new(),
            children: Vec::new(),
            start,
            end,
            is_closed: false,
        }
    }

    /// The first property called `name`.
    pub(super) fn first(&self, name: &str) -> Option<&Line<'t>> {
        self.lines.iter().find(|line| line.is(name))
    }

    /// All properties called `name`.
    pub(super) fn all<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'c Line<'t>> {
        self.lines.iter().filter(move |line| line.is(name))
    }

    /// The original text, completed with the END line it may lack.
    pub(super) fn write_text(&self, input: &str, out: &mut String) {
        out.push_str(input.get(self.start..self.end).unwrap_or_default());
        if !self.is_closed {
            out.push_str("\r\nEND:");
            out.push_str(&self.kind);
        }
        out.push_str("\r\n");
    }

    /// Length of the original text in bytes.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// One VCALENDAR.
#[derive(Debug, Default)]
pub(super) struct Calendar<'t> {
    /// Properties of the calendar itself.
    pub(super) lines: Vec<Line<'t>>,
    /// Its VTIMEZONEs.
    pub(super) zones: Vec<Component<'t>>,
    /// Its VEVENTs.
    pub(super) events: Vec<Component<'t>>,
    /// Its VTODOs.
    pub(super) todos: Vec<Component<'t>>,
    /// Components that are no events and no zones.
    pub(super) ignored: u32,
}

impl<'t> Calendar<'t> {
    /// The first property called `name`.
    pub(super) fn first(&self, name: &str) -> Option<&Line<'t>> {
        self.lines.iter().find(|line| line.is(name))
    }
}

/// The calendars of a text, and whether the text reached the end of the last one.
pub(super) struct Calendars<'t> {
    pub(super) list: Vec<Calendar<'t>>,
    pub(super) is_complete: bool,
}

/// Sorts the lines of a text into calendars and components.
pub(super) fn calendars<'t>(text: &'t str, notes: &mut Notes) -> Calendars<'t> {
    let mut sorter = Sorter {
        done: Vec::new(),
        calendar: None,
        stack: Vec::new(),
        notes,
    };
    for line in line::lines(text) {
        sorter.take(line);
    }
    sorter.finish()
}

struct Sorter<'t, 'n> {
    done: Vec<Calendar<'t>>,
    calendar: Option<Calendar<'t>>,
    stack: Vec<Component<'t>>,
    notes: &'n mut Notes,
}

impl<'t> Sorter<'t, '_> {
    fn take(&mut self, line: Line<'t>) {
        if line.is("BEGIN") {
            self.begin(&line);
        } else if line.is("END") {
            self.end(&line);
        } else if let Some(top) = self.stack.last_mut() {
            top.end = line.end;
            top.lines.push(line);
        } else if let Some(calendar) = &mut self.calendar {
            calendar.lines.push(line);
        } else {
            self.notes
                .add(line.number, "A line outside any calendar was ignored.");
        }
    }

    fn begin(&mut self, line: &Line<'t>) {
        let kind = kind_of(line);
        if kind == "VCALENDAR" {
            if self.calendar.is_some() {
                self.notes.add(
                    line.number,
                    "A calendar started before the one before it ended; both were read.",
                );
            }
            self.close_calendar();
            self.calendar = Some(Calendar::default());
            return;
        }
        if self.calendar.is_none() {
            self.notes.add(
                line.number,
                "A component outside any calendar was read as if it were inside one.",
            );
            self.calendar = Some(Calendar::default());
        }
        if stands_alone(&kind) && !self.stack.is_empty() {
            self.unwind(0, line.number);
        }
        if self.stack.len() < DEPTH_LIMIT {
            self.stack.push(Component::open(kind, line));
        }
    }

    fn end(&mut self, line: &Line<'t>) {
        let kind = kind_of(line);
        if kind == "VCALENDAR" {
            self.unwind(0, line.number);
            self.close_calendar();
        } else if let Some(depth) = self.stack.iter().rposition(|open| open.kind == kind) {
            self.unwind(depth + 1, line.number);
            if let Some(mut closed) = self.stack.pop() {
                closed.end = line.end;
                closed.is_closed = true;
                self.place(closed);
            }
        } else {
            self.notes
                .add(line.number, "An END without its BEGIN was ignored.");
        }
    }

    /// Ends the components above `depth` that lack their END.
    fn unwind(&mut self, depth: usize, number: u32) {
        while self.stack.len() > depth {
            if let Some(open) = self.stack.pop() {
                self.notes.add(
                    number,
                    &format!("An END:{} was missing and was taken to stand here.", open.kind),
                );
                self.place(open);
            }
        }
    }

    fn place(&mut self, component: Component<'t>) {
        if let Some(parent) = self.stack.last_mut() {
            parent.end = component.end;
            parent.children.push(component);
        } else if let Some(calendar) = &mut self.calendar {
            match component.kind.as_str() {
                "VEVENT" => calendar.events.push(component),
                "VTIMEZONE" => calendar.zones.push(component),
                "VTODO" => {
                    calendar.ignored += 1;
                    calendar.todos.push(component);
                }
                _ => calendar.ignored += 1,
            }
        }
    }

    fn close_calendar(&mut self) {
        self.done.extend(self.calendar.take());
    }

    fn finish(mut self) -> Calendars<'t> {
        let is_complete = self.calendar.is_none();
        if let Some(cut) = self.stack.first() {
            self.notes.add(
                cut.number,
                "The text ends inside this component, which was left out.",
            );
        } else if !is_complete {
            self.notes
                .add(None, "The text ends before its calendar does; it may be cut off.");
        }
        self.close_calendar();
        Calendars {
            list: self.done,
            is_complete,
        }
    }
}

/// Kinds that are never inside another component, so that their BEGIN ends what is open.
fn stands_alone(kind: &str) -> bool {
    matches!(kind, "VEVENT" | "VTODO" | "VJOURNAL" | "VFREEBUSY" | "VTIMEZONE")
}

fn kind_of(line: &Line<'_>) -> String {
    line.value().unwrap_or_default().trim().to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sort(text: &str) -> (Vec<usize>, bool, usize) {
        let mut notes = Notes::default();
        let sorted = calendars(text, &mut notes);
        let events = sorted.list.iter().map(|calendar| calendar.events.len()).collect();
        (events, sorted.is_complete, notes.into_problems().len())
    }

    #[test]
    fn a_missing_end_is_put_where_the_next_event_begins() {
        let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nBEGIN:VALARM\nBEGIN:VEVENT\nUID:2\nEND:VEVENT\nEND:VCALENDAR";
        assert_eq!(sort(text), (vec![2], true, 2));
    }

    #[test]
    fn a_text_that_is_cut_off_is_not_complete() {
        let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\nBEGIN:VEVENT\nUID:2";
        assert_eq!(sort(text), (vec![1], false, 1));
        assert_eq!(sort("BEGIN:VCALENDAR\nVERSION:2.0"), (vec![0], false, 1));
    }

    #[test]
    fn calendars_may_follow_each_other_and_end_markers_may_stray() {
        let text = "begin:vcalendar\nBEGIN:VEVENT\nEND:VTODO\nEND:VEVENT\nEND:VCALENDAR\nBEGIN:VCALENDAR\nEND:VCALENDAR\nx";
        assert_eq!(sort(text), (vec![1, 0], true, 2));
    }

    #[test]
    fn depth_is_bounded() {
        let text = format!(
            "BEGIN:VCALENDAR\n{}{}",
            "BEGIN:X\n".repeat(5_000),
            "END:X\n".repeat(5_000)
        );
        assert_eq!(sort(&text).0, [0]);
    }
}
