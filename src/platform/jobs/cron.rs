//! Recurring jobs. Every replica computes the ticks; the ledger takes each tick once. A tick that was missed while everything was down is made
//! up for once: the latest one.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use entity::job;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, QueryFilter as _};
use tokio::time::sleep;

use super::workshop::Workshop;
use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::kernel::jobs::{CronEntry, NewJob, cron};
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::db::{Scope, Tx};

/// Longest time between two looks at the clock, so that a clock that is set is noticed.
const LOOK: Duration = Duration::from_secs(5);
/// Makes replicas that enqueue ticks wait for each other; any number that nothing else uses.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7305809151)";

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
                match enqueue(&workshop.platform, entry, tick).await {
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

async fn enqueue(platform: &Platform, entry: &CronEntry, tick: Instant) -> Result<()> {
    let key = format!("cron:{}:{}", entry.name, tick.timestamp());
    platform
        .write(Scope::System, Actor::system(), |tx| {
            once(tx, entry, key.clone(), tick)
        })
        .await
}

/// The unique index only knows unfinished jobs, so an ended one with the key is looked for too; the lock keeps that look and the insert together.
async fn once(tx: Tx, entry: &CronEntry, key: String, tick: Instant) -> Result<()> {
    if tx.is_postgres() {
        tx.execute_unprepared(LOCK).await?;
    }
    let same = tx
        .find::<job::Entity>()
        .filter(job::Column::CreatedAt.gte(tick))
        .filter(job::Column::UniqueKey.eq(key.as_str()))
        .one(tx.conn())
        .await?;
    if same.is_none() {
        tx.enqueue(NewJob::for_system(entry.payload.clone()).unique(key))
            .await?;
    }
    Ok(())
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
