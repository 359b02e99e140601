//! Objects that rows carry with them, many rows the same one: each is written once, with all that it refers to. The columns of such an
//! object count as columns of the rows, which are read together with it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use async_graphql::Error;
use async_graphql::parser::types::SelectionSet;

use super::{KeyOf, Link, Loaded, Texts};
use crate::graphql::shape::collect::Env;
use crate::graphql::shape::plan::{Plan, Scene, Shape};

/// Hashes keys that this server makes itself. Nobody outside chooses them, so that nothing has to be kept from them, and each row is looked
/// up twice.
#[derive(Default)]
struct Plain(u64);

impl Plain {
    /// Odd, with its bits evenly spread: that of the golden section.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(Self::FACTOR);
    }
}

impl Hasher for Plain {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.add((*byte).into());
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.add(number as u64);
    }

    fn finish(&self) -> u64 {
        // A product is mixed best in its upper bits, and maps look at the lower ones.
        self.0.rotate_left(26)
    }
}

/// An object that rows carry with them, known by a key that this server made.
pub fn within<T, K, U>(
    sets: &[&SelectionSet],
    env: Env<'_>,
    key: KeyOf<T, K>,
    part: fn(&T) -> U,
) -> Option<Box<dyn Link<T>>>
where
    T: Send + Sync + 'static,
    K: Send + Sync + Hash + Eq + Clone + 'static,
    U: Shape,
{
    struct Within<T, K, U> {
        key: KeyOf<T, K>,
        part: fn(&T) -> U,
        plan: Plan<U>,
    }

    #[async_trait::async_trait]
    impl<T, K, U> Link<T> for Within<T, K, U>
    where
        T: Send + Sync + 'static,
        K: Send + Sync + Hash + Eq + Clone + 'static,
        U: Shape,
    {
        async fn load(&self, rows: &[&T], scene: &Scene<'_>) -> Result<Box<dyn Loaded<T>>, Error> {
            let mut places: HashMap<K, usize, BuildHasherDefault<Plain>> = HashMap::default();
            let mut parts: Vec<U> = Vec::new();
            for row in rows {
                if let Some(key) = (self.key)(row, scene) {
                    places.entry(key).or_insert_with(|| {
                        parts.push((self.part)(row));
                        parts.len() - 1
                    });
                }
            }
            let children: Vec<&U> = parts.iter().collect();
            let state = self.plan.load(&children, scene).await?;
            let mut bytes = Vec::with_capacity(256 * parts.len());
            let mut written = Vec::with_capacity(parts.len());
            for part in &parts {
                let start = bytes.len();
                self.plan.write(part, &state, scene, &mut bytes);
                written.push(start..bytes.len());
            }
            let ranges: HashMap<K, _, BuildHasherDefault<Plain>> = places
                .into_iter()
                .filter_map(|(key, place)| Some((key, written.get(place)?.clone())))
                .collect();
            Ok(Box::new(Texts {
                key: self.key,
                bytes,
                ranges,
                missing: b"null",
            }))
        }

        fn columns(&self) -> u64 {
            self.plan.columns()
        }
    }

    let plan = Plan::compile(sets, env)?;
    Some(Box::new(Within { key, part, plan }))
}
