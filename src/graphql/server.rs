//! Facts about the server.

use async_graphql::{Context, Object, SimpleObject};

use super::access;
use super::scalars::DateTime;

/// Facts about this server, for clients and support.
#[derive(SimpleObject)]
pub struct ServerInfo {
    /// Version of the server.
    version: &'static str,
    /// Git commit of the build. Null when unknown.
    commit: Option<&'static str>,
    /// Current time of the server, to detect a wrong client clock.
    now: DateTime,
    /// Whether a language model is configured.
    is_ai_enabled: bool,
}

#[derive(Default)]
pub struct ServerQuery;

#[Object]
impl ServerQuery {
    /// Facts about this server. Works without signing in.
    async fn server_info(&self, ctx: &Context<'_>) -> ServerInfo {
        ServerInfo {
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("MERIDIAN_COMMIT"),
            now: DateTime(access(ctx).platform().clock.now()),
            // No planner that asks a language model exists in this version.
            is_ai_enabled: false,
        }
    }
}
