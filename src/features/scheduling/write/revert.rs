//! Taking an applied plan back: what it put on the calendar goes, and what was there before comes back as it was.

use std::collections::HashSet;

use entity::enums::ScheduleStatus;
use entity::ids::{CalendarEventId, CalendarId, ScheduleId, ScheduleSlotId, TaskId};
use entity::{calendar, calendar_event, schedule, schedule_slot, task};
use sea_orm::{
    ColumnTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _, Set,
};

use super::apply::hand_over;
use super::{own, refused, save};
use crate::access::Ctx;
use crate::features::events;
use crate::features::scheduling::jobs::{locked, record};
use crate::features::scheduling::model::Undo;
use crate::features::scheduling::rules;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::{Error, Result};
use crate::platform::db::Tx;

/// Takes an applied plan off the calendar. It becomes a proposal again.
pub async fn revert(ctx: &Ctx, id: ScheduleId) -> Result<schedule::Model> {
    ctx.require(Action::Edit, Resource::Schedule)?;
    ctx.require(Action::Edit, Resource::CalendarEvent)?;
    ctx.write(|tx| async move {
        tx.lock_workspace().await?;
        let row = own(&tx, ctx, id).await?;
        if row.status != ScheduleStatus::Applied {
            return Err(refused("Only an applied schedule can be reverted."));
        }
        check_newest(&tx, &row).await?;
        let undo: Undo = match &row.undo {
            Some(undo) => serde_json::from_value(undo.clone()).map_err(Error::internal)?,
            None => Undo::default(),
        };
        take_off(&tx, id, &undo).await?;
        give_back(&tx, &undo).await?;
        for id in &undo.superseded {
            restore(&tx, *id).await?;
        }
        let before = row;
        let mut row = before.clone();
        row.status = ScheduleStatus::Proposed;
        row.applied_at = None;
        row.calendar_id = None;
        row.undo = None;
        row.seen_seq = None;
        row.seen_at = None;
        save(&tx, &before, row, "schedule.reverted").await
    })
    .await
}

/// A plan that was applied later builds on this one, so it goes first.
async fn check_newest(tx: &Tx, row: &schedule::Model) -> Result<()> {
    use schedule::Column;
    let later = tx
        .find::<schedule::Entity>()
        .filter(Column::UserId.eq(row.user_id))
        .filter(Column::Status.eq(ScheduleStatus::Applied))
        .filter(Column::Id.ne(row.id))
        .filter(Column::AppliedAt.gt(row.applied_at))
        .filter(Column::StartDate.lte(row.end_date))
        .filter(Column::EndDate.gte(row.start_date));
    if later.count(tx.conn()).await? > 0 {
        return Err(refused(
            "A schedule for the same days was applied later. Revert that one first.",
        ));
    }
    Ok(())
}

/// Deletes the events that were made for this plan. Those it took over are not its own.
async fn take_off(tx: &Tx, id: ScheduleId, undo: &Undo) -> Result<()> {
    let slots = tx
        .find::<schedule_slot::Entity>()
        .filter(schedule_slot::Column::ScheduleId.eq(id))
        .filter(schedule_slot::Column::CalendarEventId.is_not_null());
    let taken: HashSet<ScheduleSlotId> = undo.taken.iter().map(|taken| taken.to).collect();
    let slots = slots.all(tx.conn()).await?;
    let own: Vec<CalendarEventId> = slots
        .iter()
        .filter(|slot| !taken.contains(&slot.id))
        .filter_map(|slot| slot.calendar_event_id)
        .collect();
    for slot in &slots {
        hand_over(tx, slot.id, None).await?;
    }
    events::delete_planned_in(tx, &own).await.map(drop)
}

/// Gives slots their events back. What was deleted since, with its calendar or its task, stays deleted.
async fn give_back(tx: &Tx, undo: &Undo) -> Result<()> {
    let slots: Vec<ScheduleSlotId> = undo
        .taken
        .iter()
        .map(|taken| taken.from)
        .chain(undo.removed.iter().map(|removed| removed.slot))
        .collect();
    let slots: HashSet<ScheduleSlotId> = tx
        .find::<schedule_slot::Entity>()
        .select_only()
        .column(schedule_slot::Column::Id)
        .filter(schedule_slot::Column::Id.is_in(slots))
        .into_tuple()
        .all(tx.conn())
        .await?
        .into_iter()
        .collect();
    let events: HashSet<CalendarEventId> = tx
        .find::<calendar_event::Entity>()
        .select_only()
        .column(calendar_event::Column::Id)
        .filter(calendar_event::Column::Id.is_in(undo.taken.iter().map(|taken| taken.event)))
        .into_tuple()
        .all(tx.conn())
        .await?
        .into_iter()
        .collect();
    let is_there = |taken: &&crate::features::scheduling::model::Taken| {
        slots.contains(&taken.from) && events.contains(&taken.event)
    };
    for taken in undo.taken.iter().filter(is_there) {
        hand_over(tx, taken.from, Some(taken.event)).await?;
    }
    let calendars: HashSet<CalendarId> = tx
        .find::<calendar::Entity>()
        .select_only()
        .column(calendar::Column::Id)
        .filter(calendar::Column::Id.is_in(undo.removed.iter().map(|removed| removed.event.calendar_id)))
        .into_tuple()
        .all(tx.conn())
        .await?
        .into_iter()
        .collect();
    let tasks: HashSet<TaskId> = tx
        .find::<task::Entity>()
        .select_only()
        .column(task::Column::Id)
        .filter(task::Column::Id.is_in(undo.removed.iter().filter_map(|removed| removed.event.task_id)))
        .into_tuple()
        .all(tx.conn())
        .await?
        .into_iter()
        .collect();
    let restored = undo.removed.iter().filter(|removed| {
        slots.contains(&removed.slot)
            && calendars.contains(&removed.event.calendar_id)
            && removed.event.task_id.is_none_or(|task| tasks.contains(&task))
    });
    let restored: Vec<_> = restored.collect();
    let whole = restored
        .iter()
        .map(|removed| ((*removed.event).clone(), removed.attached.clone()));
    events::restore_planned_in(tx, whole.collect()).await?;
    for removed in restored {
        hand_over(tx, removed.slot, Some(removed.event.id)).await?;
    }
    Ok(())
}

async fn restore(tx: &Tx, id: ScheduleId) -> Result<()> {
    let row = match locked(tx, id).await {
        Err(error) if error.is_not_found() => return Ok(()),
        row => row?,
    };
    if row.status != ScheduleStatus::Superseded {
        return Ok(());
    }
    let mut changed = row.clone().into_active_model();
    changed.status = Set(ScheduleStatus::Applied);
    changed.version = Set(row.version + 1);
    changed.updated_at = Set(tx.now());
    let stored = tx.update(changed).await?;
    record(
        tx,
        "schedule.restored",
        &stored,
        rules::audit_diff(Some(&row), &stored),
    );
    Ok(())
}
