//! How others wake the task of a socket, and why. Ringing costs an atomic and says nothing twice.

use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Context;

use futures_util::task::AtomicWaker;

/// The group of a subscription has news.
pub(super) const NEWS: u8 = 1;
/// Time for a ping.
pub(super) const TICK: u8 = 2;
/// The server is shutting down.
pub(super) const LEAVE: u8 = 4;

/// The bell of one socket.
#[derive(Debug, Default)]
pub(super) struct Bell {
    waker: AtomicWaker,
    reasons: AtomicU8,
}

impl Bell {
    /// Wakes the socket's task.
    pub(super) fn ring(&self, reason: u8) {
        self.reasons.fetch_or(reason, Ordering::AcqRel);
        self.waker.wake();
    }

    /// Why the bell rang since the last time, for the task itself; it is woken the next time it rings.
    pub(super) fn answer(&self, cx: &Context<'_>) -> u8 {
        self.waker.register(cx.waker());
        self.reasons.swap(0, Ordering::AcqRel)
    }
}
