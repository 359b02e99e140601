//! What only the organizer of an event decides (RFC 5546): when it takes place, and who comes. Guests answer, and change what is theirs alone.

use entity::{attendee, calendar, calendar_event};
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use crate::access::Ctx;
use crate::features::events::model::EventPatch;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::Tx;

/// Whether a change makes it another event for everybody who comes.
pub(super) fn is_up_to_the_organizer(patch: &EventPatch) -> bool {
    patch.when.is_some()
        || patch.time_zone.is_some()
        || !patch.recurrence.is_keep()
        || patch.guests.is_some()
        || patch.status.is_some()
}

/// Whoever organizes the event and is not the viewer; `None` when the viewer may act as its organizer. In a calendar of the workspace
/// members act for each other.
pub(super) async fn other_organizer(
    tx: &Tx,
    ctx: &Ctx,
    row: &calendar_event::Model,
) -> Result<Option<attendee::Model>> {
    let Some(viewer) = ctx.user_id() else {
        return Ok(None);
    };
    let select = tx
        .find::<attendee::Entity>()
        .filter(attendee::Column::EventId.eq(row.id))
        .filter(attendee::Column::IsOrganizer.eq(true));
    let Some(organizer) = select.one(tx.conn()).await? else {
        return Ok(None);
    };
    if organizer.user_id == Some(viewer) {
        return Ok(None);
    }
    let select = tx
        .find::<calendar::Entity>()
        .filter(calendar::Column::Id.eq(row.calendar_id));
    let is_shared = select
        .one(tx.conn())
        .await?
        .is_some_and(|calendar| calendar.owner_id.is_none());
    let acts_for_each_other = is_shared && organizer.user_id.is_some();
    Ok(Some(organizer).filter(|_| !acts_for_each_other))
}

/// INVALID_STATE when somebody else organizes the event.
pub(super) async fn require_organizer(tx: &Tx, ctx: &Ctx, row: &calendar_event::Model) -> Result<()> {
    let Some(organizer) = other_organizer(tx, ctx, row).await? else {
        return Ok(());
    };
    let who = organizer.name.unwrap_or(organizer.email);
    let message = format!(
        "Only {who}, who organizes the event, can change its time, state and guests. Answer it, or ask them."
    );
    Err(Error::user(UserErrorCode::InvalidState, "id", message))
}
