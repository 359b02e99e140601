//! A compiled selection of one type: what to write, in which order, and which columns and relations that takes.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::parser::types::SelectionSet;
use async_graphql::{Context, ContextBase, ContextSelectionSet, Error, Value};
use futures_util::future::try_join_all;

use super::collect::{Asked, Env, collect};
use super::json::text;
use super::link::{Link, Loaded};
use super::raw::raw;
use super::snake;
use crate::access::Access;
use crate::graphql::documents::Prepared;
use crate::graphql::loaders::Loaders;
use crate::kernel::time::Instant;

/// Whether only the plain resolvers may answer: the document repeats a response key with a selection, whose parts the executor merges,
/// which it cannot do with text; or nobody looked whether it does.
pub(super) fn is_plain_only<T>(ctx: &ContextBase<'_, T>) -> bool {
    let prepared = ctx.data_opt::<Arc<Prepared>>();
    prepared.is_none_or(|prepared| prepared.repeats())
}

/// The object whose resolvers the schema shows; `T` is what the features of the server hand around.
#[derive(Clone)]
pub struct Plain<T>(pub T);

impl<T: async_graphql::Description> async_graphql::Description for Plain<T> {
    fn description() -> &'static str {
        T::description()
    }
}

/// A type that can be written as a whole.
pub trait Shape: Clone + Send + Sync + 'static {
    /// Its name in the schema.
    const NAME: &'static str;

    /// The fast form of a field, by the name of its resolver; `None` when it has none.
    fn field(name: &str) -> Option<Field<Self>>;
}

/// Writes a value of a loaded row.
pub type Write<T> = fn(&T, &Scene<'_>, &mut Vec<u8>);
/// Compiles the selection below a field.
pub type Compile<T> = fn(&[&SelectionSet], Env<'_>) -> Option<Box<dyn Link<T>>>;

/// The fast form of a field. `columns` are bits of the table's columns that it reads, in their order.
pub enum Field<T> {
    /// Written from the row alone.
    Value {
        /// What the row must have.
        columns: u64,
        /// Writes it.
        write: Write<T>,
    },
    /// Needs other rows, or has a selection of its own.
    Link {
        /// What the row must have.
        columns: u64,
        /// Compiles what is asked below.
        compile: Compile<T>,
    },
}

/// What writers and relations may look at.
pub struct Scene<'a> {
    /// The caller.
    pub access: &'a Arc<Access>,
    loaders: &'a Loaders,
    /// Collects what neighbours ask for at the same time. Unset for whoever asks for everything at once by itself.
    batching: Option<&'a DataLoader<Loaders>>,
    /// The instant of the answer.
    pub now: Instant,
}

impl<'a> Scene<'a> {
    /// The scene of a running operation, for one object among neighbours that may ask at the same time: loads wait for each other.
    pub fn of<T>(ctx: &ContextBase<'a, T>) -> Self {
        let access: &Arc<Access> = ctx.data_unchecked();
        let batching: &'a DataLoader<Loaders> = ctx.data_unchecked();
        Self {
            access,
            loaders: batching.loader(),
            batching: Some(batching),
            now: access.platform().clock.now(),
        }
    }

    /// The scene of one object that is all an operation asks for.
    pub fn of_request(access: &'a Arc<Access>, loaders: &'a Loaders) -> Self {
        Self {
            access,
            loaders,
            batching: None,
            now: access.platform().clock.now(),
        }
    }

    /// The same later on.
    pub fn again(&self) -> Self {
        Self {
            now: self.access.platform().clock.now(),
            ..*self
        }
    }

    /// The scene of a whole list, which asks for everything at once by itself.
    pub fn of_list<T>(ctx: &ContextBase<'a, T>) -> Self {
        Self {
            batching: None,
            ..Self::of(ctx)
        }
    }

    pub(super) async fn load<K>(
        &self,
        keys: Vec<K>,
    ) -> Result<HashMap<K, <Loaders as Loader<K>>::Value>, Error>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Loaders: Loader<K, Error = Error>,
    {
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        match self.batching {
            Some(batching) => batching.load_many(keys).await,
            None => Loader::load(self.loaders, &keys).await,
        }
    }

    /// As [`Self::load`] for a plan that looks at no more than these columns of what is found.
    pub(super) async fn load_in_part<K>(
        &self,
        keys: Vec<K>,
        columns: u64,
    ) -> Result<HashMap<K, <Loaders as Loader<K>>::Value>, Error>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Loaders: Loader<K, Error = Error>,
    {
        if self.batching.is_some() || keys.is_empty() {
            return self.load(keys).await;
        }
        let loaders = self.loaders.in_part(columns);
        Loader::load(&loaders, &keys).await
    }
}

enum What<T> {
    TypeName,
    Value(Write<T>),
    Link(Box<dyn Link<T>>),
}

/// What to write for each field of an object, in order: `"key":` in front of its value, after the first one with a comma before it.
pub(super) type Steps<S> = Vec<(Box<[u8]>, S)>;

/// Compiles each field that these selections together ask of an object; `None` when one has no fast form.
pub(super) fn steps<'a, S>(
    sets: &[&'a SelectionSet],
    type_name: &str,
    env: Env<'a>,
    mut compile: impl FnMut(&Asked<'a>) -> Option<S>,
) -> Option<Steps<S>> {
    let asked = collect(sets, type_name, env);
    let mut steps = Vec::with_capacity(asked.len());
    for (key, asked) in asked {
        let step = compile(&asked)?;
        steps.push((key_text(key, steps.is_empty()), step));
    }
    // The executor has its own word for an object without fields.
    (!steps.is_empty()).then_some(steps)
}

/// A compiled selection.
pub struct Plan<T> {
    steps: Steps<What<T>>,
    columns: u64,
}

/// What the relations of a plan found, in the order of its steps.
pub struct State<T>(Vec<Box<dyn Loaded<T>>>);

/// The beginning of one field of an object.
pub fn key_text(key: &str, first: bool) -> Box<[u8]> {
    let mut bytes = Vec::with_capacity(key.len() + 4);
    if !first {
        bytes.push(b',');
    }
    text(key, &mut bytes);
    bytes.push(b':');
    bytes.into()
}

impl<T: Shape> Plan<T> {
    /// Compiles selections that are merged; `None` when some field has no fast form.
    pub fn compile(sets: &[&SelectionSet], env: Env<'_>) -> Option<Self> {
        let mut columns = 0;
        let steps = steps(sets, T::NAME, env, |asked| {
            if !asked.field.arguments.is_empty() {
                return None;
            }
            let name = asked.field.name.node.as_str();
            if name == "__typename" {
                return Some(What::TypeName);
            }
            let (needs, what) = match T::field(&snake(name))? {
                Field::Value { columns, write } => (columns, What::Value(write)),
                Field::Link { columns, compile } => {
                    let link = compile(&asked.sets, env)?;
                    (columns | link.columns(), What::Link(link))
                }
            };
            columns |= needs;
            Some(what)
        })?;
        Some(Self { steps, columns })
    }

    /// Compiles the selection of a running field; `None` when the plain resolvers answer, which may look at all columns.
    pub fn of_field(ctx: &Context<'_>) -> Option<Self> {
        if is_plain_only(ctx) {
            return None;
        }
        Self::compile(&[&ctx.item.node.selection_set.node], Env::of(ctx))
    }

    /// Bits of the columns that rows must have.
    pub fn columns(&self) -> u64 {
        self.columns
    }

    /// Whether writing needs nothing but the row.
    pub(super) fn is_flat(&self) -> bool {
        self.steps.iter().all(|(_, what)| !matches!(what, What::Link(_)))
    }

    /// Loads what these rows refer to.
    pub async fn load(&self, rows: &[&T], scene: &Scene<'_>) -> Result<State<T>, Error> {
        let links = self.steps.iter().filter_map(|(_, what)| match what {
            What::Link(link) => Some(link),
            What::TypeName | What::Value(_) => None,
        });
        try_join_all(links.map(|link| link.load(rows, scene)))
            .await
            .map(State)
    }

    /// Writes one object.
    pub fn write(&self, row: &T, state: &State<T>, scene: &Scene<'_>, out: &mut Vec<u8>) {
        let mut found = state.0.iter();
        out.push(b'{');
        for (key, what) in &self.steps {
            out.extend_from_slice(key);
            match what {
                What::TypeName => text(T::NAME, out),
                What::Value(write) => write(row, scene, out),
                What::Link(_) => match found.next() {
                    Some(found) => found.write(row, scene, out),
                    None => out.extend_from_slice(b"null"),
                },
            }
        }
        out.push(b'}');
    }
}

/// Answers a selection of one object in the fast way; `None` leaves it to the plain resolvers.
pub async fn resolve_one<T: Shape>(value: &T, ctx: &ContextSelectionSet<'_>) -> Option<Value> {
    if is_plain_only(ctx) {
        return None;
    }
    let plan = Plan::<T>::compile(&[&ctx.item.node], Env::of(ctx))?;
    let scene = Scene::of(ctx);
    let state = plan.load(&[value], &scene).await.ok()?;
    let mut out = Vec::with_capacity(512);
    plan.write(value, &state, &scene, &mut out);
    raw(out)
}

/// Bits of the columns that an answer of one object needs; `None` when the plain resolvers answer, which may look at all.
pub fn columns_asked<T: Shape>(ctx: &Context<'_>) -> Option<u64> {
    Plan::<T>::of_field(ctx).map(|plan| plan.columns())
}
