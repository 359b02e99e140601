//! Events that the planner puts on a calendar, takes off it, and puts back as they were. All join the caller's transaction.

use std::collections::{HashMap, HashSet};

use entity::enums::ChangeAction;
use entity::ids::{CalendarEventId, CalendarId, TaskId, UserId};
use entity::{attendee, calendar_event, event_override, reminder, user};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QuerySelect as _,
};
use serde::{Deserialize, Serialize};

use super::create::blank;
use super::record;
use crate::features::events::model::When;
use crate::features::events::times;
use crate::kernel::Result;
use crate::kernel::time::Span;
use crate::platform::db::{Read, Tx};

/// Work on a task at a time.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The task.
    pub task_id: TaskId,
    /// Its title.
    pub title: String,
    /// When.
    pub span: Span,
}

/// What hangs on an event and goes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attached {
    /// Guests and organizer.
    pub attendees: Vec<attendee::Model>,
    /// Of everybody.
    pub reminders: Vec<reminder::Model>,
    /// Changed occurrences, when somebody made a series of it.
    pub overrides: Vec<event_override::Model>,
}

/// Puts work on a calendar, in this order.
pub async fn create_planned_in(
    tx: &Tx,
    calendar: CalendarId,
    zone: &str,
    person: UserId,
    planned: Vec<Planned>,
) -> Result<Vec<calendar_event::Model>> {
    let mut rows = Vec::with_capacity(planned.len());
    for one in planned {
        let mut row = calendar_event::Model {
            title: one.title,
            time_zone: zone.to_owned(),
            task_id: Some(one.task_id),
            created_by: Some(person),
            version: 1,
            ..blank(tx, calendar)
        };
        if let crate::platform::db::Scope::Workspace(workspace) = Read::scope(tx) {
            row.workspace_id = workspace;
        }
        times::store(
            &mut row,
            When::Timed {
                start: one.span.start,
                end: one.span.end,
            },
        );
        rows.push(row);
    }
    store(tx, &rows).await?;
    Ok(rows)
}

/// Takes planned work off its calendars and returns it as it was.
pub async fn delete_planned_in(
    tx: &Tx,
    ids: &[CalendarEventId],
) -> Result<Vec<(calendar_event::Model, Attached)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let these = || calendar_event::Column::Id.is_in(ids.iter().copied());
    let select = tx
        .find::<calendar_event::Entity>()
        .filter(these())
        .lock_exclusive();
    let rows = select.all(tx.conn()).await?;
    // Deleting the events takes these with it.
    let mut attached = attached(tx, ids).await?;
    let delete = tx.delete_many::<calendar_event::Entity>().filter(these());
    delete.exec(tx.conn()).await?;
    for row in &rows {
        record(tx, "calendar_event.deleted", ChangeAction::Deleted, row, None);
    }
    let whole = rows.into_iter().map(|row| {
        let attached = attached.remove(&row.id).unwrap_or_default();
        (row, attached)
    });
    Ok(whole.collect())
}

async fn attached(tx: &Tx, ids: &[CalendarEventId]) -> Result<HashMap<CalendarEventId, Attached>> {
    let mut found: HashMap<CalendarEventId, Attached> = HashMap::new();
    let ids = || ids.iter().copied();
    let attendees = tx
        .find::<attendee::Entity>()
        .filter(attendee::Column::EventId.is_in(ids()));
    for row in attendees.all(tx.conn()).await? {
        found.entry(row.event_id).or_default().attendees.push(row);
    }
    let reminders = tx
        .find::<reminder::Entity>()
        .filter(reminder::Column::EventId.is_in(ids()));
    for row in reminders.all(tx.conn()).await? {
        found.entry(row.event_id).or_default().reminders.push(row);
    }
    let overrides = tx
        .find::<event_override::Entity>()
        .filter(event_override::Column::EventId.is_in(ids()));
    for row in overrides.all(tx.conn()).await? {
        found.entry(row.event_id).or_default().overrides.push(row);
    }
    Ok(found)
}

/// Puts work back as it was. Calendars and tasks that are gone since take theirs with them, so whoever asks leaves those out.
pub async fn restore_planned_in(tx: &Tx, whole: Vec<(calendar_event::Model, Attached)>) -> Result<()> {
    let (rows, attached): (Vec<calendar_event::Model>, Vec<Attached>) = whole.into_iter().unzip();
    store(tx, &rows).await?;
    let (mut attendees, mut reminders, mut overrides) = (Vec::new(), Vec::new(), Vec::new());
    for one in attached {
        attendees.extend(one.attendees);
        reminders.extend(one.reminders);
        overrides.extend(one.overrides);
    }
    let people = attendees.iter().filter_map(|guest| guest.user_id);
    let people = people.chain(reminders.iter().map(|reminder| reminder.user_id));
    let there = still_there(tx, people.collect()).await?;
    let attendees = attendees.into_iter().map(|guest| {
        // Whoever is gone comes back as an address only.
        let is_gone = guest.user_id.is_some_and(|person| !there.contains(&person));
        let guest = attendee::Model {
            user_id: guest.user_id.filter(|_| !is_gone),
            name: guest.name.filter(|_| !is_gone),
            comment: guest.comment.filter(|_| !is_gone),
            ..guest
        };
        guest.into_active_model().reset_all()
    });
    tx.insert_many::<attendee::ActiveModel>(attendees.collect())
        .await?;
    let reminders = reminders
        .into_iter()
        .filter(|reminder| there.contains(&reminder.user_id));
    let reminders = reminders.map(|reminder| {
        // When it fires is planned anew: time has passed.
        let reminder = reminder::Model {
            planned_version: None,
            due_at: None,
            due_start: None,
            due_original: None,
            ..reminder
        };
        reminder.into_active_model().reset_all()
    });
    tx.insert_many::<reminder::ActiveModel>(reminders.collect())
        .await?;
    let overrides = overrides
        .into_iter()
        .map(|changed| changed.into_active_model().reset_all());
    tx.insert_many::<event_override::ActiveModel>(overrides.collect())
        .await
}

/// Those of these people who have not left since.
async fn still_there(tx: &Tx, people: HashSet<UserId>) -> Result<HashSet<UserId>> {
    if people.is_empty() {
        return Ok(people);
    }
    let select = tx
        .find_global::<user::Entity>()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::Id.is_in(people));
    let there: Vec<UserId> = select.into_tuple().all(tx.conn()).await?;
    Ok(there.into_iter().collect())
}

async fn store(tx: &Tx, rows: &[calendar_event::Model]) -> Result<()> {
    let stored = rows
        .iter()
        .cloned()
        .map(|row| row.into_active_model().reset_all());
    tx.insert_many(stored.collect()).await?;
    for row in rows {
        record(tx, "calendar_event.created", ChangeAction::Created, row, None);
    }
    Ok(())
}
