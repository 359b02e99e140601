//! Going from period to period: what one gives, with BYSETPOS, and how finer rules skip what their limits leave out.
//!
//! Promises: every period, month and start is paid for before it is looked at; nothing that a limit excludes is stepped through
//! one by one. Knows neither COUNT nor zones.

use std::ops::ControlFlow;

use super::civil::{self, DAY};
use super::engine::{Engine, place};
use super::filter::{Month, Year};
use super::rule::{Frequency, Skip};
use super::walk::{Stop, Work};

/// What looking up the days of a month costs.
const MONTH: u32 = 3;

type Step = ControlFlow<Stop>;

/// A walk under way.
pub(super) struct Walk<'a> {
    engine: &'a Engine,
    low: i64,
    high: i64,
    /// The last one shown; days that stand in for missing ones can come twice.
    last: i64,
    work: &'a mut Work,
    show: &'a mut dyn FnMut(i64) -> ControlFlow<()>,
    /// The month that was looked up last.
    month: Month,
    year: Year,
    /// Beginnings of the days of one period.
    bases: Vec<i64>,
    places: Vec<usize>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        low: i64,
        high: i64,
        work: &'a mut Work,
        show: &'a mut dyn FnMut(i64) -> ControlFlow<()>,
    ) -> Self {
        Self {
            engine,
            low,
            high,
            last: i64::MIN,
            work,
            show,
            month: Month::default(),
            year: Year::default(),
            bases: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Weeks, months and years.
    pub(super) fn long_periods(&mut self) -> Step {
        let mut period = self.engine.period_of(self.low);
        if self.engine.filter.skip == Skip::Forward && period > 0 {
            // The period before may reach into this one.
            period -= 1;
        }
        while let Some(start) = self.engine.period_start(period) {
            if start > self.high {
                break;
            }
            self.bases.clear();
            match self.engine.frequency {
                Frequency::Weekly => self.week(start.div_euclid(DAY))?,
                Frequency::Monthly => self.add_month(start.div_euclid(DAY))?,
                _ => self.add_year(start.div_euclid(DAY))?,
            }
            let bases = std::mem::take(&mut self.bases);
            self.show_period(&bases)?;
            self.bases = bases;
            period += 1;
        }
        Step::Continue(())
    }

    fn week(&mut self, first: i64) -> Step {
        self.work.pay(1)?;
        for index in 0..self.engine.week_days.len() {
            let day = first + self.engine.week_days[index];
            if !self.engine.is_filtered || self.is_allowed(day)? {
                self.bases.push(day * DAY);
            }
        }
        Step::Continue(())
    }

    fn add_year(&mut self, first: i64) -> Step {
        let (year, _, _) = civil::month_of(first);
        for month in self.engine.filter.months() {
            self.add_days(year, month)?;
        }
        Step::Continue(())
    }

    fn add_month(&mut self, first: i64) -> Step {
        let (year, month, _) = civil::month_of(first);
        if self.engine.filter.allows_month(month) {
            self.add_days(year, month)
        } else {
            self.work.pay(1)
        }
    }

    fn add_days(&mut self, year: i64, month: u32) -> Step {
        self.work.pay(MONTH)?;
        let days = self.engine.filter.month(year, month, &mut self.year);
        let mut bits = days.bits;
        while bits != 0 {
            let day = (days.first + i64::from(bits.trailing_zeros())) * DAY;
            // The last month may have lent its missing days to this one.
            if self.bases.last() != Some(&day) {
                self.bases.push(day);
            }
            bits &= bits - 1;
        }
        if days.spills {
            self.bases.push((days.first + i64::from(days.length)) * DAY);
        }
        Step::Continue(())
    }

    /// Days and shorter units: from one that the limits allow to the next.
    pub(super) fn units(&mut self) -> Step {
        let engine = self.engine;
        let first = engine.start.div_euclid(engine.unit);
        let mut unit = first + engine.period_of(self.low) * engine.interval;
        let align = |at: i64| {
            first + (at - first + engine.interval - 1).div_euclid(engine.interval) * engine.interval
        };
        while unit * engine.unit <= self.high {
            match self.next_unit(unit)? {
                Some(later) => unit = align(later),
                None => {
                    self.show_period(&[unit * engine.unit])?;
                    unit += engine.interval;
                }
            }
        }
        Step::Continue(())
    }

    /// `None` when this unit is allowed, else one that is no later than the next allowed one.
    fn next_unit(&mut self, unit: i64) -> ControlFlow<Stop, Option<i64>> {
        self.work.pay(1)?;
        let engine = self.engine;
        let local = unit * engine.unit;
        let day = local.div_euclid(DAY);
        if engine.is_filtered {
            let allowed = self.allowed_from(day)?;
            if allowed > day {
                return ControlFlow::Continue(Some(allowed * DAY / engine.unit));
            }
        }
        let second = local - day * DAY;
        let limits = [
            (engine.hours, 3_600, 24),
            (engine.minutes, 60, 60),
            (engine.seconds, 1, 60),
        ];
        for (allowed, length, most) in limits {
            let field = second / length % most;
            let ahead = allowed >> field;
            if ahead & 1 == 1 {
                continue;
            }
            // Round up to the next allowed hour, minute or second, or to the end of what it is part of.
            let next = i64::from(ahead.trailing_zeros()).min(most - field);
            let later = (local.div_euclid(length) + next) * length;
            return ControlFlow::Continue(Some(later.div_euclid(engine.unit)));
        }
        ControlFlow::Continue(None)
    }

    fn is_allowed(&mut self, day: i64) -> ControlFlow<Stop, bool> {
        self.load(day)?;
        ControlFlow::Continue(self.month.bits >> (day - self.month.first) & 1 == 1)
    }

    /// The first allowed day from this one on, or one beyond the limit.
    fn allowed_from(&mut self, mut day: i64) -> ControlFlow<Stop, i64> {
        loop {
            self.load(day)?;
            let ahead = self.month.bits >> (day - self.month.first);
            if ahead != 0 {
                return ControlFlow::Continue(day + i64::from(ahead.trailing_zeros()));
            }
            day = self.month.first + i64::from(self.month.length);
            if day * DAY > self.high {
                return ControlFlow::Continue(day);
            }
        }
    }

    fn load(&mut self, day: i64) -> Step {
        if (0..i64::from(self.month.length)).contains(&(day - self.month.first)) {
            return Step::Continue(());
        }
        self.work.pay(MONTH)?;
        let (year, month, first) = civil::month_of(day);
        let filter = &self.engine.filter;
        self.month = if filter.allows_month(month) {
            filter.month(year, month, &mut self.year)
        } else {
            Month {
                first,
                length: civil::month_length(year, month),
                bits: 0,
                spills: false,
            }
        };
        Step::Continue(())
    }

    /// Shows the times of one period, all of them or those that BYSETPOS chooses.
    fn show_period(&mut self, bases: &[i64]) -> Step {
        let engine = self.engine;
        let offsets = &engine.offsets[..];
        if engine.positions.is_empty() {
            for base in bases {
                let skipped = if *base < self.low {
                    offsets.partition_point(|offset| base + offset < self.low)
                } else {
                    0
                };
                for offset in &offsets[skipped..] {
                    self.show(base + offset)?;
                }
            }
            return Step::Continue(());
        }
        let total = bases.len() * offsets.len();
        let mut places = std::mem::take(&mut self.places);
        places.clear();
        places.extend(
            engine
                .positions
                .iter()
                .filter_map(|&position| place(position, total)),
        );
        places.sort_unstable();
        places.dedup();
        for place in &places {
            self.show(bases[place / offsets.len()] + offsets[place % offsets.len()])?;
        }
        self.places = places;
        Step::Continue(())
    }

    fn show(&mut self, local: i64) -> Step {
        if local > self.high {
            return Step::Break(Stop::End);
        }
        if local < self.low || local <= self.last {
            return Step::Continue(());
        }
        self.work.pay(1)?;
        self.last = local;
        match (self.show)(local) {
            ControlFlow::Continue(()) => Step::Continue(()),
            ControlFlow::Break(()) => Step::Break(Stop::Enough),
        }
    }
}
