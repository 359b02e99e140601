//! Times of operations by the name that clients give them. Names are free text of strangers, so only so many are remembered, and only those
//! that signed-in callers use.

use std::sync::OnceLock;
use std::time::Duration;

use dashmap::DashMap;
use metrics::Histogram;
use metrics_exporter_prometheus::PrometheusRecorder;

use super::{histogram, table};

/// Most names that are told apart.
const NAMES: usize = 200;
const LONGEST_NAME: usize = 64;
const UNNAMED: &str = "(unnamed)";
const OTHER: &str = "(other)";

/// By kind and outcome; each is made when it is first needed.
type Series = [OnceLock<Histogram>; 4];

/// The names that were seen.
#[derive(Default)]
pub(super) struct Operations(DashMap<Box<str>, Series>);

impl Operations {
    pub(super) fn record(
        &self,
        recorder: &PrometheusRecorder,
        (is_mutation, is_ok): (bool, bool),
        name: Option<&str>,
        known: bool,
        elapsed: Duration,
    ) {
        let name = name.unwrap_or(UNNAMED);
        let record = |name: &str, series: &Series| {
            let index = usize::from(is_mutation) * 2 + usize::from(is_ok);
            let series = series[index].get_or_init(|| {
                let kind = if is_mutation { "mutation" } else { "query" };
                let outcome = if is_ok { "ok" } else { "failed" };
                histogram(recorder, &table::OPERATION, &[name, kind, outcome])
            });
            series.record(elapsed);
        };
        if let Some(series) = self.0.get(name) {
            return record(name, &series);
        }
        let is_kept = name == UNNAMED || known && name.len() <= LONGEST_NAME && self.0.len() < NAMES;
        let name = if is_kept { name } else { OTHER };
        record(name, self.0.entry(name.into()).or_default().value());
    }
}
