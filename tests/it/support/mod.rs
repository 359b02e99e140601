//! A whole Meridian for one test: its own migrated database, a clock that stands still, two people in their own workspaces.

mod backend;
mod client;
pub mod ics_corpus;
mod people;

pub mod browser;
pub mod chores;
pub mod events;
pub mod fake_http;
pub mod guests;
pub mod issuer;
pub mod machines;
pub mod meetings;
pub mod model;
pub mod plans;
pub mod post;
pub mod process;
pub mod program;
pub mod pull;
pub mod radicale;
pub mod repository;
pub mod server;
pub mod statements;
pub mod syncs;

use chrono::{DateTime, Utc};
use meridian::access::{Caller, Identity};
use meridian::config::Config;
use meridian::graphql::{self, ApiSchema};
use meridian::kernel::actor::Origin;
use meridian::kernel::ids::IdGen;
use meridian::kernel::time::Clock;
use meridian::platform::http::{HttpClient, OutboundAllow};
use meridian::platform::limits::Limits;
use meridian::platform::llm::Llm;
use meridian::platform::mail::Mailer;
use meridian::platform::metrics::Metrics;
use meridian::platform::presence::Presence;
use meridian::platform::pubsub::PubSub;
use meridian::platform::redis::Redis;
use meridian::platform::secrets::Secrets;
use meridian::platform::{Parts, Platform, db};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use backend::{Backend, Database};
pub use client::{Answer, Client};
pub use people::{Person, create as create_person, join};

/// Monday morning in most of Europe and a day without surprises.
pub fn start_of_tests() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

/// One running Meridian.
pub struct TestApp {
    pub platform: Platform,
    pub schema: ApiSchema,
    pub documents: graphql::Documents,
    pub ana: Person,
    pub ben: Person,
    // Dropped last: the database goes when nothing uses it any more.
    database: Database,
}

impl TestApp {
    /// A server whose clock stands still at [`start_of_tests`], without workers.
    pub async fn start() -> Self {
        Self::with_clock(Clock::manual(start_of_tests())).await
    }

    /// A server that may reach these private addresses.
    pub async fn reaching(addresses: &[&str]) -> Self {
        let allowed = addresses.join(",");
        Self::with_settings(&[("MERIDIAN_OUTBOUND_ALLOW", allowed.as_str())]).await
    }

    /// A server with this clock.
    pub async fn with_clock(clock: Clock) -> Self {
        Self::with(clock, &[]).await
    }

    /// A server with these settings beside the usual ones of tests.
    pub async fn with_settings(settings: &[(&str, &str)]) -> Self {
        Self::with(Clock::manual(start_of_tests()), settings).await
    }

    async fn with(clock: Clock, settings: &[(&str, &str)]) -> Self {
        let database = Database::create().await;
        let redis = match Backend::from_env() {
            Backend::Embedded => None,
            Backend::Production { redis_url, .. } => {
                let (prefix, instance) = (
                    uuid::Uuid::now_v7().simple().to_string(),
                    uuid::Uuid::now_v7().simple().to_string(),
                );
                Some(Redis::connect(&redis_url, &prefix, &instance, 2).await.unwrap())
            }
        };
        let platform = platform_with(&database.url, clock, redis, settings).await;
        let ana = people::create(&platform, "Ana", "ana@example.org").await;
        let ben = people::create(&platform, "Ben", "ben@example.org").await;
        Self {
            platform,
            schema: graphql::builder().finish(),
            documents: graphql::Documents::default(),
            ana,
            ben,
            database,
        }
    }

    /// A client that is signed in as this person.
    pub fn client(&self, person: &Person) -> Client<'_> {
        let identity = Identity::Session {
            user_id: person.user_id,
            session_id: person.session_id,
            is_admin: false,
        };
        self.client_as(identity)
    }

    /// A client with these credentials.
    pub fn client_as(&self, identity: Identity) -> Client<'_> {
        Client {
            app: self,
            caller: Caller {
                identity,
                origin: Origin::default(),
                ends_at: None,
            },
        }
    }

    /// Signed in as Ana, owner of her workspace.
    pub fn ana(&self) -> Client<'_> {
        self.client(&self.ana)
    }

    /// Signed in as Ben, a stranger to Ana's workspace.
    pub fn ben(&self) -> Client<'_> {
        self.client(&self.ben)
    }

    /// Not signed in.
    pub fn guest(&self) -> Client<'_> {
        self.client_as(Identity::Guest)
    }

    /// Moves the clock.
    pub fn advance(&self, by: chrono::Duration) {
        self.platform.clock.advance(by);
    }

    /// Address of the database, for tests that open it themselves.
    pub fn database_url(&self) -> &str {
        &self.database.url
    }
}

/// The machines of a test on a migrated database.
pub async fn platform(database_url: &str, clock: Clock, redis: Option<Redis>) -> Platform {
    platform_with(database_url, clock, redis, &[]).await
}

/// The machines of a test with more settings.
async fn platform_with(
    database_url: &str,
    clock: Clock,
    redis: Option<Redis>,
    settings: &[(&str, &str)],
) -> Platform {
    let config = config(database_url, settings);
    let keys = config.secret_keys().unwrap();
    let pubsub = match &redis {
        Some(redis) => PubSub::redis(redis).await.unwrap(),
        None => PubSub::local(),
    };
    let limits = Limits::new(&config.rates, clock.clone()).shared(redis.clone());
    let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
    let http = HttpClient::new(OutboundAllow::new(&config.outbound_allow)).unwrap();
    Platform::new(Parts {
        db: db::connect(database_url, 4).await.unwrap(),
        cache: meridian::platform::cache::Cache::new(pubsub.clone()),
        presence: Presence::new(
            pubsub.clone(),
            redis.clone(),
            clock.clone(),
            tasks.clone(),
            shutdown.clone(),
        ),
        pubsub,
        redis,
        llm: config
            .llm
            .as_ref()
            .map(|settings| Llm::new(settings, &http, clock.clone())),
        http,
        mail: Mailer::new(&config).unwrap(),
        secrets: Secrets::new(&keys),
        limits,
        metrics: Metrics::new().unwrap(),
        uses: meridian::platform::uses::Uses::default(),
        config,
        clock,
        ids: IdGen::random(),
        tasks,
        shutdown,
    })
}

/// The settings of a test: those of a developer's machine, with a fixed key.
fn config(database_url: &str, settings: &[(&str, &str)]) -> Config {
    let usual = [
        ("DATABASE_URL", database_url),
        ("MERIDIAN_ENV", "development"),
        (
            "MERIDIAN_SECRET_KEY",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
    ];
    // Later pairs win, so settings of a test replace the usual ones.
    let values = usual.iter().chain(settings);
    Config::parse(
        &values
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    )
    .unwrap()
}
