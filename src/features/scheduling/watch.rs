//! Watching the generation of one plan until it ends.

use entity::enums::ScheduleStatus;
use entity::ids::ScheduleId;
use entity::schedule;

use super::model::Progress;
use super::read;
use crate::access::Access;
use crate::kernel::Result;
use crate::kernel::changes::Topic;
use crate::platform::Platform;
use crate::platform::pubsub::{Signal, Subscription};

/// Somebody who watches. The row says whether the plan is being made; messages say how far it is.
#[derive(Debug)]
pub struct Watch {
    id: ScheduleId,
    signals: Subscription,
    seen: Option<Progress>,
    ended: bool,
}

impl Watch {
    /// Starts with the current state.
    pub fn start(platform: &Platform, id: ScheduleId) -> Self {
        // Listening comes before the first look, so that nothing is missed in between.
        Self {
            id,
            signals: platform.pubsub.subscribe(Topic::Schedule(id)),
            seen: None,
            ended: false,
        }
    }

    /// The next step that differs from the last one; `None` once the generation has ended or the server stops. `access` is asked anew each
    /// time, so that whoever may no longer see the plan hears nothing more.
    pub async fn next(&mut self, access: impl Fn() -> Access) -> Result<Option<(schedule::Model, Progress)>> {
        while !self.ended {
            let mut told = None;
            if self.seen.is_some() {
                match self.signals.recv().await {
                    Signal::Closed => return Ok(None),
                    Signal::Message(text) => told = serde_json::from_str::<Progress>(&text).ok(),
                    Signal::Resync => {}
                }
            }
            let row = read::find(&access(), self.id).await?.1;
            self.ended = row.status != ScheduleStatus::Generating;
            let progress = match told {
                Some(told) if !self.ended => told,
                _ => Progress::from(&row),
            };
            if self.seen.as_ref() == Some(&progress) && !self.ended {
                continue;
            }
            self.seen = Some(progress.clone());
            return Ok(Some((row, progress)));
        }
        Ok(None)
    }
}
