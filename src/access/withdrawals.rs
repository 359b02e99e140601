//! What was taken from a person anywhere: sessions, tokens, memberships, roles. The database has a sign of each, see the table
//! `withdrawals`, whoever took it and whether messages arrive. Promises: what is kept of callers is at most five seconds older than the
//! database, while it can be reached or not; their sockets are told within two looks; one statement a look for the whole process.

use std::collections::HashSet;
use std::time::Duration;

use chrono::TimeDelta;
use entity::ids::UserId;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::kernel::changes::Topic;
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::db::Scope;

/// How long callers and their memberships are kept while somebody looks; [`crate::platform::cache::Kept::WATCHED`] has the bound when nobody
/// does.
pub(super) const KEPT: Duration = Duration::from_secs(300);
/// Time between two looks.
const LOOK: Duration = Duration::from_secs(2);
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// After a longer silence signs may have been deleted unseen: upkeep keeps them for a day.
const LONGEST_SILENCE: TimeDelta = TimeDelta::hours(12);

/// Looks until the shutdown.
pub async fn look_after_withdrawals(platform: &Platform) {
    let mut seen = Withdrawals::default();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = platform.shutdown.cancelled() => return,
            _ = looks.tick() => seen.look(platform).await,
        }
    }
}

/// What was seen of withdrawals so far.
#[derive(Debug, Default)]
pub struct Withdrawals {
    /// Where the next look begins; `None` before the first one.
    from: Option<i64>,
    /// Signs that the last look has found: those that are found again are told already.
    told: HashSet<(i64, UserId)>,
    /// When the last look was, by the clock on the wall: the other one stands still while a machine sleeps.
    at: Option<Instant>,
}

impl Withdrawals {
    /// Looks once. Without an answer nothing is told, and what is kept counts for a few seconds more.
    pub async fn look(&mut self, platform: &Platform) {
        // Nothing has a later number before the first answer says where to begin.
        let from = self.from.unwrap_or(i64::MAX);
        let (asked, at) = (tokio::time::Instant::now(), platform.clock.now());
        let asking = async {
            let read = platform.db.read(Scope::System).await?;
            read.withdrawals(from).await
        };
        let found = match timeout(PATIENCE, asking).await {
            Ok(Ok(found)) => found,
            // The next look begins at the same sign.
            Ok(Err(error)) => return tracing::debug!(%error, "nobody can say what was withdrawn"),
            Err(_) => return tracing::debug!("nobody says in time what was withdrawn"),
        };
        // Numbers go back when another database took the place of this one.
        let is_behind = found.from < from;
        let was_silent = self.at.is_none_or(|last| at - last > LONGEST_SILENCE);
        if is_behind || was_silent {
            platform.cache.doubt();
        }
        let signs: HashSet<(i64, UserId)> = found.signs.into_iter().collect();
        let people: HashSet<UserId> = signs.difference(&self.told).map(|(_, id)| *id).collect();
        for user_id in &people {
            platform.cache.withdrawn(*user_id);
        }
        // Only now, when all that was found is known.
        platform.cache.looked(asked);
        for user_id in people {
            platform.pubsub.tell_here(Topic::Revoked(user_id), &());
        }
        (self.from, self.told, self.at) = (Some(found.from), signs, Some(at));
    }
}
