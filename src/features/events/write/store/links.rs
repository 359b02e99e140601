//! The links between objects elsewhere and events here.

use std::collections::HashMap;

use entity::ids::{CalendarEventId, SyncRunId, WorkspaceId};
use entity::{calendar, external_event_link};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, Set};

use super::{CHUNK, RemoteObject};
use crate::kernel::Result;
use crate::platform::db::Tx;

/// One link.
pub(super) type Link = external_event_link::Model;

/// The links of these objects by their keys.
pub(super) async fn links_of(
    tx: &Tx,
    calendar: &calendar::Model,
    objects: &[RemoteObject],
) -> Result<HashMap<String, Link>> {
    let mut links = HashMap::with_capacity(objects.len());
    for chunk in objects.chunks(CHUNK) {
        let select = tx
            .find::<external_event_link::Entity>()
            .filter(external_event_link::Column::CalendarId.eq(calendar.id))
            .filter(external_event_link::Column::Href.is_in(chunk.iter().map(|object| object.key.clone())));
        links.extend(
            select
                .all(tx.conn())
                .await?
                .into_iter()
                .map(|link| (link.href.clone(), link)),
        );
    }
    Ok(links)
}

/// Whether the object is what was stored last. One that shows no event may have none.
pub(super) fn is_same(link: &Link, object: &RemoteObject) -> bool {
    link.content_hash.as_deref() == Some(object.object.hash.as_slice())
        && link.uid == object.object.uid
        && link.tombstoned_at.is_none()
        && (link.event_id.is_some() || object.object.master.is_none())
}

/// The link of an object to its event, as of this run.
pub(super) fn link_row(
    tx: &Tx,
    calendar: &calendar::Model,
    run: Option<SyncRunId>,
    object: &RemoteObject,
    event_id: Option<CalendarEventId>,
) -> external_event_link::ActiveModel {
    let link = Link {
        id: tx.ids().next(),
        // Stamped with the scope's workspace when it is stored.
        workspace_id: WorkspaceId(uuid::Uuid::nil()),
        calendar_id: calendar.id,
        event_id,
        href: object.key.clone(),
        uid: object.object.uid.clone(),
        etag: object.etag.clone(),
        content_hash: Some(object.object.hash.to_vec()),
        base: None,
        pushed_version: None,
        last_seen_run: run,
        tombstoned_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    link.into_active_model().reset_all()
}

/// The link of an object that is left out: known, but without content and event, so that it is fetched again when the server lists it.
pub(super) fn left_out_row(
    tx: &Tx,
    calendar: &calendar::Model,
    run: Option<SyncRunId>,
    object: &RemoteObject,
) -> external_event_link::ActiveModel {
    let mut row = link_row(tx, calendar, run, object, None);
    row.etag = Set(None);
    row.content_hash = Set(None);
    row
}

/// Stores links, new ones and those that were there.
pub(super) async fn save_links(tx: &Tx, links: Vec<external_event_link::ActiveModel>) -> Result<()> {
    use external_event_link::Column;
    let mut replace = OnConflict::columns([Column::CalendarId, Column::Href]);
    replace.update_columns([
        Column::EventId,
        Column::Uid,
        Column::Etag,
        Column::ContentHash,
        Column::LastSeenRun,
        Column::TombstonedAt,
        Column::UpdatedAt,
    ]);
    tx.upsert_many(links, replace).await
}
