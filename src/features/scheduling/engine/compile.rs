//! From a problem to a model: hours, busy times, days and preferences become positions and sums, tasks become work.

use super::check::{ProblemError, check};
use super::model::{Model, NEVER, Work};
use super::problem::{Problem, Task};

impl Model {
    /// Compiles a problem that makes sense.
    pub(super) fn new(problem: &Problem) -> Result<Self, ProblemError> {
        let checked = check(problem)?;
        let slots = problem.horizon as usize;
        let union = union_of_hours(problem);
        let mut clock_at = Vec::with_capacity(slots + 1);
        clock_at.push(0_i64);
        for (slot, open) in union.iter().enumerate() {
            clock_at.push(clock_at[slot] + i64::from(*open));
        }
        let mut model = Self::positions(problem, &union, &clock_at);
        model.order = checked.order;
        for task in &problem.tasks {
            let preds = task.deps.iter().map(|dep| checked.index[dep]).collect();
            let work = model.work(problem, task, preds, &clock_at);
            model.room += work.room;
            model.works.push(work);
        }
        for at in 0..model.works.len() {
            for pred in model.works[at].preds.clone() {
                model.works[pred as usize].succs.push(at as u32);
            }
        }
        model.spread_urgency();
        Ok(model)
    }

    fn positions(problem: &Problem, union: &[bool], clock_at: &[i64]) -> Self {
        let slots = union.len();
        let blocked = blocked(problem);
        let mut day_of = vec![problem.days.len() as u32; slots];
        for (at, (start, end, _)) in problem.days.iter().enumerate() {
            day_of[within(*start, slots)..within(*end, slots)].fill(at as u32);
        }
        let in_focus = covered(problem.focus.iter().copied(), slots);
        let (mut slot, mut real, mut next) = (Vec::new(), Vec::new(), Vec::with_capacity(slots + 1));
        for at in 0..slots {
            let usable = union[at] && !blocked[at];
            if usable && real.last() == Some(&true) && slot.last().is_some_and(|last| *last as usize + 1 < at)
            {
                slot.push(at as u32);
                real.push(false);
            }
            next.push(slot.len() as u32);
            if usable {
                slot.push(at as u32);
                real.push(true);
            }
        }
        next.push(slot.len() as u32);
        fix_gaps(&mut next, &real);
        let len = slot.len();
        let words = len.div_ceil(64) + 2;
        let open = problem.hours.values().map(|ranges| {
            let opens = covered(ranges.iter().copied(), slots);
            let mut bits = vec![0_u64; words];
            for at in (0..len).filter(|at| real[*at] && opens[slot[*at] as usize]) {
                bits[at / 64] |= 1 << (at % 64);
            }
            bits
        });
        let pref = problem.profiles.values().map(|profile| {
            prefix(&real, |at| match profile.len() {
                0 => 0,
                n => problem.weights.pref * profile[slot[at] as usize % n],
            })
        });
        let focus = prefix(&real, |at| {
            if in_focus[slot[at] as usize] {
                problem.weights.focus
            } else {
                0
            }
        });
        let day: Vec<u32> = slot.iter().map(|slot| day_of[*slot as usize]).collect();
        let mut day_end = vec![len as u32; len];
        for at in (0..len.saturating_sub(1)).rev() {
            day_end[at] = if day[at] == day[at + 1] {
                day_end[at + 1]
            } else {
                at as u32 + 1
            };
        }
        let caps = problem
            .days
            .iter()
            .map(|(_, _, cap)| clamp(*cap))
            .chain([i32::MAX]);
        Self {
            len: len as u32,
            clock: clocks(&slot, &real, clock_at),
            open: open.collect(),
            pref: pref.collect(),
            focus,
            caps: caps.collect(),
            slot,
            next,
            day,
            day_end,
            works: Vec::with_capacity(problem.tasks.len()),
            order: Vec::new(),
            room: 0,
            frag: problem.weights.frag,
            is_steady: false,
            gap: problem.gap as u32,
        }
    }

    fn work(&self, problem: &Problem, task: &Task, preds: Vec<u32>, clock_at: &[i64]) -> Work {
        let weights = &problem.weights;
        let slots = problem.horizon as usize;
        let prio = weights.prio[task.prio];
        let mut prior = Vec::new();
        let mut move_all = 0;
        for &(start, end) in task.prior.iter().flatten() {
            let cost = if start < weights.soon {
                weights.move_soon
            } else {
                weights.moved
            };
            move_all += cost;
            if let Some(span) = self.span(start, end) {
                prior.push((span, cost));
            }
        }
        let earlier = task.prior.iter().flatten().map(|chunk| chunk.0).min();
        let first = earlier.unwrap_or(task.est);
        let (min, max) = (task.min, task.max.min(task.dur));
        let possible = task.dur <= i64::from(self.len);
        let whole = possible && min <= task.dur && task.dur <= task.max;
        let chunks = task.dur / min;
        let parts = possible && chunks >= 2 && task.dur <= chunks * max;
        let deadline = task.deadline.map_or(slots, |deadline| within(deadline, slots));
        Work {
            dur: task.dur as u32,
            // One more than all of it is as impossible as any larger number.
            min: min.min(task.dur + 1) as u32,
            max: max as u32,
            lo: self.next[within(task.est, slots)],
            hi: self.next[deadline],
            tail: self.next[deadline],
            clock_est: clock_at[within(task.est, slots)],
            clock_due: task.due.map_or(NEVER, |due| clock_at[within(due, slots)]),
            prio,
            flow: weights.flow * prio,
            tard: weights.tard * prio,
            drop: prio * (weights.drop_base + weights.drop_slot * task.dur),
            profile: problem
                .profiles
                .keys()
                .position(|name| *name == task.profile)
                .unwrap_or(0),
            sched: problem
                .hours
                .keys()
                .position(|name| *name == task.sched)
                .unwrap_or(0),
            deep: task.deep,
            move_all,
            was_at: self.next[within(first, slots)],
            prior,
            preds,
            succs: Vec::new(),
            whole,
            parts,
            ratio: prio as f64 / task.dur as f64,
            offset: self.room,
            room: if parts { chunks as u32 } else { 1 },
        }
    }

    /// What waits for an urgent task makes the task urgent.
    fn spread_urgency(&mut self) {
        for at in self.order.iter().rev() {
            let work = &self.works[*at as usize];
            let (mut weight, mut length) = (work.prio as f64, f64::from(work.dur));
            let mut best = work.ratio;
            let mut tail = work.hi;
            for succ in &work.succs {
                let succ = &self.works[*succ as usize];
                weight += succ.ratio * f64::from(succ.dur);
                length += f64::from(succ.dur);
                best = best.max(weight / length);
                tail = tail.min(succ.tail.saturating_sub(succ.dur));
            }
            self.works[*at as usize].ratio = best;
            self.works[*at as usize].tail = tail;
        }
    }
}

/// A slot number inside the horizon.
fn within(slot: i64, slots: usize) -> usize {
    slot.clamp(0, slots as i64) as usize
}

fn clamp(cap: i64) -> i32 {
    i32::try_from(cap).unwrap_or(i32::MAX)
}

/// Which slots ranges cover.
fn covered(ranges: impl Iterator<Item = (i64, i64)>, slots: usize) -> Vec<bool> {
    let mut found = vec![0_i32; slots + 1];
    for (start, end) in ranges {
        let (start, end) = (within(start, slots), within(end, slots));
        if start < end {
            found[start] += 1;
            found[end] -= 1;
        }
    }
    let mut depth = 0;
    let inside = |change: &i32| {
        depth += change;
        depth > 0
    };
    found[..slots].iter().map(inside).collect()
}

fn union_of_hours(problem: &Problem) -> Vec<bool> {
    covered(
        problem.hours.values().flatten().copied(),
        problem.horizon as usize,
    )
}

fn blocked(problem: &Problem) -> Vec<bool> {
    covered(problem.taken(), problem.horizon as usize)
}

/// Sums of a value over all positions before each.
fn prefix(real: &[bool], value: impl Fn(usize) -> i64) -> Vec<i64> {
    let mut sums = vec![0; real.len() + 1];
    for at in 0..real.len() {
        sums[at + 1] = sums[at] + if real[at] { value(at) } else { 0 };
    }
    sums
}

/// The clock after each position; a position between stretches repeats the one before.
fn clocks(slot: &[u32], real: &[bool], clock_at: &[i64]) -> Vec<i64> {
    let mut clocks = Vec::with_capacity(slot.len());
    for at in 0..slot.len() {
        let before = clocks.last().copied().unwrap_or(0);
        clocks.push(if real[at] {
            clock_at[slot[at] as usize + 1]
        } else {
            before
        });
    }
    clocks
}

/// A position between stretches is nobody's first.
fn fix_gaps(next: &mut [u32], real: &[bool]) {
    for first in next {
        if real.get(*first as usize) == Some(&false) {
            *first += 1;
        }
    }
}
