//! What is taken over from the original text: properties that nothing here knows, and components inside events, such as alarms.

use crate::features::events::ical::component::{self, Calendar, Component};
use crate::features::events::ical::model::Moment;
use crate::features::events::ical::notes::Notes;
use crate::features::events::ical::property::Property;
use crate::features::events::ical::value;

use super::fold::Lines;

/// Properties that are written from data, so that those of the original are outdated.
const OWN: [&str; 32] = [
    "UID",
    "DTSTAMP",
    "CREATED",
    "LAST-MODIFIED",
    "SEQUENCE",
    "RECURRENCE-ID",
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "RDATE",
    "EXDATE",
    "EXRULE",
    "SUMMARY",
    "DESCRIPTION",
    "LOCATION",
    "URL",
    "STATUS",
    "TRANSP",
    "CLASS",
    "COLOR",
    "X-APPLE-CALENDAR-COLOR",
    "X-OUTLOOK-COLOR",
    "ORGANIZER",
    "ATTENDEE",
    "CONFERENCE",
    "X-GOOGLE-CONFERENCE",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "X-MICROSOFT-ONLINEMEETINGCONFLINK",
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
    "X-APPLE-CONFERENCE-URL",
    "X-ZOOM-MEETING-URL",
];

/// Says whether an event is busy where TRANSP is missing; written from data as TRANSP.
const BUSY_STATUS: &str = "X-MICROSOFT-CDO-BUSYSTATUS";

/// The components of an original text.
pub(super) struct Kept<'t>(Vec<Calendar<'t>>);

impl<'t> Kept<'t> {
    /// Reads an original text.
    pub(super) fn read(text: &'t str) -> Self {
        Self(component::calendars(text, &mut Notes::default()).list)
    }

    fn events(&self) -> impl Iterator<Item = &Component<'t>> {
        self.0.iter().flat_map(|calendar| &calendar.events)
    }

    /// The component of the series or single event.
    pub(super) fn master(&self) -> Option<&Component<'t>> {
        self.events().find(|event| event.first("RECURRENCE-ID").is_none())
    }

    /// The component of the occurrence with this original start, when it was written in the same terms.
    pub(super) fn occurrence(&self, original: &Moment) -> Option<&Component<'t>> {
        self.events().find(|event| {
            let raw = event
                .first("RECURRENCE-ID")
                .and_then(Property::read_time)
                .and_then(|property| value::time(property.raw()));
            raw.is_some_and(|raw| match original {
                Moment::Date(date) => raw.date == *date,
                Moment::Floating(local) => raw.local() == *local,
                Moment::Zoned(time) => match raw.offset {
                    Some(offset) => offset.to_timestamp(raw.local()).ok() == Some(time.utc),
                    None => raw.local() == time.local,
                },
            })
        })
    }
}

/// Writes what of an original component is unknown here.
pub(super) fn write(lines: &mut Lines, original: &Component<'_>) {
    let unknown = original
        .lines
        .iter()
        .filter(|line| !line.is(BUSY_STATUS) && !OWN.iter().any(|own| line.is(own)));
    for line in unknown.filter(|line| line.value().is_some()) {
        lines.push(line.text());
    }
    original
        .children
        .iter()
        .for_each(|child| write_whole(lines, child));
}

/// Depth is bounded where components are read.
fn write_whole(lines: &mut Lines, component: &Component<'_>) {
    lines.push(&format!("BEGIN:{}", component.kind));
    component.lines.iter().for_each(|line| lines.push(line.text()));
    component
        .children
        .iter()
        .for_each(|child| write_whole(lines, child));
    lines.push(&format!("END:{}", component.kind));
}
