//! Whose turn it is. Waiting jobs of a queue stand in two rings, those that a person waits for and the others; each ring goes from
//! workspace to workspace, so that a workspace with ten thousand jobs has one turn like everybody else. The first ring goes first, but every
//! fourth turn belongs to the second. Each process keeps its own place in the rings; nothing depends on them being the same.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use entity::enums::JobQueueName;
use entity::ids::JobId;
use uuid::Uuid;

use crate::kernel::jobs::Urgency;

/// One turn of so many belongs to the background.
const BACKGROUND_SHARE: u64 = 4;

/// How far a process has come.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<JobQueueName, Place>>);

/// After whom a ring begins anew.
pub(super) const END: Uuid = Uuid::max();

/// How far it has come in one queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// Who was served last, by ring.
    interactive: Uuid,
    background: Uuid,
    /// Turns since the background had its own.
    owed: u64,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            interactive: END,
            background: END,
            owed: 0,
        }
    }
}

impl Turns {
    fn places(&self) -> MutexGuard<'_, HashMap<JobQueueName, Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose turn comes next in a ring: the smallest party from here on, or else the smallest of all.
    pub(super) fn next(&self, queue: JobQueueName, ring: Urgency) -> Uuid {
        let place = self.places().get(&queue).copied().unwrap_or_default();
        let last = match ring {
            Urgency::Interactive => place.interactive,
            Urgency::Background => place.background,
        };
        after(last)
    }

    /// Remembers who had the last turn of a ring.
    pub(super) fn served(&self, queue: JobQueueName, ring: Urgency, last: Uuid) {
        let mut places = self.places();
        let place = places.entry(queue).or_default();
        match ring {
            Urgency::Interactive => place.interactive = last,
            Urgency::Background => place.background = last,
        }
    }

    /// How many of `turns` turns the background must have.
    pub(super) fn reserved(&self, queue: JobQueueName, turns: u64) -> u64 {
        let owed = self.places().get(&queue).map_or(0, |place| place.owed) + turns;
        owed / BACKGROUND_SHARE
    }

    /// Counts turns that were taken while both rings may have wanted them.
    pub(super) fn count(&self, queue: JobQueueName, turns: u64) {
        let mut places = self.places();
        let place = places.entry(queue).or_default();
        place.owed = (place.owed + turns) % BACKGROUND_SHARE;
    }
}

/// The next possible party.
pub(super) fn after(party: Uuid) -> Uuid {
    Uuid::from_u128(party.as_u128().wrapping_add(1))
}

/// Deals what was found party by party: everybody's first job, then everybody's second, in the order of the ring. At most `limit`.
pub(super) fn deal(ring: &[Uuid], found: &[(Uuid, JobId)], limit: usize) -> Vec<JobId> {
    let mut hands: Vec<Vec<JobId>> = vec![Vec::new(); ring.len()];
    for (party, id) in found {
        if let Some(place) = ring.iter().position(|one| one == party) {
            hands[place].push(*id);
        }
    }
    let rounds = hands.iter().map(Vec::len).max().unwrap_or(0);
    (0..rounds)
        .flat_map(|round| hands.iter().filter_map(move |hand| hand.get(round).copied()))
        .take(limit)
        .collect()
}

#[cfg(test)]
mod tests;
