//! A live stream of one person's new notifications. Messages only carry ids; after a gap in them the table is read again.

use std::collections::VecDeque;

use chrono::Duration;
use entity::ids::NotificationId;
use entity::notification::{self, Column, Entity};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::{find_many, own};
use crate::access::{Access, Caller, still_valid};
use crate::kernel::Result;
use crate::kernel::changes::Topic;
use crate::kernel::time::Instant;
use crate::platform::Platform;
use crate::platform::db::Scope;
use crate::platform::pubsub::{Signal, Subscription};

/// Transactions end later than they take their time: how far behind the last look a missed row may be dated.
const OVERLAP: Duration = Duration::seconds(60);
/// Most notifications read after a gap; older ones are in the list.
const CATCH_UP: u64 = 500;
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
        };
        // What is there already was not missed, though it may be dated like what comes.
        inbox.sent = inbox.recent().await?.iter().map(|row| row.id).collect();
        Ok(inbox)
    }

    /// The next notification; `None` when the server stops. Fails when the caller's session or token has been taken away.
    pub async fn next(&mut self) -> Result<Option<notification::Model>> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                if self.sent.contains(&row.id) {
                    continue;
                }
                self.sent.push_back(row.id);
                if self.sent.len() > REMEMBERED {
                    self.sent.pop_front();
                }
                still_valid(&self.platform, &self.caller).await?;
                return Ok(Some(row));
            }
            match self.signals.recv().await {
                Signal::Message(text) => match serde_json::from_str::<NotificationId>(&text) {
                    Ok(id) => self.ready.extend(find_many(&self.access(), &[id]).await?),
                    Err(_) => self.catch_up().await?,
                },
                Signal::Resync => self.catch_up().await?,
                Signal::Closed => return Ok(None),
            }
        }
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
