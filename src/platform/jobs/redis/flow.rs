//! How many jobs of a queue are lent to Redis ahead of the workers. Redis serves them in their order, so whoever comes later waits for what
//! is lent already: it is at most what the workers take in a quarter of a second. Before it runs out, the relay is called. Jobs that take
//! longer than that are not lent ahead at all: Redis then has only what finds a free slot.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Work that may lie ahead of a new job.
const AHEAD: Duration = Duration::from_millis(250);
/// How long deliveries are counted for one estimate.
const SAMPLE: Duration = Duration::from_millis(250);

/// The flow of one queue through this process.
#[derive(Debug)]
pub(super) struct Flow {
    slots: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Deliveries since `since`.
    delivered: u64,
    since: Instant,
    /// Deliveries in [`AHEAD`], as last estimated.
    pace: u64,
    /// What Redis should still have.
    left: u64,
}

impl State {
    /// Whether jobs are so short that they are lent ahead. All slots may end at the same moment, and one more, which says nothing yet.
    fn is_fast(&self, slots: u64) -> bool {
        self.pace > slots + 1
    }
}

impl Flow {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            slots: slots as u64,
            state: Mutex::new(State {
                delivered: 0,
                since: Instant::now(),
                pace: 0,
                left: 0,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many jobs may be lent ahead now; `None` while they are long.
    pub(super) fn window(&self) -> Option<u64> {
        self.window_at(Instant::now())
    }

    fn window_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.state();
        let passed = now.saturating_duration_since(state.since);
        if passed >= SAMPLE {
            let pace = state.delivered as f64 * AHEAD.as_secs_f64() / passed.as_secs_f64();
            state.pace = pace.round() as u64;
            (state.delivered, state.since) = (0, now);
        }
        let most = self.slots * 8 + 16;
        state.is_fast(self.slots).then(|| state.pace.min(most))
    }

    /// Notes what Redis has after a look at the ledger.
    pub(super) fn filled(&self, left: u64) {
        self.state().left = left;
    }

    /// Notes a delivery to a worker of this process. Whether the relay should look soon.
    pub(super) fn delivered(&self) -> bool {
        let mut state = self.state();
        state.delivered += 1;
        state.left = state.left.saturating_sub(1);
        drop(state);
        self.is_low()
    }

    /// Whether the relay should look when a slot becomes free: always, unless enough was lent ahead.
    pub(super) fn is_low(&self) -> bool {
        let state = self.state();
        !state.is_fast(self.slots) || state.left <= state.pace / 2
    }
}

#[cfg(test)]
mod tests;
