//! The rows beside an event: guests, exceptions and the link to the object it was read from.

use std::collections::HashMap;

use entity::ids::{CalendarEventId, SyncRunId, UserId, WorkspaceId};
use entity::{attendee, calendar, calendar_event, event_override, external_event_link};
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _, Set};

use super::{Link, RemoteObject};
use crate::features::events::remote::{RemoteException, RemotePerson};
use crate::features::events::write::people;
use crate::platform::db::Tx;

pub(super) fn attendee_row(
    tx: &Tx,
    row: &calendar_event::Model,
    person: RemotePerson,
    members: &HashMap<String, UserId>,
) -> attendee::ActiveModel {
    let attendee = attendee::Model {
        name: person.name,
        user_id: members.get(&person.email).copied(),
        response: person.response,
        is_optional: person.is_optional,
        is_organizer: person.is_organizer,
        ..people::blank(tx, row.id, &person.email)
    };
    attendee.into_active_model().reset_all()
}

pub(super) fn override_row(
    tx: &Tx,
    row: &calendar_event::Model,
    exception: RemoteException,
) -> event_override::ActiveModel {
    event_override::ActiveModel {
        id: Set(tx.ids().next()),
        event_id: Set(row.id),
        original_start_utc: Set(exception.original_start_utc),
        original_start: Set(exception.original_start),
        cancelled: Set(exception.cancelled),
        patch: Set(exception.patch),
        start_utc: Set(exception.moved.map(|(start, _)| start)),
        end_utc: Set(exception.moved.map(|(_, end)| end)),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    }
}

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
