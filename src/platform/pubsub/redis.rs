//! The production twin: one pattern subscription per process, fanned out locally. Knows that every message starts with the name of the
//! instance that sent it, so that a process does not hear itself twice.

use std::sync::Arc;

use fred::clients::SubscriberClient;
use fred::interfaces::{EventInterface as _, PubsubInterface as _};
use fred::types::Message;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

use super::Topics;
use crate::kernel::{Error, Result};
use crate::platform::redis::Redis;

/// The way to the other replicas. Dropping it stops listening.
pub(super) struct Remote {
    redis: Redis,
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
        listener.spawn(listen(client, redis.clone(), topics));
        Ok(Self {
            redis,
            _listener: listener,
        })
    }

    pub(super) async fn publish(&self, topic: &str, text: &str) -> Result<()> {
        let message = format!("{} {text}", self.redis.instance());
        let channel = channel(&self.redis, topic);
        self.redis
            .call(|client| async move { client.publish::<i64, _, _>(channel, message).await.map(drop) })
            .await
    }
}

fn channel(redis: &Redis, topic: &str) -> String {
    redis.key(format_args!("topic:{topic}"))
}

async fn listen(client: SubscriberClient, redis: Redis, topics: Arc<Topics>) {
    let prefix = channel(&redis, "");
    let mut messages = client.message_rx();
    let mut reconnects = client.reconnect_rx();
    // The client subscribes again by itself after a reconnect; what was sent in between is lost.
    let keeper = client.manage_subscriptions();
    let _stop = StopOnDrop(keeper);
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Ok(message) => hand_out(&message, &prefix, redis.instance(), &topics),
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

struct StopOnDrop(tokio::task::JoinHandle<()>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
