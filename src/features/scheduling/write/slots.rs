//! What a person does to single slots: moving and locking.

use entity::enums::ScheduleStatus;
use entity::ids::{ScheduleSlotId, UserId};
use entity::{schedule, schedule_slot, task};
use sea_orm::{ColumnTrait as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _, Set};
use serde_json::json;

use super::{own, refused, store};
use crate::access::Ctx;
use crate::features::scheduling::fit;
use crate::features::scheduling::read::{self, Store, Whose};
use crate::features::scheduling::rules;
use crate::features::scheduling::window::Window;
use crate::features::scheduling::words::{PlacementCode, locked as locked_reason};
use crate::features::{people, tasks};
use crate::kernel::actions::{Action, Resource};
use crate::kernel::time::{Instant, Span, truncate};
use crate::kernel::{Error, Result, UserErrorCode, zones};
use crate::platform::db::Tx;

/// Moves a slot of a proposal and locks it there. It keeps its length without an end.
pub async fn move_slot(
    ctx: &Ctx,
    id: ScheduleSlotId,
    start: Instant,
    end: Option<Instant>,
) -> Result<schedule_slot::Model> {
    ctx.require(Action::Edit, Resource::Schedule)?;
    ctx.write(|tx| async move {
        let slot = find(&tx, id).await?;
        let row = own(&tx, ctx, slot.schedule_id).await?;
        if row.status != ScheduleStatus::Proposed {
            return Err(refused("Only slots of a proposal can be moved."));
        }
        let start = truncate(start);
        let end = end.map_or(start + (slot.end_utc - slot.start_utc), truncate);
        let span = Span::new(start, end).ok_or_else(|| {
            let message = "The end must be after the start.";
            Error::user(UserErrorCode::InvalidTimeRange, "end", message)
        })?;
        check_place(&tx, &row, &slot, span).await?;
        if is_busy(&tx, ctx, row.user_id, span).await? {
            return Err(taken());
        }
        let reasons = json!([locked_reason()]);
        let moved = schedule_slot::ActiveModel {
            id: Set(id),
            start_utc: Set(span.start),
            end_utc: Set(span.end),
            is_locked: Set(true),
            reasons: Set(reasons),
            updated_at: Set(tx.now()),
            ..Default::default()
        };
        let stored = tx.update(moved).await?;
        let mut row = row;
        if let Some(mut diff) = rules::diff_of(&row) {
            rules::compare_moved(&mut diff, id, slot.previous_start_utc, span.start);
            row.diff = Some(serde_json::to_value(&diff).map_err(Error::internal)?);
        }
        let changes = json!({
            "slotId": id,
            "start": { "from": slot.start_utc, "to": stored.start_utc },
            "end": { "from": slot.end_utc, "to": stored.end_utc },
            "isLocked": { "from": slot.is_locked, "to": stored.is_locked },
        });
        store(&tx, row, "schedule.slot_moved", changes).await?;
        Ok(stored)
    })
    .await
}

async fn find(tx: &Tx, id: ScheduleSlotId) -> Result<schedule_slot::Model> {
    let select = tx
        .find::<schedule_slot::Entity>()
        .filter(schedule_slot::Column::Id.eq(id))
        .lock_exclusive();
    select.one(tx.conn()).await?.ok_or_else(Error::not_found)
}

/// A slot stays in the days of its plan, in the future, clear of events and other slots, and before the hard deadline of its task. Working
/// hours are the person's own affair.
async fn check_place(tx: &Tx, row: &schedule::Model, slot: &schedule_slot::Model, span: Span) -> Result<()> {
    let preferences = read::preferences(tx, row.user_id).await?;
    let zone = zones::zone(&preferences.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let week = people::working_hours_of(&preferences);
    let task = match slot.task_id {
        Some(id) => {
            let select = tx.find::<task::Entity>().filter(task::Column::Id.eq(id));
            select.one(tx.conn()).await?
        }
        None => None,
    };
    let own = task
        .as_ref()
        .and_then(tasks::working_hours_of)
        .unwrap_or_default();
    let whole = Window::new(zone, row.start_date, row.end_date, &week, 5);
    let whole = whole.reaching(&own).span();
    if span.start < whole.start || span.end > whole.end {
        let message = "This is outside the days of the schedule.";
        return Err(Error::user(UserErrorCode::OutOfRange, "start", message));
    }
    if span.start < tx.now() {
        let message = "This time is over.";
        return Err(Error::user(UserErrorCode::OutOfRange, "start", message));
    }
    if task.is_some_and(|task| fit::is_late(&task, span.end, tx.now())) {
        let message = "The task has a hard deadline before this time ends.";
        return Err(Error::user(UserErrorCode::OutOfRange, "start", message));
    }
    let others = tx
        .find::<schedule_slot::Entity>()
        .filter(schedule_slot::Column::ScheduleId.eq(row.id))
        .filter(schedule_slot::Column::Id.ne(slot.id))
        .filter(schedule_slot::Column::EndUtc.gt(span.start))
        .filter(schedule_slot::Column::StartUtc.lt(span.end));
    if others.count(tx.conn()).await? > 0 {
        return Err(taken());
    }
    Ok(())
}

fn taken() -> Error {
    let message = "Something else is planned at this time.";
    Error::user(UserErrorCode::SlotUnavailable, "start", message)
}

async fn is_busy(tx: &Tx, ctx: &Ctx, person: UserId, span: Span) -> Result<bool> {
    let preferences = read::preferences(tx, person).await?;
    let whose = Whose {
        person,
        draft: None,
        only: None,
        now: tx.now(),
    };
    let store = Store {
        read: tx.conn(),
        db: &ctx.platform().db,
    };
    let sources = read::sources(store, preferences, &whose, span).await?;
    Ok(fit::is_busy(&sources, span))
}

/// Locks a slot in its place, or lets it go. Also in a plan in force: mending leaves locked slots alone.
pub async fn set_lock(ctx: &Ctx, id: ScheduleSlotId, is_locked: bool) -> Result<schedule_slot::Model> {
    ctx.require(Action::Edit, Resource::Schedule)?;
    ctx.write(|tx| async move {
        let slot = find(&tx, id).await?;
        let row = own(&tx, ctx, slot.schedule_id).await?;
        if !matches!(row.status, ScheduleStatus::Proposed | ScheduleStatus::Applied) {
            return Err(refused(
                "Only slots of a proposal or of an applied schedule can be locked.",
            ));
        }
        if slot.is_locked == is_locked {
            return Ok(slot);
        }
        let mut reasons = rules::reasons_of(&slot);
        reasons.retain(|reason| reason.code != PlacementCode::Locked);
        if is_locked {
            reasons.insert(0, locked_reason());
        }
        let changed = schedule_slot::ActiveModel {
            id: Set(id),
            is_locked: Set(is_locked),
            reasons: Set(json!(reasons)),
            updated_at: Set(tx.now()),
            ..Default::default()
        };
        let stored = tx.update(changed).await?;
        let action = if is_locked {
            "schedule.slot_locked"
        } else {
            "schedule.slot_unlocked"
        };
        let changes = json!({ "slotId": id, "isLocked": { "from": slot.is_locked, "to": stored.is_locked } });
        store(&tx, row, action, changes).await?;
        Ok(stored)
    })
    .await
}
