//! Where ids and secrets come from: UUID version 7 and operating-system randomness, replaceable in tests so that runs repeat.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use entity::ids::TypedId;
use uuid::Uuid;

use super::error::{Error, Result};

/// Source of new ids. Cheap to clone.
#[derive(Clone, Debug)]
pub struct IdGen(Source);

#[derive(Clone, Debug)]
enum Source {
    Random,
    Counting(Arc<AtomicU64>),
}

impl IdGen {
    /// UUID version 7: unique, and in order of creation.
    pub fn random() -> Self {
        Self(Source::Random)
    }

    /// Counts up from one: equal in every run.
    pub fn counting() -> Self {
        Self(Source::Counting(Arc::new(AtomicU64::new(1))))
    }

    /// A new id.
    #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
    pub fn uuid(&self) -> Uuid {
        match &self.0 {
            Source::Random => Uuid::now_v7(),
            Source::Counting(next) => {
                let n = u128::from(next.fetch_add(1, Ordering::SeqCst));
                // A fixed time part with the version and variant bits of a UUID version 7.
                Uuid::from_u128((0x0193_5000_0000_7000_8000_u128 << 48) | n)
            }
        }
    }

    /// A new typed id.
    pub fn next<T: TypedId>(&self) -> T {
        T::from_uuid(self.uuid())
    }
}

/// `N` bytes of randomness fit for secrets.
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
    Ok(bytes)
}
