//! From a person's calendar, tasks and plans to the question that the engine answers.
//!
//! Promises: pure; whatever is stored (circles written by older versions, more done than estimated, sizes that cannot be cut) becomes a
//! question that makes sense, and what cannot be asked is left out with its reason.

mod frame;
mod waits;

use std::collections::{HashMap, HashSet};

use entity::enums::{EnergyLevel, UnscheduledReason};
use entity::ids::{CalendarEventId, TaskId};
use entity::{schedule_slot, task, user_preferences};

use super::engine::{self, Explanation, Placed, Problem};
use super::window::Window;
use super::wishes::Wishes;
use frame::{Hours, busy, frame};
use waits::Waits;

use crate::features::events::Busy;
use crate::kernel::time::{Instant, Span};

/// What is known before anything is planned.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Settings of the person.
    pub preferences: user_preferences::Model,
    /// When they are busy, planned work included.
    pub busy: Vec<Busy>,
    /// Their open tasks, and others that were asked for.
    pub tasks: Vec<task::Model>,
    /// Which of these tasks waits for which open task, whoever's it is.
    pub waits: Vec<(TaskId, TaskId)>,
    /// Slots of plans in force that are on a calendar.
    pub applied: Vec<schedule_slot::Model>,
    /// Slots of the plan that is made anew or about to be applied.
    pub draft: Vec<schedule_slot::Model>,
}

/// What is to stay as far as possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The plans in force.
    Applied,
    /// A proposal that no longer fits.
    Draft,
}

/// A piece of work with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The task.
    pub task_id: TaskId,
    /// When.
    pub span: Span,
    /// The slot it is.
    pub slot_id: entity::ids::ScheduleSlotId,
    /// Whether somebody locked it, or moved its event by hand.
    pub is_locked: bool,
    /// Event on the calendar.
    pub event_id: Option<CalendarEventId>,
    /// Where the same work was in the plan in force, for pieces of a draft.
    pub previous: Option<Instant>,
}

impl Piece {
    /// Whether this piece of a draft is the work of a piece in force, there or at another time.
    pub fn replaces(&self, known: &Piece) -> bool {
        self.task_id == known.task_id && (self.span == known.span || self.previous == Some(known.span.start))
    }
}

/// A task about which the engine is not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The task.
    pub task_id: TaskId,
    /// Why.
    pub reason: UnscheduledReason,
    /// Work that finds no place.
    pub minutes: i64,
    /// Tasks that it waits for.
    pub because_of: Vec<TaskId>,
    /// Whether it waits for itself through others.
    pub in_circle: bool,
    /// What the engine would be asked if it did not wait for those.
    pub alone: engine::Task,
}

/// Work that has to end before other work begins that stays where it is and waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The task that waits.
    pub by: TaskId,
    /// The deadline that the task has by itself.
    pub own: Option<i64>,
}

/// The question, and what its numbers mean.
#[derive(Clone, Debug)]
pub struct Question {
    /// For the engine.
    pub problem: Problem,
    /// The task of each number.
    pub tasks: Vec<TaskId>,
    /// The span of each busy time of the problem.
    pub busy: Vec<Span>,
    /// Pieces that stay where they are.
    pub fixed: Vec<Piece>,
    /// Pieces of the plans in force that are not over and lie in the window.
    pub in_force: Vec<Piece>,
    /// Those that lie on other days.
    pub elsewhere: Vec<Piece>,
    /// What the engine is not asked about.
    pub left_out: Vec<LeftOut>,
    /// Tasks whose deadline is the begin of other work.
    pub held: HashMap<TaskId, Held>,
    /// Slots of work of each task; the engine is asked for more when there are breaks.
    pub work: Vec<i64>,
    /// Slots at the end of every chunk that are a break.
    pub pause: i64,
}

impl Question {
    /// The work in a chunk, without the break behind it.
    pub fn work_in(&self, (start, end): engine::Range) -> engine::Range {
        (start, (end - self.pause).max(start + 1))
    }

    /// Every chunk of a plan with the work in it. What was asked for beyond the work of a task, so that it could be cut evenly, is
    /// taken off its last chunk.
    pub fn work_of<'a>(&self, explanation: &'a Explanation) -> Vec<(&'a Placed, engine::Range)> {
        let mut left = self.work.clone();
        let mut found = Vec::with_capacity(explanation.placed.len());
        for placed in &explanation.placed {
            let (start, end) = self.work_in(placed.chunk);
            let left = &mut left[placed.task as usize];
            let length = (end - start).min(*left);
            *left -= length;
            if length > 0 {
                found.push((placed, (start, start + length)));
            }
        }
        found
    }
}

/// Minutes of a slot: a quarter of an hour when all sizes are whole quarters, and all that is planned lies on quarters. On a grid that has
/// no place for it, planned work could not stay where it is.
pub fn slot_minutes(sources: &Sources) -> i64 {
    let of_task = |task: &task::Model| {
        let rest = task.duration_minutes - task.completed_minutes;
        [Some(rest), task.min_chunk_minutes, task.max_chunk_minutes]
    };
    let mut sizes = sources.tasks.iter().flat_map(of_task).flatten();
    let is_quarter = |at: Instant| at.timestamp() % 900 == 0;
    let mut planned = sources.applied.iter().chain(&sources.draft);
    let is_coarse = sources.preferences.buffer_minutes % 15 == 0
        && sizes.all(|minutes| minutes % 15 == 0)
        // What is locked does not move on any grid.
        && planned.all(|slot| slot.is_locked || is_quarter(slot.start_utc) && is_quarter(slot.end_utc));
    if is_coarse { 15 } else { 5 }
}

/// Puts the question. `only` limits it to some tasks; without it, it is about all that are planned automatically.
pub fn ask(
    sources: &Sources,
    window: &Window,
    now: Instant,
    only: Option<&HashSet<TaskId>>,
    base: Base,
    wishes: &Wishes,
) -> Question {
    let open: HashMap<TaskId, &task::Model> = sources.tasks.iter().map(|task| (task.id, task)).collect();
    let is_wanted = |id: &TaskId| {
        let Some(task) = open.get(id) else { return false };
        only.map_or(task.is_auto_scheduled, |only| only.contains(id))
    };
    let (mut in_force, elsewhere) = in_force(sources, window, now);
    // What a plan of some tasks does not know is as any other event to it.
    in_force.retain(|piece| {
        open.contains_key(&piece.task_id) || only.is_none_or(|only| only.contains(&piece.task_id))
    });
    let (locked, loose): (Vec<Piece>, Vec<Piece>) =
        pieces(&sources.draft, now).partition(|piece| piece.is_locked);
    let (stay, free): (Vec<Piece>, Vec<Piece>) = in_force
        .iter()
        .filter(|piece| open.contains_key(&piece.task_id))
        .cloned()
        .partition(|piece| stays(piece, is_wanted(&piece.task_id), &locked, now));
    // A draft that has it in the same place has its slot already.
    let stay = stay.into_iter().map(|piece| {
        let own = loose
            .iter()
            .find(|own| own.task_id == piece.task_id && own.span == piece.span);
        Piece {
            slot_id: own.map_or(piece.slot_id, |own| own.slot_id),
            ..piece
        }
    });
    let fixed: Vec<Piece> = locked.into_iter().chain(stay).collect();
    let movable: Vec<Piece> = match base {
        Base::Draft => {
            let is_fixed = |own: &Piece| fixed.iter().any(|piece| piece.slot_id == own.slot_id);
            let drafted: HashSet<TaskId> = sources.draft.iter().filter_map(|slot| slot.task_id).collect();
            // What was planned since the draft was made has its place in force.
            let since = free.into_iter().filter(|piece| !drafted.contains(&piece.task_id));
            let own = loose.iter().filter(|own| !is_fixed(own)).cloned();
            own.chain(since).collect()
        }
        Base::Applied => free,
    };

    let mut done: HashMap<TaskId, (i64, Instant)> = HashMap::new();
    for piece in fixed.iter().chain(&elsewhere) {
        let (minutes, end) = done.entry(piece.task_id).or_insert((0, piece.span.end));
        *minutes += (piece.span.end - piece.span.start).num_minutes();
        *end = (*end).max(piece.span.end);
    }
    let rest = |task: &task::Model| {
        let fixed = done.get(&task.id).map_or(0, |(minutes, _)| *minutes);
        i64::from(task.duration_minutes) - i64::from(task.completed_minutes) - fixed
    };
    let wanted: Vec<&task::Model> = sources
        .tasks
        .iter()
        .filter(|task| is_wanted(&task.id) && rest(task) > 0)
        .collect();
    let asked: HashSet<TaskId> = wanted.iter().map(|task| task.id).collect();
    let waits = Waits::new(sources, &open, &asked, &in_force, &done, &rest);
    let (stuck, kept): (Vec<&task::Model>, Vec<&task::Model>) = wanted
        .into_iter()
        .partition(|task| waits.stuck.contains_key(&task.id));
    let number: HashMap<TaskId, u32> = kept
        .iter()
        .zip(0..)
        .map(|(task, number)| (task.id, number))
        .collect();

    let taken = busy(sources, window, &fixed, &in_force);
    let hours = Hours::new(sources, window, wishes);
    let limits = waits::limits(&sources.waits, &fixed, now);
    let mut held = HashMap::new();
    let mut tasks = Vec::with_capacity(kept.len() + stuck.len());
    // What waits in vain comes last, until the wishes have reached it too.
    for (task, id) in kept.iter().chain(&stuck).zip(0..) {
        let mut one = work(task, rest(task), window, now);
        one.sched = hours.of(task.id).to_owned();
        one.id = id;
        one.deps = waits
            .of(task.id)
            .filter_map(|dep| number.get(&dep).copied())
            .collect();
        for (_, after) in waits.after.iter().filter(|(waiting, _)| *waiting == task.id) {
            one.est = one.est.max(window.ceil(*after));
        }
        if let Some((_, end)) = waits
            .of(task.id)
            .filter_map(|dep| done.get(&dep))
            .max_by_key(|(_, end)| *end)
        {
            one.est = one.est.max(window.ceil(*end));
        }
        let mut prior: Vec<engine::Range> = movable
            .iter()
            .filter(|piece| piece.task_id == task.id && piece.span.start >= now)
            .filter_map(|piece| window.exact(piece.span))
            .collect();
        prior.sort_unstable();
        one.prior = (!prior.is_empty()).then_some(prior);
        if let Some((by, start)) = limits.get(&task.id) {
            let limit = window.floor(*start);
            if one.deadline.is_none_or(|own| limit < own) {
                let own = one.deadline.replace(limit);
                held.insert(task.id, Held { by: *by, own });
            }
        }
        tasks.push(one);
    }
    let problem = Problem {
        tasks,
        busy: taken.events,
        fixed: taken.work,
        ..frame(sources, window, now, &fixed, &hours)
    };
    let mut question = Question {
        work: problem.tasks.iter().map(|task| task.dur).collect(),
        problem,
        tasks: kept.iter().chain(&stuck).map(|task| task.id).collect(),
        busy: taken.spans,
        fixed,
        in_force,
        elsewhere,
        left_out: Vec::new(),
        held,
        pause: 0,
    };
    wishes.bend(&mut question, sources, window);
    let alone = question.problem.tasks.split_off(kept.len());
    question.tasks.truncate(kept.len());
    question.work.truncate(kept.len());
    let left_out = stuck.iter().zip(alone);
    let left_out = left_out.filter_map(|(task, alone)| waits.left_out(task.id, rest(task), alone));
    question.left_out = left_out.collect();
    question
}

/// Whether a piece in force stays whatever is planned: it has begun, somebody fixed it, or the plan is not about its task. A locked slot of
/// the draft that is the same work, perhaps elsewhere by now, takes its place.
fn stays(piece: &Piece, is_wanted: bool, locked: &[Piece], now: Instant) -> bool {
    if piece.span.start <= now {
        let is_same = |own: &Piece| own.task_id == piece.task_id && own.span == piece.span;
        return !locked.iter().any(is_same);
    }
    (piece.is_locked || !is_wanted) && !locked.iter().any(|own| own.replaces(piece))
}

/// Slots as pieces, without those that are over.
pub fn pieces(slots: &[schedule_slot::Model], now: Instant) -> impl Iterator<Item = Piece> {
    let piece = |slot: &schedule_slot::Model| {
        Some(Piece {
            task_id: slot.task_id?,
            span: Span::new(slot.start_utc, slot.end_utc)?,
            slot_id: slot.id,
            is_locked: slot.is_locked,
            event_id: slot.calendar_event_id,
            previous: slot.previous_start_utc,
        })
    };
    slots
        .iter()
        .filter_map(piece)
        .filter(move |piece| piece.span.end > now)
}

/// Pieces of plans in force, in the window and elsewhere. A piece whose event somebody moved is where the event is, and stays there.
fn in_force(sources: &Sources, window: &Window, now: Instant) -> (Vec<Piece>, Vec<Piece>) {
    let whole = window.span();
    let moved = |mut piece: Piece| {
        let event = sources
            .busy
            .iter()
            .find(|busy| Some(busy.event_id) == piece.event_id);
        if let Some(span) = event.and_then(|event| Span::new(event.start, event.end))
            && span != piece.span
        {
            piece.span = span;
            piece.is_locked = true;
        }
        piece
    };
    pieces(&sources.applied, now)
        .map(moved)
        .filter(|piece| piece.span.end > now)
        .partition(|piece| piece.span.overlaps(&whole))
}

/// One task in slots, without its number, its hours and what it waits for.
fn work(task: &task::Model, rest: i64, window: &Window, now: Instant) -> engine::Task {
    let dur = window.slots(rest);
    let (min, max) = sizes(task, dur, window);
    // What is over is before the begin of the plan, by so much that no break behind work reaches back into it: nobody takes it for a matter
    // of too little time.
    let deadline = |due: Instant| match window.floor(due) {
        slot if due <= now => slot.min(-window.slots(24 * 60)),
        slot => slot,
    };
    let est = task.start_after.map_or(0, |at| window.ceil(at));
    engine::Task {
        id: 0,
        dur,
        min,
        max,
        est: est.max(window.ceil(now)).max(0),
        due: task.due_at.map(|due| window.floor(due)),
        deadline: task.due_at.filter(|_| task.is_hard_deadline).map(deadline),
        prio: usize::try_from(task.priority.rank()).unwrap_or_default(),
        deps: Vec::new(),
        sched: String::new(),
        profile: profile(task.energy).to_owned(),
        deep: task.energy == EnergyLevel::High,
        tag: String::new(),
        prior: None,
    }
}

/// Smallest and largest piece. What is left of a task may not be cut as its sizes say; then pieces get smaller.
fn sizes(task: &task::Model, dur: i64, window: &Window) -> (i64, i64) {
    let Some(min) = task.min_chunk_minutes else {
        return (dur, dur);
    };
    let largest = task
        .max_chunk_minutes
        .map_or(dur, |max| window.slots(i64::from(max)));
    let max = largest.clamp(1, dur);
    let mut min = window.slots(i64::from(min)).clamp(1, max);
    while min > 1 && (dur / min) * max < dur {
        min -= 1;
    }
    (min, max)
}

fn profile(energy: EnergyLevel) -> &'static str {
    match energy {
        EnergyLevel::Low => "low",
        EnergyLevel::Medium => "medium",
        EnergyLevel::High => "high",
    }
}
