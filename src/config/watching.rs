//! How the server is watched: the listener for operators, and where reports of errors and traces go.

use std::net::SocketAddr;

use url::Url;

use super::secret::Secret;
use super::setting::{Reader, Setting};

/// The listener for metrics and other things that are for operators only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where it listens; `None` when it is switched off.
    pub listen: Option<SocketAddr>,
    /// Whether somebody asked for this address: then a port that is taken is a failure, not a line in the log.
    pub is_required: bool,
}

/// Where reports of errors go.
#[derive(Clone, Debug)]
pub struct Reports {
    /// URL with a key of the project.
    pub dsn: Secret<String>,
    /// Name of the installation in reports.
    pub environment: String,
    /// Share of requests and jobs whose times are sent, 0 to 1.
    pub traces: f32,
}

/// Where traces go.
#[derive(Clone, Debug)]
pub struct Traces {
    /// Where a collector takes spans by OTLP over HTTP, with the path.
    pub url: Url,
    /// Share of requests and jobs that are traced, 0 to 1.
    pub share: f64,
}

const ADMIN_LISTEN: Setting = Setting::new(
    "MERIDIAN_ADMIN_LISTEN",
    "127.0.0.1:9090",
    "Address and port for operators: `/metrics` and the health of this process, without sign-in. Keep it private; `off` closes it. When \
     only the default is taken by another process, this one goes on without it.",
);
const DSN: Setting = Setting::derived(
    "SENTRY_DSN",
    "none: nothing is sent",
    "Where reports of errors go: the DSN of a Sentry project. They name requests, operations and opaque ids, never people or contents.",
)
.secret();
const ENVIRONMENT: Setting = Setting::derived(
    "MERIDIAN_SENTRY_ENVIRONMENT",
    "the value of MERIDIAN_ENV",
    "Name of this installation in reports.",
);
const TRACES: Setting = Setting::new(
    "MERIDIAN_SENTRY_TRACES",
    "0",
    "Share of requests and jobs whose times are sent too, from 0 to 1.",
);

const OTLP_URL: Setting = Setting::derived(
    "MERIDIAN_OTLP_URL",
    "none: nothing is sent",
    "Where an OpenTelemetry collector takes traces by OTLP over HTTP, with the path, for example http://127.0.0.1:4318/v1/traces. Spans name \
     requests, operations and opaque ids, never people or contents. Needs a program built with `--features otel`.",
);
const OTLP_SHARE: Setting = Setting::new(
    "MERIDIAN_OTLP_SHARE",
    "0.05",
    "Share of requests and jobs that are traced, from 0 to 1.",
);

pub(super) const SETTINGS: &[Setting] = &[ADMIN_LISTEN, DSN, ENVIRONMENT, TRACES, OTLP_URL, OTLP_SHARE];

pub(super) fn read_admin(reader: &mut Reader<'_>) -> Option<Admin> {
    let is_required = reader.given(&ADMIN_LISTEN).is_some();
    let listen = reader.read(
        &ADMIN_LISTEN,
        "an IP address and a port, for example 127.0.0.1:9090, or off",
        |text| match text {
            "off" => Some(None),
            _ => text.parse().ok().map(Some),
        },
    )?;
    Some(Admin { listen, is_required })
}

/// `None` also means "not set"; problems are in the reader.
pub(super) fn read_reports(reader: &mut Reader<'_>, env: Option<super::Environment>) -> Option<Reports> {
    let traces = reader.read(&TRACES, "a number from 0 to 1", |text| {
        text.parse().ok().filter(|share| (0.0..=1.0).contains(share))
    });
    let dsn = reader.read(&DSN, "a DSN such as https://key@host/1", |text| {
        let url = Url::parse(text).ok()?;
        let is_dsn = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && !url.username().is_empty()
            && url.path().rsplit('/').next().is_some_and(|id| !id.is_empty());
        is_dsn.then(|| text.to_owned())
    });
    let named = reader.read(&ENVIRONMENT, "1 to 64 letters, digits, `-`, `_` or `.`", |text| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        (text.len() <= 64 && text.chars().all(allowed)).then(|| text.to_owned())
    });
    let environment = named.unwrap_or_else(|| match env.is_some_and(super::Environment::is_development) {
        true => "development".into(),
        false => "production".into(),
    });
    Some(Reports {
        dsn: Secret::new(dsn?),
        environment,
        traces: traces?,
    })
}

/// `None` also means "not set"; problems are in the reader.
pub(super) fn read_traces(reader: &mut Reader<'_>) -> Option<Traces> {
    let share = reader.read(&OTLP_SHARE, "a number from 0 to 1", |text| {
        text.parse().ok().filter(|share| (0.0..=1.0).contains(share))
    });
    let url = reader.read(
        &OTLP_URL,
        "an address such as http://127.0.0.1:4318/v1/traces",
        |text| {
            let url = Url::parse(text).ok()?;
            (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
        },
    )?;
    if !cfg!(feature = "otel") {
        reader.fail(
            &OTLP_URL,
            "this program cannot send traces: build it with `--features otel`, or remove the setting",
        );
    }
    Some(Traces { url, share: share? })
}
