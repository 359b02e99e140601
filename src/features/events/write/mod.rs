//! Commands on events. Each is one transaction with its audit entry and its change.

mod create;
mod delete;
mod dragged;
mod edit;
mod exceptions;
mod import;
mod inherited;
mod organize;
mod own_guests;
mod people;
mod planned;
mod reminders;
mod respond;
mod split;
mod store;
mod tell;

pub use create::create;
pub use delete::delete;
pub use edit::{move_to, update};
pub use import::import_in;
pub use planned::{Attached, Planned, create_planned_in, delete_planned_in, restore_planned_in};
pub use respond::respond;

pub(super) use reminders::renew as renew_reminders;
pub use store::{RemoteObject, Stored, Twin, Unstored, leave_out, remove_objects, store_parsed, twins_wait};

use entity::enums::ChangeAction;
use entity::ids::{CalendarEventId, CalendarId, TypedId as _};
use entity::{calendar, calendar_event};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _,
    QuerySelect as _,
};

use super::read::seen;
use super::rules;
use crate::access::Ctx;
use crate::features::calendars;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::{Audit, Tx};

/// What changes together with a row.
#[derive(Clone, Copy, Default)]
struct Also {
    /// Whether its guests are others now.
    are_guests_new: bool,
    /// The original start of the occurrence that was changed instead, and whether that one takes place otherwise now. Whoever changes one
    /// tells of it.
    occurrence: Option<(Instant, bool)>,
    /// Whether only somebody's own copy changes of what others organize: nobody is told, and SEQUENCE is the organizer's.
    is_own_copy: bool,
}

/// Stores a changed event; an update that changes nothing leaves no trace.
async fn save(
    tx: &Tx,
    before: &calendar_event::Model,
    mut row: calendar_event::Model,
    also: Also,
) -> Result<calendar_event::Model> {
    if row == *before && !also.are_guests_new && also.occurrence.is_none() {
        return Ok(row);
    }
    row.version = before.version + 1;
    let is_rescheduled = also.occurrence.is_some_and(|(_, is_rescheduled)| is_rescheduled);
    let is_rescheduled = is_rescheduled || rules::is_rescheduled(before, &row);
    row.sequence = before.sequence + i32::from(is_rescheduled && !also.is_own_copy);
    row.updated_at = tx.now();
    let mut changes = rules::audit_diff(before, &row);
    if also.are_guests_new {
        changes["attendees"] = serde_json::json!({ "changed": true });
    }
    if let Some((at, _)) = also.occurrence {
        changes["occurrence"] = serde_json::json!({ "originalStart": at, "changed": true });
    }
    let stored = tx.update(row.into_active_model().reset_all()).await?;
    reminders::renew(tx, &stored).await?;
    if also.occurrence.is_none() && !also.is_own_copy {
        tell::changed(tx, before, &stored).await?;
    }
    if stored.calendar_id != before.calendar_id {
        // Streams that watch only the old calendar learn that the event left it.
        tx.event_change(ChangeAction::Updated, stored.id.uuid(), before.calendar_id);
    }
    record(
        tx,
        "calendar_event.updated",
        ChangeAction::Updated,
        &stored,
        Some(changes),
    );
    Ok(stored)
}

async fn move_to_calendar(
    tx: &Tx,
    ctx: &Ctx,
    row: &mut calendar_event::Model,
    calendar_id: CalendarId,
) -> Result<()> {
    let calendar = referenced_calendar(tx, ctx, calendar_id).await?;
    let same = tx
        .find::<calendar_event::Entity>()
        .filter(calendar_event::Column::CalendarId.eq(calendar.id))
        .filter(calendar_event::Column::Uid.eq(row.uid.clone()));
    if same.count(tx.conn()).await? > 0 {
        let message = "This calendar already has a copy of the event.";
        return Err(Error::user(UserErrorCode::Taken, "input.calendarId", message));
    }
    row.calendar_id = calendar.id;
    Ok(())
}

/// A calendar that is to receive an event.
async fn referenced_calendar(tx: &Tx, ctx: &Ctx, id: CalendarId) -> Result<calendar::Model> {
    let path = "input.calendarId";
    let Some(row) = calendar_of(tx, id).await? else {
        let message = "There is no such calendar in this workspace.";
        return Err(Error::user(UserErrorCode::ReferenceNotFound, path, message));
    };
    require_own(ctx, &row)?;
    if calendars::accepts_events(&row) {
        return Ok(row);
    }
    Err(Error::user(UserErrorCode::ReadOnly, path, READ_ONLY))
}

const READ_ONLY: &str = "This calendar only shows what is elsewhere. Change its events where they come from.";

/// The event may be changed: it is in a calendar of the viewer or of the workspace, which is not read-only, and its details are no
/// secret.
async fn require_edit(tx: &Tx, ctx: &Ctx, row: &calendar_event::Model) -> Result<()> {
    ctx.require(Action::Edit, Resource::CalendarEvent)?;
    let calendar = calendar_of(tx, row.calendar_id)
        .await?
        .ok_or_else(Error::not_found)?;
    require_own(ctx, &calendar)?;
    if !seen::with_details(tx, ctx.user_id(), &[row.id])
        .await?
        .contains(&row.id)
    {
        return Err(Error::forbidden("This is a private event of another member."));
    }
    if !calendars::accepts_events(&calendar) {
        return Err(Error::user(UserErrorCode::ReadOnly, "id", READ_ONLY));
    }
    Ok(())
}

fn require_own(ctx: &Ctx, calendar: &calendar::Model) -> Result<()> {
    if calendars::is_own(calendar, ctx.user_id()) {
        return Ok(());
    }
    Err(Error::forbidden("This is the calendar of another member."))
}

async fn calendar_of(tx: &Tx, id: CalendarId) -> Result<Option<calendar::Model>> {
    let select = tx.find::<calendar::Entity>().filter(calendar::Column::Id.eq(id));
    Ok(select.one(tx.conn()).await?.filter(calendars::is_shown))
}

async fn lock(tx: &Tx, id: CalendarEventId) -> Result<calendar_event::Model> {
    let select = tx
        .find::<calendar_event::Entity>()
        .filter(calendar_event::Column::Id.eq(id))
        .lock_exclusive();
    select.one(tx.conn()).await?.ok_or_else(Error::not_found)
}

fn record(
    tx: &Tx,
    action: &'static str,
    change: ChangeAction,
    row: &calendar_event::Model,
    changes: Option<serde_json::Value>,
) {
    tx.audit(Audit {
        action,
        entity_type: "CalendarEvent",
        entity_id: row.id.uuid(),
        changes,
    });
    tx.event_change(change, row.id.uuid(), row.calendar_id);
}
