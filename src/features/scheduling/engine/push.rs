//! Making room for a task that found none: others are pushed aside where they lose least.

use super::bits::run;
use super::model::{NOBODY, Span};
use super::recreate::Bench;
use super::whole::Blink;

/// Places looked at.
const TRIES: usize = 12;

impl Bench<'_> {
    /// Places a task where others lie, at the place where they lose least, and takes those out.
    pub(super) fn push_in(&mut self, task: u32, (lo, hi): Span, blink: Blink) -> bool {
        let model = self.state.model;
        let work = &model.works[task as usize];
        if hi < lo + work.dur {
            return false;
        }
        self.pushes -= 1;
        if work.parts {
            let mut at = lo + self.random.below((hi - lo - work.dur + 1) as usize) as u32;
            let stop = (at + work.dur * 2).min(hi);
            while at < stop {
                self.evict(at);
                at += 1;
            }
            return self.place_best(task, (lo, hi), blink);
        }
        if !work.whole {
            return false;
        }
        let open = &model.open[work.sched];
        let mut best: Option<(i64, Span)> = None;
        for _ in 0..TRIES {
            let start = lo + self.random.below((hi - lo - work.dur + 1) as usize) as u32;
            let span = (start, start + work.dur);
            if run(open, open, start, work.dur) < work.dur
                || model.caps[model.day[start as usize] as usize] < work.dur as i32
            {
                continue;
            }
            let loss = self.loss(span) + model.whole_cost(work, span);
            if best.is_none_or(|(least, _)| loss < least) {
                best = Some((loss, span));
            }
        }
        match best {
            Some((_, span)) if self.clear(span) => {
                self.state.place(task, &[span], model.whole_cost(work, span));
                true
            }
            _ => false,
        }
    }

    /// What others may lose when they have to leave a place: much for those that have little room elsewhere.
    fn loss(&self, span: Span) -> i64 {
        let model = self.state.model;
        let (start, end) = model.shadow(span);
        let mut at = start;
        let mut loss = 0;
        while at < end {
            let owner = self.state.owner[at as usize];
            at += 1;
            if owner == NOBODY {
                continue;
            }
            let other = &model.works[owner as usize];
            while at < end && self.state.owner[at as usize] == owner {
                at += 1;
            }
            let room = i64::from(other.hi.saturating_sub(at)) + 1;
            loss += self.state.cost(owner) / 4 + other.drop / room;
        }
        loss
    }

    /// Takes out whoever lies in a place, and others of its day until the cap leaves room.
    fn clear(&mut self, span: Span) -> bool {
        let model = self.state.model;
        let (first, last) = model.shadow(span);
        for at in first..last {
            self.evict(at);
        }
        let mut at = span.1;
        let day = model.day[span.0 as usize];
        // Later tasks of the day first: they have less to lose.
        while !self.state.within_caps(span) {
            if at >= model.len || model.day[at as usize] != day {
                break;
            }
            self.evict(at);
            at += 1;
        }
        let mut at = span.0;
        while !self.state.within_caps(span) {
            if at == 0 || model.day[at as usize - 1] != day {
                return false;
            }
            at -= 1;
            self.evict(at);
        }
        true
    }
}
