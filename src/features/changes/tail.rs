//! Looks at the ends of the change logs that somebody in this process follows. A message says at once that there is something to read, but
//! it is lost when its sender dies between commit and message, when its request is given up there, when the command line wrote, or while
//! Redis is away. Promises: whoever follows a log hears of every commit within two looks, whatever became of its message; one statement a
//! look for the whole process, and none for whoever is up to date.

use std::collections::HashMap;
use std::time::Duration;

use entity::ids::WorkspaceId;
use tokio::time::{MissedTickBehavior, interval};

use super::positions;
use crate::kernel::changes::{Committed, Topic};
use crate::platform::Platform;

/// Time between two looks.
const LOOK: Duration = Duration::from_secs(2);

/// What is known of the log of one workspace.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Its end at the last look.
    end: i64,
    /// The end that followers were told of.
    told: i64,
}

/// Looks until the shutdown.
pub async fn look_after(platform: &Platform) {
    let mut logs: HashMap<WorkspaceId, Known> = HashMap::new();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = platform.shutdown.cancelled() => return,
            _ = looks.tick() => look(platform, &mut logs).await,
        }
    }
}

async fn look(platform: &Platform, logs: &mut HashMap<WorkspaceId, Known>) {
    let followed = platform.pubsub.followed();
    let mut known = HashMap::with_capacity(followed.len());
    let ends = match positions(platform, &followed).await {
        Ok(ends) => ends,
        // What was known is kept: the next look finds what this one would have.
        Err(error) => return tracing::debug!(%error, "the ends of the change logs cannot be read"),
    };
    // A message on its way needs no help, so the end of the last look is told; without messages there is nothing to wait for.
    let is_live = platform.pubsub.is_live();
    for (workspace_id, end) in ends {
        let mut log = logs.get(&workspace_id).copied().unwrap_or_default();
        let due = if is_live { log.end } else { end };
        if log.told < due {
            log.told = due;
            let committed = Committed {
                last_seq: due,
                changes: Vec::new(),
            };
            platform
                .pubsub
                .tell_here(Topic::Changes(workspace_id), &committed);
        }
        log.end = end;
        known.insert(workspace_id, log);
    }
    *logs = known;
}
