//! What a caller has left: taken for each request, told in headers.

use std::fmt::Write as _;

use entity::ids::TypedId as _;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::access::Caller;
use crate::graphql::Spent;
use crate::kernel;
use crate::platform::limits::{Charge, Decision, Key, Limit, Limits, WINDOW};
use crate::web::Web;
use crate::web::client::Client;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// What is left of the caller's budget.
#[derive(Clone, Copy, Debug)]
pub(in crate::web) struct Budget {
    requests: Decision,
    points: Option<Decision>,
    /// The request was paid for, or cannot be.
    is_settled: bool,
}

impl Budget {
    /// Opens the account for one request. There is a budget to tell about also when it is spent.
    pub(in crate::web) fn open(web: &Web, client: &Client, caller: &Caller) -> (Self, kernel::Result<()>) {
        let account = Account::of(client, caller);
        let limits = &web.platform.limits;
        // The other replicas hear of it together with the points, unless nothing is left here: then nothing is left anywhere.
        let requests = match client.is_internal {
            true => limits.free(account.requests),
            false => limits.check(account.requests, account.key, 1),
        };
        let budget = Self {
            requests,
            points: None,
            is_settled: client.is_internal || !requests.allowed,
        };
        (budget, requests.into_result().map(drop))
    }

    /// Pays for the request and the points of its operation.
    pub(in crate::web) async fn spend(
        &mut self,
        web: &Web,
        client: &Client,
        caller: &Caller,
        cost: u32,
    ) -> kernel::Result<Spent> {
        let account = Account::of(client, caller);
        let limits = &web.platform.limits;
        if client.is_internal {
            let decision = limits.free(account.points);
            self.points = Some(decision);
            return Ok(Spent { decision, cost });
        }
        self.is_settled = true;
        let charges = [
            account.charge(account.requests, 1),
            account.charge(account.points, cost),
        ];
        let points = limits.check(account.points, account.key, cost);
        let [requests, decision] = limits.share(charges, [self.requests, points]).await;
        self.requests = requests;
        requests.into_result()?;
        self.points = Some(decision);
        decision.into_result().map(|decision| Spent { decision, cost })
    }

    /// Pays for a request whose operation never got so far that its points were known.
    pub(in crate::web) async fn settle(&mut self, web: &Web, client: &Client, caller: &Caller) {
        if !self.is_settled {
            self.is_settled = true;
            let account = Account::of(client, caller);
            let charges = [account.charge(account.requests, 1)];
            [self.requests] = web.platform.limits.share(charges, [self.requests]).await;
        }
    }

    /// Tells the client. The `X-RateLimit` fields are about points, or about requests when those stopped this one.
    pub(in crate::web) fn tell(&self, limits: &Limits, headers: &mut HeaderMap) {
        let decisions = [Some(self.requests), self.points];
        let shown = self.points.unwrap_or(self.requests);
        headers.insert(LIMIT, shown.limit.into());
        headers.insert(REMAINING, shown.remaining.into());
        headers.insert(RESET, limits.full_at(&shown).timestamp().into());
        let policy = list(&decisions, |text, d| {
            let seconds = WINDOW.as_secs();
            write!(text, "\"{}\";q={};w={seconds}", d.kind.name(), d.limit)
        });
        let left = list(&decisions, |text, d| {
            write!(
                text,
                "\"{}\";r={};t={}",
                d.kind.name(),
                d.remaining,
                d.reset_after
            )
        });
        for (name, text) in [(POLICY, policy), (LEFT, left)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
}

fn list(decisions: &[Option<Decision>], show: impl Fn(&mut String, &Decision) -> std::fmt::Result) -> String {
    let mut text = String::with_capacity(64);
    for decision in decisions.iter().flatten() {
        if !text.is_empty() {
            text.push_str(", ");
        }
        // Writing to memory does not fail.
        show(&mut text, decision).ok();
    }
    text
}

/// Whose budget it is: that of the person, whatever they signed in with, or that of the address.
struct Account {
    requests: Limit,
    points: Limit,
    key: Key<'static>,
}

impl Account {
    fn of(client: &Client, caller: &Caller) -> Self {
        match caller.user_id() {
            Some(user) => Self {
                requests: Limit::CallerRequests,
                points: Limit::CallerPoints,
                key: Key::Id(user.uuid()),
            },
            None => Self {
                requests: Limit::GuestRequests,
                points: Limit::GuestPoints,
                key: client.budget_key(),
            },
        }
    }

    fn charge(&self, kind: Limit, cost: u32) -> Charge<'static> {
        let key = self.key;
        Charge { kind, key, cost }
    }
}
