//! VALARM to reminders.
//!
//! Promises: reminders are relative to the start, whatever they were relative to in the text. Alarms that show nothing
//! (ACTION:NONE) are left out.

use super::{
    component::Component,
    model::{EventTime, ParsedAlarm},
    property::Property,
    value,
};
use crate::kernel::zones;

/// More reminders than this are not read.
const LIMIT: usize = 50;
/// Reminders further from the start than this (ten years) are a mistake.
const MINUTES_LIMIT: i64 = 10 * 366 * 24 * 60;

/// The reminders of an event, earliest first.
pub(super) fn read(component: &Component<'_>, time: &EventTime) -> Vec<ParsedAlarm> {
    let alarms = component
        .children
        .iter()
        .filter(|child| child.kind == "VALARM")
        .take(LIMIT);
    let mut alarms: Vec<ParsedAlarm> = alarms.filter_map(|alarm| one(alarm, time)).collect();
    alarms.sort_by_key(|alarm| std::cmp::Reverse(*alarm));
    alarms.dedup();
    alarms
}

fn one(alarm: &Component<'_>, time: &EventTime) -> Option<ParsedAlarm> {
    let action = alarm
        .first("ACTION")
        .and_then(|line| line.value())
        .unwrap_or("DISPLAY")
        .trim()
        .to_ascii_uppercase();
    if action == "NONE" {
        return None;
    }
    let trigger = Property::read_time(alarm.first("TRIGGER")?)?;
    let seconds_after_start = match value::duration(trigger.raw()) {
        Some(length) if trigger.is_related_to_end() => length.as_seconds() + length_of(time),
        Some(length) => length.as_seconds(),
        None => {
            let at = value::time(trigger.raw()).filter(|at| at.time.is_some())?;
            match time {
                EventTime::Timed { start, .. } => {
                    // Triggers at a fixed time are in UTC by definition, with or without the Z.
                    let at = zones::to_utc(at.local(), &jiff::tz::TimeZone::UTC);
                    at.as_second() - start.utc.as_second()
                }
                EventTime::AllDay { start, .. } => start
                    .to_datetime(jiff::civil::Time::midnight())
                    .duration_until(at.local())
                    .as_secs(),
                EventTime::Floating { start, .. } => start.duration_until(at.local()).as_secs(),
            }
        }
    };
    let minutes = -seconds_after_start.div_euclid(60);
    let minutes_before = i32::try_from(minutes)
        .ok()
        .filter(|_| minutes.abs() <= MINUTES_LIMIT)?;
    Some(ParsedAlarm {
        minutes_before,
        by_email: action == "EMAIL",
    })
}

fn length_of(time: &EventTime) -> i64 {
    match time {
        EventTime::Timed { start, end } => end.utc.as_second() - start.utc.as_second(),
        EventTime::AllDay { start, end } => start.duration_until(*end).as_secs(),
        EventTime::Floating { start, end } => start.duration_until(*end).as_secs(),
    }
}
