//! Messages between tasks and replicas. It promises that a publisher never fails and never waits long, and that a subscriber is told to
//! resync whenever it may have missed something. Messages are hints: the truth is in the database. Knows no message's meaning.

mod redis;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use dashmap::DashMap;
use entity::ids::WorkspaceId;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::kernel::Result;
use crate::kernel::changes::Topic;
use crate::platform::redis::Redis;

/// Messages that one slow subscriber may be behind before it has to resync.
const BACKLOG: usize = 256;

/// Messages kept for a topic. The room is taken when the topic gets its first subscriber, so topics that every person has must be small.
fn backlog(topic: Topic) -> usize {
    match topic {
        // The message says no more than a resync does.
        Topic::Revoked(_) => 1,
        Topic::Notifications(_) => 16,
        _ => BACKLOG,
    }
}

/// How many beats apart the subscribers of a topic are told to resync while nothing is heard from the other replicas. Spread over the
/// topics, because many of them have a statement to run; none where somebody else looks at the truth in the meantime.
fn turns(topic: Topic) -> Option<u64> {
    match topic {
        // Whoever looks after the logs tells those that did grow; workers look for jobs every second.
        Topic::Changes(_) | Topic::JobsDue => None,
        // As many as there are sockets. Whose sessions and tokens have ended is looked for at once, by somebody who asks for all of them.
        Topic::Revoked(_) => Some(16),
        _ => Some(3),
    }
}

/// What a subscriber hears.
#[derive(Clone, Debug)]
pub enum Signal {
    /// A message as JSON.
    Message(Arc<str>),
    /// Messages may have been missed: read the truth from the database.
    Resync,
    /// No more messages will come.
    Closed,
}

/// What everything in this process hears.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    /// A message of this or another replica.
    Message {
        /// The text of its topic.
        topic: &'a str,
        /// The message as JSON.
        text: &'a str,
    },
    /// Messages may have been missed.
    Resync,
}

type Tap = Box<dyn Fn(Heard<'_>) + Send + Sync>;

#[derive(Clone, Debug)]
enum Item {
    Message(Arc<str>),
    Resync,
}

/// Publish and subscribe. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PubSub {
    topics: Arc<Topics>,
    remote: Option<Arc<redis::Remote>>,
}

/// Local subscribers by the text of their topic.
#[derive(Default)]
struct Topics {
    senders: DashMap<String, Local>,
    failures: AtomicU64,
    tap: OnceLock<Tap>,
}

/// The subscribers of one topic.
struct Local {
    topic: Topic,
    sender: broadcast::Sender<Item>,
}

impl std::fmt::Debug for Topics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Topics")
            .field("senders", &self.senders.len())
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

impl Topics {
    fn deliver(&self, topic: &str, message: &Arc<str>) {
        if let Some(tap) = self.tap.get() {
            tap(Heard::Message { topic, text: message });
        }
        self.tell(topic, message);
    }

    fn tell(&self, topic: &str, message: &Arc<str>) {
        if let Some(local) = self.senders.get(topic) {
            // An error only says that the last subscriber is leaving.
            local.sender.send(Item::Message(message.clone())).ok();
        }
    }

    fn resync_all(&self) {
        if let Some(tap) = self.tap.get() {
            tap(Heard::Resync);
        }
        for local in &self.senders {
            local.sender.send(Item::Resync).ok();
        }
    }

    /// Nothing is heard from the other replicas: those whose turn it is look at the truth.
    fn resync_some(&self, turn: u64) {
        for local in &self.senders {
            if let Some(turns) = turns(local.topic)
                && spread(local.key()) % turns == turn % turns
            {
                local.sender.send(Item::Resync).ok();
            }
        }
    }
}

/// A number that differs between topics.
fn spread(topic: &str) -> u64 {
    topic
        .bytes()
        .fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
}

impl PubSub {
    /// Messages stay in this process.
    pub fn local() -> Self {
        Self {
            topics: Arc::default(),
            remote: None,
        }
    }

    /// Messages reach every replica through Redis: one pattern subscription for the whole process, handed out locally. Own messages
    /// are delivered at once, so they arrive also while Redis is away.
    pub async fn redis(redis: &Redis) -> Result<Self> {
        let topics = Arc::new(Topics::default());
        let remote = redis::Remote::open(redis.clone(), topics.clone()).await?;
        Ok(Self {
            topics,
            remote: Some(Arc::new(remote)),
        })
    }

    /// Sends a message to every subscriber of the topic. Best effort: a failure is logged and counted, never returned.
    pub async fn publish(&self, topic: Topic, message: &impl Serialize) {
        let text: Arc<str> = match serde_json::to_string(message) {
            Ok(text) => text.into(),
            Err(error) => {
                self.topics.failures.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%topic, %error, "a message cannot be written as JSON");
                return;
            }
        };
        let topic = topic.to_string();
        self.topics.deliver(&topic, &text);
        if let Some(remote) = &self.remote
            && let Err(error) = Box::pin(remote.publish(&topic, &text)).await
        {
            let failures = self.topics.failures.fetch_add(1, Ordering::Relaxed) + 1;
            let cause = error.cause();
            tracing::debug!(
                topic,
                failures,
                cause,
                "a message did not reach the other replicas"
            );
        }
    }

    /// Hears every message that reaches this process before its subscribers do. There is one such listener; a second one is refused.
    pub fn tap(&self, listener: impl Fn(Heard<'_>) + Send + Sync + 'static) {
        if self.topics.tap.set(Box::new(listener)).is_err() {
            tracing::error!("somebody listens to all messages already");
        }
    }

    /// Whether messages of the other replicas arrive, as far as can be told.
    pub fn is_live(&self) -> bool {
        self.remote.as_ref().is_none_or(|remote| remote.is_live())
    }

    /// Listens from now on.
    pub fn subscribe(&self, topic: Topic) -> Subscription {
        let backlog = backlog(topic);
        let text = topic.to_string();
        let receiver = self
            .topics
            .senders
            .entry(text.clone())
            .or_insert_with(|| Local {
                topic,
                sender: broadcast::channel(backlog).0,
            })
            .sender
            .subscribe();
        Subscription {
            receiver: Some(receiver),
            topic: text,
            topics: self.topics.clone(),
        }
    }

    /// The workspaces whose changes somebody in this process follows.
    pub fn followed(&self) -> Vec<WorkspaceId> {
        let workspace = |local: &Local| match local.topic {
            Topic::Changes(id) => Some(id),
            _ => None,
        };
        let locals = self.topics.senders.iter();
        locals.filter_map(|local| workspace(&local)).collect()
    }

    /// Sends a message to the subscribers in this process.
    pub fn tell_here(&self, topic: Topic, message: &impl Serialize) {
        match serde_json::to_string(message) {
            Ok(text) => self.topics.tell(&topic.to_string(), &text.into()),
            Err(error) => tracing::error!(%topic, %error, "a message cannot be written as JSON"),
        }
    }

    /// Messages that could not be sent since the start.
    pub fn failures(&self) -> u64 {
        self.topics.failures.load(Ordering::Relaxed)
    }

    /// Ends every subscription.
    pub fn close(&self) {
        self.topics.senders.clear();
    }
}

/// One subscriber of one topic. Dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    receiver: Option<broadcast::Receiver<Item>>,
    topic: String,
    topics: Arc<Topics>,
}

impl Subscription {
    /// Waits for the next message. Nothing is lost when the wait is cancelled.
    pub async fn recv(&mut self) -> Signal {
        let Some(receiver) = &mut self.receiver else {
            return Signal::Closed;
        };
        match receiver.recv().await {
            Ok(Item::Message(text)) => Signal::Message(text),
            Ok(Item::Resync) | Err(RecvError::Lagged(_)) => Signal::Resync,
            Err(RecvError::Closed) => Signal::Closed,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // Leave first, then look whether somebody is left; the map's lock keeps a new subscriber from getting a dying sender.
        self.receiver = None;
        self.topics
            .senders
            .remove_if(&self.topic, |_, local| local.sender.receiver_count() == 0);
    }
}
