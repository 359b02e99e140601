//! Putting a proposal on the calendar: as a whole or not at all, after another look at everything it builds on.

use std::collections::{HashMap, HashSet};

use entity::enums::ScheduleStatus;
use entity::ids::{CalendarEventId, CalendarId, ScheduleId, ScheduleSlotId, TaskId, UserId};
use entity::{calendar, schedule, schedule_slot, task, user_preferences};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _, Set,
};

use super::mend::mend;
use super::{own, refused, save};
use crate::access::Ctx;
use crate::features::scheduling::fit::Look;
use crate::features::scheduling::jobs::{self, Prepared, locked, prepare, record};
use crate::features::scheduling::model::{Applied, Removed, Taken, Undo};
use crate::features::scheduling::question::{Base, Piece, pieces};
use crate::features::scheduling::read::Store;
use crate::features::scheduling::rules;
use crate::features::{calendars, events};
use crate::kernel::actions::{Action, Resource};
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::Tx;

/// How often a proposal is mended when the calendar goes on changing.
const TRIES: usize = 3;

/// Puts a proposal of the caller on a calendar, or only some of its slots.
pub async fn apply(
    ctx: &Ctx,
    id: ScheduleId,
    chosen: Option<Vec<ScheduleSlotId>>,
    calendar: Option<CalendarId>,
) -> Result<Applied> {
    ctx.require(Action::Edit, Resource::Schedule)?;
    ctx.require(Action::Edit, Resource::CalendarEvent)?;
    apply_for(ctx, ctx.require_person()?, id, chosen, calendar).await
}

/// The same in the name of a person, by the system.
pub async fn apply_for(
    ctx: &Ctx,
    person: UserId,
    id: ScheduleId,
    chosen: Option<Vec<ScheduleSlotId>>,
    calendar: Option<CalendarId>,
) -> Result<Applied> {
    let calendar = target(ctx, person, calendar).await?;
    let chosen = chosen.map(|chosen| chosen.into_iter().collect::<Vec<_>>());
    for _ in 0..TRIES {
        let attempt = ctx
            .write(|tx| {
                let (chosen, calendar) = (chosen.clone(), calendar.clone());
                async move {
                    lock_person(&tx, person).await?;
                    apply_in(&tx, ctx, id, chosen, &calendar).await
                }
            })
            .await?;
        match attempt {
            Attempt::Done(applied) => return Ok(*applied),
            Attempt::Unfit(count) if chosen.is_some() => return Err(unavailable("slotIds", count)),
            Attempt::Unfit(_) => mend(ctx, id).await?,
        }
    }
    Err(unavailable("id", 1))
}

/// Makes this transaction the only one that puts plans of a person on calendars, in whichever workspace: of two that planned the same
/// time the second one sees the first. Comes before the lock of the workspace, so that nobody waits in a circle.
async fn lock_person(tx: &Tx, person: UserId) -> Result<()> {
    let select = tx
        .find_global::<user_preferences::Entity>()
        .filter(user_preferences::Column::UserId.eq(person))
        .lock_exclusive();
    select.one(tx.conn()).await?.ok_or_else(Error::not_found)?;
    Ok(())
}

pub(super) fn unavailable(path: &str, count: usize) -> Error {
    let message = match count {
        1 => "One slot no longer fits the calendar. Generate the schedule again.".to_owned(),
        count => format!("{count} slots no longer fit the calendar. Generate the schedule again."),
    };
    Error::user(UserErrorCode::SlotUnavailable, path, message)
}

/// The calendar that gets the events.
async fn target(ctx: &Ctx, person: UserId, id: Option<CalendarId>) -> Result<calendar::Model> {
    let path = "calendarId";
    let found = match id {
        Some(id) => calendars::get_many(ctx, &[id]).await?.pop(),
        None => {
            let mut own = calendars::list(ctx).await?;
            own.retain(|row| row.is_default && calendars::is_own(row, Some(person)));
            own.sort_by_key(|row| row.owner_id.is_none());
            own.into_iter().next()
        }
    };
    let Some(row) = found else {
        let (code, message) = match id {
            Some(_) => (
                UserErrorCode::ReferenceNotFound,
                "There is no such calendar in this workspace.",
            ),
            None => (
                UserErrorCode::Required,
                "You have no default calendar. Name the calendar for the events.",
            ),
        };
        return Err(Error::user(code, path, message));
    };
    if !calendars::is_own(&row, Some(person)) {
        return Err(Error::forbidden("This is the calendar of another member."));
    }
    if !calendars::accepts_events(&row) {
        let message = "This calendar only shows what is elsewhere. Choose another one.";
        return Err(Error::user(UserErrorCode::ReadOnly, path, message));
    }
    Ok(row)
}

enum Attempt {
    Done(Box<Applied>),
    /// So many slots no longer fit.
    Unfit(usize),
}

async fn apply_in(
    tx: &Tx,
    ctx: &Ctx,
    id: ScheduleId,
    chosen: Option<Vec<ScheduleSlotId>>,
    calendar: &calendar::Model,
) -> Result<Attempt> {
    // Whoever writes to the workspace comes before, and is seen, or after.
    tx.lock_workspace().await?;
    let row = own(tx, ctx, id).await?;
    if row.status != ScheduleStatus::Proposed {
        return Err(refused("Only a proposal can be applied."));
    }
    let store = Store {
        read: tx.conn(),
        db: &ctx.platform().db,
    };
    let prepared = prepare(store, &row, tx.now(), Base::Draft).await?;
    let all: Vec<Piece> = pieces(&prepared.sources.draft, tx.now()).collect();
    let (wanted, spared) = wanted(&prepared, all, chosen.as_deref())?;
    let look = Look {
        sources: &prepared.sources,
        window: &prepared.window,
        question: &prepared.question,
        now: tx.now(),
    };
    let mut unfit: HashSet<ScheduleSlotId> = look.unfit(&wanted);
    let only = jobs::only(&row);
    let dropped = rules::diff_of(&row).unwrap_or_default().removed;
    let reach = Reach {
        wanted: &wanted,
        spared: &spared,
        only: only.as_deref(),
        dropped: &dropped,
        tasks: &prepared.sources.tasks,
        is_partial: chosen.is_some(),
    };
    let mut change = Change::plan(&reach, &prepared.question.in_force, tx.now());
    let is_hit = |piece: &&Piece| {
        change
            .staying
            .iter()
            .any(|other| other.span.overlaps(&piece.span))
    };
    unfit.extend(wanted.iter().filter(is_hit).map(|piece| piece.slot_id));
    if chosen.is_none() {
        let others = prepared.question.elsewhere.iter().chain(&change.staying);
        let resized = look.resized(&wanted, others);
        unfit.extend(
            wanted
                .iter()
                .filter(|piece| resized.contains(&piece.task_id))
                .map(|piece| piece.slot_id),
        );
        // Slots whose time passed before the plan was applied are gone with their work.
        let past = prepared
            .sources
            .draft
            .iter()
            .filter(|slot| slot.end_utc <= tx.now());
        unfit.extend(past.map(|slot| slot.id));
    }
    if !unfit.is_empty() {
        return Ok(Attempt::Unfit(unfit.len()));
    }
    let events = carry_out(tx, &row, &prepared, &mut change, calendar).await?;
    let before = row;
    let mut row = before.clone();
    row.status = ScheduleStatus::Applied;
    row.applied_at = Some(tx.now());
    row.calendar_id = Some(calendar.id);
    row.undo = Some(serde_json::to_value(&change.undo).map_err(Error::internal)?);
    row.seen_seq = None;
    row.seen_at = Some(tx.now());
    let schedule = save(tx, &before, row, "schedule.applied").await?;
    Ok(Attempt::Done(Box::new(Applied { schedule, events })))
}

/// The slots to apply, and the others.
fn wanted(
    prepared: &Prepared,
    all: Vec<Piece>,
    chosen: Option<&[ScheduleSlotId]>,
) -> Result<(Vec<Piece>, Vec<Piece>)> {
    let Some(chosen) = chosen else {
        return Ok((all, Vec::new()));
    };
    let known: HashSet<ScheduleSlotId> = prepared.sources.draft.iter().map(|slot| slot.id).collect();
    if let Some(index) = chosen.iter().position(|id| !known.contains(id)) {
        let message = "The schedule has no such slot.";
        let path = format!("slotIds.{index}");
        return Err(Error::user(UserErrorCode::ReferenceNotFound, &path, message));
    }
    if chosen.is_empty() {
        let message = "Name at least one slot, or leave `slotIds` out for all.";
        return Err(Error::user(UserErrorCode::Required, "slotIds", message));
    }
    let (wanted, spared): (Vec<Piece>, Vec<Piece>) =
        all.into_iter().partition(|piece| chosen.contains(&piece.slot_id));
    if wanted.is_empty() {
        return Err(unavailable("slotIds", chosen.len()));
    }
    Ok((wanted, spared))
}

/// How far a proposal reaches into what is in force.
struct Reach<'a> {
    /// Slots that are applied.
    wanted: &'a [Piece],
    /// Slots that are not, because others were chosen.
    spared: &'a [Piece],
    /// The tasks that the proposal is limited to.
    only: Option<&'a [TaskId]>,
    /// Slots in force that the proposal leaves out, as its person was shown.
    dropped: &'a [ScheduleSlotId],
    /// Open tasks.
    tasks: &'a [task::Model],
    is_partial: bool,
}

impl Reach<'_> {
    /// Whether a piece in force that none of the slots takes over goes. Other work than that of the proposal stays, and so does what was
    /// planned or fixed since without the proposal knowing of it.
    fn takes_away(&self, known: &Piece) -> bool {
        if self.wanted.iter().any(|own| own.replaces(known)) {
            return true;
        }
        if self.spared.iter().any(|own| own.replaces(known)) {
            return false;
        }
        let is_planned = self.wanted.iter().any(|own| own.task_id == known.task_id);
        let Some(task) = self.tasks.iter().find(|task| task.id == known.task_id) else {
            // Nobody works on it any more.
            return is_planned || !self.is_partial;
        };
        let is_covered = match self.only {
            Some(only) => only.contains(&task.id),
            None => task.is_auto_scheduled,
        };
        let is_dropped = !self.is_partial && self.dropped.contains(&known.slot_id);
        is_covered && (is_planned || is_dropped) && !known.is_locked
    }
}

/// What happens to the pieces in force when others take their place.
struct Change {
    /// Slots of the plan that get new events.
    new: Vec<Piece>,
    /// Events that change hands.
    taken: Vec<Taken>,
    /// Pieces that go.
    removed: Vec<Piece>,
    /// Pieces that stay with their plans.
    staying: Vec<Piece>,
    undo: Undo,
}

impl Change {
    fn plan(reach: &Reach<'_>, in_force: &[Piece], now: Instant) -> Self {
        let mut change = Self {
            new: Vec::new(),
            taken: Vec::new(),
            removed: Vec::new(),
            staying: Vec::new(),
            undo: Undo::default(),
        };
        let mut left: Vec<&Piece> = in_force.iter().collect();
        for piece in reach.wanted {
            let same = left
                .iter()
                .position(|known| known.task_id == piece.task_id && known.span == piece.span);
            match same.map(|at| left.remove(at)) {
                Some(known) => change.taken.extend(known.event_id.map(|event| Taken {
                    from: known.slot_id,
                    to: piece.slot_id,
                    event,
                })),
                None => change.new.push(piece.clone()),
            }
        }
        for piece in left {
            let goes = piece.span.start > now && reach.takes_away(piece);
            let pile = if goes {
                &mut change.removed
            } else {
                &mut change.staying
            };
            pile.push(piece.clone());
        }
        change
    }
}

async fn carry_out(
    tx: &Tx,
    row: &schedule::Model,
    prepared: &Prepared,
    change: &mut Change,
    calendar: &calendar::Model,
) -> Result<Vec<entity::calendar_event::Model>> {
    let owners: HashMap<ScheduleSlotId, ScheduleId> = prepared
        .sources
        .applied
        .iter()
        .map(|slot| (slot.id, slot.schedule_id))
        .collect();
    let gone: Vec<CalendarEventId> = change.removed.iter().filter_map(|piece| piece.event_id).collect();
    let deleted = events::delete_planned_in(tx, &gone).await?;
    for (event, attached) in deleted {
        let piece = change
            .removed
            .iter()
            .find(|piece| piece.event_id == Some(event.id));
        change.undo.removed.extend(piece.map(|piece| Removed {
            slot: piece.slot_id,
            event: Box::new(event),
            attached,
        }));
    }
    for taken in &change.taken {
        hand_over(tx, taken.from, None).await?;
        hand_over(tx, taken.to, Some(taken.event)).await?;
    }
    change.undo.taken.clone_from(&change.taken);

    let title = |id: TaskId| prepared.sources.tasks.iter().find(|task| task.id == id);
    let planned = change.new.iter().map(|piece| events::Planned {
        task_id: piece.task_id,
        title: title(piece.task_id).map_or_else(String::new, |task| task.title.clone()),
        span: piece.span,
    });
    let zone = &prepared.sources.preferences.time_zone;
    let created = events::create_planned_in(tx, calendar.id, zone, row.user_id, planned.collect()).await?;
    for (piece, event) in change.new.iter().zip(&created) {
        hand_over(tx, piece.slot_id, Some(event.id)).await?;
    }

    let touched: HashSet<ScheduleId> = change
        .taken
        .iter()
        .map(|taken| taken.from)
        .chain(change.removed.iter().map(|piece| piece.slot_id))
        .filter_map(|slot| owners.get(&slot).copied())
        .collect();
    for id in touched {
        if supersede(tx, id).await? {
            change.undo.superseded.push(id);
        }
    }
    Ok(created)
}

/// Gives a slot its event, or takes it.
pub(super) async fn hand_over(tx: &Tx, slot: ScheduleSlotId, event: Option<CalendarEventId>) -> Result<()> {
    tx.update_many::<schedule_slot::Entity>()
        .col_expr(schedule_slot::Column::CalendarEventId, Expr::val(event))
        .col_expr(schedule_slot::Column::UpdatedAt, Expr::val(tx.now()))
        .filter(schedule_slot::Column::Id.eq(slot))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// A plan of which nothing is left to come was replaced.
async fn supersede(tx: &Tx, id: ScheduleId) -> Result<bool> {
    let left = tx
        .find::<schedule_slot::Entity>()
        .filter(schedule_slot::Column::ScheduleId.eq(id))
        .filter(schedule_slot::Column::CalendarEventId.is_not_null())
        .filter(schedule_slot::Column::EndUtc.gt(tx.now()));
    if left.count(tx.conn()).await? > 0 {
        return Ok(false);
    }
    let row = locked(tx, id).await?;
    let mut changed = row.clone().into_active_model();
    changed.status = Set(ScheduleStatus::Superseded);
    changed.version = Set(row.version + 1);
    changed.updated_at = Set(tx.now());
    let stored = tx.update(changed).await?;
    record(
        tx,
        "schedule.superseded",
        &stored,
        rules::audit_diff(Some(&row), &stored),
    );
    Ok(true)
}
