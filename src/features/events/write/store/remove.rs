//! Removing what is gone elsewhere.

use std::collections::HashSet;

use entity::enums::ChangeAction;
use entity::ids::{CalendarEventId, TypedId as _};
use entity::{calendar, calendar_event, external_event_link};
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};

use super::CHUNK;
use crate::kernel::Result;
use crate::platform::db::Tx;

/// Removes the objects with these keys: their events, unless another object of the calendar has the same UID, and their links.
/// Returns how many events are gone.
pub async fn remove_objects(tx: &Tx, calendar: &calendar::Model, keys: &[String]) -> Result<u32> {
    use external_event_link::Column;
    let mut removed = 0;
    for chunk in keys.chunks(CHUNK) {
        let here = || {
            Column::CalendarId
                .eq(calendar.id)
                .and(Column::Href.is_in(chunk.iter().cloned()))
        };
        // Links without content hold no event; see `twins`.
        let select = tx
            .find::<external_event_link::Entity>()
            .select_only()
            .column(Column::Uid)
            .filter(here())
            .filter(Column::ContentHash.is_not_null());
        let uids: Vec<String> = select.into_tuple().all(tx.conn()).await?;
        tx.delete_many::<external_event_link::Entity>()
            .filter(here())
            .exec(tx.conn())
            .await?;
        removed += drop_uids(tx, calendar, &uids, &HashSet::new()).await?;
    }
    Ok(removed)
}

/// Removes the events with these UIDs that no object is linked to any more, links with the keys in `but` aside.
pub(super) async fn drop_uids(
    tx: &Tx,
    calendar: &calendar::Model,
    uids: &[String],
    but: &HashSet<&str>,
) -> Result<u32> {
    if uids.is_empty() {
        return Ok(0);
    }
    use external_event_link::Column;
    let linked: Vec<(String, String)> = tx
        .find::<external_event_link::Entity>()
        .select_only()
        .column(Column::Href)
        .column(Column::Uid)
        .filter(Column::CalendarId.eq(calendar.id))
        .filter(Column::ContentHash.is_not_null())
        .filter(Column::Uid.is_in(uids.iter().cloned()))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let linked: HashSet<String> = linked
        .into_iter()
        .filter(|(key, _)| !but.contains(key.as_str()))
        .map(|(_, uid)| uid)
        .collect();
    let gone = uids.iter().filter(|uid| !linked.contains(*uid)).cloned();
    let events: Vec<CalendarEventId> = tx
        .find::<calendar_event::Entity>()
        .select_only()
        .column(calendar_event::Column::Id)
        .filter(calendar_event::Column::CalendarId.eq(calendar.id))
        .filter(calendar_event::Column::Uid.is_in(gone))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
    delete_events(tx, calendar, events).await?;
    Ok(count)
}

/// Deletes events and says so.
pub(super) async fn delete_events(
    tx: &Tx,
    calendar: &calendar::Model,
    ids: Vec<CalendarEventId>,
) -> Result<()> {
    for chunk in ids.chunks(CHUNK) {
        let delete = tx.delete_many::<calendar_event::Entity>();
        delete
            .filter(calendar_event::Column::Id.is_in(chunk.iter().copied()))
            .exec(tx.conn())
            .await?;
    }
    for id in ids {
        tx.event_change(ChangeAction::Deleted, id.uuid(), calendar.id);
    }
    Ok(())
}
