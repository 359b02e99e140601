//! What a replica has paid for in advance: asking Redis about each request would cost more than answering it. Promises: never more than
//! one part in [`PARTS`] of a budget in advance, for at most [`VALID`], and nothing in advance from small budgets, so that those are
//! exact. However many requests of one owner come at once, one of them pays in advance: a thousand clients that come back together would
//! otherwise spend a budget of hundreds of thousands on what nobody uses. What is not used is lost to its owner, never to anybody else.
//! Must not know what is limited.

use std::time::Duration;

use dashmap::{DashMap, DashSet};
use tokio::time::Instant;

/// One part of this many may be paid for in advance.
const PARTS: u32 = 64;
/// Budgets below this are asked for one by one.
const LEAST: u32 = 10 * PARTS;
/// How long what was paid for may be used.
const VALID: Duration = Duration::from_secs(2);

/// How much of a budget of this size is paid for in advance with each question.
pub(super) fn in_advance(limit: u32) -> u32 {
    if limit < LEAST { 0 } else { limit / PARTS }
}

/// A part of a budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Which of the owner's budgets.
    pub(super) kind: usize,
    pub(super) limit: u32,
    pub(super) cost: u32,
}

#[derive(Debug)]
struct Lease {
    since: Instant,
    /// By kind: what is left, and how many microseconds after `since` the budget would be full if all of it were used.
    parts: Vec<(usize, u32, u64)>,
}

/// All of them, by the hash of their owner.
#[derive(Debug, Default)]
pub(super) struct Leases {
    kept: DashMap<u64, Lease>,
    /// Owners for whom a part is being paid at this moment.
    paying: DashSet<u64>,
}

/// The right to pay in advance for one owner; ends when dropped, also when whoever pays is cut short.
#[derive(Debug)]
pub(super) struct Payer<'a> {
    leases: &'a Leases,
    owner: u64,
}

impl Drop for Payer<'_> {
    fn drop(&mut self) {
        self.leases.paying.remove(&self.owner);
    }
}

impl Leases {
    /// Whoever may pay in advance for this owner now; nobody while somebody else does.
    pub(super) fn payer(&self, owner: u64) -> Option<Payer<'_>> {
        self.paying.insert(owner).then_some(Payer { leases: self, owner })
    }

    /// Takes all of these charges from what is paid for and says for each the microseconds until its budget is full again; or takes
    /// nothing.
    pub(super) fn take<const N: usize>(
        &self,
        owner: u64,
        charges: &[Part; N],
        window: u64,
    ) -> Option<[u64; N]> {
        let mut lease = self.kept.get_mut(&owner)?;
        let passed = lease.since.elapsed();
        if passed > VALID {
            return None;
        }
        let mut places = [0; N];
        for (place, charge) in places.iter_mut().zip(charges) {
            *place = lease
                .parts
                .iter()
                .position(|(kind, left, _)| *kind == charge.kind && *left >= charge.cost)?;
        }
        let passed = u64::try_from(passed.as_micros()).unwrap_or(u64::MAX);
        let mut resets = [0; N];
        for ((reset, place), charge) in resets.iter_mut().zip(places).zip(charges) {
            let (_, left, full) = &mut lease.parts[place];
            *left -= charge.cost;
            *reset = full
                .saturating_sub(share(*left, charge.limit, window))
                .saturating_sub(passed);
        }
        Some(resets)
    }

    /// Keeps what was paid for just now. `resets` are the microseconds until the budgets would be full with all of it used; answered are
    /// those without what was paid in advance.
    pub(super) fn keep<const N: usize>(
        &self,
        payer: &Payer<'_>,
        charges: &[Part; N],
        resets: [u64; N],
        window: u64,
    ) -> [u64; N] {
        let parts = charges.iter().zip(resets);
        let lease = Lease {
            since: Instant::now(),
            parts: parts
                .map(|(charge, reset)| (charge.kind, in_advance(charge.limit), reset))
                .collect(),
        };
        self.kept.insert(payer.owner, lease);
        let mut exact = resets;
        for (reset, charge) in exact.iter_mut().zip(charges) {
            *reset = reset.saturating_sub(share(in_advance(charge.limit), charge.limit, window));
        }
        exact
    }

    /// Forgets what can no longer be used.
    pub(super) fn sweep(&self) {
        self.kept.retain(|_, lease| lease.since.elapsed() <= VALID);
        self.kept.shrink_to_fit();
    }
}

/// How long this much of a budget takes to come back.
fn share(amount: u32, limit: u32, window: u64) -> u64 {
    window * u64::from(amount) / u64::from(limit.max(1))
}
