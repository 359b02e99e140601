//! The production twin: one pattern subscription per process, fanned out locally. Knows that every message starts with the name of the
//! instance that sent it, so that a process does not hear itself twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fred::clients::SubscriberClient;
use fred::interfaces::{ClientLike as _, EventInterface as _, PubsubInterface as _};
use fred::types::Message;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::Topics;
use crate::kernel::{Error, Result};
use crate::platform::redis::Redis;

/// Time between two messages that a process sends to itself.
const BEAT: Duration = Duration::from_secs(1);
/// Silence after which messages of others may be missing.
const DOUBT: Duration = Duration::from_millis(2_500);
/// Longest wait for a connection that is made anew.
const CONNECT: Duration = Duration::from_secs(2);
/// Silence after which the connection is made anew.
const SILENCE: Duration = Duration::from_secs(5);

/// The way to the other replicas. Dropping it stops listening.
pub(super) struct Remote {
    redis: Redis,
    heard: Arc<Heard>,
    /// Keeps the connection and the loop alive; both end with it.
    _listener: JoinSet<()>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote")
            .field("redis", &self.redis)
            .finish_non_exhaustive()
    }
}

impl Remote {
    pub(super) async fn open(redis: Redis, topics: Arc<Topics>) -> Result<Self> {
        let client = redis.subscriber().await?;
        let pattern = channel(&redis, "*");
        client
            .psubscribe(pattern)
            .await
            .map_err(|error| Error::unavailable("Redis is not reachable. Try again in a moment.", error))?;
        let mut listener = JoinSet::new();
        let heard = Arc::new(Heard::default());
        listener.spawn(listen(client, redis.clone(), topics, heard.clone()));
        Ok(Self {
            redis,
            heard,
            _listener: listener,
        })
    }

    /// Whether anything was heard lately; this process speaks to itself all the time.
    pub(super) fn is_live(&self) -> bool {
        let since = self
            .heard
            .start
            .elapsed()
            .saturating_sub(Duration::from_millis(self.heard.at.load(Ordering::Relaxed)));
        since <= DOUBT
    }

    pub(super) async fn publish(&self, topic: &str, text: &str) -> Result<()> {
        let message = format!("{} {text}", self.redis.instance());
        let channel = channel(&self.redis, topic);
        self.redis
            .call(|client| async move { client.publish::<i64, _, _>(channel, message).await.map(drop) })
            .await
    }
}

/// When the last message came, in milliseconds since the start.
#[derive(Debug)]
struct Heard {
    start: Instant,
    at: AtomicU64,
}

impl Default for Heard {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            at: AtomicU64::new(0),
        }
    }
}

impl Heard {
    fn now(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.at.store(millis, Ordering::Relaxed);
    }
}

fn channel(redis: &Redis, topic: &str) -> String {
    redis.key(format_args!("topic:{topic}"))
}

async fn listen(client: SubscriberClient, redis: Redis, topics: Arc<Topics>, live: Arc<Heard>) {
    let prefix = channel(&redis, "");
    let mut messages = client.message_rx();
    let mut reconnects = client.reconnect_rx();
    // The client subscribes again by itself after a reconnect; what was sent in between is lost.
    let keeper = client.manage_subscriptions();
    let _stop = StopOnDrop(keeper);
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut heard, mut turn) = (Instant::now(), 0_u64);
    // Not moved by a connection that is made anew.
    let mut spoken = Instant::now();
    let mut is_late = false;
    loop {
        tokio::select! {
            _ = beats.tick() => {
                if spoken.elapsed() > DOUBT {
                    if !std::mem::replace(&mut is_late, true) {
                        tracing::warn!("no messages come through Redis: changes of other replicas are heard of late");
                    }
                    turn = turn.wrapping_add(1);
                    topics.resync_some(turn);
                }
                if heard.elapsed() > SILENCE && client.is_connected() {
                    tracing::warn!("Redis is connected but silent; connecting again");
                    heard = Instant::now();
                    // What comes of it is heard as a reconnect.
                    timeout(CONNECT, client.force_reconnection()).await.ok();
                }
                beat(&redis).await;
            }
            message = messages.recv() => match message {
                Ok(message) => {
                    if std::mem::take(&mut is_late) {
                        tracing::info!("messages come through Redis again");
                    }
                    heard = Instant::now();
                    spoken = heard;
                    live.now();
                    hand_out(&message, &prefix, redis.instance(), &topics);
                }
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "messages from other replicas came faster than they could be handed out");
                    topics.resync_all();
                }
                Err(RecvError::Closed) => return,
            },
            reconnect = reconnects.recv() => match reconnect {
                Ok(_) => {
                    tracing::info!("Redis is back");
                    topics.resync_all();
                }
                Err(RecvError::Lagged(_)) => topics.resync_all(),
                Err(RecvError::Closed) => return,
            },
        }
    }
}

fn hand_out(message: &Message, prefix: &str, own: &str, topics: &Topics) {
    let Some(topic) = message.channel.strip_prefix(prefix) else {
        return;
    };
    let Some(text) = message.value.as_str() else {
        return;
    };
    if let Some((instance, text)) = text.split_once(' ')
        && instance != own
    {
        topics.deliver(topic, &Arc::from(text));
    }
}

/// Every process hears its own beats, so that a connection that went silent without a word is noticed.
async fn beat(redis: &Redis) {
    let channel = channel(redis, "beat");
    let message = redis.instance().to_owned();
    let sent = redis.call(|client| async move { client.publish::<i64, _, _>(channel, message).await });
    if let Err(error) = sent.await {
        tracing::debug!(%error, "no beat");
    }
}

struct StopOnDrop(tokio::task::JoinHandle<()>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
