//! Putting tasks that were taken out back into the plan, each at its best place, one after the other.
//!
//! Dependencies go first. A task that finds no place first takes back what waits for it, then may push others aside; what is pushed aside
//! is put back in turn. A task stays out when all this fails, and with it everything that waits for it.

use super::model::{NOBODY, Span};
use super::random::Random;
use super::state::State;
use super::ways::Table;
use super::whole::Blink;

/// How often one change may push others aside.
const PUSHES: u32 = 4;

/// From this much overlooking on, a task sometimes also goes to a later place than it could,
const DREAMY: Blink = 100;
/// this often, per mille,
const LINGER: usize = 150;
/// and by at most this many positions.
const LATER: usize = 8;

/// Which of the waiting tasks goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The most weight per slot.
    Urgent,
    /// The earliest deadline.
    Due,
    /// The longest.
    Long,
    /// The narrowest window.
    Tight,
    /// Any.
    Random,
    /// The one that was taken out first; and nobody is pushed aside.
    Taken,
}

/// The workbench: a plan, tasks waiting to be put back, and memory that is used again and again.
#[derive(Debug)]
pub(super) struct Bench<'m> {
    pub(super) state: State<'m>,
    pub(super) random: Random,
    table: Table,
    /// Waiting tasks with the key they are sorted by.
    waiting: Vec<(f64, u32)>,
    is_waiting: Vec<bool>,
    stack: Vec<u32>,
    pub(super) pushes: u32,
}

impl<'m> Bench<'m> {
    pub(super) fn new(state: State<'m>, seed: u64) -> Self {
        let tasks = state.model.works.len();
        let split = state.model.works.iter().filter(|work| work.parts).count();
        Self {
            state,
            random: Random::new(seed),
            table: Table::new(split),
            waiting: Vec::with_capacity(tasks),
            is_waiting: vec![false; tasks],
            stack: Vec::with_capacity(tasks),
            pushes: 0,
        }
    }

    /// How many tasks wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Marks a task that was placed by other means as no longer waiting.
    pub(super) fn put(&mut self, task: u32) {
        self.is_waiting[task as usize] = false;
    }

    /// Whether a task waits to be put back.
    pub(super) fn is_taken(&self, task: u32) -> bool {
        self.is_waiting[task as usize]
    }

    /// Takes a task out, or marks one that is out, to be put back.
    pub(super) fn take(&mut self, task: u32) {
        if self.is_waiting[task as usize] {
            return;
        }
        if self.state.is_placed(task) {
            self.state.lift(task);
        }
        self.is_waiting[task as usize] = true;
        self.waiting.push((f64::INFINITY, task));
    }

    /// Leaves all waiting tasks out and says which they were.
    pub(super) fn leave(&mut self) -> Vec<u32> {
        let mut left = Vec::new();
        for (_, task) in self.waiting.drain(..) {
            if std::mem::take(&mut self.is_waiting[task as usize]) {
                left.push(task);
            }
        }
        left
    }

    /// Puts all waiting tasks back as well as they go, until `stop` says that there is no time left.
    pub(super) fn recreate(&mut self, order: Order, blink: Blink, mut stop: impl FnMut() -> bool) {
        for at in 0..self.waiting.len() {
            self.waiting[at].0 = match order {
                Order::Taken => at as f64,
                order => self.key(order, self.waiting[at].1),
            };
        }
        self.waiting
            .sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        self.pushes = if order == Order::Taken { 0 } else { PUSHES };
        let mut at = 0;
        let mut stopped = false;
        while at < self.waiting.len() {
            stopped = stopped || (at % 16 == 15 && stop());
            let task = self.waiting[at].1;
            if stopped {
                // What is left stays out; what waits for it must not stay in.
                self.is_waiting[task as usize] = false;
                self.free_followers(task);
            } else {
                self.settle(task, blink);
            }
            at += 1;
        }
        self.waiting.clear();
    }

    fn key(&mut self, order: Order, task: u32) -> f64 {
        let noise = 0.7 + 0.6 * self.random.unit();
        let work = &self.state.model.works[task as usize];
        match order {
            Order::Urgent => -work.ratio * noise,
            Order::Due => {
                let due = work.clock_due.min(1_000_000) as f64;
                let last = self.state.model.clock.get((work.tail as usize).saturating_sub(1));
                due.min(last.map_or(0.0, |clock| *clock as f64)) * noise
            }
            Order::Long => -f64::from(work.dur) * noise,
            Order::Tight => f64::from(work.tail.saturating_sub(work.lo + work.dur)) * noise,
            Order::Random | Order::Taken => noise,
        }
    }

    /// Puts a task back after everything it waits for.
    fn settle(&mut self, task: u32, blink: Blink) {
        self.stack.clear();
        self.stack.push(task);
        while let Some(&top) = self.stack.last() {
            if !self.is_waiting[top as usize] {
                self.stack.pop();
                continue;
            }
            let preds = &self.state.model.works[top as usize].preds;
            match preds.iter().find(|pred| self.is_waiting[**pred as usize]) {
                Some(&pred) => self.stack.push(pred),
                None => {
                    self.stack.pop();
                    self.is_waiting[top as usize] = false;
                    self.insert(top, blink);
                }
            }
        }
    }

    fn insert(&mut self, task: u32, blink: Blink) {
        if let Some((lo, hi)) = self.state.window(task) {
            if self.state.model.is_steady && self.place_before_others(task, (lo, hi), blink) {
                return;
            }
            // Early enough for all that comes after it in this round, if that is possible.
            let early = hi.min(self.tail(task));
            if self.place_best(task, (lo, early), blink) {
                return;
            }
            let freed = self.free_followers(task);
            let hi = self.state.model.works[task as usize].hi;
            let early = hi.min(self.tail(task));
            if freed && self.state.model.is_steady && self.place_before_others(task, (lo, hi), blink) {
                return;
            }
            if (freed && self.place_best(task, (lo, early), blink))
                || (self.pushes > 0 && self.push_in(task, (lo, early), blink))
                || (early < hi && self.place_best(task, (lo, hi), blink))
            {
                return;
            }
        }
        self.free_followers(task);
    }

    /// Places a task so that as many as possible of those that wait for it can stay where they were.
    fn place_before_others(&mut self, task: u32, (lo, hi): Span, blink: Blink) -> bool {
        let mut before = 0;
        loop {
            let works = &self.state.model.works;
            let succs = works[task as usize].succs.iter();
            let firsts = succs
                .filter(|succ| self.is_waiting[**succ as usize])
                .filter_map(|succ| works[*succ as usize].prior.iter().map(|(span, _)| span.0).min());
            let Some(next) = firsts.filter(|first| *first > before && *first < hi).min() else {
                return false;
            };
            if self.place_best(task, (lo, next), blink) {
                return true;
            }
            before = next;
        }
    }

    /// Where a task has to end for the sake of those that wait to be put back after it.
    fn tail(&self, task: u32) -> u32 {
        let works = &self.state.model.works;
        let succs = works[task as usize]
            .succs
            .iter()
            .filter(|succ| self.is_waiting[**succ as usize]);
        let ends = succs.map(|succ| {
            works[*succ as usize]
                .tail
                .saturating_sub(works[*succ as usize].dur)
        });
        ends.min().unwrap_or(u32::MAX)
    }

    /// Places a task at its best free place.
    pub(super) fn place_best(&mut self, task: u32, window: Span, blink: Blink) -> bool {
        let work = &self.state.model.works[task as usize];
        if work.parts {
            let found = self
                .state
                .best_split(task, window, &mut self.table, &mut self.random, blink);
            let Some(cost) = found else { return false };
            if cost < self.state.cost(task) {
                self.state.place(task, &self.table.found, cost);
                return true;
            }
            return false;
        }
        if !work.whole {
            return false;
        }
        let mut found = self.state.best_whole(task, window, &mut self.random, blink);
        if let Some((span, _)) = found
            && blink >= DREAMY
            && self.random.chance(LINGER)
        {
            // Leaving a gap before itself is a poor choice for the task, and sometimes the right one for the next.
            let later = span.0 + 1 + self.random.below(LATER) as u32;
            found = self
                .state
                .best_whole(task, (later, window.1), &mut self.random, 0)
                .or(found);
        }
        match found {
            Some((span, cost)) if cost < self.state.cost(task) => {
                self.state.place(task, &[span], cost);
                true
            }
            _ => false,
        }
    }

    /// Takes out everything placed that waits for a task, directly or not; all of it is to be put back. Answers whether there was any.
    pub(super) fn free_followers(&mut self, task: u32) -> bool {
        let model = self.state.model;
        let from = self.waiting.len();
        let mut next = task;
        let mut at = from;
        loop {
            for &succ in &model.works[next as usize].succs {
                if self.state.is_placed(succ) {
                    self.take(succ);
                }
            }
            let Some(&(_, follower)) = self.waiting.get(at) else {
                return at > from;
            };
            next = follower;
            at += 1;
        }
    }

    /// Takes out the task at a position.
    pub(super) fn evict(&mut self, at: u32) {
        let owner = self.state.owner[at as usize];
        if owner != NOBODY {
            self.take(owner);
        }
    }
}
