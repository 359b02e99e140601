//! Recurring jobs. Every replica computes the ticks; the ledger takes each tick once. A tick that was missed while everything was down is made
//! up for once: the latest one.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use tokio::time::sleep;

use super::workshop::Workshop;
use crate::kernel::jobs::{NewJob, cron};
use crate::kernel::time::Instant;

/// Longest time between two looks at the clock, so that a clock that is set is noticed.
const LOOK: Duration = Duration::from_secs(5);

/// Enqueues the jobs of each tick. Ends never.
pub(super) async fn tick(workshop: &Workshop) {
    let entries = cron();
    let mut done = vec![None; entries.len()];
    loop {
        let now = workshop.platform.clock.now();
        let mut next = LOOK;
        for (entry, done) in entries.iter().zip(&mut done) {
            let tick = latest_tick(entry.every, now);
            if *done != Some(tick) {
                let key = format!("cron:{}:{}", entry.name, tick.timestamp());
                let job = NewJob::for_system(entry.payload.clone()).unique(key);
                match workshop.ledger.enqueue_tick(job, tick).await {
                    Ok(()) => *done = Some(tick),
                    Err(error) => {
                        tracing::warn!(%error, name = entry.name, "a recurring job cannot be enqueued")
                    }
                }
            }
            next = next.min(until(tick, entry.every, now));
        }
        sleep(next.max(Duration::from_millis(50))).await;
    }
}

/// The last multiple of the period since the epoch.
fn latest_tick(every: Duration, now: Instant) -> Instant {
    let period = i64::try_from(every.as_secs()).unwrap_or(i64::MAX).max(1);
    let seconds = now.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(period), 0).unwrap_or(now)
}

fn until(tick: Instant, every: Duration, now: Instant) -> Duration {
    let next = tick + TimeDelta::from_std(every).unwrap_or(TimeDelta::days(1));
    (next - now).to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_multiples_of_the_period() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let hour = Duration::from_secs(3_600);
        assert_eq!(latest_tick(hour, at(7_199)), at(3_600));
        assert_eq!(latest_tick(hour, at(7_200)), at(7_200));
        assert_eq!(until(at(3_600), hour, at(7_190)), Duration::from_secs(10));
        assert_eq!(until(at(3_600), hour, at(9_999)), Duration::ZERO);
    }
}
