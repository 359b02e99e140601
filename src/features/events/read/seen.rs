//! Who sees the details of private events: the owner of the calendar, the creator and the guests. Everybody else sees a busy block.
//!
//! The rule is one condition of SQL, so that lists, searches and guests can all apply it; nothing leaves the room unmasked.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use entity::enums::EventVisibility;
use entity::ids::{CalendarEventId, UserId};
use entity::{attendee, calendar, calendar_event, user};
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DbErr, QueryFilter as _, QuerySelect as _,
    QueryTrait as _, Statement, Value,
};

use crate::features::events::model::Event;
use crate::features::events::rules;
use crate::kernel::Result;
use crate::platform::db::{Holder, Read, Scope, Texts, among, among_list, id_list};

/// Statements of [`insight`] by the database, and whether a workspace is asked about.
static INSIGHT: LazyLock<Texts<(bool, bool)>> = LazyLock::new(Texts::default);

/// Events whose details the viewer may see. `None` is the system, which sees all.
pub(super) fn has_details(viewer: Option<UserId>) -> Condition {
    let Some(viewer) = viewer else {
        return Condition::all();
    };
    // Nearly all events are open: what is cheap to tell comes first.
    Condition::any()
        .add(calendar_event::Column::Visibility.ne(EventVisibility::Private))
        .add(has_insight(viewer))
}

/// Events whose private parts the viewer may see.
fn has_insight(viewer: UserId) -> Condition {
    use calendar_event::Column;
    let own = Query::select()
        .column(calendar::Column::Id)
        .from(calendar::Entity)
        .and_where(calendar::Column::OwnerId.eq(viewer))
        .take();
    // Tied to the event, so that its few guests are looked at and not those of everybody.
    let guest_of = |guest: attendee::Column, event: Column| {
        Expr::col((attendee::Entity, guest)).equals((calendar_event::Entity, event))
    };
    let invited = Query::select()
        .expr(Expr::val(1))
        .from(attendee::Entity)
        .and_where(guest_of(attendee::Column::WorkspaceId, Column::WorkspaceId))
        .and_where(guest_of(attendee::Column::EventId, Column::Id))
        .cond_where(is_viewer(viewer))
        .take();
    Condition::any()
        .add(Column::CreatedBy.eq(viewer))
        .add(Column::CalendarId.in_subquery(own))
        .add(Expr::exists(invited))
}

/// Guests that are the viewer, also when they were invited before they became a member.
pub(in crate::features::events) fn is_viewer(viewer: UserId) -> Condition {
    let address = Query::select()
        .column(user::Column::Email)
        .from(user::Entity)
        .and_where(user::Column::Id.eq(viewer))
        .take();
    Condition::any()
        .add(attendee::Column::UserId.eq(viewer))
        .add(attendee::Column::Email.in_subquery(address))
}

/// Rows are large and handed on often, so they are read into the event where they stay. Nothing is masked yet.
impl Holder<calendar_event::Model> for Arc<Event> {
    fn filled(
        blank: calendar_event::Model,
        fill: impl FnOnce(&mut calendar_event::Model) -> Result<(), DbErr>,
    ) -> Result<Self, DbErr> {
        let mut held = Self::new(Event {
            row: blank,
            is_masked: false,
        });
        // Nobody else has it yet.
        if let Some(event) = Self::get_mut(&mut held) {
            fill(&mut event.row)?;
        }
        Ok(held)
    }
}

/// Masks what the viewer may not see.
pub(in crate::features::events) async fn mask(
    read: &Read,
    viewer: Option<UserId>,
    rows: Vec<calendar_event::Model>,
) -> Result<Vec<Event>> {
    let unmasked = |row| Event {
        row,
        is_masked: false,
    };
    let mut events: Vec<Event> = rows.into_iter().map(unmasked).collect();
    let hidden = hidden(read, viewer, events.iter().map(|event| &event.row)).await?;
    for event in &mut events {
        if hidden.contains(&event.row.id) {
            mask_one(event);
        }
    }
    Ok(events)
}

/// [`mask`] for pages, whose events are handed on often.
pub(super) async fn mask_shared(
    read: &Read,
    viewer: Option<UserId>,
    mut events: Vec<Arc<Event>>,
) -> Result<Vec<Arc<Event>>> {
    let hidden = hidden(read, viewer, events.iter().map(|event| &event.row)).await?;
    for event in &mut events {
        if hidden.contains(&event.row.id) {
            mask_one(Arc::make_mut(event));
        }
    }
    Ok(events)
}

fn mask_one(event: &mut Event) {
    rules::mask(&mut event.row);
    event.is_masked = true;
}

/// Those of these events that are private, and not the viewer's to see.
async fn hidden(
    read: &Read,
    viewer: Option<UserId>,
    rows: impl Iterator<Item = &calendar_event::Model>,
) -> Result<HashSet<CalendarEventId>> {
    let private = rows.filter(|row| row.visibility == EventVisibility::Private);
    let private: Vec<CalendarEventId> = private.map(|row| row.id).collect();
    let open = with_details(read, viewer, &private).await?;
    Ok(private.into_iter().filter(|id| !open.contains(id)).collect())
}

/// Those of these events whose details the viewer may see.
pub(in crate::features::events) async fn with_details(
    read: &Read,
    viewer: Option<UserId>,
    ids: &[CalendarEventId],
) -> Result<HashSet<CalendarEventId>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let select = read
        .find::<calendar_event::Entity>()
        .select_only()
        .column(calendar_event::Column::Id)
        .filter(among(read, calendar_event::Column::Id, ids.iter().copied()))
        .filter(has_details(viewer));
    Ok(select.into_tuple().all(read).await?.into_iter().collect())
}

/// Those of these events whose private parts, or private occurrences, the viewer may see.
pub(in crate::features::events) async fn insight(
    read: &Read,
    viewer: Option<UserId>,
    ids: &[CalendarEventId],
) -> Result<HashSet<CalendarEventId>> {
    let Some(viewer) = viewer.filter(|_| !ids.is_empty()) else {
        return Ok(ids.iter().copied().collect());
    };
    let workspace = match read.scope() {
        Scope::Workspace(id) => Some(id),
        Scope::System => None,
    };
    let list = id_list(read, ids.iter().copied());
    let mut given: Vec<Value> = vec![list.clone(), viewer.into()];
    given.extend(workspace.map(Value::from));
    let make = || -> Result<Statement> {
        let select = read
            .find::<calendar_event::Entity>()
            .select_only()
            .column(calendar_event::Column::Id)
            .filter(among_list(read, calendar_event::Column::Id, list.clone()))
            .filter(has_insight(viewer));
        Ok(select.build(read.get_database_backend()))
    };
    let key = (read.is_postgres(), workspace.is_some());
    let statement = INSIGHT.statement(key, &given, make)?;
    let rows = read.query_all_raw(statement).await?;
    let open = rows
        .iter()
        .map(|row| row.try_get_by::<CalendarEventId, _>(0_usize));
    Ok(open.collect::<Result<_, DbErr>>()?)
}
