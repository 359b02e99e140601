//! What a replica has paid for in advance: asking Redis about each request would cost more than answering it. Promises: never more than
//! one part in [`PARTS`] of a budget in advance, for at most [`VALID`] or, while little of the budget is used, [`LONG`], about as much as
//! its owner has just used here, and nothing when one of the budgets is small, so that those are exact. However many requests of one owner
//! come at once, one of them pays in advance: a thousand clients that come back together would otherwise spend a budget of hundreds of
//! thousands on what nobody uses. What is not used is lost to its owner, never to anybody else; so whoever asks each of several replicas
//! now and then pays nothing in advance, or all of them together would lose more of the budget than comes back. Must not know what is
//! limited.

use std::time::Duration;

use dashmap::mapref::one::Ref;
use dashmap::{DashMap, DashSet};
use tokio::time::Instant;

use super::WINDOW_MICROS;
use super::keys::Hashed;

/// One part of this many may be paid for in advance.
const PARTS: u32 = 64;
/// Budgets below this are asked for one by one.
const LEAST: u32 = 10 * PARTS;
/// How long what was paid for may be used.
const VALID: Duration = Duration::from_secs(2);
/// The same for whoever has used little of the budget, at all replicas together: what is held here is then not missed there.
const LONG: Duration = Duration::from_secs(10);
/// One part of this many is little.
const LITTLE: u64 = 4;

/// The most of a budget of this size that is paid for in advance with one question.
fn most_in_advance(limit: u32) -> u32 {
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
    /// How long it may be used.
    valid: Duration,
    parts: Vec<Leased>,
}

/// What was paid for of one kind.
#[derive(Debug)]
struct Leased {
    kind: usize,
    left: u32,
    /// How many microseconds after the start of the lease the budget would be full if all of it were used.
    full: u64,
    /// What its owner has taken of this kind lately.
    taken: u32,
}

/// All of them, by the hash of their owner.
#[derive(Debug, Default)]
pub(super) struct Leases {
    kept: DashMap<u64, Lease, Hashed>,
    /// Owners for whom a part is being paid at this moment.
    paying: DashSet<u64, Hashed>,
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

impl Lease {
    /// What was taken lately of one kind.
    fn taken(&self, kind: usize) -> u32 {
        let leased = self.parts.iter().find(|leased| leased.kind == kind);
        leased.map_or(0, |leased| leased.taken)
    }

    /// How old it is.
    fn age(&self, now: Instant) -> Duration {
        // Another request may have begun it since this one looked at the clock.
        now.saturating_duration_since(self.since)
    }

    /// Whether its time is over; else it was used up before.
    fn is_over(&self, now: Instant) -> bool {
        self.age(now) > self.valid
    }

    /// Whether it still says what its owner uses: whoever goes on asking does so soon after it is over.
    fn is_recent(&self, now: Instant) -> bool {
        self.age(now) <= self.valid + VALID
    }
}

impl Leases {
    /// Whoever may pay in advance for this owner now; nobody while somebody else does.
    pub(super) fn payer(&self, owner: u64) -> Option<Payer<'_>> {
        if !self.paying.insert(owner) {
            return None;
        }
        // Made only now: one that is made and dropped would end the right of whoever has it.
        Some(Payer { leases: self, owner })
    }

    /// Takes all of these charges from what is paid for and says for each the microseconds until its budget is full again; or takes
    /// nothing.
    pub(super) fn take<const N: usize>(
        &self,
        owner: u64,
        charges: &[Part; N],
        now: Instant,
    ) -> Option<[u64; N]> {
        let mut lease = self.kept.get_mut(&owner)?;
        if lease.is_over(now) {
            return None;
        }
        let mut places = [0; N];
        for (place, charge) in places.iter_mut().zip(charges) {
            *place = lease
                .parts
                .iter()
                .position(|leased| leased.kind == charge.kind && leased.left >= charge.cost)?;
        }
        let passed = u64::try_from(lease.age(now).as_micros()).unwrap_or(u64::MAX);
        let mut resets = [0; N];
        for ((reset, place), charge) in resets.iter_mut().zip(places).zip(charges) {
            let leased = &mut lease.parts[place];
            leased.left -= charge.cost;
            leased.taken = leased.taken.saturating_add(charge.cost);
            *reset = leased
                .full
                .saturating_sub(share(leased.left, charge.limit))
                .saturating_sub(passed);
        }
        Some(resets)
    }

    /// How much to pay in advance with each of these charges: as much as their owner has taken lately, and once more the charge itself if
    /// they come quickly one after the other. Nothing of any when it would not reach for another request like this one: nobody could use it.
    pub(super) fn in_advance<const N: usize>(
        &self,
        payer: &Payer<'_>,
        charges: &[Part; N],
        now: Instant,
    ) -> [u32; N] {
        let mut ahead = [0; N];
        let Some(lease) = self.recent(payer.owner, now) else {
            return ahead;
        };
        for (ahead, charge) in ahead.iter_mut().zip(charges) {
            let again = if lease.is_over(now) { 0 } else { charge.cost };
            let wanted = lease.taken(charge.kind).saturating_add(again);
            *ahead = wanted.min(most_in_advance(charge.limit));
        }
        let mut pairs = ahead.iter().zip(charges);
        let reaches = pairs.all(|(ahead, charge)| *ahead >= charge.cost);
        if reaches { ahead } else { [0; N] }
    }

    /// Keeps what was paid for just now, `ahead` besides the charges themselves. `resets` are the microseconds until the budgets would be
    /// full with all of it used; answered are those without what was paid in advance.
    pub(super) fn keep<const N: usize>(
        &self,
        payer: &Payer<'_>,
        charges: &[Part; N],
        ahead: [u32; N],
        resets: [u64; N],
        now: Instant,
    ) -> [u64; N] {
        // Whoever uses a lease up before its time gets a larger one each time.
        let early = self.recent(payer.owner, now).filter(|lease| !lease.is_over(now));
        let mut exact = resets;
        let mut parts = Vec::with_capacity(N);
        for (place, charge) in charges.iter().enumerate() {
            let faster = early
                .as_ref()
                .map_or(0, |lease| lease.taken(charge.kind) / 2 + charge.cost);
            parts.push(Leased {
                kind: charge.kind,
                left: ahead[place],
                full: resets[place],
                taken: faster,
            });
            exact[place] = resets[place].saturating_sub(share(ahead[place], charge.limit));
        }
        drop(early);
        // With nothing to use, a longer one would only make whoever asks now and then look as if they came quickly.
        let is_of_use = ahead.iter().any(|ahead| *ahead > 0);
        let is_little_used = resets.iter().all(|reset| *reset <= WINDOW_MICROS / LITTLE);
        let lease = Lease {
            since: now,
            valid: if is_of_use && is_little_used { LONG } else { VALID },
            parts,
        };
        self.kept.insert(payer.owner, lease);
        exact
    }

    /// The last lease of an owner, unless it is long over. To be dropped before anything is kept.
    fn recent(&self, owner: u64, now: Instant) -> Option<Ref<'_, u64, Lease>> {
        self.kept.get(&owner).filter(|lease| lease.is_recent(now))
    }

    /// Forgets what can no longer be used.
    pub(super) fn sweep(&self, now: Instant) {
        self.kept.retain(|_, lease| lease.is_recent(now));
        self.kept.shrink_to_fit();
    }
}

/// How many microseconds this much of a budget takes to come back.
fn share(amount: u32, limit: u32) -> u64 {
    WINDOW_MICROS * u64::from(amount) / u64::from(limit.max(1))
}
