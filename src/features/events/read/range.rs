//! Pages of the events that overlap a time range.
//!
//! One condition for all of them is an OR, and with an OR a database reads the whole history of a workspace. Here each kind of event is a
//! branch of its own that walks an index and ends at the limit; no event is in two branches. Knows the shape of the statement, not who
//! may see what.

use entity::{calendar_event, event_override};
use sea_orm::sea_query::{
    Asterisk, Expr, ExprTrait as _, Func, IntoCondition as _, Query, SelectStatement, UnionType,
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, Order, QueryFilter as _, QuerySelect as _,
    QueryTrait as _, Statement,
};

use crate::kernel::page::PageRequest;
use crate::kernel::time::{Instant, Span};
use crate::kernel::{Error, Result};
use crate::platform::db::{Key, Read, keyset};

/// How far before the range the starts of single events are looked at one by one. Those that start earlier and still reach into the range
/// are longer than this, and few: they have an index of their own.
const NEAR: chrono::TimeDelta = chrono::TimeDelta::days(7);
/// The conditions of that index, word for word, or the databases do not see that they may use it. A day shorter than [`NEAR`], because
/// SQLite computes with fractions.
const LONG_POSTGRES: &str =
    r#""calendar_events"."end_utc" - "calendar_events"."start_utc" > interval '144 hours'"#;
const LONG_SQLITE: &str =
    r#"julianday("calendar_events"."end_utc") - julianday("calendar_events"."start_utc") > 6.0"#;

/// The statement for the rows of one page, and one more when there is more. `rest` is what else must hold.
pub(super) fn reading(
    read: &Read,
    range: Span,
    rest: &Condition,
    keys: &[Key; 2],
    request: &PageRequest,
    columns: &[calendar_event::Column],
) -> Result<Statement> {
    let branches = parts(read, range).into_iter().map(|part| {
        let select = read
            .find::<calendar_event::Entity>()
            .filter(rest.clone())
            .filter(part);
        let select = select.select_only().columns(columns.iter().copied());
        // The order may be one that no column has, such as the title that the viewer sees.
        let select = select.column_as(keys[0].expr.clone(), "sort_key");
        Ok(keyset(select, keys, request)?.into_query())
    });
    let mut page = union(branches.collect::<Result<_>>()?)?;
    for (key, column) in keys.iter().zip(["sort_key", "id"]) {
        let descending = key.descending != request.backward;
        let order = if descending { Order::Desc } else { Order::Asc };
        page.order_by_expr(Expr::col(column), order);
    }
    page.limit(request.limit + 1);
    Ok(read.get_database_backend().build(&page))
}

/// The instants of a range in its statements.
pub(super) fn instants(range: Span) -> [Instant; 3] {
    [range.start, range.end, near_start(range)]
}

fn near_start(range: Span) -> Instant {
    range.start.checked_sub_signed(NEAR).unwrap_or(Instant::MIN_UTC)
}

/// How many there are.
pub(super) async fn count(read: &Read, range: Span, rest: &Condition) -> Result<u64> {
    let branches = parts(read, range).into_iter().map(|part| {
        let select = read
            .find::<calendar_event::Entity>()
            .filter(rest.clone())
            .filter(part);
        select
            .select_only()
            .column(calendar_event::Column::Id)
            .into_query()
    });
    let found = union(branches.collect())?;
    let counted = Query::select()
        .expr_as(Func::count(Expr::col(Asterisk)), "counted")
        .from_subquery(found, "listed")
        .take();
    let row = read.query_one(&counted).await?;
    let row = row.ok_or_else(|| Error::internal("a count without an answer"))?;
    let counted: i64 = row.try_get("", "counted")?;
    u64::try_from(counted).map_err(Error::internal)
}

fn union(branches: Vec<SelectStatement>) -> Result<SelectStatement> {
    // SQLite takes a branch with an order and a limit only as a table.
    let tables = branches
        .into_iter()
        .zip(["near", "long", "endless", "ending", "moved"]);
    let mut tables = tables.map(|(branch, name)| {
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

/// The kinds of events in the range. Of a series only its first start and last end are known here, so one that pauses during the whole
/// range counts too.
fn parts(read: &Read, range: Span) -> [Condition; 5] {
    use calendar_event::Column;
    let near_start = near_start(range);
    // `NOT` keeps SQLite from an index that begins with the flag and goes on with all ends after the range.
    let single = Expr::col((calendar_event::Entity, Column::IsRecurring)).not();
    // An event without length is in the range that starts with it.
    let reaches = Condition::any()
        .add(Column::EndUtc.gt(range.start))
        .add(Column::StartUtc.eq(range.start));
    let near = Condition::all()
        .add(single.clone())
        .add(Column::StartUtc.gte(near_start))
        .add(Column::StartUtc.lt(range.end))
        .add(reaches.clone());
    let is_long = if read.is_postgres() {
        LONG_POSTGRES
    } else {
        LONG_SQLITE
    };
    let long = Condition::all()
        .add(single.clone())
        .add(Expr::cust(is_long))
        .add(Column::StartUtc.lt(near_start))
        .add(Column::EndUtc.gt(range.start));
    let series = Condition::all()
        .add(Column::IsRecurring.eq(true))
        .add(Column::StartUtc.lt(range.end));
    let endless = series.clone().add(Column::SeriesEndUtc.is_null());
    let ending = series.clone().add(Column::SeriesEndUtc.gt(range.start));
    let moved = read
        .find::<event_override::Entity>()
        .filter(event_override::Column::Cancelled.eq(false))
        .filter(event_override::Column::StartUtc.lt(range.end))
        .filter(event_override::Column::EndUtc.gt(range.start))
        .select_only()
        .column(event_override::Column::EventId)
        .into_query();
    let lives = Condition::any()
        .add(Column::SeriesEndUtc.is_null())
        .add(Column::SeriesEndUtc.gt(range.start));
    let elsewhere = Condition::any()
        .add(
            Condition::all()
                .add(single)
                .add(Column::StartUtc.lt(range.end))
                .add(reaches),
        )
        .add(series.add(lives))
        .not();
    let moved = Column::Id.in_subquery(moved).into_condition().add(elsewhere);
    [near, long, endless, ending, moved]
}
