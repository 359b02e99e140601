//! How the process runs: the secret key, the log, the workers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tracing_subscriber::EnvFilter;

use super::secret::Secret;
use super::server::Environment;
use super::setting::{Reader, Setting};

/// Bytes of a secret key.
pub const KEY_BYTES: usize = 32;
/// A key that seals what must not be readable in the database.
pub type SecretKey = Secret<[u8; KEY_BYTES]>;

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Filter in the syntax of `tracing`.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// Background work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workers {
    /// Jobs that run at once, per queue, without the one more for whoever has nothing running.
    pub concurrency: usize,
}

const SECRET_KEY: Setting = Setting::derived(
    "MERIDIAN_SECRET_KEY",
    "a file in MERIDIAN_DATA_DIR in development; required in production",
    "Key that seals stored passwords and tokens: 32 random bytes in base64, from `openssl rand -base64 32`. After a comma \
     may follow older keys that still open what they sealed.",
)
.secret();
const LOG: Setting = Setting::new(
    "MERIDIAN_LOG",
    "info,sea_orm_migration=warn",
    "What is logged, in the syntax of tracing: info,meridian::features=debug",
);
const LOG_FORMAT: Setting = Setting::derived(
    "MERIDIAN_LOG_FORMAT",
    "pretty in development, otherwise json",
    "pretty or json.",
);
const CONCURRENCY: Setting = Setting::new(
    "MERIDIAN_WORKER_CONCURRENCY",
    "4",
    "Jobs that run at once, per queue (maintenance: one), and one more so that no workspace waits for the long jobs of another.",
);

pub(super) const SETTINGS: &[Setting] = &[SECRET_KEY, LOG, LOG_FORMAT, CONCURRENCY];

/// The current key first, then older ones. Empty in development when none is set.
pub(super) fn read_secret_keys(reader: &mut Reader<'_>, env: Option<Environment>) -> Vec<SecretKey> {
    if reader.given(&SECRET_KEY).is_none() && env == Some(Environment::Production) {
        reader.fail(
            &SECRET_KEY,
            "it is required in production. Write 32 random bytes in base64: openssl rand -base64 32",
        );
    }
    reader
        .read(
            &SECRET_KEY,
            "32 bytes in base64, made with `openssl rand -base64 32`",
            |text| {
                text.split(',')
                    .map(|key| decode_key(key.trim()))
                    .collect::<Option<Vec<_>>>()
            },
        )
        .unwrap_or_default()
}

/// Reads a key as settings and key files have it.
pub(super) fn decode_key(text: &str) -> Option<SecretKey> {
    let bytes = STANDARD.decode(text).ok()?;
    let key: [u8; KEY_BYTES] = bytes.try_into().ok()?;
    // All bytes equal is a placeholder somebody forgot to replace.
    key.iter().any(|byte| *byte != key[0]).then(|| Secret::new(key))
}

pub(super) fn read_log(reader: &mut Reader<'_>, env: Option<Environment>) -> Option<Log> {
    let filter = reader.read(&LOG, "a filter such as info or info,meridian=debug", |text| {
        EnvFilter::try_new(text).is_ok().then(|| text.to_owned())
    });
    let format = match reader.given(&LOG_FORMAT) {
        None if env == Some(Environment::Development) => Some(LogFormat::Pretty),
        None => Some(LogFormat::Json),
        Some(_) => reader.read(&LOG_FORMAT, "pretty or json", |text| {
            match text.to_ascii_lowercase().as_str() {
                "pretty" => Some(LogFormat::Pretty),
                "json" => Some(LogFormat::Json),
                _ => None,
            }
        }),
    };
    Some(Log {
        filter: filter?,
        format: format?,
    })
}

pub(super) fn read_workers(reader: &mut Reader<'_>) -> Option<Workers> {
    reader
        .number(&CONCURRENCY, 1..=1_000)
        .map(|concurrency| Workers { concurrency })
}
