//! The log: pretty for people, JSON for machines, each line with the spans it happened in (requests carry their id there); and reports
//! of what went wrong in it. Promises to be set up once. Must not know what is logged; secrets stay out by their types.

mod allowed;
mod reports;

use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt, registry};

pub use reports::Guard;

use crate::config::{Log, LogFormat, Reports};
use crate::kernel::{Error, Result};

/// Libraries that talk a lot, unless the filter names them. What Apalis has to say about its workers is said once by our own.
const QUIET: [&str; 5] = [
    "sqlx=warn",
    "hyper=warn",
    "h2=warn",
    "rustls=warn",
    "apalis_core=off",
];

/// Starts logging to standard error, and sending reports when there is somewhere to send them to, for as long as the guard lives. Fails
/// when logging was already started.
pub fn init(log: &Log, reports: Option<&Reports>) -> Result<Option<Guard>> {
    let lines = fmt::layer()
        .with_span_events(FmtSpan::NONE)
        .with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Pretty => lines.with_target(true).compact().boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .boxed(),
    };
    let guard = reports.map(reports::start).transpose()?;
    registry()
        .with(lines.with_filter(filter(&log.filter)?))
        .with(reports.map(reports::layers))
        .try_init()
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(guard)
}

fn filter(text: &str) -> Result<EnvFilter> {
    let quiet = QUIET.iter().filter(|line| {
        let library = line.split('=').next().unwrap_or_default();
        !text.contains(library)
    });
    let all: Vec<&str> = std::iter::once(text).chain(quiet.copied()).collect();
    EnvFilter::try_new(all.join(",")).map_err(|error| Error::internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loud_libraries_are_quiet_unless_named() {
        assert!(filter("info").unwrap().to_string().contains("sqlx=warn"));
        let named = filter("info,sqlx=debug").unwrap().to_string();
        assert!(named.contains("sqlx=debug") && !named.contains("sqlx=warn"));
    }
}
