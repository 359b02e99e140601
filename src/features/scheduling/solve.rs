//! Running the engine: on a thread of its own, with a clock, and with the wish to stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::engine::{self, Budget, Explanation, Parts, Plan, Watch};
use super::question::Question;
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
    /// Until the first complete plan.
    pub first: Duration,
}

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
    let parts = engine::score(problem, &plan.solution).map_err(Error::internal)?;
    Ok(Solved {
        plan,
        explanation,
        parts,
        first: first.unwrap_or_default(),
    })
}
