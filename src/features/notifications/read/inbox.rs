//! A live stream of one person's new notifications. Messages only carry ids; after a gap in them the table is read again.

use std::collections::VecDeque;

use chrono::Duration;
use entity::ids::NotificationId;
use entity::notification::{self, Column, Entity};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use tokio::time::sleep;

use super::{find_many, own};
use crate::access::{Access, Caller, still_valid};
use crate::kernel::changes::Topic;
use crate::kernel::time::Instant;
use crate::kernel::{ErrorCode, Result};
use crate::platform::Platform;
use crate::platform::db::Scope;
use crate::platform::pubsub::{Signal, Subscription};

/// Transactions end later than they take their time: how far behind the last look a missed row may be dated.
const OVERLAP: Duration = Duration::seconds(60);
/// Most notifications read after a gap; older ones are in the list.
const CATCH_UP: u64 = 500;
/// Pause while the database is away.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(500);
/// Most notifications remembered as sent: more than one gap can bring up again.
const REMEMBERED: usize = 1_000;

/// New notifications of a caller, each once.
#[derive(Debug)]
pub struct Inbox {
    platform: Platform,
    caller: Caller,
    signals: Subscription,
    /// When everything up to then was known to be sent.
    since: Instant,
    /// The last ones that were sent.
    sent: VecDeque<NotificationId>,
    ready: VecDeque<notification::Model>,
    /// Messages may have been missed.
    is_behind: bool,
}

/// What one look brings.
enum Step {
    Heard(Box<notification::Model>),
    More,
    Closed,
}

impl Inbox {
    /// Starts with the next notification.
    pub async fn start(access: &Access) -> Result<Self> {
        let user_id = access.caller().require_user()?;
        let platform = access.platform().clone();
        let signals = platform.pubsub.subscribe(Topic::Notifications(user_id));
        let since = platform.clock.now();
        let mut inbox = Self {
            platform,
            caller: access.caller().clone(),
            signals,
            since,
            sent: VecDeque::new(),
            ready: VecDeque::new(),
            is_behind: false,
        };
        // What is there already was not missed, though it may be dated like what comes.
        inbox.sent = inbox.recent().await?.iter().map(|row| row.id).collect();
        Ok(inbox)
    }

    /// The next notification; `None` when the server stops. Fails when the caller's session or token has been taken away; a database that is
    /// away is waited for.
    pub async fn next(&mut self) -> Result<Option<notification::Model>> {
        loop {
            match self.step().await {
                Ok(Step::Heard(row)) => return Ok(Some(*row)),
                Ok(Step::Closed) => return Ok(None),
                Ok(Step::More) => {}
                Err(error) if error.code() == ErrorCode::ServiceUnavailable => {
                    self.is_behind = true;
                    sleep(AGAIN).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn step(&mut self) -> Result<Step> {
        if self.is_behind {
            self.catch_up().await?;
            self.is_behind = false;
        }
        if let Some(row) = self.ready.front() {
            if !self.sent.contains(&row.id) {
                still_valid(&self.platform, &self.caller).await?;
            }
            let Some(row) = self.ready.pop_front().filter(|row| !self.sent.contains(&row.id)) else {
                return Ok(Step::More);
            };
            self.sent.push_back(row.id);
            if self.sent.len() > REMEMBERED {
                self.sent.pop_front();
            }
            return Ok(Step::Heard(Box::new(row)));
        }
        match self.signals.recv().await {
            Signal::Message(text) => match serde_json::from_str::<NotificationId>(&text) {
                Ok(id) => self.ready.extend(find_many(&self.access(), &[id]).await?),
                Err(_) => self.is_behind = true,
            },
            Signal::Resync => self.is_behind = true,
            Signal::Closed => return Ok(Step::Closed),
        }
        Ok(Step::More)
    }

    fn access(&self) -> Access {
        Access::new(self.platform.clone(), self.caller.clone())
    }

    async fn catch_up(&mut self) -> Result<()> {
        let now = self.platform.clock.now();
        self.ready = self.recent().await?.into();
        self.since = now;
        Ok(())
    }

    async fn recent(&self) -> Result<Vec<notification::Model>> {
        let read = self.platform.db.read(Scope::System).await?;
        let recent = own(&self.caller)?.add(Column::CreatedAt.gte(self.since - OVERLAP));
        let select = read
            .find_global::<Entity>()
            .filter(recent)
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id);
        let mut rows = select.limit(CATCH_UP).all(&read).await?;
        rows.reverse();
        Ok(rows)
    }
}
