//! The task of one circle: follows the change log, executes each change in the name of one of those who sit there, and hands the answer
//! round. Ends when the last one leaves.

use std::collections::HashSet;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_graphql::{Response, ServerError};
use entity::ids::UserId;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::time::sleep;

use super::Group;
use super::circle::Ending;
use super::payload::{Outcome, Payload};
use crate::access::{self, Access, Caller, Ctx};
use crate::features::changes::Feed;
use crate::graphql::live::{GroupKey, Handover, Source};
use crate::kernel::changes::{Change, ObjectType};
use crate::kernel::{Error, Result};
use crate::platform::metrics::Open;
use crate::web::Web;
use crate::web::graphql_answer::{coded, panicked};

/// Pause while those who were sent away are still getting up.
const LEAVING: Duration = Duration::from_millis(50);

/// The task of one circle.
pub(super) struct Driver {
    web: Web,
    key: GroupKey,
    group: Group,
    /// Set when it came to an end by itself.
    end: Option<End>,
    _counted: Open,
}

/// A stream of answers that gets its changes one by one.
struct Running {
    ctx: Ctx,
    handover: Arc<Handover>,
    answers: BoxStream<'static, Response>,
}

/// Why a circle ends: with a message to those who sit there, or without.
type End = Option<Ending>;

impl Driver {
    pub(super) fn new(web: Web, key: GroupKey, group: Group) -> Self {
        let counted = web.platform.metrics.circle();
        Self {
            web,
            key,
            group,
            end: None,
            _counted: counted,
        }
    }

    /// Runs until nobody is left.
    pub(super) async fn run(mut self, position: i64) {
        self.end = match self.follow(position).await {
            Ok(never) => match never {},
            Err(end) => Some(end),
        };
    }

    async fn follow(&self, position: i64) -> std::result::Result<std::convert::Infallible, End> {
        let circle = &self.group.circle;
        let shutdown = &self.web.platform.shutdown;
        let mut running = self.elect().await?;
        let mut feed = Feed::at(running.ctx.clone(), position);
        let mut checked = position;
        loop {
            let change = tokio::select! {
                biased;
                // The sockets say goodbye by themselves.
                () = shutdown.cancelled() => return Err(None),
                () = circle.emptied() => {
                    if circle.close_if_empty() {
                        return Err(None);
                    }
                    continue;
                }
                change = feed.next() => change,
            };
            let (seq, item) = match change {
                Ok(None) => return Err(Some(Ending::Complete)),
                Ok(Some(change)) => {
                    // Also those that are known but not yet sent: what is sent now must not reach somebody who is gone already.
                    let known = feed.upcoming().chain([&change]);
                    if let Some(newest) = known
                        .filter(|change| is_about_members(change))
                        .map(|change| change.seq)
                        .max()
                        && newest > checked
                    {
                        checked = newest;
                        self.web.sockets().fanout.begin_recheck();
                        running = self.elect().await?;
                    }
                    let platform = &self.web.platform;
                    // The machine that wrote it may have another clock.
                    let lag = (platform.clock.now() - change.at).to_std().unwrap_or_default();
                    platform.metrics.change_lag(lag);
                    (change.seq, Ok(Some((running.ctx.clone(), change))))
                }
                Err(error) => (position, Err(error)),
            };
            running.handover.put(item);
            if let Some(response) = running.next().await {
                match Payload::of(seq, response) {
                    Outcome::Payload(payload) => circle.send(payload).await,
                    Outcome::Failed(errors) => return Err(failed(errors)),
                }
            }
        }
    }

    /// Sends away who may not sit here any more, and starts the document in the name of somebody who may.
    async fn elect(&self) -> std::result::Result<Running, End> {
        loop {
            let representative = self
                .recheck()
                .await
                .map_err(|error| failed(vec![exposed(&error)]))?;
            let Some(caller) = representative else {
                if self.group.circle.close_if_empty() {
                    return Err(None);
                }
                sleep(LEAVING).await;
                continue;
            };
            match self.start(caller).await {
                Ok(mut running) => {
                    // Whether the document is valid shows before the first change.
                    return match running.next().await {
                        None => Ok(running),
                        Some(response) => Err(failed(response.errors)),
                    };
                }
                // Removed just now.
                Err(error) if error.is_not_found() => sleep(LEAVING).await,
                Err(error) => return Err(failed(vec![exposed(&error)])),
            }
        }
    }

    async fn recheck(&self) -> Result<Option<Arc<Caller>>> {
        let people = self.group.circle.people();
        let ids: HashSet<UserId> = people.iter().filter_map(|(_, caller)| caller.user_id()).collect();
        let ids: Vec<UserId> = ids.into_iter().collect();
        let workspace_id = self.group.plan.workspace_id();
        let roles = access::roles(&self.web.platform, workspace_id, &ids).await?;
        let role = self.key.audience().role();
        let (stay, go): (Vec<_>, Vec<_>) = people.into_iter().partition(|(_, caller)| {
            caller
                .user_id()
                .is_some_and(|user| roles.get(&user) == Some(&role))
        });
        if !go.is_empty() {
            let places: Vec<usize> = go.into_iter().map(|(place, _)| place).collect();
            self.group.circle.recheck(&places);
        }
        Ok(stay.into_iter().next().map(|(_, caller)| caller))
    }

    async fn start(&self, caller: Arc<Caller>) -> Result<Running> {
        let platform = &self.web.platform;
        let caller = Caller::clone(&caller);
        let ctx = Access::new(platform.clone(), caller.clone())
            .ctx(self.group.plan.workspace_id())
            .await?;
        let handover = Arc::new(Handover::default());
        let source = Source::Handed(handover.clone());
        let request = self.group.plan.request(platform, caller, source);
        let answers = AssertUnwindSafe(self.web.schema.execute_stream(request))
            .catch_unwind()
            .map(|answer| answer.unwrap_or_else(|_| panicked()))
            .boxed();
        Ok(Running {
            ctx,
            handover,
            answers,
        })
    }
}

impl Running {
    /// The answer to what was handed over; `None` when it answers nothing.
    async fn next(&mut self) -> Option<Response> {
        poll_fn(|cx| match self.answers.poll_next_unpin(cx) {
            Poll::Ready(Some(response)) => Poll::Ready(Some(response)),
            // It only ends after an error, which was sent.
            Poll::Ready(None) => Poll::Ready(Some(panicked())),
            Poll::Pending if self.handover.is_hungry() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.web.sockets().fanout.forget(&self.key, &self.group.circle);
        let end = self.end.take();
        let end = end.unwrap_or_else(|| failed(panicked().errors));
        self.group.circle.finish(end);
    }
}

fn is_about_members(change: &Change) -> bool {
    change.object_type == ObjectType::WorkspaceMember
}

fn failed(errors: Vec<ServerError>) -> End {
    Some(Ending::Failed(errors))
}

fn exposed(error: &Error) -> ServerError {
    tracing::warn!(%error, cause = error.cause().map(tracing::field::display), "a group of subscribers could not go on");
    coded(error.code(), error.to_string())
}
