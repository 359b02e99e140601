//! Whether planned work still fits what it was planned for: the calendar, the hours, the limits of a day, the order of the tasks, and what is
//! left to do. Pure.
//!
//! What stays whatever is planned is not judged where nothing could be done about it.

use std::collections::{HashMap, HashSet};

use entity::ids::{CalendarEventId, ScheduleSlotId, TaskId};
use entity::task;

use super::engine::Range;
use super::question::{Piece, Question, Sources, pieces};
use super::window::Window;
use crate::kernel::time::{Instant, Span};

/// A chunk of a task of a question, by the number of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Number of the task.
    pub task: u32,
    /// When, with the break behind it.
    pub range: Range,
}

/// A day and how many slots may be planned in it.
pub type Day = (i64, i64, i64);

/// The days of a question with their limits. What somebody put on a day by hand pushes nothing else off it.
pub fn days(question: &Question, window: &Window) -> Vec<Day> {
    let by_hand: Vec<Range> = question
        .fixed
        .iter()
        .filter(|piece| piece.is_locked)
        .filter_map(|piece| window.cover(piece.span))
        .collect();
    let days = question.problem.days.iter();
    days.map(|(start, end, most)| {
        let own: i64 = by_hand.iter().map(|range| common(*range, (*start, *end))).sum();
        (*start, *end, most + own)
    })
    .collect()
}

/// Which of these chunks the question would not allow: outside the hours, too early, too late, more than a day may have, or before what
/// the task waits for is done. `all` is everything that is planned, of which the chunks may be a part.
pub fn misplaced(question: &Question, days: &[Day], chunks: &[Chunk], all: &[Chunk]) -> Vec<bool> {
    let problem = &question.problem;
    let mut ends: HashMap<u32, i64> = HashMap::new();
    for chunk in all {
        let end = ends.entry(chunk.task).or_insert(chunk.range.1);
        *end = (*end).max(chunk.range.1);
    }
    let too_full: Vec<Range> = days
        .iter()
        .filter(|(start, end, most)| {
            let planned = chunks.iter().map(|chunk| common(chunk.range, (*start, *end)));
            planned.sum::<i64>() > *most
        })
        .map(|(start, end, _)| (*start, *end))
        .collect();
    let is_misplaced = |chunk: &Chunk| {
        let (start, end) = chunk.range;
        let Some(task) = problem.tasks.get(chunk.task as usize) else {
            return true;
        };
        let hours = problem.hours.get(&task.sched);
        let is_open = hours.is_some_and(|hours| hours.iter().any(|(from, to)| *from <= start && end <= *to));
        let waits = |dep: &u32| ends.get(dep).is_none_or(|done| *done > start);
        !is_open
            || start < task.est
            || task.deadline.is_some_and(|last| last > 0 && end > last)
            || task.deps.iter().any(waits)
            || too_full.iter().any(|day| common(chunk.range, *day) > 0)
    };
    chunks.iter().map(is_misplaced).collect()
}

/// How many slots two ranges share.
fn common(one: Range, other: Range) -> i64 {
    (one.1.min(other.1) - one.0.max(other.0)).max(0)
}

/// Events that stand for slots of plans in force.
fn planned_events(sources: &Sources) -> HashSet<CalendarEventId> {
    sources
        .applied
        .iter()
        .filter_map(|slot| slot.calendar_event_id)
        .collect()
}

/// Whether a span is taken by something that is not planned work.
pub fn is_busy(sources: &Sources, span: Span) -> bool {
    is_taken(sources, &planned_events(sources), span)
}

/// Whether a span is taken by another event than these.
fn is_taken(sources: &Sources, planned: &HashSet<CalendarEventId>, span: Span) -> bool {
    let others = sources
        .busy
        .iter()
        .filter(|busy| !planned.contains(&busy.event_id));
    others
        .filter_map(|busy| Span::new(busy.start, busy.end))
        .any(|busy| busy.overlaps(&span))
}

/// Another look at a proposal.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// All it builds on, as it is by now.
    pub sources: &'a Sources,
    /// Its time.
    pub window: &'a Window,
    /// The question that would be asked to mend it.
    pub question: &'a Question,
    /// When it is looked at.
    pub now: Instant,
}

impl Look<'_> {
    /// Slots that no longer fit.
    pub fn unfit(&self, wanted: &[Piece]) -> HashSet<ScheduleSlotId> {
        let open: HashMap<TaskId, &task::Model> =
            self.sources.tasks.iter().map(|task| (task.id, task)).collect();
        let fixed = self.fixed();
        // Work of others that the question left out is in the way like any event.
        let in_force = &self.question.in_force;
        let planned = in_force.iter().filter_map(|piece| piece.event_id).collect();
        let mut unfit: HashSet<ScheduleSlotId> = wanted
            .iter()
            .filter(|piece| !self.fits(piece, open.get(&piece.task_id).copied(), (&fixed, &planned)))
            .map(|piece| piece.slot_id)
            .collect();
        unfit.extend(self.out_of_place(wanted, &fixed));
        unfit
    }

    /// Slots that stay where they are when the proposal is mended.
    fn fixed(&self) -> HashSet<ScheduleSlotId> {
        self.question.fixed.iter().map(|piece| piece.slot_id).collect()
    }

    /// Whether the time of a slot is still to come and free, and its task open and not late.
    fn fits(
        &self,
        piece: &Piece,
        task: Option<&task::Model>,
        (fixed, planned): (&HashSet<ScheduleSlotId>, &HashSet<CalendarEventId>),
    ) -> bool {
        let in_force = &self.question.in_force;
        let is_kept = in_force
            .iter()
            .any(|known| known.task_id == piece.task_id && known.span == piece.span);
        if is_kept && fixed.contains(&piece.slot_id) {
            // It is on the calendar as it is, whether this proposal is applied or not.
            return true;
        }
        let collides = in_force
            .iter()
            .filter(|known| known.task_id != piece.task_id && known.span.start <= self.now)
            .any(|known| known.span.overlaps(&piece.span));
        (is_kept || piece.span.start >= self.now)
            && task.is_some_and(|task| !is_late(task, piece.span.end, self.now))
            && !collides
            && !is_taken(self.sources, planned, piece.span)
    }

    /// Slots that the planner put where it may not put them any more. Where a person put one is their own affair.
    fn out_of_place(&self, wanted: &[Piece], fixed: &HashSet<ScheduleSlotId>) -> Vec<ScheduleSlotId> {
        let question = self.question;
        let numbers: HashMap<TaskId, u32> = question.tasks.iter().copied().zip(0..).collect();
        let chunk = |piece: &Piece| {
            let task = *numbers.get(&piece.task_id)?;
            let (start, end) = self.window.cover(piece.span)?;
            let range = (start, end + question.pause);
            Some((piece.slot_id, Chunk { task, range }))
        };
        let is_loose = |piece: &&Piece| !fixed.contains(&piece.slot_id);
        let draft: Vec<Piece> = pieces(&self.sources.draft, self.now).collect();
        let all: Vec<Chunk> = draft
            .iter()
            .filter(is_loose)
            .filter_map(chunk)
            .map(|(_, chunk)| chunk)
            .collect();
        let (slots, chunks): (Vec<ScheduleSlotId>, Vec<Chunk>) =
            wanted.iter().filter(is_loose).filter_map(chunk).unzip();
        let misplaced = misplaced(question, &days(question, self.window), &chunks, &all);
        let misplaced = slots
            .into_iter()
            .zip(misplaced)
            .filter(|(_, is_misplaced)| *is_misplaced);
        // What waits by now for work that has no place.
        let in_vain = |piece: &&Piece| question.left_out.iter().any(|one| one.task_id == piece.task_id);
        let blocked = wanted.iter().filter(is_loose).filter(in_vain);
        misplaced
            .map(|(slot, _)| slot)
            .chain(blocked.map(|piece| piece.slot_id))
            .collect()
    }

    /// Tasks of which more or less would be planned than is left to do, with what else is planned of them. More is accepted where all of
    /// it stays, because somebody made it longer by hand, and less where the plan is not about the task.
    pub fn resized<'p>(
        &self,
        wanted: &'p [Piece],
        others: impl Iterator<Item = &'p Piece>,
    ) -> HashSet<TaskId> {
        let mut planned: HashMap<TaskId, i64> = HashMap::new();
        for piece in wanted.iter().chain(others) {
            *planned.entry(piece.task_id).or_default() += (piece.span.end - piece.span.start).num_minutes();
        }
        let fixed = self.fixed();
        let is_loose = |piece: &&Piece| !fixed.contains(&piece.slot_id);
        let loose: HashSet<TaskId> = wanted
            .iter()
            .filter(is_loose)
            .map(|piece| piece.task_id)
            .collect();
        let left_out = self.question.left_out.iter().map(|one| one.task_id);
        let asked: HashSet<TaskId> = self.question.tasks.iter().copied().chain(left_out).collect();
        let differs = |task: &&task::Model| {
            let Some(planned) = planned.get(&task.id) else {
                return false;
            };
            let surplus = planned - i64::from(task.duration_minutes - task.completed_minutes);
            // Slots are whole; what is less than one does not count.
            (surplus >= 15 && loose.contains(&task.id)) || (surplus <= -15 && asked.contains(&task.id))
        };
        let resized = self.sources.tasks.iter().filter(differs);
        resized.map(|task| task.id).collect()
    }
}

/// Whether work that ends then would miss the hard deadline of its task. One that is over already cannot be kept by any plan.
pub fn is_late(task: &task::Model, end: Instant, now: Instant) -> bool {
    task.is_hard_deadline && task.due_at.is_some_and(|due| due > now && end > due)
}
