//! Watching one job until it ends.

use entity::enums::JobStatus;
use entity::ids::JobId;
use entity::job;

use super::read;
use crate::access::Access;
use crate::kernel::Result;
use crate::kernel::changes::Topic;
use crate::platform::Platform;
use crate::platform::pubsub::{Signal, Subscription};

/// Somebody who watches. The row is the truth; messages only say that there is something to see.
#[derive(Debug)]
pub struct Watch {
    id: JobId,
    signals: Subscription,
    seen: Option<job::Model>,
    ended: bool,
}

impl Watch {
    /// Starts with the current state.
    pub fn start(platform: &Platform, id: JobId) -> Self {
        // Listening comes before the first look, so that nothing is missed in between.
        Self {
            id,
            signals: platform.pubsub.subscribe(Topic::Job(id)),
            seen: None,
            ended: false,
        }
    }

    /// The next state that differs from the last one; `None` once the job has ended or the server stops. `access` is asked anew each time,
    /// so that whoever may no longer see the job hears nothing more.
    pub async fn next(&mut self, access: impl Fn() -> Access) -> Result<Option<job::Model>> {
        while !self.ended {
            if self.seen.is_some() && matches!(self.signals.recv().await, Signal::Closed) {
                return Ok(None);
            }
            let row = read::get(&access(), self.id).await?;
            if self.seen.as_ref() == Some(&row) {
                continue;
            }
            self.ended = matches!(
                row.status,
                JobStatus::Succeeded | JobStatus::Dead | JobStatus::Cancelled
            );
            self.seen = Some(row.clone());
            return Ok(Some(row));
        }
        Ok(None)
    }
}
