//! Relations in the fast way: the keys of all rows are loaded together and what was found is written once for each key, however many
//! rows share it.

mod found;
mod held;
mod inside;
mod within;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::ops::Range;

use async_graphql::Error;
use async_graphql::dataloader::Loader;
use async_graphql::parser::types::SelectionSet;

pub use found::found;
pub use held::held;
pub use inside::inside;
pub use within::within;

use super::collect::Env;
use super::plan::{Plan, Scene, Shape, State};
use crate::graphql::errors::expose;
use crate::graphql::loaders::Loaders;
use crate::kernel;

/// A relation with the compiled selection below it.
#[async_trait::async_trait]
pub trait Link<T>: Send + Sync {
    /// Loads what these rows refer to. An error leaves the answer to the plain resolvers.
    async fn load(&self, rows: &[&T], scene: &Scene<'_>) -> Result<Box<dyn Loaded<T>>, Error>;

    /// Bits of the columns that the row must have for what is asked below, where that is a part of the row.
    fn columns(&self) -> u64 {
        0
    }
}

/// What a relation found.
pub trait Loaded<T>: Send + Sync {
    /// Writes the part of one row.
    fn write(&self, row: &T, scene: &Scene<'_>, out: &mut Vec<u8>);
}

/// What stands where nothing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// `null`.
    Null,
    /// It cannot be missing.
    Never,
}

/// The key of a row; `None` when it refers to nothing.
pub type KeyOf<T, K> = fn(&T, &Scene<'_>) -> Option<K>;

/// Written texts by key.
struct Texts<T, K, S = RandomState> {
    key: KeyOf<T, K>,
    bytes: Vec<u8>,
    ranges: HashMap<K, Range<usize>, S>,
    missing: &'static [u8],
}

impl<T, K, S> Loaded<T> for Texts<T, K, S>
where
    T: Send + Sync,
    K: Eq + Hash + Send + Sync,
    S: BuildHasher + Send + Sync,
{
    fn write(&self, row: &T, scene: &Scene<'_>, out: &mut Vec<u8>) {
        let range = (self.key)(row, scene).and_then(|key| self.ranges.get(&key));
        let text = range.and_then(|range| self.bytes.get(range.clone()));
        out.extend_from_slice(text.unwrap_or(self.missing));
    }
}

fn keys_of<T, K: Eq + Hash + Clone>(rows: &[&T], scene: &Scene<'_>, key: KeyOf<T, K>) -> Vec<K> {
    let mut keys: Vec<K> = Vec::with_capacity(rows.len().min(8));
    let mut seen = std::collections::HashSet::with_capacity(rows.len().min(8));
    for key in rows.iter().filter_map(|row| key(row, scene)) {
        if seen.insert(key.clone()) {
            keys.push(key);
        }
    }
    keys
}

/// A relation to at most one object.
pub fn one<T, K, U>(
    sets: &[&SelectionSet],
    env: Env<'_>,
    key: KeyOf<T, K>,
    wrap: fn(<Loaders as Loader<K>>::Value) -> U,
    missing: Missing,
) -> Option<Box<dyn Link<T>>>
where
    T: Send + Sync + 'static,
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Loaders: Loader<K, Error = Error>,
    U: Shape,
{
    struct One<T, K, U>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Loaders: Loader<K, Error = Error>,
    {
        key: KeyOf<T, K>,
        wrap: fn(<Loaders as Loader<K>>::Value) -> U,
        missing: Missing,
        plan: Plan<U>,
    }

    #[async_trait::async_trait]
    impl<T, K, U> Link<T> for One<T, K, U>
    where
        T: Send + Sync + 'static,
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Loaders: Loader<K, Error = Error>,
        U: Shape,
    {
        async fn load(&self, rows: &[&T], scene: &Scene<'_>) -> Result<Box<dyn Loaded<T>>, Error> {
            let keys = keys_of(rows, scene, self.key);
            let wanted = keys.len();
            let found = scene.load_in_part(keys, self.plan.columns()).await?;
            let everyone = found.len() == wanted && rows.iter().all(|row| (self.key)(row, scene).is_some());
            if self.missing == Missing::Never && !everyone {
                return Err(expose(kernel::Error::not_found()));
            }
            let found: Vec<(K, U)> = found
                .into_iter()
                .map(|(key, value)| (key, (self.wrap)(value)))
                .collect();
            let children: Vec<&U> = found.iter().map(|(_, child)| child).collect();
            let state = self.plan.load(&children, scene).await?;
            let mut bytes = Vec::new();
            let mut ranges = HashMap::with_capacity(found.len());
            for (key, child) in &found {
                let start = bytes.len();
                self.plan.write(child, &state, scene, &mut bytes);
                ranges.insert(key.clone(), start..bytes.len());
            }
            Ok(Box::new(Texts {
                key: self.key,
                bytes,
                ranges,
                missing: b"null",
            }))
        }
    }

    let plan = Plan::compile(sets, env)?;
    Some(Box::new(One {
        key,
        wrap,
        missing,
        plan,
    }))
}

/// How the objects of one key are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As a list, also when there is none.
    List,
    /// The first one; `null` when there is none.
    First,
}

/// A relation to several objects, or to parts of what was found for a key.
pub fn list<T, K, U, S>(
    sets: &[&SelectionSet],
    env: Env<'_>,
    key: KeyOf<T, K>,
    split: S,
    form: Form,
) -> Option<Box<dyn Link<T>>>
where
    T: Send + Sync + 'static,
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Loaders: Loader<K, Error = Error>,
    U: Shape,
    S: Fn(<Loaders as Loader<K>>::Value) -> Vec<U> + Send + Sync + 'static,
{
    struct List<T, K, U, S> {
        key: KeyOf<T, K>,
        split: S,
        form: Form,
        plan: Plan<U>,
    }

    #[async_trait::async_trait]
    impl<T, K, U, S> Link<T> for List<T, K, U, S>
    where
        T: Send + Sync + 'static,
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Loaders: Loader<K, Error = Error>,
        U: Shape,
        S: Fn(<Loaders as Loader<K>>::Value) -> Vec<U> + Send + Sync + 'static,
    {
        async fn load(&self, rows: &[&T], scene: &Scene<'_>) -> Result<Box<dyn Loaded<T>>, Error> {
            let found = scene.load(keys_of(rows, scene, self.key)).await?;
            let found: Vec<(K, Vec<U>)> = found
                .into_iter()
                .map(|(key, value)| (key, (self.split)(value)))
                .collect();
            let children: Vec<&U> = found.iter().flat_map(|(_, children)| children).collect();
            let state = self.plan.load(&children, scene).await?;
            let mut bytes = Vec::new();
            let mut ranges = HashMap::with_capacity(found.len());
            for (key, children) in &found {
                let start = bytes.len();
                match (self.form, children.first()) {
                    (Form::List, _) => write_list(&self.plan, children, &state, scene, &mut bytes),
                    (Form::First, Some(child)) => self.plan.write(child, &state, scene, &mut bytes),
                    (Form::First, None) => bytes.extend_from_slice(b"null"),
                }
                ranges.insert(key.clone(), start..bytes.len());
            }
            Ok(Box::new(Texts {
                key: self.key,
                bytes,
                ranges,
                missing: match self.form {
                    Form::List => b"[]",
                    Form::First => b"null",
                },
            }))
        }
    }

    let plan = Plan::compile(sets, env)?;
    Some(Box::new(List {
        key,
        split,
        form,
        plan,
    }))
}

/// Most room that is made at once: the first object may be the only long one.
const MOST_ROOM: usize = 1 << 20;

/// Writes a list of objects.
pub(super) fn write_list<U: Shape>(
    plan: &Plan<U>,
    items: &[U],
    state: &State<U>,
    scene: &Scene<'_>,
    out: &mut Vec<u8>,
) {
    out.push(b'[');
    if let [first, others @ ..] = items {
        let before = out.len();
        plan.write(first, state, scene, out);
        // Objects of one list are about as long as each other: with room for all of them, nothing has to be moved to grow.
        let length = out.len() - before;
        let room = (length + length / 8 + 1).saturating_mul(others.len());
        out.reserve(room.min(MOST_ROOM));
        for item in others {
            out.push(b',');
            plan.write(item, state, scene, out);
        }
    }
    out.push(b']');
}
