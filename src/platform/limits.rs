//! How fast somebody may ask: one budget per minute for each kind of limit and each key, held in this process. Promises: a steady
//! refill instead of windows, and memory only for keys that asked lately. Must not know who callers are or how answers look.

use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;

use chrono::TimeDelta;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::config::Rates;
use crate::kernel::time::{Clock, Instant};
use crate::kernel::{Error, ErrorCode};

/// Length of a window: an untouched budget is one window's worth.
pub const WINDOW: Duration = Duration::from_secs(60);
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
    /// Points of a workspace.
    WorkspacePoints,
    /// Sign-ins from an address.
    SignIns,
    /// Messages on one WebSocket.
    SocketMessages,
}

impl Limit {
    /// Every limit; `limit as usize` is its place here.
    const ALL: [Self; 7] = [
        Self::GuestRequests,
        Self::GuestPoints,
        Self::CallerRequests,
        Self::CallerPoints,
        Self::WorkspacePoints,
        Self::SignIns,
        Self::SocketMessages,
    ];

    /// What is left of a full window is told to nobody but the spender, so the configured rates are also the bursts.
    fn per_window(self, rates: &Rates) -> u32 {
        match self {
            Self::GuestRequests => rates.guest_requests,
            Self::GuestPoints => rates.guest_points,
            Self::CallerRequests => rates.caller_requests,
            Self::CallerPoints => rates.caller_points,
            Self::WorkspacePoints => rates.workspace_points,
            Self::SignIns => rates.sign_ins,
            Self::SocketMessages => rates.socket_messages,
        }
    }

    /// Name in the `RateLimit-Policy` header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GuestRequests | Self::CallerRequests => "requests",
            Self::GuestPoints | Self::CallerPoints => "points",
            Self::WorkspacePoints => "workspace",
            Self::SignIns => "sign-ins",
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
            Self::WorkspacePoints => {
                "The budget of this workspace is spent for this minute. Wait before trying again."
            }
            Self::SignIns => "Too many sign-ins from this address. Wait before trying again.",
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
    /// When it is full again.
    pub reset_at: Instant,
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
        Err(Error::Coded {
            code: ErrorCode::RateLimited,
            message: self.kind.message().into(),
            retry_after: Some(self.retry_after),
            cause: None,
        })
    }
}

/// Keys are kept as hashes under a random seed: fixed size, and nobody can choose colliding ones.
type Limiter = RateLimiter<
    u64,
    DefaultKeyedStateStore<u64>,
    DefaultClock,
    governor::middleware::StateInformationMiddleware,
>;

/// All budgets of this process.
#[derive(Debug)]
pub struct Limits {
    limiters: [(u32, Limiter); 7],
    seed: RandomState,
    clock: Clock,
}

impl Limits {
    /// Budgets of these sizes. `clock` only dates [`Decision::reset_at`]; refilling follows the machine's monotonic clock.
    pub fn new(rates: &Rates, clock: Clock) -> Self {
        let limiters = Limit::ALL.map(|limit| {
            let size = NonZeroU32::new(limit.per_window(rates)).unwrap_or(NonZeroU32::MIN);
            let quota = Quota::per_minute(size);
            (
                size.get(),
                RateLimiter::keyed(quota).with_middleware::<StateInformationMiddleware>(),
            )
        });
        Self {
            limiters,
            seed: RandomState::new(),
            clock,
        }
    }

    /// Spends `cost` from the budget of `key`, or nothing when not enough is left. A cost above a full budget spends all of it.
    pub fn check(&self, kind: Limit, key: &str, cost: u32) -> Decision {
        let (limit, limiter) = &self.limiters[kind as usize];
        let cost = NonZeroU32::new(cost.min(*limit)).unwrap_or(NonZeroU32::MIN);
        let answer = limiter.check_key_n(&self.seed.hash_one(key), cost);
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
        let reset = WINDOW.mul_f64(f64::from(limit - remaining.min(*limit)) / f64::from(*limit));
        Decision {
            kind,
            allowed: retry_after == 0,
            limit: *limit,
            remaining,
            reset_at: self.clock.now() + TimeDelta::from_std(reset).unwrap_or_default(),
            reset_after: seconds(reset),
            retry_after,
        }
    }

    /// Forgets keys whose budget is full again. Runs until it is dropped.
    pub async fn sweep_forever(&self) {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::Config;

    fn limits(pairs: &[(&str, &str)]) -> Limits {
        let values: BTreeMap<_, _> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Limits::new(
            &Config::parse(&values).unwrap().rates,
            Clock::manual(Instant::default()),
        )
    }

    #[test]
    fn a_budget_is_spent_and_told() {
        let limits = limits(&[("MERIDIAN_RATE_GUEST_REQUESTS", "3")]);
        let check = |key| limits.check(Limit::GuestRequests, key, 1);
        let first = check("a");
        assert_eq!(
            (first.allowed, first.limit, first.remaining, first.retry_after),
            (true, 3, 2, 0)
        );
        assert_eq!(first.reset_after, 20);
        assert_eq!(first.reset_at.timestamp(), 20);
        assert!(check("a").allowed && check("a").allowed);
        let refused = check("a");
        assert_eq!((refused.allowed, refused.remaining), (false, 0));
        assert!((19..=20).contains(&refused.retry_after), "{refused:?}");
        assert_eq!(refused.into_result().unwrap_err().code(), ErrorCode::RateLimited);
        assert!(check("b").allowed, "others are not concerned");
    }

    #[test]
    fn points_are_spent_together_or_not_at_all() {
        let limits = limits(&[("MERIDIAN_RATE_CALLER_POINTS", "100")]);
        let check = |cost| limits.check(Limit::CallerPoints, "a", cost);
        assert_eq!(check(60).remaining, 40);
        assert!(!check(60).allowed);
        assert!(check(40).allowed);
    }

    #[test]
    fn more_than_a_full_budget_spends_all_of_it() {
        let limits = limits(&[("MERIDIAN_RATE_CALLER_POINTS", "100")]);
        let decision = limits.check(Limit::CallerPoints, "a", 5_000);
        assert_eq!((decision.allowed, decision.remaining), (true, 0));
        assert!(!limits.check(Limit::CallerPoints, "a", 1).allowed);
    }

    #[test]
    fn every_limit_finds_its_own_budget() {
        assert!(
            Limit::ALL
                .iter()
                .enumerate()
                .all(|(place, limit)| *limit as usize == place)
        );
    }
}
