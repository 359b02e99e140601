//! Commands on events. Each is one transaction with its audit entry and its change.

mod create;
mod people;
mod planned;
mod store;

pub use create::create;
pub use planned::{Planned, create_planned_in, delete_planned_in, restore_planned_in};
pub use store::{RemoteObject, Stored, Twin, Unstored, leave_out, remove_objects, store_parsed, twins_wait};

use entity::enums::ChangeAction;
use entity::ids::{CalendarEventId, CalendarId, TypedId as _};
use entity::{calendar, calendar_event};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _,
    QuerySelect as _,
};

use super::model::{Event, EventPatch, Move, Occurrences};
use super::read::seen;
use super::{rules, times};
use crate::access::Ctx;
use crate::features::calendars;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::text::Checks;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::{Audit, Tx};

/// Changes an event, or only the viewer's reminders.
pub async fn update(
    ctx: &Ctx,
    id: CalendarEventId,
    occurrences: Occurrences,
    patch: EventPatch,
) -> Result<Event> {
    ctx.require(Action::Edit, Resource::CalendarSetting)?;
    ctx.write(|tx| {
        let patch = patch.clone();
        async move { update_in(&tx, ctx, id, occurrences, patch).await }
    })
    .await
}

async fn update_in(
    tx: &Tx,
    ctx: &Ctx,
    id: CalendarEventId,
    occurrences: Occurrences,
    patch: EventPatch,
) -> Result<Event> {
    let before = lock(tx, id).await?;
    if patch.touches_event() {
        require_edit(tx, ctx, &before).await?;
    }
    rules::check_occurrences(&before, occurrences)?;
    if patch
        .expected_version
        .is_some_and(|version| version != before.version)
    {
        let message = format!(
            "The event has version {} by now. Read it again and repeat your change.",
            before.version
        );
        return Err(Error::user(
            UserErrorCode::VersionConflict,
            "input.expectedVersion",
            message,
        ));
    }
    let mut checks = Checks::default();
    let mut row = before.clone();
    row.title = patch.title.unwrap_or(row.title);
    row.description = patch.description.apply(row.description);
    row.location = patch.location.apply(row.location);
    row.conference_url = patch.conference_url.apply(row.conference_url);
    row.color = patch.color.apply(row.color);
    row.status = patch.status.unwrap_or(row.status);
    row.transparency = patch.transparency.unwrap_or(row.transparency);
    row.visibility = patch.visibility.unwrap_or(row.visibility);
    if patch.when.is_some() || patch.time_zone.is_some() {
        require_single(&before, "input.time")?;
        let when = patch.when.unwrap_or_else(|| times::of(&before));
        times::check(&mut checks, when, "input.time");
        row.time_zone = patch.time_zone.unwrap_or(row.time_zone);
        times::store(&mut row, when);
    }
    // Texts that were imported may be longer than what can be typed; they are only checked when they change.
    if row.title != before.title || row.description != before.description || row.location != before.location {
        rules::check(&mut checks, &mut row);
    }
    let guests = patch.guests.as_deref();
    guests
        .into_iter()
        .for_each(|guests| rules::check_guests(&mut checks, guests));
    let reminders = patch
        .reminders
        .map(|wanted| rules::reminders(&mut checks, &wanted));
    checks.finish()?;
    if let Some(calendar_id) = patch.calendar_id.filter(|&id| id != before.calendar_id) {
        move_to_calendar(tx, ctx, &mut row, calendar_id).await?;
    }
    let are_guests_new = match guests {
        Some(guests) => people::replace_guests(tx, &mut row, guests).await?,
        None => false,
    };
    let stored = save(tx, &before, row, are_guests_new).await?;
    if let Some(reminders) = reminders {
        let is_new = people::replace_reminders(tx, &stored, ctx.require_person()?, &reminders).await?;
        if is_new && stored == before {
            // The viewer's other windows look again; the event is the same for everybody else.
            tx.event_change(ChangeAction::Updated, id.uuid(), stored.calendar_id);
        }
    }
    let mut events = seen::mask(tx, ctx.user_id(), vec![stored]).await?;
    events.pop().ok_or_else(Error::not_found)
}

/// Moves an event by drag and drop.
pub async fn move_to(ctx: &Ctx, id: CalendarEventId, occurrences: Occurrences, to: Move) -> Result<Event> {
    ctx.require(Action::Edit, Resource::CalendarEvent)?;
    ctx.write(|tx| async move {
        let before = lock(&tx, id).await?;
        require_edit(&tx, ctx, &before).await?;
        rules::check_occurrences(&before, occurrences)?;
        require_single(&before, "scope")?;
        let when = times::moved(&before, to);
        let mut checks = Checks::default();
        times::check_move(&mut checks, when);
        checks.finish()?;
        let mut row = before.clone();
        if when != times::of(&before) {
            times::store(&mut row, when);
        }
        let row = save(&tx, &before, row, false).await?;
        Ok(Event {
            row,
            is_masked: false,
        })
    })
    .await
}

/// Deletes an event or a whole series.
pub async fn delete(ctx: &Ctx, id: CalendarEventId, occurrences: Occurrences) -> Result<()> {
    ctx.require(Action::Edit, Resource::CalendarEvent)?;
    ctx.write(|tx| async move {
        let row = lock(&tx, id).await?;
        require_edit(&tx, ctx, &row).await?;
        rules::check_occurrences(&row, occurrences)?;
        let delete = tx.delete_many::<calendar_event::Entity>();
        delete
            .filter(calendar_event::Column::Id.eq(id))
            .exec(tx.conn())
            .await?;
        record(&tx, "calendar_event.deleted", ChangeAction::Deleted, &row, None);
        Ok(())
    })
    .await
}

/// Stores a changed event; an update that changes nothing leaves no trace.
async fn save(
    tx: &Tx,
    before: &calendar_event::Model,
    mut row: calendar_event::Model,
    are_guests_new: bool,
) -> Result<calendar_event::Model> {
    if row == *before && !are_guests_new {
        return Ok(row);
    }
    row.version = before.version + 1;
    row.sequence = before.sequence + i32::from(rules::is_rescheduled(before, &row));
    row.updated_at = tx.now();
    let mut changes = rules::audit_diff(before, &row);
    if are_guests_new {
        changes["attendees"] = serde_json::json!({ "changed": true });
    }
    let stored = tx.update(row.into_active_model().reset_all()).await?;
    people::renew_reminders(tx, &stored).await?;
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

/// Times of a series move its exceptions too, which needs them expanded.
fn require_single(row: &calendar_event::Model, path: &str) -> Result<()> {
    if !row.is_recurring {
        return Ok(());
    }
    let message = "The times of a series cannot be changed here. Change it where it comes from.";
    Err(Error::user(UserErrorCode::InvalidState, path, message))
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
