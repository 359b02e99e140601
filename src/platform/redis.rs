//! The connection to Redis. It promises that no call waits longer than half a second, and that while Redis is known to be away calls
//! fail at once. Redis is never the only copy of anything. Knows no keys beyond their prefix.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fred::clients::{Client, Pool, SubscriberClient};
use fred::error::Error as RedisError;
use fred::interfaces::ClientLike as _;
use fred::types::Builder;
use fred::types::config::{Config, ReconnectPolicy};
use tokio::time::Instant;

use crate::kernel::{Error, Result};

/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_millis(500);
/// Longest wait for a connection, and for the first one at start.
const CONNECT: Duration = Duration::from_secs(2);
/// How long calls fail at once after one got no answer.
const COOL_DOWN: Duration = Duration::from_secs(1);
/// Waits between tries to connect again, in milliseconds.
const RECONNECT_MIN: u32 = 100;
const RECONNECT_MAX: u32 = 2_000;
/// Messages that may wait for the loop that hands them out.
const MESSAGES: usize = 4_096;

/// The connection to Redis. Cheap to clone.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    pool: Pool,
    builder: Builder,
    prefix: String,
    instance: String,
    opened: Instant,
    /// Milliseconds after `opened` until which Redis counts as away.
    away_until: AtomicU64,
    failures: AtomicU64,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("prefix", &self.0.prefix)
            .field("instance", &self.0.instance)
            .finish_non_exhaustive()
    }
}

impl Redis {
    /// Connects. Every key and channel starts with `prefix`; `instance` tells this process from the other replicas. `rediss://` uses TLS.
    pub async fn connect(url: &str, prefix: &str, instance: &str, connections: usize) -> Result<Self> {
        let config = Config::from_url(url).map_err(away)?;
        let mut builder = Builder::from_config(config);
        builder
            .with_performance_config(|performance| {
                performance.default_command_timeout = ANSWER;
                performance.broadcast_channel_capacity = MESSAGES;
            })
            .with_connection_config(|connection| {
                connection.connection_timeout = CONNECT;
                connection.internal_command_timeout = CONNECT;
                connection.max_command_attempts = 1;
                connection.unresponsive.max_timeout = Some(Duration::from_secs(5));
                connection.unresponsive.interval = Duration::from_secs(1);
            })
            .set_policy(ReconnectPolicy::new_exponential(
                0,
                RECONNECT_MIN,
                RECONNECT_MAX,
                2,
            ));
        let pool = builder.build_pool(connections.max(1)).map_err(away)?;
        // The policy tries for ever; a server that is missing at start is a setting to fix.
        tokio::time::timeout(CONNECT, pool.init())
            .await
            .map_err(|_| away("no connection within 2 seconds"))?
            .map_err(away)?;
        Ok(Self(Arc::new(Inner {
            pool,
            builder,
            prefix: prefix.to_owned(),
            instance: instance.to_owned(),
            opened: Instant::now(),
            away_until: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        })))
    }

    /// What every key and channel starts with.
    pub fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// Name of this process among the replicas.
    pub fn instance(&self) -> &str {
        &self.0.instance
    }

    /// A key of this installation.
    pub fn key(&self, name: impl fmt::Display) -> String {
        format!("{}:{name}", self.0.prefix)
    }

    /// Whether Redis is connected and answered lately.
    pub fn is_up(&self) -> bool {
        let now = self.0.opened.elapsed().as_millis() as u64;
        now >= self.0.away_until.load(Ordering::Relaxed) && self.0.pool.next().is_connected()
    }

    /// Calls without a good answer since the start.
    pub fn failures(&self) -> u64 {
        self.0.failures.load(Ordering::Relaxed)
    }

    /// Runs one command, or fails at once while Redis is away.
    pub async fn call<T, F, Fut>(&self, command: F) -> Result<T>
    where
        F: FnOnce(Client) -> Fut,
        Fut: Future<Output = Result<T, RedisError>>,
    {
        self.raw(command).await.map_err(away)
    }

    /// Like [`Self::call`], with the client's own error.
    pub(super) async fn raw<T, F, Fut>(&self, command: F) -> Result<T, RedisError>
    where
        F: FnOnce(Client) -> Fut,
        Fut: Future<Output = Result<T, RedisError>>,
    {
        use fred::error::ErrorKind;
        if !self.is_up() {
            self.0.failures.fetch_add(1, Ordering::Relaxed);
            return Err(RedisError::new(ErrorKind::IO, "Redis is away"));
        }
        let answer = tokio::time::timeout(ANSWER, command(self.0.pool.next().clone()))
            .await
            .unwrap_or_else(|_| Err(RedisError::new(ErrorKind::Timeout, "no answer")));
        if answer.is_err() {
            self.0.failures.fetch_add(1, Ordering::Relaxed);
        }
        if let Err(error) = &answer
            && matches!(
                error.kind(),
                ErrorKind::Timeout | ErrorKind::IO | ErrorKind::Canceled
            )
        {
            let until = (self.0.opened.elapsed() + COOL_DOWN).as_millis() as u64;
            self.0.away_until.store(until, Ordering::Relaxed);
        }
        answer
    }

    /// A round trip, for health checks.
    pub async fn ping(&self) -> Result<()> {
        self.call(|client| async move { client.ping::<String>(None).await.map(drop) })
            .await
    }

    /// A connection of its own for subscriptions. It restores them after every reconnect.
    pub(super) async fn subscriber(&self) -> Result<SubscriberClient> {
        let client = self.0.builder.build_subscriber_client().map_err(away)?;
        tokio::time::timeout(CONNECT, client.init())
            .await
            .map_err(|_| away("no connection within 2 seconds"))?
            .map_err(away)?;
        Ok(client)
    }

    /// Closes the connections.
    pub async fn quit(&self) {
        if tokio::time::timeout(ANSWER, self.0.pool.quit()).await.is_err() {
            tracing::debug!("Redis did not say good-bye");
        }
    }
}

fn away(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::unavailable("Redis is not reachable. Try again in a moment.", cause)
}
