//! Questions about calendars.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use entity::ids::{CalendarId, WorkspaceId};
use entity::{calendar, calendar_setting, calendar_sync, change_log};
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select};

use super::rules;
use crate::access::{Ctx, token_hash};
use crate::kernel::actions::{Action, Resource};
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::cache::{Group, Kept};
use crate::platform::db::{Read, Scope, among};

/// The calendars that the viewer sees, by name.
pub async fn list(ctx: &Ctx) -> Result<Vec<calendar::Model>> {
    let read = ctx.read().await?;
    let select = shown(&read)
        .order_by_asc(calendar::Column::Name)
        .order_by_asc(calendar::Column::Id);
    Ok(select.all(&read).await?)
}

/// One calendar; NOT_FOUND when it does not exist in this workspace or is not shown.
pub async fn get(ctx: &Ctx, id: CalendarId) -> Result<calendar::Model> {
    get_many(ctx, &[id]).await?.pop().ok_or_else(Error::not_found)
}

/// The calendars among these that the viewer sees.
pub async fn get_many(ctx: &Ctx, ids: &[CalendarId]) -> Result<Vec<calendar::Model>> {
    let read = ctx.read().await?;
    let select = shown(&read).filter(among(&read, calendar::Column::Id, ids.iter().copied()));
    Ok(select.all(&read).await?)
}

/// As [`get_many`], for looking at only: they may be some seconds old.
pub async fn look_at(ctx: &Ctx, ids: &[CalendarId]) -> Result<Vec<Arc<calendar::Model>>> {
    let load = async { Box::pin(load_shown(ctx)).await };
    let id = ctx.workspace_id();
    let group = Group::Workspace(id);
    let all = ctx
        .platform()
        .cache
        .get::<CalendarsOf, _>(id, group, load)
        .await?;
    Ok(ids.iter().filter_map(|id| all.get(id).cloned()).collect())
}

async fn load_shown(ctx: &Ctx) -> Result<Arc<HashMap<CalendarId, Arc<calendar::Model>>>> {
    let read = ctx.read().await?;
    let rows = shown(&read).all(&read).await?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id, Arc::new(row))).collect();
    Ok(Arc::new(rows))
}

/// The calendars of a workspace that are shown.
struct CalendarsOf;

impl Kept for CalendarsOf {
    const NAME: &'static str = "calendars";
    type Key = WorkspaceId;
    type Value = Arc<HashMap<CalendarId, Arc<calendar::Model>>>;
    const CAPACITY: u64 = 5_000;
    const TIME_TO_LIVE: std::time::Duration = std::time::Duration::from_secs(30);
}

fn shown(read: &Read) -> Select<calendar::Entity> {
    let local_or_chosen = Condition::any()
        .add(calendar::Column::IntegrationId.is_null())
        .add(calendar::Column::IsMirrored.eq(true));
    read.find::<calendar::Entity>().filter(local_or_chosen)
}

/// Those of the calendars that the viewer has hidden.
pub async fn hidden(ctx: &Ctx, ids: &[CalendarId]) -> Result<HashSet<CalendarId>> {
    let Some(viewer) = ctx.user_id() else {
        return Ok(HashSet::new());
    };
    let read = ctx.read().await?;
    let select = read
        .find::<calendar_setting::Entity>()
        .select_only()
        .column(calendar_setting::Column::CalendarId)
        .filter(calendar_setting::Column::UserId.eq(viewer))
        .filter(among(
            &read,
            calendar_setting::Column::CalendarId,
            ids.iter().copied(),
        ))
        .filter(calendar_setting::Column::IsVisible.eq(false));
    Ok(select.into_tuple().all(&read).await?.into_iter().collect())
}

/// The calendar that gets the viewer's new events when none is chosen: their own default one, else that of the workspace.
pub async fn default_of_viewer(ctx: &Ctx) -> Result<Option<calendar::Model>> {
    let read = ctx.read().await?;
    default_in(&read, ctx).await
}

pub(super) async fn default_in(read: &Read, ctx: &Ctx) -> Result<Option<calendar::Model>> {
    let mut owners = Condition::any().add(calendar::Column::OwnerId.is_null());
    if let Some(viewer) = ctx.user_id() {
        owners = owners.add(calendar::Column::OwnerId.eq(viewer));
    }
    let select = shown(read)
        .filter(calendar::Column::IsDefault.eq(true))
        .filter(owners);
    let rows = select.order_by_asc(calendar::Column::Id).all(read).await?;
    let own = rows.iter().position(|row| row.owner_id.is_some());
    Ok(rows.into_iter().nth(own.unwrap_or(0)))
}

/// When the last successful sync of each of these ended.
pub async fn last_syncs(ctx: &Ctx, ids: &[CalendarId]) -> Result<HashMap<CalendarId, Instant>> {
    let read = ctx.read().await?;
    let select = read
        .find::<calendar_sync::Entity>()
        .select_only()
        .column(calendar_sync::Column::CalendarId)
        .column(calendar_sync::Column::LastSuccessAt)
        .filter(among(
            &read,
            calendar_sync::Column::CalendarId,
            ids.iter().copied(),
        ))
        .filter(calendar_sync::Column::LastSuccessAt.is_not_null());
    let rows: Vec<(CalendarId, Option<Instant>)> = select.into_tuple().all(&read).await?;
    Ok(rows.into_iter().filter_map(|(id, at)| Some((id, at?))).collect())
}

/// Whether the caller manages the calendar: its owner, any member when it belongs to the workspace, and administrators.
pub(super) fn may_manage(ctx: &Ctx, row: &calendar::Model) -> bool {
    ctx.may(Action::Manage, Resource::Calendar)
        && (rules::is_own(row, ctx.user_id()) || ctx.may(Action::Manage, Resource::Member))
}

/// The secret address of the calendar's feed; `None` when it has none or the caller does not manage it.
pub fn feed_url(ctx: &Ctx, row: &calendar::Model) -> Result<Option<String>> {
    let Some(sealed) = row.sealed_feed_secret.as_ref().filter(|_| may_manage(ctx, row)) else {
        return Ok(None);
    };
    let place = rules::feed_place(row.workspace_id, row.id);
    let secret = ctx.platform().secrets.open(sealed, &place)?;
    let secret = String::from_utf8(secret).map_err(|error| Error::internal(error.to_string()))?;
    let url = ctx
        .platform()
        .config
        .public_url
        .join(&format!("ics/{secret}.ics"))
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(Some(url.to_string()))
}

/// The calendar whose feed has this secret. Whoever knows the secret may read the feed.
pub async fn of_feed(platform: &Platform, secret: &str) -> Result<Option<calendar::Model>> {
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find::<calendar::Entity>()
        .filter(calendar::Column::FeedSecretHash.eq(token_hash(secret)));
    Ok(select.one(&read).await?.filter(rules::is_shown))
}

/// Position and time of the last change of the calendar's events, as far back as the change log reaches.
pub async fn last_change(ctx: &Ctx, id: CalendarId) -> Result<Option<(i64, Instant)>> {
    let read = ctx.read().await?;
    let select = read
        .find::<change_log::Entity>()
        .select_only()
        .column(change_log::Column::Seq)
        .column(change_log::Column::CreatedAt)
        .filter(change_log::Column::CalendarId.eq(id))
        .order_by_desc(change_log::Column::Seq);
    Ok(select.into_tuple().one(&read).await?)
}
