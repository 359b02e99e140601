//! Reminders: planned ahead from their rows, checked again when they fire. Promises: an occurrence that was moved, cancelled or left is
//! reminded of as it is now or not at all; each reminder fires once for an occurrence.

pub(super) mod called_off;
pub(super) mod comers;
pub(super) mod guests;
pub(super) mod own_guests;
mod plan;
mod remind;
mod renew;

use std::collections::HashMap;

use entity::ids::{CalendarEventId, UserId};
use entity::{calendar_event, event_override, reminder, user_preferences};
use jiff::tz::TimeZone;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};

use crate::features::events::reminded::Said;
use crate::kernel::{Result, zones};
use crate::platform::db::Read;

pub use guests::tell_guests;
pub use plan::plan_reminders;
pub use remind::remind;
pub use renew::{Renewed, renew_times};

/// Exceptions of each of these events.
pub(super) async fn exceptions_of(
    read: &Read,
    events: &[CalendarEventId],
) -> Result<HashMap<CalendarEventId, Vec<event_override::Model>>> {
    let select = read
        .find::<event_override::Entity>()
        .filter(event_override::Column::EventId.is_in(events.iter().copied()));
    let mut found: HashMap<CalendarEventId, Vec<event_override::Model>> = HashMap::new();
    for row in select.all(read).await? {
        found.entry(row.event_id).or_default().push(row);
    }
    Ok(found)
}

/// What people said of single occurrences of these series, and of those from one on.
async fn sayings_of(
    read: &Read,
    series: &[&calendar_event::Model],
) -> Result<HashMap<(CalendarEventId, UserId), Vec<Said>>> {
    if series.is_empty() {
        return Ok(HashMap::new());
    }
    let by_id: HashMap<CalendarEventId, &calendar_event::Model> =
        series.iter().map(|row| (row.id, *row)).collect();
    let select = read
        .find::<reminder::Entity>()
        .filter(reminder::Column::EventId.is_in(by_id.keys().copied()))
        .filter(reminder::Column::OriginalStart.is_not_null());
    let mut found: HashMap<(CalendarEventId, UserId), Vec<Said>> = HashMap::new();
    for row in select.all(read).await? {
        if let Some(event) = by_id.get(&row.event_id) {
            let said = Said::by(&row, event);
            found.entry((row.event_id, row.user_id)).or_default().push(said);
        }
    }
    Ok(found)
}

/// The events that exist among these.
async fn events_of(
    read: &Read,
    ids: &[CalendarEventId],
) -> Result<HashMap<CalendarEventId, calendar_event::Model>> {
    let select = read
        .find::<calendar_event::Entity>()
        .filter(calendar_event::Column::Id.is_in(ids.iter().copied()));
    let rows = select.all(read).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Names and rules of the home zones of people.
pub(super) async fn zones_of(read: &Read, people: &[UserId]) -> Result<HashMap<UserId, (String, TimeZone)>> {
    use user_preferences::{Column, Entity};
    let select = read
        .find_global::<Entity>()
        .select_only()
        .column(Column::UserId)
        .column(Column::TimeZone)
        .filter(Column::UserId.is_in(people.iter().copied()));
    let rows: Vec<(UserId, String)> = select.into_tuple().all(read).await?;
    let zone = |(id, name): (UserId, String)| {
        let zone = zones::stored(&name).unwrap_or(TimeZone::UTC);
        (id, (name, zone))
    };
    Ok(rows.into_iter().map(zone).collect())
}
