//! SETTINGS. Environment variables become typed values here, and only here. Promises: every problem is reported at once with what
//! to write instead, and secrets never show in `Debug`. Must not know what the values are used for.

mod file;
mod keep;
mod limits;
mod llm;
mod mail;
mod network;
mod operation;
mod rates;
mod secret;
mod server;
mod setting;
mod sign_in;
mod sources;
mod storage;
mod table;
#[cfg(test)]
mod tests;
mod watching;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

pub use keep::Keep;
pub use limits::Limits;
pub use llm::Llm;
pub use mail::Mail;
pub use network::Network;
pub use operation::{Log, LogFormat, SecretKey, Workers};
pub use rates::Rates;
pub use secret::Secret;
pub use server::Environment;
pub use setting::{Fallback, Problem, Section, Setting};
pub use sign_in::{GOOGLE, Issuer, SignIn, SignUp};
pub use storage::{Database, Redis};
pub use table::{Effective, SECTIONS, effective, env_example, nearest};
pub use watching::{Admin, Reports, Traces};

use setting::Reader;

/// Names that begin like ours belong to us; these are read by the test suite, which runs the program with them set.
const TEST_PREFIX: &str = "MERIDIAN_TEST_";
const PREFIX: &str = "MERIDIAN_";

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// How careful the server is.
    pub env: Environment,
    /// Where it listens.
    pub listen: SocketAddr,
    /// How browsers reach it.
    pub public_url: Url,
    /// Where its files are.
    pub data_dir: PathBuf,
    /// The SQL database.
    pub database: Database,
    /// Redis, when replicas share one.
    pub redis: Option<Redis>,
    /// Ways to sign in.
    pub sign_in: SignIn,
    /// Where e-mail goes.
    pub mail: Mail,
    /// The language model, when there is one.
    pub llm: Option<Llm>,
    /// Private addresses that may be reached, as `host:port`.
    pub outbound_allow: Vec<String>,
    /// Proxies whose word about a client's address is trusted.
    pub trusted_proxies: Vec<Network>,
    /// Whether the playground is shown.
    pub graphiql: bool,
    /// Whether the schema may be read.
    pub introspection: bool,
    /// Origins of other pages that may call the API.
    pub allowed_origins: Vec<String>,
    /// File with documents that clients may name.
    pub persisted_documents: Option<std::path::PathBuf>,
    /// Whether no other documents are run.
    pub persisted_only: bool,
    /// Whether rows that many requests need are kept in the process.
    pub cache: bool,
    /// Networks of internal services, which no budget stops.
    pub internal_networks: Vec<Network>,
    /// Sizes and times.
    pub limits: Limits,
    /// Budgets per minute.
    pub rates: Rates,
    /// The log.
    pub log: Log,
    /// Background work.
    pub workers: Workers,
    /// What is kept, and how long.
    pub keep: Keep,
    /// The listener for operators.
    pub admin: Admin,
    /// Where reports of errors go, if anywhere.
    pub reports: Option<Reports>,
    /// Where traces go, if anywhere.
    pub traces: Option<Traces>,
    /// Time to end after SIGTERM.
    pub shutdown_grace: Duration,
    keys: Vec<SecretKey>,
}

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Problem>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The settings cannot be used:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for ConfigError {}

/// The variables of the environment and of `.env`, as [`Config::parse`] and [`effective`] take them.
pub fn variables() -> Result<BTreeMap<String, String>, ConfigError> {
    sources::variables().map_err(ConfigError)
}

/// The variables of a file like `.env`; `None` when there is no such file.
pub fn env_file(path: &Path) -> Result<Option<BTreeMap<String, String>>, ConfigError> {
    sources::env_file(path).map_err(ConfigError)
}

/// The text of a file like `.env` that holds these variables.
pub fn env_text(values: &BTreeMap<String, String>) -> Result<String, ConfigError> {
    file::text(values).map_err(ConfigError)
}

/// The settings among the variables of the environment.
pub fn environment() -> BTreeMap<String, String> {
    let all = sources::environment();
    let known: HashSet<String> = table::named(&all).into_iter().map(|(name, _)| name).collect();
    all.into_iter().filter(|(name, _)| known.contains(name)).collect()
}

impl Config {
    /// Reads the environment and `.env`.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::parse(&variables()?)
    }

    /// Reads settings from these variables; touches nothing else.
    pub fn parse(values: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(values);
        let config = read(&mut reader);
        let mut problems = reader.finish();
        problems.extend(unknown(values));
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(ConfigError(problems)),
        }
    }

    /// Whether anything is kept in `data_dir`: an SQLite file, or the key and the letters of a development machine.
    pub fn keeps_files(&self) -> bool {
        self.database.is_sqlite() || self.env.is_development()
    }

    /// Whether a development machine has made its key already.
    pub fn has_key_file(&self) -> bool {
        sources::key_file(&self.data_dir).exists()
    }

    /// The key to seal with, then older keys that still open. In development a key file is made when none is set.
    pub fn secret_keys(&self) -> std::io::Result<Vec<SecretKey>> {
        if self.keys.is_empty() {
            return Ok(vec![sources::development_key(&self.data_dir)?]);
        }
        Ok(self.keys.clone())
    }
}

fn read(reader: &mut Reader<'_>) -> Option<Config> {
    // Every section is read before the first missing one ends this, so that all problems are found.
    let server = server::read(reader);
    let env = server.as_ref().map(|server| server.env);
    let database = storage::read_database(reader, server.as_ref().map(|server| server.data_dir.as_path()));
    let redis = storage::read_redis(reader);
    let keys = operation::read_secret_keys(reader, env);
    let log = operation::read_log(reader, env);
    let workers = operation::read_workers(reader);
    let keep = keep::read(reader);
    let admin = watching::read_admin(reader);
    let reports = watching::read_reports(reader, env);
    let traces = watching::read_traces(reader);
    let outbound_allow = network::read_outbound_allow(reader);
    let trusted_proxies = network::read_trusted_proxies(reader);
    let public_url = server.as_ref().map(|server| &server.public_url);
    let internal_networks = network::read_internal_networks(reader, env, public_url, &trusted_proxies);
    let mail = mail::read(reader, env);
    let llm = llm::read(reader);
    let can_mail = mail.as_ref().is_none_or(|mail| mail.enabled);
    let sign_in = sign_in::read(reader, env, public_url, can_mail);
    let limits = limits::read(reader);
    let rates = rates::read(reader);
    let server = server?;
    Some(Config {
        env: server.env,
        listen: server.listen,
        public_url: server.public_url,
        data_dir: server.data_dir,
        database: database?,
        redis,
        sign_in: sign_in?,
        mail: mail?,
        llm,
        outbound_allow,
        trusted_proxies,
        graphiql: server.graphiql,
        introspection: server.introspection,
        allowed_origins: server.allowed_origins,
        persisted_documents: server.persisted_documents,
        persisted_only: server.persisted_only,
        cache: server.cache,
        internal_networks,
        limits: limits?,
        rates: rates?,
        log: log?,
        workers: workers?,
        keep: keep?,
        admin: admin?,
        reports,
        traces,
        shutdown_grace: server.shutdown_grace,
        keys,
    })
}

/// A misspelt setting would silently do nothing, so it is a problem.
fn unknown(values: &BTreeMap<String, String>) -> impl Iterator<Item = Problem> {
    let known: HashSet<String> = table::named(values).into_iter().map(|(name, _)| name).collect();
    values
        .keys()
        .filter(move |name| {
            let is_ours = match name.starts_with(PREFIX) {
                true => !name.starts_with(TEST_PREFIX),
                false => table::is_slip(name, values),
            };
            is_ours && !known.contains(*name)
        })
        .map(|name| Problem {
            setting: name.clone(),
            message: match table::nearest(name) {
                Some(nearest) => format!("there is no such setting. Did you mean {nearest}?"),
                None => "there is no such setting. See .env.example for all of them.".into(),
            },
        })
}
