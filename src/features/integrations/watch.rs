//! Watching the runs of an integration as they go.

use entity::ids::IntegrationId;
use entity::sync_run;

use super::read;
use crate::access::Ctx;
use crate::kernel::Result;
use crate::kernel::changes::Topic;
use crate::platform::pubsub::{Signal, Subscription};

/// Somebody who watches. The rows are the truth; messages only say that there is something to see.
#[derive(Debug)]
pub struct Watch {
    id: IntegrationId,
    signals: Subscription,
    looked: bool,
    seen: Option<sync_run::Model>,
}

impl Watch {
    /// Starts with the state of the newest run.
    pub fn start(ctx: &Ctx, id: IntegrationId) -> Self {
        Self {
            id,
            // Listening comes before the first look, so that nothing is missed in between.
            signals: ctx.platform().pubsub.subscribe(Topic::Sync(id)),
            looked: false,
            seen: None,
        }
    }

    /// Waits until it is worth looking; false when the server stops.
    pub async fn changed(&mut self) -> bool {
        if !self.looked {
            self.looked = true;
            return true;
        }
        !matches!(self.signals.recv().await, Signal::Closed)
    }

    /// The newest run, unless it was seen like this before.
    pub async fn look(&mut self, ctx: &Ctx) -> Result<Option<sync_run::Model>> {
        let newest = read::newest_run(ctx, self.id).await?;
        if newest == self.seen {
            return Ok(None);
        }
        self.seen.clone_from(&newest);
        Ok(newest)
    }
}
