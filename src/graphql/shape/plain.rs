//! Relations as the plain resolvers load them: one row at a time, batched with what its neighbours ask for.

use std::hash::Hash;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Error};

use crate::graphql::errors::expose;
use crate::graphql::loader;
use crate::graphql::loaders::Loaders;
use crate::kernel;

/// The key of a row, whose making may end early because the row refers to nothing.
pub fn key_of<K>(make: impl FnOnce() -> Option<K>) -> Option<K> {
    make()
}

/// Loads what a row refers to, with its neighbours; null when there is nothing.
pub async fn link_one<K, U>(
    ctx: &Context<'_>,
    key: Option<K>,
    wrap: fn(<Loaders as Loader<K>>::Value) -> U,
) -> Option<Result<U, Error>>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Loaders: Loader<K, Error = Error>,
{
    let found = loader(ctx).load_one(key?).await;
    found.map(|found| found.map(wrap)).transpose()
}

/// As [`link_one`], for what cannot be missing.
pub async fn link_must<K, U>(
    ctx: &Context<'_>,
    key: Option<K>,
    wrap: fn(<Loaders as Loader<K>>::Value) -> U,
) -> Result<U, Error>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Loaders: Loader<K, Error = Error>,
{
    let missing = || Err(expose(kernel::Error::not_found()));
    link_one(ctx, key, wrap).await.unwrap_or_else(missing)
}

/// Loads the list of what refers to a row.
pub async fn link_many<K, V, U>(ctx: &Context<'_>, key: Option<K>, wrap: fn(V) -> U) -> Result<Vec<U>, Error>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Loaders: Loader<K, Error = Error, Value = Vec<V>>,
    V: Clone + Send + Sync + 'static,
{
    let Some(key) = key else { return Ok(Vec::new()) };
    let found = loader(ctx).load_one(key).await?;
    Ok(found.unwrap_or_default().into_iter().map(wrap).collect())
}

/// Loads something that decides a value.
pub async fn link_found<K>(
    ctx: &Context<'_>,
    key: Option<K>,
) -> Result<Option<<Loaders as Loader<K>>::Value>, Error>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Loaders: Loader<K, Error = Error>,
{
    match key {
        Some(key) => loader(ctx).load_one(key).await,
        None => Ok(None),
    }
}
