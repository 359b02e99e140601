//! Recurring jobs. Every replica computes the ticks; the ledger takes each tick once and knows which were missed while everything was down.
//! What becomes of those is up to the schedule.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use tokio::time::sleep;

use super::workshop::Workshop;
use crate::kernel::jobs::{CatchUp, CronEntry};
use crate::kernel::time::Instant;

/// Longest time between two looks at the clock, so that a clock that is set is noticed.
const LOOK: Duration = Duration::from_secs(5);
/// A tick that was taken lies in the future when the clock of another replica is ahead, or when this clock was set back. Further ahead than
/// this it was the clock: it does not keep the schedule from going on.
const AHEAD: TimeDelta = TimeDelta::minutes(10);

/// Enqueues the jobs of each tick. Ends never.
pub(super) async fn tick(workshop: &Workshop) {
    let entries = &workshop.config.catalogue;
    let mut done = vec![None; entries.len()];
    loop {
        let now = workshop.platform.clock.now();
        let mut next = LOOK;
        for (entry, done) in entries.iter().zip(&mut done) {
            let tick = latest_tick(entry.every, now);
            if *done != Some(tick) {
                match workshop.ledger.take_ticks(entry, tick, now).await {
                    Ok(taken) => {
                        *done = Some(tick);
                        if taken > 1 {
                            tracing::info!(name = entry.name, taken, "missed ticks are made up for");
                        }
                    }
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

/// The ticks to take when `newest` is the last that has come and `last` the last that was taken, oldest first.
pub(super) fn due_ticks(
    entry: &CronEntry,
    last: Option<Instant>,
    newest: Instant,
    now: Instant,
) -> Vec<Instant> {
    let Some(last) = last.filter(|last| *last - now <= AHEAD) else {
        // Nothing is known of the time before the first tick.
        return vec![newest];
    };
    if last >= newest {
        return Vec::new();
    }
    let at_most = match entry.catch_up {
        CatchUp::Newest => 1,
        CatchUp::Each { at_most } => at_most.max(1),
    };
    let period = period(entry.every);
    let mut ticks: Vec<Instant> = std::iter::successors(Some(newest), |tick| Some(*tick - period))
        .take_while(|tick| *tick > last)
        .take(at_most as usize)
        .collect();
    ticks.reverse();
    ticks
}

fn period(every: Duration) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(every.as_secs()).unwrap_or(i64::MAX / 1_000).max(1))
}

/// The last multiple of the period since the epoch.
fn latest_tick(every: Duration, now: Instant) -> Instant {
    let period = period(every).num_seconds();
    let seconds = now.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(period), 0).unwrap_or(now)
}

fn until(tick: Instant, every: Duration, now: Instant) -> Duration {
    (tick + period(every) - now).to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests;
