//! Reports of errors to Sentry. Promises: nothing is sent without a DSN, and whatever is sent passes the list of what may leave.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sentry::integrations::tracing::{BreadcrumbLayer, ErrorLayer, SpanLayer};
use sentry::transports::DefaultTransportFactory;
use sentry::types::Dsn;
use sentry::{ClientInitGuard, ClientOptions, Envelope, Transport, TransportFactory, TransportOptions};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;

use super::allowed;
use crate::config::Reports;
use crate::kernel::{Error, Result};

/// Events before an error that go with it.
const BREADCRUMBS: usize = 30;
/// Time that what is still to be sent gets at the end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Sends reports until it is dropped.
pub struct Guard(ClientInitGuard);

impl Guard {
    /// Waits until everything is sent, at most this long. Returns whether it was.
    pub fn flush(&self, patience: Duration) -> bool {
        self.0.flush(Some(patience))
    }
}

/// Starts sending.
pub(super) fn start(settings: &Reports) -> Result<Guard> {
    let dsn = settings.dsn.expose();
    // The library panics at one that it cannot read.
    Dsn::from_str(dsn).map_err(|_| Error::internal("SENTRY_DSN cannot be used"))?;
    let options = ClientOptions::new()
        .dsn(dsn)
        .release(concat!(
            "meridian@",
            env!("CARGO_PKG_VERSION"),
            "+",
            env!("BUILT_COMMIT")
        ))
        .environment(settings.environment.clone())
        .traces_sample_rate(settings.traces)
        .max_breadcrumbs(BREADCRUMBS)
        .shutdown_timeout(LAST_WORDS)
        .send_default_pii(false)
        .transport(Careful);
    Ok(Guard(sentry::init(options)))
}

/// What turns lines of the log into reports and, when they are sampled, spans into times.
pub(super) fn layers<S>(settings: &Reports) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let times = (settings.traces > 0.0).then(|| SpanLayer::new().with_filter(filter_fn(is_ours)));
    let before = BreadcrumbLayer::new().with_filter(filter_fn(|metadata| {
        metadata.is_event() && matches!(*metadata.level(), Level::WARN | Level::INFO)
    }));
    let errors = ErrorLayer::new().with_filter(LevelFilter::ERROR);
    before.and_then(errors).and_then(times)
}

/// Spans of ours, which hold ids and names of operations.
pub(super) fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with("meridian") && *metadata.level() <= Level::INFO
}

/// The usual way out, behind the list of what may leave.
struct Careful;

struct Door(Arc<dyn Transport>);

impl TransportFactory for Careful {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        Arc::new(Door(
            DefaultTransportFactory.create_transport_with_options(options),
        ))
    }
}

impl Transport for Door {
    fn send_envelope(&self, envelope: Envelope) {
        if let Some(envelope) = allowed::rebuilt(envelope) {
            self.0.send_envelope(envelope);
        }
    }

    fn flush(&self, timeout: Duration) -> bool {
        self.0.flush(timeout)
    }

    fn shutdown(&self, timeout: Duration) -> bool {
        self.0.shutdown(timeout)
    }
}
