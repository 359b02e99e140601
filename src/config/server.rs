//! The server itself: where it listens, how it is reached, where it keeps files, what it shows to developers.

use std::net::SocketAddr;
use std::path::PathBuf;

use url::Url;

use super::network::is_origin;
use super::setting::{Reader, Setting};

/// How careful the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// A developer's machine: convenient defaults, sign-in without an identity provider.
    Development,
    /// Reachable by others: nothing is guessed and nothing is shown.
    Production,
}

impl Environment {
    /// Whether this is a developer's machine.
    pub fn is_development(self) -> bool {
        self == Self::Development
    }
}

const LISTEN: Setting = Setting::new(
    "MERIDIAN_LISTEN",
    "127.0.0.1:8000",
    "Address and port to listen on.",
);
const ENV: Setting = Setting::derived(
    "MERIDIAN_ENV",
    "development on a loopback address, otherwise production",
    "development or production. Development allows `POST /auth/dev-login`, makes its own secret key and shows GraphiQL.",
);
const PUBLIC_URL: Setting = Setting::derived(
    "MERIDIAN_PUBLIC_URL",
    "http:// and the address of MERIDIAN_LISTEN",
    "URL at which browsers reach the server. With https the session cookie is `__Host-meridian` and secure.",
);
const DATA_DIR: Setting = Setting::new(
    "MERIDIAN_DATA_DIR",
    "./data",
    "Folder for the SQLite database and the key of a development machine.",
);
const GRAPHIQL: Setting = Setting::derived(
    "MERIDIAN_GRAPHIQL",
    "true in development",
    "Whether `GET /graphiql` shows the playground.",
);
const INTROSPECTION: Setting = Setting::derived(
    "MERIDIAN_INTROSPECTION",
    "true in development",
    "Whether clients may read the schema, by introspection and at `GET /schema.graphql`.",
);
const ALLOWED_ORIGINS: Setting = Setting::new(
    "MERIDIAN_ALLOWED_ORIGINS",
    "",
    "Origins of web pages that may call the API beside the server's own, with commas between them: https://app.example.org",
);
const PERSISTED_DOCUMENTS: Setting = Setting::new(
    "MERIDIAN_PERSISTED_DOCUMENTS",
    "",
    "File with documents that clients may name instead of sending them: the persisted-documents.json of GraphQL Code Generator, a JSON \
     object from name to document.",
);
const PERSISTED_ONLY: Setting = Setting::new(
    "MERIDIAN_PERSISTED_ONLY",
    "false",
    "Whether only the documents of MERIDIAN_PERSISTED_DOCUMENTS are run. GraphiQL cannot be used then.",
);
const CACHE: Setting = Setting::new(
    "MERIDIAN_CACHE",
    "true",
    "Whether rows that many requests need are kept in the process. Turn it off to measure what that is worth; answers stay the same.",
);
const SHUTDOWN_GRACE: Setting = Setting::new(
    "MERIDIAN_SHUTDOWN_GRACE_SECONDS",
    "6",
    "Seconds that running requests and jobs get to end after SIGTERM.",
);

pub(super) const SETTINGS: &[Setting] = &[
    LISTEN,
    ENV,
    PUBLIC_URL,
    DATA_DIR,
    GRAPHIQL,
    INTROSPECTION,
    ALLOWED_ORIGINS,
    PERSISTED_DOCUMENTS,
    PERSISTED_ONLY,
    CACHE,
    SHUTDOWN_GRACE,
];

/// Values of this section.
pub(super) struct Server {
    pub(super) env: Environment,
    pub(super) listen: SocketAddr,
    pub(super) public_url: Url,
    pub(super) data_dir: PathBuf,
    pub(super) graphiql: bool,
    pub(super) introspection: bool,
    pub(super) allowed_origins: Vec<String>,
    pub(super) persisted_documents: Option<PathBuf>,
    pub(super) persisted_only: bool,
    pub(super) cache: bool,
    pub(super) shutdown_grace: std::time::Duration,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Server> {
    let listen: Option<SocketAddr> = reader.read(
        &LISTEN,
        "an IP address and a port, for example 127.0.0.1:8000",
        |text| text.parse().ok(),
    );
    let env = environment(reader, listen);
    let public_url = public_url(reader, listen);
    let data_dir = reader.text(&DATA_DIR).map(PathBuf::from);
    // A wrong environment is already reported; the strict one avoids follow-up noise.
    let development = env.is_some_and(Environment::is_development);
    let graphiql = reader.switch(&GRAPHIQL, development);
    let introspection = reader.switch(&INTROSPECTION, development);
    let allowed_origins = reader.list(
        &ALLOWED_ORIGINS,
        "origins such as https://app.example.org, without a path",
        |text| is_origin(text).then(|| text.to_ascii_lowercase()),
    );
    let persisted_documents = reader.text(&PERSISTED_DOCUMENTS).map(PathBuf::from);
    let persisted_only = reader.switch(&PERSISTED_ONLY, false);
    if persisted_only == Some(true) && persisted_documents.is_none() {
        reader.fail(
            &PERSISTED_ONLY,
            "only registered documents would be run, but none are registered. Set MERIDIAN_PERSISTED_DOCUMENTS too.",
        );
    }
    let cache = reader.switch(&CACHE, true);
    let shutdown_grace = reader.number(&SHUTDOWN_GRACE, 0..=300);
    Some(Server {
        env: env?,
        listen: listen?,
        public_url: public_url?,
        data_dir: data_dir?,
        graphiql: graphiql?,
        introspection: introspection?,
        allowed_origins,
        persisted_documents,
        persisted_only: persisted_only?,
        cache: cache?,
        shutdown_grace: shutdown_grace?,
    })
}

fn environment(reader: &mut Reader<'_>, listen: Option<SocketAddr>) -> Option<Environment> {
    if reader.given(&ENV).is_none() {
        let local = listen?.ip().is_loopback();
        return Some(if local {
            Environment::Development
        } else {
            Environment::Production
        });
    }
    reader.read(&ENV, "development or production", |text| {
        match text.to_ascii_lowercase().as_str() {
            "development" => Some(Environment::Development),
            "production" => Some(Environment::Production),
            _ => None,
        }
    })
}

fn public_url(reader: &mut Reader<'_>, listen: Option<SocketAddr>) -> Option<Url> {
    if reader.given(&PUBLIC_URL).is_none() {
        return Url::parse(&format!("http://{}/", listen?)).ok();
    }
    reader.read(
        &PUBLIC_URL,
        "a URL such as https://meridian.example.org, without a path",
        |text| {
            let url = Url::parse(text).ok()?;
            let plain = matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty();
            plain.then_some(url)
        },
    )
}
