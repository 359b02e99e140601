//! Numbers for monitors, in the format of Prometheus. Promises: what is recorded on the way of a request costs some atomic additions, no
//! label has more values than the program bounds, and each process counts for itself. Must not know who reads them.

mod operations;
pub mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::kernel::{Error, ErrorCode, Result};
use operations::Operations;
use table::{Kind, Metric};

/// Bounds of the buckets, in seconds.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0,
];
const METADATA: Metadata<'static> = Metadata::new("meridian", Level::INFO, None);

/// The numbers of one process. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    errors: [Counter; ErrorCode::ALL.len()],
    operations: Operations,
    routes: DashMap<Box<str>, [Histogram; 5]>,
    jobs: DashMap<(&'static str, &'static str), Histogram>,
    sockets: Gauge,
    subscriptions: Gauge,
    circles: Gauge,
    change_lag: Histogram,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Something that is open; counts until it is dropped.
pub struct Open(Gauge);

impl Open {
    fn new(gauge: &Gauge) -> Self {
        gauge.increment(1);
        Self(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

impl Metrics {
    /// Numbers that start at zero.
    pub fn new() -> Result<Self> {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS);
        let recorder = builder
            .map_err(|error| Error::internal(error.to_string()))?
            .build_recorder();
        for metric in table::ALL {
            let (name, help) = (KeyName::from_const_str(metric.name), metric.help.into());
            match metric.kind {
                Kind::Counter => recorder.describe_counter(name, None, help),
                Kind::Gauge => recorder.describe_gauge(name, None, help),
                Kind::Histogram => recorder.describe_histogram(name, None, help),
            }
        }
        let errors = ErrorCode::ALL.map(|code| counter(&recorder, &table::ERRORS, &[code.as_str()]));
        let bare = |metric| gauge(&recorder, metric, &[]);
        gauge(&recorder, &table::UP, &[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Self(Arc::new(Inner {
            errors,
            operations: Operations::default(),
            routes: DashMap::new(),
            jobs: DashMap::new(),
            sockets: bare(&table::SOCKETS),
            subscriptions: bare(&table::SUBSCRIPTIONS),
            circles: bare(&table::CIRCLES),
            change_lag: histogram(&recorder, &table::CHANGE_LAG, &[]),
            handle: recorder.handle(),
            recorder,
        })))
    }

    /// Everything in the text format of Prometheus.
    pub fn render(&self) -> String {
        self.0.handle.render()
    }

    /// Moves what was recorded into the buckets; to be called every few seconds, or what is recorded piles up.
    pub fn upkeep(&self) {
        self.0.handle.run_upkeep();
    }

    /// A query or mutation ended. `name` is what the client calls it; a name is only remembered when the caller is `known`.
    pub fn operation(
        &self,
        is_mutation: bool,
        name: Option<&str>,
        known: bool,
        is_ok: bool,
        elapsed: Duration,
    ) {
        let operations = &self.0.operations;
        operations.record(&self.0.recorder, (is_mutation, is_ok), name, known, elapsed);
    }

    /// A client was told an error.
    pub fn error(&self, code: ErrorCode) {
        if let Some(counter) = self.0.errors.get(code as usize) {
            counter.increment(1);
        }
    }

    /// An HTTP request was answered. `route` is the pattern that matched, of which there are only so many.
    pub fn http(&self, route: &str, status: u16, elapsed: Duration) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        if let Some(classes) = self.0.routes.get(route) {
            return classes[class].record(elapsed);
        }
        let recorder = &self.0.recorder;
        let classes = self.0.routes.entry(route.into()).or_insert_with(|| {
            ["1xx", "2xx", "3xx", "4xx", "5xx"]
                .map(|class| histogram(recorder, &table::HTTP, &[route, class]))
        });
        classes[class].record(elapsed);
    }

    /// An attempt of a job ended.
    pub fn job(&self, kind: &'static str, outcome: &'static str, elapsed: Duration) {
        let recorder = &self.0.recorder;
        let entry = self.0.jobs.entry((kind, outcome));
        entry
            .or_insert_with(|| histogram(recorder, &table::JOB, &[kind, outcome]))
            .record(elapsed);
    }

    /// A socket was opened.
    pub fn socket(&self) -> Open {
        Open::new(&self.0.sockets)
    }

    /// A subscription began.
    pub fn subscription(&self) -> Open {
        Open::new(&self.0.subscriptions)
    }

    /// A group of subscriptions began.
    pub fn circle(&self) -> Open {
        Open::new(&self.0.circles)
    }

    /// Subscribers get a change this long after it was made.
    pub fn change_lag(&self, lag: Duration) {
        self.0.change_lag.record(lag);
    }

    /// Sets a gauge that is only looked at when somebody asks.
    pub fn set(&self, metric: &'static Metric, labels: &[&str], value: f64) {
        gauge(&self.0.recorder, metric, labels).set(value);
    }

    /// Sets a counter that something else counts.
    pub fn count(&self, metric: &'static Metric, labels: &[&str], value: u64) {
        counter(&self.0.recorder, metric, labels).absolute(value);
    }
}

fn key(metric: &Metric, values: &[&str]) -> Key {
    let labels = metric.labels.iter().zip(values);
    let labels: Vec<Label> = labels
        .map(|(name, value)| Label::new(*name, (*value).to_owned()))
        .collect();
    Key::from_parts(metric.name, labels)
}

fn counter(recorder: &PrometheusRecorder, metric: &Metric, labels: &[&str]) -> Counter {
    recorder.register_counter(&key(metric, labels), &METADATA)
}

fn gauge(recorder: &PrometheusRecorder, metric: &Metric, labels: &[&str]) -> Gauge {
    recorder.register_gauge(&key(metric, labels), &METADATA)
}

fn histogram(recorder: &PrometheusRecorder, metric: &Metric, labels: &[&str]) -> Histogram {
    recorder.register_histogram(&key(metric, labels), &METADATA)
}
