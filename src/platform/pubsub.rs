//! Messages between tasks of this process.

use std::sync::Arc;

use dashmap::DashMap;
use serde::Serialize;
use tokio::sync::broadcast;

use crate::kernel::changes::Topic;

/// What a subscriber hears.
#[derive(Clone, Debug)]
pub enum Signal {
    /// A message as JSON.
    Message(Arc<str>),
    /// Messages were missed: read the truth from the database.
    Resync,
    /// No more messages will come.
    Closed,
}

/// Publish and subscribe.
#[derive(Clone, Debug, Default)]
pub struct PubSub {
    topics: Arc<DashMap<Topic, broadcast::Sender<Arc<str>>>>,
}

/// One subscriber of one topic.
#[derive(Debug)]
pub struct Subscription {
    receiver: broadcast::Receiver<Arc<str>>,
}

impl PubSub {
    /// Messages stay in this process.
    pub fn local() -> Self {
        Self::default()
    }

    /// Sends a message to every subscriber of the topic.
    pub async fn publish(&self, topic: Topic, message: &impl Serialize) {
        if let Some(sender) = self.topics.get(&topic)
            && let Ok(text) = serde_json::to_string(message)
        {
            sender.send(text.into()).ok();
        }
    }

    /// Listens from now on.
    pub fn subscribe(&self, topic: Topic) -> Subscription {
        let sender = self
            .topics
            .entry(topic)
            .or_insert_with(|| broadcast::channel(256).0);
        Subscription {
            receiver: sender.subscribe(),
        }
    }
}

impl Subscription {
    /// Waits for the next message.
    pub async fn recv(&mut self) -> Signal {
        match self.receiver.recv().await {
            Ok(text) => Signal::Message(text),
            Err(broadcast::error::RecvError::Lagged(_)) => Signal::Resync,
            Err(broadcast::error::RecvError::Closed) => Signal::Closed,
        }
    }
}
