//! What a report of an error says about the request it happened in: its id, the operation's name, and opaque ids. Costs nothing while no
//! reports are sent.

use std::sync::Arc;

use sentry::{Hub, SentryFutureExt as _, User};

use crate::access::Caller;
use crate::platform::Platform;

/// Runs a request or socket in a place of its own, so that what is known about it does not mix with others.
pub(super) async fn apart<T>(platform: &Platform, request_id: &str, work: impl Future<Output = T>) -> T {
    if platform.config.reports.is_none() {
        return work.await;
    }
    let hub = Arc::new(Hub::new_from_top(Hub::main()));
    hub.configure_scope(|scope| scope.set_tag("request_id", request_id));
    work.bind_hub(hub).await
}

/// Says which operation runs for whom.
pub(super) fn operation(platform: &Platform, caller: &Caller, name: Option<&str>) {
    if platform.config.reports.is_none() {
        return;
    }
    sentry::configure_scope(|scope| {
        scope.set_user(caller.user_id().map(|id| User {
            id: Some(id.0.to_string()),
            ..User::default()
        }));
        match name {
            Some(name) => scope.set_tag("operation", name),
            None => scope.remove_tag("operation"),
        }
    });
}
