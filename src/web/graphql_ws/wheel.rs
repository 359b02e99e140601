//! One clock for all sockets: it rings each of them once in a ping interval, and all at once when the server shuts down. Promises: a quiet
//! socket has no timer of its own, and a server without sockets does not wake up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::time::sleep;

use super::bell::{Bell, LEAVE, TICK};
use crate::platform::Platform;

/// Turns of the wheel in one ping interval, so that not all sockets are pinged at once.
const SPOKES: usize = 64;

/// The clock of all sockets. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Wheel(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    spokes: Vec<Vec<Weak<Bell>>>,
    /// Where the next socket goes.
    next: usize,
    is_turning: bool,
    is_over: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            spokes: vec![Vec::new(); SPOKES],
            next: 0,
            is_turning: false,
            is_over: false,
        }
    }
}

impl Wheel {
    /// Rings this bell regularly for as long as somebody holds it.
    pub(super) fn add(&self, platform: &Platform, bell: &Arc<Bell>) {
        let mut state = self.state();
        if state.is_over {
            bell.ring(LEAVE);
            return;
        }
        let spoke = state.next;
        state.spokes[spoke].push(Arc::downgrade(bell));
        state.next = (spoke + 1) % SPOKES;
        if !state.is_turning {
            state.is_turning = true;
            platform.spawn(self.clone().turn(platform.clone()));
        }
    }

    async fn turn(self, platform: Platform) {
        let spokes = u32::try_from(SPOKES).unwrap_or(u32::MAX);
        let pause = platform.config.limits.socket_ping_interval / spokes;
        for spoke in (0..SPOKES).cycle() {
            tokio::select! {
                () = sleep(pause) => {}
                () = platform.shutdown.cancelled() => {
                    self.stop();
                    return;
                }
            }
            if !self.ring(spoke) {
                return;
            }
        }
    }

    /// Rings one spoke; false when no socket is left.
    fn ring(&self, spoke: usize) -> bool {
        let mut state = self.state();
        state.spokes[spoke].retain(|bell| bell.upgrade().inspect(|bell| bell.ring(TICK)).is_some());
        // A burst of sockets must not leave its room behind.
        state.spokes[spoke].shrink_to_fit();
        state.is_turning = state.spokes.iter().any(|spoke| !spoke.is_empty());
        state.is_turning
    }

    fn stop(&self) {
        let mut state = self.state();
        state.is_over = true;
        state.is_turning = false;
        for bell in std::mem::take(&mut state.spokes).into_iter().flatten() {
            if let Some(bell) = bell.upgrade() {
                bell.ring(LEAVE);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
