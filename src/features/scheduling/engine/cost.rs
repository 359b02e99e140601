//! What a placement costs: the objective, one task at a time, in exact integers.

use super::model::{Model, Span, Work};
use super::score::Parts;

impl Model {
    /// Cost of a task that ends at a working-time clock: as soon as possible, and not late.
    pub(super) fn end_cost(work: &Work, clock: i64) -> i64 {
        let mut cost = work.flow * (clock - work.clock_est).max(0);
        if clock > work.clock_due {
            cost += work.tard * (clock - work.clock_due);
        }
        cost
    }

    /// Cost of one chunk by where it lies: the person's preference, protected windows, and what is saved because it stays.
    pub(super) fn chunk_cost(&self, work: &Work, (start, end): Span) -> i64 {
        let (from, to) = (start as usize, end as usize);
        let pref = &self.pref[work.profile];
        let mut cost = pref[to] - pref[from];
        if !work.deep {
            cost += self.focus[to] - self.focus[from];
        }
        for (span, saved) in &work.prior {
            if *span == (start, end) {
                cost -= saved;
            }
        }
        cost
    }

    /// Cost of one position by where it lies.
    pub(super) fn slot_cost(&self, work: &Work, at: u32) -> i64 {
        let at = at as usize;
        let pref = self.pref[work.profile][at + 1] - self.pref[work.profile][at];
        if work.deep {
            pref
        } else {
            pref + self.focus[at + 1] - self.focus[at]
        }
    }

    /// Cost of a task in one chunk.
    pub(super) fn whole_cost(&self, work: &Work, span: Span) -> i64 {
        work.move_all + Self::end_cost(work, self.clock[span.1 as usize - 1]) + self.chunk_cost(work, span)
    }

    /// Cost of a task in these chunks; of leaving it out when there are none.
    pub(super) fn cost(&self, task: u32, spans: &[Span]) -> i64 {
        self.work_cost(&self.works[task as usize], spans)
    }

    pub(super) fn work_cost(&self, work: &Work, spans: &[Span]) -> i64 {
        let Some(last) = spans.last() else {
            return work.drop + work.move_all;
        };
        let chunks: i64 = spans.iter().map(|span| self.chunk_cost(work, *span)).sum();
        work.move_all
            + Self::end_cost(work, self.clock[last.1 as usize - 1])
            + chunks
            + self.frag * (spans.len() as i64 - 1)
    }

    /// The same cost, part by part.
    pub(super) fn parts(&self, task: u32, spans: &[Span]) -> Parts {
        let work = &self.works[task as usize];
        let mut parts = Parts {
            moved: work.move_all,
            ..Parts::default()
        };
        let Some(last) = spans.last() else {
            parts.drop = work.drop;
            return parts;
        };
        let clock = self.clock[last.1 as usize - 1];
        parts.flow = work.flow * (clock - work.clock_est).max(0);
        parts.tard = work.tard * (clock - work.clock_due).max(0);
        parts.frag = self.frag * (spans.len() as i64 - 1);
        for &(start, end) in spans {
            let (from, to) = (start as usize, end as usize);
            parts.pref += self.pref[work.profile][to] - self.pref[work.profile][from];
            if !work.deep {
                parts.focus += self.focus[to] - self.focus[from];
            }
            let kept = work.prior.iter().filter(|(span, _)| *span == (start, end));
            parts.moved -= kept.map(|(_, saved)| saved).sum::<i64>();
        }
        parts
    }
}
