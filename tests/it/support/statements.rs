//! Hearing the statements that the server really sends.

use std::sync::{Arc, Mutex};

use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// One statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Heard {
    /// `workspace` or `system`.
    pub scope: String,
    /// Its text, with placeholders.
    pub sql: String,
}

/// Listens to this test until it is dropped.
pub struct Statements {
    heard: Arc<Mutex<Vec<Heard>>>,
    _listening: tracing::subscriber::DefaultGuard,
}

impl Statements {
    /// Begins to listen. Tests run on one thread, which is the one that is listened to.
    pub fn listen() -> Self {
        let heard = Arc::default();
        let ear = Ear(Arc::clone(&heard));
        let only = Targets::new().with_target("meridian::sql", LevelFilter::TRACE);
        let subscriber = tracing_subscriber::registry().with(ear.with_filter(only));
        Self {
            heard,
            _listening: tracing::subscriber::set_default(subscriber),
        }
    }

    /// What was heard since the last time.
    pub fn take(&self) -> Vec<Heard> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

struct Ear(Arc<Mutex<Vec<Heard>>>);

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut one = Heard::default();
        event.record(&mut one);
        self.0.lock().unwrap().push(one);
    }
}

impl Visit for Heard {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "scope" => self.scope = value.to_owned(),
            "sql" => self.sql = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
