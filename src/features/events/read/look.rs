//! Whether an event has an occurrence in a window: a series is drawn from its rule and its exceptions until one is found. Pure.
//!
//! Promises: the one expander decides; a long window costs little more than a short one; a series that nobody can follow to the end of the
//! window counts as there.

use std::sync::Arc;

use entity::enums::EventStatus;
use jiff::tz::TimeZone;

use super::window::{MOST_OF_ONE, SPENDERS};
use crate::features::events::model::Event;
use crate::features::events::occurrence::{Change, View, occurrences};
use crate::features::events::recurrence::Budget;
use crate::kernel::time::Span;

/// What is enough to find an occurrence of nearly every series.
const FEW: Budget = Budget {
    steps: 2_000,
    starts: 64,
};
/// What a series may cost whose first starts in the window are all called off or moved.
const MANY: Budget = Budget {
    steps: 50_000,
    starts: MOST_OF_ONE,
};

/// What it may cost after several that nobody can follow: those come from imports.
const LESS: Budget = Budget {
    steps: 2_000,
    starts: 2_000,
};

/// A look at a window from somewhere.
pub(super) struct Look<'a> {
    window: Span,
    zone: &'a TimeZone,
    spenders: usize,
}

impl<'a> Look<'a> {
    pub(super) fn at(window: Span, zone: &'a TimeZone) -> Self {
        Self {
            window,
            zone,
            spenders: 0,
        }
    }

    /// The series if it is in the window.
    pub(super) fn sees(&mut self, mut event: Arc<Event>, changes: Vec<Change>) -> Option<Arc<Event>> {
        // What was called off as a whole is in lists, where its state can be asked for.
        let status = std::mem::replace(&mut Arc::make_mut(&mut event).row.status, EventStatus::Confirmed);
        let is_there = self.has_occurrence(&event, changes);
        Arc::make_mut(&mut event).row.status = status;
        is_there.then_some(event)
    }

    fn has_occurrence(&mut self, event: &Arc<Event>, changes: Vec<Change>) -> bool {
        let view = |budget| View {
            window: self.window,
            zone: self.zone,
            budget,
        };
        let (found, truncated) = occurrences(event, changes.clone(), view(FEW));
        // Where exceptions are is only sure when all else is known.
        if !truncated || found.iter().any(|one| !one.is_exception) {
            return !found.is_empty();
        }
        drop(found);
        let budget = if self.spenders < SPENDERS { MANY } else { LESS };
        let (found, truncated) = occurrences(event, changes, view(budget));
        self.spenders += usize::from(truncated);
        truncated || !found.is_empty()
    }
}
