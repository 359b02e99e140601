//! Values that something loaded decides.

use std::collections::HashMap;
use std::hash::Hash;

use async_graphql::Error;
use async_graphql::dataloader::Loader;
use async_graphql::parser::types::SelectionSet;

use super::{KeyOf, Link, Loaded, keys_of};
use crate::graphql::loaders::Loaders;
use crate::graphql::shape::json::WriteJson;
use crate::graphql::shape::plan::Scene;

/// A value that something loaded decides; `decide` gets the row and what was found.
pub fn found<T, K, R>(
    sets: &[&SelectionSet],
    key: KeyOf<T, K>,
    decide: fn(&T, &Scene<'_>, Option<&<Loaders as Loader<K>>::Value>) -> R,
) -> Option<Box<dyn Link<T>>>
where
    T: Send + Sync + 'static,
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Loaders: Loader<K, Error = Error>,
    R: WriteJson + 'static,
{
    type Decide<T, V, R> = fn(&T, &Scene<'_>, Option<&V>) -> R;

    struct Found<T, K, V, R> {
        key: KeyOf<T, K>,
        decide: Decide<T, V, R>,
    }

    struct Values<T, K, V, R> {
        key: KeyOf<T, K>,
        decide: Decide<T, V, R>,
        values: HashMap<K, V>,
    }

    #[async_trait::async_trait]
    impl<T, K, V, R> Link<T> for Found<T, K, V, R>
    where
        T: Send + Sync + 'static,
        K: Send + Sync + Hash + Eq + Clone + 'static,
        V: Clone + Send + Sync + 'static,
        Loaders: Loader<K, Error = Error, Value = V>,
        R: WriteJson + 'static,
    {
        async fn load(&self, rows: &[&T], scene: &Scene<'_>) -> Result<Box<dyn Loaded<T>>, Error> {
            let values = scene.load(keys_of(rows, scene, self.key)).await?;
            Ok(Box::new(Values {
                key: self.key,
                decide: self.decide,
                values,
            }))
        }
    }

    impl<T, K, V, R> Loaded<T> for Values<T, K, V, R>
    where
        T: Send + Sync,
        K: Eq + Hash + Send + Sync,
        V: Send + Sync,
        R: WriteJson,
    {
        fn write(&self, row: &T, scene: &Scene<'_>, out: &mut Vec<u8>) {
            let value = (self.key)(row, scene).and_then(|key| self.values.get(&key));
            (self.decide)(row, scene, value).write_json(out);
        }
    }

    // A value has no selection; validation refuses one before we see it.
    if sets.iter().any(|set| !set.items.is_empty()) {
        return None;
    }
    Some(Box::new(Found { key, decide }))
}
