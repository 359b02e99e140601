//! Storing changed occurrences, inside the transaction of a command.

use entity::ids::{CalendarEventId, WorkspaceId};
use entity::{calendar_event, event_override};
use jiff::civil::DateTime;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _,
};
use serde_json::{Map, Value, json};

use crate::features::events::model::EventPatch;
use crate::features::events::{placed, remake, remote};
use crate::kernel::patch::Patch;
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result};
use crate::platform::db::Tx;

/// A changed occurrence, as stored.
pub(super) type Exception = event_override::Model;

/// All of a series, by original start.
pub(super) async fn of(tx: &Tx, id: CalendarEventId) -> Result<Vec<Exception>> {
    let select = tx
        .find::<event_override::Entity>()
        .filter(event_override::Column::EventId.eq(id))
        .order_by_asc(event_override::Column::OriginalStartUtc);
    Ok(select.all(tx.conn()).await?)
}

/// The one with this original start.
pub(super) async fn at(tx: &Tx, id: CalendarEventId, at: Instant) -> Result<Option<Exception>> {
    let select = tx
        .find::<event_override::Entity>()
        .filter(event_override::Column::EventId.eq(id))
        .filter(event_override::Column::OriginalStartUtc.eq(at));
    Ok(select.one(tx.conn()).await?)
}

/// An occurrence that is as its series.
pub(super) fn blank(tx: &Tx, row: &calendar_event::Model, at: Instant, local: DateTime) -> Exception {
    Exception {
        id: tx.ids().next(),
        // Stamped with the scope's workspace when it is stored.
        workspace_id: WorkspaceId(uuid::Uuid::nil()),
        event_id: row.id,
        original_start_utc: at,
        original_start: remake::identity_text(row, at, local),
        cancelled: false,
        patch: json!({}),
        start_utc: None,
        end_utc: None,
        version: 0,
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

/// Whether it changes nothing.
pub(super) fn is_empty(exception: &Exception) -> bool {
    exception.patch.as_object().is_none_or(Map::is_empty)
        && exception.start_utc.is_none()
        && !exception.cancelled
}

/// What is its own.
pub(super) fn patch_of(exception: &mut Exception) -> Result<&mut Map<String, Value>> {
    if !exception.patch.is_object() {
        exception.patch = json!({});
    }
    let patch = exception.patch.as_object_mut();
    patch.ok_or_else(|| Error::internal("a patch is an object"))
}

/// Times of its own, or those of its series again.
pub(super) fn set_times(exception: &mut Exception, placed: &calendar_event::Model, is_moved: bool) {
    exception.start_utc = is_moved.then_some(placed.start_utc);
    exception.end_utc = is_moved.then_some(placed.end_utc);
    if let Some(patch) = exception.patch.as_object_mut() {
        match is_moved {
            true => patch.insert("time".to_owned(), placed::time_patch(placed)),
            false => patch.remove("time"),
        };
    }
}

/// What the patch sends becomes the occurrence's own. `row` has the values as they were cleaned.
pub(super) fn set_fields(
    exception: &mut Exception,
    row: &calendar_event::Model,
    wanted: &EventPatch,
) -> Result<()> {
    let patch = patch_of(exception)?;
    let is_set = |text: &Patch<String>| !text.is_keep();
    let fields = [
        ("title", wanted.title.is_some(), json!(row.title)),
        ("description", is_set(&wanted.description), json!(row.description)),
        ("location", is_set(&wanted.location), json!(row.location)),
        (
            "conferenceUrl",
            is_set(&wanted.conference_url),
            json!(row.conference_url),
        ),
        ("color", is_set(&wanted.color), json!(row.color)),
        ("status", wanted.status.is_some(), json!(row.status)),
        (
            "transparency",
            wanted.transparency.is_some(),
            json!(row.transparency),
        ),
        ("visibility", wanted.visibility.is_some(), json!(row.visibility)),
    ];
    for (name, is_sent, value) in fields {
        if is_sent {
            patch.insert(name.to_owned(), value);
        }
    }
    Ok(())
}

/// A change of more than this occurrence reaches it too: what the change sets is no longer the occurrence's own.
pub(super) fn give_way(exception: &mut Exception, wanted: &EventPatch) {
    if wanted.when.is_some() {
        (exception.start_utc, exception.end_utc) = (None, None);
    }
    let Some(patch) = exception.patch.as_object_mut() else {
        return;
    };
    let is_set = |text: &Patch<String>| !text.is_keep();
    for (name, is_sent) in [
        ("time", wanted.when.is_some()),
        ("title", wanted.title.is_some()),
        ("description", is_set(&wanted.description)),
        ("location", is_set(&wanted.location)),
        ("conferenceUrl", is_set(&wanted.conference_url)),
        ("color", is_set(&wanted.color)),
        ("status", wanted.status.is_some()),
        ("transparency", wanted.transparency.is_some()),
        ("visibility", wanted.visibility.is_some()),
        (remote::GUESTS, wanted.guests.is_some()),
    ] {
        if is_sent {
            patch.remove(name);
        }
    }
    if exception.start_utc.is_none() && patch.keys().all(|name| name == "thisAndFuture") {
        // Nothing is left that could hold for later ones.
        patch.clear();
    }
}

/// The same among the exceptions of a series; one that then changes nothing is gone.
pub(super) fn give_way_at(changes: &mut Vec<Exception>, at: Instant, wanted: &EventPatch) {
    let is_it = |change: &Exception| change.original_start_utc == at;
    let own = changes.iter_mut().filter(|change| is_it(change));
    own.for_each(|change| give_way(change, wanted));
    changes.retain(|change| !is_it(change) || !is_empty(change));
}

/// Stores one.
pub(super) async fn save(tx: &Tx, is_new: bool, mut exception: Exception) -> Result<()> {
    exception.version += 1;
    exception.updated_at = tx.now();
    let row = exception.into_active_model().reset_all();
    if is_new {
        tx.insert(row).await?;
    } else {
        tx.update(row).await?;
    }
    Ok(())
}

/// Removes the one with this original start, if there is one.
pub(super) async fn remove(tx: &Tx, id: CalendarEventId, at: Instant) -> Result<()> {
    let delete = tx
        .delete_many::<event_override::Entity>()
        .filter(event_override::Column::EventId.eq(id))
        .filter(event_override::Column::OriginalStartUtc.eq(at));
    delete.exec(tx.conn()).await?;
    Ok(())
}

/// Removes those from an original start on.
pub(super) async fn remove_from(tx: &Tx, id: CalendarEventId, at: Instant) -> Result<()> {
    let delete = tx
        .delete_many::<event_override::Entity>()
        .filter(event_override::Column::EventId.eq(id))
        .filter(event_override::Column::OriginalStartUtc.gte(at));
    delete.exec(tx.conn()).await?;
    Ok(())
}

/// Stores these as all that a series has. Their keys may have changed places, so they are written anew.
pub(super) async fn replace(tx: &Tx, id: CalendarEventId, exceptions: Vec<Exception>) -> Result<()> {
    let delete = tx
        .delete_many::<event_override::Entity>()
        .filter(event_override::Column::EventId.eq(id));
    delete.exec(tx.conn()).await?;
    insert(tx, id, exceptions).await
}

/// Stores these for a series that has none of them yet.
pub(super) async fn insert(tx: &Tx, id: CalendarEventId, exceptions: Vec<Exception>) -> Result<()> {
    let rows = exceptions.into_iter().map(|mut exception| {
        exception.event_id = id;
        exception.version += 1;
        exception.updated_at = tx.now();
        exception.into_active_model().reset_all()
    });
    tx.insert_many(rows.collect()).await
}
