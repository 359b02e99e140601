//! What a report of an error says about the request it happened in: its id, the operation's name, and opaque ids. Costs nothing while no
//! reports are sent.

use std::sync::Arc;

use sentry::{Hub, SentryFutureExt as _, User};

use crate::access::Caller;
use crate::platform::Platform;

tokio::task_local! {
    /// What is known about the request that runs. A span goes back to it each time it is entered, so that what is said only where one is
    /// just now would be forgotten at the next await.
    static BASE: Arc<Hub>;
}

/// Runs a request, a socket or one of its operations in a place of its own, so that what is known about it does not mix with others. The
/// spans that belong to it have to be made by `work`.
pub(super) async fn apart<F: Future>(
    platform: &Platform,
    request_id: &str,
    work: impl FnOnce() -> F,
) -> F::Output {
    if platform.config.reports.is_none() {
        return work().await;
    }
    let hub = Arc::new(Hub::new_from_top(Hub::main()));
    hub.configure_scope(|scope| scope.set_tag("request_id", request_id));
    // Boxed only here: those who send no reports have no second place for the work.
    let work = Box::pin(Hub::run(hub.clone(), work)).bind_hub(hub.clone());
    BASE.scope(hub, work).await
}

/// What is known about a request or an operation, for those who go on with it elsewhere.
#[derive(Clone)]
pub(super) struct Known(Arc<Hub>);

/// The place that [`apart`] made.
pub(super) fn here() -> Option<Known> {
    BASE.try_with(|hub| Known(hub.clone())).ok()
}

/// Does something in the place that it belongs to.
pub(super) fn inside<T>(place: Option<&Known>, work: impl FnOnce() -> T) -> T {
    match place {
        Some(Known(hub)) => Hub::run(hub.clone(), work),
        None => work(),
    }
}

/// Says which operation runs for whom.
pub(super) fn operation(caller: &Caller, name: Option<&str>) {
    let Some(Known(base)) = here() else { return };
    let describe = |scope: &mut sentry::Scope| {
        scope.set_user(caller.user_id().map(|id| User {
            id: Some(id.0.to_string()),
            ..User::default()
        }));
        match name {
            Some(name) => scope.set_tag("operation", name),
            None => scope.remove_tag("operation"),
        }
    };
    base.configure_scope(describe);
    sentry::configure_scope(describe);
}
