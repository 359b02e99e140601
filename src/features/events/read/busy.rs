//! When a person is busy: the occurrences of all calendars that count, as spans of time.
//!
//! Promises: two statements whatever the window; free and cancelled occurrences are left out, tentative ones stay; whole days and floating
//! times mean those of the person's zone. Titles and other details never leave the database.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use entity::enums::{EventStatus, EventTransparency};
use entity::ids::{CalendarEventId, TaskId, UserId};
use entity::{calendar, calendar_event, event_override};
use jiff::tz::TimeZone;
use sea_orm::sea_query::{Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _,
};

use crate::features::events::model::Event;
use crate::features::events::occurrence::{Change, Occurrence, View, occurrences};
use crate::features::events::recurrence::Budget;
use crate::kernel::Result;
use crate::kernel::time::{Instant, Span};
use crate::platform::db::{Partial as _, Read, Scope, WorkspaceOwned};

/// A time that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// The event, or the series of the occurrence.
    pub event_id: CalendarEventId,
    /// Task that the event was planned for.
    pub task_id: Option<TaskId>,
    /// First instant.
    pub start: Instant,
    /// Instant just after.
    pub end: Instant,
}

/// What is read of an event: nothing that tells what it is about.
const COLUMNS: [calendar_event::Column; 18] = {
    use calendar_event::Column;
    [
        Column::Id,
        Column::TaskId,
        Column::Kind,
        Column::StartLocal,
        Column::EndLocal,
        Column::StartZone,
        Column::EndZone,
        Column::StartDate,
        Column::EndDate,
        Column::StartUtc,
        Column::EndUtc,
        Column::TimeZone,
        Column::Status,
        Column::Transparency,
        Column::IsRecurring,
        Column::Rrule,
        Column::Rdates,
        Column::Exdates,
    ]
};

/// When a person is busy in a span of time, by start. `zone` is where they are.
pub async fn busy(read: &Read, person: UserId, span: Span, zone: &TimeZone) -> Result<Vec<Busy>> {
    // Whole days are stored as those of the event's zone; no two zones are further apart than this.
    let wide = Span {
        start: span.start - chrono::Duration::hours(27),
        end: span.end + chrono::Duration::hours(27),
    };
    let rows = candidates(read, person, wide).await?;
    let series: Vec<CalendarEventId> = rows
        .iter()
        .filter(|row| row.is_recurring)
        .map(|row| row.id)
        .collect();
    let mut changes: HashMap<CalendarEventId, Vec<Change>> = HashMap::new();
    if !series.is_empty() {
        let select = read
            .find::<event_override::Entity>()
            .filter(event_override::Column::EventId.is_in(series));
        for row in select.all(read).await? {
            changes.entry(row.event_id).or_default().push(Change(row));
        }
    }
    let view = View {
        window: span,
        zone,
        budget: Budget::default(),
    };
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for row in rows.into_iter().filter(|row| seen.insert(row.id)) {
        let own = changes.remove(&row.id).unwrap_or_default();
        found.extend(times(row, own, view));
    }
    found.sort_by_key(|busy| (busy.start, busy.end));
    Ok(found)
}

/// Single events of the window, series that may have an occurrence in it, and series of which one was moved into it.
async fn candidates(read: &Read, person: UserId, span: Span) -> Result<Vec<calendar_event::Model>> {
    use calendar_event::Column;
    let select = |condition: Condition| {
        read.find::<calendar_event::Entity>()
            .select_only()
            .columns(COLUMNS)
            .filter(Column::CalendarId.in_subquery(counting(read, person)))
            .filter(condition)
    };
    let singles = Condition::all()
        .add(Column::IsRecurring.eq(false))
        .add(Column::EndUtc.gt(span.start))
        .add(Column::StartUtc.lt(span.end))
        .add(Column::Transparency.eq(EventTransparency::Busy))
        .add(Column::Status.ne(EventStatus::Cancelled));
    let series = Condition::all()
        .add(Column::IsRecurring.eq(true))
        .add(Column::StartUtc.lt(span.end))
        .add(
            Condition::any()
                .add(Column::SeriesEndUtc.is_null())
                .add(Column::SeriesEndUtc.gt(span.start)),
        );
    let moved = Query::select()
        .column(event_override::Column::EventId)
        .from(event_override::Entity)
        .cond_where(inside::<event_override::Entity>(read))
        .and_where(event_override::Column::EndUtc.gt(span.start))
        .and_where(event_override::Column::StartUtc.lt(span.end))
        .take();
    let moved = Condition::all()
        .add(Column::IsRecurring.eq(true))
        .add(Column::Id.in_subquery(moved));
    let mut all = select(singles);
    let others = [series, moved].map(|condition| select(condition).into_query());
    for other in others {
        sea_orm::QueryTrait::query(&mut all).union(UnionType::All, other);
    }
    let rows = read.query_all_raw(all.build(read.get_database_backend())).await?;
    let rows = rows
        .iter()
        .map(|row| calendar_event::Entity::read_columns(row, &COLUMNS));
    Ok(rows.collect::<Result<_, sea_orm::DbErr>>()?)
}

/// The calendars that count: those of the person and those of the workspace.
fn counting(read: &Read, person: UserId) -> SelectStatement {
    Query::select()
        .column(calendar::Column::Id)
        .from(calendar::Entity)
        .cond_where(inside::<calendar::Entity>(read))
        .and_where(calendar::Column::CountsAsBusy.eq(true))
        .cond_where(
            Condition::any()
                .add(calendar::Column::OwnerId.is_null())
                .add(calendar::Column::OwnerId.eq(person)),
        )
        .take()
}

/// The workspace of the read, for statements inside others.
fn inside<E: WorkspaceOwned>(read: &Read) -> Condition {
    match read.scope() {
        Scope::Workspace(id) => Condition::all().add(E::WORKSPACE.eq(id)),
        Scope::System => Condition::all(),
    }
}

/// The times of one event that are taken, as whoever looks at the calendar sees them: one expander for both, or a plan is made around
/// occurrences that nobody has. Pure.
fn times(row: calendar_event::Model, changes: Vec<Change>, view: View<'_>) -> impl Iterator<Item = Busy> {
    let event = Arc::new(Event {
        row,
        is_masked: false,
    });
    // What was called off is no occurrence.
    let (found, _) = occurrences(&event, changes, view);
    let taken = |one: &Occurrence| one.transparency() == EventTransparency::Busy;
    found.into_iter().filter(taken).map(|one| Busy {
        event_id: one.event.row.id,
        task_id: one.event.row.task_id,
        start: one.start,
        end: one.end,
    })
}
