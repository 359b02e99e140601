//! First plans: the plan in force with what no longer fits put elsewhere, and plans made by adding one task after the other.

use super::budget::Budget;
use super::kept::Kept;
use super::model::Span;
use super::recreate::{Bench, Order};
use super::state::State;

/// The best of several first plans; the bench holds it afterwards. Ends early, with what was placed until then, when time is up.
pub(super) fn construct(bench: &mut Bench<'_>, budget: &Budget<'_>) -> Kept {
    let mut best: Option<Kept> = None;
    let model = bench.state.model;
    let starts = if model.works.iter().any(|work| !work.prior.is_empty()) {
        0
    } else {
        1
    };
    for attempt in starts..5 {
        bench.state.begin();
        for task in 0..model.works.len() as u32 {
            bench.take(task);
        }
        if attempt == 0 {
            bench.stay();
            best = Some(Kept::of(&bench.state));
        }
        let order = [
            Order::Urgent,
            Order::Urgent,
            Order::Due,
            Order::Tight,
            Order::Urgent,
        ][attempt];
        bench.recreate(order, 0, || budget.is_over());
        if best.as_ref().is_none_or(|best| bench.state.total < best.total) {
            best = Some(Kept::of(&bench.state));
        }
        if budget.is_over() {
            break;
        }
    }
    let best = best.unwrap_or_else(|| Kept::of(&bench.state));
    bench.state.restore(&best);
    best
}

impl Bench<'_> {
    /// Puts every waiting task that can stay where the plan in force has it back there, dependencies first.
    fn stay(&mut self) {
        self.stay_within(|state, task| state.window(task));
    }

    /// The same for tasks that wait for one that cannot stay: it may find a place before them. Until it has one, this is no plan.
    pub(super) fn stay_loosely(&mut self) {
        self.stay_within(|state, task| Some(state.loose_window(task)));
    }

    fn stay_within(&mut self, window: impl Fn(&State<'_>, u32) -> Option<Span>) {
        let model = self.state.model;
        for &task in &model.order {
            let work = &model.works[task as usize];
            let spans: Vec<Span> = work.prior.iter().map(|(span, _)| *span).collect();
            let fits =
                window(&self.state, task).is_some_and(|window| self.state.can_take(task, &spans, window));
            if self.is_taken(task) && fits {
                self.state.place(task, &spans, model.cost(task, &spans));
                self.put(task);
            }
        }
    }
}
