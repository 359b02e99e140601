//! Commands on calendars. Each is one transaction with its audit entry and its change.

mod feed;
mod reseal;

pub use feed::{publish_feed, unpublish_feed};
pub use reseal::reseal_feeds;

use entity::enums::ChangeAction;
use entity::ids::{CalendarEventId, CalendarId, TypedId as _, UserId, WorkspaceId};
use entity::{calendar, calendar_event, calendar_setting, calendar_sync, user_preferences, workspace};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QuerySelect as _, Set,
};

use super::model::{CalendarPatch, NewCalendar};
use super::{read, rules};
use crate::access::Ctx;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::changes::ObjectType;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::{Audit, Tx};

/// Creates a local calendar of the viewer. The first one becomes the default.
pub async fn create(ctx: &Ctx, new: NewCalendar) -> Result<calendar::Model> {
    ctx.require(Action::Edit, Resource::Calendar)?;
    ctx.write(|tx| {
        let new = new.clone();
        async move { create_in(&tx, ctx, new).await }
    })
    .await
}

async fn create_in(tx: &Tx, ctx: &Ctx, new: NewCalendar) -> Result<calendar::Model> {
    // The limit, the choice of a colour and the default look at all calendars.
    tx.lock_workspace().await?;
    let colors: Vec<String> = tx
        .find::<calendar::Entity>()
        .select_only()
        .column(calendar::Column::Color)
        .filter(calendar::Column::IntegrationId.is_null())
        .into_tuple()
        .all(tx.conn())
        .await?;
    if colors.len() >= rules::MAX_CALENDARS {
        let message = format!("A workspace has at most {} calendars.", rules::MAX_CALENDARS);
        return Err(Error::user(UserErrorCode::LimitReached, "", message));
    }
    let time_zone = match new.time_zone {
        Some(zone) => zone,
        None => zone_of_viewer(tx, ctx.user_id()).await?,
    };
    let mut row = calendar::Model {
        id: tx.ids().next(),
        // The scope of the transaction decides; `insert` stores its workspace.
        workspace_id: WorkspaceId::from_uuid(uuid::Uuid::nil()),
        owner_id: ctx.user_id(),
        integration_id: None,
        external_id: None,
        name: new.name,
        description: new.description,
        color: new
            .color
            .unwrap_or_else(|| rules::free_color(colors.iter().map(String::as_str)).to_owned()),
        time_zone,
        is_default: read::default_in(tx, ctx).await?.is_none(),
        is_read_only: false,
        counts_as_busy: true,
        is_mirrored: false,
        feed_secret_hash: None,
        sealed_feed_secret: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    rules::check(&mut row)?;
    let stored = tx.insert(row.into_active_model().reset_all()).await?;
    record(tx, "calendar.created", ChangeAction::Created, stored.id, None);
    Ok(stored)
}

async fn zone_of_viewer(tx: &Tx, viewer: Option<UserId>) -> Result<String> {
    if let Some(viewer) = viewer {
        let select = tx.find_global::<user_preferences::Entity>();
        let select = select.filter(user_preferences::Column::UserId.eq(viewer));
        if let Some(preferences) = select.one(tx.conn()).await? {
            return Ok(preferences.time_zone);
        }
    }
    let workspace = tx.find::<workspace::Entity>().one(tx.conn()).await?;
    Ok(workspace.ok_or_else(Error::not_found)?.time_zone)
}

/// Changes a calendar, or only how the viewer sees it.
pub async fn update(ctx: &Ctx, id: CalendarId, patch: CalendarPatch) -> Result<calendar::Model> {
    ctx.require(Action::Edit, Resource::CalendarSetting)?;
    ctx.write(|tx| {
        let patch = patch.clone();
        async move { update_in(&tx, ctx, id, patch).await }
    })
    .await
}

async fn update_in(tx: &Tx, ctx: &Ctx, id: CalendarId, patch: CalendarPatch) -> Result<calendar::Model> {
    if patch.is_default.is_some() {
        tx.lock_workspace().await?;
    }
    let before = lock(tx, id).await?;
    if patch.touches_calendar() {
        require_manage(ctx, &before)?;
    }
    if let Some(is_visible) = patch.is_visible {
        show(tx, ctx, id, is_visible).await?;
    }
    let mut row = before.clone();
    row.name = patch.name.unwrap_or(row.name);
    row.description = patch.description.apply(row.description);
    row.color = patch.color.unwrap_or(row.color);
    row.time_zone = patch.time_zone.unwrap_or(row.time_zone);
    row.counts_as_busy = patch.counts_as_busy.unwrap_or(row.counts_as_busy);
    rules::check(&mut row)?;
    match patch.is_default {
        Some(true) if !row.is_default => {
            take_default(tx, &row).await?;
            row.is_default = true;
        }
        Some(false) if row.is_default => {
            let message = "There is always a default calendar. Make another one the default instead.";
            return Err(Error::user(
                UserErrorCode::InvalidState,
                "input.isDefault",
                message,
            ));
        }
        _ => {}
    }
    if row == before {
        return Ok(before);
    }
    row.version += 1;
    row.updated_at = tx.now();
    let changes = rules::audit_diff(&before, &row);
    let stored = tx.update(row.into_active_model().reset_all()).await?;
    record(tx, "calendar.updated", ChangeAction::Updated, id, Some(changes));
    Ok(stored)
}

/// Takes the flag from the calendar of the same owner that has it.
async fn take_default(tx: &Tx, row: &calendar::Model) -> Result<()> {
    if !rules::accepts_events(row) {
        let message = "New events cannot go to a calendar that only shows what is elsewhere.";
        return Err(Error::user(UserErrorCode::ReadOnly, "input.isDefault", message));
    }
    let same_owner = match row.owner_id {
        Some(owner) => calendar::Column::OwnerId.eq(owner),
        None => calendar::Column::OwnerId.is_null(),
    };
    let losers = tx
        .update_many::<calendar::Entity>()
        .col_expr(calendar::Column::IsDefault, Expr::val(false))
        .col_expr(
            calendar::Column::Version,
            Expr::col(calendar::Column::Version).add(1),
        )
        .col_expr(calendar::Column::UpdatedAt, Expr::val(tx.now()))
        .filter(calendar::Column::IsDefault.eq(true))
        .filter(same_owner)
        .exec_with_returning(tx.conn())
        .await?;
    for loser in losers {
        let changes = serde_json::json!({ "isDefault": { "from": true, "to": false } });
        record(
            tx,
            "calendar.updated",
            ChangeAction::Updated,
            loser.id,
            Some(changes),
        );
    }
    Ok(())
}

/// Stores whether the viewer sees the calendar in their view.
async fn show(tx: &Tx, ctx: &Ctx, id: CalendarId, is_visible: bool) -> Result<()> {
    use calendar_setting::Column;
    let setting = calendar_setting::ActiveModel {
        user_id: Set(ctx.require_person()?),
        calendar_id: Set(id),
        is_visible: Set(is_visible),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    };
    let mut replace = OnConflict::columns([Column::UserId, Column::CalendarId]);
    replace.update_columns([Column::IsVisible, Column::UpdatedAt]);
    tx.upsert_many(vec![setting], replace).await?;
    // The viewer's other windows look again; it is nobody else's business, so the audit log stays silent.
    tx.change(ChangeAction::Updated, ObjectType::Calendar, id.uuid());
    Ok(())
}

/// Deletes a local calendar with its events, or stops mirroring an external one.
pub async fn delete(ctx: &Ctx, id: CalendarId) -> Result<()> {
    ctx.require(Action::Edit, Resource::Calendar)?;
    ctx.write(|tx| async move { delete_in(&tx, ctx, id).await }).await
}

async fn delete_in(tx: &Tx, ctx: &Ctx, id: CalendarId) -> Result<()> {
    let row = lock(tx, id).await?;
    require_manage(ctx, &row)?;
    if row.is_default {
        let message = "This is the default calendar. Make another one the default first.";
        return Err(Error::user(UserErrorCode::InvalidState, "id", message));
    }
    clear(tx, id).await?;
    if row.integration_id.is_none() {
        tx.delete_many::<calendar::Entity>()
            .filter(calendar::Column::Id.eq(id))
            .exec(tx.conn())
            .await?;
        record(tx, "calendar.deleted", ChangeAction::Deleted, id, None);
        return Ok(());
    }
    // Without its state the next sync of this calendar, should it be chosen again, starts from nothing.
    let state = tx.delete_many::<calendar_sync::Entity>();
    state
        .filter(calendar_sync::Column::CalendarId.eq(id))
        .exec(tx.conn())
        .await?;
    let version = row.version + 1;
    let mut mirror = row.into_active_model();
    mirror.is_mirrored = Set(false);
    mirror.version = Set(version);
    mirror.updated_at = Set(tx.now());
    tx.update(mirror).await?;
    record(tx, "calendar.unmirrored", ChangeAction::Deleted, id, None);
    Ok(())
}

/// Removes all events of a calendar and what links them to a provider.
async fn clear(tx: &Tx, id: CalendarId) -> Result<()> {
    let events: Vec<CalendarEventId> = tx
        .find::<calendar_event::Entity>()
        .select_only()
        .column(calendar_event::Column::Id)
        .filter(calendar_event::Column::CalendarId.eq(id))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let links = tx.delete_many::<entity::external_event_link::Entity>();
    links
        .filter(entity::external_event_link::Column::CalendarId.eq(id))
        .exec(tx.conn())
        .await?;
    let rows = tx.delete_many::<calendar_event::Entity>();
    rows.filter(calendar_event::Column::CalendarId.eq(id))
        .exec(tx.conn())
        .await?;
    for event in events {
        tx.event_change(ChangeAction::Deleted, event.uuid(), id);
    }
    Ok(())
}

async fn lock(tx: &Tx, id: CalendarId) -> Result<calendar::Model> {
    let select = tx
        .find::<calendar::Entity>()
        .filter(calendar::Column::Id.eq(id))
        .lock_exclusive();
    let row = select.one(tx.conn()).await?;
    row.filter(rules::is_shown).ok_or_else(Error::not_found)
}

/// Owners manage their calendars and members those of the workspace; administrators manage all, so that those of people who left
/// are not stuck.
fn require_manage(ctx: &Ctx, row: &calendar::Model) -> Result<()> {
    ctx.require(Action::Manage, Resource::Calendar)?;
    if read::may_manage(ctx, row) {
        return Ok(());
    }
    Err(Error::forbidden("This is the calendar of another member."))
}

fn record(
    tx: &Tx,
    action: &'static str,
    change: ChangeAction,
    id: CalendarId,
    changes: Option<serde_json::Value>,
) {
    tx.audit(Audit {
        action,
        entity_type: "Calendar",
        entity_id: id.uuid(),
        changes,
    });
    tx.change(change, ObjectType::Calendar, id.uuid());
}
