//! Whether somebody looks for withdrawals. Promises: what counts only while somebody does is at most as old as the last look and the bound,
//! whatever happens to those who look.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Longest time for which a withdrawn value may still be handed out: since the last look, or since it was read when nobody looks.
const BOUND: Duration = Duration::from_secs(5);

/// When somebody looked last.
pub(super) struct Watch {
    start: Instant,
    /// Milliseconds after the start, and one; zero when nobody ever did.
    looked: AtomicU64,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            looked: AtomicU64::new(0),
        }
    }

    /// Somebody has looked, and asked the database at this moment.
    pub(super) fn looked(&self, asked: Instant) {
        let millis = asked.saturating_duration_since(self.start).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX - 1);
        self.looked.store(millis + 1, Ordering::Release);
    }

    /// Whether what was read at this moment may still be handed out.
    pub(super) fn covers(&self, read_at: Instant) -> bool {
        let is_recent = |moment: Instant| moment.elapsed() < BOUND;
        let looked = self.looked.load(Ordering::Acquire).checked_sub(1);
        let looked = looked.map(|millis| self.start + Duration::from_millis(millis));
        looked.is_some_and(is_recent) || is_recent(read_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_nobody_looks_for_counts_for_a_few_seconds() {
        let watch = Watch::new();
        let now = Instant::now();
        assert!(watch.covers(now));
        assert!(watch.covers(now - SECOND * 4));
        assert!(!watch.covers(now - SECOND * 6));
    }

    #[test]
    fn what_somebody_looks_for_counts_until_a_few_seconds_after_the_last_look() {
        let now = Instant::now();
        let watch = Watch {
            start: now - SECOND * 60,
            looked: AtomicU64::new(0),
        };
        let old = now - SECOND * 50;
        watch.looked(now - SECOND * 4);
        assert!(watch.covers(old));
        watch.looked(now - SECOND * 6);
        assert!(!watch.covers(old), "nobody has looked for too long");
        assert!(watch.covers(now - SECOND * 2), "read since");
        watch.looked(now);
        assert!(watch.covers(old), "the look has found what happened meanwhile");
    }
}
