//! Questions about events. Answers are what the viewer may see: private events of others come masked.

mod busy;
mod calendar_text;
mod range;
pub(super) mod seen;
mod window;

pub use window::{Among, Expanded, in_window};

pub use calendar_text::{Audience, CalendarText, TextObject, TextPage, calendar_text, text_page};

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use entity::ids::{CalendarEventId, UserId, WorkspaceId};
use entity::{attendee, calendar_event, event_override, membership, reminder, user};
use sea_orm::sea_query::{Expr, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait as _, Condition, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Value,
};
use serde_json::Value as Json;

pub use busy::{Busy, Subject, busy};

use super::model::{Event, EventFilter, EventOrder, EventOrderField};
use super::{own_guests, rules};
use crate::access::{Access, Ctx};
use crate::kernel::page::{Cursor, Page, PageRequest};
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result};
use crate::platform::db::{
    Key, Partial as _, Read, Texts, among, among_texts, fetched, has_word, keyset, reading,
};

/// One event; NOT_FOUND when it does not exist in this workspace.
pub async fn get(ctx: &Ctx, id: CalendarEventId) -> Result<Event> {
    get_many(ctx, &[id]).await?.pop().ok_or_else(Error::not_found)
}

/// An event in whichever workspace of the caller it is; NOT_FOUND when there is none. `columns` are bits of the columns that are needed of
/// it, `None` for all.
pub async fn find(access: &Access, id: CalendarEventId, columns: Option<u64>) -> Result<Event> {
    access.caller().require_user()?;
    let always = always(EventOrderField::Start);
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
    let select = read.find::<calendar_event::Entity>();
    let rows = select
        .filter(among(&read, calendar_event::Column::Id, ids.iter().copied()))
        .all(&read)
        .await?;
    seen::mask(&read, ctx.user_id(), rows).await
}

/// The database and the columns, the order, and whether there is a range.
type PlainPage = ((bool, u64), (u8, bool, bool), bool);

/// Statements of pages of all events.
static PLAIN: LazyLock<Texts<PlainPage>> = LazyLock::new(Texts::default);

/// One page of the events that match.
pub async fn page(
    ctx: &Ctx,
    filter: &EventFilter,
    order: EventOrder,
    request: &PageRequest,
) -> Result<Page<Event>> {
    let viewer = ctx.user_id();
    let read = ctx.read().await?;
    let condition = condition(ctx.workspace_id(), filter, viewer);
    // Most pages begin at the beginning, of all events. The title in an order depends on who looks.
    let is_plain = condition.is_empty()
        && request.after.is_none()
        && request.before.is_none()
        && order.field != EventOrderField::Title;
    let select = read.find::<calendar_event::Entity>().filter(condition.clone());
    let total = match filter.range {
        _ if !request.count => None,
        Some(range) => Some(range::count(&read, range, &condition).await?),
        None => Some(select.clone().count(&read).await?),
    };
    let name = order.name();
    let request = &request.in_order(&name)?;
    let columns = calendar_event::Entity::columns_in(request.columns, &always(order.field));
    let keys = keys(order, viewer);
    let make = || match filter.range {
        Some(range) => range::reading(&read, range, &condition, &keys, request, &columns),
        None => Ok(reading(keyset(select, &keys, request)?, &columns, &read)),
    };
    let statement = if is_plain {
        let key = (
            (read.is_postgres(), calendar_event::Entity::mask_of(&columns)),
            (order.field as u8, order.descending, request.backward),
            filter.range.is_some(),
        );
        let mut given: Vec<Value> = vec![ctx.workspace_id().into(), (request.limit + 1).into()];
        given.extend(
            filter
                .range
                .into_iter()
                .flat_map(range::instants)
                .map(Value::from),
        );
        PLAIN.statement(key, &given, make)?
    } else {
        make()?
    };
    let rows = fetched::<calendar_event::Entity>(statement, &columns, &read).await?;
    let events = seen::mask(&read, viewer, rows).await?;
    Ok(Page::from_rows(request, events, total, |event| {
        cursor(event, order.field, &name)
    }))
}

/// What masking, cursors and loaders look at, whatever is asked for.
fn always(field: EventOrderField) -> [calendar_event::Column; 6] {
    use calendar_event::Column;
    let key = match field {
        EventOrderField::Start => Column::StartUtc,
        EventOrderField::UpdatedAt => Column::UpdatedAt,
        EventOrderField::Title => Column::Title,
    };
    [
        Column::Id,
        Column::WorkspaceId,
        Column::CalendarId,
        Column::Visibility,
        Column::CreatedBy,
        key,
    ]
}

/// What must hold of an event beside its time; see [`range`] for that.
fn condition(workspace: WorkspaceId, filter: &EventFilter, viewer: Option<UserId>) -> Condition {
    use calendar_event::Column;
    // What a condition on guests or words finds would tell about details, so masked events never match one.
    let guest = |email: &String| {
        let invited = Query::select()
            .column(attendee::Column::EventId)
            .from(attendee::Entity)
            .and_where(attendee::Column::WorkspaceId.eq(workspace))
            .and_where(attendee::Column::Email.eq(email.clone()))
            .take();
        Condition::all()
            .add(Column::Id.in_subquery(invited))
            .add(seen::has_details(viewer))
    };
    Condition::all()
        .add_option(
            filter
                .calendar_ids
                .as_ref()
                .map(|any| Column::CalendarId.is_in(any.clone())),
        )
        .add_option(
            filter
                .statuses
                .as_ref()
                .map(|any| Column::Status.is_in(any.clone())),
        )
        .add_option(filter.is_recurring.map(|yes| Column::IsRecurring.eq(yes)))
        .add_option(filter.attendee_email.as_ref().map(guest))
        .add_option(
            filter
                .search
                .as_deref()
                .map(|text| words(text).add(seen::has_details(viewer))),
        )
}

/// Every word must appear in the title, the description or the place, in any case.
fn words(search: &str) -> Condition {
    use calendar_event::Column;
    let columns = [Column::Title, Column::Description, Column::Location];
    let words = search.split_whitespace().take(10);
    words.fold(Condition::all(), |all, word| all.add(has_word(&columns, word)))
}

fn instant(json: &Json) -> Option<Value> {
    let at = chrono::DateTime::parse_from_rfc3339(json.as_str()?).ok()?;
    Some(at.to_utc().into())
}

fn keys(order: EventOrder, viewer: Option<UserId>) -> [Key; 2] {
    use calendar_event::Column;
    let column = |column: Column| Expr::col((calendar_event::Entity, column));
    let text: fn(&Json) -> Option<Value> = |json| json.as_str().map(Into::into);
    let (expr, value) = match order.field {
        EventOrderField::Start => (column(Column::StartUtc), instant as fn(&Json) -> Option<Value>),
        EventOrderField::UpdatedAt => (column(Column::UpdatedAt), instant as _),
        EventOrderField::Title => (title(viewer), text),
    };
    let id = |json: &Json| Some(json.as_str()?.parse::<CalendarEventId>().ok()?.into());
    let key = |expr, value| Key {
        expr,
        descending: order.descending,
        value,
        nullable: false,
    };
    [key(expr, value), key(column(Column::Id), id)]
}

/// The title that the viewer sees: neither order nor cursor tells those of masked events.
fn title(viewer: Option<UserId>) -> SimpleExpr {
    let stored = Expr::col((calendar_event::Entity, calendar_event::Column::Title));
    match viewer {
        None => stored,
        Some(_) => Expr::case(seen::has_details(viewer), stored)
            .finally(rules::MASKED_TITLE)
            .into(),
    }
}

fn cursor(event: &Event, field: EventOrderField, order: &str) -> Cursor {
    let time = |at: Instant| Json::from(at.to_rfc3339());
    let first = match field {
        EventOrderField::Start => time(event.row.start_utc),
        EventOrderField::UpdatedAt => time(event.row.updated_at),
        EventOrderField::Title => event.row.title.clone().into(),
    };
    Cursor::in_order(order, vec![first, event.row.id.to_string().into()])
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
