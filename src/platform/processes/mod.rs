//! Which processes of the installation live. Each says so every two seconds and looks at the others; one that ends says good-bye. Promises:
//! one that dies without it is in the log of all others within ten seconds, in their numbers, and in their health until another of its kind
//! has taken its place. Nothing is decided by it: it is for people who look.

mod roll;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use entity::enums::ProcessRole;
use entity::process;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::Platform;
use super::db::Scope;
use super::metrics::table;
use crate::kernel::Result;
use crate::kernel::actor::Actor;

/// Time between two signs of life.
const BEAT: Duration = Duration::from_secs(2);
/// Longest wait for the database, at each beat.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same for its time.
const CLOCK_PATIENCE: Duration = Duration::from_millis(500);
/// Time for the good-bye.
const GOOD_BYE: Duration = Duration::from_millis(500);
const ROLES: [ProcessRole; 3] = [ProcessRole::Serve, ProcessRole::Api, ProcessRole::Worker];

/// The place of this process among the others. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Processes {
    platform: Platform,
    name: Arc<str>,
    role: ProcessRole,
    /// Processes that died and whose place nobody has taken, as of the last look.
    missing: Arc<AtomicUsize>,
}

impl Processes {
    /// This process, which nobody knows yet.
    pub fn new(platform: &Platform, role: ProcessRole) -> Self {
        Self {
            platform: platform.clone(),
            name: format!("process-{}", platform.ids.uuid().simple()).into(),
            role,
            missing: Arc::default(),
        }
    }

    /// How many processes died without another one in their place.
    pub fn missing(&self) -> usize {
        self.missing.load(Ordering::Relaxed)
    }

    /// Says that this process lives, keeps the time of the database, and looks at the others. Ends never.
    pub async fn watch(&self) {
        tracing::info!(process = %self.name, role = word(self.role), "others know this process by its name");
        let mut ticks = interval(BEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut spoke: Option<Instant> = None;
        let mut told = BTreeSet::new();
        let mut is_cut_off = false;
        loop {
            ticks.tick().await;
            self.keep_time().await;
            match timeout(PATIENCE, self.beat()).await {
                Ok(Ok(all)) => {
                    if std::mem::take(&mut is_cut_off) {
                        tracing::info!("the database answers again");
                    }
                    // Whoever could not speak for a while does not know whether the others could.
                    let was_silent = spoke.is_some_and(|spoke| spoke.elapsed() > BEAT * 2);
                    spoke = Some(Instant::now());
                    if !was_silent {
                        self.look(&all, &mut told);
                    }
                }
                Ok(Err(error)) => cannot_speak(&mut is_cut_off, &error),
                Err(late) => cannot_speak(&mut is_cut_off, &late),
            }
        }
    }

    /// Says that this process ends. What is not said in time, others find out.
    pub async fn farewell(&self) {
        let ends = self
            .platform
            .write(Scope::System, Actor::system(), |tx| async move {
                tx.process_ends(&self.name).await
            });
        if !matches!(timeout(GOOD_BYE, ends).await, Ok(Ok(()))) {
            tracing::debug!("others take this process for one that died");
        }
    }

    /// Signs of life are judged by all processes, so all of them have the time of the database.
    async fn keep_time(&self) {
        let platform = &self.platform;
        match timeout(CLOCK_PATIENCE, platform.db.set_clock(&platform.clock)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the database does not say what time it is"),
            Err(_) => tracing::debug!("the database does not say in time what time it is"),
        }
    }

    async fn beat(&self) -> Result<Vec<process::Model>> {
        let platform = &self.platform;
        platform
            .write(Scope::System, Actor::system(), |tx| async move {
                let forgotten = tx.now() - roll::FORGOTTEN;
                tx.process_lives(&self.name, self.role, forgotten).await
            })
            .await?;
        let read = platform.db.read(Scope::System).await?;
        read.processes().await
    }

    fn look(&self, all: &[process::Model], told: &mut BTreeSet<String>) {
        let now = self.platform.clock.now();
        let missing = roll::missing(all, now);
        for role in ROLES {
            let live = all
                .iter()
                .filter(|one| one.role == role && roll::lives(one, now))
                .count();
            let gone = missing.iter().filter(|one| one.role == role).count();
            let metrics = &self.platform.metrics;
            metrics.set(&table::PROCESSES, &[word(role), "live"], live as f64);
            metrics.set(&table::PROCESSES, &[word(role), "gone"], gone as f64);
        }
        self.missing.store(missing.len(), Ordering::Relaxed);
        for one in all {
            if roll::lives(one, now) {
                if told.remove(&one.name) {
                    tracing::info!(
                        process = one.name,
                        "a process that did not say that it lives does so again"
                    );
                }
            } else if told.insert(one.name.clone()) {
                let silent_seconds = (now - one.updated_at).num_seconds();
                tracing::warn!(
                    process = one.name,
                    role = word(one.role),
                    silent_seconds,
                    "a process is gone that did not say good-bye"
                );
            }
        }
        told.retain(|name| all.iter().any(|one| one.name == *name));
    }
}

/// The first time is news, whoever asks for the health or not; what follows is the same.
fn cannot_speak(is_cut_off: &mut bool, error: &dyn fmt::Display) {
    if std::mem::replace(is_cut_off, true) {
        tracing::debug!(%error, "this process still cannot say that it lives");
    } else {
        tracing::warn!(%error, "the database does not answer: this process cannot say that it lives");
    }
}

/// The role as metrics have it: the command that starts it.
fn word(role: ProcessRole) -> &'static str {
    match role {
        ProcessRole::Serve => "serve",
        ProcessRole::Api => "api",
        ProcessRole::Worker => "worker",
    }
}
