//! One content line to a property: the only file that touches the iCalendar crate (besides Windows zone names).
//!
//! The crate undoes escapes, quoted-printable and base64, and splits parameters. Dates, durations and rules are read
//! by `value` and `rule`, because the crate accepts cut-off digits and narrows numbers. Must not know: what an event is.

use calcard::{
    Entry, Parser,
    icalendar::{ICalendarComponentType, ICalendarEntry, ICalendarParameterName, ICalendarParameterValue},
};

use super::line::{Line, value_start};

/// A property with its parameters undone.
pub(super) struct Property {
    /// Line it stands in.
    pub(super) number: u32,
    raw: String,
    entry: ICalendarEntry,
}

impl Property {
    /// Reads a line; `None` when it is no property.
    pub(super) fn read(line: &Line<'_>) -> Option<Self> {
        Self::read_text(line.text(), line.number)
    }

    /// Reads a line whose value is a time. Such values hold no colon, so that unquoted zone names may:
    /// `DTSTART;TZID=(UTC+01:00) Amsterdam, Berlin:20250310T090000`.
    pub(super) fn read_time(line: &Line<'_>) -> Option<Self> {
        match quote_zone(line.text()) {
            Some(quoted) => Self::read_text(&quoted, line.number),
            None => Self::read(line),
        }
    }

    fn read_text(text: &str, number: u32) -> Option<Self> {
        let raw = text.get(value_start(text)?..)?.trim().to_owned();
        let Entry::ICalendar(calendar) = Parser::new(text).icalendar(ICalendarComponentType::VEvent) else {
            return None;
        };
        let entry = calendar
            .components
            .into_iter()
            .next()?
            .entries
            .into_iter()
            .next()?;
        Some(Self { number, raw, entry })
    }

    /// The value as written.
    pub(super) fn raw(&self) -> &str {
        &self.raw
    }

    /// The values with escapes undone.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.entry.values.iter().filter_map(|value| value.as_text())
    }

    /// The value with escapes undone; `None` when it is empty.
    pub(super) fn text(&self) -> Option<String> {
        let text = self.texts().collect::<Vec<_>>().join(";");
        (!text.is_empty()).then_some(text)
    }

    /// A parameter; several values are joined with commas.
    pub(super) fn param(&self, name: &ICalendarParameterName) -> Option<String> {
        let values: Vec<&str> = self
            .entry
            .parameters(name)
            .filter_map(ICalendarParameterValue::as_text)
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Time zone the value is in.
    pub(super) fn zone(&self) -> Option<String> {
        self.param(&ICalendarParameterName::Tzid)
    }

    /// Whether the value is declared to be of this type.
    pub(super) fn is_value(&self, kind: &str) -> bool {
        self.param(&ICalendarParameterName::Value)
            .is_some_and(|value| value.eq_ignore_ascii_case(kind))
    }

    /// Whether a RECURRENCE-ID reaches to the end of the series.
    pub(super) fn is_this_and_future(&self) -> bool {
        self.param(&ICalendarParameterName::Range).is_some()
    }

    /// Whether an alarm counts from the end of the event.
    pub(super) fn is_related_to_end(&self) -> bool {
        self.param(&ICalendarParameterName::Related)
            .is_some_and(|value| value.eq_ignore_ascii_case("END"))
    }
}

/// Puts quotes around a zone name that would otherwise break the line; `None` when the line is fine.
fn quote_zone(text: &str) -> Option<String> {
    let at = text
        .as_bytes()
        .windows(6)
        .position(|window| window.eq_ignore_ascii_case(b";TZID="))?
        + 6;
    let colon = text.rfind(':').filter(|colon| *colon >= at)?;
    let zone = text.get(at..colon)?;
    let zone = zone.split(';').next().unwrap_or(zone);
    if zone.contains('"') || !zone.contains([':', ',', '\\']) {
        return None;
    }
    let rest = text.get(at + zone.len()..)?;
    Some(format!("{}\"{}\"{rest}", &text[..at], zone.replace('\\', "")))
}

#[cfg(test)]
mod tests;
