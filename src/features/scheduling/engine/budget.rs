//! How long the planner may think. The engine has no clock of its own: whoever asks for a plan says how time passes.

use std::time::Duration;

/// What the planner sees of the world outside while it works.
pub trait Watch {
    /// Time since planning was asked for.
    fn elapsed(&self) -> Duration;
    /// Whether nobody wants the plan any more.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// No clock and no way to cancel: for plans that are bounded by their number of iterations.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// The bounds of one search; it ends at the first that is reached.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// Most iterations. A plan that is bounded by this alone is the same on every run.
    pub iterations: Option<u64>,
    /// Most time.
    pub time: Option<Duration>,
    /// How time passes.
    pub watch: &'a dyn Watch,
}

/// Iterations when neither bound is given.
const DEFAULT_ITERATIONS: u64 = 200_000;

impl<'a> Budget<'a> {
    /// A number of iterations, the same plan on every run.
    pub fn iterations(iterations: u64) -> Budget<'static> {
        Budget {
            iterations: Some(iterations),
            time: None,
            watch: &Unwatched,
        }
    }

    /// An amount of time.
    pub fn time(time: Duration, watch: &'a dyn Watch) -> Self {
        Self {
            iterations: None,
            time: Some(time),
            watch,
        }
    }

    /// How much of the budget is used, 1 or more when it is used up.
    pub(super) fn used(&self, iterations: u64) -> f64 {
        let limit = match (self.iterations, self.time) {
            (Some(limit), _) => Some(limit),
            (None, None) => Some(DEFAULT_ITERATIONS),
            (None, Some(_)) => None,
        };
        let by_count = limit.map_or(0.0, |limit| iterations as f64 / limit.max(1) as f64);
        let by_time = self.time.map_or(0.0, |limit| {
            self.watch.elapsed().as_secs_f64() / limit.as_secs_f64().max(1e-6)
        });
        by_count.max(by_time)
    }

    /// Whether work that is under way must end now.
    pub(super) fn is_over(&self) -> bool {
        self.watch.is_cancelled() || self.time.is_some_and(|limit| self.watch.elapsed() >= limit)
    }
}

impl std::fmt::Debug for Budget<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget")
            .field("iterations", &self.iterations)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}
