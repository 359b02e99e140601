//! Facts about the server.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::access;
use super::accounts::{SignInProvider, sign_in_providers};
use super::scalars::DateTime;
use crate::platform::limits::Decision;

/// Facts about this server, for clients and support.
#[derive(SimpleObject)]
pub struct ServerInfo {
    /// Version of the server.
    version: &'static str,
    /// Git commit of the build. Null when unknown.
    commit: Option<&'static str>,
    /// Current time of the server, to detect a wrong client clock.
    now: DateTime,
    /// Ways to sign in, in the order to show them.
    sign_in_providers: Vec<SignInProvider>,
    /// Whether a language model is configured.
    is_ai_enabled: bool,
}

/// What the caller's budget was after paying for the running operation. The edge puts one on each request.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// The state of the budget.
    pub decision: Decision,
    /// Points that the operation cost.
    pub cost: u32,
}

/// What is left of the caller's budget. The same figures are in the `X-RateLimit-*` headers.
#[derive(SimpleObject)]
pub struct RateLimit {
    /// Points that may be spent in a full window.
    limit: i32,
    /// Points left now.
    remaining: i32,
    /// Points that this operation cost.
    cost: i32,
    /// When the budget is full again.
    reset_at: DateTime,
}

#[derive(Default)]
pub struct ServerQuery;

#[Object]
impl ServerQuery {
    /// Facts about this server. Works without signing in.
    async fn server_info(&self, ctx: &Context<'_>) -> ServerInfo {
        ServerInfo {
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("BUILT_COMMIT"),
            now: DateTime(access(ctx).platform().clock.now()),
            sign_in_providers: sign_in_providers(&access(ctx).platform().config),
            is_ai_enabled: access(ctx).platform().llm.is_some(),
        }
    }

    /// The caller's budget and the cost of this operation.
    async fn rate_limit(&self, ctx: &Context<'_>) -> Result<RateLimit> {
        let Spent { decision, cost } = *ctx.data::<Spent>()?;
        let figure = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
        Ok(RateLimit {
            limit: figure(decision.limit),
            remaining: figure(decision.remaining),
            cost: figure(cost),
            reset_at: DateTime(access(ctx).platform().limits.full_at(&decision)),
        })
    }
}
