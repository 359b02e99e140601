//! Walking the wall times that a rule gives, from any point on: the period to begin with is computed, never searched for.
//!
//! Promises: ascending, each once, path-independent (where a walk begins does not change what it meets); every step is paid for,
//! so that no rule runs away. COUNT needs the number of earlier occurrences: arithmetic where every period has as many of them,
//! otherwise they are counted from the start, at the same price.

use std::ops::ControlFlow;

use super::civil::{self, DAY, HORIZON};
use super::engine::Engine;
use super::periods::Walk;
use super::rule::Frequency;

/// Steps that may still be taken.
#[derive(Debug)]
pub(super) struct Work(pub(super) u32);

impl Work {
    /// Takes steps; breaks off when there are not enough.
    pub(super) fn pay(&mut self, steps: u32) -> ControlFlow<Stop> {
        match self.0.checked_sub(steps) {
            Some(left) => {
                self.0 = left;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(Stop::Spent),
        }
    }
}

/// Why a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Nothing more lies before the limit.
    End,
    /// Whoever is shown the occurrences has enough.
    Enough,
    /// The work was used up.
    Spent,
}

impl Engine {
    /// Shows all wall times between `low` and `high`, both included, that are no earlier than the start, as long as COUNT lasts.
    /// `counts` says whether a wall time exists and is counted at all; `None` when all are.
    pub(super) fn walk(
        &self,
        low: i64,
        high: i64,
        work: &mut Work,
        counts: Option<&mut dyn FnMut(i64) -> bool>,
        show: &mut dyn FnMut(i64) -> ControlFlow<()>,
    ) -> Stop {
        let Some(count) = self.count else {
            return self.periods(low.max(self.start), high, work, show);
        };
        let jump = match (self.per_period, &counts) {
            (Some(per_period), None) if low > self.start => self.index_at(per_period, low),
            _ => None,
        };
        let (mut index, from) = jump.unwrap_or((0, self.start));
        if index >= count {
            return Stop::End;
        }
        let mut counts = counts;
        let mut is_over = false;
        let stop = self.periods(from, high, work, &mut |local| {
            if let Some(counts) = &mut counts
                && !counts(local)
            {
                return ControlFlow::Continue(());
            }
            index += 1;
            if local >= low {
                show(local)?;
            }
            is_over = index >= count;
            if is_over {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if is_over { Stop::End } else { stop }
    }

    /// The wall time of an occurrence of a rule with as many in each period, and of no other rule.
    pub(super) fn nth(&self, index: u64, work: &mut Work) -> Option<i64> {
        let per_period = self.per_period.filter(|size| *size > 0)?;
        let skipped = self.before_start(work)?;
        let place = index.checked_add(skipped)?;
        let from = self.period_start(i64::try_from(place / per_period).ok()?)?;
        let mut left = place % per_period;
        let mut found = None;
        // The first period is whole here: what lies before the start was added to the index.
        self.periods(from, HORIZON, work, &mut |local| {
            if left == 0 {
                found = Some(local);
                return ControlFlow::Break(());
            }
            left -= 1;
            ControlFlow::Continue(())
        });
        found
    }

    /// How many occurrences lie before the period of `low`, and where that period begins.
    fn index_at(&self, per_period: u64, low: i64) -> Option<(u64, i64)> {
        let period = self.period_of(low.min(HORIZON));
        if period <= 0 {
            return None;
        }
        let skipped = self.before_start(&mut Work(u32::MAX))?;
        let index = u64::try_from(period).ok()?.saturating_mul(per_period);
        Some((index.checked_sub(skipped)?, self.period_start(period)?))
    }

    /// Occurrences that the first period would have before the start.
    fn before_start(&self, work: &mut Work) -> Option<u64> {
        let mut skipped = 0;
        let first = self.period_start(0)?;
        let stop = self.periods(first, self.start - 1, work, &mut |_| {
            skipped += 1;
            ControlFlow::Continue(())
        });
        (stop == Stop::End).then_some(skipped)
    }

    /// The last period that begins no later than `low`; the first one when all are later.
    pub(super) fn period_of(&self, low: i64) -> i64 {
        let low = low.max(self.start);
        let (first, number) = (self.ordinal(self.start), self.ordinal(low));
        (number - first).div_euclid(self.interval)
    }

    /// Years, months, weeks or shorter units, counted from long ago.
    fn ordinal(&self, local: i64) -> i64 {
        let day = local.div_euclid(DAY);
        match self.frequency {
            Frequency::Yearly => civil::month_of(day).0,
            Frequency::Monthly => {
                let (year, month, _) = civil::month_of(day);
                year * 12 + i64::from(month) - 1
            }
            Frequency::Weekly => (day + 3 - i64::from(self.filter.week_start)).div_euclid(7),
            _ => local.div_euclid(self.unit),
        }
    }

    /// Where a period begins; `None` beyond the years that are expanded.
    pub(super) fn period_start(&self, period: i64) -> Option<i64> {
        let ordinal = self
            .ordinal(self.start)
            .checked_add(period.checked_mul(self.interval)?)?;
        let (year, month) = match self.frequency {
            Frequency::Yearly => (ordinal, 1),
            Frequency::Monthly => (
                ordinal.div_euclid(12),
                u32::try_from(ordinal.rem_euclid(12)).ok()? + 1,
            ),
            Frequency::Weekly => {
                let day = ordinal.checked_mul(7)? - 3 + i64::from(self.filter.week_start);
                return day.checked_mul(DAY).filter(|start| *start <= HORIZON);
            }
            _ => return ordinal.checked_mul(self.unit).filter(|start| *start <= HORIZON),
        };
        (year <= civil::LAST_YEAR).then(|| civil::day_of(year, month, 1) * DAY)
    }

    /// Shows everything between `low` and `high`, COUNT and the start aside.
    fn periods(
        &self,
        low: i64,
        high: i64,
        work: &mut Work,
        show: &mut dyn FnMut(i64) -> ControlFlow<()>,
    ) -> Stop {
        let mut walk = Walk::new(self, low, high.min(HORIZON), work, show);
        if self.is_never || low > high.min(HORIZON) {
            return Stop::End;
        }
        let step = if self.frequency <= Frequency::Daily {
            walk.units()
        } else {
            walk.long_periods()
        };
        match step {
            ControlFlow::Break(stop) => stop,
            ControlFlow::Continue(()) => Stop::End,
        }
    }
}
