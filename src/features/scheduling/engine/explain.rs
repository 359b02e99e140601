//! Why a plan is as it is: for every chunk what its next best place would cost more, and for every task left out what stands in its way
//! and which changes would let it in. All of it is computed from the plan, nothing is a phrase chosen by kind; sentences are made by
//! whoever shows it.

use super::budget::Budget;
use super::missing::missing;
use super::model::{Model, Span};
use super::plan::Solution;
use super::problem::{Problem, Range};
use super::reasons::reasons;
use super::relax::relaxations;
use super::score::{Fault, score};
use super::state::State;

/// Everything there is to say about a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Every chunk by start.
    pub placed: Vec<Placed>,
    /// Every task left out, in the order of the problem.
    pub missing: Vec<Missing>,
}

/// Why a chunk is where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The task.
    pub task: u32,
    /// The chunk.
    pub chunk: Range,
    /// The cheapest other place while everything else stays, and what it would cost more. It costs less when the plan is not yet good.
    pub next_best: Option<(Range, i64)>,
    /// Most important first, never empty.
    pub reasons: Vec<Reason>,
}

/// One reason for a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// What kind of reason.
    pub code: ReasonCode,
    /// What the best place before it or after it would cost more for this reason; for a dependency, what could be gained without it.
    pub cost: i64,
}

/// Kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasonCode {
    /// Elsewhere it would be late.
    Deadline,
    /// Elsewhere it would wait longer, and others matter less.
    Priority,
    /// Elsewhere the time of day suits less.
    Energy,
    /// Sooner, what it waits for is not finished.
    Dependency,
    /// It stays where it was.
    Stability,
    /// Elsewhere it would lie in a protected window.
    Focus,
    /// There is no other place.
    OnlyGap,
}

/// Why a task is left out, and what would let it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The task.
    pub task: u32,
    /// What stands in its way.
    pub code: MissingCode,
    /// Slots that find no place.
    pub slots: i64,
    /// Tasks that hold the time it could use, or that it waits for; at most five, most important first.
    pub because_of: Vec<u32>,
    /// Cheapest first, at most three, each tried out.
    pub relaxations: Vec<Relaxation>,
}

/// What stands in the way of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingCode {
    /// There is not enough free time before the deadline.
    NoCapacity,
    /// What it waits for is not finished in time.
    Blocked,
    /// The free gaps are too short for its chunks.
    Fragmented,
    /// The deadline is over.
    DeadlinePassed,
}

/// A change that lets a task in, with where it would lie then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relaxation {
    /// The change.
    pub change: Change,
    /// Where the task lies after the change.
    pub chunks: Vec<Range>,
    /// Slots that it makes room for.
    pub gained: i64,
    /// What task and change cost, in the unit of the objective; smaller is better.
    pub cost: i64,
}

/// Kinds of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Move the task's hard deadline to this slot.
    ExtendDeadline {
        /// The new deadline.
        until: i64,
    },
    /// Work that many slots outside the hours or above the cap of a day.
    ExtendWorkingHours {
        /// Slots outside the hours.
        outside: i64,
    },
    /// Allow chunks of this length.
    SmallerChunks {
        /// The new shortest chunk.
        min: i64,
    },
    /// Move another task, or leave it out.
    MoveOtherTask {
        /// The other task.
        task: u32,
        /// Where it lies then; nothing when it is left out.
        to: Option<Vec<Range>>,
    },
    /// Move or decline an event.
    MoveEvent {
        /// Index of the event among the busy times of the problem.
        busy: usize,
    },
    /// Do not wait for another task.
    DropDependency {
        /// The other task.
        task: u32,
    },
}

/// Explains a plan. Tries relaxations until the budget's time is up; iterations are not counted. Once it is cancelled it says no more.
///
/// # Errors
/// The plan is not one of this problem: it breaks a rule.
pub fn explain(problem: &Problem, solution: &Solution, budget: &Budget<'_>) -> Result<Explanation, Fault> {
    score(problem, solution)?;
    let model = Model::new(problem)?;
    let mut state = load(&model, problem, solution);
    let mut placed = Vec::new();
    let mut left_out = Vec::new();
    for (at, task) in problem.tasks.iter().enumerate() {
        if budget.watch.is_cancelled() {
            // Nobody waits for the rest.
            break;
        }
        if state.is_placed(at as u32) {
            placed.extend(reasons(&mut state, at as u32, task.id));
        } else {
            let mut missing = missing(&state, problem, at as u32);
            if !budget.is_over() {
                missing.relaxations = relaxations(problem, solution, task, budget);
            }
            left_out.push(missing);
        }
    }
    placed.sort_by_key(|placed| placed.chunk);
    Ok(Explanation {
        placed,
        missing: left_out,
    })
}

/// The state of a plan that keeps every rule.
fn load<'m>(model: &'m Model, problem: &Problem, solution: &Solution) -> State<'m> {
    let mut state = State::new(model);
    for (at, task) in problem.tasks.iter().enumerate() {
        let chunks = solution.chunks.get(&task.id).into_iter().flatten();
        let mut spans: Vec<Span> = chunks.filter_map(|chunk| model.span(chunk.0, chunk.1)).collect();
        spans.sort_unstable();
        if !spans.is_empty() {
            state.place(at as u32, &spans, model.cost(at as u32, &spans));
        }
    }
    state
}
