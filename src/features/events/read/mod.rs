//! Questions about events. Answers are what the viewer may see: private events of others come masked.

mod busy;
mod calendar_text;
mod look;
mod page;
mod present;
mod range;
pub(super) mod seen;
mod window;

pub use window::{Among, Expanded, in_window, in_window_in_part};

pub use calendar_text::{Audience, CalendarText, TextObject, TextPage, calendar_text, text_page};

use std::collections::{HashMap, HashSet};

use entity::ids::{CalendarEventId, UserId};
use entity::{attendee, calendar_event, event_override, membership, reminder, user};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

pub use busy::{Busy, Subject, busy};
pub use page::page;

use super::model::{Event, EventOrderField};
use super::own_guests;
use crate::access::{Access, Ctx};
use crate::kernel::{Error, Result};
use crate::platform::db::{Read, among, among_texts, fetch_all};

/// One event; NOT_FOUND when it does not exist in this workspace.
pub async fn get(ctx: &Ctx, id: CalendarEventId) -> Result<Event> {
    get_many(ctx, &[id]).await?.pop().ok_or_else(Error::not_found)
}

/// An event in whichever workspace of the caller it is; NOT_FOUND when there is none. `columns` are bits of the columns that are needed of
/// it, `None` for all.
pub async fn find(access: &Access, id: CalendarEventId, columns: Option<u64>) -> Result<Event> {
    access.caller().require_user()?;
    let always = page::always(EventOrderField::Start);
    let (ctx, row) = access
        .find::<calendar_event::Entity>(id, columns, &always)
        .await?;
    let read = ctx.read().await?;
    let seen = seen::mask(&read, ctx.user_id(), vec![row]).await?;
    seen.into_iter().next().ok_or_else(Error::not_found)
}

/// The events that exist among these.
pub async fn get_many(ctx: &Ctx, ids: &[CalendarEventId]) -> Result<Vec<Event>> {
    let read = ctx.read().await?;
    let these = among(&read, calendar_event::Column::Id, ids.iter().copied());
    let rows = fetch_all(read.find::<calendar_event::Entity>().filter(these), &read).await?;
    seen::mask(&read, ctx.user_id(), rows).await
}

/// Guests and organizer of each of these, the organizer first, then by address. Masked events show nobody. `user_id` names the member
/// who has the address now.
pub async fn people_of(
    ctx: &Ctx,
    ids: &[CalendarEventId],
) -> Result<HashMap<CalendarEventId, Vec<attendee::Model>>> {
    let read = ctx.read().await?;
    let open = Query::select()
        .column(calendar_event::Column::Id)
        .from(calendar_event::Entity)
        .and_where(among(&read, calendar_event::Column::Id, ids.iter().copied()))
        .cond_where(seen::has_details(ctx.user_id()))
        .take();
    let select = read
        .find::<attendee::Entity>()
        .filter(among(&read, attendee::Column::EventId, ids.iter().copied()))
        .filter(attendee::Column::EventId.in_subquery(open))
        .order_by_desc(attendee::Column::IsOrganizer)
        .order_by_asc(attendee::Column::Email);
    let mut rows = select.all(&read).await?;
    let members = members_by_email(&read, rows.iter().map(|row| row.email.clone()).collect()).await?;
    let mut people: HashMap<CalendarEventId, Vec<attendee::Model>> = HashMap::new();
    for mut row in rows.drain(..) {
        row.user_id = members.get(&row.email).copied();
        people.entry(row.event_id).or_default().push(row);
    }
    Ok(people)
}

/// The members among the guests that single occurrences of these have of their own, by address.
pub async fn own_members_of(
    ctx: &Ctx,
    ids: &[CalendarEventId],
) -> Result<HashMap<CalendarEventId, HashMap<String, UserId>>> {
    let read = ctx.read().await?;
    let select = read.find::<event_override::Entity>().filter(among(
        &read,
        event_override::Column::EventId,
        ids.iter().copied(),
    ));
    let mut emails: HashMap<CalendarEventId, HashSet<String>> = HashMap::new();
    for row in select.all(&read).await? {
        let own = own_guests::of(&row).unwrap_or_default();
        let own = own.into_iter().map(|guest| guest.email);
        emails.entry(row.event_id).or_default().extend(own);
    }
    let all: HashSet<String> = emails.values().flatten().cloned().collect();
    let members = members_by_email(&read, all.into_iter().collect()).await?;
    let of = |emails: HashSet<String>| -> HashMap<String, UserId> {
        let known = emails.into_iter();
        known
            .filter_map(|email| members.get(&email).copied().map(|id| (email, id)))
            .collect()
    };
    Ok(emails.into_iter().map(|(id, emails)| (id, of(emails))).collect())
}

/// The members of the workspace who have one of these addresses.
pub(super) async fn members_by_email(read: &Read, emails: Vec<String>) -> Result<HashMap<String, UserId>> {
    if emails.is_empty() {
        return Ok(HashMap::new());
    }
    // Through the scoped finder of memberships: somebody's address says nothing about people of other workspaces.
    let members: Vec<UserId> = read
        .find::<membership::Entity>()
        .select_only()
        .column(membership::Column::UserId)
        .filter(membership::Column::UserId.in_subquery(users_with(read, emails)))
        .into_tuple()
        .all(read)
        .await?;
    let select = read.find_global::<user::Entity>().select_only();
    let select = select.column(user::Column::Email).column(user::Column::Id);
    let rows: Vec<(String, UserId)> = select
        .filter(among(read, user::Column::Id, members))
        .into_tuple()
        .all(read)
        .await?;
    Ok(rows.into_iter().collect())
}

fn users_with(read: &Read, emails: Vec<String>) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(user::Column::Id)
        .from(user::Entity)
        .and_where(among_texts(read, user::Column::Email, emails))
        .take()
}

/// The viewer's reminders for each of these, latest first.
pub async fn reminders_of(
    ctx: &Ctx,
    ids: &[CalendarEventId],
) -> Result<HashMap<CalendarEventId, Vec<reminder::Model>>> {
    let Some(viewer) = ctx.user_id() else {
        return Ok(HashMap::new());
    };
    let read = ctx.read().await?;
    let select = read
        .find::<reminder::Entity>()
        .filter(reminder::Column::UserId.eq(viewer))
        .filter(among(&read, reminder::Column::EventId, ids.iter().copied()))
        .order_by_asc(reminder::Column::MinutesBefore)
        .order_by_asc(reminder::Column::Channel);
    let mut reminders: HashMap<CalendarEventId, Vec<reminder::Model>> = HashMap::new();
    for row in select.all(&read).await? {
        reminders.entry(row.event_id).or_default().push(row);
    }
    Ok(reminders)
}
