//! Running the engine: on a thread of its own, with a clock, and with the wish to stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::engine::{self, Budget, Explanation, Parts, Plan, Problem, Range, Watch};
use super::question::{LeftOut, Question};
use super::rules::Effort;
use crate::kernel::{Error, Result};
use crate::platform::Platform;

/// How a plan is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// As good as possible.
    Anew,
    /// As it was as far as possible.
    Mend,
}

/// A plan and everything there is to say about it.
#[derive(Clone, Debug)]
pub struct Solved {
    /// The plan.
    pub plan: Plan,
    /// Reasons and advice.
    pub explanation: Explanation,
    /// The parts of its objective.
    pub parts: Parts,
    /// For each task that was left out, where it would go if it did not wait; nothing when that is nowhere or was not tried.
    pub unblocked: Vec<Option<Vec<Range>>>,
    /// Until the first complete plan.
    pub first: Duration,
}

/// Most tasks left out of the question that are tried without what they wait for.
const TRIED: usize = 20;
/// Those of them that are tried however little time is left.
const TRIED_ALWAYS: usize = 4;
/// Changes that one task alone in the time that is left is worth.
const CHANGES: u64 = 32;

struct Stopwatch {
    began: Instant,
    cancel: CancellationToken,
}

impl Watch for Stopwatch {
    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }
}

/// Answers a question. Sends the number of placed tasks for each better plan.
pub async fn solve(
    platform: &Platform,
    question: Arc<Question>,
    how: How,
    effort: Effort,
    seed: u64,
    better: UnboundedSender<usize>,
    cancel: CancellationToken,
) -> Result<Solved> {
    let work = move || work(&question, how, effort, seed, &better, cancel);
    platform
        .tasks
        .spawn_blocking(work)
        .await
        .map_err(Error::internal)?
}

/// What a search ends with that nobody wants any more.
pub fn cancelled() -> Error {
    Error::unavailable("The generation was cancelled.", "the search was cancelled")
}

fn work(
    question: &Question,
    how: How,
    effort: Effort,
    seed: u64,
    better: &UnboundedSender<usize>,
    cancel: CancellationToken,
) -> Result<Solved> {
    let problem = &question.problem;
    let watch = Stopwatch {
        began: Instant::now(),
        cancel: cancel.clone(),
    };
    let budget = Budget {
        iterations: Some(effort.iterations),
        time: Some(effort.time),
        watch: &watch,
    };
    let mut first = None;
    let mut report = |plan: &Plan| {
        first.get_or_insert_with(|| watch.elapsed());
        // Whoever listened may be gone.
        better.send(plan.solution.chunks.len()).ok();
    };
    let plan = match how {
        How::Anew => engine::plan(problem, &budget, seed, &mut report),
        How::Mend => engine::repair(problem, &budget, seed, &mut report),
    };
    let plan = plan.map_err(Error::internal)?;
    if watch.cancel.is_cancelled() {
        return Err(cancelled());
    }
    let advice = Stopwatch {
        began: Instant::now(),
        cancel,
    };
    let budget = Budget::time(effort.advice, &advice);
    let explanation = engine::explain(problem, &plan.solution, &budget).map_err(Error::internal)?;
    if advice.cancel.is_cancelled() {
        return Err(cancelled());
    }
    let unblocked = unblocked(question, &plan, effort, &advice);
    let parts = engine::score(problem, &plan.solution).map_err(Error::internal)?;
    Ok(Solved {
        plan,
        explanation,
        parts,
        unblocked,
        first: first.unwrap_or_default(),
    })
}

/// Where each task that waits in vain would go if it did not, while all others stay where they are.
fn unblocked(
    question: &Question,
    plan: &Plan,
    effort: Effort,
    advice: &Stopwatch,
) -> Vec<Option<Vec<Range>>> {
    if question.left_out.is_empty() {
        return Vec::new();
    }
    let chunks = &plan.solution.chunks;
    let mut still = Problem {
        tasks: Vec::new(),
        ..question.problem.clone()
    };
    for &(start, end) in chunks.values().flatten() {
        still.fixed.push((start - still.gap, end + still.gap));
        for day in &mut still.days {
            day.2 = (day.2 - (end.min(day.1) - start.max(day.0)).max(0)).max(0);
        }
    }
    // The advice about other tasks may have used its time up.
    let limit = advice.elapsed() + effort.advice;
    let place = |(at, one): (usize, &LeftOut)| {
        let is_over = at >= TRIED_ALWAYS && advice.elapsed() >= limit;
        if at >= TRIED || is_over || advice.is_cancelled() {
            return None;
        }
        let mut task = one.alone.clone();
        for dep in std::mem::take(&mut task.deps) {
            task.est = task.est.max(chunks.get(&dep)?.last()?.1);
        }
        let id = task.id;
        let mut alone = still.clone();
        alone.tasks.push(task);
        let found = engine::plan(&alone, &Budget::iterations(CHANGES), 0, &mut |_| {}).ok()?;
        found.solution.chunks.get(&id).cloned()
    };
    question.left_out.iter().enumerate().map(place).collect()
}
