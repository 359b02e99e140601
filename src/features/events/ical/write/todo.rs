//! One VTODO.

use jiff::{Timestamp, tz::TimeZone};

use super::fold::Lines;
use crate::features::events::ical::todo::{MINUTES, Todo, TodoStatus};

/// Writes something to do. Its times are in UTC.
pub(super) fn write(lines: &mut Lines, todo: &Todo) {
    lines.push("BEGIN:VTODO");
    lines.text("UID", &todo.uid);
    let changed = todo.changed.unwrap_or(Timestamp::UNIX_EPOCH);
    let times = [
        ("DTSTAMP", Some(changed)),
        ("CREATED", todo.created),
        ("LAST-MODIFIED", todo.changed),
        ("DTSTART", todo.start),
        ("DUE", todo.due),
        ("COMPLETED", todo.completed),
    ];
    for (name, time) in times {
        if let Some(time) = time {
            let local = TimeZone::UTC.to_datetime(time).strftime("%Y%m%dT%H%M%SZ");
            lines.push(&format!("{name}:{local}"));
        }
    }
    lines.push(&format!("SEQUENCE:{}", todo.sequence));
    if let Some(summary) = &todo.summary {
        lines.text("SUMMARY", summary);
    }
    if let Some(description) = &todo.description {
        lines.text("DESCRIPTION", description);
    }
    let status = match todo.status {
        TodoStatus::NeedsAction => "NEEDS-ACTION",
        TodoStatus::InProcess => "IN-PROCESS",
        TodoStatus::Completed => "COMPLETED",
        TodoStatus::Cancelled => "CANCELLED",
    };
    lines.push(&format!("STATUS:{status}"));
    lines.push(&format!("PRIORITY:{}", todo.priority));
    for category in &todo.categories {
        lines.text("CATEGORIES", category);
    }
    if let Some(rule) = &todo.rrule {
        lines.push(&format!("RRULE:{rule}"));
    }
    if let Some(minutes) = todo.minutes {
        lines.push(&format!("{MINUTES}:{minutes}"));
    }
    lines.push("END:VTODO");
}
