//! Credentials whose use is to be noted. Nobody waits for such a note, so that many are written at once. Must not know who uses them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use entity::ids::{ApiTokenId, SessionId};

use crate::kernel::time::Instant;

/// What was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// An API token.
    Token(ApiTokenId),
    /// A session, from this address.
    Session(SessionId, Option<String>),
}

/// What was used and is not written yet.
#[derive(Debug, Default)]
pub struct Uses(Mutex<Vec<(Use, Instant)>>);

impl Uses {
    fn waiting(&self) -> MutexGuard<'_, Vec<(Use, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one; whether it is the first, whose owner has to [`take`](Self::take) them all after a while.
    pub fn note(&self, what: Use, at: Instant) -> bool {
        let mut waiting = self.waiting();
        waiting.push((what, at));
        waiting.len() == 1
    }

    /// Takes all.
    pub fn take(&self) -> Vec<(Use, Instant)> {
        std::mem::take(&mut *self.waiting())
    }
}
