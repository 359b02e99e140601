//! Where things are kept: the SQL database, and Redis when several replicas share one.

use std::path::Path;

use url::Url;

use super::secret::Secret;
use super::setting::{Reader, Setting};

/// The SQL database.
#[derive(Clone, Debug)]
pub struct Database {
    /// `sqlite:` or `postgres:` URL; it may carry a password.
    pub url: Secret<String>,
    /// Most connections that are open at once.
    pub max_connections: u32,
    /// Whether `serve`, `api` and `worker` migrate at start.
    pub auto_migrate: bool,
}

impl Database {
    /// Whether this is a file on this machine.
    pub fn is_sqlite(&self) -> bool {
        self.url.expose().starts_with("sqlite:")
    }
}

/// Redis: job transport, realtime messages and shared budgets of several replicas.
#[derive(Clone, Debug)]
pub struct Redis {
    /// `redis:` or `rediss:` URL; it may carry a password.
    pub url: Secret<String>,
    /// Every key and channel begins with it, so that installations can share one Redis.
    pub prefix: String,
}

const DATABASE_URL: Setting = Setting::derived(
    "DATABASE_URL",
    "sqlite: meridian.db in MERIDIAN_DATA_DIR",
    "Database: postgres://user:password@host:5432/name or sqlite://path/to/file.db",
)
.secret();
const MAX_CONNECTIONS: Setting = Setting::new(
    "MERIDIAN_DB_MAX_CONNECTIONS",
    "10",
    "Most database connections that are open at once.",
);
const AUTO_MIGRATE: Setting = Setting::derived(
    "MERIDIAN_AUTO_MIGRATE",
    "true on SQLite, false on PostgreSQL",
    "Whether the database is migrated at start; otherwise run `meridian migrate up`.",
);
const REDIS_URL: Setting = Setting::derived(
    "REDIS_URL",
    "none: one process does everything itself",
    "Redis, needed as soon as there is more than one replica: redis://host:6379 or rediss://user:password@host:6379",
)
.secret();
const REDIS_PREFIX: Setting = Setting::new(
    "MERIDIAN_REDIS_PREFIX",
    "meridian",
    "Beginning of every key and channel in Redis.",
);

pub(super) const SETTINGS: &[Setting] = &[
    DATABASE_URL,
    MAX_CONNECTIONS,
    AUTO_MIGRATE,
    REDIS_URL,
    REDIS_PREFIX,
];

/// `data_dir` is missing when it could not be read; then a default URL cannot be told.
pub(super) fn read_database(reader: &mut Reader<'_>, data_dir: Option<&Path>) -> Option<Database> {
    let url = match reader.given(&DATABASE_URL) {
        None => data_dir.map(|folder| format!("sqlite://{}", folder.join("meridian.db").display())),
        Some(_) => reader.read(
            &DATABASE_URL,
            "a URL that begins with postgres:// or sqlite://, its password percent-encoded",
            |text| {
                let text = text.replacen("postgresql://", "postgres://", 1);
                let postgres =
                    || Url::parse(&text).is_ok_and(|url| url.scheme() == "postgres" && url.has_host());
                (text.starts_with("sqlite:") && text.len() > "sqlite://".len() || postgres()).then_some(text)
            },
        ),
    };
    let sqlite = url.as_ref().is_some_and(|url| url.starts_with("sqlite:"));
    let max_connections = reader.number(&MAX_CONNECTIONS, 2..=1_000);
    let auto_migrate = reader.switch(&AUTO_MIGRATE, sqlite);
    Some(Database {
        url: Secret::new(url?),
        max_connections: max_connections?,
        auto_migrate: auto_migrate?,
    })
}

/// `None` also means "not set"; problems are in the reader.
pub(super) fn read_redis(reader: &mut Reader<'_>) -> Option<Redis> {
    let url = reader.read(
        &REDIS_URL,
        "a URL that begins with redis:// or rediss://",
        |text| {
            let url = Url::parse(text).ok()?;
            (matches!(url.scheme(), "redis" | "rediss") && url.has_host()).then(|| text.to_owned())
        },
    );
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.');
    let prefix = reader.read(
        &REDIS_PREFIX,
        "1 to 64 letters, digits, `-`, `_`, `:` or `.`",
        |text| (text.len() <= 64 && text.chars().all(allowed)).then(|| text.to_owned()),
    );
    Some(Redis {
        url: Secret::new(url?),
        prefix: prefix?,
    })
}
