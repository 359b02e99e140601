//! Suggestions to mend a plan in force that wait for their person.

use std::collections::HashSet;

use entity::enums::ScheduleStatus;
use entity::ids::{ScheduleId, TaskId};
use entity::schedule;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QuerySelect as _,
    Select, Set,
};

use super::save;
use crate::access::Ctx;
use crate::features::scheduling::model::Slot;
use crate::features::scheduling::read;
use crate::features::scheduling::rules;
use crate::kernel::Result;
use crate::kernel::time::Instant;
use crate::platform::db::{Read, Tx};

/// Those for a plan that nobody answered.
fn unanswered(here: &Read, row: &schedule::Model) -> Select<schedule::Entity> {
    use schedule::Column;
    here.find::<schedule::Entity>()
        .filter(Column::UserId.eq(row.user_id))
        .filter(Column::Status.eq(ScheduleStatus::Proposed))
        .filter(Column::BaseScheduleId.eq(row.id))
        .filter(Column::JobId.is_null())
}

/// Whether these slots were suggested already: changes that have nothing to do with them are no reason to ask once more.
pub(super) async fn is_pending(ctx: &Ctx, row: &schedule::Model, slots: &[Slot]) -> Result<bool> {
    let here = ctx.read().await?;
    let pending = unanswered(&here, row).select_only().column(schedule::Column::Id);
    let pending: Vec<ScheduleId> = pending.into_tuple().all(&here).await?;
    if pending.is_empty() {
        return Ok(false);
    }
    let wanted: HashSet<(Option<TaskId>, Instant, Instant)> = slots
        .iter()
        .map(|slot| (Some(slot.task_id), slot.span.start, slot.span.end))
        .collect();
    let known = read::slots_of(ctx, &pending).await?;
    Ok(known.values().any(|known| {
        let known = known
            .iter()
            .map(|slot| (slot.task_id, slot.start_utc, slot.end_utc));
        known.collect::<HashSet<_>>() == wanted
    }))
}

/// A new plan for the same days; an older suggestion nobody answered gives way to it.
pub(super) async fn request(tx: &Tx, row: &schedule::Model) -> Result<schedule::Model> {
    for old in unanswered(tx, row).all(tx.conn()).await? {
        let mut discarded = old.clone().into_active_model();
        discarded.status = Set(ScheduleStatus::Discarded);
        discarded.updated_at = Set(tx.now());
        let stored = tx.update(discarded).await?;
        let changes = rules::audit_diff(Some(&old), &stored);
        save::record(tx, "schedule.discarded", &stored, changes);
    }
    let new = schedule::Model {
        engine: row.engine,
        instructions: row.instructions.clone(),
        feedback: row.feedback.clone(),
        wishes: row.wishes.clone(),
        task_ids: row.task_ids.clone(),
        base_schedule_id: Some(row.id),
        ..save::requested(tx, row.user_id, (row.start_date, row.end_date))
    };
    let stored = tx.insert(new.into_active_model().reset_all()).await?;
    let changes = rules::audit_diff(None, &stored);
    save::record(tx, "schedule.requested", &stored, changes);
    Ok(stored)
}
