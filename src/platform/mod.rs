//! MACHINES. Everything with a cable: database, queue, pub/sub, outgoing HTTP, secrets, limits, telemetry. Each hides an embedded and a
//! production twin behind one small type. Knows nothing about calendars.

pub mod cache;
pub mod db;
pub mod http;
pub mod jobs;
pub mod limits;
pub mod llm;
pub mod mail;
pub mod metrics;
pub mod presence;
pub mod processes;
pub mod pubsub;
pub mod redis;
pub mod secrets;
pub mod telemetry;
pub mod uses;

use std::ops::Deref;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::kernel::changes::Topic;
use crate::kernel::ids::IdGen;
use crate::kernel::time::Clock;
use cache::Cache;
use db::{Db, Outcome, Scope, Tx, TxEnv};
use http::HttpClient;
use limits::Limits;
use llm::Llm;
use mail::Mailer;
use metrics::Metrics;
use presence::Presence;
use pubsub::PubSub;
use redis::Redis;
use secrets::Secrets;
use uses::Uses;

/// Messages of one transaction that are on their way at the same time.
const AT_ONCE: usize = 25;

/// All machines of one process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Platform(Arc<Parts>);

/// What a [`Platform`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// Messages between tasks and replicas.
    pub pubsub: PubSub,
    /// Who is here.
    pub presence: Presence,
    /// What many requests need and few change.
    pub cache: Cache,
    /// Redis, when replicas share one.
    pub redis: Option<Redis>,
    /// The only way out.
    pub http: HttpClient,
    /// The language model, when there is one. Nothing needs it.
    pub llm: Option<Llm>,
    /// E-mail to people.
    pub mail: Mailer,
    /// Sealing of what must not be read from the database.
    pub secrets: Secrets,
    /// Budgets of callers and workspaces.
    pub limits: Limits,
    /// Credentials that were used and are not marked yet.
    pub uses: Uses,
    /// What is counted.
    pub metrics: Metrics,
    /// Source of time.
    pub clock: Clock,
    /// Source of ids.
    pub ids: IdGen,
    /// Background tasks that have to end before the process does.
    pub tasks: TaskTracker,
    /// Cancelled when the process is asked to stop.
    pub shutdown: CancellationToken,
}

impl Deref for Platform {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Platform {
    /// Puts the machines together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Runs `body` in one transaction and announces what it changed once it is committed. See [`Db::write`].
    pub async fn write<T, F, Fut>(&self, scope: Scope, actor: Actor, body: F) -> Result<T>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T>> + Send,
        T: Send,
    {
        let env = TxEnv {
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            actor,
        };
        let (value, outcome) = self.db.write(&env, scope, body).await?;
        self.announce(outcome).await;
        Ok(value)
    }

    /// Tells subscribers what was committed. They can always catch up from the change log, so a lost message is no lost change.
    async fn announce(&self, outcome: Outcome) {
        if let Some((workspace, committed)) = outcome.committed
            && committed.last_seq > 0
        {
            self.pubsub.publish(Topic::Changes(workspace), &committed).await;
        }
        // Side by side: each waits for Redis, and what they tell of is true already, in whatever order it is heard.
        for some in outcome.messages.chunks(AT_ONCE) {
            let sent = some
                .iter()
                .map(|(topic, message)| self.pubsub.publish(*topic, message));
            join_all(sent).await;
        }
        if outcome.jobs {
            self.pubsub.publish(Topic::JobsDue, &()).await;
        }
    }

    /// Starts a task that the shutdown waits for.
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(task);
    }
}
