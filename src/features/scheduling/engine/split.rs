//! The best chunks for a task that may be split, given everything else.
//!
//! Dynamic programming over time: for each free position and each amount of work done before it, the cheapest way to get there. The scan
//! ends as soon as waiting alone costs more than the best way to finish. Day caps are kept exactly along each way; among ways of equal
//! reach only the cheapest is remembered, so that in rare cases with nearly full days a slightly better split is missed.

use super::bits::{run, starts};
use super::model::{Model, Span, Work};
use super::random::Random;
use super::state::State;
use super::ways::{Table, Way};
use super::whole::Blink;

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
        if !table.prepare(work, model.gap) {
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
                let sooner = if model.after(from.span.1) == start {
                    None
                } else {
                    sooner
                };
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
                            model.after(span.1),
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
                    at = self.model.after(start + len);
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
