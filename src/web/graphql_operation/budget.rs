//! What a caller has left: taken for each request, told in headers.

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
/// Room for the longest of these values.
const LINE: usize = 128;

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
        let shown = self.points.unwrap_or(self.requests);
        headers.insert(LIMIT, shown.limit.into());
        headers.insert(REMAINING, shown.remaining.into());
        headers.insert(RESET, limits.full_at(&shown).timestamp().into());
        let mut text = Vec::with_capacity(LINE);
        let lines: [(HeaderName, Show); 2] = [(POLICY, policy), (LEFT, left)];
        for (name, show) in lines {
            text.clear();
            show(&mut text, &self.requests);
            if let Some(points) = &self.points {
                text.extend_from_slice(b", ");
                show(&mut text, points);
            }
            if let Ok(value) = HeaderValue::from_bytes(&text) {
                headers.insert(name, value);
            }
        }
    }
}

/// Writes what there is to say about one budget.
type Show = fn(&mut Vec<u8>, &Decision);

fn policy(text: &mut Vec<u8>, decision: &Decision) {
    begin(text, decision.kind, b";q=");
    number(text, decision.limit.into());
    text.extend_from_slice(b";w=");
    number(text, WINDOW.as_secs());
}

fn left(text: &mut Vec<u8>, decision: &Decision) {
    begin(text, decision.kind, b";r=");
    number(text, decision.remaining.into());
    text.extend_from_slice(b";t=");
    number(text, decision.reset_after);
}

fn begin(text: &mut Vec<u8>, kind: Limit, then: &[u8]) {
    text.push(b'"');
    text.extend_from_slice(kind.name().as_bytes());
    text.push(b'"');
    text.extend_from_slice(then);
}

/// Four of these go with every answer, and a formatter takes several times as long.
fn number(text: &mut Vec<u8>, mut number: u64) {
    let start = text.len();
    loop {
        text.push(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text[start..].reverse();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_everywhere() {
        for one in [0, 7, 10, 4_711, u64::from(u32::MAX), u64::MAX] {
            let mut text = b"r=".to_vec();
            number(&mut text, one);
            assert_eq!(String::from_utf8(text).unwrap(), format!("r={one}"));
        }
    }
}
