//! Planning the part of a proposal again that no longer fits the calendar; the rest stays where it is.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use entity::enums::ScheduleStatus;
use entity::ids::{ScheduleId, ScheduleSlotId, TaskId};
use entity::unscheduled_task;
use sea_orm::{ColumnTrait as _, QueryFilter as _};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::apply::unavailable;
use super::save;
use crate::access::Ctx;
use crate::features::scheduling::jobs::{Prepared, credit_of, locked, prepare, replace_slots};
use crate::features::scheduling::model::{Diff, Slot};
use crate::features::scheduling::question::Base;
use crate::features::scheduling::read::{self, Store};
use crate::features::scheduling::rules;
use crate::features::scheduling::solve::{How, Solved, solve};
use crate::features::scheduling::words::{Words, locked as locked_reason, started};
use crate::kernel::ids::IdGen;
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result};

/// Mends a proposal. Fails when something that had a place finds none any more.
pub async fn mend(ctx: &Ctx, id: ScheduleId) -> Result<()> {
    let row = read::get(ctx, id).await?;
    // Work whose time is over would be planned once more.
    credit_of(ctx, row.user_id).await?;
    let now = ctx.platform().clock.now();
    let store = Store {
        read: &ctx.read().await?,
        db: &ctx.platform().db,
    };
    let prepared = prepare(store, &row, now, Base::Draft).await?;
    // Nobody watches this one.
    let (better, _) = unbounded_channel();
    let solved = solve(
        ctx.platform(),
        Arc::new(prepared.question.clone()),
        How::Mend,
        rules::small_effort(),
        u64::try_from(row.version).unwrap_or_default(),
        better,
        CancellationToken::new(),
    )
    .await?;
    let lost = lost(&prepared, &solved);
    if lost > 0 {
        return Err(unavailable("id", lost));
    }
    let (slots, diff) = mended(&prepared, &solved, now, &ctx.platform().ids);
    let diff = serde_json::to_value(&diff).map_err(Error::internal)?;
    let placed: HashSet<TaskId> = slots.iter().map(|slot| slot.task_id).collect();
    ctx.write(|tx| {
        let (slots, diff, placed) = (slots.clone(), diff.clone(), placed.clone());
        async move {
            let before = locked(&tx, id).await?;
            if before.version != row.version || before.status != ScheduleStatus::Proposed {
                // Somebody else changed it; the next look decides.
                return Ok(());
            }
            replace_slots(&tx, id, &slots).await?;
            tx.delete_many::<unscheduled_task::Entity>()
                .filter(unscheduled_task::Column::ScheduleId.eq(id))
                .filter(unscheduled_task::Column::TaskId.is_in(placed))
                .exec(tx.conn())
                .await?;
            let mut current = before.clone();
            current.diff = Some(diff);
            save(&tx, &before, current, "schedule.mended").await.map(drop)
        }
    })
    .await
}

/// How many tasks had a place and have none now.
fn lost(prepared: &Prepared, solved: &Solved) -> usize {
    let had_place: HashSet<TaskId> = prepared
        .sources
        .draft
        .iter()
        .filter_map(|slot| slot.task_id)
        .collect();
    let is_out = |number: u32| !solved.plan.solution.chunks.contains_key(&number);
    let question = &prepared.question;
    let out = question.tasks.iter().zip(0_u32..);
    let out = out.filter(|(task, number)| had_place.contains(task) && is_out(*number));
    let blocked = question
        .left_out
        .iter()
        .filter(|one| had_place.contains(&one.task_id));
    // Work of other plans that was shown here and is neither in force any more nor for this plan to place.
    let stays = |id: TaskId| {
        let mut pieces = question.fixed.iter().chain(&question.elsewhere);
        pieces.any(|piece| piece.task_id == id)
    };
    let is_asked =
        |id: &TaskId| question.tasks.contains(id) || question.left_out.iter().any(|one| one.task_id == *id);
    let gone = prepared.sources.tasks.iter().filter(|task| {
        had_place.contains(&task.id)
            && task.duration_minutes > task.completed_minutes
            && !is_asked(&task.id)
            && !stays(task.id)
    });
    out.count() + blocked.count() + gone.count()
}

fn mended(prepared: &Prepared, solved: &Solved, now: Instant, ids: &IdGen) -> (Vec<Slot>, Diff) {
    let question = &prepared.question;
    let titles: HashMap<TaskId, &str> = prepared
        .sources
        .tasks
        .iter()
        .map(|task| (task.id, task.title.as_str()))
        .collect();
    let title = |id: TaskId| titles.get(&id).copied().unwrap_or("another task").to_owned();
    let words = Words {
        question,
        window: &prepared.window,
        title: &title,
        now,
    };
    let is_own = |id: ScheduleSlotId| prepared.sources.draft.iter().any(|slot| slot.id == id);
    let fixed = question.fixed.iter().map(|piece| Slot {
        id: if is_own(piece.slot_id) {
            piece.slot_id
        } else {
            ids.next()
        },
        task_id: piece.task_id,
        span: piece.span,
        is_locked: piece.is_locked,
        reasons: vec![if piece.is_locked {
            locked_reason()
        } else {
            started()
        }],
        previous: None,
    });
    let placed = question.work_of(&solved.explanation);
    let free = placed.into_iter().map(|(placed, work)| {
        let task_id = question.tasks[placed.task as usize];
        let span = prepared.window.between(work);
        let known =
            prepared.sources.draft.iter().find(|slot| {
                slot.task_id == Some(task_id) && slot.start_utc == span.start && !slot.is_locked
            });
        Slot {
            id: known.map_or_else(|| ids.next(), |slot| slot.id),
            task_id,
            span,
            is_locked: false,
            reasons: words.reasons(placed),
            previous: None,
        }
    });
    let mut slots: Vec<Slot> = fixed.chain(free).collect();
    slots.sort_by_key(|slot| slot.span.start);
    let diff = rules::compare(&question.in_force, &mut slots);
    (slots, diff)
}
