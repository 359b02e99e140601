//! Events that the planner puts on a calendar, takes off it, and puts back as they were. All join the caller's transaction.

use entity::calendar_event;
use entity::enums::ChangeAction;
use entity::ids::{CalendarEventId, CalendarId, TaskId, UserId};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QuerySelect as _,
};

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
pub async fn delete_planned_in(tx: &Tx, ids: &[CalendarEventId]) -> Result<Vec<calendar_event::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let these = || calendar_event::Column::Id.is_in(ids.iter().copied());
    let select = tx
        .find::<calendar_event::Entity>()
        .filter(these())
        .lock_exclusive();
    let rows = select.all(tx.conn()).await?;
    let delete = tx.delete_many::<calendar_event::Entity>().filter(these());
    delete.exec(tx.conn()).await?;
    for row in &rows {
        record(tx, "calendar_event.deleted", ChangeAction::Deleted, row, None);
    }
    Ok(rows)
}

/// Puts work back as it was. Calendars and tasks that are gone since take theirs with them, so whoever asks leaves those out.
pub async fn restore_planned_in(tx: &Tx, rows: &[calendar_event::Model]) -> Result<()> {
    store(tx, rows).await
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
