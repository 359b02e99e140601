//! DTSTART with DTEND, DURATION or neither, to the time of an event.
//!
//! Promises: the end is never before the start; a day has at least one day. Must not know: recurrence.

use jiff::{ToSpan as _, civil};

use super::{
    component::Component,
    model::{EventTime, Moment, ZonedTime},
    moment,
    notes::Notes,
    property::Property,
    value,
    zone_book::ZoneBook,
};

/// Reads the time of an event. An override without DTSTART takes place at its original start.
pub(super) fn read(
    component: &Component<'_>,
    original: Option<&Moment>,
    book: &mut ZoneBook<'_, '_>,
    notes: &mut Notes,
) -> Result<EventTime, String> {
    let start = match component.first("DTSTART") {
        Some(line) => Property::read_time(line)
            .and_then(|property| moment::single(&property, book, notes))
            .ok_or("its start (DTSTART) cannot be read")?,
        None => original.cloned().ok_or("it has no start (DTSTART)")?,
    };
    let end = end(component, &start, book, notes);
    let end_line = component
        .first("DTEND")
        .or_else(|| component.first("DURATION"))
        .map(|line| line.number);
    let mut early = |is_early: bool| {
        if is_early {
            notes.add(
                end_line,
                "The event ends before it starts; it was read as ending at its start.",
            );
        }
        is_early
    };
    Ok(match start {
        Moment::Date(start) => {
            let last = match end {
                None => start,
                Some(Moment::Date(end)) => end,
                Some(Moment::Floating(end) | Moment::Zoned(ZonedTime { local: end, .. })) => day_after(end),
            };
            early(last < start);
            // One day at least: older programs write the same day as start and end.
            let end = last.max(start.checked_add(1.day()).unwrap_or(start));
            EventTime::AllDay { start, end }
        }
        Moment::Floating(start) => {
            let end = match end {
                None => start,
                Some(Moment::Date(end)) => end.to_datetime(civil::Time::midnight()),
                Some(Moment::Floating(end) | Moment::Zoned(ZonedTime { local: end, .. })) => end,
            };
            let end = if early(end < start) { start } else { end };
            EventTime::Floating { start, end }
        }
        Moment::Zoned(start) => {
            let end = match end {
                None => start.clone(),
                Some(Moment::Date(end)) => moment::zoned(end.to_datetime(civil::Time::midnight()), &start),
                Some(Moment::Floating(end)) => moment::zoned(end, &start),
                Some(Moment::Zoned(end)) => end,
            };
            let end = if early(end.utc < start.utc) {
                start.clone()
            } else {
                end
            };
            EventTime::Timed { start, end }
        }
    })
}

fn end(
    component: &Component<'_>,
    start: &Moment,
    book: &mut ZoneBook<'_, '_>,
    notes: &mut Notes,
) -> Option<Moment> {
    if let Some(line) = component.first("DTEND") {
        let end = Property::read_time(line).and_then(|property| moment::single(&property, book, notes));
        if end.is_some() {
            return end;
        }
        notes.add(line.number, "The end (DTEND) cannot be read and was ignored.");
    }
    let line = component.first("DURATION")?;
    match line.value().and_then(value::duration) {
        Some(length) if length.as_seconds() < 0 => {
            notes.add(line.number, "The duration is negative and was ignored.");
            None
        }
        Some(length) => Some(moment::after(start, &length)),
        None => {
            notes.add(line.number, "The duration cannot be read and was ignored.");
            None
        }
    }
}

/// The exclusive end of an all-day event whose end was given with a time.
fn day_after(end: civil::DateTime) -> civil::Date {
    if end.time() == civil::Time::midnight() {
        end.date()
    } else {
        end.date().checked_add(1.day()).unwrap_or(end.date())
    }
}
