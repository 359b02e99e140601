//! Watching all jobs of the installation. Messages only name jobs; their rows are the truth.

use std::collections::VecDeque;

use chrono::TimeDelta;
use entity::enums::JobQueueName;
use entity::ids::JobId;
use entity::job;

use super::read;
use crate::access::{Access, Caller, still_valid};
use crate::kernel::Result;
use crate::kernel::changes::Topic;
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::jobs::JobEvent;
use crate::platform::pubsub::{Signal, Subscription};

/// Transactions end later than they take their time.
const OVERLAP: TimeDelta = TimeDelta::seconds(5);

/// States of jobs as they change. After messages were missed, the jobs that may have changed meanwhile are sent as they are now, so that the
/// last state that was sent is the true one.
#[derive(Debug)]
pub struct Feed {
    platform: Platform,
    caller: Caller,
    queues: Option<Vec<JobQueueName>>,
    signals: Subscription,
    since: Instant,
    ready: VecDeque<job::Model>,
}

impl Feed {
    /// Starts with the next change. FORBIDDEN unless the caller looks after the installation.
    pub fn start(access: &Access, queues: Option<Vec<JobQueueName>>) -> Result<Self> {
        access.caller().require_admin()?;
        let platform = access.platform().clone();
        Ok(Self {
            signals: platform.pubsub.subscribe(Topic::Jobs),
            since: platform.clock.now(),
            platform,
            caller: access.caller().clone(),
            queues,
            ready: VecDeque::new(),
        })
    }

    /// The next state of a job; `None` when the server stops. Fails when the caller's session or token has been taken away.
    pub async fn next(&mut self) -> Result<Option<job::Model>> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Ok(Some(row));
            }
            let (signal, now) = (self.signals.recv().await, self.platform.clock.now());
            let rows = match signal {
                Signal::Closed => return Ok(None),
                Signal::Resync => self.missed().await?,
                Signal::Message(text) => match serde_json::from_str::<Vec<JobEvent>>(&text) {
                    Ok(events) => self.named(&events).await?,
                    Err(_) => self.missed().await?,
                },
            };
            self.since = now;
            if !rows.is_empty() {
                still_valid(&self.platform, &self.caller).await?;
                self.ready = rows.into();
            }
        }
    }

    fn wants(&self, queue: JobQueueName) -> bool {
        self.queues.as_ref().is_none_or(|queues| queues.contains(&queue))
    }

    async fn named(&self, events: &[JobEvent]) -> Result<Vec<job::Model>> {
        let wanted = events.iter().filter(|event| self.wants(event.queue));
        let ids: Vec<JobId> = wanted.map(|event| event.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let access = Access::new(self.platform.clone(), self.caller.clone());
        let mut rows = read::get_many(&access, &ids).await?;
        rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
        Ok(rows)
    }

    async fn missed(&self) -> Result<Vec<job::Model>> {
        let since = self.since - OVERLAP;
        let mut rows = read::changed_since(&self.platform, since, self.queues.as_deref()).await?;
        rows.reverse();
        Ok(rows)
    }
}
