//! Pages of the events that match, in one of their orders. What lies in a range of time is found by [`range`] and [`Present`].
//!
//! Promises: keyset pages without gap or overlap; neither order nor cursor nor count tells what the viewer may not see.

use std::sync::{Arc, LazyLock};

use entity::ids::{CalendarEventId, UserId, WorkspaceId};
use entity::{attendee, calendar_event};
use sea_orm::sea_query::{Expr, Query, SimpleExpr};
use sea_orm::{ColumnTrait as _, Condition, PaginatorTrait as _, QueryFilter as _, Value};
use serde_json::Value as Json;

use super::present::Present;
use super::{range, seen};
use crate::access::Ctx;
use crate::features::events::model::{Event, EventFilter, EventOrder, EventOrderField};
use crate::features::events::rules;
use crate::kernel::Result;
use crate::kernel::page::{Cursor, Page, PageRequest};
use crate::kernel::time::Instant;
use crate::platform::db::{Key, Partial as _, Texts, fetched, has_word, keyset, reading};

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
) -> Result<Page<Arc<Event>>> {
    let viewer = ctx.user_id();
    let read = ctx.read().await?;
    let condition = condition(ctx.workspace_id(), filter, viewer);
    // Most pages begin at the beginning, of all events. The title in an order depends on who looks.
    let is_plain = condition.is_empty()
        && request.after.is_none()
        && request.before.is_none()
        && order.field != EventOrderField::Title;
    // Made only where it is needed: most statements of pages are kept.
    let select = || read.find::<calendar_event::Entity>().filter(condition.clone());
    let name = order.name();
    let request = &request.in_order(&name)?;
    let mut present = filter.range.map(|range| Present {
        ctx,
        read: &read,
        range,
        known: None,
    });
    let total = match &mut present {
        _ if !request.count => None,
        Some(present) => Some(present.count(&condition).await?),
        None => Some(select().count(&read).await?),
    };
    let mut needed = always(order.field).to_vec();
    if present.is_some() {
        needed.extend(range::BARE);
    }
    let columns = calendar_event::Entity::columns_in(request.columns, &needed);
    let make = || {
        let keys = keys(order, viewer);
        match filter.range {
            Some(range) => range::reading(&read, range, &condition, &keys, request, &columns),
            None => Ok(reading(keyset(select(), &keys, request)?, &columns, &read)),
        }
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
    let events = match &present {
        Some(present) => present.page(statement, &columns, request.limit + 1).await?,
        None => fetched::<calendar_event::Entity, Arc<Event>>(statement, &columns, &read).await?,
    };
    let events = seen::mask_shared(&read, viewer, events).await?;
    Ok(Page::from_rows(request, events, total, |event| {
        cursor(event, order.field, &name)
    }))
}

/// What masking, cursors and loaders look at, whatever is asked for.
pub(super) fn always(field: EventOrderField) -> [calendar_event::Column; 6] {
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

/// What must hold of an event beside its time.
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
