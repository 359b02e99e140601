//! When a person is busy: the occurrences of all calendars that count, in whichever workspace, as spans of time.
//!
//! Promises: two statements whatever the window and however many workspaces; free and cancelled occurrences are left out, tentative ones
//! stay; whole days and floating times mean those of the person's zone. Titles and other details never leave the database.
//!
//! The one place that looks over the walls of a workspace for a person's plan. It reads only the columns below and only calendars that the
//! person owns in workspaces they are in, and hands out nothing but times.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use entity::enums::{EventStatus, EventTransparency};
use entity::ids::{CalendarEventId, TaskId, UserId, WorkspaceId};
use entity::{calendar, calendar_event, event_override, membership, workspace};
use jiff::tz::TimeZone;
use sea_orm::sea_query::{ExprTrait as _, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _,
};

use super::range;
use crate::features::events::model::Event;
use crate::features::events::occurrence::{Change, Occurrence, View, occurrences};
use crate::features::events::recurrence::Budget;
use crate::kernel::Result;
use crate::kernel::time::{Instant, Span};
use crate::platform::db::{Beside, Partial as _};

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

/// Whose times are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The person.
    pub person: UserId,
    /// The workspace that asks: its own calendars count too, and only its events are told apart.
    pub home: WorkspaceId,
}

/// What is read of an event: nothing that tells what it is about.
const COLUMNS: [calendar_event::Column; 19] = {
    use calendar_event::Column;
    [
        Column::Id,
        Column::WorkspaceId,
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

/// When a person is busy in a span of time, by start. `zone` is where they are. Sees what is committed, and what the transaction wrote in
/// which it is asked.
pub async fn busy(read: &Beside<'_>, subject: Subject, span: Span, zone: &TimeZone) -> Result<Vec<Busy>> {
    // Whole days are stored as those of the event's zone; no two zones are further apart than this.
    let wide = Span {
        start: span.start - chrono::Duration::hours(27),
        end: span.end + chrono::Duration::hours(27),
    };
    let rows = candidates(read, subject, wide).await?;
    let series = rows.iter().filter(|row| row.is_recurring);
    let (series, places): (Vec<CalendarEventId>, HashSet<WorkspaceId>) =
        series.map(|row| (row.id, row.workspace_id)).unzip();
    let mut changes: HashMap<CalendarEventId, Vec<Change>> = HashMap::new();
    if !series.is_empty() {
        let columns = event_override::Entity::columns_in(None, &[]);
        let select = read
            .find::<event_override::Entity>()
            .filter(event_override::Column::WorkspaceId.is_in(places))
            .filter(event_override::Column::EventId.is_in(series))
            .select_only()
            .columns(columns.iter().copied());
        // Read by their places: to look values up by their names takes longer than to read them.
        let statement = select.build(read.get_database_backend());
        for row in &read.query_all_raw(statement).await? {
            let row = event_override::Entity::read_columns(row, &columns)?;
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
        let is_here = row.workspace_id == subject.home;
        // A task of another workspace is none that anybody knows here.
        found.extend(times(row, own, view).map(|one| Busy {
            task_id: one.task_id.filter(|_| is_here),
            ..one
        }));
    }
    found.sort_by_key(|busy| (busy.start, busy.end));
    Ok(found)
}

/// Single events of the window, series that may have an occurrence in it, and series of which one was moved into it.
async fn candidates(read: &Beside<'_>, subject: Subject, span: Span) -> Result<Vec<calendar_event::Model>> {
    use calendar_event::Column;
    let select = |condition: Condition| {
        read.find::<calendar_event::Entity>()
            .select_only()
            .columns(COLUMNS)
            .filter(Column::WorkspaceId.in_subquery(places(subject)))
            .filter(range::calendar(read).in_subquery(counting(subject)))
            .filter(condition)
    };
    let singles = Condition::all()
        .add(Column::IsRecurring.eq(false))
        .add(Column::EndUtc.gt(span.start))
        .add(range::starts_before(read, span.end))
        .add(Column::Transparency.eq(EventTransparency::Busy))
        .add(Column::Status.ne(EventStatus::Cancelled));
    let series = Condition::all()
        .add(Column::IsRecurring.eq(true))
        .add(range::starts_before(read, span.end))
        .add(
            Condition::any()
                .add(Column::SeriesEndUtc.is_null())
                .add(Column::SeriesEndUtc.gt(span.start)),
        );
    let moved = Query::select()
        .column(event_override::Column::EventId)
        .from(event_override::Entity)
        .and_where(event_override::Column::WorkspaceId.in_subquery(places(subject)))
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

/// The workspace that asks, and those that the person is in now.
fn places(subject: Subject) -> SelectStatement {
    let theirs = Query::select()
        .column(membership::Column::WorkspaceId)
        .from(membership::Entity)
        .and_where(membership::Column::UserId.eq(subject.person))
        .take();
    Query::select()
        .column(workspace::Column::Id)
        .from(workspace::Entity)
        .cond_where(
            Condition::any()
                .add(workspace::Column::Id.eq(subject.home))
                .add(workspace::Column::Id.in_subquery(theirs)),
        )
        .take()
}

/// The calendars that count: those of the person wherever they are, and those of the workspace that asks.
fn counting(subject: Subject) -> SelectStatement {
    let of_home = Condition::all()
        .add(calendar::Column::OwnerId.is_null())
        .add(calendar::Column::WorkspaceId.eq(subject.home));
    Query::select()
        .column(calendar::Column::Id)
        .from(calendar::Entity)
        .and_where(calendar::Column::WorkspaceId.in_subquery(places(subject)))
        .and_where(calendar::Column::CountsAsBusy.eq(true))
        .cond_where(
            Condition::any()
                .add(calendar::Column::OwnerId.eq(subject.person))
                .add(of_home),
        )
        .take()
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
