//! When the worker of a queue asks Redis for work: soon after it was nudged, and once a second otherwise. A nudge may come while a question
//! is on its way, whose answer does not know the new job yet, so it is followed by a few more questions.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use apalis_core::backend::ext::poll_strategy::{PollSnapshot, PollStrategy};
use futures_util::task::AtomicWaker;
use tokio::time::{Instant, Sleep, sleep};

const IDLE: Duration = Duration::from_secs(1);
const AFTER_NUDGE: [Duration; 3] = [
    Duration::from_millis(15),
    Duration::from_millis(50),
    Duration::from_millis(150),
];

/// Wakes the worker of one queue.
#[derive(Debug, Default)]
pub(super) struct Nudge {
    waker: AtomicWaker,
    set: AtomicBool,
}

impl Nudge {
    pub(super) fn nudge(&self) {
        self.set.store(true, Ordering::Release);
        self.waker.wake();
    }
}

/// The strategy of one worker.
pub(in crate::platform::jobs) struct Pace {
    nudge: Arc<Nudge>,
    timer: Pin<Box<Sleep>>,
    asked: usize,
}

impl Pace {
    pub(super) fn new(nudge: Arc<Nudge>) -> Self {
        Self {
            nudge,
            timer: Box::pin(sleep(IDLE)),
            asked: AFTER_NUDGE.len(),
        }
    }
}

impl PollStrategy for Pace {
    fn poll_drive(&mut self, context: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        self.nudge.waker.register(context.waker());
        let nudged = self.nudge.set.swap(false, Ordering::AcqRel);
        if nudged {
            self.asked = 0;
            self.timer.as_mut().reset(Instant::now() + AFTER_NUDGE[0]);
        }
        let mut ready = nudged;
        while self.timer.as_mut().poll(context).is_ready() {
            ready = true;
            self.asked += 1;
            let wait = AFTER_NUDGE.get(self.asked).copied().unwrap_or(IDLE);
            self.timer.as_mut().reset(Instant::now() + wait);
        }
        if ready {
            Poll::Ready(Some(()))
        } else {
            Poll::Pending
        }
    }
}
