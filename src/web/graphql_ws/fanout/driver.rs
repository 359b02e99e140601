//! The task of one circle that follows a change log; `echo` has the others. It executes each change in the name of one of those who sit
//! there, and hands the answer round. Ends when the last one leaves. A database that is away ends nothing: the circle goes on where it was
//! when it is back.

use std::collections::HashSet;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_graphql::{Response, ServerError};
use entity::ids::{UserId, WorkspaceId};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::Group;
use super::circle::Ending;
use super::payload::{Outcome, Payload};
use crate::access::{self, Access, Caller, Ctx};
use crate::features::changes::Feed;
use crate::graphql::live::{Crowd, GroupKey, Handover, Source};
use crate::kernel::changes::{Change, ObjectType};
use crate::kernel::{Error, ErrorCode, Result};
use crate::platform::metrics::Open;
use crate::platform::presence::Watch;
use crate::web::Web;
use crate::web::graphql_answer::{code_of, coded, panicked};

/// Pause while those who were sent away are still getting up.
pub(super) const LEAVING: Duration = Duration::from_millis(50);

/// Pause before something is tried again while the database is away.
pub(super) const AGAIN: Duration = Duration::from_millis(500);
/// How often a change is executed before its errors are sent as they are.
const MOST_TRIES: usize = 120;

/// The task of one circle.
pub(super) struct Driver {
    pub(super) web: Web,
    pub(super) key: GroupKey,
    pub(super) group: Group,
    /// Where presence is heard from.
    pub(super) crowd: Option<Crowd>,
    /// Set when it came to an end by itself.
    end: Option<End>,
    _counted: Open,
}

/// Who may go on sitting in a circle.
pub(super) struct Look {
    pub(super) staying: Vec<Arc<Caller>>,
    /// Whether the one who was asked about may hear what they hear, wherever they are now.
    pub(super) is_good: bool,
}

/// A stream of answers that gets its changes one by one.
struct Running {
    ctx: Ctx,
    handover: Arc<Handover>,
    answers: BoxStream<'static, Response>,
}

/// Why a circle ends: with a message to those who sit there, or without.
pub(super) type End = Option<Ending>;

impl Driver {
    pub(super) fn new(web: Web, key: GroupKey, group: Group, crowd: Option<Watch>) -> Self {
        let counted = web.platform.metrics.circle();
        Self {
            web,
            key,
            group,
            crowd: crowd.map(|watch| Arc::new(Mutex::new(watch))),
            end: None,
            _counted: counted,
        }
    }

    /// Runs until nobody is left.
    pub(super) async fn run(mut self, position: i64) {
        let end = match self.group.plan.log() {
            // Their types are forgotten here, so that nothing around them is checked for what is in them again.
            Some((workspace_id, _)) => self.follow(workspace_id, position).boxed().await,
            None => self.echo().boxed().await,
        };
        self.end = match end {
            Ok(never) => match never {},
            Err(end) => Some(end),
        };
    }

    async fn follow(
        &self,
        workspace_id: WorkspaceId,
        position: i64,
    ) -> std::result::Result<std::convert::Infallible, End> {
        let circle = &self.group.circle;
        let shutdown = &self.web.platform.shutdown;
        let mut running = self.elect(workspace_id).await?;
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
            let change = match change {
                Ok(Some(change)) => change,
                Ok(None) => return Err(Some(Ending::Complete)),
                Err(error) if is_passing(&error) => {
                    sleep(AGAIN).await;
                    continue;
                }
                Err(error) => {
                    running.handover.put(Err(error));
                    let answer = running.next().await;
                    return Err(failed(answer.map(|answer| answer.errors).unwrap_or_default()));
                }
            };
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
                running = self.elect(workspace_id).await?;
            }
            let platform = &self.web.platform;
            // The machine that wrote it may have another clock.
            let lag = (platform.clock.now() - change.at).to_std().unwrap_or_default();
            platform.metrics.change_lag(lag);
            self.hand_round(workspace_id, &mut running, change).await?;
        }
    }

    /// Executes a change and sends the answer to everybody.
    async fn hand_round(
        &self,
        workspace_id: WorkspaceId,
        running: &mut Running,
        change: Change,
    ) -> std::result::Result<(), End> {
        let mut tries = 0;
        loop {
            let item = (running.ctx.clone(), change.clone());
            running.handover.put(Ok(Some(item)));
            let Some(response) = running.next().await else {
                return Ok(());
            };
            tries += 1;
            if tries < MOST_TRIES && response.errors.iter().any(is_away) && !self.is_over() {
                sleep(AGAIN).await;
                *running = self.elect(workspace_id).await?;
                continue;
            }
            return match Payload::of(change.seq, response) {
                Outcome::Payload(payload) => {
                    self.group.circle.send(payload).await;
                    Ok(())
                }
                Outcome::Failed(errors) => Err(failed(errors)),
            };
        }
    }

    /// Whether nobody waits for an answer any more.
    fn is_over(&self) -> bool {
        self.web.platform.shutdown.is_cancelled() || self.group.circle.is_empty()
    }

    /// Sends away who may not sit here any more, and starts the document in the name of somebody who may.
    async fn elect(&self, workspace_id: WorkspaceId) -> std::result::Result<Running, End> {
        loop {
            let Some(caller) = self.look(None).await?.staying.into_iter().next() else {
                if self.group.circle.close_if_empty() {
                    return Err(None);
                }
                sleep(LEAVING).await;
                continue;
            };
            match self.start(workspace_id, caller).await {
                Ok(mut running) => {
                    // Whether the document is valid shows before the first change.
                    return match running.next().await {
                        None => Ok(running),
                        Some(response) => Err(failed(response.errors)),
                    };
                }
                // Removed just now.
                Err(error) if error.is_not_found() => sleep(LEAVING).await,
                Err(error) if is_passing(&error) && !self.is_over() => sleep(AGAIN).await,
                Err(error) => return Err(failed(vec![exposed(&error)])),
            }
        }
    }

    /// Sends away who may not sit here any more. A database that is away decides nothing: it is asked until it answers.
    pub(super) async fn look(&self, about: Option<&Caller>) -> std::result::Result<Look, End> {
        loop {
            match self.recheck(about).await {
                Ok(look) => return Ok(look),
                Err(error) if is_passing(&error) && !self.is_over() => sleep(AGAIN).await,
                Err(error) => return Err(failed(vec![exposed(&error)])),
            }
        }
    }

    async fn recheck(&self, about: Option<&Caller>) -> Result<Look> {
        let people = self.group.circle.people();
        let (Some(workspace_id), Some(role)) = (self.key.workspace_id(), self.key.audience().role()) else {
            // They all came with the same credentials, and what they hear is theirs.
            return Ok(Look {
                staying: people.into_iter().map(|(_, caller)| caller).collect(),
                is_good: true,
            });
        };
        let everybody = people.iter().map(|(_, caller)| &**caller).chain(about);
        let ids: HashSet<UserId> = everybody.filter_map(Caller::user_id).collect();
        let ids: Vec<UserId> = ids.into_iter().collect();
        let roles = access::roles(&self.web.platform, workspace_id, &ids).await?;
        let may = |caller: &Caller| {
            let user = caller.user_id();
            user.is_some_and(|user| roles.get(&user) == Some(&role))
        };
        let (stay, go): (Vec<_>, Vec<_>) = people.into_iter().partition(|(_, caller)| may(caller));
        if !go.is_empty() {
            let places: Vec<usize> = go.into_iter().map(|(place, _)| place).collect();
            self.group.circle.recheck(&places);
        }
        Ok(Look {
            staying: stay.into_iter().map(|(_, caller)| caller).collect(),
            is_good: about.is_none_or(may),
        })
    }

    async fn start(&self, workspace_id: WorkspaceId, caller: Arc<Caller>) -> Result<Running> {
        let platform = &self.web.platform;
        let caller = Caller::clone(&caller);
        let ctx = Access::new(platform.clone(), caller.clone())
            .ctx(workspace_id)
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

/// Whether trying again helps.
fn is_passing(error: &Error) -> bool {
    error.code() == ErrorCode::ServiceUnavailable
}

/// The same of an error that went through the executor.
pub(super) fn is_away(error: &ServerError) -> bool {
    code_of(error) == Some(ErrorCode::ServiceUnavailable)
}

pub(super) fn failed(errors: Vec<ServerError>) -> End {
    Some(Ending::Failed(errors))
}

fn exposed(error: &Error) -> ServerError {
    tracing::warn!(%error, cause = error.cause().map(tracing::field::display), "a group of subscribers could not go on");
    coded(error.code(), error.to_string())
}
