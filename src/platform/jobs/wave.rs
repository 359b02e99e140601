//! Jobs that began together are awaited together, but not for long: when short ones end one by one, those that come next are claimed all at
//! once, because a claim of one costs nearly as much as a claim of eight. It knows no queue and no job.

use std::time::Duration;

use tokio::time::Instant;

/// How long a free slot waits for the others of its wave.
pub(super) const LINGER: Duration = Duration::from_millis(2);

/// What is left of the jobs that began together last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wave {
    left: usize,
    began: Option<Instant>,
}

impl Wave {
    /// So many jobs begin.
    pub(super) fn begin(jobs: usize, now: Instant) -> Self {
        Self {
            left: jobs,
            began: Some(now),
        }
    }

    /// One has ended. Whether its slot waits for the others: never for one whose jobs are longer than that.
    pub(super) fn ends(&mut self, now: Instant) -> bool {
        self.left = self.left.saturating_sub(1);
        self.is_awaited(now)
    }

    /// Whether the others are worth waiting for.
    pub(super) fn is_awaited(&self, now: Instant) -> bool {
        let is_young = |began: Instant| now.saturating_duration_since(began) < LINGER;
        self.left > 0 && self.began.is_some_and(is_young)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_jobs_wait_for_the_last_of_their_wave() {
        let now = Instant::now();
        let mut wave = Wave::begin(3, now);
        assert!(wave.ends(now));
        assert!(wave.ends(now + LINGER / 2));
        assert!(!wave.ends(now + LINGER / 2));
        // One more, of an older wave.
        assert!(!wave.ends(now + LINGER / 2));
    }

    #[test]
    fn nobody_waits_for_long_jobs_or_without_a_wave() {
        let now = Instant::now();
        let mut wave = Wave::begin(3, now);
        assert!(wave.is_awaited(now) && !wave.is_awaited(now + LINGER));
        assert!(!wave.ends(now + LINGER));
        assert!(!Wave::default().ends(now));
        assert!(!Wave::begin(1, now).ends(now));
    }
}
