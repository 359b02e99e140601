//! The log: pretty for people, JSON for machines, each line with the spans it happened in (requests carry their id there); and reports
//! of what went wrong in it, and traces where the program is built to send them. Promises to be set up once. Must not know what is logged; secrets stay out by their types.

mod allowed;
mod reports;
#[cfg(feature = "otel")]
mod traces;

use std::io::IsTerminal as _;

use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt, registry};

use crate::config::{Log, LogFormat, Reports, Traces};
use crate::kernel::{Error, Result};

/// Libraries that talk a lot, unless the filter names them. What Apalis has to say about its workers is said once by our own.
const QUIET: [&str; 5] = [
    "sqlx=warn",
    "hyper=warn",
    "h2=warn",
    "rustls=warn",
    "apalis_core=off",
];

/// Sends what is to be sent for as long as it lives; what is still waiting then goes out first.
#[must_use]
pub struct Guard {
    reports: Option<reports::Guard>,
    #[cfg(feature = "otel")]
    _traces: Option<traces::Guard>,
}

impl Guard {
    /// Waits until all reports are sent, at most this long. Returns whether they were.
    pub fn flush(&self, patience: std::time::Duration) -> bool {
        self.reports
            .as_ref()
            .is_none_or(|reports| reports.flush(patience))
    }
}

/// Starts logging to standard error, and sending reports and traces when there is somewhere to send them to, for as long as the guard
/// lives. Traces need the feature `otel`. Fails when logging was already started.
pub fn init(log: &Log, reports: Option<&Reports>, traces: Option<&Traces>) -> Result<Guard> {
    let lines = fmt::layer()
        .with_span_events(FmtSpan::NONE)
        .with_writer(std::io::stderr);
    // Colours are for terminals; in a file they are characters that hide what is searched for. `NO_COLOR` is heard by the library.
    let lines = if std::io::stderr().is_terminal() {
        lines
    } else {
        lines.with_ansi(false)
    };
    let lines = match log.format {
        LogFormat::Pretty => lines.with_target(true).compact().boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .boxed(),
    };
    let all = registry()
        .with(lines.with_filter(filter(&log.filter)?))
        .with(reports.map(reports::layers));
    #[cfg(feature = "otel")]
    let sending = traces.map(traces::start).transpose()?;
    #[cfg(feature = "otel")]
    let all = all.with(sending.as_ref().map(traces::layer));
    #[cfg(not(feature = "otel"))]
    debug_assert!(
        traces.is_none(),
        "the settings refuse what this program cannot do"
    );
    let guard = Guard {
        reports: reports.map(reports::start).transpose()?,
        #[cfg(feature = "otel")]
        _traces: sending,
    };
    all.try_init()
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
