//! The log: pretty for people, JSON for machines, each line with the spans it happened in (requests carry their id there).
//! Promises to be set up once. Must not know what is logged; secrets stay out by their types.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::{Log, LogFormat};
use crate::kernel::{Error, Result};

/// Libraries that talk a lot, unless the filter names them. What Apalis has to say about its workers is said once by our own.
const QUIET: [&str; 5] = [
    "sqlx=warn",
    "hyper=warn",
    "h2=warn",
    "rustls=warn",
    "apalis_core=off",
];

/// Starts logging to standard error. Fails when logging was already started.
pub fn init(log: &Log) -> Result<()> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(&log.filter)?)
        .with_span_events(FmtSpan::NONE)
        .with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Pretty => builder.with_target(true).compact().try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .try_init(),
    };
    started.map_err(|error| Error::internal(error.to_string()))
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
