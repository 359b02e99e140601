//! Questions to a series: what starts in a window, what comes first, next, before and last, and how many there are.
//!
//! Promises: a window gives the same starts whatever was asked before, and windows side by side give what the whole gives; starts
//! are in order and told once; work is bounded by the budget, and an answer that the budget cut short says so.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::civil::{self, DAY, HORIZON};
use super::resolve::{Resolver, timestamp, wall_times};
use super::series::{Found, Gap, Kind, Limit, Series};
use super::walk::{Stop, Work};

/// How much an answer may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Steps of expansion: days and months looked at, and starts found. Ten thousand take less than a millisecond.
    pub steps: u32,
    /// Starts in the answer.
    pub starts: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: 50_000,
            starts: 50_000,
        }
    }
}

/// One start of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The instant at which it starts.
    pub start: Timestamp,
    /// The wall time that was meant, as the rule or RDATE has it; inside a gap it does not exist.
    pub local: DateTime,
    /// When it ends, if it has a length of its own.
    pub end: Option<Timestamp>,
}

/// Starts, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion {
    /// All of them, or the earliest when truncated.
    pub occurrences: Vec<Occurrence>,
    /// Whether the budget ended before the window did.
    pub truncated: bool,
}

/// Whoever is shown starts one after the other.
type Show<'a> = &'a mut dyn FnMut(Found) -> ControlFlow<()>;

impl Series {
    /// The starts in a half-open window.
    pub fn expand(&self, window: Range<Timestamp>, budget: Budget) -> Expansion {
        self.collect(
            self.ceil(window.start),
            self.ceil(window.end),
            budget.starts,
            budget,
        )
    }

    /// The first starts from an instant on, that included.
    pub fn take(&self, from: Timestamp, most: usize, budget: Budget) -> Expansion {
        let mut expansion = self.collect(self.ceil(from), i64::MAX, most.min(budget.starts), budget);
        // Here enough is no truncation.
        expansion.truncated &= expansion.occurrences.len() < most;
        expansion
    }

    fn collect(&self, from: i64, to: i64, most: usize, budget: Budget) -> Expansion {
        let mut occurrences = Vec::new();
        let mut is_full = false;
        let stop = self.visit(from, to, &mut Work(budget.steps), &mut |found| {
            is_full = occurrences.len() >= most;
            if is_full {
                return ControlFlow::Break(());
            }
            occurrences.push(self.occurrence(found));
            ControlFlow::Continue(())
        });
        Expansion {
            occurrences,
            truncated: is_full || stop == Stop::Spent,
        }
    }

    /// The start as it is told.
    pub(super) fn occurrence(&self, found: Found) -> Occurrence {
        Occurrence {
            start: timestamp(found.at, self.fraction),
            local: civil::datetime(found.local, self.fraction),
            end: found.end.map(|end| timestamp(end, self.fraction)),
        }
    }

    /// The first whole second whose start is not before an instant.
    pub(super) fn ceil(&self, at: Timestamp) -> i64 {
        let nanoseconds = at.as_nanosecond() - i128::from(self.fraction);
        i64::try_from(-(-nanoseconds).div_euclid(1_000_000_000)).unwrap_or_default()
    }

    /// Shows all starts of a half-open window in order.
    pub(super) fn visit(&self, from: i64, to: i64, work: &mut Work, show: Show<'_>) -> Stop {
        let first = self.extras.partition_point(|extra| extra.at < from);
        let mut merge = Merge {
            series: self,
            window: from..to,
            shifted: VecDeque::new(),
            extras: &self.extras[first..],
            last: None,
            show,
        };
        let stop = self.visit_rule(from, to, work, &mut merge);
        if stop != Stop::End {
            return stop;
        }
        match merge.finish() {
            ControlFlow::Continue(()) => Stop::End,
            ControlFlow::Break(()) => Stop::Enough,
        }
    }

    fn visit_rule(&self, from: i64, to: i64, work: &mut Work, merge: &mut Merge<'_>) -> Stop {
        let Some(engine) = &self.engine else {
            return Stop::End;
        };
        if engine.count == Some(0) || from >= to {
            return Stop::End;
        }
        let to = match self.limit {
            Limit::Instant(until) => to.min(until.saturating_add(1)),
            _ => to,
        };
        let (mut low, mut high) = wall_times(&self.zone, from, to);
        if self.kind == Kind::Day {
            // All that a rule gives on a day is the day, which is told at its midnight.
            (low, high) = (low.saturating_sub(DAY), high.saturating_add(DAY));
        }
        if let Limit::Local(until) = self.limit {
            high = high.min(until);
        }
        let mut resolver = Resolver::new(&self.zone);
        let mut show = |local: i64| {
            let local = if self.kind == Kind::Day {
                local.div_euclid(DAY) * DAY
            } else {
                local
            };
            let resolved = resolver.resolve(local);
            if resolved.is_shifted && self.gap == Gap::Skip {
                return ControlFlow::Continue(());
            }
            let found = Found {
                at: resolved.at,
                local,
                end: None,
            };
            merge.rule(found, resolved.is_shifted)
        };
        let high = high.min(HORIZON);
        if engine.count.is_some() && self.gap == Gap::Skip {
            let mut clocks = Resolver::new(&self.zone);
            let mut exists = |local: i64| !clocks.resolve(local).is_shifted;
            return engine.walk(low, high, work, Some(&mut exists), &mut show);
        }
        engine.walk(low, high, work, None, &mut show)
    }
}

/// Brings the starts of the rule and those beside it into one order.
struct Merge<'a> {
    series: &'a Series,
    window: Range<i64>,
    /// Starts that a gap moved behind others that the rule gives later.
    shifted: VecDeque<Found>,
    extras: &'a [Found],
    last: Option<Found>,
    show: Show<'a>,
}

impl Merge<'_> {
    /// Takes the next start of the rule.
    fn rule(&mut self, found: Found, is_shifted: bool) -> ControlFlow<()> {
        if is_shifted {
            self.shifted.push_back(found);
            return ControlFlow::Continue(());
        }
        self.release(found.at)?;
        self.offer(found)
    }

    /// Tells the shifted starts up to an instant, that included.
    fn release(&mut self, to: i64) -> ControlFlow<()> {
        while let Some(found) = self.shifted.pop_front_if(|found| found.at <= to) {
            self.offer(found)?;
        }
        ControlFlow::Continue(())
    }

    fn offer(&mut self, found: Found) -> ControlFlow<()> {
        let is_beyond = match self.series.limit {
            Limit::None => false,
            Limit::Local(until) => found.local > until,
            Limit::Instant(until) => found.at > until,
        };
        if is_beyond || !self.window.contains(&found.at) || self.series.is_excluded(found) {
            return ControlFlow::Continue(());
        }
        while let [extra, rest @ ..] = self.extras
            && (extra.at < found.at || self.series.is_same(*extra, found))
        {
            self.extras = rest;
            self.tell(*extra)?;
        }
        self.tell(found)
    }

    fn tell(&mut self, found: Found) -> ControlFlow<()> {
        if self.last.is_some_and(|last| self.series.is_same(last, found)) {
            return ControlFlow::Continue(());
        }
        self.last = Some(found);
        (self.show)(found)
    }

    fn finish(mut self) -> ControlFlow<()> {
        self.release(i64::MAX)?;
        while let [extra, rest @ ..] = self.extras
            && extra.at < self.window.end
        {
            self.extras = rest;
            self.tell(*extra)?;
        }
        ControlFlow::Continue(())
    }
}
