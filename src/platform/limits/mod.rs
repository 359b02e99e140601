//! How fast somebody may ask: one budget per minute for each kind of limit and each key, held in this process and, with Redis, shared by
//! all replicas. Promises: a steady refill instead of windows, memory only for keys that asked lately, and a decision also when Redis is
//! away. Must not know who callers are or how answers look.

mod keys;
mod leases;
mod shared;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use keys::Hashed;
use leases::{Leases, Part};

use crate::config::Rates;
use crate::kernel::time::{Clock, Instant};
use crate::kernel::{Error, ErrorCode};
use crate::platform::redis::Redis;

pub use keys::Key;

/// Length of a window: an untouched budget is one window's worth.
pub const WINDOW: Duration = Duration::from_secs(60);
const WINDOW_MICROS: u64 = WINDOW.as_secs() * 1_000_000;
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Requests of an address that is not signed in.
    GuestRequests,
    /// Points of an address that is not signed in.
    GuestPoints,
    /// Requests of a signed-in caller.
    CallerRequests,
    /// Points of a signed-in caller.
    CallerPoints,
    /// Requests that enter a workspace.
    WorkspaceRequests,
    /// Points of a workspace.
    WorkspacePoints,
    /// Sign-ins from an address.
    SignIns,
    /// Letters to one e-mail address.
    Letters,
    /// Messages on one WebSocket.
    SocketMessages,
}

impl Limit {
    /// Every limit; `limit as usize` is its place here.
    pub const ALL: [Self; 9] = [
        Self::GuestRequests,
        Self::GuestPoints,
        Self::CallerRequests,
        Self::CallerPoints,
        Self::WorkspaceRequests,
        Self::WorkspacePoints,
        Self::SignIns,
        Self::Letters,
        Self::SocketMessages,
    ];

    /// Name of the setting that has its rate.
    pub const fn setting(self) -> &'static str {
        match self {
            Self::GuestRequests => "MERIDIAN_RATE_GUEST_REQUESTS",
            Self::GuestPoints => "MERIDIAN_RATE_GUEST_POINTS",
            Self::CallerRequests => "MERIDIAN_RATE_CALLER_REQUESTS",
            Self::CallerPoints => "MERIDIAN_RATE_CALLER_POINTS",
            Self::WorkspaceRequests => "MERIDIAN_RATE_WORKSPACE_REQUESTS",
            Self::WorkspacePoints => "MERIDIAN_RATE_WORKSPACE_POINTS",
            Self::SignIns => "MERIDIAN_RATE_SIGN_INS",
            Self::Letters => "MERIDIAN_RATE_LETTERS",
            Self::SocketMessages => "MERIDIAN_RATE_SOCKET_MESSAGES",
        }
    }

    /// Rate for a window, which is also the burst: what is left of a full window is told to nobody but the spender.
    fn per_window(self, rates: &Rates) -> u32 {
        match self {
            Self::GuestRequests => rates.guest_requests,
            Self::GuestPoints => rates.guest_points,
            Self::CallerRequests => rates.caller_requests,
            Self::CallerPoints => rates.caller_points,
            Self::WorkspaceRequests => rates.workspace_requests,
            Self::WorkspacePoints => rates.workspace_points,
            Self::SignIns => rates.sign_ins,
            Self::Letters => rates.letters,
            Self::SocketMessages => rates.socket_messages,
        }
    }

    /// Name in the `RateLimit-Policy` header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GuestRequests | Self::CallerRequests => "requests",
            Self::GuestPoints | Self::CallerPoints => "points",
            Self::WorkspaceRequests => "workspace-requests",
            Self::WorkspacePoints => "workspace",
            Self::SignIns => "sign-ins",
            Self::Letters => "letters",
            Self::SocketMessages => "messages",
        }
    }

    /// Sentence for whoever spent it.
    pub const fn message(self) -> &'static str {
        match self {
            Self::GuestRequests | Self::GuestPoints => {
                "Too many requests from this address. Wait, or sign in for a larger budget."
            }
            Self::CallerRequests => "Too many requests. Wait before sending the next one.",
            Self::CallerPoints => {
                "The budget of this minute is spent. Wait, or ask for fewer fields and smaller pages."
            }
            Self::WorkspaceRequests | Self::WorkspacePoints => {
                "The budget of this workspace is spent for this minute. Wait before trying again."
            }
            Self::SignIns => "Too many sign-ins from this address. Wait before trying again.",
            Self::Letters => "Too many letters to this e-mail address. Wait before asking for another one.",
            Self::SocketMessages => "Too many messages on this connection. Wait before sending the next one.",
        }
    }
}

/// The answer to one [`Limits::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Which limit decided.
    pub kind: Limit,
    /// Whether it may go on; then its cost is spent.
    pub allowed: bool,
    /// Size of a full budget.
    pub limit: u32,
    /// What is left of it.
    pub remaining: u32,
    /// Time until it is full again; see [`Limits::full_at`].
    pub reset: Duration,
    /// Seconds until it is full again, rounded up.
    pub reset_after: u64,
    /// Seconds until the same cost would be allowed, rounded up and at least one; zero when it was allowed.
    pub retry_after: u64,
}

impl Decision {
    /// Nothing when allowed, otherwise the error to answer with.
    pub fn into_result(self) -> Result<Self, Error> {
        if self.allowed {
            return Ok(self);
        }
        tracing::debug!(
            setting = self.kind.setting(),
            limit = self.limit,
            "refused for now"
        );
        Err(Error::Coded {
            code: ErrorCode::RateLimited,
            message: self.kind.message().into(),
            retry_after: Some(self.retry_after),
            cause: None,
        })
    }
}

/// What somebody is to pay.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// From which budget.
    pub kind: Limit,
    /// Whose. Charges that are decided together belong to one key.
    pub key: Key<'a>,
    /// How much.
    pub cost: u32,
}

/// Keys are kept as hashes under a random seed: fixed size, and nobody can choose colliding ones.
type Limiter = RateLimiter<
    u64,
    DashMapStateStore<u64, Hashed>,
    DefaultClock,
    governor::middleware::StateInformationMiddleware,
>;

/// All budgets of this process.
#[derive(Debug)]
pub struct Limits {
    limiters: [(u32, Limiter); Limit::ALL.len()],
    seed: RandomState,
    clock: Clock,
    redis: Option<Redis>,
    leases: Leases,
    /// Redis did not answer the last time.
    is_alone: AtomicBool,
    decided_alone: AtomicU64,
}

impl Limits {
    /// Budgets of these sizes. `clock` only dates [`Limits::full_at`]; refilling follows the machine's monotonic clock.
    pub fn new(rates: &Rates, clock: Clock) -> Self {
        let limiters = Limit::ALL.map(|limit| {
            let size = NonZeroU32::new(limit.per_window(rates)).unwrap_or(NonZeroU32::MIN);
            let quota = Quota::per_minute(size);
            (
                size.get(),
                RateLimiter::dashmap_with_hasher(quota, Hashed::default())
                    .with_middleware::<StateInformationMiddleware>(),
            )
        });
        Self {
            limiters,
            seed: RandomState::new(),
            clock,
            redis: None,
            leases: Leases::default(),
            is_alone: AtomicBool::new(false),
            decided_alone: AtomicU64::new(0),
        }
    }

    /// The same budgets, shared by all replicas through Redis.
    pub fn shared(self, redis: Option<Redis>) -> Self {
        Self { redis, ..self }
    }

    /// When a budget is full again, if nobody spends more of it.
    pub fn full_at(&self, decision: &Decision) -> Instant {
        self.clock.now() + TimeDelta::from_std(decision.reset).unwrap_or_default()
    }

    /// How many charges this replica decided by itself because Redis was away.
    pub fn decided_alone(&self) -> u64 {
        self.decided_alone.load(Ordering::Relaxed)
    }

    /// A decision about whoever no budget stops.
    pub fn free(&self, kind: Limit) -> Decision {
        let limit = self.limiters[kind as usize].0;
        self.decision(kind, limit, Duration::ZERO, 0)
    }

    /// Spends all of these charges, shared with the other replicas: all or none of them, in one round trip or from what this replica has
    /// paid for in advance.
    pub async fn spend<const N: usize>(&self, charges: [Charge<'_>; N]) -> [Decision; N] {
        let owner = self.owner(&charges);
        let local = charges.map(|charge| self.check_hashed(charge.kind, owner, charge.cost));
        self.share_hashed(owner, charges, local).await
    }

    /// Shares charges that this process has decided about already.
    pub async fn share<const N: usize>(
        &self,
        charges: [Charge<'_>; N],
        local: [Decision; N],
    ) -> [Decision; N] {
        self.share_hashed(self.owner(&charges), charges, local).await
    }

    /// The hash of the key that all of these belong to.
    fn owner<const N: usize>(&self, charges: &[Charge<'_>; N]) -> u64 {
        debug_assert!(
            charges.windows(2).all(|pair| pair[0].key == pair[1].key),
            "charges that are decided together belong to one key"
        );
        self.seed
            .hash_one(charges.first().map_or(Key::Name(""), |charge| charge.key))
    }

    async fn share_hashed<const N: usize>(
        &self,
        owner: u64,
        charges: [Charge<'_>; N],
        local: [Decision; N],
    ) -> [Decision; N] {
        // What is too much for one replica is too much for all.
        let Some(redis) = self
            .redis
            .as_ref()
            .filter(|_| local.iter().all(|one| one.allowed))
        else {
            return local;
        };
        let parts = charges.map(|charge| {
            let limit = self.limiters[charge.kind as usize].0;
            Part {
                kind: charge.kind as usize,
                limit,
                cost: charge.cost.min(limit).max(1),
            }
        });
        let now = tokio::time::Instant::now();
        if let Some(resets) = self.leases.take(owner, &parts, now) {
            return self.allowed(local, resets);
        }
        let payer = self.leases.payer(owner);
        let ahead = payer
            .as_ref()
            .map_or([0; N], |payer| self.leases.in_advance(payer, &parts, now));
        let mut place = 0;
        let entries = charges.map(|charge| {
            let (part, ahead) = (parts[place], ahead[place]);
            place += 1;
            shared::Entry {
                // The braces keep all budgets of one key on one node of a cluster.
                key: format!("{{{}}}:{}", charge.key, part.kind),
                limit: part.limit,
                cost: part.cost,
                ahead,
            }
        });
        // Most requests were paid for in advance; they do not carry the rest about.
        let asking = Box::pin(shared::spend(redis, WINDOW_MICROS, &entries));
        let (in_advance, answers) = match asking.await {
            Ok((in_advance, answers)) if answers.len() == N => (in_advance, answers),
            other => {
                self.note_alone(other.err());
                return local;
            }
        };
        if self.is_alone.swap(false, Ordering::Relaxed) {
            tracing::info!("budgets are shared between replicas again");
        }
        if let Some(payer) = payer.filter(|_| in_advance && answers.iter().all(|answer| answer.wait == 0)) {
            let mut resets = [0; N];
            for (reset, answer) in resets.iter_mut().zip(&answers) {
                *reset = answer.reset;
            }
            let now = tokio::time::Instant::now();
            let resets = self.leases.keep(&payer, &parts, ahead, resets, now);
            return self.allowed(local, resets);
        }
        let mut decisions = local;
        for (decision, answer) in decisions.iter_mut().zip(answers) {
            let reset = Duration::from_micros(answer.reset);
            let wait = seconds(Duration::from_micros(answer.wait));
            *decision = self.decision(decision.kind, decision.limit, reset, wait);
        }
        decisions
    }

    /// The same decisions with these times in microseconds until their budgets are full again.
    fn allowed<const N: usize>(&self, mut decisions: [Decision; N], resets: [u64; N]) -> [Decision; N] {
        for (decision, reset) in decisions.iter_mut().zip(resets) {
            *decision = self.decision(decision.kind, decision.limit, Duration::from_micros(reset), 0);
        }
        decisions
    }

    /// One line when Redis goes, not one for every request.
    fn note_alone(&self, error: Option<Error>) {
        self.decided_alone.fetch_add(1, Ordering::Relaxed);
        if !self.is_alone.swap(true, Ordering::Relaxed) {
            let cause = error.as_ref().and_then(Error::cause);
            tracing::warn!(cause, "Redis is away: budgets are decided by each replica alone");
        }
    }

    /// `reset` is the time until the budget is full again, `wait` the seconds until the charge would fit.
    fn decision(&self, kind: Limit, limit: u32, reset: Duration, wait: u64) -> Decision {
        let spent = reset.as_secs_f64() / WINDOW.as_secs_f64() * f64::from(limit);
        // A hair less than a whole point is a rounding error of the division.
        let spent = (spent - 1e-6).ceil().clamp(0.0, f64::from(limit));
        Decision {
            kind,
            allowed: wait == 0,
            limit,
            remaining: if wait == 0 { limit - spent as u32 } else { 0 },
            reset,
            reset_after: seconds(reset),
            retry_after: wait,
        }
    }

    /// Spends `cost` from the budget that `key` has in this process, or nothing when not enough is left. A cost above a full budget spends
    /// all of it.
    pub fn check(&self, kind: Limit, key: Key<'_>, cost: u32) -> Decision {
        self.check_hashed(kind, self.seed.hash_one(key), cost)
    }

    fn check_hashed(&self, kind: Limit, owner: u64, cost: u32) -> Decision {
        let (limit, limiter) = &self.limiters[kind as usize];
        let cost = NonZeroU32::new(cost.min(*limit)).unwrap_or(NonZeroU32::MIN);
        let answer = limiter.check_key_n(&owner, cost);
        let (remaining, retry_after) = match answer {
            Ok(Ok(state)) => (state.remaining_burst_capacity(), 0),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(limiter.clock().now());
                // All that is known is that less than the cost is left, which is nothing for this operation.
                (0, seconds(wait).max(1))
            }
            // The cost was cut to the budget above, so this cannot be; refusing is the safe answer.
            Err(_) => (0, WINDOW.as_secs()),
        };
        let spent = u64::from(limit - remaining.min(*limit));
        let reset = Duration::from_micros((WINDOW_MICROS * spent).div_ceil(u64::from(*limit)));
        Decision {
            kind,
            allowed: retry_after == 0,
            limit: *limit,
            remaining,
            reset,
            reset_after: seconds(reset),
            retry_after,
        }
    }

    /// Forgets keys whose budget is full again. Runs until it is dropped.
    pub async fn sweep_forever(&self) {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            self.leases.sweep(tokio::time::Instant::now());
            for (_, limiter) in &self.limiters {
                limiter.retain_recent();
                limiter.shrink_to_fit();
            }
        }
    }
}

fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
