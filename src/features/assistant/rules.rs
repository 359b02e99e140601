//! From what was understood to what the rooms of tasks and events take. Pure.

use entity::enums::{EnergyLevel, EventStatus, EventTransparency, EventVisibility, TaskPriority};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::features::events::{NewEvent, NewGuest, NewRecurrence, When};
use crate::features::language::{self, Event, Reading, Task};
use crate::features::tasks::NewTask;
use crate::kernel::time::Instant;
use crate::kernel::zones;

/// Below this the rules guessed more than they understood.
const SURE: u8 = 60;
/// Longer texts say more than rules can find.
const LONG: usize = 200;

/// Whether a second opinion is worth its time.
pub(super) fn is_doubtful(reading: &Reading, text: &str) -> bool {
    reading.confidence < SURE || text.chars().count() > LONG
}

fn instant(local: DateTime, zone: &TimeZone) -> Instant {
    zones::to_chrono(zones::to_utc(local, zone))
}

/// A task to create.
pub(super) fn task(task: Task, zone: &TimeZone) -> NewTask {
    // A task is split only when somebody asked for pieces, and then no piece is longer.
    let chunk = task.chunk;
    NewTask {
        title: task.title,
        description: task.link,
        priority: task.priority.unwrap_or(TaskPriority::Medium),
        energy: task.energy.unwrap_or(EnergyLevel::Medium),
        duration_minutes: task.minutes.map(|minutes| minutes.max(5)),
        min_chunk_minutes: chunk,
        max_chunk_minutes: chunk,
        start_after: task.start_after.map(|at| instant(at, zone)),
        due_at: task.due.map(|at| instant(at, zone)),
        is_hard_deadline: task.is_hard,
        is_auto_scheduled: true,
        working_hours: None,
        labels: task.labels,
        assignee_id: None,
        parent_id: None,
        dependency_ids: Vec::new(),
        recurrence_rule: task.rule,
    }
}

/// An event to create.
pub(super) fn event(event: Event, zone: &TimeZone) -> NewEvent {
    let when = match event.when {
        language::When::Timed(start, end) => {
            let (start, end) = (instant(start, zone), instant(end, zone));
            // A change of clocks can swallow a short event; it still has the length that was meant.
            let end = if end > start {
                end
            } else {
                start + chrono::Duration::minutes(30)
            };
            When::Timed { start, end }
        }
        language::When::Days(first, end) => When::AllDay {
            start: zones::date_to_chrono(first),
            end: zones::date_to_chrono(end),
        },
    };
    let guest = |email| NewGuest {
        email,
        name: None,
        is_optional: false,
    };
    let recurrence = event.rule.map(|rule| NewRecurrence {
        rule,
        additional: None,
        excluded: None,
    });
    NewEvent {
        recurrence,
        title: event.title,
        when,
        time_zone: zone.iana_name().map(str::to_owned),
        description: None,
        location: event.place,
        conference_url: event.link,
        status: EventStatus::Confirmed,
        transparency: EventTransparency::Busy,
        visibility: EventVisibility::Default,
        guests: event.guests.into_iter().map(guest).collect(),
        reminders: None,
        color: None,
    }
}
