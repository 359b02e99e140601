//! The best place for a task in one piece, given everything else: a scan over free positions that ends as soon as waiting alone costs
//! more than the best place found.

use super::bits::{run, starts};
use super::model::{Model, Span, Work};
use super::random::Random;
use super::state::State;

/// How often a good place is overlooked on purpose, per mille; makes the search try other ones.
pub(super) type Blink = usize;

impl State<'_> {
    /// The cheapest free place inside a window, with its cost.
    pub(super) fn best_whole(
        &self,
        task: u32,
        window: Span,
        random: &mut Random,
        blink: Blink,
    ) -> Option<(Span, i64)> {
        let work = &self.model.works[task as usize];
        let mut best = self.best_prior(work, window);
        let mut overlooked = None;
        self.scan(work, window, |span| {
            let Some(span) = span else {
                return best.map_or(i64::MAX, |(_, cost)| cost);
            };
            let cost = self.model.whole_cost(work, span);
            if best.is_none_or(|(_, least)| cost < least) {
                if blink > 0 && random.chance(blink) {
                    overlooked = overlooked.or(Some((span, cost)));
                } else {
                    best = Some((span, cost));
                }
            }
            best.map_or(i64::MAX, |(_, cost)| cost)
        });
        best.or(overlooked)
    }

    /// Calls `visit` for free places in the order of time, until the cost it answers is less than waiting alone would cost. Asked
    /// without a place it only answers.
    fn scan(&self, work: &Work, (mut at, hi): Span, mut visit: impl FnMut(Option<Span>) -> i64) {
        let model = self.model;
        let open = &model.open[work.sched];
        let mut least = visit(None);
        while at + work.dur <= hi {
            let word = at as usize / 64;
            if floor(model, work, at) >= least {
                return;
            }
            let base = word as u32 * 64;
            let (here, there) = (self.free[word] & open[word], self.free[word + 1] & open[word + 1]);
            let long = work.dur > 64;
            let mut bits = if long { here } else { starts(here, there, work.dur) };
            bits &= u64::MAX << (at % 64);
            at = base + 64;
            while bits != 0 {
                let start = base + bits.trailing_zeros();
                let span = (start, start + work.dur);
                if span.1 > hi {
                    return;
                }
                let (day, spills) = (model.day[start as usize], model.day_end[start as usize] < span.1);
                if self.left[day as usize] < work.dur as i32 && !spills {
                    // The rest of this day is of no use, but for a chunk that reaches into the next one.
                    let skip = model.day_end[start as usize]
                        .saturating_sub(work.dur - 1)
                        .max(start + 1);
                    if skip >= base + 64 {
                        at = skip;
                        break;
                    }
                    bits &= u64::MAX << (skip - base);
                    continue;
                }
                bits &= bits - 1;
                if floor(model, work, start) >= least {
                    return;
                }
                if (spills && !self.within_caps(span))
                    || (long && run(&self.free, open, start, work.dur) < work.dur)
                {
                    continue;
                }
                least = visit(Some(span));
            }
        }
    }

    /// An earlier place that is still free.
    fn best_prior(&self, work: &Work, (lo, hi): Span) -> Option<(Span, i64)> {
        let open = &self.model.open[work.sched];
        let mut best: Option<(Span, i64)> = None;
        for &(span, _) in &work.prior {
            let fits = span.1 - span.0 == work.dur
                && span.0 >= lo
                && span.1 <= hi
                && run(&self.free, open, span.0, work.dur) == work.dur
                && self.within_caps(span);
            if fits {
                let cost = self.model.whole_cost(work, span);
                if best.is_none_or(|(_, least)| cost < least) {
                    best = Some((span, cost));
                }
            }
        }
        best
    }
}

/// What the task costs at least from a position on: the earlier chunks that could stay were tried before.
fn floor(model: &Model, work: &Work, start: u32) -> i64 {
    work.move_all + Model::end_cost(work, model.clock[(start + work.dur) as usize - 1])
}
