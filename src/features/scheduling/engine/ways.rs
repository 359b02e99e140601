//! Memory of a split: the ways to have done some of a task's work, the cheapest for each amount and position.

use super::model::{Span, Work};

/// Most steps for all tasks together, and the least and most for one. A task that needs more is placed with what was found until then,
/// or as early as it goes.
const ALL_STEPS: usize = 20_000_000;
const LEAST_STEPS: usize = 2_000;
const MOST_STEPS: usize = 60_000;
/// Largest ring; a task with a larger one is placed as early as it goes.
const MAX_RING: usize = 1_000_000;
const NO_WAY: u32 = u32::MAX;

/// One way to have done some of the work: its last chunk and the way before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) cost: i64,
    pub(super) before: u32,
    pub(super) span: Span,
    /// The day of the last position and what the way uses of it.
    pub(super) day: u32,
    pub(super) used: u32,
}

/// Memory for the ways and the answer, kept from call to call.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) ways: Vec<Way>,
    /// The cheapest way by the amount of work done, of those that allow a chunk at the position looked at.
    pub(super) now: Vec<u32>,
    /// Ways that allow the next chunk only at a later position: a ring of positions, each with one way by the amount of work done.
    later: Vec<u32>,
    /// How many ways each row of the ring holds.
    filled: Vec<u32>,
    /// Whether that much work can be cut into allowed chunks.
    pub(super) cuts: Vec<bool>,
    /// Most steps for one task.
    pub(super) most_steps: usize,
    /// The chunks found, in order.
    pub(super) found: Vec<Span>,
}

impl Table {
    /// A table for a problem of that many tasks that may be split.
    pub(super) fn new(tasks: usize) -> Self {
        let most_steps = (ALL_STEPS / tasks.max(1)).clamp(LEAST_STEPS, MOST_STEPS);
        Self {
            most_steps,
            ..Self::default()
        }
    }

    pub(super) const START: Way = Way {
        cost: 0,
        before: NO_WAY,
        span: (0, 0),
        day: u32::MAX,
        used: 0,
    };

    /// Makes ready for a task; answers false when its table would be too large.
    pub(super) fn prepare(&mut self, work: &Work, gap: u32) -> bool {
        let (width, rows) = (work.dur as usize + 1, work.max as usize + gap as usize + 2);
        if width * rows > MAX_RING {
            return false;
        }
        self.ways.clear();
        self.ways.push(Self::START);
        self.now.clear();
        self.now.resize(width, NO_WAY);
        self.now[0] = 0;
        self.later.clear();
        self.later.resize(width * rows, NO_WAY);
        self.filled.clear();
        self.filled.resize(rows, 0);
        self.cuts.clear();
        self.cuts.extend((0..=work.dur).map(|rest| work.cuts_into(rest)));
        true
    }

    /// Remembers a way when it is the cheapest with that much work done among those that can go on at one position.
    pub(super) fn offer(&mut self, done: u32, ready: u32, way: Way) {
        let row = ready as usize % self.filled.len();
        let cell = row * self.now.len() + done as usize;
        let known = self.later[cell];
        match self.ways.get_mut(known as usize) {
            Some(known) if known.cost <= way.cost => {}
            Some(known) => *known = way,
            None => {
                self.later[cell] = self.ways.len() as u32;
                self.filled[row] += 1;
                self.ways.push(way);
            }
        }
    }

    /// Moves on to a later position: ways whose time has come can be used from there on.
    pub(super) fn advance(&mut self, from: u32, to: u32) {
        let (width, rows) = (self.now.len(), self.filled.len());
        for at in from..=to.min(from + rows as u32 - 1) {
            let row = at as usize % rows;
            if self.filled[row] == 0 {
                continue;
            }
            self.filled[row] = 0;
            for done in 0..width {
                let way = std::mem::replace(&mut self.later[row * width + done], NO_WAY);
                let Some(arrived) = self.ways.get(way as usize) else {
                    continue;
                };
                let known = self.ways.get(self.now[done] as usize);
                if known.is_none_or(|known| arrived.cost < known.cost) {
                    self.now[done] = way;
                }
            }
        }
    }

    /// Walks back from the last chunk.
    pub(super) fn trace(&mut self, last: u32) {
        self.found.clear();
        let mut at = last;
        while let Some(way) = self.ways.get(at as usize).filter(|way| way.before != NO_WAY) {
            self.found.push(way.span);
            at = way.before;
        }
        self.found.reverse();
    }
}
