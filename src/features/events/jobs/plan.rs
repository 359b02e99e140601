//! Planning: which occurrence a reminder is about next, and the jobs of those that are due within the next minute or so.
//!
//! A reminder is planned anew whenever the version of its event differs from the one that it was planned for, so writers of events need not
//! know of plans.

use std::collections::HashMap;

use chrono::TimeDelta;
use entity::ids::{CalendarEventId, ReminderId, UserId};
use entity::reminder::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Set,
};

use super::{events_of, exceptions_of, sayings_of, zones_of};
use crate::features::events::reminded::Said;
use crate::features::events::upcoming::{self, Sought, Upcoming};
use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::kernel::jobs::{NewJob, Payload};
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::db::{Scope, Tx};
use crate::platform::jobs::{JobError, RunningJob};

/// Reminders of one transaction.
const PAGE: u64 = 200;
/// Transactions of one job; what is left waits for the next minute.
const PAGES: usize = 250;
/// How far ahead jobs are made: longer than it takes until the next planning.
const AHEAD: TimeDelta = TimeDelta::seconds(90);
/// How late a reminder may be planned, because the server was away, and still fire.
const GRACE: TimeDelta = TimeDelta::minutes(10);

/// Plans what has to be planned, and enqueues what is due.
pub async fn plan_reminders(platform: &Platform, job: &RunningJob) -> std::result::Result<(), JobError> {
    for is_due in [false, true] {
        for _ in 0..PAGES {
            if job.cancel.is_cancelled() {
                return Err(JobError::Cancelled);
            }
            let body = |tx: Tx| async move {
                if is_due {
                    enqueue_page(&tx).await
                } else {
                    plan_page(&tx).await
                }
            };
            let count = platform.write(Scope::System, Actor::system(), body).await?;
            if count < PAGE {
                break;
            }
        }
    }
    Ok(())
}

/// Plans reminders whose event changed since, or that are new.
async fn plan_page(tx: &Tx) -> Result<u64> {
    let stale = Condition::any()
        .add(Column::PlannedVersion.is_null())
        .add(Expr::col(Column::PlannedVersion).ne(Expr::col(Column::EventVersion)));
    let select = tx
        .find::<Entity>()
        .filter(stale)
        .order_by_asc(Column::Id)
        .limit(PAGE)
        .lock_exclusive();
    let rows = select.all(tx.conn()).await?;
    let around = Around::read(tx, &rows).await?;
    let mut silent = Vec::new();
    for row in &rows {
        let before = minutes(row);
        let changed = around.events.get(&row.event_id).map(|event| event.updated_at);
        // What became due after the last change is not too late, however long the planning took to come round.
        let since = changed.map_or(row.updated_at, |changed| Ord::max(changed, row.updated_at));
        let earliest = Ord::max(since, tx.now() - GRACE) + before;
        match around.next(row, earliest) {
            None => silent.push(row.id),
            Some(next) => store(tx, row, Some(next)).await?,
        }
    }
    // Most events lie in the past.
    silence(tx, silent).await?;
    Ok(rows.len() as u64)
}

/// Makes the jobs of reminders that are due soon, and plans each for the occurrence after.
async fn enqueue_page(tx: &Tx) -> Result<u64> {
    let select = tx
        .find::<Entity>()
        .filter(Column::DueAt.lte(tx.now() + AHEAD))
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Id)
        .limit(PAGE)
        .lock_exclusive();
    let rows = select.all(tx.conn()).await?;
    let around = Around::read(tx, &rows).await?;
    for row in &rows {
        let (Some(due), Some(start), Some(original)) = (row.due_at, row.due_start, row.due_original) else {
            store(tx, row, None).await?;
            continue;
        };
        if row.planned_version == Some(row.event_version) {
            let payload = Payload::Remind {
                reminder_id: row.id,
                event_version: row.event_version,
                original_start: original,
                start,
            };
            let key = format!(
                "remind:{}:{}:{}",
                row.id,
                row.event_version,
                start.timestamp_micros()
            );
            let job = NewJob::for_workspace(row.workspace_id, payload);
            tx.enqueue(job.at(due).unique(key)).await?;
        }
        let after = start + TimeDelta::microseconds(1);
        let earliest = Ord::max(after, tx.now() - GRACE + minutes(row));
        store(tx, row, around.next(row, earliest)).await?;
    }
    Ok(rows.len() as u64)
}

fn minutes(row: &Model) -> TimeDelta {
    TimeDelta::minutes(row.minutes_before.into())
}

async fn store(tx: &Tx, row: &Model, next: Option<Upcoming>) -> Result<()> {
    let mut change = row.clone().into_active_model();
    change.planned_version = Set(Some(row.event_version));
    change.due_at = Set(next.map(|next| next.start - minutes(row)));
    change.due_start = Set(next.map(|next| next.start));
    change.due_original = Set(next.map(|next| next.original));
    tx.update(change).await.map(drop)
}

async fn silence(tx: &Tx, ids: Vec<ReminderId>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let never = || Expr::val(None::<Instant>);
    let update = tx
        .update_many::<Entity>()
        .col_expr(Column::PlannedVersion, Expr::col(Column::EventVersion))
        .col_expr(Column::DueAt, never())
        .col_expr(Column::DueStart, never())
        .col_expr(Column::DueOriginal, never())
        .filter(Column::Id.is_in(ids));
    update.exec(tx.conn()).await?;
    Ok(())
}

/// What a page of reminders is about.
struct Around {
    events: HashMap<CalendarEventId, entity::calendar_event::Model>,
    exceptions: HashMap<CalendarEventId, Vec<entity::event_override::Model>>,
    zones: HashMap<UserId, (String, jiff::tz::TimeZone)>,
    sayings: HashMap<(CalendarEventId, UserId), Vec<Said>>,
}

impl Around {
    async fn read(tx: &Tx, rows: &[Model]) -> Result<Self> {
        let mut events: Vec<CalendarEventId> = rows.iter().map(|row| row.event_id).collect();
        events.dedup();
        let mut people: Vec<UserId> = rows.iter().map(|row| row.user_id).collect();
        people.dedup();
        let events = events_of(tx, &events).await?;
        let series: Vec<&entity::calendar_event::Model> =
            events.values().filter(|event| event.is_recurring).collect();
        let ids: Vec<CalendarEventId> = series.iter().map(|event| event.id).collect();
        Ok(Self {
            sayings: sayings_of(tx, &series).await?,
            exceptions: exceptions_of(tx, &ids).await?,
            events,
            zones: zones_of(tx, &people).await?,
        })
    }

    fn next(&self, row: &Model, earliest: Instant) -> Option<Upcoming> {
        if row.is_silent {
            return None;
        }
        let event = self.events.get(&row.event_id)?;
        let exceptions = self.exceptions.get(&row.event_id).map_or(&[][..], Vec::as_slice);
        let (_, zone) = self.zones.get(&row.user_id)?;
        let key = (row.event_id, row.user_id);
        let sought = Sought {
            earliest,
            said: Said::by(row, event),
            sayings: self.sayings.get(&key).map_or(&[][..], Vec::as_slice),
        };
        upcoming::next(event, exceptions, zone, sought)
    }
}
