//! How much costly work one text may still ask for: a hostile text may hold thousands of things that each cost milliseconds.

use std::{cell::Cell, rc::Rc};

/// A number of times, shared by all who have a copy.
#[derive(Clone, Debug)]
pub(super) struct Allowance(Rc<Cell<usize>>);

impl Allowance {
    fn of(times: usize) -> Self {
        Self(Rc::new(Cell::new(times)))
    }

    /// Takes one time; `false` when none is left.
    pub(super) fn take(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left > 0
    }
}

/// What one text may ask for.
#[derive(Clone, Debug)]
pub(super) struct Allowances {
    /// Definitions of zones that are compared with the database.
    pub(super) comparisons: Allowance,
    /// Rules that exclude occurrences: each becomes many dates, of which nothing is in the text.
    pub(super) exclusions: Allowance,
}

impl Default for Allowances {
    fn default() -> Self {
        Self {
            comparisons: Allowance::of(50),
            exclusions: Allowance::of(100),
        }
    }
}
