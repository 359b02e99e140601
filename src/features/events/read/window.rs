//! What takes place in a window: candidates from indexes in one statement, their exceptions in a second, and only where somebody's event
//! is private a third that asks who may see it. Everything else is arithmetic.
//!
//! Promises: no silent cap. Where a series has more occurrences than anybody can look at, the answer says so.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use chrono::Duration;
use entity::enums::{EventKind, EventVisibility};
use entity::ids::{CalendarEventId, CalendarId, UserId};
use entity::{calendar, calendar_event, calendar_setting, event_override};
use jiff::tz::TimeZone;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query, UnionType};
use sea_orm::{
    ColumnTrait as _, Condition, QueryFilter as _, QuerySelect, QueryTrait as _, Select, Statement, Value,
};

use super::{range, seen};
use crate::access::Ctx;
use crate::features::events::model::Event;
use crate::features::events::occurrence::{Change, Occurrence, View, longest, occurrences};
use crate::features::events::recurrence::Budget;
use crate::features::events::rules;
use crate::features::people;
use crate::kernel::Result;
use crate::kernel::time::{Instant, Span};
use crate::kernel::zones;
use crate::platform::db::{self, Partial as _, Read, Scope, Texts, fetched, reading};

/// Days and floating times lie up to this far from the instants that are stored for them: the zones furthest apart.
pub(super) const FURTHEST_ZONES: Duration = Duration::hours(27);
/// Ids in one statement.
const CHUNK: usize = 10_000;
/// Most occurrences of one series, and of all together.
pub(super) const MOST_OF_ONE: usize = 10_000;
const MOST_OF_ALL: usize = 50_000;
/// Series that may use up their budget before the others get a small one: hostile rules come from imports.
pub(super) const SPENDERS: usize = 10;

/// Statements of windows by the database, the columns, whether somebody looks, and whether calendars are named.
static CANDIDATES: LazyLock<Texts<(bool, u64, bool, bool)>> = LazyLock::new(Texts::default);
/// Those of exceptions by the database, and whether a workspace is asked about.
static CHANGES: LazyLock<Texts<(bool, bool)>> = LazyLock::new(Texts::default);

/// What is looked at here besides the times, whatever is asked for.
const NEEDED: [calendar_event::Column; 4] = {
    use calendar_event::Column;
    [
        Column::Id,
        Column::IsRecurring,
        Column::Status,
        Column::Visibility,
    ]
};

/// Where to look.
#[derive(Clone, Copy, Debug)]
pub enum Among<'a> {
    /// All calendars that the viewer has not hidden.
    Visible,
    /// These calendars of the workspace.
    Calendars(&'a [CalendarId]),
    /// These events.
    Events(&'a [CalendarEventId]),
}

/// What takes place in a window.
#[derive(Clone, Debug, Default)]
pub struct Expanded {
    /// By start.
    pub occurrences: Vec<Occurrence>,
    /// Whether some series has more occurrences in the window than were looked for.
    pub truncated: bool,
}

/// What takes place in a window, series expanded, cancelled occurrences left out. Days and floating times are those of `zone`, or of the
/// viewer's own zone when `None`.
pub async fn in_window(
    ctx: &Ctx,
    among: Among<'_>,
    window: Span,
    zone: Option<&TimeZone>,
) -> Result<Expanded> {
    let asked = Asked {
        among,
        window,
        zone,
        columns: None,
    };
    expanded(ctx, &asked).await
}

/// As [`in_window`] where the viewer is. `columns` are bits of the columns that are needed of the events, `None` for all; the others are
/// blank, but for those that tell when an event takes place and who may see it.
pub async fn in_window_in_part(
    ctx: &Ctx,
    among: Among<'_>,
    window: Span,
    columns: Option<u64>,
) -> Result<Expanded> {
    let asked = Asked {
        among,
        window,
        zone: None,
        columns,
    };
    expanded(ctx, &asked).await
}

/// What somebody wants to know.
struct Asked<'a> {
    among: Among<'a>,
    window: Span,
    zone: Option<&'a TimeZone>,
    columns: Option<u64>,
}

async fn expanded(ctx: &Ctx, asked: &Asked<'_>) -> Result<Expanded> {
    let window = asked.window;
    let read = ctx.read().await?;
    let rows = candidates(&read, ctx, asked).await?;
    let mut changes = {
        let series: Vec<&calendar_event::Model> = rows.iter().filter(|row| row.is_recurring).collect();
        changes(&read, &series, window).await?
    };
    let is_same_for_all = rows.iter().all(|row| row.kind == EventKind::Timed)
        && !changes.values().flatten().any(Change::is_where_the_viewer_is);
    let zone = match asked.zone {
        Some(zone) => zone.clone(),
        None if is_same_for_all => TimeZone::UTC,
        None => zone_of(ctx).await?,
    };
    let has_private = |row: &calendar_event::Model| {
        row.visibility == EventVisibility::Private
            || changes
                .get(&row.id)
                .is_some_and(|changes| changes.iter().any(Change::is_private))
    };
    let private: Vec<CalendarEventId> = rows
        .iter()
        .filter(|row| has_private(row))
        .map(|row| row.id)
        .collect();
    let open = seen::insight(&read, ctx.user_id(), &private).await?;

    let mut expanded = Expanded::default();
    let mut spenders = 0;
    for mut row in rows {
        let is_open = row.visibility != EventVisibility::Private || open.contains(&row.id);
        let hides = !open.contains(&row.id);
        if !is_open {
            rules::mask(&mut row);
        }
        let id = row.id;
        let event = Arc::new(Event {
            row,
            is_masked: !is_open,
        });
        let view = View {
            window,
            zone: &zone,
            budget: Budget {
                steps: if spenders < SPENDERS { 50_000 } else { 2_000 },
                starts: MOST_OF_ONE.min(MOST_OF_ALL.saturating_sub(expanded.occurrences.len())),
            },
        };
        let (mut found, truncated) = occurrences(&event, changes.remove(&id).unwrap_or_default(), view);
        for occurrence in &mut found {
            let change = occurrence.change.as_ref();
            occurrence.is_masked = hides && change.is_some_and(|change| change.is_private());
        }
        spenders += usize::from(truncated);
        expanded.truncated |= truncated;
        expanded.occurrences.append(&mut found);
    }
    // The event is only looked up where the times are the same.
    expanded.occurrences.sort_by(|one, other| {
        let by_times = (one.start, one.end).cmp(&(other.start, other.end));
        by_times.then_with(|| {
            let event = one.event.row.id.cmp(&other.event.row.id);
            event.then(one.original_start.cmp(&other.original_start))
        })
    });
    Ok(expanded)
}

/// The viewer's zone; UTC for the system.
pub(super) async fn zone_of(ctx: &Ctx) -> Result<TimeZone> {
    let Some(viewer) = ctx.user_id() else {
        return Ok(TimeZone::UTC);
    };
    let preferences = people::look_at_preferences(ctx.platform(), viewer).await?;
    Ok(zones::zone(&preferences.time_zone).unwrap_or(TimeZone::UTC))
}

/// The events that may take place in the window.
async fn candidates(read: &Read, ctx: &Ctx, asked: &Asked<'_>) -> Result<Vec<calendar_event::Model>> {
    use calendar_event::Column;
    let needed = calendar_event::Entity::columns_in(asked.columns, &NEEDED).into_iter();
    // The text of the whole object is long and nobody looks at it here.
    let needed: Vec<Column> = needed
        .filter(|column| !matches!(column, Column::SourceIcs))
        .collect();
    let columns = range::with_times(&needed);
    let calendars = match asked.among {
        Among::Calendars(ids) => Some(db::id_list(read, ids.iter().copied())),
        Among::Visible | Among::Events(_) => None,
    };
    let mut given: Vec<Value> = vec![ctx.workspace_id().into()];
    given.extend(range::instants_around(asked.window).map(Value::from));
    given.extend(match &calendars {
        Some(list) => Some(list.clone()),
        None => ctx.user_id().map(Value::from),
    });
    let make = || -> Result<Statement> {
        let place = place(read, ctx, asked.among, calendars.as_ref());
        Ok(reading(finding(read, asked, &place, &columns), &columns, read))
    };
    let statement = match asked.among {
        Among::Events(_) => make()?,
        Among::Visible | Among::Calendars(_) => {
            let mask = calendar_event::Entity::mask_of(&needed);
            let key = (
                read.is_postgres(),
                mask,
                ctx.user_id().is_some(),
                calendars.is_some(),
            );
            CANDIDATES.statement(key, &given, make)?
        }
    };
    fetched::<calendar_event::Entity, calendar_event::Model>(statement, &columns, read).await
}

/// All events in a place that may take place in the window.
fn finding(
    read: &Read,
    asked: &Asked<'_>,
    place: &Condition,
    columns: &[calendar_event::Column],
) -> Select<calendar_event::Entity> {
    let (window, wide) = (asked.window, range::widened(asked.window));
    let branch = |condition: Condition| {
        let select = read.find::<calendar_event::Entity>();
        select.filter(condition).filter(place.clone())
    };
    // They exclude each other, each with an index. Certain events are found by their ids, and then looked at whenever they are.
    let kinds: Vec<Condition> = match asked.among {
        Among::Events(_) => Vec::new(),
        Among::Visible | Among::Calendars(_) => {
            let singles = range::singles(read, wide).into_iter();
            singles.chain(range::series(read, window)).collect()
        }
    };
    let mut kinds = kinds.into_iter();
    let first = kinds.next().unwrap_or_else(Condition::all);
    let mut select: Select<calendar_event::Entity> = branch(first);
    for other in kinds {
        let other = branch(other).select_only().columns(columns.iter().copied());
        QuerySelect::query(&mut select).union(UnionType::All, other.into_query());
    }
    select
}

/// Where the events must be; `calendars` are the ids of those that are named. Calendars that nobody sees show nothing.
fn place(read: &Read, ctx: &Ctx, among: Among<'_>, calendars: Option<&Value>) -> Condition {
    use calendar_event::Column;
    let mut shown = Query::select()
        .column(calendar::Column::Id)
        .from(calendar::Entity)
        .and_where(calendar::Column::WorkspaceId.eq(ctx.workspace_id()))
        .cond_where(
            Condition::any()
                .add(calendar::Column::IntegrationId.is_null())
                .add(calendar::Column::IsMirrored.eq(true)),
        )
        .take();
    match among {
        Among::Visible => {
            if let Some(viewer) = ctx.user_id() {
                shown.and_where(calendar::Column::Id.not_in_subquery(hidden(ctx, viewer)));
            }
        }
        Among::Calendars(_) | Among::Events(_) => {}
    }
    if let Some(list) = calendars {
        shown.and_where(db::among_list(read, calendar::Column::Id, list.clone()));
    }
    let there = Condition::all().add(range::calendar(read).in_subquery(shown));
    match among {
        Among::Events(ids) => there.add(db::among(read, Column::Id, ids.iter().copied())),
        Among::Visible | Among::Calendars(_) => there,
    }
}

fn hidden(ctx: &Ctx, viewer: UserId) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(calendar_setting::Column::CalendarId)
        .from(calendar_setting::Entity)
        .and_where(calendar_setting::Column::WorkspaceId.eq(ctx.workspace_id()))
        .and_where(calendar_setting::Column::UserId.eq(viewer))
        .and_where(calendar_setting::Column::IsVisible.eq(false))
        .take()
}

/// The exceptions of these series that matter in the window: those of occurrences that would be there, those that were moved there, and
/// all of series of which one holds for later occurrences.
pub(super) async fn changes(
    read: &Read,
    series: &[&calendar_event::Model],
    window: Span,
) -> Result<HashMap<CalendarEventId, Vec<Change>>> {
    use event_override::Column;
    if series.is_empty() {
        return Ok(HashMap::new());
    }
    let longest = series.iter().map(|row| longest(row)).max();
    let reach = longest.unwrap_or_default() + FURTHEST_ZONES * 2;
    let (far, wide) = (earlier(window.start, reach), range::widened(window));
    let original = Condition::all()
        .add(Column::OriginalStartUtc.gte(far))
        .add(Column::OriginalStartUtc.lt(wide.end));
    let moved = Condition::all()
        .add(Column::StartUtc.lt(wide.end))
        .add(Column::EndUtc.gte(wide.start));
    let is_lasting = Expr::col((event_override::Entity, Column::Patch))
        .cast_as("text")
        .like("%thisAndFuture%");
    let workspace = match read.scope() {
        Scope::Workspace(id) => Some(id),
        Scope::System => None,
    };
    let columns = event_override::Entity::columns_in(None, &[]);
    let mut changes: HashMap<CalendarEventId, Vec<Change>> = HashMap::new();
    for chunk in series.chunks(CHUNK) {
        let list = db::id_list(read, chunk.iter().map(|row| row.id));
        let mut given: Vec<Value> = vec![list.clone(), far.into(), wide.start.into(), wide.end.into()];
        given.extend(workspace.map(Value::from));
        let make = || -> Result<Statement> {
            let is_theirs = db::among_list(read, Column::EventId, list.clone());
            // Where one holds for later occurrences, any of those may have come here from afar.
            let shifting = Query::select()
                .column(Column::EventId)
                .from(event_override::Entity)
                .and_where(is_theirs.clone())
                .and_where(is_lasting.clone())
                .take();
            let matters = Condition::any()
                .add(original.clone())
                .add(moved.clone())
                .add(Column::EventId.in_subquery(shifting));
            let select = read
                .find::<event_override::Entity>()
                .filter(is_theirs)
                .filter(matters);
            Ok(reading(select, &columns, read))
        };
        let key = (read.is_postgres(), workspace.is_some());
        let statement = CHANGES.statement(key, &given, make)?;
        let rows = fetched::<event_override::Entity, event_override::Model>(statement, &columns, read);
        for row in rows.await? {
            changes.entry(row.event_id).or_default().push(Change(row));
        }
    }
    Ok(changes)
}

pub(super) fn earlier(at: Instant, by: Duration) -> Instant {
    at.checked_sub_signed(by).unwrap_or(at)
}

pub(super) fn later(at: Instant, by: Duration) -> Instant {
    at.checked_add_signed(by).unwrap_or(at)
}
