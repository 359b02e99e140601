//! Numbers that nobody counts on the way: they are looked up when a monitor asks, those of the database at most every ten seconds, unless
//! a worker came or went.

use std::time::Duration;

use entity::enums::JobQueueName;
use tokio::time::{Instant, timeout};

use super::Inner;
use crate::features::integrations;
use crate::kernel::Result;
use crate::platform::Platform;
use crate::platform::db::Scope;
use crate::platform::jobs::{live_workers, queue_stats};
use crate::platform::metrics::table;

/// How long numbers of the database are good.
const GOOD: Duration = Duration::from_secs(10);
/// A monitor waits ten seconds for everything.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn refresh(admin: &Inner) {
    machines(&admin.platform);
    if let Some(redis) = &admin.platform.redis {
        // Asked and not remembered: one that hangs takes connections and looks well between two calls, so that no alert would ever last.
        let is_up = redis.ping().await.is_ok();
        admin.platform.metrics.set(&table::REDIS_UP, &[], flag(is_up));
    }
    let is_up = matches!(timeout(PATIENCE, admin.platform.db.ping()).await, Ok(Ok(())));
    admin.platform.metrics.set(&table::DB_UP, &[], flag(is_up));
    if !is_up {
        tracing::warn!("the database does not answer; its numbers are old");
        return;
    }
    let mut asked = admin.asked.lock().await;
    let platform = &admin.platform;
    // One that died is to show within ten seconds, and it takes most of them until it counts as dead.
    let workers = match timeout(PATIENCE, workers(platform)).await {
        Ok(Ok(workers)) => Some(workers),
        Ok(Err(_)) | Err(_) => None,
    };
    if asked.is_some_and(|(asked, then)| asked.elapsed() < GOOD && workers == Some(then)) {
        return;
    }
    *asked = workers.map(|workers| (Instant::now(), workers));
    match timeout(PATIENCE, tables(platform)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => tracing::warn!(cause = error.cause(), "the numbers of the database are old"),
        Err(_) => tracing::warn!("the database gives no numbers in time"),
    }
    // It may do better at the next look.
    *asked = None;
}

fn flag(is_true: bool) -> f64 {
    f64::from(u8::from(is_true))
}

async fn workers(platform: &Platform) -> Result<u64> {
    let read = platform.db.read(Scope::System).await?;
    live_workers(&read, platform.clock.now()).await
}

/// What this process knows by itself.
fn machines(platform: &Platform) {
    let metrics = &platform.metrics;
    for pool in platform.db.pools() {
        let busy = pool.open.saturating_sub(pool.idle);
        metrics.set(&table::DB_CONNECTIONS, &[pool.name, "busy"], f64::from(busy));
        metrics.set(&table::DB_CONNECTIONS, &[pool.name, "idle"], f64::from(pool.idle));
        metrics.set(&table::DB_CONNECTIONS_MAX, &[pool.name], f64::from(pool.max));
    }
    if let Some(redis) = &platform.redis {
        metrics.count(&table::REDIS_FAILURES, &[], redis.failures());
    }
    metrics.set(&table::MESSAGES_LIVE, &[], flag(platform.pubsub.is_live()));
    for (name, hits, misses) in platform.cache.counts() {
        metrics.count(&table::CACHE_HITS, &[name], hits);
        metrics.count(&table::CACHE_MISSES, &[name], misses);
    }
    metrics.count(&table::LIMITS_ALONE, &[], platform.limits.decided_alone());
}

async fn tables(platform: &Platform) -> Result<()> {
    let (metrics, now) = (&platform.metrics, platform.clock.now());
    let age = |since: Option<_>| {
        let age = since.map_or(chrono::Duration::zero(), |since| now - since);
        age.num_milliseconds().max(0) as f64 / 1_000.0
    };
    let read = platform.db.read(Scope::System).await?;
    for stats in queue_stats(&read, now).await? {
        let queue = word(stats.queue);
        for (state, count) in [
            ("queued", stats.queued),
            ("running", stats.running),
            ("retrying", stats.retrying),
            ("dead", stats.dead),
        ] {
            metrics.set(&table::JOBS, &[queue, state], count as f64);
        }
        metrics.set(&table::JOBS_AGE, &[queue], age(stats.oldest_queued_at));
        metrics.set(&table::JOBS_PAUSED, &[queue], flag(stats.is_paused));
        metrics.set(&table::WORKERS, &[queue], stats.workers as f64);
    }
    let syncs = integrations::staleness(platform).await?;
    metrics.set(&table::SYNC_STALE, &[], age(syncs.oldest));
    metrics.set(&table::SYNC_FAILING, &[], syncs.failing as f64);
    Ok(())
}

fn word(queue: JobQueueName) -> &'static str {
    match queue {
        JobQueueName::CalendarSync => "calendar_sync",
        JobQueueName::Email => "email",
        JobQueueName::ScheduleGeneration => "schedule_generation",
        JobQueueName::Notification => "notification",
        JobQueueName::DataTransfer => "data_transfer",
        JobQueueName::Maintenance => "maintenance",
    }
}
