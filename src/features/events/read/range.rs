//! Pages of the events in a time range: single events that overlap it, and series that may have an occurrence in it.
//!
//! One condition for all of them is an OR, and with an OR a database reads the whole history of a workspace. Here each kind of event is a
//! branch of its own that walks an index; no event is in two branches. That of most single events ends at the limit. Those of long ones, which
//! are few, and of series do not: which of those take place is for [`present`](super::present) to say. Knows the shape of the statement, not
//! who may see what.

use entity::{calendar_event, event_override};
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait as _, Func, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbBackend, Order, QueryFilter as _, QuerySelect as _,
    QueryTrait as _, Select, Statement,
};

use super::window::{FURTHEST_ZONES, earlier, later};
use crate::kernel::page::PageRequest;
use crate::kernel::time::{Instant, Span};
use crate::kernel::{Error, Result};
use crate::platform::db::{Key, Partial as _, Read, keyset};

/// How far before the range the starts of single events are looked at one by one. Those that start earlier and still reach into the range
/// are longer than this, and few: they have an index of their own.
const NEAR: chrono::TimeDelta = chrono::TimeDelta::days(7);
/// The conditions of that index, word for word, or the databases do not see that they may use it. A day shorter than [`NEAR`], because
/// SQLite computes with fractions.
const LONG_POSTGRES: &str =
    r#""calendar_events"."end_utc" - "calendar_events"."start_utc" > interval '144 hours'"#;
const LONG_SQLITE: &str =
    r#"julianday("calendar_events"."end_utc") - julianday("calendar_events"."start_utc") > 6.0"#;

/// The branches: single events, then series.
const SINGLES: [&str; 2] = ["near", "long"];
const SERIES: [&str; 3] = ["endless", "ending", "moved"];
/// Whether a series has exceptions: most have none, and then nobody needs to ask for them.
pub(super) const IS_CHANGED: &str = "is_changed";
/// What tells of a series when it takes place.
const TIMES: [calendar_event::Column; 13] = {
    use calendar_event::Column;
    [
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
        Column::Rrule,
        Column::Rdates,
        Column::Exdates,
    ]
};
/// What is asked of all, also of those of which nobody is shown anything.
pub(super) const BARE: [calendar_event::Column; 2] =
    [calendar_event::Column::Id, calendar_event::Column::IsRecurring];

/// The columns in the statements of [`reading`] and [`candidates`]: those that are asked for, and behind them those that tell the times.
pub(super) fn with_times(asked: &[calendar_event::Column]) -> Vec<calendar_event::Column> {
    let mask = calendar_event::Entity::mask_of(asked);
    let missing = TIMES
        .into_iter()
        .filter(|column| mask & calendar_event::Entity::mask_of(&[*column]) == 0);
    asked.iter().copied().chain(missing).collect()
}

/// The statement for the rows of one page, and more when there are more: all series from the cursor on that may take place. `rest` is
/// what else must hold.
pub(super) fn reading(
    read: &Read,
    range: Span,
    rest: &Condition,
    keys: &[Key; 2],
    request: &PageRequest,
    asked: &[calendar_event::Column],
) -> Result<Statement> {
    let columns = with_times(asked);
    // The order may be one that no column has, such as the title that the viewer sees.
    let sorted = |select: Select<calendar_event::Entity>| select.column_as(keys[0].expr.clone(), "sort_key");
    let single = |part| {
        // Nobody looks at the times of these that were not asked for.
        let mut select = branch(read, rest, part, asked);
        for column in columns.iter().skip(asked.len()) {
            select = select.column_as(blank(*column), *column);
        }
        sorted(select).column_as(Expr::cust("FALSE"), IS_CHANGED)
    };
    let whole = |select: Select<calendar_event::Entity>| -> Result<SelectStatement> {
        let mut whole = keyset(select, keys, request)?.into_query();
        whole.reset_limit().clear_order_by();
        Ok(whole)
    };
    let [near, long] = singles(read, range);
    let near = keyset(single(near), keys, request)?;
    let mut branches = vec![near.into_query(), whole(single(long))?];
    for part in series(read, range) {
        let select = sorted(branch(read, rest, part, &columns)).column_as(is_changed(), IS_CHANGED);
        branches.push(whole(select)?);
    }
    let mut page = union(branches, SINGLES.into_iter().chain(SERIES))?;
    // `+` keeps SQLite from taking the union apart and walking the whole history of a workspace for each kind of series, along an index
    // that has this order: all that saves is to sort a page.
    let sort_key = match read.get_database_backend() {
        DbBackend::Sqlite => Expr::cust(r#"+"sort_key""#),
        _ => Expr::col("sort_key"),
    };
    for (key, column) in keys.iter().zip([sort_key, Expr::col("id")]) {
        let descending = key.descending != request.backward;
        let order = if descending { Order::Desc } else { Order::Asc };
        page.order_by_expr(column, order);
    }
    Ok(read.get_database_backend().build(&page))
}

/// The statement for all series that may take place in the range, wherever a page is.
pub(super) fn candidates(read: &Read, range: Span, rest: &Condition) -> Result<Statement> {
    let columns = with_times(&BARE);
    let branches = series(read, range).map(|part| {
        let select = branch(read, rest, part, &columns);
        select.column_as(is_changed(), IS_CHANGED).into_query()
    });
    let all = union(branches.into(), SERIES)?;
    Ok(read.get_database_backend().build(&all))
}

/// The instants of a range in its statements.
pub(super) fn instants(range: Span) -> [Instant; 5] {
    let wide = widened(range);
    [range.start, range.end, near_start(range), wide.start, wide.end]
}

/// The instants in the conditions of [`singles`] around a range and of [`series`] in it.
pub(super) fn instants_around(range: Span) -> [Instant; 3] {
    let wide = widened(range);
    [near_start(wide), wide.start, wide.end]
}

fn near_start(range: Span) -> Instant {
    range.start.checked_sub_signed(NEAR).unwrap_or(Instant::MIN_UTC)
}

/// Days and floating times are those of the viewer, instants are stored for the zone of the series.
pub(super) fn widened(range: Span) -> Span {
    Span {
        start: earlier(range.start, FURTHEST_ZONES),
        end: later(range.end, FURTHEST_ZONES),
    }
}

/// How many there are.
pub(super) struct Counted {
    /// Single events.
    pub(super) singles: u64,
    /// Series that may take place.
    pub(super) series: u64,
}

/// Counts them.
pub(super) async fn count(read: &Read, range: Span, rest: &Condition) -> Result<Counted> {
    let branch = |part, is_series: &'static str| {
        let select = branch(read, rest, part, &[calendar_event::Column::Id]);
        select.column_as(Expr::cust(is_series), "series").into_query()
    };
    let branches = singles(read, range).map(|part| branch(part, "0"));
    let branches = branches
        .into_iter()
        .chain(series(read, range).map(|part| branch(part, "1")));
    let found = union(branches.collect(), SINGLES.into_iter().chain(SERIES))?;
    let counted = Query::select()
        .expr_as(Func::count(Expr::col(Asterisk)), "counted")
        .expr_as(Func::sum(Expr::col("series")), "series")
        .from_subquery(found, "listed")
        .take();
    let row = read.query_one(&counted).await?;
    let row = row.ok_or_else(|| Error::internal("a count without an answer"))?;
    let all: i64 = row.try_get("", "counted")?;
    // The sum of nothing is nothing.
    let series: Option<i64> = row.try_get("", "series")?;
    let series = series.unwrap_or_default();
    Ok(Counted {
        singles: u64::try_from(all - series).map_err(Error::internal)?,
        series: u64::try_from(series).map_err(Error::internal)?,
    })
}

fn branch(
    read: &Read,
    rest: &Condition,
    part: Condition,
    columns: &[calendar_event::Column],
) -> Select<calendar_event::Entity> {
    let select = read.find::<calendar_event::Entity>();
    let select = select.filter(rest.clone()).filter(part).select_only();
    select.columns(columns.iter().copied())
}

fn union(
    branches: Vec<SelectStatement>,
    names: impl IntoIterator<Item = &'static str>,
) -> Result<SelectStatement> {
    // SQLite takes a branch with an order and a limit only as a table.
    let mut tables = branches.into_iter().zip(names).map(|(branch, name)| {
        Query::select()
            .column(Asterisk)
            .from_subquery(branch, name)
            .take()
    });
    let mut all = tables
        .next()
        .ok_or_else(|| Error::internal("a union of nothing"))?;
    for table in tables {
        all.union(UnionType::All, table);
    }
    Ok(Query::select()
        .column(Asterisk)
        .from_subquery(all, "found")
        .take())
}

/// The kinds of single events in the range.
pub(super) fn singles(read: &Read, range: Span) -> [Condition; 2] {
    use calendar_event::Column;
    let near_start = near_start(range);
    // `NOT` keeps SQLite from an index that begins with the flag and goes on with all ends after the range.
    let single = Expr::col((calendar_event::Entity, Column::IsRecurring)).not();
    let near = Condition::all()
        .add(single.clone())
        .add(Column::StartUtc.gte(near_start))
        .add(Column::StartUtc.lt(range.end))
        .add(reaches(range.start));
    let is_long = if read.is_postgres() {
        LONG_POSTGRES
    } else {
        LONG_SQLITE
    };
    let long = Condition::all()
        .add(single)
        .add(Expr::cust(is_long))
        .add(starts_before(read, near_start))
        .add(Column::EndUtc.gt(range.start));
    [near, long]
}

/// The kinds of series that may take place in the range. Of a series only its first start and last end are known here, and where single
/// occurrences were moved.
pub(super) fn series(read: &Read, range: Span) -> [Condition; 3] {
    use calendar_event::Column;
    let wide = widened(range);
    let series = Condition::all()
        .add(Column::IsRecurring.eq(true))
        .add(starts_before(read, wide.end));
    let endless = series.clone().add(Column::SeriesEndUtc.is_null());
    let ending = series.clone().add(Column::SeriesEndUtc.gte(wide.start));
    let there = moved_into(read, wide);
    let lives = goes_on(wide.start);
    let elsewhere = Condition::any()
        .add(Expr::col((calendar_event::Entity, Column::IsRecurring)).not())
        .add(series.add(lives))
        .not();
    let moved = Condition::all().add(Column::Id.in_subquery(there)).add(elsewhere);
    [endless, ending, moved]
}

/// Events that start before an instant, where starts are not what finds them: that would be the whole history. SQLite, which does not know
/// how many there are, is kept from it by the `+`.
pub(super) fn starts_before(read: &impl ConnectionTrait, end: Instant) -> Expr {
    match read.get_database_backend() {
        DbBackend::Sqlite => Expr::cust_with_exprs(r#"+"calendar_events"."start_utc" < ?"#, [Expr::val(end)]),
        _ => calendar_event::Column::StartUtc.lt(end),
    }
}

/// The calendar of an event, where calendars are not what finds it: as with [`starts_before`].
pub(super) fn calendar(read: &impl ConnectionTrait) -> Expr {
    match read.get_database_backend() {
        DbBackend::Sqlite => Expr::cust(r#"+"calendar_events"."calendar_id""#),
        _ => Expr::col((calendar_event::Entity, calendar_event::Column::CalendarId)),
    }
}

/// What is stored as lying in the range, or has an occurrence that was moved there: one condition for where no index is walked along the
/// times. Days and floating times are taken for where their events are.
pub(super) fn lies_in(read: &Read, range: Span) -> Condition {
    use calendar_event::Column;
    // What ends with the beginning of the range is outside; instants are whole microseconds.
    let within = Span {
        start: later(range.start, chrono::Duration::microseconds(1)),
        end: range.end,
    };
    let series = Condition::all()
        .add(Column::IsRecurring.eq(true))
        .add(goes_on(within.start));
    let lies_there = Condition::all()
        .add(Column::StartUtc.lt(range.end))
        .add(reaches(range.start).add(series));
    Condition::any()
        .add(lies_there)
        .add(Column::Id.in_subquery(moved_into(read, within)))
}

/// Events that go on behind an instant. One without length is in the range that starts with it.
fn reaches(start: Instant) -> Condition {
    use calendar_event::Column;
    Condition::any()
        .add(Column::EndUtc.gt(start))
        .add(Column::StartUtc.eq(start))
}

/// Series that have not ended before an instant.
fn goes_on(start: Instant) -> Condition {
    use calendar_event::Column;
    Condition::any()
        .add(Column::SeriesEndUtc.is_null())
        .add(Column::SeriesEndUtc.gte(start))
}

/// The series one of whose occurrences was moved into a range.
fn moved_into(read: &Read, range: Span) -> SelectStatement {
    read.find::<event_override::Entity>()
        .filter(event_override::Column::Cancelled.eq(false))
        .filter(event_override::Column::StartUtc.lt(range.end))
        .filter(event_override::Column::EndUtc.gte(range.start))
        .select_only()
        .column(event_override::Column::EventId)
        .into_query()
}

/// No value, of the type of a column: PostgreSQL asks for the same types in all branches.
fn blank(column: calendar_event::Column) -> Expr {
    Expr::case(Expr::cust("FALSE"), Expr::col((calendar_event::Entity, column))).into()
}

fn is_changed() -> Expr {
    let own = |own: event_override::Column, of: calendar_event::Column| {
        Expr::col((event_override::Entity, own)).equals((calendar_event::Entity, of))
    };
    let changes = Query::select()
        .expr(Expr::cust("1"))
        .from(event_override::Entity)
        .and_where(own(
            event_override::Column::WorkspaceId,
            calendar_event::Column::WorkspaceId,
        ))
        .and_where(own(event_override::Column::EventId, calendar_event::Column::Id))
        .take();
    Expr::exists(changes)
}
