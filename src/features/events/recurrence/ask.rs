//! Single answers about a series: first, next, previous and last start, whether there is one at an instant, and how many there are.
//!
//! Promises: the same order and the same budget as the expansion. An answer that was not found within the budget says so: it is
//! not the same as none.

use std::ops::ControlFlow;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::civil::{self, DAY};
use super::expand::{Budget, Occurrence};
use super::rule::Frequency;
use super::series::{Found, Gap, Limit, Series};
use super::walk::{Stop, Work};

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This one.
    Found(Occurrence),
    /// There is none.
    None,
    /// There is no end to look from: the series never ends.
    Endless,
    /// The budget ended first.
    Unknown,
}

impl Answer {
    /// The start, if one was found.
    pub fn found(self) -> Option<Occurrence> {
        match self {
            Self::Found(occurrence) => Some(occurrence),
            Self::None | Self::Endless | Self::Unknown => None,
        }
    }
}

/// How many starts a series has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// So many.
    Exactly(u64),
    /// At least so many: the budget ended first.
    AtLeast(u64),
    /// The series never ends.
    Endless,
}

impl Series {
    /// The first start.
    pub fn first(&self, budget: Budget) -> Answer {
        self.first_from(i64::MIN, budget)
    }

    /// The first start after an instant.
    pub fn next_after(&self, at: Timestamp, budget: Budget) -> Answer {
        let from = self.ceil(at);
        let is_at = super::resolve::timestamp(from, self.fraction) == at;
        self.first_from(if is_at { from + 1 } else { from }, budget)
    }

    /// The last start before an instant.
    pub fn previous_before(&self, at: Timestamp, budget: Budget) -> Answer {
        self.last_before(self.ceil(at), &mut Work(budget.steps))
    }

    /// The last start of all.
    pub fn last(&self, budget: Budget) -> Answer {
        let mut work = Work(budget.steps);
        let last_extra = self.extras.last().map_or(i64::MIN, |extra| extra.at);
        let Some(engine) = &self.engine else {
            return self.last_before(i64::MAX, &mut work);
        };
        let bound = match (self.limit, engine.count) {
            (Limit::Instant(until), _) => until,
            // No zone is further from UTC than a day.
            (Limit::Local(until), _) => until.saturating_add(2 * DAY),
            (Limit::None, None) if engine.is_never => last_extra,
            (Limit::None, None) => return Answer::Endless,
            (Limit::None, Some(count)) => {
                let is_regular = self.gap == Gap::Shift && count > 0;
                match is_regular.then(|| engine.nth(count - 1, &mut work)).flatten() {
                    Some(local) => local.saturating_add(2 * DAY),
                    // Earlier ones decide where the count ends.
                    None => return self.last_of_all(&mut work),
                }
            }
        };
        self.last_before(bound.max(last_extra).saturating_add(1), &mut work)
    }

    /// Whether there is a start at this instant.
    pub fn is_occurrence(&self, at: Timestamp, budget: Budget) -> bool {
        let from = self.ceil(at);
        let answer = self.first_from_until(from, from.saturating_add(1), &mut Work(budget.steps));
        answer.found().is_some_and(|found| found.start == at)
    }

    /// How many starts there are.
    pub fn size(&self, budget: Budget) -> Size {
        let is_endless = self
            .engine
            .as_ref()
            .is_some_and(|engine| engine.count.is_none() && !engine.is_never);
        if is_endless && matches!(self.limit, Limit::None) {
            return Size::Endless;
        }
        let mut size = 0;
        let stop = self.visit(i64::MIN, i64::MAX, &mut Work(budget.steps), &mut |_| {
            size += 1;
            ControlFlow::Continue(())
        });
        if stop == Stop::Spent {
            Size::AtLeast(size)
        } else {
            Size::Exactly(size)
        }
    }

    /// How many starts COUNT has counted before a wall time of the rule; `None` when the budget ended first. They can be more than there are
    /// starts: where clocks go forward two wall times can be one instant, and COUNT counts both.
    pub fn counted_before(&self, local: DateTime, budget: Budget) -> Option<u64> {
        let engine = self.engine.as_ref()?;
        let (mut counted, mut work) = (0, Work(budget.steps));
        let last = civil::seconds(local) - 1;
        let stop = engine.walk(i64::MIN, last, &mut work, None, &mut |_| {
            counted += 1;
            ControlFlow::Continue(())
        });
        (stop == Stop::End).then_some(counted)
    }

    fn first_from(&self, from: i64, budget: Budget) -> Answer {
        self.first_from_until(from, i64::MAX, &mut Work(budget.steps))
    }

    fn first_from_until(&self, from: i64, to: i64, work: &mut Work) -> Answer {
        let mut first = None;
        let stop = self.visit(from, to, work, &mut |found| {
            first = Some(found);
            ControlFlow::Break(())
        });
        self.answer(first, stop)
    }

    fn answer(&self, found: Option<Found>, stop: Stop) -> Answer {
        match (found, stop) {
            (_, Stop::Spent) => Answer::Unknown,
            (Some(found), _) => Answer::Found(self.occurrence(found)),
            (None, _) => Answer::None,
        }
    }

    fn last_of_all(&self, work: &mut Work) -> Answer {
        let mut last = None;
        let stop = self.visit(i64::MIN, i64::MAX, work, &mut |found| {
            last = Some(found);
            ControlFlow::Continue(())
        });
        self.answer(last, stop)
    }

    /// Looks at windows that lie ever further back and are ever longer.
    fn last_before(&self, to: i64, work: &mut Work) -> Answer {
        let Some(engine) = &self.engine else {
            let before = self.extras.partition_point(|extra| extra.at < to);
            let last = before.checked_sub(1).map(|index| self.extras[index]);
            return self.answer(last, Stop::End);
        };
        let period = match engine.frequency {
            Frequency::Yearly => 366 * DAY,
            Frequency::Monthly => 31 * DAY,
            Frequency::Weekly => 7 * DAY,
            _ => engine.unit,
        };
        let beginning = engine.start.saturating_sub(2 * DAY);
        let beginning = self
            .extras
            .first()
            .map_or(beginning, |extra| beginning.min(extra.at));
        let mut length = period.saturating_mul(engine.interval).saturating_mul(2);
        let mut to = to.min(super::civil::HORIZON + 2 * DAY);
        while to > beginning {
            let from = to.saturating_sub(length).max(beginning);
            let mut last = None;
            let stop = self.visit(from, to, work, &mut |found| {
                last = Some(found);
                ControlFlow::Continue(())
            });
            if last.is_some() || stop == Stop::Spent {
                return self.answer(last, stop);
            }
            (to, length) = (from, length.saturating_mul(2));
        }
        Answer::None
    }
}
