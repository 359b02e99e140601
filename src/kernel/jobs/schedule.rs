//! The catalogue of recurring work: what comes round how often, and what becomes of ticks that nobody could take. Data only.

use std::time::Duration;

use super::Payload;
use crate::kernel::time::Instant;

/// What happens to ticks that passed while no worker lived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// The newest one stands for all: for work that looks at everything that is due by then, so that the one run misses nothing. One that
    /// still waits stands for it, too.
    Newest,
    /// Each becomes a job of its own, in their order: for work that belongs to its tick.
    Each {
        /// Of those that were missed, the newest so many.
        at_most: u32,
    },
}

/// Recurring work: one job for each tick, whatever the number of replicas.
#[derive(Clone, Debug)]
pub struct CronEntry {
    /// Name in the unique key and in the table of ticks; a changed one is another schedule.
    pub name: &'static str,
    /// Ticks at multiples of this period since the epoch.
    pub every: Duration,
    /// What becomes of missed ticks.
    pub catch_up: CatchUp,
    /// What to do at a tick.
    pub payload: fn(Instant) -> Payload,
}

const fn seconds(
    name: &'static str,
    every: u64,
    catch_up: CatchUp,
    payload: fn(Instant) -> Payload,
) -> CronEntry {
    CronEntry {
        name,
        every: Duration::from_secs(every),
        catch_up,
        payload,
    }
}

/// All recurring work. Every one of these looks at what is due (reminders and notices from where they stopped, integrations, applied plans,
/// rows past their time), whatever happened since it last looked.
pub fn cron() -> Vec<CronEntry> {
    use CatchUp::Newest;
    vec![
        seconds("start-due-replans", 10, Newest, |_| Payload::StartDueReplans),
        seconds("tell-what-is-due", 60, Newest, |_| Payload::TellWhatIsDue),
        seconds("start-due-syncs", 60, Newest, |_| Payload::StartDueSyncs),
        seconds("prune-expired", 3_600, Newest, |_| Payload::PruneExpired),
        seconds("renew-times", 21_600, Newest, |_| Payload::RenewTimes),
    ]
}
