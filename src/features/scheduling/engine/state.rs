//! A plan under change: who holds which position, what every task costs, and how to take a change back.
//!
//! The cost of a task depends on its own chunks alone, so placing and lifting keep the exact total with one addition. Whoever places a
//! task has checked that its positions are free; nothing here decides where a task should go.

use super::bits::run;
use super::model::{Model, NOBODY, Span};

/// What a task was before the running change.
#[derive(Debug, Clone, Copy)]
struct Entry {
    task: u32,
    chunks: u32,
    cost: i64,
}

/// A feasible plan. Tasks without chunks are left out.
#[derive(Debug)]
pub(super) struct State<'m> {
    pub(super) model: &'m Model,
    /// Positions where a chunk may lie, 64 in a word: free ones, and not too near to a chunk.
    pub(super) free: Vec<u64>,
    /// Positions that any schedule opens; of use only when chunks keep a gap, as the next.
    usable: Vec<u64>,
    /// How many chunks lie in each position or too near to it.
    near: Vec<u8>,
    /// The task at each position.
    pub(super) owner: Vec<u32>,
    /// What may still be planned in each day.
    pub(super) left: Vec<i32>,
    pub(super) chunks: Vec<Span>,
    pub(super) count: Vec<u32>,
    cost: Vec<i64>,
    /// The objective.
    pub(super) total: i64,
    /// Tasks without chunks, in no order.
    pub(super) out: Vec<u32>,
    out_at: Vec<u32>,
    stamp: Vec<u32>,
    epoch: u32,
    log: Vec<Entry>,
    log_chunks: Vec<Span>,
}

impl<'m> State<'m> {
    /// The plan that leaves everything out.
    pub(super) fn new(model: &'m Model) -> Self {
        let tasks = model.works.len();
        let words = model.len.div_ceil(64) as usize + 2;
        let mut free = vec![0; words];
        for open in &model.open {
            for (word, bits) in free.iter_mut().zip(open) {
                *word |= bits;
            }
        }
        let keeps_gaps = model.gap > 0;
        Self {
            model,
            usable: if keeps_gaps { free.clone() } else { Vec::new() },
            near: vec![0; if keeps_gaps { model.len as usize } else { 0 }],
            free,
            owner: vec![NOBODY; model.len as usize],
            left: model.caps.clone(),
            chunks: vec![(0, 0); model.room as usize],
            count: vec![0; tasks],
            cost: model.works.iter().map(|work| work.drop + work.move_all).collect(),
            total: model.works.iter().map(|work| work.drop + work.move_all).sum(),
            out: (0..tasks as u32).collect(),
            out_at: (0..tasks as u32).collect(),
            stamp: vec![0; tasks],
            epoch: 1,
            log: Vec::with_capacity(tasks),
            log_chunks: Vec::with_capacity(model.room as usize),
        }
    }

    pub(super) fn chunks(&self, task: u32) -> &[Span] {
        let offset = self.model.works[task as usize].offset as usize;
        &self.chunks[offset..offset + self.count[task as usize] as usize]
    }

    pub(super) fn is_placed(&self, task: u32) -> bool {
        self.count[task as usize] > 0
    }

    pub(super) fn cost(&self, task: u32) -> i64 {
        self.cost[task as usize]
    }

    /// Where the task may lie while everything else stays: from the end of what it waits for to the start of what waits for it. Nothing
    /// when something it waits for is left out.
    pub(super) fn window(&self, task: u32) -> Option<Span> {
        let preds = &self.model.works[task as usize].preds;
        let complete = preds.iter().all(|pred| self.is_placed(*pred));
        complete.then(|| self.loose_window(task))
    }

    /// The same when what it waits for and is left out may still go before it.
    pub(super) fn loose_window(&self, task: u32) -> Span {
        let work = &self.model.works[task as usize];
        let (mut lo, mut hi) = (work.lo, work.hi);
        for &pred in &work.preds {
            lo = lo.max(self.chunks(pred).last().map_or(0, |last| last.1));
        }
        for &succ in &work.succs {
            if let Some(first) = self.chunks(succ).first() {
                hi = hi.min(first.0);
            }
        }
        (lo, hi)
    }

    /// Whether the day caps leave room for a chunk.
    pub(super) fn within_caps(&self, (start, end): Span) -> bool {
        let (first, last) = (self.model.day[start as usize], self.model.day[end as usize - 1]);
        if first == last {
            return self.left[first as usize] >= (end - start) as i32;
        }
        let mut at = start;
        while at < end {
            let stop = self.model.day_end[at as usize].min(end);
            if self.left[self.model.day[at as usize] as usize] < (stop - at) as i32 {
                return false;
            }
            at = stop;
        }
        true
    }

    /// Whether a task that is out may lie exactly there, by every rule, in a window.
    pub(super) fn can_take(&self, task: u32, spans: &[Span], (mut at, hi): Span) -> bool {
        let work = &self.model.works[task as usize];
        let mut sum = 0;
        for &(start, end) in spans {
            let len = end - start;
            let open = run(&self.free, &self.model.open[work.sched], start, len) == len;
            if start < at || end > hi || len < work.min || len > work.max || !open {
                return false;
            }
            at = self.model.after(end);
            sum += len;
        }
        sum == work.dur && self.can_hold(spans)
    }

    /// Whether the day caps leave room for several chunks.
    pub(super) fn can_hold(&self, spans: &[Span]) -> bool {
        if let [span] = spans {
            return self.within_caps(*span);
        }
        let (mut day, mut used) = (u32::MAX, 0);
        for at in spans.iter().flat_map(|span| span.0..span.1) {
            let here = self.model.day[at as usize];
            used = if here == day { used + 1 } else { 1 };
            day = here;
            if used > self.left[day as usize] {
                return false;
            }
        }
        true
    }

    /// Gives a task its chunks, which are free, in order and within the caps.
    pub(super) fn place(&mut self, task: u32, spans: &[Span], cost: i64) {
        self.note(task);
        let offset = self.model.works[task as usize].offset as usize;
        self.chunks[offset..offset + spans.len()].copy_from_slice(spans);
        self.count[task as usize] = spans.len() as u32;
        for &span in spans {
            self.occupy(span, task, 1);
        }
        self.total += cost - self.cost[task as usize];
        self.cost[task as usize] = cost;
        let hole = self.out_at[task as usize] as usize;
        self.out.swap_remove(hole);
        if let Some(&moved) = self.out.get(hole) {
            self.out_at[moved as usize] = hole as u32;
        }
    }

    /// Takes a placed task out of the plan.
    pub(super) fn lift(&mut self, task: u32) {
        self.note(task);
        let work = &self.model.works[task as usize];
        let offset = work.offset as usize;
        for at in offset..offset + self.count[task as usize] as usize {
            self.occupy(self.chunks[at], NOBODY, -1);
        }
        self.count[task as usize] = 0;
        let cost = work.drop + work.move_all;
        self.total += cost - self.cost[task as usize];
        self.cost[task as usize] = cost;
        self.out_at[task as usize] = self.out.len() as u32;
        self.out.push(task);
    }

    fn occupy(&mut self, (start, end): Span, owner: u32, used: i32) {
        self.owner[start as usize..end as usize].fill(owner);
        let mut at = start;
        while at < end {
            let stop = self.model.day_end[at as usize].min(end);
            self.left[self.model.day[at as usize] as usize] -= used * (stop - at) as i32;
            at = stop;
        }
        if self.model.gap > 0 {
            self.cast_shadow((start, end), used > 0);
            return;
        }
        let mut at = start;
        while at < end {
            let stop = ((at / 64 + 1) * 64).min(end);
            let bits = (u64::MAX >> (64 - (stop - at))) << (at % 64);
            if used > 0 {
                self.free[at as usize / 64] &= !bits;
            } else {
                self.free[at as usize / 64] |= bits;
            }
            at = stop;
        }
    }

    /// A gap around a chunk is the same as no chunk within it on either side. The gaps of two neighbours may overlap, so what one leaves
    /// free the other may still hold.
    fn cast_shadow(&mut self, span: Span, is_placed: bool) {
        let (first, last) = self.model.shadow(span);
        for at in first as usize..last as usize {
            let bit = 1 << (at % 64);
            if is_placed {
                self.near[at] += 1;
                self.free[at / 64] &= !bit;
            } else {
                self.near[at] -= 1;
                if self.near[at] == 0 {
                    self.free[at / 64] |= bit & self.usable[at / 64];
                }
            }
        }
    }

    /// Starts a change that can be taken back.
    pub(super) fn begin(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.stamp.fill(0);
            self.epoch = 1;
        }
        self.log.clear();
        self.log_chunks.clear();
    }

    fn note(&mut self, task: u32) {
        let at = task as usize;
        if self.stamp[at] == self.epoch {
            return;
        }
        self.stamp[at] = self.epoch;
        let (offset, count) = (self.model.works[at].offset as usize, self.count[at]);
        self.log_chunks
            .extend_from_slice(&self.chunks[offset..offset + count as usize]);
        self.log.push(Entry {
            task,
            chunks: count,
            cost: self.cost[at],
        });
    }

    /// Takes everything back since `begin`.
    pub(super) fn undo(&mut self) {
        let log = std::mem::take(&mut self.log);
        let chunks = std::mem::take(&mut self.log_chunks);
        for entry in &log {
            if self.is_placed(entry.task) {
                self.lift(entry.task);
            }
        }
        let mut from = 0;
        for entry in &log {
            let to = from + entry.chunks as usize;
            if entry.chunks > 0 {
                self.place(entry.task, &chunks[from..to], entry.cost);
            }
            from = to;
        }
        (self.log, self.log_chunks) = (log, chunks);
        self.log.clear();
        self.log_chunks.clear();
    }
}
