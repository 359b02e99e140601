//! Writing iCalendar (RFC 5545, with 6868 and 7986): the way back from plain data to text.
//!
//! Promises: what is written is read back as the same data; every zone that is named is defined (VTIMEZONE), with the offsets of the tz
//! database; lines are folded at 75 bytes and never inside a character; properties that nothing here knows are taken over from the
//! original text. Must not know: databases, and who may see what.

mod event;
mod fold;
mod kept;
mod todo;
mod zones;

use jiff::Timestamp;

use super::model::{ParsedEvent, ParsedOverride};
use super::todo::Todo;
use fold::Lines;
use kept::Kept;
use zones::Zones;

/// What names the program that wrote a calendar.
const PRODUCT: &str = "-//Meridian//Meridian//EN";

/// All components of one UID, to be written.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The UID.
    pub uid: &'a str,
    /// The series or single event; missing when only occurrences are known.
    pub master: Option<&'a ParsedEvent>,
    /// Changed and cancelled occurrences.
    pub overrides: &'a [ParsedOverride],
    /// The text it was read from, for the properties that are unknown here.
    pub source: Option<&'a str>,
    /// When this version came to be.
    pub changed: Timestamp,
}

/// A calendar that is being written, object by object.
#[derive(Debug)]
pub struct Writer {
    head: Lines,
    body: Lines,
    zones: Zones,
}

impl Writer {
    /// Begins a calendar.
    #[must_use]
    pub fn new(name: &str, description: Option<&str>, zone: &str) -> Self {
        let mut head = Lines::default();
        head.push("BEGIN:VCALENDAR");
        head.push("VERSION:2.0");
        head.push(&format!("PRODID:{PRODUCT}"));
        head.push("CALSCALE:GREGORIAN");
        head.push("METHOD:PUBLISH");
        head.text("X-WR-CALNAME", name);
        if let Some(description) = description {
            head.text("X-WR-CALDESC", description);
        }
        if crate::kernel::zones::zone(zone).is_some() {
            head.push(&format!("X-WR-TIMEZONE:{zone}"));
        }
        Self {
            head,
            body: Lines::default(),
            zones: Zones::default(),
        }
    }

    /// Begins a calendar that goes to somebody in a letter.
    #[must_use]
    pub fn letter(method: &str) -> Self {
        let mut head = Lines::default();
        head.push("BEGIN:VCALENDAR");
        head.push("VERSION:2.0");
        head.push(&format!("PRODID:{PRODUCT}"));
        head.push("CALSCALE:GREGORIAN");
        head.push(&format!("METHOD:{method}"));
        Self {
            head,
            body: Lines::default(),
            zones: Zones::default(),
        }
    }

    /// Adds an object.
    pub fn add(&mut self, object: &Outgoing<'_>) {
        let kept = object.source.map(Kept::read);
        let (body, zones) = (&mut self.body, &mut self.zones);
        if let Some(master) = object.master {
            let kept = kept.as_ref().and_then(Kept::master);
            event::write(body, zones, object, master, None, kept);
        }
        for changed in object.overrides {
            let kept = kept
                .as_ref()
                .and_then(|kept| kept.occurrence(&changed.recurrence_id));
            event::write(body, zones, object, &changed.event, Some(changed), kept);
        }
    }

    /// Adds something to do.
    pub fn add_todo(&mut self, todo: &Todo) {
        todo::write(&mut self.body, todo);
    }

    /// Hands out what was written since the last time, for whoever stores a long text in pieces. It follows [`Self::head`].
    pub fn drain(&mut self) -> String {
        std::mem::take(&mut self.body).into_text()
    }

    /// Everything that stands before what [`Self::drain`] gave. The last line of the text, [`Self::END`], is not in it.
    #[must_use]
    pub fn head(self) -> String {
        let mut lines = self.head;
        self.zones.write(&mut lines);
        lines.into_text()
    }

    /// The last line of a text.
    pub const END: &str = "END:VCALENDAR\r\n";

    /// The whole text. Zones stand before the events that name them.
    #[must_use]
    pub fn finish(self) -> String {
        let mut lines = self.head;
        self.zones.write(&mut lines);
        lines.append(self.body);
        lines.push("END:VCALENDAR");
        lines.into_text()
    }
}

#[cfg(test)]
mod tests;
