//! When a person is busy: the occurrences of all calendars that count, as spans of time.
//!
//! Promises: two statements whatever the window; free and cancelled occurrences are left out, tentative ones stay; whole days and floating
//! times mean those of the person's zone. Titles and other details never leave the database.

use std::collections::{HashMap, HashSet};

use entity::enums::{EventKind, EventStatus, EventTransparency};
use entity::ids::{CalendarEventId, TaskId, UserId};
use entity::{calendar, calendar_event, event_override};
use jiff::tz::TimeZone;
use sea_orm::sea_query::{Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _,
};

use crate::features::events::recurrence::{Addition, Budget, Moment, Occurrence, Parts, Rule, Series, Start};
use crate::kernel::Result;
use crate::kernel::time::{Instant, Span};
use crate::kernel::zones;
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
const COLUMNS: [calendar_event::Column; 15] = {
    use calendar_event::Column;
    [
        Column::Id,
        Column::TaskId,
        Column::Kind,
        Column::StartLocal,
        Column::StartDate,
        Column::EndDate,
        Column::EndLocal,
        Column::StartUtc,
        Column::EndUtc,
        Column::TimeZone,
        Column::Status,
        Column::Transparency,
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
        .filter(|row| is_series(row))
        .map(|row| row.id)
        .collect();
    let mut overrides: HashMap<CalendarEventId, Vec<event_override::Model>> = HashMap::new();
    if !series.is_empty() {
        let select = read
            .find::<event_override::Entity>()
            .filter(event_override::Column::EventId.is_in(series));
        for row in select.all(read).await? {
            overrides.entry(row.event_id).or_default().push(row);
        }
    }
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for row in rows.iter().filter(|row| seen.insert(row.id)) {
        let changed = overrides.remove(&row.id).unwrap_or_default();
        found.extend(times(row, &changed, span, wide, zone));
    }
    found.retain(|busy| busy.start < span.end && busy.end > span.start);
    found.sort_by_key(|busy| (busy.start, busy.end));
    Ok(found)
}

fn is_series(row: &calendar_event::Model) -> bool {
    row.rrule.is_some() || row.rdates.as_array().is_some_and(|dates| !dates.is_empty())
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

/// The times of one event. Pure.
fn times(
    row: &calendar_event::Model,
    changed: &[event_override::Model],
    span: Span,
    wide: Span,
    zone: &TimeZone,
) -> Vec<Busy> {
    let busy = |(start, end): (Instant, Instant)| Busy {
        event_id: row.id,
        task_id: row.task_id,
        start,
        end,
    };
    let takes_time = |patch: Option<&serde_json::Value>| {
        let text = |name: &str| {
            patch
                .and_then(|patch| patch.get(name))
                .and_then(|value| value.as_str())
        };
        let is_free =
            text("transparency").map_or(row.transparency == EventTransparency::Free, |word| word == "free");
        let is_off = text("status").map_or(row.status == EventStatus::Cancelled, |word| word == "cancelled");
        !is_free && !is_off
    };
    if !is_series(row) {
        let single = Some(stored(row, zone)).filter(|_| takes_time(None));
        return single.into_iter().map(busy).collect();
    }
    let own = zones::stored(&row.time_zone).unwrap_or(TimeZone::UTC);
    let mut found = Vec::new();
    for occurrence in expand(row, &own, wide) {
        let original = zones::to_chrono(occurrence.start);
        let exception = changed.iter().find(|one| one.original_start_utc == original);
        let is_elsewhere = exception.is_some_and(|one| one.cancelled || one.start_utc.is_some());
        if !is_elsewhere && takes_time(exception.map(|one| &one.patch)) {
            found.push(busy(occurrence_times(row, &occurrence, zone)));
        }
    }
    let moved = changed
        .iter()
        .filter(|one| !one.cancelled && takes_time(Some(&one.patch)));
    let moved = moved.filter_map(|one| Some((one.start_utc?, one.end_utc?)));
    found.extend(
        moved
            .filter(|(start, end)| *start < span.end && *end > span.start)
            .map(busy),
    );
    found
}

/// The times of a single event where the person is.
fn stored(row: &calendar_event::Model, zone: &TimeZone) -> (Instant, Instant) {
    let midnight = |day| super::super::times::midnight(day, zone);
    let wall = |local| zones::to_chrono(zones::to_utc(zones::local_from_chrono(local), zone));
    match (
        row.kind,
        row.start_date,
        row.end_date,
        row.start_local,
        row.end_local,
    ) {
        (EventKind::AllDay, Some(start), Some(end), ..) => (midnight(start), midnight(end)),
        (EventKind::Floating, _, _, Some(start), Some(end)) => (wall(start), wall(end)),
        _ => (row.start_utc, row.end_utc),
    }
}

fn occurrence_times(row: &calendar_event::Model, one: &Occurrence, zone: &TimeZone) -> (Instant, Instant) {
    let length = row.end_utc - row.start_utc;
    match (row.kind, row.start_date, row.end_date) {
        (EventKind::AllDay, Some(first), Some(after)) => {
            let day = zones::date_to_chrono(one.local.date());
            let last = day.checked_add_signed(after - first).unwrap_or(day);
            let midnight = |day| super::super::times::midnight(day, zone);
            (midnight(day), midnight(last))
        }
        (EventKind::Floating, ..) => {
            let start = zones::to_chrono(zones::to_utc(one.local, zone));
            (start, start + length)
        }
        _ => {
            let start = zones::to_chrono(one.start);
            (start, one.end.map_or(start + length, zones::to_chrono))
        }
    }
}

/// The occurrences that start early enough to reach into the window. A rule that cannot be read gives the first start.
fn expand(row: &calendar_event::Model, zone: &TimeZone, span: Span) -> Vec<Occurrence> {
    let start = match (row.kind, row.start_date, row.start_local) {
        (EventKind::AllDay, Some(day), _) => Start::Day(zones::date_from_chrono(day)),
        (EventKind::Floating, _, Some(local)) => Start::Floating(zones::local_from_chrono(local)),
        _ => Start::Zoned(zones::local_of(zones::from_chrono(row.start_utc), zone)),
    };
    let rule = row.rrule.as_deref().and_then(|rule| Rule::read(rule).ok());
    let texts = |list: &serde_json::Value| -> Vec<String> {
        let texts = list
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|text| text.as_str());
        texts.map(str::to_owned).collect()
    };
    let additions: Vec<Addition> = texts(&row.rdates)
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    let exclusions: Vec<Moment> = texts(&row.exdates)
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    let series = Series::new(&Parts {
        rule: rule.as_ref().map(|(rule, _)| rule),
        additions: &additions,
        exclusions: &exclusions,
        keeps_start: true,
        ..Parts::new(start, zone)
    });
    let early = span.start - (row.end_utc - row.start_utc);
    let window = zones::from_chrono(early)..zones::from_chrono(span.end);
    series.expand(window, Budget::default()).occurrences
}
