//! Instants that are derived from wall times are derived again when the zone rules that gave them are no longer those of this program.
//!
//! Promises: wall times and dates never change; what moved is audited and announced, what did not only notes the new rules; reminders fire
//! by the new rules; a page at a time, so that a crash loses nothing and no lock is held for long.

use std::collections::BTreeMap;

use entity::enums::{ChangeAction, EventKind};
use entity::ids::{CalendarEventId, TypedId as _, WorkspaceId};
use entity::{calendar_event, event_override, reminder};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use serde_json::Value;

use crate::access::Ctx;
use crate::features::events::remake;
use crate::features::events::stored::{start_of, zone_of};
use crate::kernel::time::Instant;
use crate::kernel::{Result, zones};
use crate::platform::Platform;
use crate::platform::db::{Audit, Scope, Tx};

/// Events of one page.
const PAGE: u64 = 500;

/// What was looked at and what moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Renewed {
    /// Events whose instants were derived again.
    pub looked_at: u64,
    /// Those of them that take place at other instants now.
    pub moved: u64,
}

/// Derives the instants of all events again that other zone rules gave. Returns how many there were and how many moved.
pub async fn renew_times(platform: &Platform) -> Result<Renewed> {
    let mut renewed = Renewed::default();
    loop {
        let mut page: BTreeMap<WorkspaceId, Vec<CalendarEventId>> = BTreeMap::new();
        for (workspace, id) in stale(platform).await? {
            page.entry(workspace).or_default().push(id);
        }
        if page.is_empty() {
            return Ok(renewed);
        }
        for (workspace, ids) in page {
            let ctx = Ctx::system(platform, workspace);
            let done = ctx.write(|tx| {
                let ids = ids.clone();
                async move { renew_page(&tx, ids).await }
            });
            let done = done.await?;
            renewed.looked_at += done.looked_at;
            renewed.moved += done.moved;
        }
    }
}

/// Events whose instants come from other rules: an index on the version finds them on both sides of it.
async fn stale(platform: &Platform) -> Result<Vec<(WorkspaceId, CalendarEventId)>> {
    use calendar_event::Column;
    let read = platform.db.read(Scope::System).await?;
    let now = zones::tzdata_version();
    let mut found = Vec::new();
    for side in [Column::TzdataVersion.lt(now), Column::TzdataVersion.gt(now)] {
        let select = read
            .find::<calendar_event::Entity>()
            .select_only()
            .columns([Column::WorkspaceId, Column::Id])
            .filter(side)
            .order_by_asc(Column::TzdataVersion)
            .order_by_asc(Column::Id)
            .limit(PAGE);
        let rows: Vec<(WorkspaceId, CalendarEventId)> = select.into_tuple().all(&read).await?;
        found.extend(rows);
    }
    Ok(found)
}

async fn renew_page(tx: &Tx, ids: Vec<CalendarEventId>) -> Result<Renewed> {
    let is_one = Condition::all().add(calendar_event::Column::Id.is_in(ids.iter().copied()));
    let select = tx
        .find::<calendar_event::Entity>()
        .filter(is_one)
        .lock_exclusive();
    let rows = select.all(tx.conn()).await?;
    let select = tx
        .find::<event_override::Entity>()
        .filter(event_override::Column::EventId.is_in(ids));
    let mut exceptions: BTreeMap<CalendarEventId, Vec<event_override::Model>> = BTreeMap::new();
    for exception in select.all(tx.conn()).await? {
        exceptions.entry(exception.event_id).or_default().push(exception);
    }
    let mut renewed = Renewed::default();
    let mut series = Vec::new();
    for before in rows {
        renewed.looked_at += 1;
        let old = exceptions.remove(&before.id).unwrap_or_default();
        let mut row = before.clone();
        derive(&mut row);
        let new: Vec<event_override::Model> = old.iter().map(|one| derive_exception(one, &row)).collect();
        if row.is_recurring {
            row.series_end_utc = remake::series_end_with(&row, &new);
        }
        let is_moved = (row.start_utc, row.end_utc) != (before.start_utc, before.end_utc) || new != old;
        if is_moved {
            renewed.moved += 1;
            row.version += 1;
            row.updated_at = tx.now();
            tx.audit(Audit {
                action: "calendar_event.recomputed",
                entity_type: "CalendarEvent",
                entity_id: row.id.uuid(),
                changes: Some(serde_json::json!({
                    "start": { "from": before.start_utc, "to": row.start_utc },
                    "end": { "from": before.end_utc, "to": row.end_utc },
                    "tzdata": { "from": before.tzdata_version, "to": row.tzdata_version },
                })),
            });
            tx.event_change(ChangeAction::Updated, row.id.uuid(), row.calendar_id);
        }
        if new != old {
            remake_exceptions(tx, row.id, new).await?;
        }
        let stored = tx.update(row.into_active_model().reset_all()).await?;
        if is_moved {
            crate::features::events::write::renew_reminders(tx, &stored).await?;
        } else if stored.is_recurring {
            series.push(stored.id);
        }
    }
    replan(tx, series).await?;
    Ok(renewed)
}

/// Later occurrences of a series may have moved although the first one stays, so when their reminders fire is planned anew.
async fn replan(tx: &Tx, series: Vec<CalendarEventId>) -> Result<()> {
    if series.is_empty() {
        return Ok(());
    }
    tx.update_many::<reminder::Entity>()
        .col_expr(reminder::Column::PlannedVersion, Expr::val(None::<i32>))
        .filter(reminder::Column::EventId.is_in(series))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// Keys may have changed places, so all are written anew.
async fn remake_exceptions(tx: &Tx, id: CalendarEventId, new: Vec<event_override::Model>) -> Result<()> {
    let delete = tx
        .delete_many::<event_override::Entity>()
        .filter(event_override::Column::EventId.eq(id));
    delete.exec(tx.conn()).await?;
    let rows = new.into_iter().map(|one| one.into_active_model().reset_all());
    tx.insert_many::<event_override::ActiveModel>(rows.collect())
        .await
}

/// The instants of an event by the rules of this program.
pub(super) fn derive(row: &mut calendar_event::Model) {
    let zone = zone_of(row);
    let at = |local: DateTime, zone: &TimeZone| zones::to_chrono(zones::to_utc(local, zone));
    let named = |name: &Option<String>| name.as_deref().and_then(zones::stored);
    let (start, end) = match (row.kind, row.start_local, row.end_local) {
        (EventKind::AllDay, ..) => {
            let last = row
                .end_date
                .map(|day| crate::features::events::times::midnight(day, &zone));
            (
                at(start_of(row, &zone).local(), &zone),
                last.unwrap_or(row.end_utc),
            )
        }
        (kind, Some(start), Some(end)) => {
            let of = |name: &Option<String>| match kind {
                EventKind::Timed => named(name).unwrap_or_else(|| zone.clone()),
                _ => zone.clone(),
            };
            let (from, to) = (of(&row.start_zone), of(&row.end_zone));
            (
                at(zones::local_from_chrono(start), &from),
                at(zones::local_from_chrono(end), &to),
            )
        }
        _ => (row.start_utc, row.end_utc),
    };
    (row.start_utc, row.end_utc) = (start, end.max(start));
    row.tzdata_version = Some(zones::tzdata_version().to_owned());
    if row.is_recurring {
        row.series_end_utc = remake::series_end(row);
    }
}

fn derive_exception(exception: &event_override::Model, row: &calendar_event::Model) -> event_override::Model {
    let mut exception = exception.clone();
    let zone = zone_of(row);
    let at = |local: DateTime, zone: &TimeZone| zones::to_chrono(zones::to_utc(local, zone));
    let local = remake::original_local_of(&exception, row);
    if !exception.original_start.ends_with('Z') {
        exception.original_start_utc = at(local, &zone);
    }
    let time = exception.patch.get("time");
    let text = |name: &str| time.and_then(|time| time.get(name)).and_then(Value::as_str);
    let end_of = |local: &str, name: &str| -> Option<Instant> {
        let zone = text(name).and_then(zones::stored).unwrap_or_else(|| zone.clone());
        Some(at(text(local)?.parse().ok()?, &zone))
    };
    let day = |name: &str| -> Option<Instant> {
        let day: jiff::civil::Date = text(name)?.parse().ok()?;
        Some(at(day.to_datetime(jiff::civil::Time::midnight()), &zone))
    };
    let start = day("startDate").or_else(|| end_of("startLocal", "startZone"));
    let end = day("endDate").or_else(|| end_of("endLocal", "endZone"));
    if let (Some(start), Some(end)) = (start, end) {
        (exception.start_utc, exception.end_utc) = (Some(start), Some(end.max(start)));
    }
    exception
}
