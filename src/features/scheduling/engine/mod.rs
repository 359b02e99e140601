//! The planner's engine: puts tasks into free time as well as the budget allows. Pure: no I/O, no clock but the budget's, and the same
//! plan for the same problem, seed and number of iterations.
//!
//! ```text
//! Problem ── check ──► Model ── construct ──► first plan ── search: ruin, recreate, accept? ──► better plans ──► Plan
//!                                                                                              explain ◄── reasons, relaxations
//! ```
//!
//! The search keeps a feasible plan at all times. Costs are exact integers: the cost of a task depends on its own chunks alone, so that a
//! change costs what it touches. `score` says the same from the problem itself, without any of the search's shortcuts.

mod bits;
mod budget;
mod check;
mod compile;
mod construct;
mod cost;
mod explain;
mod habits;
mod kept;
mod ladder;
mod missing;
mod model;
mod plan;
mod problem;
mod push;
mod random;
mod reasons;
mod recreate;
mod relax;
mod ruin;
mod score;
mod search;
mod split;
mod state;
mod steady;
#[cfg(test)]
mod tests;
mod ways;
mod whole;

pub use budget::{Budget, Unwatched, Watch};
pub use check::{MAX_HORIZON, MAX_TASKS, ProblemError};
pub use explain::{
    Change, Explanation, Missing, MissingCode, Placed, Reason, ReasonCode, Relaxation, explain,
};
pub use plan::{Ending, Plan, Solution};
pub use problem::{Problem, Range, Task, Weights};
pub use score::{Fault, Parts, score};

use model::Model;

/// Makes a plan. Calls `on_better` with the first plan and with better ones as they are found; the last call has the plan that is
/// returned.
///
/// # Errors
/// The problem has no meaning; a problem that has no solution is none.
pub fn plan(
    problem: &Problem,
    budget: &Budget<'_>,
    seed: u64,
    on_better: &mut dyn FnMut(&Plan),
) -> Result<Plan, ProblemError> {
    let model = Model::new(problem)?;
    let mut report = |kept: &kept::Kept, iterations| {
        on_better(&Plan::of(problem, &model, kept, iterations, Ending::Searching));
    };
    let found = search::search(&model, budget, seed, &mut report);
    Ok(Plan::of(
        problem,
        &model,
        &found.best,
        found.iterations,
        found.ending,
    ))
}

/// Mends the plan in force after a change: as `plan`, but what can stay stays, even where moving it would make the plan better. Of two
/// plans the one is better that leaves less out by the weight of its priorities, then the one that moves fewer chunks, then the one with
/// the better objective. The first plan comes before any search; objectives are those of the problem as it is.
///
/// # Errors
/// The problem has no meaning.
pub fn repair(
    problem: &Problem,
    budget: &Budget<'_>,
    seed: u64,
    on_better: &mut dyn FnMut(&Plan),
) -> Result<Plan, ProblemError> {
    let model = Model::new(problem)?;
    let steady = Model::new(problem)?.steady(problem);
    let as_is = |kept: &kept::Kept, iterations, ending| {
        let mut kept = kept.clone();
        kept.total = (0..problem.tasks.len() as u32)
            .map(|task| model.cost(task, kept.spans(&model, task)))
            .sum();
        Plan::of(problem, &model, &kept, iterations, ending)
    };
    let mut report = |kept: &kept::Kept, iterations| on_better(&as_is(kept, iterations, Ending::Searching));
    let found = search::search(&steady, budget, seed, &mut report);
    Ok(as_is(&found.best, found.iterations, found.ending))
}
