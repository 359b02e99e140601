//! The calendars of an integration: taking them over, and choosing which are mirrored.

use std::collections::HashSet;

use entity::enums::{ChangeAction, SyncState};
use entity::ids::{CalendarEventId, CalendarId, TypedId as _, WorkspaceId};
use entity::{
    calendar, calendar_event, calendar_sync, external_event_link, integration, user_preferences, workspace,
};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QuerySelect as _, Set,
};

use crate::features::integrations::providers::RemoteCalendar;
use crate::features::integrations::rules;
use crate::kernel::changes::ObjectType;
use crate::kernel::text::is_hex_color;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::Tx;

/// Colour of a calendar whose provider gives none.
const COLOR: &str = "#3366cc";
const MAX_DESCRIPTION: usize = 2_000;

/// Takes over the calendars that the integration does not have yet; returns how many.
pub(in crate::features::integrations) async fn add_calendars(
    tx: &Tx,
    row: &integration::Model,
    found: &[RemoteCalendar],
) -> Result<usize> {
    let known = calendars(tx, row).await?;
    let known: HashSet<&str> = known
        .iter()
        .filter_map(|row| row.external_id.as_deref())
        .collect();
    let zone = zone_of_owner(tx, row).await?;
    let mut seen = HashSet::new();
    let new: Vec<calendar::Model> = found
        .iter()
        .filter(|remote| !known.contains(remote.id.as_str()) && seen.insert(&remote.id))
        .map(|remote| mirror(tx, row, remote, &zone))
        .collect();
    let states = new
        .iter()
        .map(|calendar| fresh_state(tx, row, calendar.id))
        .collect();
    for calendar in &new {
        tx.change(ChangeAction::Created, ObjectType::Calendar, calendar.id.uuid());
    }
    let count = new.len();
    let rows = new
        .into_iter()
        .map(|row| row.into_active_model().reset_all())
        .collect();
    tx.insert_many::<calendar::ActiveModel>(rows).await?;
    tx.insert_many::<calendar_sync::ActiveModel>(states).await?;
    Ok(count)
}

/// Gives the calendars of an integration the names that were found or chosen now.
pub(in crate::features::integrations) async fn rename(
    tx: &Tx,
    row: &integration::Model,
    found: &[RemoteCalendar],
) -> Result<()> {
    for calendar in calendars(tx, row).await? {
        let name = found
            .iter()
            .find(|remote| Some(&remote.id) == calendar.external_id.as_ref())
            .map(|remote| rules::name_of(&remote.name, "Calendar"));
        let Some(name) = name.filter(|name| *name != calendar.name) else {
            continue;
        };
        let (id, version) = (calendar.id, calendar.version + 1);
        let mut calendar = calendar.into_active_model();
        calendar.name = Set(name);
        calendar.version = Set(version);
        calendar.updated_at = Set(tx.now());
        tx.update(calendar).await?;
        tx.change(ChangeAction::Updated, ObjectType::Calendar, id.uuid());
    }
    Ok(())
}

fn mirror(tx: &Tx, row: &integration::Model, remote: &RemoteCalendar, zone: &str) -> calendar::Model {
    let own_zone = remote.time_zone.as_deref().and_then(|name| {
        let zone = jiff::tz::TimeZone::get(name).ok()?;
        zone.iana_name().map(str::to_owned)
    });
    let color = remote.color.clone().filter(|color| is_hex_color(color));
    let description = remote.description.as_ref();
    calendar::Model {
        id: tx.ids().next(),
        // The scope of the transaction decides; `insert_many` stores its workspace.
        workspace_id: WorkspaceId::from_uuid(uuid::Uuid::nil()),
        owner_id: Some(row.owner_id),
        integration_id: Some(row.id),
        external_id: Some(remote.id.clone()),
        name: rules::name_of(&remote.name, "Calendar"),
        description: description.map(|text| text.replace('\0', " ").chars().take(MAX_DESCRIPTION).collect()),
        color: color.unwrap_or_else(|| COLOR.to_owned()),
        time_zone: own_zone.unwrap_or_else(|| zone.to_owned()),
        is_default: false,
        is_read_only: true,
        counts_as_busy: true,
        is_mirrored: true,
        feed_secret_hash: None,
        sealed_feed_secret: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

/// The state of a calendar that was never synced.
fn fresh_state(tx: &Tx, row: &integration::Model, calendar_id: CalendarId) -> calendar_sync::ActiveModel {
    calendar_sync::ActiveModel {
        calendar_id: Set(calendar_id),
        integration_id: Set(row.id),
        state: Set(SyncState::Idle),
        sync_token: Set(None),
        ctag: Set(None),
        page_cursor: Set(None),
        etag: Set(None),
        last_modified: Set(None),
        lease_owner: Set(None),
        lease_until: Set(None),
        lease_fence: Set(0),
        last_success_at: Set(None),
        last_error: Set(None),
        held_deletes: Set(None),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    }
}

async fn zone_of_owner(tx: &Tx, row: &integration::Model) -> Result<String> {
    let select = tx.find_global::<user_preferences::Entity>();
    let select = select.filter(user_preferences::Column::UserId.eq(row.owner_id));
    if let Some(preferences) = select.one(tx.conn()).await? {
        return Ok(preferences.time_zone);
    }
    let workspace = tx.find::<workspace::Entity>().one(tx.conn()).await?;
    Ok(workspace.ok_or_else(Error::not_found)?.time_zone)
}

/// All calendars of an integration, mirrored or not.
pub(super) async fn calendars(tx: &Tx, row: &integration::Model) -> Result<Vec<calendar::Model>> {
    let select = tx.find::<calendar::Entity>();
    let select = select.filter(calendar::Column::IntegrationId.eq(row.id));
    Ok(select.all(tx.conn()).await?)
}

/// What a choice of calendars changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chosen {
    /// Some are mirrored now that were not.
    pub(super) added: bool,
    /// Some are no longer mirrored.
    pub(super) removed: bool,
}

/// Mirrors exactly these calendars. The events of the others go.
pub(super) async fn choose(tx: &Tx, row: &integration::Model, ids: &[CalendarId]) -> Result<Chosen> {
    let all = calendars(tx, row).await?;
    if let Some(index) = ids
        .iter()
        .position(|id| all.iter().all(|calendar| calendar.id != *id))
    {
        let path = format!("input.calendarIds.{index}");
        let message = "This integration has no such calendar.";
        return Err(Error::user(UserErrorCode::ReferenceNotFound, &path, message));
    }
    let wanted: HashSet<CalendarId> = ids.iter().copied().collect();
    let mut chosen = Chosen::default();
    for calendar in all {
        let (id, is_wanted) = (calendar.id, wanted.contains(&calendar.id));
        if is_wanted == calendar.is_mirrored {
            continue;
        }
        if is_wanted {
            chosen.added = true;
            tx.insert_many(vec![fresh_state(tx, row, id)]).await?;
            tx.change(ChangeAction::Created, ObjectType::Calendar, id.uuid());
        } else {
            chosen.removed = true;
            empty(tx, id).await?;
            tx.change(ChangeAction::Deleted, ObjectType::Calendar, id.uuid());
        }
        let version = calendar.version + 1;
        let mut calendar = calendar.into_active_model();
        calendar.is_mirrored = Set(is_wanted);
        calendar.version = Set(version);
        calendar.updated_at = Set(tx.now());
        tx.update(calendar).await?;
    }
    Ok(chosen)
}

/// Removes what was mirrored into a calendar, and where its sync stands: chosen again, it starts from nothing.
pub(super) async fn empty(tx: &Tx, id: CalendarId) -> Result<()> {
    let events = tx
        .find::<calendar_event::Entity>()
        .select_only()
        .column(calendar_event::Column::Id);
    let events: Vec<CalendarEventId> = events
        .filter(calendar_event::Column::CalendarId.eq(id))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let links = tx.delete_many::<external_event_link::Entity>();
    links
        .filter(external_event_link::Column::CalendarId.eq(id))
        .exec(tx.conn())
        .await?;
    let rows = tx.delete_many::<calendar_event::Entity>();
    rows.filter(calendar_event::Column::CalendarId.eq(id))
        .exec(tx.conn())
        .await?;
    let state = tx.delete_many::<calendar_sync::Entity>();
    state
        .filter(calendar_sync::Column::CalendarId.eq(id))
        .exec(tx.conn())
        .await?;
    for event in events {
        tx.event_change(ChangeAction::Deleted, event.uuid(), id);
    }
    Ok(())
}
