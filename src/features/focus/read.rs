//! Questions about the caller's own focus sessions.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use entity::enums::FocusSessionStatus;
use entity::focus_session::{self, Column, Entity};
use entity::ids::{FocusSessionId, UserId, WorkspaceId};
use sea_orm::sea_query::{Alias, CaseStatement, Expr, ExprTrait as _, Func, JoinType, Query};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, PaginatorTrait as _, QueryFilter as _, Value,
};

use super::model::Stats;
use super::rules;
use super::stats::{Sums, add_up, bounds, day_of, streak};
use crate::access::{Access, Ctx};
use crate::features::people;
use crate::kernel::page::{Cursor, Page, PageRequest};
use crate::kernel::time::Span;
use crate::kernel::{Error, Result, zones};
use crate::platform::db::{Key, Read, Scope, among, keyset};

/// Most days of one statement.
const MAX_DAYS: i64 = 366;

/// States of a session that has not ended.
pub(super) const OPEN: [FocusSessionStatus; 2] = [FocusSessionStatus::Active, FocusSessionStatus::Paused];

/// The caller's session that has not ended, in whichever of their workspaces it is.
pub async fn active(access: &Access) -> Result<Option<focus_session::Model>> {
    let user_id = access.caller().require_user()?;
    let row = open_of(&access.platform().db.read(Scope::System).await?, user_id).await?;
    let memberships = access.memberships().await?;
    let is_known = |id| memberships.iter().any(|one| one.workspace_id == id);
    Ok(row.filter(|row| is_known(row.workspace_id)))
}

/// The session of a person that has not ended.
pub(super) async fn open_of(read: &Read, user_id: UserId) -> Result<Option<focus_session::Model>> {
    let select = read
        .find::<Entity>()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Status.is_in(OPEN));
    Ok(select.one(read).await?)
}

/// Those among these that are the caller's.
pub async fn get_many(ctx: &Ctx, ids: &[FocusSessionId]) -> Result<Vec<focus_session::Model>> {
    let read = ctx.read().await?;
    let select =
        read.find::<Entity>()
            .filter(own(ctx)?)
            .filter(among(&read, Column::Id, ids.iter().copied()));
    Ok(select.all(&read).await?)
}

fn own(ctx: &Ctx) -> Result<Condition> {
    Ok(Condition::all().add(Column::UserId.eq(ctx.require_person()?)))
}

/// One page of the caller's sessions in this workspace, newest first; with a range those that started in it.
pub async fn page(
    ctx: &Ctx,
    range: Option<Span>,
    request: &PageRequest,
) -> Result<Page<focus_session::Model>> {
    let read = ctx.read().await?;
    let wanted = own(ctx)?
        .add_option(range.map(|range| Column::StartedAt.gte(range.start)))
        .add_option(range.map(|range| Column::StartedAt.lt(range.end)));
    let select = read.find::<Entity>().filter(wanted);
    let total = if request.count {
        Some(select.clone().count(&read).await?)
    } else {
        None
    };
    let rows = keyset(select, &keys(), request)?.all(&read).await?;
    Ok(Page::from_rows(request, rows, total, |row| {
        Cursor(vec![
            row.started_at.to_rfc3339().into(),
            row.id.to_string().into(),
        ])
    }))
}

fn keys() -> [Key; 2] {
    let instant: fn(&serde_json::Value) -> Option<Value> = |json| {
        let at = chrono::DateTime::parse_from_rfc3339(json.as_str()?).ok()?;
        Some(at.to_utc().into())
    };
    let id: fn(&serde_json::Value) -> Option<Value> =
        |json| Some(json.as_str()?.parse::<FocusSessionId>().ok()?.into());
    let key = |column, value| Key {
        expr: Expr::col((Entity, column)),
        descending: true,
        value,
        nullable: false,
    };
    [key(Column::StartedAt, instant), key(Column::Id, id)]
}

/// Totals of the caller in this workspace by day of their home zone; a session counts on the day on which it started. The streak may have
/// begun before the period, and a last day that is not over does not break it.
pub async fn stats(ctx: &Ctx, from: NaiveDate, to: NaiveDate) -> Result<Stats> {
    let length = (to - from).num_days();
    if length < 0 {
        return Err(Error::bad_input("`to` must not be before `from`."));
    }
    if length >= MAX_DAYS {
        let message = format!(
            "The range has {} days; at most {MAX_DAYS} are allowed.",
            length + 1
        );
        return Err(Error::bad_input(message));
    }
    let platform = ctx.platform();
    let now = platform.clock.now();
    let preferences = people::preferences(platform, ctx.require_person()?).await?;
    let zone = zones::stored(&preferences.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let today = day_of(now, &zone);
    let read = ctx.read().await?;
    let person = (ctx.workspace_id(), preferences.user_id);

    let mut days = sums(&read, person, from, to, &zone).await?;
    let running = open_of(&read, preferences.user_id).await?;
    if let Some(row) = running.filter(|row| row.running_since.is_some()) {
        let date = day_of(row.started_at, &zone);
        if let Some((_, sums)) = days.iter_mut().find(|(day, _)| *day == date) {
            sums.seconds += i64::from(rules::focused_seconds(&row, now) - row.focused_seconds);
        }
    }
    let mut stats = add_up(&days);
    let (kept, mut is_whole) = streak(&days, today);
    stats.streak_days = kept;
    let mut first = from;
    // Older days are only read while the streak has not ended yet.
    while is_whole {
        let (Some(last), Some(start)) = (
            first.pred_opt(),
            first.checked_sub_days(Days::new(MAX_DAYS as u64)),
        ) else {
            break;
        };
        let earlier = sums(&read, person, start, last, &zone).await?;
        let (kept, whole) = streak(&earlier, today);
        stats.streak_days = stats.streak_days.saturating_add(kept);
        (first, is_whole) = (start, whole);
    }
    Ok(stats)
}

/// Sums by day, made by the database: one range of the index for each day.
async fn sums(
    read: &Read,
    (workspace, user): (WorkspaceId, UserId),
    from: NaiveDate,
    to: NaiveDate,
    zone: &jiff::tz::TimeZone,
) -> Result<Vec<(NaiveDate, Sums)>> {
    let mut days: Vec<(NaiveDate, Sums)> = from
        .iter_days()
        .take_while(|day| *day <= to)
        .map(|day| (day, Sums::default()))
        .collect();
    let ranges: Vec<(i32, crate::kernel::time::Instant, crate::kernel::time::Instant)> = days
        .iter()
        .zip(0..)
        .map(|((day, _), index)| {
            let (start, end) = bounds(*day, zone);
            (index, start, end)
        })
        .collect();
    let session = |column: Column| Expr::col((Entity, column));
    // What columns of a list of values are called by both databases.
    let day = |number: &str| Expr::col((Alias::new("days"), Alias::new(format!("column{number}"))));
    let is = |status: FocusSessionStatus| {
        let one = CaseStatement::new()
            .case(session(Column::Status).eq(status), 1)
            .finally(0);
        Func::sum(one)
    };
    let on = Condition::all()
        .add(session(Column::WorkspaceId).eq(workspace))
        .add(session(Column::UserId).eq(user))
        .add(session(Column::StartedAt).gte(day("2")))
        .add(session(Column::StartedAt).lt(day("3")));
    let select = Query::select()
        .expr_as(day("1"), "day")
        .expr_as(Func::sum(session(Column::FocusedSeconds)), "seconds")
        .expr_as(session(Column::Id).count(), "sessions")
        .expr_as(is(FocusSessionStatus::Completed), "completed")
        .expr_as(is(FocusSessionStatus::Abandoned), "abandoned")
        .from_values(ranges, "days")
        .join(JoinType::InnerJoin, Entity, on)
        .add_group_by([day("1")])
        .take();
    let statement = read.get_database_backend().build(&select);
    let mut found: HashMap<usize, Sums> = HashMap::new();
    for row in read.query_all_raw(statement).await? {
        let sums = Sums {
            seconds: row.try_get("", "seconds")?,
            sessions: row.try_get("", "sessions")?,
            completed: row.try_get("", "completed")?,
            abandoned: row.try_get("", "abandoned")?,
        };
        let index: i32 = row.try_get("", "day")?;
        found.insert(usize::try_from(index).unwrap_or_default(), sums);
    }
    for (index, (_, sums)) in days.iter_mut().enumerate() {
        *sums = found.remove(&index).unwrap_or_default();
    }
    Ok(days)
}
