//! What many requests need and few change, kept in the process: callers, memberships, people, calendars. What is kept carries a stamp of
//! its group; a change of the group, heard from the change feed of whichever replica made it, makes every stamp of it old. A value that
//! was being read while its group changed is old at once, so nothing stale stays. While messages from the other replicas may be missing,
//! nothing is kept. What must end soon when it is withdrawn is watched: it counts only while somebody looks for signs of that in the database,
//! which no lost message hides. Knows no meaning of what it keeps.

mod groups;
mod watch;

use std::any::{Any, TypeId};
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use entity::ids::UserId;
use tokio::time::Instant;

pub use groups::Group;
use groups::{Groups, Stamp};
use watch::Watch;

use super::pubsub::PubSub;
use crate::kernel::Result;

/// A kind of kept value.
pub trait Kept: 'static {
    /// Name in metrics.
    const NAME: &'static str;
    /// What it is found by.
    type Key: Hash + Eq + Send + Sync + 'static;
    /// What is kept; cheap to clone.
    type Value: Clone + Send + Sync + 'static;
    /// Most values.
    const CAPACITY: u64;
    /// Bound of staleness for changes that no feed tells, such as those of the command line beside a running server.
    const TIME_TO_LIVE: Duration;
    /// Whether the bound is five seconds, or longer only because somebody looks for withdrawals, see [`Cache::looked`]. Its groups must be
    /// those of people.
    const WATCHED: bool = false;
}

/// What is kept of one kind.
struct Store<K: Kept> {
    values: moka::sync::Cache<K::Key, Entry<K::Value>>,
    counts: Arc<Counts>,
}

#[derive(Clone)]
struct Entry<V> {
    stamp: Stamp,
    /// When the reading began.
    read_at: Instant,
    value: V,
}

#[derive(Debug, Default)]
struct Counts {
    hits: AtomicU64,
    misses: AtomicU64,
}

/// The kept values of one process. Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    pubsub: PubSub,
    keeps: bool,
    groups: Arc<Groups>,
    watch: Watch,
    stores: DashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    counts: DashMap<&'static str, Arc<Counts>>,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

impl Cache {
    /// An empty cache that follows these messages.
    pub fn new(pubsub: PubSub) -> Self {
        Self::made(pubsub, true)
    }

    /// A cache that keeps nothing, to measure what keeping is worth.
    pub fn forgetful(pubsub: PubSub) -> Self {
        Self::made(pubsub, false)
    }

    fn made(pubsub: PubSub, keeps: bool) -> Self {
        let groups = Arc::new(Groups::new());
        let listener = groups.clone();
        pubsub.tap(move |heard| listener.hear(heard));
        Self(Arc::new(Inner {
            pubsub,
            keeps,
            groups,
            watch: Watch::new(),
            stores: DashMap::new(),
            counts: DashMap::new(),
        }))
    }

    /// Whether what is read may be kept: while messages of other replicas may be missing, nothing is.
    fn is_keeping(&self) -> bool {
        self.0.keeps && self.0.pubsub.is_live()
    }

    /// The kept value, or the one that `load` reads.
    pub async fn get<K, F>(&self, key: K::Key, group: Group, load: F) -> Result<K::Value>
    where
        K: Kept,
        F: Future<Output = Result<K::Value>>,
    {
        if let Some(value) = self.find::<K>(&key, group) {
            return Ok(value);
        }
        // Taken before anything is read: a change in between makes what is kept old.
        let (stamp, read_at) = (self.0.groups.stamp(group), Instant::now());
        let value = load.await?;
        let entry = Entry {
            stamp,
            read_at,
            value: value.clone(),
        };
        self.keep::<K>(key, entry);
        Ok(value)
    }

    /// The kept values of several keys and those that `load` reads for the others at once. A key without a value is asked for each time.
    pub async fn get_many<K, G, F, Fut>(
        &self,
        keys: &[K::Key],
        group: G,
        load: F,
    ) -> Result<Vec<(K::Key, K::Value)>>
    where
        K: Kept,
        K::Key: Clone,
        G: Fn(&K::Key) -> Group,
        F: FnOnce(Vec<K::Key>) -> Fut,
        Fut: Future<Output = Result<Vec<(K::Key, K::Value)>>>,
    {
        let mut found = Vec::with_capacity(keys.len());
        let mut missing = Vec::new();
        let mut stamps = Vec::new();
        for key in keys {
            let group = group(key);
            match self.find::<K>(key, group) {
                Some(value) => found.push((key.clone(), value)),
                None => {
                    missing.push(key.clone());
                    stamps.push((key.clone(), self.0.groups.stamp(group)));
                }
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let stamps: std::collections::HashMap<K::Key, Stamp> = stamps.into_iter().collect();
        let read_at = Instant::now();
        for (key, value) in Box::pin(load(missing)).await? {
            if let Some(stamp) = stamps.get(&key) {
                let entry = Entry {
                    stamp: *stamp,
                    read_at,
                    value: value.clone(),
                };
                self.keep::<K>(key.clone(), entry);
            }
            found.push((key, value));
        }
        Ok(found)
    }

    /// As [`Cache::get`], for values whose group is only known when they were read. A value without an owner is not kept.
    pub async fn get_owned<K, F>(
        &self,
        key: K::Key,
        owner: fn(&K::Value) -> Option<Group>,
        load: F,
    ) -> Result<K::Value>
    where
        K: Kept,
        F: Future<Output = Result<K::Value>>,
    {
        let groups = &self.0.groups;
        let current = |value: &K::Value| owner(value).map(|group| groups.stamp(group));
        let store = self.store::<K>();
        if let Some(entry) = store.values.get(&key)
            && self.is_covered::<K>(entry.read_at)
            && current(&entry.value) == Some(entry.stamp)
            && self.is_keeping()
        {
            store.counts.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(entry.value);
        }
        store.counts.misses.fetch_add(1, Ordering::Relaxed);
        // Whatever changes a person's sign-in counts here too, so a change while it is read is noticed although its group is unknown.
        let (before, read_at) = (groups.stamp(Group::Memberships), Instant::now());
        let value = load.await?;
        if let Some(stamp) = current(&value)
            && groups.stamp(Group::Memberships) == before
            && self.is_keeping()
        {
            let entry = Entry {
                stamp,
                read_at,
                value: value.clone(),
            };
            store.values.insert(key, entry);
        }
        Ok(value)
    }

    /// Forgets one value.
    pub fn forget<K: Kept>(&self, key: &K::Key) {
        self.store::<K>().values.invalidate(key);
    }

    /// What is kept of a person is old: something of theirs was withdrawn.
    pub fn withdrawn(&self, user_id: UserId) {
        self.0.groups.person_changed(user_id);
    }

    /// Everything that is kept is old.
    pub fn doubt(&self) {
        self.0.groups.everything_changed();
    }

    /// Somebody asked the database at this moment for withdrawals since the last time, and has told all of them. Whoever begins to look, or
    /// may have missed one, must [`Self::doubt`] first.
    pub fn looked(&self, asked: Instant) {
        self.0.watch.looked(asked);
    }

    /// Whether withdrawals of what was read at this moment are known. Must be asked before the stamp is compared: a look that comes in
    /// between has advanced its counters before it counts.
    fn is_covered<K: Kept>(&self, read_at: Instant) -> bool {
        !K::WATCHED || self.0.watch.covers(read_at)
    }

    /// Hits and misses since the start, by kind.
    pub fn counts(&self) -> Vec<(&'static str, u64, u64)> {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = self.0.counts.iter();
        counts
            .map(|entry| (*entry.key(), read(&entry.hits), read(&entry.misses)))
            .collect()
    }

    fn find<K: Kept>(&self, key: &K::Key, group: Group) -> Option<K::Value> {
        let store = self.store::<K>();
        let found = store.values.get(key);
        let found = found.filter(|entry| self.is_covered::<K>(entry.read_at));
        let found = found.filter(|entry| entry.stamp == self.0.groups.stamp(group));
        let found = found.filter(|_| self.is_keeping());
        let count = if found.is_some() {
            &store.counts.hits
        } else {
            &store.counts.misses
        };
        count.fetch_add(1, Ordering::Relaxed);
        found.map(|entry| entry.value)
    }

    fn keep<K: Kept>(&self, key: K::Key, entry: Entry<K::Value>) {
        if self.is_keeping() {
            self.store::<K>().values.insert(key, entry);
        }
    }

    fn store<K: Kept>(&self) -> Arc<Store<K>> {
        let id = TypeId::of::<K>();
        let known = self.0.stores.get(&id).map(|store| store.value().clone());
        let store = known.unwrap_or_else(|| {
            let entry = self.0.stores.entry(id);
            entry
                .or_insert_with(|| Arc::new(self.new_store::<K>()))
                .value()
                .clone()
        });
        match store.downcast::<Store<K>>() {
            Ok(store) => store,
            // One type has one store; nothing else is ever put under its name.
            Err(_) => Arc::new(self.new_store::<K>()),
        }
    }

    fn new_store<K: Kept>(&self) -> Store<K> {
        let counts = self.0.counts.entry(K::NAME).or_default().clone();
        let values = moka::sync::Cache::builder()
            .max_capacity(K::CAPACITY)
            .time_to_live(K::TIME_TO_LIVE)
            .build();
        Store { values, counts }
    }
}

#[cfg(test)]
mod tests;
