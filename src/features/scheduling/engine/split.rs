//! The best chunks for a task that may be split, given everything else.
//!
//! Dynamic programming over time: for each free position and each amount of work done before it, the cheapest way to get there. The scan
//! ends as soon as waiting alone costs more than the best way to finish. Day caps are kept exactly along each way; among ways of equal
//! reach only the cheapest is remembered, so that in rare cases with nearly full days a slightly better split is missed.

use super::bits::{run, starts};
use super::model::{Model, Span, Work};
use super::random::Random;
use super::state::State;
use super::whole::Blink;

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
struct Way {
    cost: i64,
    before: u32,
    span: Span,
    /// The day of the last position and what the way uses of it.
    day: u32,
    used: u32,
}

/// Memory for the ways and the answer, kept from call to call.
#[derive(Debug, Default)]
pub(super) struct Table {
    ways: Vec<Way>,
    /// The cheapest way by the amount of work done, of those that allow a chunk at the position looked at.
    now: Vec<u32>,
    /// Ways that allow the next chunk only at a later position: a ring of positions, each with one way by the amount of work done.
    later: Vec<u32>,
    /// How many ways each row of the ring holds.
    filled: Vec<u32>,
    /// Whether that much work can be cut into allowed chunks.
    cuts: Vec<bool>,
    most_steps: usize,
    /// The chunks found, in order.
    pub(super) found: Vec<Span>,
}

impl State<'_> {
    /// Fills `table.found` with the cheapest chunks inside a window and answers their cost.
    pub(super) fn best_split(
        &self,
        task: u32,
        (lo, hi): Span,
        table: &mut Table,
        random: &mut Random,
        blink: Blink,
    ) -> Option<i64> {
        let model = self.model;
        let work = &model.works[task as usize];
        let saved: i64 = work.prior.iter().map(|(_, saved)| saved).sum();
        let open = &model.open[work.sched];
        if !table.prepare(work) {
            return self.early_split(work, (lo, hi), table);
        }
        let mut best: Option<(i64, u32)> = None;
        let (mut at, mut steps) = (lo, 0);
        while let Some(start) = self.next_start(open, at, hi, work.min) {
            table.advance(at, start);
            at = start + 1;
            let least = best.map_or(i64::MAX, |(cost, _)| cost);
            if Model::end_cost(work, model.clock[start as usize]) - saved >= least || steps > table.most_steps
            {
                break;
            }
            if blink > 0 && random.chance(blink) {
                continue;
            }
            let room = run(&self.free, open, start, work.max.min(hi - start));
            let sooner = self.sooner(work, start, lo);
            steps += work.dur as usize;
            for done in 0..work.dur {
                let before = table.now[done as usize];
                let Some(&from) = table.ways.get(before as usize) else {
                    continue;
                };
                // Right behind a chunk there is no room to start sooner.
                let sooner = if from.span.1 + 1 == start { None } else { sooner };
                if sooner == Some(0) {
                    continue;
                }
                let rest = work.dur - done;
                let end = (start + rest).min(model.len) as usize - 1;
                let least = best.map_or(i64::MAX, |(cost, _)| cost);
                if from.cost + model.frag + Model::end_cost(work, model.clock[end]) - saved >= least {
                    continue;
                }
                for len in work.min..=room.min(rest) {
                    if !table.cuts[(rest - len) as usize] {
                        continue;
                    }
                    steps += 1;
                    let span = (start, start + len);
                    if sooner.is_some_and(|cost| cost <= model.slot_cost(work, span.1 - 1)) {
                        continue;
                    }
                    let Some((day, used)) = self.use_of_day(from, span) else {
                        break;
                    };
                    let mut cost = from.cost + model.frag + model.chunk_cost(work, span);
                    if len == rest {
                        cost += Model::end_cost(work, model.clock[span.1 as usize - 1]);
                        if best.is_none_or(|(least, _)| cost < least) {
                            best = Some((cost, table.ways.len() as u32));
                            table.ways.push(Way {
                                cost,
                                before,
                                span,
                                day,
                                used,
                            });
                        }
                    } else {
                        table.offer(
                            done + len,
                            Way {
                                cost,
                                before,
                                span,
                                day,
                                used,
                            },
                        );
                    }
                }
            }
        }
        match best {
            Some((cost, way)) => {
                table.trace(way);
                Some(cost + work.move_all - model.frag)
            }
            None if steps > table.most_steps => self.early_split(work, (lo, hi), table),
            None => None,
        }
    }

    /// Fills `table.found` with the first chunks that do, each as long as possible.
    fn early_split(&self, work: &Work, (lo, hi): Span, table: &mut Table) -> Option<i64> {
        let open = &self.model.open[work.sched];
        table.found.clear();
        let (mut at, mut rest) = (lo, work.dur);
        let mut way = Table::START;
        while let Some(start) = self.next_start(open, at, hi, work.min) {
            let room = run(&self.free, open, start, work.max.min(rest).min(hi - start));
            at = start + 1;
            for len in (work.min..=room).rev().filter(|len| work.cuts_into(rest - len)) {
                if let Some((day, used)) = self.use_of_day(way, (start, start + len)) {
                    way = Way { day, used, ..way };
                    table.found.push((start, start + len));
                    rest -= len;
                    at = start + len + 1;
                    break;
                }
            }
            if rest == 0 {
                return Some(self.model.work_cost(work, &table.found));
            }
        }
        None
    }

    /// What the position before a start costs, when a chunk could as well begin there: then every chunk from the start on that ends at
    /// a place no cheaper than that is no better than the same chunk one position sooner.
    fn sooner(&self, work: &Work, start: u32, lo: u32) -> Option<i64> {
        let before = start
            .checked_sub(1)
            .filter(|before| *before >= lo && work.prior.is_empty())?;
        let same_day = self.model.day[before as usize] == self.model.day[start as usize];
        let free = run(&self.free, &self.model.open[work.sched], before, 1) == 1;
        (same_day && free).then(|| self.model.slot_cost(work, before))
    }

    /// The first position of a window from which a shortest chunk fits.
    fn next_start(&self, open: &[u64], from: u32, hi: u32, min: u32) -> Option<u32> {
        let mut at = from;
        while at + min <= hi {
            let word = at as usize / 64;
            let (here, there) = (self.free[word] & open[word], self.free[word + 1] & open[word + 1]);
            let mut bits = if min <= 64 { starts(here, there, min) } else { here };
            bits &= u64::MAX << (at % 64);
            while bits != 0 {
                let start = word as u32 * 64 + bits.trailing_zeros();
                if start + min > hi {
                    return None;
                }
                if min <= 64 || run(&self.free, open, start, min) == min {
                    return Some(start);
                }
                bits &= bits - 1;
            }
            at = (word as u32 + 1) * 64;
        }
        None
    }

    /// The last day a chunk touches and what is used of it then; nothing when a cap forbids the chunk.
    fn use_of_day(&self, from: Way, (start, end): Span) -> Option<(u32, u32)> {
        let model = self.model;
        let mut at = start;
        let (mut day, mut used) = (from.day, from.used);
        while at < end {
            let stop = model.day_end[at as usize].min(end);
            let here = model.day[at as usize];
            if here != day {
                (day, used) = (here, 0);
            }
            used += stop - at;
            if self.left[day as usize] < used as i32 {
                return None;
            }
            at = stop;
        }
        Some((day, used))
    }
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

    const START: Way = Way {
        cost: 0,
        before: NO_WAY,
        span: (0, 0),
        day: u32::MAX,
        used: 0,
    };

    /// Makes ready for a task; answers false when its table would be too large.
    fn prepare(&mut self, work: &Work) -> bool {
        let (width, rows) = (work.dur as usize + 1, work.max as usize + 2);
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

    /// Remembers a way when it is the cheapest with that much work done before the same position.
    fn offer(&mut self, done: u32, way: Way) {
        // Chunks of one task lie at least one position apart.
        let row = (way.span.1 as usize + 1) % self.filled.len();
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
    fn advance(&mut self, from: u32, to: u32) {
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
    fn trace(&mut self, last: u32) {
        self.found.clear();
        let mut at = last;
        while let Some(way) = self.ways.get(at as usize).filter(|way| way.before != NO_WAY) {
            self.found.push(way.span);
            at = way.before;
        }
        self.found.reverse();
    }
}
