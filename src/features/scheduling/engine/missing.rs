//! Why a task is left out: a proof from the calendar, not a guess.

use super::bits::run;
use super::explain::{Missing, MissingCode};
use super::model::{NOBODY, Span};
use super::problem::Problem;
use super::state::State;

/// Most tasks that are named as being in the way.
const NAMED: usize = 5;

/// Says what stands in the way of a task that is out. Relaxations are for others to find.
pub(super) fn missing(state: &State<'_>, problem: &Problem, at: u32) -> Missing {
    let model = state.model;
    let task = &problem.tasks[at as usize];
    let work = &model.works[at as usize];
    let found = |code, slots, because_of| Missing {
        task: task.id,
        code,
        slots,
        because_of,
        relaxations: Vec::new(),
    };
    if task.deadline.is_some_and(|deadline| deadline <= 0) {
        return found(MissingCode::DeadlinePassed, task.dur, Vec::new());
    }
    let name = |at: &u32| problem.tasks[*at as usize].id;
    let window = (work.lo, work.hi);
    let late = |pred: &&u32| {
        state
            .chunks(**pred)
            .last()
            .is_none_or(|last| last.1 + work.dur > work.hi)
    };
    let room_at_all = work.lo + work.dur <= work.hi;
    let blocking: Vec<u32> = work.preds.iter().filter(late).map(name).take(NAMED).collect();
    if !blocking.is_empty() && room_at_all {
        return found(MissingCode::Blocked, task.dur, blocking);
    }
    let (lo, hi) = state.window(at).unwrap_or(window);
    let free = gaps(&state.free, &model.open[work.sched], (lo, hi));
    // What the caps of the days leave of it.
    let mut left = state.left.clone();
    let mut usable = 0;
    let mut fitting = 0;
    for &(start, end) in &free {
        let day = model.day[start as usize] as usize;
        let take = (end - start).min(left[day].max(0) as u32);
        left[day] -= take as i32;
        usable += take;
        if take >= work.min {
            fitting += take;
        }
    }
    let slots = i64::from(work.dur.saturating_sub(fitting).max(1));
    if usable >= work.dur {
        return found(MissingCode::Fragmented, slots, holders(state, problem, (lo, hi)));
    }
    found(MissingCode::NoCapacity, slots, holders(state, problem, (lo, hi)))
}

/// Runs of free positions in a window, cut where days change.
fn gaps(free: &[u64], open: &[u64], (lo, hi): Span) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = lo;
    while at < hi {
        let length = run(free, open, at, hi - at);
        if length > 0 {
            found.push((at, at + length));
        }
        at += length + 1;
    }
    found
}

/// Who holds the most of a window.
fn holders(state: &State<'_>, problem: &Problem, (lo, hi): Span) -> Vec<u32> {
    let mut held = vec![0_u32; problem.tasks.len()];
    for owner in state
        .owner
        .iter()
        .take(hi as usize)
        .skip(lo as usize)
        .filter(|owner| **owner != NOBODY)
    {
        held[*owner as usize] += 1;
    }
    let mut tasks: Vec<usize> = (0..held.len()).filter(|task| held[*task] > 0).collect();
    tasks.sort_by_key(|task| std::cmp::Reverse(held[*task]));
    tasks
        .iter()
        .take(NAMED)
        .map(|task| problem.tasks[*task].id)
        .collect()
}
